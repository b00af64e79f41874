import pytest
import torch
from subjects import by_name, subject
from torch import Tensor

from ganzoo.core.latents import Latents
from ganzoo.evaluation.metrics import train_on_fakes
from ganzoo.evaluation.metrics.train_on_fakes import TrainOnFakes
from ganzoo.evaluation.score import Unavailable

LATENT = "z: normal(2), label: categorical(3) condition"


def bars(classes: Tensor, seed: int, wander: bool = True) -> Tensor:
    """Noise with a bright bar: upright on the left, level at the top, or none; it wanders by up to 3 pixels."""
    random = torch.Generator().manual_seed(seed)
    values = torch.rand(len(classes), 1, 8, 8, generator=random) * 0.5 - 1
    places = torch.randint(0, 4 if wander else 1, (len(classes),), generator=random)
    for row, (which, place) in enumerate(zip(classes.tolist(), places.tolist(), strict=True)):
        if which == 0:
            values[row, 0, :, place] += 0.5
        elif which == 1:
            values[row, 0, place] += 0.5
    return values


CLASSES = torch.arange(600) % 3
TRAIN, TEST = bars(CLASSES, 0), bars(CLASSES[:300], 1)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_on_fakes, "IMAGES", 4000)


def told(fakes, labels: Tensor | None = CLASSES, **more):
    given = {"test_labels": CLASSES[:300], "latent": LATENT, "samples": 600, **more}
    return subject(TRAIN, TEST, fakes, labels=labels, **given)


def perfect(latents: Latents) -> Tensor:
    return bars(latents["label"].argmax(1), 2)


def swapped(latents: Latents) -> Tensor:
    """Each class looks like the next."""
    return bars((latents["label"].argmax(1) + 1) % 3, 2)


def shuffled(latents: Latents) -> Tensor:
    """As the data, whatever was asked for."""
    classes = latents["label"].argmax(1)
    return bars(classes[torch.randperm(len(classes), generator=torch.Generator().manual_seed(3))], 2)


def collapsed(latents: Latents) -> Tensor:
    """One good sample of each class."""
    return bars(torch.arange(3), 2, wander=False)[latents["label"].argmax(1)]


def scores(fakes, **more):
    return by_name(TrainOnFakes().scores(told(fakes, **more)))


def test_perfect_fakes_teach_and_are_read_as_well_as_the_data() -> None:
    found = scores(perfect)
    assert set(found) == {"train_on_fakes", "test_on_fakes"}
    assert all(score.value > 0.95 and score.floor > 0.95 for score in found.values())
    train = found["train_on_fakes"]
    assert (train.samples, train.real, train.split, train.extractor) == (600, 300, "test", None)
    assert train.protocol == "trained on 600 fakes, tested on 300 of test, floor from 600 of train"
    assert found["test_on_fakes"].protocol == "trained on 600 of train, tested on 600 fakes, floor from 300 of test"


def test_fakes_of_other_classes_teach_and_show_the_wrong_thing() -> None:
    found = scores(swapped)
    assert all(score.value < 0.05 and score.floor > 0.95 for score in found.values())


def test_fakes_of_any_class_are_right_by_chance() -> None:
    found = scores(shuffled)
    assert found["test_on_fakes"].value == pytest.approx(1 / 3, abs=0.06)
    assert found["train_on_fakes"].value == pytest.approx(1 / 3, abs=0.2)


def test_one_good_fake_of_each_class_is_read_well_but_teaches_little() -> None:
    found = scores(collapsed)
    assert found["test_on_fakes"].value == 1
    assert found["train_on_fakes"].value < 0.85


def test_a_seed_gives_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_on_fakes, "IMAGES", 100)
    monkeypatch.setattr(train_on_fakes, "EPOCHS", 0)
    assert scores(perfect) == scores(perfect)


def test_few_labels_make_a_floor_of_few_samples() -> None:
    labels = CLASSES.clone()
    labels[30:] = -1
    found = scores(perfect, labels=labels)
    assert found["train_on_fakes"].value > 0.95
    assert found["train_on_fakes"].floor < found["train_on_fakes"].value
    assert found["test_on_fakes"].real == 30


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: told(perfect, latent="z: normal(2)"), "the generator of told is not asked for a label"),
        (lambda: told(perfect, labels=None), "data set told has no labels"),
        (lambda: told(perfect, samples=149), "needs at least 150 generated samples, and got 149"),
        (lambda: told(perfect, test_labels=None), "the test split of told has no labels"),
        (
            lambda: told(perfect, labels=torch.where(torch.arange(600) == 5, CLASSES, -1), classes=["a", "b", "c"]),
            "a single sample of the training split of told has a known label",
        ),
        (
            lambda: subject(torch.rand(30, 4), labels=CLASSES[:30], latent=LATENT),
            "takes images, which the samples of told are not",
        ),
    ],
)
def test_where_it_does_not_apply_it_says_why(made, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        list(TrainOnFakes().scores(made()))
