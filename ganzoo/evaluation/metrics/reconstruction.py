"""Reconstruction: whether G(E(x)) shows what x shows."""

from collections.abc import Iterable
from typing import Any, ClassVar

from torch import Tensor

from ganzoo.evaluation.metric import Group, Metric
from ganzoo.evaluation.score import Score, Unavailable
from ganzoo.evaluation.subject import Subject
from ganzoo.sampling.reconstruction import reconstruct

__all__ = ["Reconstruction"]

LEAST = 50
"""Samples below which a share would mean little: its standard error can exceed 7 %."""


class Reconstruction(Metric):
    """How like the test samples x their reconstructions G(E(x)) are, in class and value by value.

    The class is the extractor's, which has seen neither the generator nor the encoder. An encoder that says
    nothing of the sample agrees as often as the commonest class occurs.

    Source: Donahue et al. 2017 (arXiv 1605.09782), section 4, shows reconstructions; the agreement of a
    classifier is ours.

    Scores: ``reconstruction_agreement`` in [0, 1], the share of reconstructions that are of the sample's own
    class, with the share of each class in ``details["classes"]``; its floor is the extractor's accuracy on
    the samples themselves. ``reconstruction_error``, the mean square over all values, in the data's units;
    its floor is 0, and its ceiling is that of noise.
    """

    name: ClassVar[str] = "reconstruction"
    summary: ClassVar[str] = "how often the reconstruction of a test sample shows its class, and its error by value"
    group: ClassVar[Group] = "representation"

    def scores(self, subject: Subject) -> Iterable[Score]:
        """Both scores.

        Raises:
            Unavailable: the model has no encoder, the data have no labels, the extractor knows other classes
                than the data, or there are fewer than 50 test samples.
        """
        if subject.sampler.encoder is None:
            raise Unavailable(f"the model {subject.game.model.name} has no encoder to reconstruct samples with")
        names = subject.data.labels[subject.label].classes
        if subject.extractor.classes != names:
            raise Unavailable(
                f"the extractor {subject.extractor.name} does not know the classes of {subject.data.name}"
            )
        samples, classes = subject.labelled("test")
        subject.at_least(LEAST, len(samples), "labelled test samples")
        made = reconstruct(subject.sampler, samples)
        found, usual = _classes(subject, made), _classes(subject, samples)
        right = (found == classes).double()
        counts = classes.bincount(minlength=len(names))
        shares = classes.bincount(right, minlength=len(names)) / counts.clamp(min=1)
        more: dict[str, Any] = {"samples": len(made), "real": len(samples), "split": "test"}
        protocol = f"{len(samples):,} labelled samples of test through the averaged networks, E(x) the posterior's mean"
        yield subject.score(
            "reconstruction_agreement",
            right.mean().item(),
            protocol,
            features=True,
            unit="share",
            better="higher",
            floor=(usual == classes).double().mean().item(),
            ceiling=counts.max().item() / len(classes),
            details={"classes": {name: shares[k].item() for k, name in enumerate(names) if counts[k]}},
            **more,
        )
        noise = (subject.noise(len(samples)) - samples).square().mean().item()
        error = (made - samples).square().mean().item()
        yield subject.score("reconstruction_error", error, protocol, better="lower", floor=0.0, ceiling=noise, **more)


def _classes(subject: Subject, samples: Tensor) -> Tensor:
    """The class that the extractor finds in each sample, (N,)."""
    logits = subject.features(samples).logits
    assert logits is not None  # an extractor that names classes has them
    return logits.argmax(1)
