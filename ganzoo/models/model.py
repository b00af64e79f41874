"""The base class of every model: four things, three of which have defaults."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from inspect import getdoc
from typing import Any, ClassVar

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from ganzoo.core.critic import Critic
from ganzoo.core.data import DataSpec, validation_sentence
from ganzoo.core.errors import UsageError, unknown
from ganzoo.core.generator import Generator
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.core.round import Round
from ganzoo.core.variables import Categorical
from ganzoo.models.options import ModelOptions
from ganzoo.models.player import Player, Rates
from ganzoo.networks.critic import StockCritic
from ganzoo.networks.encoder import StockEncoder, stock_encoder
from ganzoo.networks.stock import choose
from ganzoo.networks.style import NetworkStyle
from ganzoo.objectives.adversarial import ADVERSARIAL, Adversarial
from ganzoo.objectives.penalties import R1, GradientPenalty

__all__ = ["NOISE_ENDS", "Model", "label_conditions"]

NOISE_ENDS = 0.75
"""Share of the budget at which instance noise has fallen to zero."""


class Model(ABC):
    """An adversarial generative model: a latent space, a generator, a critic and an objective.

    A plugin overrides ``latent`` and whatever else differs from the defaults. One with more networks or
    players overrides ``networks`` and ``players``.

    Args:
        options: an instance of the class's own ``Options``, or None to make one from ``values``.
        **values: options by name.

    Raises:
        UsageError: an option is unknown, impossible or in conflict with another.
    """

    name: ClassVar[str]
    """What users type; letters, digits, ``-`` and ``_``."""
    averaged: ClassVar[tuple[str, ...]] = ("generator", "critic")
    """Networks whose weights are averaged over the run; the averages make samples and read them."""

    class Options(ModelOptions):
        """What a user may choose about the model; a plugin's own adds fields to these."""

    def __init__(self, options: ModelOptions | None = None, /, **values: Any) -> None:
        if options is not None and (values or not isinstance(options, type(self).Options)):
            raise TypeError(f"{type(self).__name__} takes an instance of its own Options, or options by name")
        try:
            self.options: Any = options if options is not None else type(self).Options(**values)
        except ValidationError as error:
            for complaint in error.errors():
                if complaint["type"] == "extra_forbidden":
                    known = type(self).Options.model_fields
                    raise unknown(f"option of {self.name}", str(complaint["loc"][0]), known) from error
            raise UsageError(f"option {validation_sentence(error)} (model {self.name})") from error

    @classmethod
    def summary(cls) -> str:
        """The first line of the class's documentation."""
        return (getdoc(cls) or cls.name).splitlines()[0]

    @abstractmethod
    def latent(self, data: DataSpec) -> LatentSpec:
        """The latent space for this data."""

    def generator(self, latent: LatentSpec, data: DataSpec) -> Generator:
        """The generator; a stock network that fits the data unless overridden."""
        return choose(data, self.options.networks).generator(latent, data, self.style(latent, data))

    def critic(self, latent: LatentSpec, data: DataSpec) -> Critic:
        """The critic; by default it sees the conditions and recognises the codes."""
        return self.stock_critic(latent, data, sees=latent.conditions, recognises=latent.codes)

    def objective(self, latent: LatentSpec, data: DataSpec) -> Objective:
        """The objective; the adversarial terms alone unless overridden."""
        return self.adversarial()

    def networks(self, latent: LatentSpec, data: DataSpec) -> dict[str, nn.Module]:
        """Every network of the game by name."""
        return {"critic": self.critic(latent, data), "generator": self.generator(latent, data)}

    def players(self, latent: LatentSpec, data: DataSpec) -> list[Player]:
        """Who plays, in the order of a round; the first player's samples count against the budget."""
        options = self.options
        critic = Rates(options.critic_lr, options.betas)
        recognition = Rates(options.recognition_lr or options.critic_lr, options.betas)
        return [
            Player("critic", {"critic": critic, "critic.recognition": recognition}, options.critic_turns),
            Player("generator", {"generator": Rates(options.generator_lr, options.betas)}),
        ]

    def view(self, samples: Tensor, round: Round) -> Tensor:
        """What the critic gets to see of samples, real and generated alike; the samples as they are by default.

        Players that step at once share verdicts, and so the first one's view, whatever ``round.player`` is.
        Options add differentiable augmentation by the data's invariances (Zhao et al. 2020, arXiv 2006.10738),
        each sample with a probability below 1 so that the generator learns the unmoved ones (Karras et al.
        2020, arXiv 2006.06676, section 2.2), and instance noise (Sønderby et al. 2017, arXiv 1610.04490).
        """
        share = self.options.augmentation
        for index, invariance in enumerate(round.data.invariances if share else ()):
            moved = invariance(samples, round.uniform(f"augmentation/{index}", len(samples), invariance.draws))
            chosen = round.uniform(f"augmentation/{index}/chosen", len(samples), *[1] * (samples.dim() - 1)) < share
            samples = torch.where(chosen, moved, samples)
        initial = self.options.instance_noise
        if not initial:
            return samples
        sigma = round.scheduled(lambda progress: initial * max(0.0, 1 - progress / NOISE_ENDS))
        # A captured round goes on adding noise, of width zero in the end: the scalar's value is not known here.
        if not isinstance(sigma, Tensor) and sigma <= 0:
            return samples
        return samples + sigma * round.normal("instance_noise", *samples.shape)

    def adversarial_loss(self) -> Adversarial:
        """The adversarial loss that the options ask for, alone, for terms that apply it to other samples."""
        return ADVERSARIAL[self.options.adversarial]()

    def adversarial(self) -> Objective:
        """The adversarial loss and the penalties that the options ask for."""
        objective: Objective = self.adversarial_loss()
        if self.options.gradient_penalty:
            objective += self.options.gradient_penalty * GradientPenalty()
        if self.options.r1:
            objective += self.options.r1 * R1()
        return objective

    def stock_critic(
        self, latent: LatentSpec, data: DataSpec, *, sees: LatentSpec, recognises: LatentSpec
    ) -> StockCritic:
        """A stock critic for this data.

        Args:
            latent: the latent space.
            data: the data's specification.
            sees: the variables that it is given beside a sample.
            recognises: the variables whose posteriors it parametrises.
        """
        style = self.style(latent, data)
        return choose(data, self.options.networks).critic(data, style, sees, recognises)

    def stock_encoder(self, latent: LatentSpec, data: DataSpec) -> StockEncoder:
        """A stock encoder for this data, which gives the posterior of every variable of the latent space."""
        return stock_encoder(data, self.options.networks, self.style(latent, data), latent)

    def style(self, latent: LatentSpec, data: DataSpec) -> NetworkStyle:
        """The options of the stock networks; ``auto`` gives a per-sample critic where one is needed."""
        options = self.options
        per_sample = self.objective(latent, data).per_sample
        automatic = "layer" if per_sample else "batch"
        return NetworkStyle(
            width=options.width,
            generator_norm="batch" if options.generator_norm == "auto" else options.generator_norm,
            critic_norm=automatic if options.critic_norm == "auto" else options.critic_norm,
            spectral_norm=options.spectral_norm,
        )

    def __repr__(self) -> str:
        chosen = self.options.model_dump(exclude_defaults=True)
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in chosen.items())})"


def label_conditions(data: DataSpec) -> Mapping[str, Categorical]:
    """A condition for each label of the data, distributed and named as its classes are.

    Raises:
        UsageError: the data have no labels.
    """
    if not data.labels:
        raise UsageError(
            f"data set {data.name} has no labels, and this model is conditional; choose a labelled data set, "
            "or a model without conditions such as gan"
        )
    return {
        name: Categorical(len(label.classes), role="condition", probs=label.frequencies, names=label.classes)
        for name, label in data.labels.items()
    }
