import pytest
import torch
from torch import Tensor

from ganzoo.core.invariance import Affine, Flip
from ganzoo.evaluation.classifier import Classifier, accuracy, fit, predict


def bars(n: int, shape: tuple[int, ...] = (1, 12, 12), seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise with a bright bar: on the left (class 0), in the middle (1) or on the right (2)."""
    values = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed)) - 1
    classes = torch.arange(n) % 3
    for row, which in enumerate(classes.tolist()):
        values[row, ..., (0, shape[-1] // 2, -1)[which]] += 1
    return values, classes


def trained(values: Tensor, classes: Tensor, images: int = 3000, **options) -> Classifier:
    network = Classifier(values.shape[1:], 3, width=8, features=16)
    fit(network, values, classes, images=images, batch=32, **options)
    return network


def same(one: Classifier, other: Classifier) -> bool:
    return all(a.equal(b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 64, 64), (1, 7, 30), (2, 1, 1), (1, 9, 8)])
def test_any_image_has_features_and_logits(shape: tuple[int, ...]) -> None:
    network = Classifier(shape, 7, width=8, features=20).eval()
    features, logits = network(torch.rand(5, *shape))
    assert features.shape == (5, 20)
    assert features.min() >= 0
    assert logits.shape == (5, 7)
    assert logits.equal(network.head(features))


def test_weights_are_those_of_the_seed_and_nobody_elses_random_numbers_are_taken() -> None:
    state = torch.get_rng_state()
    one, again, other = (Classifier((1, 8, 8), 3, seed=seed) for seed in (1, 1, 2))
    assert torch.get_rng_state().equal(state)
    assert same(one, again)
    assert not one.head.weight.equal(other.head.weight)


def test_learns_what_can_be_learnt_and_nothing_else() -> None:
    values, classes = bars(300)
    unseen, unseen_classes = bars(300, seed=1)
    assert accuracy(trained(values, classes), unseen, unseen_classes) > 0.98
    shuffled = classes[torch.randperm(300, generator=torch.Generator().manual_seed(0))]
    assert accuracy(trained(values, shuffled), unseen, unseen_classes) == pytest.approx(1 / 3, abs=0.15)


def test_training_depends_on_its_arguments_alone() -> None:
    values, classes = bars(100)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    one = trained(values, classes, 200, augment=[Affine(), Flip()])
    assert torch.get_rng_state().equal(state)
    torch.manual_seed(1)
    assert same(one, trained(values, classes, 200, augment=[Affine(), Flip()]))
    assert not same(one, trained(values, classes, 200, augment=[Affine()]))
    assert not same(one, trained(values, classes, 200, augment=[Affine(), Flip()], seed=1))


def test_augmentation_is_applied_to_each_sample() -> None:
    values, classes = bars(450)
    values, classes = values[classes != 1], classes[classes != 1]  # left and right: a flip makes one the other
    unseen, unseen_classes = bars(450, seed=1)
    unseen, unseen_classes = unseen[unseen_classes != 1], unseen_classes[unseen_classes != 1]
    assert accuracy(trained(values, classes, 2000), unseen, unseen_classes) > 0.98
    assert accuracy(trained(values, classes, 2000, augment=[Flip()]), unseen, unseen_classes) < 0.75


@pytest.mark.parametrize("n", [2, 5, 33])
def test_few_samples_make_smaller_batches(n: int) -> None:
    values, classes = bars(n)
    assert all(p.isfinite().all() for p in trained(values, classes, 40).parameters())


def test_prediction_changes_nothing_and_does_not_depend_on_the_batch() -> None:
    values, classes = bars(1100)
    network = trained(values[:60], classes[:60], 300)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    found = predict(network, values)
    assert network.training
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
    assert found.equal(torch.cat([predict(network, part) for part in values.split(70)]))
    assert accuracy(network, values, found) == 1
    assert accuracy(network, values, (found + 1) % 3) == 0
