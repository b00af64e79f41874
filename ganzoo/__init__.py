"""ganzoo: train, understand and compare adversarial generative models, and publish your own.

Everything public is reached from here. Names are imported when first used, so that ``import ganzoo``
loads neither torch nor any plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo.api import Configured as Configured
    from ganzoo.api import Run as Run
    from ganzoo.api import build as build
    from ganzoo.api import configure as configure
    from ganzoo.api import open as open
    from ganzoo.api import plan as plan
    from ganzoo.api import resume as resume
    from ganzoo.api import start as start
    from ganzoo.api import train as train
    from ganzoo.comparison.compare import compare as compare
    from ganzoo.core.critic import Critic as Critic
    from ganzoo.core.critic import Verdict as Verdict
    from ganzoo.core.data import Dataset as Dataset
    from ganzoo.core.data import DataSpec as DataSpec
    from ganzoo.core.data import FactorDataset as FactorDataset
    from ganzoo.core.data import LabelSpec as LabelSpec
    from ganzoo.core.data import Samples as Samples
    from ganzoo.core.data import Split as Split
    from ganzoo.core.encoder import Encoder as Encoder
    from ganzoo.core.errors import GanzooError as GanzooError
    from ganzoo.core.errors import RunError as RunError
    from ganzoo.core.errors import Unavailable as Unavailable
    from ganzoo.core.errors import UsageError as UsageError
    from ganzoo.core.generator import Generator as Generator
    from ganzoo.core.invariance import Affine as Affine
    from ganzoo.core.invariance import Flip as Flip
    from ganzoo.core.latent import Latents as Latents
    from ganzoo.core.latent import LatentSpec as LatentSpec
    from ganzoo.core.objective import Objective as Objective
    from ganzoo.core.objective import Term as Term
    from ganzoo.core.round import Round as Round
    from ganzoo.core.variable import Variable as Variable
    from ganzoo.core.variables import Bernoulli as Bernoulli
    from ganzoo.core.variables import Categorical as Categorical
    from ganzoo.core.variables import Normal as Normal
    from ganzoo.core.variables import Uniform as Uniform
    from ganzoo.evaluation.extractor import Extractor as Extractor
    from ganzoo.evaluation.extractor import Features as Features
    from ganzoo.evaluation.metric import Metric as Metric
    from ganzoo.evaluation.score import Score as Score
    from ganzoo.evaluation.subject import Subject as Subject
    from ganzoo.models.game import Game as Game
    from ganzoo.models.model import Model as Model
    from ganzoo.models.model import label_conditions as label_conditions
    from ganzoo.models.player import Player as Player
    from ganzoo.models.player import Rates as Rates
    from ganzoo.objectives.adversarial import Adversarial as Adversarial
    from ganzoo.objectives.adversarial import Hinge as Hinge
    from ganzoo.objectives.adversarial import LeastSquares as LeastSquares
    from ganzoo.objectives.adversarial import NonSaturating as NonSaturating
    from ganzoo.objectives.adversarial import Wasserstein as Wasserstein
    from ganzoo.objectives.consistency import Consistency as Consistency
    from ganzoo.objectives.penalties import R1 as R1
    from ganzoo.objectives.penalties import GradientPenalty as GradientPenalty
    from ganzoo.objectives.recognition import AuxiliaryClassification as AuxiliaryClassification
    from ganzoo.objectives.recognition import MutualInformation as MutualInformation
    from ganzoo.training.events import Observer as Observer
    from ganzoo.training.events import Summary as Summary
    from ganzoo.training.events import Tick as Tick
    from ganzoo.training.plan import Plan as Plan
    from ganzoo.zoo.hookspecs import API_VERSION as API_VERSION
    from ganzoo.zoo.hookspecs import hookimpl as hookimpl

_HOMES = {
    "ganzoo.api": ("Configured", "Run", "build", "configure", "open", "plan", "resume", "start", "train"),
    "ganzoo.comparison.compare": ("compare",),
    "ganzoo.core.critic": ("Critic", "Verdict"),
    "ganzoo.core.data": ("DataSpec", "Dataset", "FactorDataset", "LabelSpec", "Samples", "Split"),
    "ganzoo.core.encoder": ("Encoder",),
    "ganzoo.core.errors": ("GanzooError", "RunError", "Unavailable", "UsageError"),
    "ganzoo.core.generator": ("Generator",),
    "ganzoo.core.invariance": ("Affine", "Flip"),
    "ganzoo.core.latent": ("LatentSpec", "Latents"),
    "ganzoo.core.objective": ("Objective", "Term"),
    "ganzoo.core.round": ("Round",),
    "ganzoo.core.variable": ("Variable",),
    "ganzoo.core.variables": ("Bernoulli", "Categorical", "Normal", "Uniform"),
    "ganzoo.evaluation.extractor": ("Extractor", "Features"),
    "ganzoo.evaluation.metric": ("Metric",),
    "ganzoo.evaluation.score": ("Score",),
    "ganzoo.evaluation.subject": ("Subject",),
    "ganzoo.models.game": ("Game",),
    "ganzoo.models.model": ("Model", "label_conditions"),
    "ganzoo.models.player": ("Player", "Rates"),
    "ganzoo.objectives.adversarial": ("Adversarial", "Hinge", "LeastSquares", "NonSaturating", "Wasserstein"),
    "ganzoo.objectives.consistency": ("Consistency",),
    "ganzoo.objectives.penalties": ("GradientPenalty", "R1"),
    "ganzoo.objectives.recognition": ("AuxiliaryClassification", "MutualInformation"),
    "ganzoo.training.events": ("Observer", "Summary", "Tick"),
    "ganzoo.training.plan": ("Plan",),
    "ganzoo.zoo.hookspecs": ("API_VERSION", "hookimpl"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("ganzoo")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'ganzoo' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
