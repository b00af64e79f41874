"""A model put together for a data set: latent space, networks, players and objective, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import indent

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective
from ganzoo.core.streams import stable_seed
from ganzoo.core.variables import Categorical
from ganzoo.models.model import Model
from ganzoo.models.player import Player, ownership
from ganzoo.networks.critic import StockCritic

__all__ = ["Game"]


@dataclass(frozen=True)
class Game:
    """Everything that training needs to know of a model on a data set.

    Printed, it is the model's documentation.

    Attributes:
        model: the model with its options.
        data: what the samples are.
        latent: the latent space.
        networks: the networks by name, the generator among them.
        players: who moves, in order.
        parameters: per player and owned path the parameters, each with its full name.
        objective: what the players minimise.
    """

    model: Model
    data: DataSpec
    latent: LatentSpec
    networks: Mapping[str, nn.Module]
    players: tuple[Player, ...]
    parameters: Mapping[str, Mapping[str, list[tuple[str, nn.Parameter]]]]
    objective: Objective

    @classmethod
    def build(cls, model: Model, data: DataSpec, seed: int = 0) -> "Game":
        """Put a model together.

        Args:
            model: the model.
            data: what the samples are.
            seed: decides the initial weights; the global random state is left as it was.

        Raises:
            UsageError: model and data do not go together, or the model contradicts itself.
        """
        latent = latent_space(model, data)
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(stable_seed(seed, "networks"))
            try:
                networks = model.networks(latent, data)
            except (RuntimeError, MemoryError) as error:
                if "allocate" not in str(error) and not isinstance(error, MemoryError):
                    raise
                raise UsageError(
                    f"the networks of {model.name} do not fit into memory; make the latent space or width smaller"
                ) from error
        players = tuple(model.players(latent, data))
        try:
            parameters = ownership(networks, players)
        except ValueError as error:
            raise UsageError(f"model {model.name}: {error}") from error
        if players[0].starts_at:
            raise UsageError(f"model {model.name}: the first player deals the samples, so it must start at 0")
        objective = model.objective(latent, data)
        for name in latent.codes.names:
            if name not in objective.recovers:
                raise UsageError(
                    f"the code {name!r} is recovered by no term of model {model.name}; give it the role noise, or "
                    "choose a model that recovers codes, such as infogan"
                )
        if objective.per_sample and any(isinstance(m, _BatchNorm) for m in networks["critic"].modules()):
            raise UsageError(
                "a gradient penalty needs a critic that judges each sample alone, and this one has batch "
                "normalisation; leave critic_norm at auto, or choose layer, group or none"
            )
        return cls(model, data, latent, networks, players, parameters, objective)

    @property
    def has_batch_statistics(self) -> bool:
        """Whether any network normalises over the batch."""
        return any(isinstance(module, _BatchNorm) for network in self.networks.values() for module in network.modules())

    @property
    def notes(self) -> list[str]:
        """What was decided for the user and is worth saying."""
        notes = []
        stock = isinstance(self.networks["critic"], StockCritic)
        if stock and self.objective.per_sample and self.model.options.critic_norm == "auto":
            notes.append("the critic has layer instead of batch normalisation, because of the gradient penalty")
        return notes

    def images_per_round(self, batch: int) -> int:
        """Real samples that a round takes, with ``batch`` of them a turn of the first player."""
        return batch * self.players[0].turns

    def parameter_counts(self) -> dict[str, int]:
        """Number of parameters per network and, one level down, per named part."""
        counts = {}
        for name, network in self.networks.items():
            counts[name] = sum(p.numel() for p in network.parameters())
            for part, module in network.named_children():
                counts[f"{name}.{part}"] = sum(p.numel() for p in module.parameters())
        return {name: count for name, count in counts.items() if count}

    def __str__(self) -> str:
        counts = self.parameter_counts()
        width = max(map(len, counts)) + 2
        networks = [f"{'  ' * name.count('.') + name:{width}}{count:>12,} parameters" for name, count in counts.items()]
        players = [
            f"{player.name}: "
            + ", ".join(
                f"{path} (Adam, lr {rates.lr:g})"
                for path, rates in player.owns.items()
                if self.parameters[player.name][path]
            )
            + (f", {player.turns} turns a round" if player.turns > 1 else "")
            + (f", from {player.starts_at:.0%} of the run" if player.starts_at else "")
            for player in self.players
        ]
        sections = {
            "latent space": repr(self.latent),
            "networks": "\n".join(networks),
            "players": "\n".join(players),
            "objective": repr(self.objective),
        }
        shape = "×".join(map(str, self.data.shape))
        head = f"{self.model.name} on {self.data.name} ({shape}): {self.model.summary()}"
        return "\n".join([head, *(f"\n{title}\n{indent(text, '  ')}" for title, text in sections.items())])


def latent_space(model: Model, data: DataSpec) -> LatentSpec:
    """The model's latent space, or the one its ``latent`` option gives as text, made to fit the labels.

    Raises:
        UsageError: it is empty, or a condition has no label of its name in the data, or another number of classes.
    """
    text = model.options.latent
    if text is not None:
        latent = LatentSpec.parse(text)
    else:
        try:
            latent = model.latent(data)
        except UsageError as error:
            # Of several models in one command, such as a comparison's, it has to be clear which.
            raise UsageError(f"model {model.name}: {error}") from error
    if not latent.width:
        raise UsageError(f"the latent space of {model.name} is empty; give it at least noise, such as 'z: normal(64)'")
    fitted = {}
    for name in latent.names:
        variable = latent[name]
        if variable.role == "condition":
            variable = fitted_condition(name, variable, data)
        fitted[name] = variable
    return LatentSpec(**fitted)


def fitted_condition(name: str, variable: object, data: DataSpec) -> Categorical:
    """A condition with the frequencies and names of the label that it stands for, where it has none."""
    label = data.labels.get(name)
    if label is None:
        known = ", ".join(data.labels) or "none"
        raise UsageError(
            f"the condition {name!r} needs a label of that name, and data set {data.name} has {known}; "
            "rename the condition, or give it another role"
        )
    if not isinstance(variable, Categorical) or variable.size != len(label.classes):
        raise UsageError(
            f"the condition {name!r} must be categorical({len(label.classes)}), "
            f"as data set {data.name} has that many classes"
        )
    return replace(
        variable,
        probs=variable.probs or label.frequencies,
        names=variable.names or label.classes,
    )
