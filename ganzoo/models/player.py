"""Players: who owns which parameters, how fast they learn and when they move."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

__all__ = ["Player", "Rates", "ownership"]


@dataclass(frozen=True)
class Rates:
    """Adam's settings for one group of parameters.

    Attributes:
        lr: step size.
        betas: decay of the running means of the gradient and of its square, per step.
        weight_decay: decoupled weight decay per step, in units of ``lr``.
    """

    lr: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0


@dataclass(frozen=True)
class Player:
    """One side of the game.

    Attributes:
        name: what objectives call it.
        owns: module paths (``critic``, ``critic.recognition``) and the rates of their parameters; of two
            paths that match a parameter, the longer one decides.
        turns: how often it moves in a round, on fresh samples each time for the first player.
        starts_at: share of the budget after which it takes part, in [0, 1).
    """

    name: str
    owns: Mapping[str, Rates]
    turns: int = 1
    starts_at: float = 0.0

    def __post_init__(self) -> None:
        if self.turns < 1 or not 0 <= self.starts_at < 1:
            raise ValueError(
                f"player {self.name} must have at least 1 turn and start in [0, 1) of the run, "
                f"not {self.turns} and {self.starts_at}"
            )

    def owns_network(self, network: str) -> bool:
        """Whether any path of this player lies in that network."""
        return any(path.split(".")[0] == network for path in self.owns)


def ownership(
    networks: Mapping[str, nn.Module], players: Iterable[Player]
) -> dict[str, dict[str, list[tuple[str, nn.Parameter]]]]:
    """Deal every trainable parameter to the one player that owns it.

    Args:
        networks: the networks by name.
        players: the players, in order.

    Returns:
        Per player and owned path the parameters, each with its full name.

    Raises:
        ValueError: a parameter belongs to nobody or to two players, two networks share it, or two
            players share a name.
    """
    players = list(players)
    names = [player.name for player in players]
    if len(set(names)) < len(names):
        raise ValueError(f"every player needs a name of its own, and these are {', '.join(names)}")
    dealt: dict[str, dict[str, list[tuple[str, nn.Parameter]]]] = {
        player.name: {path: [] for path in player.owns} for player in players
    }
    seen: dict[int, str] = {}
    for network, module in networks.items():
        for inner, parameter in module.named_parameters():
            if not parameter.requires_grad:
                continue
            name = f"{network}.{inner}"
            if id(parameter) in seen:
                raise ValueError(f"the parameter {name} is also {seen[id(parameter)]}; share it in one network")
            seen[id(parameter)] = name
            claims = [
                (len(path), player.name, path)
                for player in players
                for path in player.owns
                if name == path or name.startswith(path + ".")
            ]
            owners = sorted({player for _, player, _ in claims})
            if len(owners) != 1:
                raise ValueError(
                    f"the parameter {name} must belong to exactly one player, not to "
                    + (" and ".join(owners) or "nobody")
                )
            _, player, path = max(claims)
            dealt[player][path].append((name, parameter))
    return dealt
