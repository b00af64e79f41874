"""The networks of two public repositories as ganzoo models, so that `compare.py` can time the same arithmetic.

A plugin in one file: `ganzoo train peer-infogan --data mnist-32 --plugin benchmarks/peers/plugin.py`.

PyTorch-GAN's convolutional pairs are ganzoo's `upsampling` networks with channels dropped in the critic. In two places
ganzoo does a little more than they do: the recognition head has a hidden layer of 128, and real samples are shuffled
without replacement over the border of epochs.
"""

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

import ganzoo
from ganzoo.data.mnist import MNIST
from ganzoo.data.splits import TensorSplit
from ganzoo_acgan import ACGAN
from ganzoo_cgan import CGAN
from ganzoo_gan import GAN
from ganzoo_infogan import InfoGAN

DROPPED_CHANNELS, DROPPED_UNITS = 0.25, 0.4


class MNIST32(MNIST):
    """MNIST scaled to 32×32, as PyTorch-GAN's scripts do with `transforms.Resize(32)`."""

    name = "mnist-32"
    summary = "MNIST scaled to 32×32"

    @property
    def spec(self) -> ganzoo.DataSpec:
        return super().spec.model_copy(update={"shape": (1, 32, 32)})

    def load(self, part: Literal["train", "test"]) -> ganzoo.Split:
        split = super().load(part)
        large = nn.functional.interpolate(split.tensor(), size=32, mode="bilinear", antialias=True)
        return TensorSplit(large, split.labels, f"{split.checksum}:32")


def drop_channels(critic: ganzoo.Critic) -> ganzoo.Critic:
    """Append dropout to each convolutional block of a stock critic."""
    for block in critic.trunk:
        if isinstance(block, nn.Sequential):
            block.append(nn.Dropout2d(DROPPED_CHANNELS))
    return critic


class PeerInfoGAN(InfoGAN):
    """PyTorch-GAN's infogan.py."""

    name = "peer-infogan"

    def critic(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return drop_channels(super().critic(latent, data))


class PeerACGAN(ACGAN):
    """PyTorch-GAN's acgan.py; the class enters the generator beside the noise rather than as a factor of it."""

    name = "peer-acgan"

    def critic(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        return drop_channels(super().critic(latent, data))


class PerceptronGenerator(ganzoo.Generator):
    """Dense layers of 128, 256, 512 and 1024 units, all but the first normalised."""

    def __init__(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(latent.width, 128), nn.LeakyReLU(0.2, inplace=True))
        for inputs, outputs in pairwise((128, 256, 512, 1024)):
            self.net.extend([nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs), nn.LeakyReLU(0.2, inplace=True)])
        self.net.extend([nn.Linear(1024, data.numel), nn.Tanh(), nn.Unflatten(1, data.shape)])

    def forward(self, latents: Tensor) -> Tensor:
        samples: Tensor = self.net(latents)
        return samples


class PerceptronCritic(ganzoo.Critic):
    """Dense layers over the sample and its condition."""

    def __init__(self, inputs: int, *hidden: nn.Module) -> None:
        super().__init__()
        self.trunk = nn.Sequential(*hidden)
        self.realness = nn.Linear(inputs, 1)

    def forward(self, samples: Tensor, condition: Tensor | None = None) -> ganzoo.Verdict:
        features = self.layers(samples, condition)["features"]
        return ganzoo.Verdict(self.realness(features).squeeze(1), features, {})

    def layers(self, samples: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        flat = samples.flatten(1)
        return {"features": self.trunk(flat if condition is None else torch.cat([flat, condition], 1))}


class PeerGAN(GAN):
    """PyTorch-GAN's gan.py."""

    name = "peer-gan"

    def generator(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Generator:
        return PerceptronGenerator(latent, data)

    def critic(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        first, second = nn.Linear(data.numel, 512), nn.Linear(512, 256)
        return PerceptronCritic(256, first, nn.LeakyReLU(0.2, inplace=True), second, nn.LeakyReLU(0.2, inplace=True))


class PeerCGAN(CGAN):
    """PyTorch-GAN's cgan.py, whose learned embeddings of the class are one-hot rows here."""

    name = "peer-cgan"

    def generator(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Generator:
        return PerceptronGenerator(latent, data)

    def critic(self, latent: ganzoo.LatentSpec, data: ganzoo.DataSpec) -> ganzoo.Critic:
        hidden: list[nn.Module] = [
            nn.Linear(data.numel + latent.conditions.width, 512),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for _ in range(2):
            hidden += [nn.Linear(512, 512), nn.Dropout(DROPPED_UNITS), nn.LeakyReLU(0.2, inplace=True)]
        return PerceptronCritic(512, *hidden)


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    """Tell the zoo."""
    return [PeerInfoGAN, PeerACGAN, PeerGAN, PeerCGAN]


@ganzoo.hookimpl
def ganzoo_register_datasets() -> list[type[ganzoo.Dataset]]:
    """Tell the zoo."""
    return [MNIST32]
