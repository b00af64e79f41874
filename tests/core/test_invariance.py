import math

import pytest
import torch

from ganzoo.core.data import DataSpec
from ganzoo.core.invariance import Affine, Flip

PICTURE = torch.rand(3, 1, 12, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1
MIDDLE = torch.full((3, 6), 0.5)


def test_the_middle_of_every_bound_is_the_identity():
    torch.testing.assert_close(Affine()(PICTURE, MIDDLE), PICTURE, atol=1e-5, rtol=0)


def test_values_stay_within_the_range_of_the_samples():
    uniform = torch.rand(64, 6, generator=torch.Generator().manual_seed(1))
    moved = Affine(rotation=180, shear=1, shift=0.5)(PICTURE[:1].expand(64, -1, -1, -1), uniform)
    assert moved.shape == (64, 1, 12, 12)
    assert PICTURE[:1].min() <= moved.min() and moved.max() <= PICTURE[:1].max()


@pytest.mark.parametrize(("turns", "share"), [(1, 0.75), (-1, 0.25)])
def test_a_quarter_turn_is_rot90(turns, share):
    uniform = MIDDLE.clone()
    uniform[:, 0] = share  # of −180° to 180°
    moved = Affine(rotation=180)(PICTURE, uniform)
    torch.testing.assert_close(moved, torch.rot90(PICTURE, turns, (2, 3)), atol=1e-4, rtol=0)


def test_a_shift_of_half_a_side_moves_by_half_the_columns_and_repeats_the_border():
    uniform = MIDDLE.clone()
    uniform[:, 4] = 1.0
    moved = Affine(shift=1.0)(PICTURE, uniform)
    torch.testing.assert_close(moved[..., :6], PICTURE[..., 6:], atol=1e-5, rtol=0)
    torch.testing.assert_close(moved[..., 6:], PICTURE[..., -1:].expand(-1, -1, -1, 6), atol=1e-5, rtol=0)


def test_each_sample_has_its_own_map():
    uniform = torch.rand(3, 6, generator=torch.Generator().manual_seed(2))
    together = Affine()(PICTURE, uniform)
    alone = torch.cat([Affine()(PICTURE[i : i + 1], uniform[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(together, alone)


def test_flip_exchanges_left_and_right_below_a_half():
    flipped = Flip()(PICTURE, torch.tensor([[0.1], [0.5], [0.9]]))
    torch.testing.assert_close(flipped[0], PICTURE[0].flip(2))
    torch.testing.assert_close(flipped[1:], PICTURE[1:])


def test_a_specification_with_invariances_survives_json_and_stays_hashable():
    spec = DataSpec(name="tiny", shape=(1, 8, 8), size=4, invariances=(Flip(), Affine(shear=0)))
    assert DataSpec.model_validate_json(spec.model_dump_json()) == spec


def test_invariances_belong_to_images():
    with pytest.raises(ValueError, match="maps of images"):
        DataSpec(name="moons", shape=(2,), size=4, drawn_as="points", invariances=(Flip(),))


def test_the_rotation_is_in_degrees():
    uniform = MIDDLE.clone()
    uniform[:, 0] = 1.0
    ramp = torch.linspace(-1, 1, 33).expand(1, 1, 33, 33)
    moved = Affine(rotation=30)(ramp, uniform[:1])
    slope = (moved[0, 0, 16, 20] - moved[0, 0, 16, 12]) / (ramp[0, 0, 16, 20] - ramp[0, 0, 16, 12])
    assert slope.item() == pytest.approx(math.cos(math.radians(30)), abs=1e-4)
