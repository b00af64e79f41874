import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from helpers import tiny_data
from torch import Tensor, nn

from ganzoo.core.errors import RunError, UsageError
from ganzoo.evaluation.extractors import inception
from ganzoo.evaluation.extractors.inception import SHA256, Inception

FILE = "weights-inception-2015-12-05-6726825d.pth"
COLOUR = tiny_data((3, 16, 16), frequencies=None)
GREY = tiny_data((1, 12, 12), frequencies=None, range=(0.0, 1.0))


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the weights are looked for; there is no network."""

    def offline(*request: Any, **others: Any) -> None:
        raise URLError("no network in tests")

    monkeypatch.setattr("torch.hub.urlopen", offline)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    return tmp_path / "hub" / "checkpoints"


@pytest.fixture(scope="module")
def network() -> Any:
    """Torch-fidelity's own network with random weights."""
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        torch.manual_seed(0)
        patch.setattr(fidelity, "load_state_dict_from_url", lambda url, progress: {})
        patch.setattr(fidelity.FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        return fidelity.FeatureExtractorInceptionV3("random", ["2048", "logits_unbiased"])


@pytest.fixture(scope="module")
def weights(network: nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of weights as torch-fidelity publishes it, with other numbers in it."""
    path = tmp_path_factory.mktemp("weights") / FILE
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture
def put(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], Path]:
    """Puts a file where the weights belong, and makes it the right one."""

    def place(file: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).symlink_to(file)
        monkeypatch.setattr(inception, "SHA256", sha256(file.read_bytes()).hexdigest())
        return folder / FILE

    return place


def pictures(n: int, *shape: int, low: float = -1) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(0)) * (1 - low) + low


def test_features_and_logits_are_torch_fidelitys_own(network: Any, weights: Path, put: Any) -> None:
    put(weights)
    extractor = Inception(COLOUR)
    samples = pictures(1, 3, 16, 16)
    found = extractor(samples)
    features, logits = network(((samples + 1) * 127.5).round().to(torch.uint8))
    assert found.logits is not None
    torch.testing.assert_close(found.features, features)
    torch.testing.assert_close(found.logits, logits)
    assert (found.features.shape, found.logits.shape) == ((1, 2048), (1, 1008))
    assert extractor.sha256 == sha256(weights.read_bytes()).hexdigest()
    assert extractor.classes is None

    # A grey picture has three equal channels, and batches are none of the caller's business.
    grey = Inception(GREY)
    samples = pictures(2, 1, 12, 12, low=0)
    expected, _ = network((samples * 255).round().to(torch.uint8).repeat(1, 3, 1, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "_BATCH", 1)
        torch.testing.assert_close(grey(samples).features, expected)


def test_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    with pytest.raises(RunError, match=r"needs torch-fidelity: pip install 'ganzoo\[inception\]'"):
        Inception(COLOUR)


def test_what_is_not_a_picture_is_refused() -> None:
    with pytest.raises(UsageError, match="takes pictures, not toys samples; use --extractor values"):
        Inception(tiny_data((2,), drawn_as="points"))


def test_no_samples_are_measured_with_it_unasked() -> None:
    assert not Inception.is_default_for(COLOUR)


def test_weights_that_cannot_be_fetched_are_named_with_their_place(folder: Path) -> None:
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    with pytest.raises(RunError, match="no network in tests") as caught:
        Inception(COLOUR)
    assert f"put the file {fidelity.URL_INCEPTION_V3} at {folder / FILE}" in str(caught.value)
    assert not list(folder.iterdir())


def test_published_checksum_begins_as_the_name_of_the_file_says() -> None:
    fidelity = pytest.importorskip("torch_fidelity.feature_extractor_inceptionv3")
    assert fidelity.URL_INCEPTION_V3.endswith(FILE)
    assert FILE.endswith(f"-{SHA256[:8]}.pth")


def test_file_of_other_content_is_not_opened(folder: Path) -> None:
    pytest.importorskip("torch_fidelity")
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(b"not the weights")
    with pytest.raises(RunError, match="is not what torch-fidelity publishes"):
        Inception(COLOUR)


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (str(self.path),))


def test_file_that_would_run_code_runs_none(tmp_path: Path, put: Any) -> None:
    pytest.importorskip("torch_fidelity")
    sprung = tmp_path / "sprung"
    torch.save({"weight": Trap(sprung)}, tmp_path / "trap.pth")
    path = put(tmp_path / "trap.pth")
    with pytest.raises(RunError, match=f"torch-fidelity cannot read {path}"):
        Inception(COLOUR)
    assert not sprung.exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize("content", [b"", b"no archive"])
def test_file_that_is_no_archive_is_named(content: bytes, tmp_path: Path, put: Any) -> None:
    pytest.importorskip("torch_fidelity")
    (tmp_path / "other.pth").write_bytes(content)
    path = put(tmp_path / "other.pth")
    with pytest.raises(RunError, match=f"torch-fidelity cannot read {path}"):
        Inception(COLOUR)


def test_weights_of_another_network_are_named(tmp_path: Path, put: Any) -> None:
    pytest.importorskip("torch_fidelity")
    torch.save({"weight": torch.zeros(2)}, tmp_path / "other.pth")
    path = put(tmp_path / "other.pth")
    with pytest.raises(RunError, match=f"torch-fidelity cannot read {path}"):
        Inception(COLOUR)
