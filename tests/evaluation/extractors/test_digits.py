import json
from hashlib import sha256
from pathlib import Path

import pytest
import torch
from helpers import tiny_data
from safetensors import safe_open

from ganzoo.core.data import DataSpec, LabelSpec
from ganzoo.core.errors import RunError, UsageError
from ganzoo.data.batches import to_range
from ganzoo.data.mnist import MNIST
from ganzoo.evaluation.extractors import digits
from ganzoo.evaluation.extractors.digits import Digits
from ganzoo.zoo.catalogue import Catalogue

TEN = LabelSpec(classes=tuple("0123456789"), frequencies=(0.1,) * 10)


def spec(shape: tuple[int, ...] = (1, 28, 28), **labels: LabelSpec) -> DataSpec:
    return DataSpec(name="scans", shape=shape, size=1, labels=labels)


@pytest.fixture(scope="module")
def judge() -> Digits:
    return Digits(spec(label=TEN))


def test_at_least_994_of_1000_test_digits_are_judged_right(judge: Digits) -> None:
    split = MNIST().split("test")
    samples = to_range(split.tensor(), judge.data)
    found = torch.cat([judge(chunk).logits.argmax(1) for chunk in samples.split(500)])
    right = (found == split.labels["label"]).double().mean().item()
    assert right >= 0.994
    with safe_open(str(digits.FILE), framework="pt") as file:
        made = json.loads(file.metadata()["made"])
    assert right == pytest.approx(made["test_accuracy"], abs=2e-4)  # another processor may round another way


def test_the_file_is_small_and_the_one_in_the_registry(judge: Digits) -> None:
    content = digits.FILE.read_bytes()
    entry = Catalogue.read().weights["digits"]
    assert len(content) == entry.bytes <= 1_000_000
    assert judge.sha256 == entry.sha256 == sha256(content).hexdigest()


def test_features_and_logits_of_each_row_are_its_own(judge: Digits) -> None:
    samples = torch.rand(40, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    features, logits = judge(samples)
    assert features.shape == (40, 128)
    assert logits.shape == (40, len(judge.classes))
    assert features.dtype == logits.dtype == torch.float32
    assert not features.requires_grad
    torch.testing.assert_close(judge(samples[7:9]).features, features[7:9])


def test_samples_in_another_range_are_read_as_the_same_pictures(judge: Digits) -> None:
    samples = torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    unit = Digits(DataSpec(name="scans", shape=(1, 28, 28), range=(0.0, 1.0), size=1))
    torch.testing.assert_close(unit(samples).logits, judge(2 * samples - 1).logits)


def test_is_the_default_for_digits_alone() -> None:
    assert Digits.is_default_for(MNIST().spec)
    assert Digits.is_default_for(spec(slant=LabelSpec(classes=("l", "r"), frequencies=(0.5, 0.5)), digit=TEN))
    assert not Digits.is_default_for(spec())
    assert not Digits.is_default_for(spec((3, 28, 28), label=TEN))
    assert not Digits.is_default_for(spec(label=TEN.model_copy(update={"classes": tuple("abcdefghij")})))


def test_other_shapes_are_refused() -> None:
    with pytest.raises(UsageError, match="takes 1×28×28 samples, and those of toys are 3×32×32; choose another"):
        Digits(tiny_data((3, 32, 32)))


@pytest.mark.parametrize("damage", ["changed", "short", "missing"])
def test_damaged_weights_are_one_sentence(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = digits.FILE.read_bytes()
    file = tmp_path / "digits.safetensors"
    if damage != "missing":
        file.write_bytes(content[:-1] if damage == "short" else content[:-1] + bytes([content[-1] ^ 1]))
    monkeypatch.setattr(digits, "FILE", file)
    with pytest.raises(RunError, match=r"the bundled weights of the extractor digits .*; install ganzoo again"):
        Digits(spec(label=TEN))
