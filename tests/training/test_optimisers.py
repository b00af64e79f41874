from dataclasses import replace

import torch
from training_helpers import trainer

from ganzoo.models.player import Rates
from ganzoo.training.optimisers import Adam, make_optimisers, optimiser_state, restore_optimisers
from ganzoo.training.trainer import Trainer


def play(playing: Trainer, rounds: int) -> Trainer:
    for _ in range(rounds):
        playing.play_round()
    return playing


def test_each_path_has_the_rates_that_its_player_gives_it():
    game = trainer("infogan", critic_lr=1e-4, generator_lr=3e-4, recognition_lr=5e-4, betas=(0.3, 0.9)).game
    optimisers = make_optimisers(game)
    assert list(optimisers) == ["critic", "generator"]
    rates = {
        id(parameter): (group["lr"], group["betas"], group["weight_decay"])
        for optimiser in optimisers.values()
        for group in optimiser.param_groups
        for parameter in group["params"]
    }
    for network, module in game.networks.items():
        for name, parameter in module.named_parameters():
            lr = 3e-4 if network == "generator" else 5e-4 if name.startswith("recognition.") else 1e-4
            assert rates.pop(id(parameter)) == (lr, (0.3, 0.9), 0.0), f"{network}.{name}"
    assert rates == {}


def test_a_path_that_owns_nothing_has_no_group():
    assert len(make_optimisers(trainer("gan").game)["critic"].param_groups) == 1
    assert len(make_optimisers(trainer("infogan").game)["critic"].param_groups) == 2


def test_a_step_is_the_adam_of_the_paper():
    playing = trainer("gan", generator_lr=0.01, betas=(0.5, 0.9))
    optimiser = playing.optimisers["generator"]
    parameter = optimiser.param_groups[0]["params"][0]
    before, gradients = parameter.detach().double().clone(), []
    for turn in (1, 2, 3):
        gradients.append(torch.full_like(parameter, 0.1 * turn).double())
        optimiser.zero_grad()
        parameter.grad = gradients[-1].float()
        optimiser.step()
        # Kingma & Ba 2015, arXiv 1412.6980, algorithm 1, unrolled.
        first = sum(0.5 * 0.5 ** (turn - 1 - i) * g for i, g in enumerate(gradients)) / (1 - 0.5**turn)
        second = sum(0.1 * 0.9 ** (turn - 1 - i) * g**2 for i, g in enumerate(gradients)) / (1 - 0.9**turn)
        before -= 0.01 * first / (second.sqrt() + 1e-8)
        torch.testing.assert_close(parameter.detach().double(), before, rtol=1e-5, atol=1e-6)


def test_the_state_round_trips_into_the_same_next_step():
    one = play(trainer("infogan"), 2)
    other = trainer("infogan")
    for name, network in one.game.networks.items():
        other.game.networks[name].load_state_dict(network.state_dict())
    state = {key: value.contiguous().clone() for key, value in optimiser_state(one.game, one.optimisers).items()}
    restore_optimisers(other.game, other.optimisers, state)
    again = optimiser_state(other.game, other.optimisers)
    assert again.keys() == state.keys()
    assert all(torch.equal(again[key], state[key]) for key in state)
    gradients = torch.Generator().manual_seed(0)
    for player, optimiser in one.optimisers.items():
        for owned in one.game.parameters[player].values():
            for name, parameter in owned:
                gradient = torch.randn(parameter.shape, generator=gradients)
                parameter.grad = gradient
                network, _, inner = name.partition(".")
                other.game.networks[network].get_parameter(inner).grad = gradient.clone()
        optimiser.step()
        other.optimisers[player].step()
    for name, network in one.game.networks.items():
        for key, value in network.state_dict().items():
            assert torch.equal(value, other.game.networks[name].state_dict()[key]), key


def test_the_state_names_moments_and_steps_by_parameter():
    playing = trainer("gan")
    assert optimiser_state(playing.game, playing.optimisers) == {}
    play(playing, 1)
    state = optimiser_state(playing.game, playing.optimisers)
    parameters = {
        f"{network}.{name}"
        for network in playing.game.networks
        for name, _ in playing.game.networks[network].named_parameters()
    }
    assert set(state) == {f"{name}:{key}" for name in parameters for key in ("exp_avg", "exp_avg_sq", "step")}
    assert all(float(value) == 1 for key, value in state.items() if key.endswith(":step"))


def test_a_parameter_that_was_never_stepped_starts_afresh():
    playing = play(trainer("gan"), 1)
    state = optimiser_state(playing.game, playing.optimisers)
    kept = {key: value for key, value in state.items() if key.startswith("critic.")}
    fresh = trainer("gan")
    restore_optimisers(fresh.game, fresh.optimisers, kept)
    assert not fresh.optimisers["generator"].state
    play(fresh, 1)
    steps = {float(each["step"]) for each in fresh.optimisers["generator"].state.values()}
    assert steps == {1.0}


def test_restored_moments_lie_in_memory_as_their_parameters_do():
    playing = play(trainer("gan"), 1)
    state = {key: value.contiguous() for key, value in optimiser_state(playing.game, playing.optimisers).items()}
    fresh = trainer("gan")
    restore_optimisers(fresh.game, fresh.optimisers, state)
    formats = set()
    for optimiser in fresh.optimisers.values():
        for parameter, entries in optimiser.state.items():
            formats.add(parameter.is_contiguous())
            assert entries["exp_avg"].stride() == entries["exp_avg_sq"].stride() == parameter.stride()
            assert not entries["exp_avg"].requires_grad
    assert formats == {True, False}, "no parameter was channels-last, so nothing was shown"


def test_weight_decay_is_decoupled_from_the_gradient():
    game = trainer("gan").game
    critic, generator = game.players
    decaying = replace(generator, owns={"generator": Rates(lr=0.5, weight_decay=0.1)})
    optimiser = make_optimisers(replace(game, players=(critic, decaying)))["generator"]
    parameter = optimiser.param_groups[0]["params"][0]
    before = parameter.detach().clone()
    parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    # Loshchilov & Hutter 2019, arXiv 1711.05101: a share of lr times the decay; no gradient, no other step.
    torch.testing.assert_close(parameter.detach(), before * (1 - 0.5 * 0.1))


def test_a_step_is_bit_for_bit_that_of_torch() -> None:
    ours, theirs = (torch.nn.Linear(7, 5) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    common = {"lr": 0.01, "betas": (0.5, 0.9), "weight_decay": 0.1, "fused": True, "decoupled_weight_decay": True}
    pairs = [(ours, Adam(ours.parameters(), **common)), (theirs, torch.optim.Adam(theirs.parameters(), **common))]
    for k in range(3):
        losses = []
        for network, optimiser in pairs:
            optimiser.zero_grad(set_to_none=True)
            assert network.weight.grad is None
            loss = network(torch.full((3, 7), 1.0 + k)).square().sum()
            loss.backward()
            optimiser.step()
            losses.append(loss)
        assert losses[0].equal(losses[1])
    assert ours.weight.equal(theirs.weight) and ours.weight.requires_grad


def test_a_closure_is_called_with_gradients() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    optimiser = Adam([weight], lr=0.1)

    def loss() -> torch.Tensor:
        value = weight.square().sum()
        value.backward()
        return value

    assert optimiser.step(loss) == 2
    assert (weight < 1).all()
