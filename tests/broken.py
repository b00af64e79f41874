"""Models with one mistake each, of the kind that authors make, and the check that must catch it."""

from collections.abc import Iterator
from random import random
from typing import Any, ClassVar

import torch
from pydantic import ConfigDict, Field
from torch import Tensor, nn
from torch.nn.functional import dropout, softplus

import ganzoo
from ganzoo import LatentSpec, NonSaturating, Normal, Term
from ganzoo.testing import TinyData

__all__ = ["BROKEN", "Around", "Generating", "Pairs", "Sound"]


class Pairs(TinyData):
    """Labelled points, the quickest data to train on."""

    name: ClassVar[str] = "pairs"

    class Options(TinyData.Options):
        """Two coordinates, two classes."""

        shape: tuple[int, ...] = (2,)
        classes: int = 2


class Sound(ganzoo.Model):
    """A model without a mistake, from which the others differ in one."""

    name = "sound"

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(8))


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


class Around(ganzoo.Generator):
    """A generator around another."""

    def __init__(self, inner: ganzoo.Generator) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.inner(latents)
        return samples


class Generating(Sound):
    """A model whose generator has the mistake."""

    around: ClassVar[type[Around]]

    def generator(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Generator:
        return self.around(super().generator(latent, data))


class Unbounded(Generating):
    """Samples that may leave the data's range."""

    name = "unbounded"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, latents: Tensor) -> Tensor:
            return self.scale * self.inner(latents)


class Judging(ganzoo.Critic):
    """A critic around another."""

    def __init__(self, inner: ganzoo.Critic) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> ganzoo.Verdict:
        verdict: ganzoo.Verdict = self.inner(samples, condition)
        return verdict._replace(realness=self.realness(verdict.realness))

    def realness(self, realness: Tensor) -> Tensor:
        return realness

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        return self.inner.layers(samples, condition)


class Squashed(Sound):
    """A probability where a logit belongs, which the loss then squashes again."""

    name = "squashed"

    class Probability(Judging):
        def realness(self, realness: Tensor) -> Tensor:
            return realness.sigmoid()

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return self.Probability(super().critic(latent, data))


class Softened(Sound):
    """A softmax on class logits, which the cross-entropy then takes again."""

    name = "softened"

    class Soft(Judging):
        def forward(self, samples: Tensor, condition: Tensor | None = None) -> ganzoo.Verdict:
            verdict: ganzoo.Verdict = self.inner(samples, condition)
            return verdict._replace(recognised={n: p.softmax(1) for n, p in verdict.recognised.items()})

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(8), kind=ganzoo.Categorical(3, role="code"))

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return self.Soft(super().critic(latent, data))

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.adversarial() + ganzoo.MutualInformation(latent.codes)


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


class Grouped(Sound):
    """Compares samples in pairs, and so fails where one is left over."""

    name = "grouped"

    class Pairwise(Judging):
        def realness(self, realness: Tensor) -> Tensor:
            pairs = realness.view(2, -1) if len(realness) > 1 else realness
            return pairs.reshape(len(realness))

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return self.Pairwise(super().critic(latent, data))


class Squeezed(Sound):
    """``squeeze()`` takes the batch away too where it is one sample."""

    name = "squeezed"

    class Narrow(Judging):
        def realness(self, realness: Tensor) -> Tensor:
            return realness.unsqueeze(1).squeeze()

    def critic(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return self.Narrow(super().critic(latent, data))


class Tied(Generating):
    """One tensor under two names."""

    name = "tied"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.last = [each for each in inner.parameters() if each.ndim == 2][-1]


class Hidden(Generating):
    """Layers in a list that torch does not see."""

    name = "hidden"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.layers = [nn.Linear(8, 8)]

        def forward(self, latents: Tensor) -> Tensor:
            return super().forward(self.layers[0](latents))


class Idle(Generating):
    """A layer that nothing uses."""

    name = "idle"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.spare = nn.Linear(3, 3)


class Meddling(Sound):
    """An objective that calls ``backward`` itself, and so gives the critic a gradient in the generator's turn."""

    name = "meddling"

    class Loss(NonSaturating):
        def generator_terms(self, round: ganzoo.Round) -> Iterator[Term]:
            (0.001 * round.fake_verdict.realness.mean()).backward(retain_graph=True)
            yield from super().generator_terms(round)

    def objective(self, latent: LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Objective:
        return self.Loss()


class Rigid(Generating):
    """Puts what autocast made bfloat16 where float32 is."""

    name = "rigid"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.first = nn.Linear(8, 8)

        def forward(self, latents: Tensor) -> Tensor:
            mixed = torch.zeros_like(latents).index_add(0, torch.arange(len(latents)), self.first(latents))
            return super().forward(mixed)


class Restless(Generating):
    """Training noise from Python's own generator, which no seed of the run reaches."""

    name = "restless"

    class around(Around):
        def forward(self, latents: Tensor) -> Tensor:
            return super().forward(latents + 0.01 * random() if self.training else latents)


class Counting(Generating):
    """A buffer that changes whenever somebody looks."""

    name = "counting"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

        def forward(self, latents: Tensor) -> Tensor:
            self.calls += 1
            return super().forward(latents)


class Dropping(Generating):
    """Dropout in evaluation mode, from a stream that would repeat a run."""

    name = "dropping"

    class around(Around):
        def forward(self, latents: Tensor) -> Tensor:
            return super().forward(latents if self.training else dropout(latents, 0.1))


class Sociable(Generating):
    """Samples that depend on their batch, in evaluation mode too."""

    name = "sociable"

    class around(Around):
        def forward(self, latents: Tensor) -> Tensor:
            return super().forward(latents - 0.1 * latents.mean(0))


class Unsaved(Generating):
    """A buffer that the generator needs and no checkpoint holds."""

    name = "unsaved"

    class around(Around):
        def __init__(self, inner: ganzoo.Generator) -> None:
            super().__init__(inner)
            self.register_buffer("drift", torch.zeros(()), persistent=False)

        def forward(self, latents: Tensor) -> Tensor:
            if self.training:
                self.drift += 1e-3
            return super().forward(latents + self.drift)


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
    return [Sound, *(model for _, model, _ in BROKEN if model is not Unregistered)]
