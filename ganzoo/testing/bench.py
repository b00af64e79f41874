"""The bench that a model is put on: its games, trainers and runs on tiny data, through the usual doors."""

from collections.abc import Mapping
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from ganzoo.core.data import Dataset
from ganzoo.core.errors import UsageError
from ganzoo.models.game import Game
from ganzoo.models.model import Model
from ganzoo.runs.resolve import resolve
from ganzoo.runs.settings import Layer
from ganzoo.testing.data import KINDS, TinyData, described
from ganzoo.testing.results import CheckFailed, CheckResult, require
from ganzoo.training.configuration import Configured, prepare
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo
from ganzoo.zoo.selection import Selection

__all__ = ["BATCH", "ROUNDS", "Bench"]

BATCH = 16
ROUNDS = 6
"""Rounds of a whole run; half as many are played before it is resumed."""
_NARROW = 0.125
_LONGEST = 400


class Bench:
    """A model under examination.

    Args:
        model: the class.
        options: options of the model, by name; stock networks get an eighth of their width unless they say.
        data: a data set to examine it on instead of the tiny ones.

    Attributes:
        outcomes: what the checks said so far, by name.
        errors: what they raised.
        whole: the tensors that an uninterrupted run ended with, once there was one, by ``file/name``.
    """

    def __init__(
        self, model: type[Model], options: Mapping[str, Any] | None = None, data: type[Dataset] | None = None
    ) -> None:
        self.model = model
        self.options: dict[str, Any] = {"width": _NARROW, **(options or {})}
        self.data = data
        self.outcomes: dict[str, CheckResult] = {}
        self.errors: dict[str, BaseException] = {}
        self.whole: dict[str, Tensor] = {}

    @cached_property
    def zoo(self) -> Zoo:
        """A zoo with the built-in plugins, this model and the tiny data: no neighbour can disturb.

        Raises:
            UsageError: the model has no name, or an impossible one.
        """
        zoo = Zoo(selection=Selection(allow=frozenset()))
        datasets = [TinyData] if self.data is None else [TinyData, self.data]
        plugin = SimpleNamespace(
            ganzoo_register_models=hookimpl(lambda: [self.model], specname="ganzoo_register_models"),
            ganzoo_register_datasets=hookimpl(lambda: datasets, specname="ganzoo_register_datasets"),
        )
        zoo.register(plugin, "examined")
        return zoo

    @property
    def kinds(self) -> tuple[Dataset, ...]:
        """Every kind of data that the model is offered."""
        return KINDS if self.data is None else (self.data(),)

    @cached_property
    def taken(self) -> tuple[Dataset, ...]:
        """The kinds of data that the model takes.

        Raises:
            CheckFailed: it takes none, or refuses one by anything but a sentence.
        """
        taken, refusals = [], []
        for dataset in self.kinds:
            try:
                self.build(dataset)
            except UsageError as error:
                refusals.append(str(error))
                sentence = str(error)
                require(
                    bool(sentence.strip()) and "\n" not in sentence and len(sentence) <= _LONGEST,
                    f"the refusal of {described(dataset.spec)} should be one sentence that says what the model "
                    f"needs, not {sentence[:60]!r}…",
                )
            except Exception as error:
                raise CheckFailed(
                    f"building the model for {described(dataset.spec)} raises {type(error).__name__}: {error}; make "
                    "it work, or raise ganzoo.UsageError with one sentence that says which data the model needs"
                ) from error
            else:
                taken.append(dataset)
        require(
            bool(taken),
            f"the model refuses every kind of data that it is offered ({refusals[-1:]}); give the kit a data set "
            "that it takes, as in check_model(Model, data=MyData)",
        )
        return tuple(taken)

    def build(self, dataset: Dataset, seed: int = 0) -> Game:
        """The model put together for one kind of data.

        Raises:
            UsageError: the model refuses the data or its options.
        """
        return Game.build(self.model(**self.options), dataset.spec, seed)

    def configured(self, dataset: Dataset | None = None, **flags: Any) -> Configured:
        """A short run, its settings resolved as those of any run; ``flags`` are settings of it.

        Args:
            dataset: what to train on; the first kind that the model takes unless given.
            **flags: settings by name; by default the batch is 16 and the budget 6 rounds.
        """
        dataset = dataset or self.taken[0]
        round_size = flags.get("batch", BATCH) * self._turns(dataset)
        length = ROUNDS * round_size
        settings = {
            **{"model": self.model.name, "data": dataset.name, "images": length, "batch": BATCH, "seed": 0},
            **{"device": "cpu", "precision": "fp32"},
            **{"schedule": length, "half_life": round_size, "tick": round_size, "save_every": length},
            **flags,
            **{f"data_options.{key}": value for key, value in dataset.options.model_dump(mode="json").items()},
            **{f"options.{key}": value for key, value in self.options.items()},
        }
        config, origins = resolve([Layer("the conformance kit", settings)], self.model.Options)
        return Configured(config, origins, self.model(**config.options), dataset, self.zoo)

    def trainer(self, dataset: Dataset | None = None, **flags: Any) -> Trainer:
        """The trainer of a short run, at its start; nothing is written."""
        return prepare(self.configured(dataset, **flags))[1]

    def _turns(self, dataset: Dataset) -> int:
        return self.build(dataset).players[0].turns
