"""Models with one mistake each in a network, of the kind that authors make."""

from random import random
from typing import ClassVar

import torch
from sound import Sound
from torch import Tensor, nn
from torch.nn.functional import dropout

import ganzoo
from ganzoo import LatentSpec, Normal

__all__ = [
    "Around",
    "Counting",
    "Dropping",
    "Generating",
    "Grouped",
    "Hidden",
    "Idle",
    "Judging",
    "Restless",
    "Rigid",
    "Sociable",
    "Softened",
    "Squashed",
    "Squeezed",
    "Tied",
    "Unbounded",
    "Unsaved",
]


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


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    return [
        Unbounded,
        Squashed,
        Softened,
        Grouped,
        Squeezed,
        Tied,
        Hidden,
        Idle,
        Rigid,
        Restless,
        Counting,
        Dropping,
        Sociable,
        Unsaved,
    ]
