"""The conformance kit as a whole: each mistake is caught by the check that is about it, and by no other."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from broken import BROKEN
from broken_networks import Around, Generating
from sound import Pairs, Sound

import ganzoo
from ganzoo.core.errors import UsageError
from ganzoo.testing import CheckFailed, NotRun, check_model, checks_for, run_checks
from ganzoo.testing.checks import training
from ganzoo.testing.suite import CHECKS

EARLY = {"named", "registered", "described", "options"}
"""Checks that take no time."""


def dependents(name: str) -> set[str]:
    """The checks that need this one, directly or not."""
    direct = {spec.name for spec in CHECKS.values() if name in spec.needs}
    return direct.union(*map(dependents, direct))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks that take no time, and one that needs them."""
    monkeypatch.setattr("ganzoo.testing.suite.CHECKS", {n: s for n, s in CHECKS.items() if n in {*EARLY, "builds"}})


def test_every_check_has_a_broken_model() -> None:
    assert {name for name, _, _ in BROKEN} == set(CHECKS)


def test_every_check_comes_after_those_that_it_needs() -> None:
    known: set[str] = set()
    for name, spec in CHECKS.items():
        assert set(spec.needs) <= known, name
        assert len(spec.summary) > 20, name
        known.add(name)


def test_a_model_without_a_mistake_passes() -> None:
    results = run_checks(Sound, data=Pairs)
    assert [(result.name, result.message) for result in results if result.status != "passed"] == []
    assert [result.name for result in results] == list(CHECKS)
    assert sum(result.seconds for result in results) > 0


@pytest.mark.parametrize(("name", "model", "message"), BROKEN, ids=[model.__name__ for _, model, _ in BROKEN])
def test_a_mistake_is_caught_by_its_check(
    name: str, model: type[ganzoo.Model], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "TURNS", 300)
    monkeypatch.setattr(training, "ROUNDS", 300)
    left = dependents(name)
    # The costliest check is left to the model that it is about.
    tried = [c for c in checks_for(model, data=Pairs) if c.name != "learning" or c.name in (name, *left)]
    results = {check.name: check.result() for check in tried}
    assert {other: result.message for other, result in results.items() if result.status == "failed"}.keys() == {name}
    assert message in results[name].message
    assert "\n" not in results[name].message
    assert {other for other, result in results.items() if result.status == "not run"} == left
    for other in left:
        assert results[other].message.startswith("it needs ")


def test_a_collapsed_generator_has_not_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    class Collapsed(Sound):
        """Ignores its latents."""

        name = "collapsed"

        class Objective(ganzoo.NonSaturating):
            def generator_terms(self, round: ganzoo.Round) -> Iterator[ganzoo.Term]:
                spread = round.fakes.var(0).mean()
                yield from super().generator_terms(round)
                yield ganzoo.Term("spread", 100 * spread)

        def objective(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
            return self.Objective()

    monkeypatch.setattr(training, "TURNS", 300)
    monkeypatch.setattr(training, "ROUNDS", 300)
    (learning,) = (check for check in checks_for(Collapsed, data=Pairs) if check.name == "learning")
    with pytest.raises(CheckFailed, match="of the samples lie about one"):
        learning()


def test_state_of_another_kind_than_tensors_is_no_state() -> None:
    class Inattentive(Generating):
        """Counts in a dictionary."""

        name = "inattentive"

        class around(Around):
            def get_extra_state(self) -> dict[str, int]:
                return {"calls": 3}

            def set_extra_state(self, state: dict[str, int]) -> None:
                raise NotImplementedError

    (state,) = (check for check in checks_for(Inattentive, data=Pairs) if check.name == "state")
    with pytest.raises(CheckFailed, match=r"generator\._extra_state is a dict in the state"):
        state()


def test_a_player_that_retires_gives_nobody_a_gradient() -> None:
    class Retiring(Sound):
        """The critic rests at the end."""

        name = "retiring"

        class Objective(ganzoo.NonSaturating):
            def critic_terms(self, round: ganzoo.Round) -> Iterator[ganzoo.Term]:
                if round.progress < 1:
                    yield from super().critic_terms(round)

        def objective(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
            return self.Objective()

    (gradients,) = (check for check in checks_for(Retiring, data=Pairs) if check.name == "gradients")
    gradients()


def test_a_model_may_not_leave_while_it_is_checked(quick: None) -> None:
    class Leaving(Sound):
        """Ends the process."""

        name = "leaving"

        def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
            raise SystemExit(3)

    builds = run_checks(Leaving)[-1]
    assert builds.status == "failed"
    assert builds.message.startswith("SystemExit: 3 (line ")
    assert builds.message.endswith(f" of {__file__})")


def test_an_interruption_is_no_failure(quick: None) -> None:
    class Interrupted(Sound):
        """Control-C."""

        name = "interrupted"

        def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_checks(Interrupted)


def test_a_model_that_takes_none_of_the_data_is_told_what_to_do(quick: None) -> None:
    class Choosy(Sound):
        """Wants what there is not."""

        name = "choosy"

        def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
            raise UsageError("choosy needs sounds")

    builds = run_checks(Choosy)[-1]
    assert "refuses every kind of data" in builds.message
    assert "check_model(Model, data=MyData)" in builds.message


def test_check_model_names_all_that_is_wrong(quick: None) -> None:
    class Careless(Sound):
        name = "careless"

        class Options(Sound.Options):
            sizes: Any = (3, 4)

    with pytest.raises(CheckFailed) as caught:
        check_model(Careless)
    head, *lines = str(caught.value).splitlines()
    assert head == "Careless fails 3 of 5 checks:"
    assert [line.partition(":")[0].strip() for line in lines] == [
        "registered",
        "described",
        "options",
        "not run for it",
    ]
    assert lines[-1] == "not run for it: builds"


def test_check_model_is_content_with_a_sound_model(quick: None) -> None:
    check_model(Sound, data=Pairs)


def broken(name: str) -> type[ganzoo.Model]:
    """The model that this check catches."""
    return next(model for check, model, _ in BROKEN if check == name)


def statuses(results: Sequence[ganzoo.testing.CheckResult]) -> dict[str, str]:
    return {result.name: result.status for result in results}


def test_a_failure_may_be_expected(quick: None) -> None:
    expected = {"described": "the author is on holiday"}
    results = run_checks(broken("described"), data=Pairs, expected_failures=expected)
    assert statuses(results)["described"] == "expected failure"
    assert results[2].message.startswith("the author is on holiday (the class Undocumented has no docstring")
    check_model(broken("described"), data=Pairs, expected_failures=expected)


def test_what_needs_an_expected_failure_is_not_run(quick: None) -> None:
    results = statuses(run_checks(broken("options"), expected_failures={"options": "soon"}))
    assert (results["options"], results["builds"]) == ("expected failure", "not run")
    check_model(broken("options"), expected_failures={"options": "soon", "builds": "soon"})


def test_an_expected_failure_that_passes_fails(quick: None) -> None:
    with pytest.raises(CheckFailed, match=r"described: it was expected to fail \(old\), and passes; take it out"):
        check_model(Sound, data=Pairs, expected_failures={"described": "old"})


def test_only_checks_that_there_are_can_be_expected_to_fail() -> None:
    with pytest.raises(UsageError, match=r"no check 'determinsm'.*'determinism'"):
        run_checks(Sound, expected_failures={"determinsm": "x"})


@pytest.mark.parametrize("thing", [3, "gan", Sound(), dict, ganzoo.Generator])
def test_only_models_can_be_checked(thing: Any) -> None:
    for function in (check_model, run_checks, checks_for):
        with pytest.raises(UsageError, match=r"a class derived from ganzoo\.Model can be checked, not"):
            function(thing)


def test_a_check_runs_once_and_brings_those_that_it_needs(quick: None) -> None:
    built = []

    class Counted(Sound):
        """Counts how often it is built."""

        name = "counted"

        def latent(self, data: ganzoo.DataSpec) -> ganzoo.LatentSpec:
            built.append(data)
            return super().latent(data)

    checks = {check.name: check for check in checks_for(Counted, data=Pairs)}
    checks["builds"]()
    first = len(built)
    assert first > 0
    checks["builds"]()
    assert checks["builds"].result() == checks["builds"].result()
    assert len(built) == first
    assert checks["options"].result().status == "passed"


def test_a_check_raises_what_it_says(quick: None) -> None:
    checks = {check.name: check for check in checks_for(broken("options"))}
    with pytest.raises(NotRun, match="it needs options to pass"):
        checks["builds"]()
    with pytest.raises(CheckFailed, match="after a trip through JSON") as caught:
        checks["options"]()
    assert isinstance(caught.value.__cause__, CheckFailed)
    assert repr(checks["options"]) == "Check(Listless, 'options')"


def test_options_are_those_of_the_checks(quick: None) -> None:
    with pytest.raises(CheckFailed, match=r"the options .* are refused: .*depth"):
        check_model(Sound, data=Pairs, options={"depth": 3})
    check_model(broken("described"), data=Pairs, options={"width": 0.25}, expected_failures={"described": "x"})
