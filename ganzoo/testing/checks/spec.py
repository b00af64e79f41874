"""What a check is: a name, a line that says what it holds a model to, and the checks that it builds on."""

from collections.abc import Callable
from dataclasses import dataclass

from ganzoo.testing.bench import Bench

__all__ = ["CheckSpec", "check"]


@dataclass(frozen=True)
class CheckSpec:
    """One thing that every model must do.

    Attributes:
        name: what it is called.
        summary: what it holds a model to, in a line.
        needs: checks that must have passed, or this one would only repeat what they say.
        body: raises where the model on the bench fails it.
    """

    name: str
    summary: str
    needs: tuple[str, ...]
    body: Callable[[Bench], None]


def check(*needs: str) -> Callable[[Callable[[Bench], None]], CheckSpec]:
    """Makes a check of a function, which gives it its name and, with its documentation, its summary."""

    def made(body: Callable[[Bench], None]) -> CheckSpec:
        summary = (body.__doc__ or "").splitlines()[0].rstrip(".")
        return CheckSpec(body.__name__, summary, needs, body)

    return made
