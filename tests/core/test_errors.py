import pytest

from ganzoo.core.errors import GanzooError, RunError, UsageError, unknown


@pytest.mark.parametrize(("kind", "code"), [(GanzooError, 1), (RunError, 1), (UsageError, 2)])
def test_exit_codes(kind: type[GanzooError], code: int) -> None:
    assert kind("why").exit_code == code
    assert issubclass(kind, GanzooError)
    assert str(kind("why")) == "why"


@pytest.mark.parametrize(
    ("name", "known", "sentence"),
    [
        ("infogam", ["infogan", "infogas"], "there is no model 'infogam'; did you mean 'infogas' or 'infogan'?"),
        ("infogam", ["cyclegan", "infogan", "vae"], "there is no model 'infogam'; did you mean 'infogan'?"),
        ("xyzzy", ["gan", "cgan"], "there is no model 'xyzzy'; known: cgan, gan"),
        ("xyzzy", [], "there is no model 'xyzzy'; there are none"),
        ("", ["gan"], "there is no model ''; known: gan"),
    ],
)
def test_an_unknown_name_gets_the_nearest_ones_or_all(name: str, known: list[str], sentence: str) -> None:
    error = unknown("model", name, iter(known))
    assert isinstance(error, UsageError)
    assert str(error) == sentence


def test_quotes_and_line_breaks_in_a_name_stay_inside_one_line() -> None:
    assert "\n" not in str(unknown("model", "two\nlines", ["gan"]))
