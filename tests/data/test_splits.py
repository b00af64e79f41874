import pytest
import torch

from ganzoo.core.data import DataSpec, Split
from ganzoo.core.errors import UsageError
from ganzoo.data.splits import SingleSource, TensorSplit, combined_checksum, tensor_checksum


class Points(SingleSource):
    name = "points"
    summary = "two points"
    loads = 0

    @property
    def spec(self) -> DataSpec:
        return DataSpec(name=self.name, shape=(2,), size=2, drawn_as="points")

    def load(self, part: str) -> Split:
        self.loads += 1
        return TensorSplit(torch.zeros(2, 2), {}, part)


def test_part_is_loaded_once() -> None:
    points = Points()
    assert points.split("train") is points.split("train")
    assert points.split("test").checksum == "test"
    assert points.loads == 2


def test_unknown_part_and_source_are_named() -> None:
    with pytest.raises(UsageError, match="no part of data set points 'tset'; did you mean 'test'"):
        Points().split("tset")
    with pytest.raises(UsageError, match="no source of data set points 'horses'; known: data"):
        Points().split("train", "horses")


def test_checksums_tell_contents_apart() -> None:
    tensor = torch.arange(6, dtype=torch.uint8)
    checksums = {
        tensor_checksum(tensor),
        tensor_checksum(tensor.view(2, 3)),
        tensor_checksum(tensor.long()),
        tensor_checksum(tensor.flip(0)),
        combined_checksum("a", "bc"),
        combined_checksum("ab", "c"),
        combined_checksum("ab\nc"),
    }
    assert len(checksums) == 7
    assert all(len(checksum) == 64 for checksum in checksums)


def test_checksum_does_not_depend_on_the_memory_format() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(2, 3, 2, 2)
    assert tensor_checksum(images) == tensor_checksum(images.contiguous(memory_format=torch.channels_last))
