"""Models with one mistake each, of the kind that authors make, and the check that must catch it."""

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from broken_networks import (
    Counting,
    Dropping,
    Grouped,
    Hidden,
    Idle,
    Restless,
    Rigid,
    Sociable,
    Softened,
    Squashed,
    Squeezed,
    Tied,
    Unbounded,
    Unsaved,
)
from pydantic import ConfigDict, Field
from sound import Sound
from torch.nn.functional import softplus

import ganzoo
from ganzoo import LatentSpec, NonSaturating, Term

__all__ = ["BROKEN"]


class Unnamed(Sound):
    """A name that cannot be typed."""

    name = "two words"


class Unregistered(Sound):
    """No hook returns it."""

    name = "unregistered"


class Undocumented(Sound):
    name = "undocumented"


class Unexplained(Sound):
    """An option that does not say what it does."""

    name = "unexplained"

    class Options(Sound.Options):
        depth: int = 3


class Listless(Sound):
    """An option whose tuple comes back as a list."""

    name = "listless"

    class Options(Sound.Options):
        sizes: Any = Field((3, 4), description="sizes of something")


class Lax(Sound):
    """Takes any option, misspelt ones too."""

    name = "lax"

    class Options(Sound.Options):
        model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")


class Rude(Sound):
    """Refuses data by an exception that is meant for nobody."""

    name = "rude"

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        if not data.is_image:
            raise ValueError("not enough values to unpack (expected 3, got 1)")
        return super().latent(data)


class Detached(Sound):
    """A term for the generator that is cut off from its weights."""

    name = "detached"

    class Loss(NonSaturating):
        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            yield Term("adversarial", softplus(-round.fake_verdict.realness.detach()).mean())

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


class Explosive(Sound):
    """A term whose gradient is not finite, though its value is."""

    name = "explosive"

    class Loss(NonSaturating):
        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            yield from super().generator_terms(round)
            realness = round.fake_verdict.realness
            yield Term("distance", (realness - realness).sqrt().mean())

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


class Meddling(Sound):
    """An objective that calls ``backward`` itself, and so gives the critic a gradient in the generator's turn."""

    name = "meddling"

    class Loss(NonSaturating):
        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            (0.001 * round.fake_verdict.realness.mean()).backward(retain_graph=True)
            yield from super().generator_terms(round)

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


class Hasty(Meddling):
    """The same where all players move at once, so that the critic steps along that gradient too."""

    name = "hasty"

    class Options(Meddling.Options):
        updates: Literal["alternating", "simultaneous"] = Field("simultaneous", description="when players step")


class Forgetful(Sound):
    """An objective that counts its own calls, from nought again when the run goes on."""

    name = "forgetful"

    class Loss(NonSaturating):
        calls = 0

        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            self.calls += 1
            for term in super().generator_terms(round):
                yield Term(term.name, term.value * (1 + 1 / self.calls))

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


class Contrary(Sound):
    """A sign the wrong way round: the generator helps the critic."""

    name = "contrary"

    class Loss(NonSaturating):
        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            yield Term("adversarial", round.fake_verdict.realness.mean())

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


BROKEN: tuple[tuple[str, type[ganzoo.Model], str], ...] = (
    ("named", Unnamed, "named 'two words'; expected letters, digits"),
    (
        "registered",
        Unregistered,
        "no plugin registers it; return [Unregistered] from a function ganzoo_register_models",
    ),
    ("described", Undocumented, "Undocumented has no docstring"),
    ("described", Unexplained, "the option 'depth' has no description"),
    ("options", Listless, "the option 'sizes' is (3, 4), and [3, 4] after a trip through JSON"),
    ("options", Lax, "an option that does not exist is accepted"),
    ("builds", Rude, "2 points with labels raises ValueError"),
    ("generator", Unbounded, "outside the data's range of -2 to 2"),
    ("critic", Squashed, "stays within [-1, 1] however large the weights"),
    ("critic", Softened, "the parameters of 'kind' for 2 points with labels add up to 1"),
    ("terms", Detached, "do not depend on what it owns"),
    ("terms", Explosive, "was not finite by round"),
    ("batches", Grouped, "the critic does not take a batch of 5"),
    ("batches", Squeezed, "in a batch of 1 should be floats of shape (1, …), not ()"),
    ("state", Tied, "generator.last"),
    ("state", Hidden, "generator.layers, a plain list, holds what is trained by nobody"),
    ("gradients", Idle, "generator.spare.bias, generator.spare.weight of player generator got no gradient"),
    ("gradients", Meddling, "the turn of player generator gives a gradient to critic."),
    ("gradients", Hasty, "the turn of player generator gives a gradient to critic."),
    ("bfloat16", Rigid, "a round in bfloat16 raises RuntimeError"),
    ("determinism", Restless, "two runs with one seed differ in"),
    ("evaluation", Counting, "sampling changes calls"),
    ("evaluation", Dropping, "the same latents give other samples the second time"),
    ("independence", Sociable, "differs with those that it is asked for with"),
    ("saving", Unsaved, "gives other samples than it gave when it ended"),
    ("resuming", Forgetful, "a resumed run ends with another"),
    ("learning", Contrary, "where 20% about each and 70% in all are expected"),
)
"""The check that catches a model, the model, and a part of what it says."""


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    return [model for _, model, _ in BROKEN if model is not Unregistered]
