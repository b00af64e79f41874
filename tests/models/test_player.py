from typing import Any

import pytest
from torch import nn

from ganzoo.models.player import Player, Rates, ownership


class Critic(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(3, 2)
        self.recognition = nn.Linear(2, 4)
        self.recognition_extra = nn.Linear(2, 2)


def networks(**others: nn.Module) -> dict[str, nn.Module]:
    return {"critic": Critic(), "generator": nn.Linear(2, 3), **others}


def player(name: str, *paths: str, **others: Any) -> Player:
    return Player(name, {path: Rates() for path in paths}, **others)


def names(dealt: dict[str, dict[str, list[tuple[str, nn.Parameter]]]]) -> dict[str, dict[str, list[str]]]:
    return {
        player: {path: [name for name, _ in owned] for path, owned in paths.items()} for player, paths in dealt.items()
    }


def test_each_parameter_belongs_to_exactly_one_player() -> None:
    game = networks()
    dealt = ownership(game, [player("critic", "critic", "critic.recognition"), player("generator", "generator")])
    owned = [parameter for paths in dealt.values() for items in paths.values() for _, parameter in items]
    every = [parameter for network in game.values() for parameter in network.parameters()]
    assert len(owned) == len(every)
    assert {id(parameter) for parameter in owned} == {id(parameter) for parameter in every}


def test_the_longest_path_wins_and_paths_end_at_dots() -> None:
    critic = player("critic", "critic", "critic.recognition")
    for players in ([critic], [player("critic", "critic.recognition", "critic")]):
        found = names(ownership({"critic": Critic()}, players))["critic"]
        assert found["critic.recognition"] == ["critic.recognition.weight", "critic.recognition.bias"]
        assert found["critic"] == [
            "critic.trunk.weight",
            "critic.trunk.bias",
            "critic.recognition_extra.weight",
            "critic.recognition_extra.bias",
        ]


def test_a_path_may_name_one_parameter_or_match_nothing() -> None:
    found = names(ownership({"critic": Critic()}, [player("critic", "critic", "critic.trunk.bias", "critic.absent")]))
    assert found["critic"]["critic.trunk.bias"] == ["critic.trunk.bias"]
    assert found["critic"]["critic.absent"] == []


def test_players_may_share_a_network_but_no_parameter_of_it() -> None:
    parts = ["critic.trunk", "critic.recognition_extra"]
    found = names(ownership({"critic": Critic()}, [player("critic", *parts), player("reader", "critic.recognition")]))
    assert found["reader"]["critic.recognition"] == ["critic.recognition.weight", "critic.recognition.bias"]
    with pytest.raises(ValueError, match=r"critic\.recognition\.weight must belong to .* not to critic and reader"):
        ownership({"critic": Critic()}, [player("critic", "critic"), player("reader", "critic.recognition")])


def test_a_parameter_that_nobody_owns_is_refused() -> None:
    with pytest.raises(ValueError, match=r"generator\.weight must belong to exactly one player, not to nobody"):
        ownership(networks(), [player("critic", "critic")])


def test_a_parameter_in_two_networks_is_refused() -> None:
    game = networks()
    tied = nn.Linear(2, 3)
    tied.weight = game["generator"].weight
    with pytest.raises(ValueError, match=r"tied\.weight is also generator\.weight"):
        ownership({**game, "tied": tied}, [player("critic", "critic"), player("both", "generator", "tied")])


def test_a_parameter_used_twice_within_a_network_counts_once() -> None:
    twice = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    twice[1].weight = twice[0].weight
    found = names(ownership({"generator": twice}, [player("generator", "generator")]))
    assert found["generator"]["generator"] == ["generator.0.weight", "generator.0.bias", "generator.1.bias"]


def test_frozen_parameters_and_buffers_belong_to_nobody() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    for parameter in network[0].parameters():
        parameter.requires_grad_(False)
    found = names(ownership({"generator": network}, [player("generator", "generator")]))
    assert found["generator"]["generator"] == ["generator.1.weight", "generator.1.bias"]
    assert ownership({"frozen": network[0]}, []) == {}


def test_a_player_owns_a_network_if_any_path_lies_in_it() -> None:
    one = player("encoder", "encoder.head", "generator.first")
    assert one.owns_network("generator") and one.owns_network("encoder")
    assert not one.owns_network("critic") and not one.owns_network("generator.first")


def test_rates_start_with_those_of_dcgan() -> None:
    assert Rates() == Rates(lr=2e-4, betas=(0.5, 0.999), weight_decay=0.0)


def test_two_players_of_one_name_are_refused():
    with pytest.raises(ValueError, match="a name of its own"):
        ownership(networks(), [player("a", "critic"), player("a", "generator")])


@pytest.mark.parametrize("wrong", [{"turns": 0}, {"turns": -1}, {"starts_at": 1.0}, {"starts_at": -0.5}])
def test_impossible_turns_and_starts_are_refused(wrong):
    with pytest.raises(ValueError, match="at least 1 turn"):
        player("a", "critic", **wrong)
