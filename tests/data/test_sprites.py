import math
from itertools import islice

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ganzoo.core.errors import UsageError
from ganzoo.data.batches import batches
from ganzoo.data.sprites import Sprites

SPRITES = Sprites()
COMBINATIONS = st.tuples(*(st.integers(0, size - 1) for size in SPRITES.factors.values()))
ORDER = (10, 20, 40)
"""After how many steps of rotation each shape looks the same."""


def picture(*combination: int) -> Tensor:
    """(64, 64), float64, 0 to 1."""
    return SPRITES.observe(torch.tensor([combination]))[0, 0].double() / 255


def centroid(image: Tensor) -> tuple[float, float]:
    """Column and row of the centre of mass."""
    along = torch.arange(64.0, dtype=torch.float64)
    return float((image.sum(0) * along).sum() / image.sum()), float((image.sum(1) * along).sum() / image.sum())


def test_factors_are_those_of_dsprites() -> None:
    assert dict(SPRITES.factors) == {"shape": 3, "scale": 6, "rotation": 40, "x": 32, "y": 32}
    assert SPRITES.offline
    spec = SPRITES.spec
    assert spec.shape == (1, 64, 64)
    assert {name: len(label.classes) for name, label in spec.labels.items()} == dict(SPRITES.factors)
    assert spec.labels["shape"].classes == ("square", "ellipse", "heart")
    assert spec.labels["scale"].classes == ("0.5", "0.6", "0.7", "0.8", "0.9", "1")
    assert spec.labels["rotation"].classes[:2] == ("0°", "9°")


@given(COMBINATIONS)
def test_position_is_the_label(combination: tuple[int, ...]) -> None:
    shape, _, _, x, y = combination
    image = picture(*combination)
    column, row = centroid(image)
    named = [int(SPRITES.spec.labels[name].classes[index]) for name, index in (("x", x), ("y", y))]
    tolerance = 0.05 if shape == 2 else 1e-9  # a heart's soft edge is not symmetric about its centroid
    assert (column, row) == pytest.approx(named, abs=tolerance)


@given(COMBINATIONS, st.integers(0, 31), st.integers(0, 31))
def test_position_moves_the_sprite_and_changes_nothing_else(combination: tuple[int, ...], x: int, y: int) -> None:
    moved = picture(*combination[:3], x, y)
    there = torch.roll(picture(*combination), (y - combination[4], x - combination[3]), (0, 1))
    assert moved.equal(there)


@given(COMBINATIONS)
def test_sprites_grow_with_the_square_of_their_scale(combination: tuple[int, ...]) -> None:
    shape, scale = combination[:2]
    exact = (2, math.pi / 2, (1 + math.pi / 4) / 0.92864**2)[shape] * (15.5 * (0.5 + scale / 10)) ** 2
    assert float(picture(*combination).sum()) == pytest.approx(exact, rel=0.04)


@given(COMBINATIONS, st.integers(0, 39))
def test_rotations_look_alike_exactly_when_the_shape_is_symmetric(combination: tuple[int, ...], other: int) -> None:
    shape, _, rotation = combination[:3]
    turned = picture(*combination[:2], other, *combination[3:])
    same = (other - rotation) % ORDER[shape] == 0
    assert picture(*combination).equal(turned) == same


@given(COMBINATIONS)
def test_ten_steps_are_a_quarter_turn_to_the_left(combination: tuple[int, ...]) -> None:
    middle = (*combination[:2], combination[2] % 30, 16, 16)
    # Around the pixel (32, 32): without the first row and column that is the middle.
    before, after = (picture(*middle[:2], middle[2] + step, 16, 16)[1:, 1:] for step in (0, 10))
    assert after.equal(torch.rot90(before))


@given(COMBINATIONS, st.data())
def test_every_factor_changes_the_picture(combination: tuple[int, ...], data: st.DataObject) -> None:
    factor = data.draw(st.integers(0, 4))
    size = list(SPRITES.factors.values())[factor]
    step = data.draw(st.integers(1, ORDER[combination[0]] - 1 if factor == 2 else size - 1))
    other = list(combination)
    other[factor] = (other[factor] + step) % size
    assert not picture(*combination).equal(picture(*other))


@given(COMBINATIONS)
def test_pictures_are_white_on_black_with_a_soft_edge(combination: tuple[int, ...]) -> None:
    image = picture(*combination)
    assert image.max() == 1
    assert float(((image > 0) & (image < 1)).double().mean()) < 0.04
    assert image[[0, -1]].max() < 0.15 and image[:, [0, -1]].max() < 0.15


def test_no_picture_of_the_test_part_is_in_the_training_part() -> None:
    train, test = SPRITES.split("train"), SPRITES.split("test")
    assert len(train) == SPRITES.spec.size
    assert len(train) + len(test) == 737_280
    assert len(test) == pytest.approx(73_728, abs=8)
    seen = []
    for split in (train, test):
        labels = split.labels
        looks = labels["rotation"] % torch.tensor(ORDER)[labels["shape"]]
        distinct = torch.stack([labels[name] if name != "rotation" else looks for name in SPRITES.factors], dim=1)
        seen.append(set((distinct * torch.tensor([6 * 40 * 1024, 40 * 1024, 1024, 32, 1])).sum(1).tolist()))
    assert seen[0].isdisjoint(seen[1])


def test_every_value_is_as_frequent_as_the_specification_says() -> None:
    for part in ("train", "test"):
        split = SPRITES.split(part)
        for name, label in SPRITES.spec.labels.items():
            shares = torch.bincount(split.labels[name], minlength=len(label.classes)) / len(split)
            assert torch.allclose(shares, torch.tensor(label.frequencies), rtol=1e-3)


def test_split_agrees_with_what_is_observed() -> None:
    split = SPRITES.split("test")
    indices = torch.randint(len(split), (64,), generator=torch.Generator().manual_seed(0))
    rows = split.rows(indices)
    assert rows.dtype == torch.uint8
    assert rows.equal(SPRITES.observe(torch.stack([split.labels[name][indices] for name in SPRITES.factors], dim=1)))
    assert rows.equal(torch.stack([split[index] for index in indices.tolist()]))
    assert split.tensor() is None


def test_training_streams_the_same_pictures_every_time() -> None:
    split = Sprites().split("train")
    endless = batches(split, SPRITES.spec, batch=32, seed=3, workers=None)
    again = batches(SPRITES.split("train"), SPRITES.spec, batch=32, seed=3, workers=None)
    for one, other in islice(zip(endless, again, strict=False), 3):
        assert one.values.shape == (32, 1, 64, 64)
        assert (float(one.values.min()), float(one.values.max())) == (-1.0, 1.0)
        assert one.values.equal(other.values)
        factors = torch.stack([one.labels[name] for name in SPRITES.factors], dim=1)
        assert SPRITES.observe(factors).equal(((one.values + 1) * 127.5).round().to(torch.uint8))


def test_checksum_is_that_of_the_pictures_which_runs_were_trained_on() -> None:
    train, test = SPRITES.split("train").checksum, SPRITES.split("test").checksum
    assert train != test
    # It changes when the pictures, the factors or the split do; runs that were trained on the old ones must see it.
    assert train[:16] == "82e08b913c7c01a0"


@pytest.mark.parametrize("combination", [(3, 0, 0, 0, 0), (0, 0, 0, 0, -1), (0, 0, 0, 0)])
def test_there_is_no_sample_of_other_factors(combination: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"no sample of sprites has such factors; .*: shape 0 to 2, scale 0 to 5"):
        SPRITES.observe(torch.tensor([combination]))
