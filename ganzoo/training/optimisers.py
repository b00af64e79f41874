"""One Adam for each player, and its state by parameter name."""

from collections.abc import Callable, Mapping
from inspect import unwrap
from typing import Any

import torch
from torch import Tensor

from ganzoo.models.game import Game

__all__ = ["Adam", "make_optimisers", "optimiser_state", "possible_state", "restore_optimisers"]


class Adam(torch.optim.Adam):
    """Torch's Adam, step for step, without its compiler.

    Torch wraps some methods of its optimisers so that ``torch.compile`` steps around them. The wrapper imports the
    compiler when it is first called, two seconds or more of a start for something that nobody here compiles.
    """

    add_param_group = unwrap(torch.optim.Adam.add_param_group)
    zero_grad = unwrap(torch.optim.Adam.zero_grad)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """As ``torch.optim.Adam.step``, whose wrapper turns gradients off too.

        Args:
            closure: computes the loss, with gradients, and is called first.
        """
        with torch.no_grad():
            return _step(self, closure)


_step: Callable[..., Any] = unwrap(torch.optim.Adam.step)


def make_optimisers(game: Game) -> dict[str, torch.optim.Optimizer]:
    """An Adam a player, with a group for each owned path; fused, as its loop would cost more than its sums."""
    optimisers: dict[str, torch.optim.Optimizer] = {}
    for player in game.players:
        groups = [
            {
                "params": [parameter for _, parameter in owned],
                "lr": player.owns[path].lr,
                "betas": player.owns[path].betas,
                "weight_decay": player.owns[path].weight_decay,
            }
            for path, owned in game.parameters[player.name].items()
            if owned
        ]
        optimisers[player.name] = Adam(groups, fused=True, decoupled_weight_decay=True)
    return optimisers


def optimiser_state(game: Game, optimisers: Mapping[str, torch.optim.Optimizer]) -> dict[str, Tensor]:
    """Adam's moments and step counts by ``parameter:entry``; nothing for a parameter not yet stepped."""
    return {
        f"{name}:{key}": value
        for player, optimiser in optimisers.items()
        for owned in game.parameters[player].values()
        for name, parameter in owned
        for key, value in optimiser.state.get(parameter, {}).items()
    }


def possible_state(game: Game) -> dict[str, Tensor]:
    """What ``optimiser_state`` holds at the most, as tensors without values."""
    with torch.device("meta"):
        return {
            f"{name}:{key}": torch.empty(() if key == "step" else parameter.shape)
            for owners in game.parameters.values()
            for owned in owners.values()
            for name, parameter in owned
            for key in ("step", "exp_avg", "exp_avg_sq")
        }


def restore_optimisers(
    game: Game, optimisers: Mapping[str, torch.optim.Optimizer], state: Mapping[str, Tensor]
) -> None:
    """Go on from ``optimiser_state``; the moments take their parameter's memory layout."""
    for player, optimiser in optimisers.items():
        for owned in game.parameters[player].values():
            for name, parameter in owned:
                for key in ("exp_avg", "exp_avg_sq"):
                    if f"{name}:{key}" in state:
                        moment = torch.empty_like(parameter, requires_grad=False)
                        optimiser.state[parameter][key] = moment.copy_(state[f"{name}:{key}"])
                if f"{name}:step" in state:
                    optimiser.state[parameter]["step"] = state[f"{name}:step"].to(parameter.device)
