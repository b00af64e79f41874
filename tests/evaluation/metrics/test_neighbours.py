import pytest
import torch
from subjects import by_name, subject, uniform
from torch import Tensor

from ganzoo.evaluation.metrics.neighbours import Neighbours

CLASSES = torch.arange(200) % 2


def errors(train: Tensor, test: Tensor, train_labels: Tensor = CLASSES, labels: Tensor = CLASSES) -> dict[str, float]:
    told = subject(train, test, labels=train_labels, test_labels=labels, range=(-9, 9))
    return {name.partition("/")[2]: score.value for name, score in by_name(Neighbours().scores(told)).items()}  # type: ignore[misc]


def test_a_training_sample_is_its_own_nearest_neighbour() -> None:
    values = uniform(200, 3)
    found = errors(values, values.clone())
    assert found["values-1nn"] == 0
    assert found["critic-1nn"] == 0
    assert found["values-5nn"] > 0.1


def test_features_that_say_nothing_leave_chance() -> None:
    n = 2_000
    found = errors(uniform(n, 3), uniform(n, 3, seed=5), torch.arange(n) % 2, torch.arange(n) % 2)
    assert set(found) == {"critic-1nn", "critic-5nn", "values-1nn", "values-5nn"}
    assert all(error == pytest.approx(0.5, abs=0.05) for error in found.values())


def test_two_distant_gaussians_are_told_apart_and_near_ones_as_closely_as_in_theory() -> None:
    random = torch.Generator().manual_seed(0)
    n = 3_000
    labels = torch.arange(n) % 2
    far = [torch.randn(n, 2, generator=random) * 0.1 + 3 * labels[:, None] for _ in range(2)]
    assert errors(*far, labels, labels)["values-5nn"] == 0
    near = [torch.randn(n, 1, generator=random) + 2 * labels[:, None] for _ in range(2)]
    found = errors(*near, labels, labels)
    bayes = 0.1587  # P(normal > 1)
    assert bayes < found["values-1nn"] < 2 * bayes * (1 - bayes)  # Cover & Hart's bound
    assert bayes < found["values-5nn"] < found["values-1nn"]


def test_the_majority_of_five_outvotes_the_nearest() -> None:
    train = torch.tensor([[0.0], [0.1], [0.2], [0.3], [0.4]] + [[8.0]] * 45)
    labels = torch.tensor([1, 0, 0, 0, 0] + [1] * 45)
    test = torch.zeros(40, 1)
    test[20:] = 8
    truth = torch.tensor([0] * 20 + [1] * 20)
    found = errors(train, test, labels, truth)
    assert found["values-1nn"] == 0.5
    assert found["values-5nn"] == 0
