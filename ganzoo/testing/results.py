"""What a check says of a model."""

from dataclasses import dataclass
from typing import Literal
from unittest import SkipTest

__all__ = ["CheckFailed", "CheckResult", "NotRun", "Status", "require"]

Status = Literal["passed", "failed", "not run", "expected failure"]


class CheckFailed(AssertionError):
    """A model does not do what every model must; the message says what is wrong and what to do."""


class NotRun(SkipTest):
    """A check was not run, because one that it needs has failed; pytest and unittest count it as skipped."""


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes:
        name: the check's name, such as ``determinism``.
        summary: what it holds a model to, in a line.
        status: how it ended; "expected failure" where a failure was announced with its reason.
        message: what is wrong, which check it needed, or why it was expected to fail; empty where it passed.
        seconds: wall time that it took, without the checks that it needs.
    """

    name: str
    summary: str
    status: Status
    message: str = ""
    seconds: float = 0.0


def require(holds: bool, message: str) -> None:
    """Fail the check that is being run unless something holds.

    Raises:
        CheckFailed: it does not hold.
    """
    if not holds:
        raise CheckFailed(message)
