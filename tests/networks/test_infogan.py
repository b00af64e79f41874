import torch
from torch import nn

from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.core.variables import Categorical, Normal, Uniform
from ganzoo.networks.infogan import PAPER, SLIM, rgb_critic, rgb_generator
from ganzoo.networks.style import NetworkStyle

DIGITS = DataSpec(name="digits", shape=(1, 28, 28), size=10)
COLOUR = DataSpec(name="colour", shape=(3, 32, 32), size=10)
LATENT = LatentSpec(z=Normal(62), category=Categorical(10, role="code"), style=Uniform(2, role="code", sigma=1.0))
STYLE = NetworkStyle()


def count(module: nn.Module | None) -> int:
    assert module is not None
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_papers_digit_generator_has_its_parameters() -> None:
    # Latents are 62 + 10 + 2 = 74 wide. Each normalised layer has weights and two numbers a channel (or
    # unit), no bias; the last has a bias.
    fc1 = 74 * 1024 + 2 * 1024
    fc2 = 1024 * (7 * 7 * 128) + 2 * (7 * 7 * 128)
    up1 = 128 * 64 * 4 * 4 + 2 * 64
    up2 = 64 * 1 * 4 * 4 + 1
    assert fc1 + fc2 + up1 + up2 == 6_645_121
    assert count(PAPER.generator(LATENT, DIGITS, STYLE)) == 6_645_121


def test_the_papers_digit_critic_has_its_parameters() -> None:
    critic = PAPER.critic(DIGITS, STYLE, LATENT.conditions, LATENT.codes)
    # The first convolution has a bias, the normalised layers two numbers a channel (or unit).
    conv1 = 1 * 64 * 4 * 4 + 64
    conv2 = 64 * 128 * 4 * 4 + 2 * 128
    fc = (7 * 7 * 128) * 1024 + 2 * 1024
    assert count(critic.trunk) == conv1 + conv2 + fc == 6_556_992
    assert count(critic.realness) == 1024 + 1
    # A hidden layer of 128, then 10 logits and the means of two codes of fixed variance.
    assert count(critic.recognition) == 1024 * 128 + 2 * 128 + 128 * 12 + 12


def test_the_papers_colour_pair_has_its_parameters() -> None:
    # fc: no bias, normalised; up1: normalised; up2, up3 and up4: a bias each.
    fc1 = 74 * (2 * 2 * 448) + 2 * (2 * 2 * 448)
    up1 = 448 * 256 * 16 + 2 * 256
    up2, up3, up4 = 256 * 128 * 16 + 128, 128 * 64 * 16 + 64, 64 * 3 * 16 + 3
    assert count(rgb_generator(LATENT, COLOUR, STYLE)) == fc1 + up1 + up2 + up3 + up4
    critic = rgb_critic(COLOUR, STYLE, LATENT.conditions, LATENT.codes)
    conv1 = 3 * 64 * 16 + 64
    conv2, conv3 = 64 * 128 * 16 + 2 * 128, 128 * 256 * 16 + 2 * 256
    assert count(critic.trunk) == conv1 + conv2 + conv3
    assert count(critic.realness) == 4 * 4 * 256 + 1


def test_the_papers_leaky_slope_is_a_tenth_everywhere() -> None:
    critic = PAPER.critic(DIGITS, STYLE, LATENT.conditions, LATENT.codes)
    slopes = [module.negative_slope for module in critic.modules() if isinstance(module, nn.LeakyReLU)]
    assert slopes == [0.1] * 4


def test_batch_normalisation_stands_where_the_paper_has_it() -> None:
    critic = PAPER.critic(DIGITS, STYLE, LATENT.conditions, LATENT.codes)
    normalised = {
        name.rsplit(".", 1)[0]
        for name, module in critic.named_modules()
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)
    }
    assert normalised == {"trunk.conv2", "trunk.fc1", "recognition.hidden"}


def test_slim_is_the_same_pair_at_less_than_half_the_cost() -> None:
    def multiplications(pair_generator: nn.Module, pair_critic: nn.Module) -> int:
        done = 0

        def add(module: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
            nonlocal done
            weight = module.weight
            places = inputs[0] if isinstance(module, nn.ConvTranspose2d) else output
            done += weight.numel() * places.shape[2:].numel()

        for net in (pair_generator, pair_critic):
            for module in net.modules():
                if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
                    module.register_forward_hook(add)
        pair_critic.eval()(pair_generator.eval()(torch.zeros(1, LATENT.width)))
        return done

    costs, shapes = [], []
    for pair in (PAPER, SLIM):
        generator = pair.generator(LATENT, DIGITS, STYLE)
        critic = pair.critic(DIGITS, STYLE, LATENT.conditions, LATENT.codes)
        costs.append(multiplications(generator, critic))
        shapes.append([name for net in (generator, critic) for name, _ in net.named_modules()])
    assert shapes[0] == shapes[1]
    assert costs[1] < costs[0] / 2
