"""One Adam for each player, and its state by parameter name."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ganzoo.models.game import Game

__all__ = ["make_optimisers", "optimiser_state", "possible_state", "restore_optimisers"]


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
        optimisers[player.name] = torch.optim.Adam(groups, fused=True, decoupled_weight_decay=True)
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
