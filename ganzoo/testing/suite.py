"""The conformance kit's checks on one model, one by one or all at once."""

from collections.abc import Iterator, Mapping
from time import perf_counter
from traceback import walk_tb
from typing import Any

from ganzoo.core.data import Dataset
from ganzoo.core.errors import GanzooError, UsageError, unknown
from ganzoo.models.model import Model
from ganzoo.testing.bench import Bench
from ganzoo.testing.checks import description, networks, runs, training
from ganzoo.testing.checks.spec import CheckSpec
from ganzoo.testing.results import CheckFailed, CheckResult, NotRun

__all__ = ["CHECKS", "Check", "check_model", "checks_for", "run_checks"]

CHECKS: Mapping[str, CheckSpec] = {
    spec.name: spec
    for spec in (
        description.named,
        description.registered,
        description.described,
        description.options,
        networks.builds,
        networks.generator,
        networks.critic,
        training.terms,
        networks.batches,
        networks.state,
        training.gradients,
        training.bfloat16,
        training.determinism,
        runs.evaluation,
        runs.independence,
        runs.saving,
        runs.resuming,
        training.learning,
    )
}
"""Every check by name, each after those that it needs."""
_NOT_THEIRS = ("ganzoo", "torch", "pydantic")


class Check:
    """One check of one model: called, it raises where the model fails; ``result`` says the same in words.

    Attributes:
        name: the check's name, such as ``determinism``.
        summary: what it holds the model to, in a line.
        model: the model.
        expected: why it is expected to fail; None where it must pass.
    """

    def __init__(self, spec: CheckSpec, bench: Bench, expected: str | None = None) -> None:
        self.name, self.summary, self.model, self.expected = spec.name, spec.summary, bench.model, expected
        self._spec, self._bench = spec, bench

    def __call__(self) -> None:
        """Run the check, unless it has been run already, and those that it needs.

        Raises:
            CheckFailed: the model fails it; or passes, where a failure was expected.
            NotRun: a check that it needs has failed.
        """
        __tracebackhide__ = True
        result = self.result()
        if result.status == "not run":
            raise NotRun(result.message)
        if result.status == "failed":
            raise CheckFailed(result.message) from self._bench.errors.get(self.name)

    def result(self) -> CheckResult:
        """What becomes of the check; it raises nothing."""
        found = outcome(self._spec, self._bench)
        if self.expected is None or found.status == "not run":
            return found
        if found.status == "failed":
            message = f"{self.expected} ({found.message})"
            return CheckResult(self.name, self.summary, "expected failure", message, found.seconds)
        message = f"it was expected to fail ({self.expected}), and passes; take it out of expected_failures"
        return CheckResult(self.name, self.summary, "failed", message, found.seconds)

    def __repr__(self) -> str:
        return f"Check({self.model.__name__}, {self.name!r})"


def checks_for(
    model: type[Model],
    *,
    options: Mapping[str, Any] | None = None,
    data: type[Dataset] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> Iterator[Check]:
    """Every check of a model, to be called in any order; each runs once, after those that it needs.

    Args:
        model: the class, derived from ``ganzoo.Model``.
        options: options of the model to check it with, by name. Unless they say otherwise, stock networks have
            an eighth of their width, and learn the toy at a rate of 0.002.
        data: a data set to check it on, for a model that takes none of the kit's.
        expected_failures: reasons by the names of checks that are known to fail.

    Raises:
        UsageError: this is no model, or there is no such check.
    """
    if not (isinstance(model, type) and issubclass(model, Model)):
        raise UsageError(f"a class derived from ganzoo.Model can be checked, not {model!r}")
    expected = dict(expected_failures or {})
    for name in expected:
        if name not in CHECKS:
            raise unknown("check", name, CHECKS)
    bench = Bench(model, options, data)
    return iter([Check(spec, bench, expected.get(name)) for name, spec in CHECKS.items()])


def run_checks(
    model: type[Model],
    *,
    options: Mapping[str, Any] | None = None,
    data: type[Dataset] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> list[CheckResult]:
    """Run every check of a model; the arguments are those of ``checks_for``.

    Returns:
        What became of each check, in order.

    Raises:
        UsageError: this is no model, or there is no such check.
    """
    checks = checks_for(model, options=options, data=data, expected_failures=expected_failures)
    return [check.result() for check in checks]


def check_model(
    model: type[Model],
    *,
    options: Mapping[str, Any] | None = None,
    data: type[Dataset] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Run every check of a model, and fail if it fails any; the arguments are those of ``checks_for``.

    Raises:
        CheckFailed: names the checks that failed, says what is wrong, and which were not run for it.
        UsageError: this is no model, or there is no such check.
    """
    __tracebackhide__ = True
    results = run_checks(model, options=options, data=data, expected_failures=expected_failures)
    failed = [result for result in results if result.status == "failed"]
    if not failed:
        return
    lines = [f"{model.__name__} fails {len(failed)} of {len(results)} checks:"]
    lines += [f"  {result.name}: {result.message}" for result in failed]
    left = [result.name for result in results if result.status == "not run"]
    if left:
        lines.append(f"not run for it: {', '.join(left)}")
    raise CheckFailed("\n".join(lines))


def outcome(spec: CheckSpec, bench: Bench) -> CheckResult:
    """What becomes of a check on a bench, by itself or because of one that it needs; never run twice."""
    if spec.name not in bench.outcomes:
        bench.outcomes[spec.name] = _run(spec, bench)
    return bench.outcomes[spec.name]


def _run(spec: CheckSpec, bench: Bench) -> CheckResult:
    missing = [name for name in spec.needs if outcome(CHECKS[name], bench).status != "passed"]
    if missing:
        return CheckResult(spec.name, spec.summary, "not run", f"it needs {' and '.join(missing)} to pass")
    started, message = perf_counter(), ""
    try:
        spec.body(bench)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin may raise anything, SystemExit included
        bench.errors[spec.name] = error
        message = _complaint(error)
    seconds = perf_counter() - started
    return CheckResult(spec.name, spec.summary, "failed" if message else "passed", message, seconds)


def _complaint(error: BaseException) -> str:
    """What is wrong, in words: a sentence as it is, anything else with its kind and the line that raised it."""
    if isinstance(error, CheckFailed | GanzooError):
        return str(error)
    places = list(walk_tb(error.__traceback__))
    # The author's own line tells more than that of torch's or ours which it called.
    own = [place for place in places if place[0].f_globals.get("__name__", "").partition(".")[0] not in _NOT_THEIRS]
    where = "".join(f" (line {line} of {frame.f_code.co_filename})" for frame, line in (own or places)[-1:])
    return f"{type(error).__name__}: {error}{where}"
