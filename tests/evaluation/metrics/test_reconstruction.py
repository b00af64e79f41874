import pytest
import torch
from subjects import Elsewhere, Read, by_name, subject
from torch import Tensor, nn

from ganzoo.core.encoder import Encoder
from ganzoo.evaluation.extractors.values import Values
from ganzoo.evaluation.metrics.reconstruction import Reconstruction
from ganzoo.evaluation.score import Unavailable
from ganzoo.evaluation.subject import Subject

CLASSES = torch.tensor([0] * 60 + [1] * 30 + [2] * 10)


class Identity(Encoder):
    """The latents are the sample."""

    def forward(self, samples: Tensor) -> Tensor:
        return samples


class Rolled(Encoder):
    """Every class is taken for the next."""

    def forward(self, samples: Tensor) -> Tensor:
        return samples.roll(1, dims=1)


class Forgetful(Encoder):
    """Whatever it sees is class 1."""

    def forward(self, samples: Tensor) -> Tensor:
        return torch.eye(3)[[1] * len(samples)]


def told(encoder: nn.Module | None, **more) -> Subject:
    """A subject whose samples are one-hot classes, and whose generator shows its latents."""
    real = torch.eye(3)[CLASSES]
    given = {"labels": CLASSES, "test_labels": CLASSES, "extractor": Read, "latent": "z: normal(3)", **more}
    made = subject(real, real, lambda latents: latents["z"], **given)
    made.sampler.encoder = encoder
    return made


def test_what_is_encoded_without_loss_is_reconstructed() -> None:
    scores = by_name(Reconstruction().scores(told(Identity())))
    assert set(scores) == {"reconstruction_agreement", "reconstruction_error"}
    agreement, error = scores["reconstruction_agreement"], scores["reconstruction_error"]
    assert (agreement.value, agreement.floor, agreement.ceiling) == (1.0, 1.0, 0.6)
    assert agreement.details["classes"] == {"class 0": 1.0, "class 1": 1.0, "class 2": 1.0}
    assert (agreement.real, agreement.split, agreement.extractor) == (100, "test", "read")
    assert error.value == 0
    assert error.ceiling == pytest.approx(2 / 3, abs=0.15)  # E(u − x)² of uniform u, with x² = 1 a third of the time
    assert error.extractor is None


@pytest.mark.parametrize(("encoder", "share", "error"), [(Rolled, 0.0, 2 / 3), (Forgetful, 0.3, 0.7 * 2 / 3)])
def test_what_is_mistaken_is_no_reconstruction(encoder: type[Encoder], share: float, error: float) -> None:
    scores = by_name(Reconstruction().scores(told(encoder())))
    assert scores["reconstruction_agreement"].value == pytest.approx(share)
    assert scores["reconstruction_error"].value == pytest.approx(error)


def test_each_class_has_its_share() -> None:
    score = by_name(Reconstruction().scores(told(Forgetful())))["reconstruction_agreement"]
    assert score.details["classes"] == {"class 0": 0.0, "class 1": 1.0, "class 2": 0.0}


def test_the_floor_is_the_extractors_accuracy_and_unknown_classes_do_not_count() -> None:
    labels = CLASSES.clone()
    labels[:20] = -1
    labels[95:] = 1  # of class 2, and called class 1
    scores = by_name(Reconstruction().scores(told(Identity(), test_labels=labels)))
    assert scores["reconstruction_agreement"].floor == scores["reconstruction_agreement"].value == 75 / 80
    assert scores["reconstruction_error"].real == 80


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (lambda: told(None), "the model told has no encoder to reconstruct samples with"),
        (lambda: told(Identity(), labels=None), "data set told has no labels"),
        (lambda: told(Identity(), test_labels=None), "the test split of told has no labels"),
        (lambda: told(Identity(), extractor=Elsewhere), "the extractor read does not know the classes of told"),
        (lambda: told(Identity(), extractor=Values), "the extractor values does not know the classes of told"),
        (lambda: told(Identity(), extractor=None), "no extractor is the default for told samples"),
        (lambda: told(Identity(), real=49), "needs at least 50 labelled test samples, and got 49"),
    ],
)
def test_where_it_does_not_apply_it_says_why(made, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        list(Reconstruction().scores(made()))
