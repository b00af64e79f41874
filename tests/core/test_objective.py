from collections.abc import Iterator
from typing import Any

import pytest
import torch
from helpers import terms_of, told_round
from hypothesis import given
from hypothesis import strategies as st

from ganzoo.core.errors import UsageError
from ganzoo.core.objective import Objective, Term
from ganzoo.core.round import Round


class Named(Objective):
    """One term a player, named as asked."""

    def __init__(self, name: str, weight: float = 1.0, per_sample: bool = False) -> None:
        self.name, self.weight, self.per_sample = name, weight, per_sample
        self.value, self.report = torch.tensor(3.0), torch.tensor(4.0)

    def critic_terms(self, round: Round) -> Iterator[Term]:
        yield Term(self.name, self.value, self.weight, ("critic.recognition",), {"seen": self.report})

    def generator_terms(self, round: Round) -> Iterator[Term]:
        yield Term(f"generator {self.name}", self.value, self.weight)

    def __repr__(self) -> str:
        return self.name


@pytest.fixture
def round() -> Round:
    return told_round("critic", real=torch.zeros(2, 1), fake=torch.zeros(2, 1))


def weights(objective: Objective, round: Round, player: str = "critic") -> dict[str, float]:
    return {name: term.weight for name, term in terms_of(objective, player, round).items()}


def test_terms_of_a_sum_come_in_order(round: Round) -> None:
    objective = Named("a") + Named("b") + (Named("c") + Named("d"))
    assert list(terms_of(objective, "critic", round)) == ["a", "b", "c", "d"]
    assert list(terms_of(objective, "generator", round)) == [f"generator {name}" for name in "abcd"]
    assert terms_of(objective, "somebody else", round) == {}


def test_scaling_multiplies_the_weight_and_leaves_the_value(round: Round) -> None:
    named = Named("a", weight=0.5)
    (term,) = (3 * named * 2).terms("critic", round)
    assert term.weight == 3.0
    assert term.value is named.value
    assert term.reports["seen"] is named.report
    assert term.only == ("critic.recognition",)
    assert named.weight == 0.5


def test_scaling_a_sum_scales_each_part_and_nests(round: Round) -> None:
    objective = 2.0 * (Named("a") + 5.0 * (Named("b", weight=0.1) + Named("c")) * 3) + Named("d")
    assert weights(objective, round) == pytest.approx({"a": 2.0, "b": 3.0, "c": 30.0, "d": 1.0})
    assert weights(objective, round, "generator") == pytest.approx(
        {"generator a": 2.0, "generator b": 3.0, "generator c": 30.0, "generator d": 1.0}
    )


trees = st.recursive(
    st.just(None),
    lambda inner: st.tuples(st.sampled_from([-1.5, 0.0, 0.5, 3.0]), inner) | st.lists(inner, min_size=2, max_size=3),
    max_leaves=8,
)


@given(trees)
def test_the_weight_of_a_term_is_the_product_of_the_factors_above_it(tree: Any) -> None:
    expected: dict[str, float] = {}

    def build(tree: Any, factor: float) -> Objective:
        if tree is None:
            name = f"term {len(expected)}"
            expected[name] = factor
            return Named(name)
        if isinstance(tree, tuple):
            return build(tree[1], factor * tree[0]) * tree[0]
        first, *rest = (build(part, factor) for part in tree)
        for part in rest:
            first = first + part
        return first

    objective = build(tree, 1.0)
    round = told_round("critic", real=torch.zeros(2, 1), fake=torch.zeros(2, 1))
    assert weights(objective, round) == pytest.approx(expected)
    assert list(weights(objective, round)) == list(expected)


def test_the_repr_is_the_formula() -> None:
    a, b, c = Named("A()"), Named("B()"), Named("C()")
    assert repr(a + b + c) == "A() + B() + C()"
    assert repr(10 * a) == repr(a * 10.0) == "10 * A()"
    assert repr(2 * (3 * a)) == "6 * A()"
    assert repr(a + 0.5 * (b + c)) == "A() + 0.5 * (B() + C())"
    assert repr(2 * (a + 3 * b)) == "2 * (A() + 3 * B())"


@pytest.mark.parametrize("build", [lambda a, b: a + b, lambda a, b: 2 * (a + b), lambda a, b: 2 * a + b])
def test_two_terms_of_one_name_are_refused(build: Any, round: Round) -> None:
    with pytest.raises(UsageError, match="two terms called 'a'; keep one"):
        list(build(Named("a"), Named("a")).terms("critic", round))


def test_a_sum_needs_a_critic_per_sample_if_any_part_does() -> None:
    plain, picky = Named("a"), Named("b", per_sample=True)
    assert not (plain + plain).per_sample
    assert (plain + picky).per_sample
    assert (plain + 2 * (plain + 3 * picky)).per_sample
    assert not (2 * plain).per_sample


def test_operands_are_left_as_they_were(round: Round) -> None:
    a, b = Named("a"), Named("b")
    both = a + b
    both + Named("c")
    2 * both
    assert weights(both, round) == {"a": 1.0, "b": 1.0}
    grown = both
    grown += Named("c")
    assert len(weights(grown, round)) == 3
    assert len(weights(both, round)) == 2


def test_an_objective_of_nothing_is_refused_when_it_is_defined() -> None:
    with pytest.raises(TypeError, match="Idle must override critic_terms, generator_terms or terms"):

        class Idle(Objective):
            pass


def test_an_objective_may_be_one_players_alone_or_a_third_ones(round: Round) -> None:
    class Third(Objective):
        def terms(self, player: str, round: Round) -> Iterator[Term]:
            if player == "encoder":
                yield Term("reconstruction", torch.tensor(1.0))

    class CriticAlone(Objective):
        def critic_terms(self, round: Round) -> Iterator[Term]:
            yield Term("critic alone", torch.tensor(1.0))

    objective = 2 * (CriticAlone() + Third())
    assert weights(objective, round) == {"critic alone": 2.0}
    assert weights(objective, round, "generator") == {}
    assert weights(objective, round, "encoder") == {"reconstruction": 2.0}
