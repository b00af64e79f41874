"""A small convolutional classifier: the digit judge, and what is trained on generated samples to grade them."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo.core.invariance import Invariance
from ganzoo.core.streams import generator, stable_seed
from ganzoo.evaluation.extractor import Features
from ganzoo.networks.layers import ToVector

__all__ = ["Classifier", "accuracy", "fit", "predict"]

CHUNK = 500
_SMALL = 8
"""Maps are halved until neither side is longer."""
_WARM_UP = 0.2
"""Share of the steps during which the learning rate rises."""


class Classifier(nn.Module):
    """Convolutions of stride 2 until the map is small, one more, a pool, a feature layer, logits.

    Rectifiers, and batch normalisation before each.

    Args:
        shape: of a sample, C×H×W.
        classes: number of classes.
        width: channels of the first layer; the last has twice as many.
        features: units of the feature layer.
        seed: decides the initial weights; the global random state is left as it was.
    """

    def __init__(
        self, shape: Sequence[int], classes: int, *, width: int = 32, features: int = 128, seed: int = 0
    ) -> None:
        super().__init__()
        inputs, *sides = shape
        layers: list[nn.Module] = []
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(stable_seed(seed, "classifier"))
            outputs, kernel = width, 5
            while max(sides) > _SMALL:
                layers += _convolution(inputs, outputs, kernel, stride=2)
                inputs, outputs, kernel = outputs, min(2 * width, outputs + width // 2), 3
                sides = [math.ceil(side / 2) for side in sides]
            layers += _convolution(inputs, 2 * width, 3, stride=1)
            # Counts only what is there at the edge, as adaptive pooling would, and is deterministic on a GPU too.
            layers += [nn.AvgPool2d(2, ceil_mode=True), ToVector()]
            positions = math.prod(math.ceil(side / 2) for side in sides)
            layers += [nn.Linear(2 * width * positions, features, bias=False), nn.BatchNorm1d(features), nn.ReLU()]
            self.trunk = nn.Sequential(*layers)
            self.head = nn.Linear(features, classes)
        self.to(memory_format=torch.channels_last)

    def forward(self, samples: Tensor) -> Features:
        """Features (N, features), at least 0, and logits (N, classes) of samples (N, *shape)."""
        features = self.trunk(samples.contiguous(memory_format=torch.channels_last))
        return Features(features, self.head(features))


def fit(
    network: Classifier,
    values: Tensor,
    classes: Tensor,
    *,
    images: int,
    batch: int = 128,
    rate: float = 8e-3,
    seed: int = 0,
    augment: Sequence[Invariance] = (),
) -> None:
    """Train a classifier: AdamW on the cross-entropy, the rate rising to its peak and falling to zero.

    The schedule is the one-cycle policy of Smith & Topin (2017, arXiv 1708.07120) with a cosine (Loshchilov
    & Hutter 2017, arXiv 1608.03983) for its fall. The result depends on the arguments and the number of
    threads alone, and the global random state is left as it was. Whatever the weights are at the end is
    what is kept: no held-out samples are looked at.

    Args:
        network: what to train, in place, where it is; it is in evaluation mode afterwards.
        values: (M, *shape), at least 2 of them.
        classes: (M,) class indices.
        images: samples to train on, counted each time that they are seen.
        batch: samples in a step; all M where there are fewer.
        rate: peak learning rate.
        seed: of the order and the augmentation.
        augment: random maps, in this order, that each training sample goes through.
    """
    batch = min(batch, len(values))
    steps = max(1, round(images / batch))
    device = next(network.parameters()).device
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=0.02, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _cycle(step / steps))
    order = _batches(len(values), batch, seed)
    uniform = generator(seed, "classifier", "augmentation")
    network.train()
    for _ in range(steps):
        chosen = next(order)
        samples = values[chosen].to(device)
        for invariance in augment:
            samples = invariance(samples, torch.rand(batch, invariance.draws, generator=uniform).to(device))
        loss = cross_entropy(network(samples).logits, classes[chosen].to(device))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()


def predict(network: Classifier, values: Tensor) -> Tensor:
    """The likeliest class of each sample.

    Args:
        network: left as it is; batch statistics are not touched.
        values: (N, *shape), on any device.

    Returns:
        (N,) class indices, on the CPU.
    """
    device = next(network.parameters()).device
    mode = network.training
    network.eval()
    with torch.no_grad():
        found = [network(chunk.to(device)).logits.argmax(1).cpu() for chunk in torch.split(values, CHUNK)]
    network.train(mode)
    return torch.cat(found)


def accuracy(network: Classifier, values: Tensor, classes: Tensor) -> float:
    """Share of samples (N, *shape) whose likeliest class is the one in ``classes`` (N,)."""
    return (predict(network, values) == classes).double().mean().item()


def _convolution(inputs: int, outputs: int, kernel: int, *, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def _cycle(progress: float) -> float:
    """Share of the peak rate at a progress in [0, 1): a line up, half a cosine down."""
    if progress < _WARM_UP:
        return 0.05 + 0.95 * progress / _WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (progress - _WARM_UP) / (1 - _WARM_UP))


def _batches(size: int, batch: int, seed: int) -> Iterator[Tensor]:
    """Rows of one permutation after another; what is left over at the end of one is dropped."""
    epoch = 0
    while True:
        permutation = torch.randperm(size, generator=generator(seed, "classifier", "order", epoch))
        yield from torch.split(permutation[: size - size % batch], batch)
        epoch += 1
