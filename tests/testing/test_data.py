"""The kit's data: every kind of samples, and a toy that tells learning from failing."""

import pytest
import torch

from ganzoo.core.errors import UsageError
from ganzoo.testing.data import KINDS, TinyData, TwoModes, described


@pytest.mark.parametrize("data", KINDS, ids=lambda data: described(data.spec))
def test_samples_are_what_the_specification_says(data: TinyData) -> None:
    for source in data.spec.sources:
        for part in ("train", "test"):
            split = data.split(part, source)  # type: ignore[arg-type]
            values = split.tensor()
            assert values is not None
            assert tuple(values.shape) == (96, *data.spec.shape)
            assert set(split.labels) == set(data.spec.labels)
            if not data.spec.is_image:
                assert data.spec.range[0] <= values.min() < values.max() <= data.spec.range[1]
            assert torch.equal(values, data.split(part, source).tensor())  # type: ignore[arg-type]
    assert not torch.equal(data.split("train").tensor(), data.split("test").tensor())


def test_the_kinds_differ_in_what_a_model_may_depend_on() -> None:
    specs = [data.spec for data in KINDS]
    assert len({described(spec) for spec in specs}) == len(KINDS)
    assert {spec.shape[0] for spec in specs if spec.is_image} == {1, 3}
    assert {bool(spec.labels) for spec in specs} == {True, False}
    assert {len(spec.sources) for spec in specs} == {1, 2}
    assert len({spec.shape for spec in specs if spec.is_image}) >= 4


def test_words_for_data() -> None:
    assert described(TinyData().spec) == "1×16×16 images with labels"
    assert described(TinyData(shape=(2,), classes=0, sources=2).spec) == "2 points without labels from 2 sources"


@pytest.mark.parametrize("arguments", [("trian",), ("train", "elsewhere")])
def test_what_is_not_there_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="data set tiny"):
        TinyData().split(*arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8), (16, 2), (1, 4, 1)])
@pytest.mark.parametrize("classes", [0, 1, 2, 5])
def test_the_toy_has_two_modes_and_its_labels_say_which(shape: tuple[int, ...], classes: int) -> None:
    toy = TwoModes(TinyData(shape=shape, classes=classes).spec, size=400)
    split = toy.splits()["data"]
    values = split.tensor()
    one, other = toy.near(values)
    assert one == pytest.approx(0.5, abs=0.15)
    assert other == pytest.approx(0.5, abs=0.15)
    if classes == 2:
        assert toy.near(values[split.labels["label"] == 0]) == (pytest.approx(1, abs=0.15), 0)


def test_what_has_learned_nothing_is_near_no_mode_and_what_has_collapsed_near_one() -> None:
    toy = TwoModes(TinyData(shape=(2,), classes=2).spec)
    assert toy.near(torch.zeros(50, 2)) == (0, 0)
    assert toy.near(toy.modes[:1].expand(50, 2)) == (1, 0)
    assert sum(toy.near(4 * torch.rand(4000, 2) - 2)) < 0.5
