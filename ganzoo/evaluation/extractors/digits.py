"""The bundled digit judge: features and classes of 28×28 digits, without any download."""

from hashlib import sha256
from importlib.resources import files
from typing import ClassVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.evaluation.classifier import Classifier
from ganzoo.evaluation.extractor import Extractor, Features
from ganzoo.zoo.catalogue import Catalogue

__all__ = ["Digits"]

SHAPE = (1, 28, 28)
CLASSES = tuple("0123456789")
FILE = files("ganzoo.evaluation").joinpath("files", "digits.safetensors")
"""What ``ganzoo/evaluation/train_digits.py`` writes."""


class Digits(Extractor):
    """A small convolutional network that was trained on MNIST's training split.

    Features (N, 128), at least 0, are those of the layer before the logits (N, 10). ``registry.toml`` has the
    SHA-256 of the weights.

    Raises:
        UsageError: the samples are not 1×28×28.
        RunError: the bundled weights are damaged.
    """

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "a bundled classifier of 28×28 digits, trained on MNIST's training split"
    classes = CLASSES

    def __init__(self, data: DataSpec, device: torch.device | str = "cpu") -> None:
        super().__init__(data, device)
        if data.shape != SHAPE:
            size = "×".join(map(str, data.shape))
            raise UsageError(
                f"the extractor digits takes 1×28×28 samples, and those of {data.name} are {size}; choose another, "
                "such as --extractor inception"
            )
        self._low, self._high = data.range
        self.sha256 = Catalogue.read().weights[self.name].sha256
        self._network = Classifier(SHAPE, len(CLASSES))
        self._network.load_state_dict(_weights(self.sha256))
        self._network.to(self.device).eval().requires_grad_(False)

    @classmethod
    def is_default_for(cls, data: DataSpec) -> bool:
        """For 1×28×28 samples with a label whose classes are the ten digits."""
        return data.shape == SHAPE and any(label.classes == CLASSES for label in data.labels.values())

    def __call__(self, samples: Tensor) -> Features:
        """Features (N, 128) and logits (N, 10) of samples (N, 1, 28, 28)."""
        if (self._low, self._high) != (-1.0, 1.0):  # what the network was trained on
            samples = (samples - self._low) * (2 / (self._high - self._low)) - 1
        with torch.no_grad():
            return Features(*self._network(samples))


def _weights(expected: str) -> dict[str, Tensor]:
    """The tensors of the bundled file, whose SHA-256 is the expected one.

    Raises:
        RunError: it cannot be read or has changed.
    """
    where = "the bundled weights of the extractor digits"
    try:
        content = FILE.read_bytes()
        if sha256(content).hexdigest() != expected:
            raise RunError(f"{where} are damaged (their SHA-256 is not the one in registry.toml); install ganzoo again")
        return load(content)
    except (OSError, SafetensorError) as error:
        raise RunError(f"{where} cannot be read ({error}); install ganzoo again") from error
