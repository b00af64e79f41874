"""The bricks of the stock networks: blocks, normalisation, initialisation and the last step to a range."""

import math

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from ganzoo.networks.grey import convolution, transposed_convolution
from ganzoo.networks.style import Norm

__all__ = [
    "ToMap",
    "ToRange",
    "ToVector",
    "block",
    "dense_block",
    "down_block",
    "initialise",
    "normalisation",
    "spectrally_normalise",
    "up_block",
]


class ToMap(nn.Module):
    """(N, C·H·W) to (N, C, H, W), reading positions first, so that the map comes out channels-last.

    A plain reshape would give a contiguous map that the next convolution has to reorder.
    """

    def __init__(self, channels: int, height: int, width: int) -> None:
        super().__init__()
        self.channels, self.height, self.width = channels, height, width

    def forward(self, vectors: Tensor) -> Tensor:
        """Fold (N, C·H·W) into a channels-last view (N, C, H, W)."""
        return vectors.reshape(-1, self.height, self.width, self.channels).permute(0, 3, 1, 2)

    def extra_repr(self) -> str:
        """The map's size."""
        return f"{self.channels}×{self.height}×{self.width}"


class ToVector(nn.Module):
    """(N, C, H, W) to (N, H·W·C), positions first: free for a channels-last map, a copy for any other."""

    def forward(self, maps: Tensor) -> Tensor:
        """Flatten (N, C, H, W), whatever its memory format, to (N, H·W·C)."""
        return maps.permute(0, 2, 3, 1).flatten(1)


class ToRange(nn.Module):
    """Any real numbers to a closed range, by a scaled tanh in at least float32.

    Half precision stops here: a rounded sample could leave the range, and would look unlike a real one.

    Args:
        low: smallest value.
        high: largest value.
    """

    def __init__(self, low: float, high: float) -> None:
        super().__init__()
        self.low, self.high = low, high

    def forward(self, values: Tensor) -> Tensor:
        """Squash values of any shape into [low, high]."""
        squashed = torch.tanh(values.to(torch.promote_types(values.dtype, torch.float32)))
        if (self.low, self.high) == (-1.0, 1.0):
            return squashed
        scaled = (self.high + self.low) / 2 + (self.high - self.low) / 2 * squashed
        # Rounding may step over an end by one unit in the last place.
        return scaled.clamp(self.low, self.high)

    def extra_repr(self) -> str:
        """The range."""
        return f"{self.low:g}, {self.high:g}"


def normalisation(norm: Norm, width: int, *, maps: bool) -> nn.Module | None:
    """The normalisation module for a hidden layer, or None.

    ``layer`` on maps runs over channels and positions of one sample. ``group`` takes up to 32 groups of at
    least 8 channels on maps (Wu & He 2018, arXiv 1803.08494), and is ``layer`` on vectors, which have no
    positions to average over. ``batch`` keeps PyTorch's eps of 1e-5 and its momentum of 0.1, which is the
    0.9 of the InfoGAN and DCGAN papers' code, where the number is the share of the old statistics.

    Args:
        norm: the kind.
        width: channels of a map or length of a vector.
        maps: whether the layer's output is (N, width, H, W) rather than (N, width).
    """
    if norm == "none":
        return None
    if norm == "batch":
        return nn.BatchNorm2d(width) if maps else nn.BatchNorm1d(width)
    if not maps:
        return nn.LayerNorm(width)
    if norm == "layer":
        return nn.GroupNorm(1, width)
    groups = next(g for g in (32, 16, 8, 4, 2, 1) if g == 1 or (width % g == 0 and width // g >= 8))
    return nn.GroupNorm(groups, width)


def dense_block(inputs: int, outputs: int, norm: Norm, activation: nn.Module) -> nn.Sequential:
    """Linear, normalisation, activation: (N, inputs) to (N, outputs)."""
    # Batch normalisation subtracts the mean, and a bias with it.
    linear = nn.Linear(inputs, outputs, bias=norm != "batch")
    return block(linear, normalisation(norm, outputs, maps=False), activation)


def down_block(inputs: int, outputs: int, norm: Norm, activation: nn.Module) -> nn.Sequential:
    """4×4 convolution of stride 2, normalisation, activation: (N, C, H, W) to (N, outputs, H/2, W/2)."""
    layer = convolution(inputs, outputs, kernel=4, stride=2, padding=1, bias=norm != "batch")
    return block(layer, normalisation(norm, outputs, maps=True), activation)


def up_block(inputs: int, outputs: int, norm: Norm, activation: nn.Module) -> nn.Sequential:
    """4×4 transposed convolution of stride 2, normalisation, activation: doubles both sides of a map."""
    layer = transposed_convolution(inputs, outputs, kernel=4, stride=2, padding=1, bias=norm != "batch")
    return block(layer, normalisation(norm, outputs, maps=True), activation)


def block(*modules: nn.Module | None) -> nn.Sequential:
    """What is there of a layer, its normalisation and its activation, one after the other."""
    return nn.Sequential(*(module for module in modules if module is not None))


def initialise(module: nn.Module, std: float | None, slope: float = 0.0) -> None:
    """Draw every weight of linear and convolutional layers anew, and set their biases to 0.

    Normalisation layers keep PyTorch's start, scale 1 and shift 0.

    Args:
        module: the network, changed in place; to be called before ``spectrally_normalise``.
        std: standard deviation of the normal distribution, 0.02 for DCGAN (Radford et al. 2016, arXiv
            1511.06434, section 3) and the InfoGAN authors' code. None: the standard deviation that keeps
            the signal's scale through leaky rectifiers (He et al. 2015, arXiv 1502.01852), which networks
            without normalisation need.
        slope: negative slope of the rectifiers; used where ``std`` is None.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            if layer.weight.is_meta:
                continue  # has no values, and torch would import its compiler, for a second, to draw none
            fan_in = layer.weight[0].numel()
            spread = std if std is not None else math.sqrt(2 / ((1 + slope**2) * fan_in))
            nn.init.normal_(layer.weight, 0.0, spread)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def spectrally_normalise(module: nn.Module) -> None:
    """Divide each linear or convolutional weight inside by its largest singular value.

    The value is a running estimate, one power iteration a forward pass in training mode (Miyato et al.
    2018, arXiv 1802.05957), of the weight as a matrix of output channels by everything else.

    Args:
        module: the network, changed in place.
    """
    for layer in list(module.modules()):
        if isinstance(layer, nn.Linear | nn.Conv2d):
            spectral_norm(layer)
