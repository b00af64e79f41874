"""The textbook's way of training, to time ganzoo's against: what a tutorial's script does with the same networks.

A loader that opens and transforms one picture at a time; float32; the generator's step, then the critic's, each
with a loss printed from the device; the critic judging the fakes anew for its own step; and where there are codes,
a third step on fresh codes, with an optimiser of its own over both networks' parameters. It is the common style
of public scripts, written for this comparison. It is slow, and correct.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from itertools import repeat
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from torch.optim import Adam
from torch.utils.data import DataLoader, Dataset

from ganzoo.core.data import Samples, Split
from ganzoo.core.errors import UsageError
from ganzoo.core.latents import Latents
from ganzoo.core.objective import Objective, Scaled, Sum
from ganzoo.core.round import condition_of_labels
from ganzoo.models.game import Game
from ganzoo.objectives.adversarial import LeastSquares, NonSaturating
from ganzoo.objectives.recognition import AuxiliaryClassification, MutualInformation

__all__ = ["Textbook", "pictures", "refuse_what_no_tutorial_has"]

SCORES: Mapping[type[Objective], Callable[[Tensor, Tensor], Tensor]] = {
    NonSaturating: binary_cross_entropy_with_logits,
    LeastSquares: mse_loss,
}
"""What a tutorial takes of the critic's answers and of ones, where they should say real, or zeros."""


class Textbook:
    """A generator and a critic, and their training as a tutorial has it.

    Args:
        game: gives networks, latent space and rates; its networks are trained.
        batches: what to train on.
        device: where to compute.
        fused: whether the optimisers are fused, which a tutorial's are not.
        channels_last: whether the networks are, which a tutorial's are not.
        precision: ``fp32``, which is a tutorial's, or ``bf16``.

    Raises:
        UsageError: the model is more than two networks with the losses that a tutorial has.
    """

    def __init__(
        self,
        game: Game,
        batches: Iterator[Samples],
        device: torch.device,
        *,
        fused: bool = False,
        channels_last: bool = False,
        precision: str = "fp32",
    ) -> None:
        refuse_what_no_tutorial_has(game)
        self.latent, self.batches, self.device, self.precision = game.latent, batches, device, precision
        layout = torch.channels_last if channels_last else torch.contiguous_format
        for network in game.networks.values():
            network.to(device, memory_format=layout).train()  # type: ignore[call-overload]
        self.generator, self.critic = game.networks["generator"], game.networks["critic"]
        self.score = SCORES[type(game.model.adversarial_loss())]
        options: Any = game.model.options
        common: dict[str, Any] = {"betas": options.betas, "fused": fused}
        self.generator_optimiser = Adam(self.generator.parameters(), lr=options.generator_lr, **common)
        self.critic_optimiser = Adam(self.critic.parameters(), lr=options.critic_lr, **common)
        both = [*self.generator.parameters(), *self.critic.parameters()]
        self.information_optimiser = Adam(both, lr=options.generator_lr, **common)
        self.losses: dict[str, float] = {}

    def step(self) -> None:
        """Take one batch: the generator's step, the critic's and, where there are codes, that of the information."""
        real = next(self.batches)
        real = Samples(
            real.values.to(self.device), {name: label.to(self.device) for name, label in real.labels.items()}
        )
        n = len(real.values)

        self.generator_optimiser.zero_grad()
        with self._precision():
            latents = self.latent.draw(n, device=self.device)
            fakes = self.generator(latents.flat)
            verdict = self.critic(fakes, self._condition(latents))
        generator_loss = self._adversarial(verdict.realness, True) + self._classes(verdict, latents)
        torch.autograd.backward(generator_loss)
        self.generator_optimiser.step()

        self.critic_optimiser.zero_grad()
        with self._precision():
            on_real = self.critic(real.values, condition_of_labels(self.latent, real))
            on_fakes = self.critic(fakes.detach(), self._condition(latents))
        critic_loss = self._adversarial(on_real.realness, True) + self._adversarial(on_fakes.realness, False)
        for name, logits in on_real.recognised.items():
            if name in self.latent.conditions:
                critic_loss = critic_loss + cross_entropy(logits.float(), real.labels[name])
        torch.autograd.backward(critic_loss)
        self.critic_optimiser.step()

        # The numbers that a tutorial prints after every batch: each makes the host wait for the device.
        self.losses = {"generator": generator_loss.item(), "critic": critic_loss.item()}
        if len(self.latent.codes):
            self.losses["information"] = self._information(n)

    def _information(self, n: int) -> float:
        self.information_optimiser.zero_grad()
        with self._precision():
            latents = self.latent.draw(n, device=self.device)
            recognised = self.critic(self.generator(latents.flat), self._condition(latents)).recognised
        loss = torch.zeros((), device=self.device)
        for name in self.latent.codes.names:
            posterior = self.latent.posterior(name, recognised[name].float())
            loss = loss - self.latent[name].weight * posterior.log_prob(latents[name]).mean()
        torch.autograd.backward(loss)
        self.information_optimiser.step()
        return loss.item()

    def _adversarial(self, realness: Tensor, real: bool) -> Tensor:
        """How far the critic's answers are from one answer for all."""
        answers = realness.float()
        return self.score(answers, torch.full_like(answers, float(real)))

    def _classes(self, verdict: Any, latents: Latents) -> Tensor:
        """How badly the critic recognises the conditions of fakes; zero where it recognises none."""
        names = [name for name in self.latent.conditions.names if name in verdict.recognised]
        losses = [cross_entropy(verdict.recognised[name].float(), latents[name].argmax(dim=1)) for name in names]
        return torch.stack(losses).sum() if losses else torch.zeros((), device=self.device)

    def _condition(self, latents: Latents) -> Tensor | None:
        names = self.latent.conditions.names
        return torch.cat([latents[name] for name in names], dim=1) if names else None

    def _precision(self) -> AbstractContextManager[object]:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)


def pictures(game: Game, split: Split, batch: int) -> Iterator[Samples]:
    """Batches without end, from a loader that turns one picture after the other into a tensor.

    Raises:
        UsageError: the samples are no pictures of 8 bits.
    """
    if not game.data.is_image or game.data.range != (-1.0, 1.0) or split[0].dtype != torch.uint8:
        raise UsageError(
            f"the textbook's loader reads pictures, and the samples of {game.data.name} are not; leave out --against"
        )
    loader: DataLoader[Any] = DataLoader(_Pictures(split), batch_size=batch, shuffle=True, drop_last=True)
    return (Samples(values, labels) for epoch in repeat(loader) for values, labels in epoch)


class _Pictures(Dataset[Any]):
    """Pictures through PIL and the usual transforms, as torchvision's own data sets give them."""

    def __init__(self, split: Split) -> None:
        transforms = import_module("torchvision.transforms")  # as slow to import as torch, and needed here alone

        self.split = split
        self.transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Mapping[str, int]]:
        pixels = self.split[index].permute(1, 2, 0).numpy()
        picture = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        labels = {name: int(classes[index]) for name, classes in self.split.labels.items()}
        return self.transform(picture), labels


def refuse_what_no_tutorial_has(game: Game) -> None:
    """Refuse a model whose rounds the textbook's step is not the counterpart of."""
    two = [player.name for player in game.players] == ["critic", "generator"] == sorted(game.networks)
    plain = two and game.players[0].turns == 1 and all(map(in_tutorials, parts(game.objective)))
    if not plain:
        raise UsageError(
            f"the textbook has no counterpart of {game.model.name} with {game.objective!r}; "
            "--against takes a generator and a critic with the non-saturating or least-squares loss and no penalty"
        )


def in_tutorials(objective: Objective) -> bool:
    """Whether the textbook's step has these terms."""
    if isinstance(objective, AuxiliaryClassification):
        return not objective.fakes
    if isinstance(objective, MutualInformation):
        return objective.trunk
    return type(objective) in SCORES


def parts(objective: Objective) -> list[Objective]:
    """The summands, without their factors: those cost nothing."""
    if isinstance(objective, Sum):
        return [part for each in objective.parts for part in parts(each)]
    return parts(objective.objective) if isinstance(objective, Scaled) else [objective]
