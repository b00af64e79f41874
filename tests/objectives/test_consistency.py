import math

import pytest
import torch

from ganzoo import Categorical, Consistency, Flip, LatentSpec, Normal, Uniform, UsageError
from ganzoo.objectives.consistency import pair_information


def test_perfect_agreement_over_all_classes_is_the_logarithm_of_their_number():
    logits = 40 * torch.eye(5).repeat(20, 1)
    assert pair_information(logits, logits).item() == pytest.approx(math.log(5), abs=1e-5)


def test_constant_and_independent_readings_hold_nothing():
    constant = torch.zeros(100, 5)
    constant[:, 2] = 40
    assert pair_information(constant, constant).item() == pytest.approx(0, abs=1e-5)
    one = 40 * torch.eye(5).repeat_interleave(5, 0)
    other = 40 * torch.eye(5).repeat(5, 1)
    assert pair_information(one, other).item() == pytest.approx(0, abs=1e-5)


def test_it_is_the_information_of_the_symmetrised_joint_distribution():
    random = torch.Generator().manual_seed(0)
    one, other = torch.randn(2, 64, 4, generator=random)
    joint = torch.einsum("ni,nj->ij", one.softmax(1), other.softmax(1)).double() / 64
    joint = (joint + joint.T) / 2
    expected = sum(
        (joint[i, j] * torch.log(joint[i, j] / (joint[i].sum() * joint[:, j].sum()))).item()
        for i in range(4)
        for j in range(4)
    )
    assert pair_information(one, other).item() == pytest.approx(expected, abs=1e-5)


def test_it_needs_a_categorical_code_and_maps():
    with pytest.raises(UsageError, match="categorical code"):
        Consistency(LatentSpec(style=Uniform(2, role="code")), (Flip(),))
    with pytest.raises(UsageError, match="invariances"):
        Consistency(LatentSpec(z=Normal(2), category=Categorical(3, role="code")), ())
