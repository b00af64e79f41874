import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import latent_specs

from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Bernoulli, Categorical, Normal, Uniform

law = settings(max_examples=100)

PAPER = "z: normal(62), category: categorical(10) code, style: uniform(2) code"


@law
@given(latent_specs(min_variables=0))
def test_text_round_trips(spec):
    text = str(spec)
    assert LatentSpec.parse(text) == spec
    assert LatentSpec.parse(text).names == spec.names
    assert str(LatentSpec.parse(text)) == text


def test_the_text_of_the_paper():
    spec = LatentSpec(z=Normal(62), category=Categorical(10, role="code"), style=Uniform(2, role="code"))
    assert str(spec) == PAPER
    assert LatentSpec.parse(PAPER) == spec
    assert LatentSpec.parse("") == LatentSpec()


@pytest.mark.parametrize(
    ("text", "variable"),
    [
        ("normal()", Normal(1)),
        ("normal(size=3)", Normal(3)),
        ("normal(3, sigma=learned)", Normal(3)),
        ('normal(3, sigma="learned")', Normal(3)),
        ("normal(3, sigma=1) code weight=1e-1", Normal(3, role="code", weight=0.1, sigma=1.0)),
        ("normal(3) weight=0.1 code", Normal(3, role="code", weight=0.1)),
        ("uniform(low=0, size=2)", Uniform(2, low=0.0)),
        ("bernoulli(p=0.25)", Bernoulli(1, p=0.25)),
        ("categorical(probs=[0.25, 0.75])", Categorical(2, probs=(0.25, 0.75))),
        ('categorical(names=["a, b", ")"]) condition', Categorical(2, "condition", names=("a, b", ")"))),
        ("categorical(3, probs=null)", Categorical(3)),
    ],
)
def test_what_can_be_written(text, variable):
    assert LatentSpec.parse(f"v: {text}") == LatentSpec(v=variable)


@law
@given(latent_specs(), st.randoms(use_true_random=False))
def test_space_between_words_means_nothing(spec, random):
    words = re.split(r'("(?:[^"\\]|\\.)*"|[:,()=])', str(spec))
    text = "".join(random.choice(["", " ", "\n\t"]) + word for word in words)
    assert LatentSpec.parse(text + " ") == spec


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("z", 2, "expected ':', found the end"),
        (": normal(2)", 1, "expected the name of a variable, found ':'"),
        ("1z: normal(2)", 1, "'1z' is no name; a name is letters, digits and underscores"),
        ("z: normal(2),", 14, "expected the name of a variable, found the end"),
        ("z: normal(2), z: uniform(2)", 15, "there is a second variable named 'z'; rename one"),
        ("z: ", 4, "expected a kind of variable, found the end"),
        ("z: nrmal(2)", 4, "there is no kind of variable 'nrmal'; did you mean 'normal'?"),
        ("z: normal", 10, "expected '(', found the end"),
        ("z: normal(2", 12, "expected ',' or ')', found the end"),
        ("z: normal(2, 3)", 14, "expected key=value, found '3'"),
        ("z: normal(2, )", 14, "expected key=value, found ')'"),
        ("z: normal(, 2)", 11, "expected a number, text or list, found ','"),
        ("z: normal(2, sgma=1)", 14, "there is no argument of normal 'sgma'; did you mean 'sigma'?"),
        ("z: normal(2, size=3)", 14, "the size is given twice"),
        ("z: normal(2) cod", 14, "there is no role 'cod'; did you mean 'code'?"),
        ("z: normal(2) code noise", 19, "the role is given twice"),
        ("z: normal(2) weight=1 weight=1", 23, "the weight is given twice"),
        ("z: normal(2) weight 1", 21, "expected '=', found '1'"),
        ("z: normal(2) weight=", 21, "expected a number, text or list, found the end"),
        ("z: normal(2)) code", 13, "expected a role, weight=number, ',' or the end, found ')'"),
        ("z: normal(2) c: normal(2)", 14, "expected ',' before the next variable, 'c'"),
        ("z: normal(0)", 4, "normal takes a size of at least 1, not 0"),
        ("z: normal(two)", 4, "normal takes a size of at least 1, not 'two'"),
        ("z: normal({})", 4, "normal takes a size of at least 1, not {}"),
        ("z: normal(2) weight=-1", 4, "normal takes a weight of at least 0, not -1"),
        ("z: normal(2) weight=NaN", 4, "normal takes a weight of at least 0, not nan"),
        ("a: normal(2), c: categorical(2, probs=[1, 1])", 18, "categorical takes 2 probs"),
        ("c: categorical(2, probs=[0.5, 0.5)", 34, "expected a number, text or list, found a broken literal"),
        ("c: categorical(2, names=[" + "[" * 10**5, 25, "expected a number, text or list of sensible size"),
    ],
)
def test_bad_text_says_where(text, column, problem):
    with pytest.raises(UsageError) as error:
        LatentSpec.parse(text)
    assert str(error.value).startswith(f"latent space, column {column}: {problem}")


pieces = st.lists(
    st.sampled_from(re.findall(r"\w+|\W", PAPER + 'probs=[0.5, 0.5] names=["a"] sigma=learned weight=1'))
    | st.text(max_size=2),
    max_size=12,
).map("".join)


@law
@given(pieces | st.text(max_size=20))
def test_any_text_is_understood_or_refused_with_its_column(text):
    try:
        spec = LatentSpec.parse(text)
    except UsageError as error:
        column = re.match(r"latent space, column (\d+): ", str(error))
        assert column
        assert 1 <= int(column[1]) <= len(text) + 1
    else:
        assert LatentSpec.parse(str(spec)) == spec


@law
@given(latent_specs(), st.data())
def test_damaged_text_is_understood_or_refused_with_its_column(spec, data):
    text = str(spec)
    at = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:at] + data.draw(st.sampled_from(["", ",", ":", "(", ")", '"', "[", "x", " "])) + text[at + 1 :]
    test_any_text_is_understood_or_refused_with_its_column.hypothesis.inner_test(damaged)
