"""Inception's features, those that papers measure pictures in, by way of torch-fidelity."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import shorten
from typing import Any, ClassVar

import torch
from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.reading import digest_file
from ganzoo.data.downloads import patience
from ganzoo.evaluation.extractor import Extractor, Features

__all__ = ["SHA256", "Inception"]

SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
"""Of the weights that torch-fidelity publishes, converted from the network of 2015 that FID is defined by."""
_MAX_FILE = 128 << 20
"""Bytes of the weights, of which the published file has 96 million."""
_BATCH = 50
"""Pictures at once: at 299×299 pixels they need 1.5 GB."""


class Inception(Extractor):
    """The Inception-v3 network of the FID's authors, with the resizing of their TensorFlow code.

    Features (N, 2048) of the last pooling; logits (N, 1008) without the bias, those of the inception score.
    The weights are fetched once into torch's own folder, where torch-fidelity and torchmetrics look too.

    SOURCE: Heusel et al. 2017 (arXiv:1706.08500); torch-fidelity (Obukhov et al. 2020) made it compatible.
    """

    name: ClassVar[str] = "inception"
    summary: ClassVar[str] = "Inception-v3 as FID has it, for pictures (needs ganzoo[inception], fetches 96 MB)"

    def __init__(self, data: DataSpec, device: torch.device | str = "cpu") -> None:
        super().__init__(data, device)
        if not data.is_image:
            raise UsageError(f"the extractor inception takes pictures, not {data.name} samples; use --extractor values")
        if find_spec("torch_fidelity") is None:
            raise RunError("the extractor inception needs torch-fidelity: pip install 'ganzoo[inception]'")
        fidelity: Any = import_module("torch_fidelity.feature_extractor_inceptionv3")
        path = _weights(fidelity.URL_INCEPTION_V3)
        self.sha256 = SHA256
        try:
            with _tensors_alone():
                network = fidelity.FeatureExtractorInceptionV3(
                    self.name, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(path)
                )
        except Exception as error:  # of many kinds, as the file is not its archive, not tensors, or not this network's
            raise RunError(f"torch-fidelity cannot read {path}: {shorten(str(error), 200)}") from error
        self._network = network.to(self.device)

    @torch.no_grad()
    def __call__(self, samples: Tensor) -> Features:
        """Features (N, 2048) and logits (N, 1008) of pictures (N, C, H, W) of any size."""
        found = [self._network(pixels) for pixels in torch.split(self._pixels(samples), _BATCH)]
        features, logits = (torch.cat(parts) for parts in zip(*found, strict=True))
        return Features(features, logits)

    def _pixels(self, samples: Tensor) -> Tensor:
        """The nearest of 256 levels, (N, 3, H, W) uint8; a grey picture has three equal channels."""
        low, high = self.data.range
        levels = ((samples - low) / (high - low)).clamp(0, 1).mul(255).round().to(torch.uint8)
        return levels.expand(-1, 3, -1, -1)


def _weights(url: str) -> Path:
    """The file of the weights, fetched if it is not there yet, its content checked."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with patience():
                torch.hub.download_url_to_file(url, str(path), hash_prefix=SHA256, progress=False)
        # OSError, HTTPException, RuntimeError for a wrong checksum: what a download fails with is nobody's promise.
        except Exception as error:
            raise RunError(
                f"the weights of the extractor inception could not be fetched ({shorten(str(error), 200)}); "
                f"without a network, put the file {url} at {path}"
            ) from error
    try:
        digest = digest_file(path, _MAX_FILE)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    if digest != SHA256:
        raise RunError(f"{path} is not what torch-fidelity publishes (its SHA-256 differs); delete it and try again")
    return path


@contextmanager
def _tensors_alone() -> Iterator[None]:
    """Torch-fidelity unpickles whatever the file holds; this tells torch to take nothing but tensors from it."""
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(name)
    os.environ[name] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
