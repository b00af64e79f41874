"""The built-in metrics and extractors, registered as anybody's."""

from ganzoo.evaluation.extractor import Extractor
from ganzoo.evaluation.extractors.digits import Digits
from ganzoo.evaluation.extractors.inception import Inception
from ganzoo.evaluation.extractors.values import Values
from ganzoo.evaluation.metric import Metric
from ganzoo.evaluation.metrics.agreement import Agreement
from ganzoo.evaluation.metrics.classifier_score import ClassifierScore
from ganzoo.evaluation.metrics.clusters import Clusters
from ganzoo.evaluation.metrics.codes import Codes
from ganzoo.evaluation.metrics.collapse import Collapse
from ganzoo.evaluation.metrics.coverage import Coverage
from ganzoo.evaluation.metrics.critic_accuracy import CriticAccuracy
from ganzoo.evaluation.metrics.disentanglement import Disentanglement
from ganzoo.evaluation.metrics.frechet import Frechet
from ganzoo.evaluation.metrics.information import Information
from ganzoo.evaluation.metrics.kernel import Kernel
from ganzoo.evaluation.metrics.memorisation import Memorisation
from ganzoo.evaluation.metrics.neighbours import Neighbours
from ganzoo.evaluation.metrics.probe import Probe
from ganzoo.evaluation.metrics.reconstruction import Reconstruction
from ganzoo.evaluation.metrics.train_on_fakes import TrainOnFakes
from ganzoo.zoo.hookspecs import hookimpl

__all__ = ["ganzoo_register_extractors", "ganzoo_register_metrics"]


@hookimpl
def ganzoo_register_metrics() -> list[type[Metric]]:
    """Fidelity and coverage first, then conditioning, codes, representation, disentanglement and health."""
    return [
        *(Frechet, Kernel, Coverage, ClassifierScore),
        *(Agreement, TrainOnFakes),
        *(Codes, Information),
        *(Probe, Clusters, Neighbours, Reconstruction),
        *(Disentanglement,),
        *(Collapse, CriticAccuracy, Memorisation),
    ]


@hookimpl
def ganzoo_register_extractors() -> list[type[Extractor]]:
    """The digit judge, Inception, and the samples' own values."""
    return [Digits, Inception, Values]
