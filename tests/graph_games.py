"""Games for the tests of captured rounds: everything that changes in the course of a run, in small networks."""

from functools import cache
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from training_helpers import Toys

from ganzoo import api
from ganzoo.core.data import DataSpec
from ganzoo.core.invariance import Affine
from ganzoo.core.latent import LatentSpec
from ganzoo.core.objective import Objective, Term
from ganzoo.core.variables import Normal
from ganzoo.models.model import Model
from ganzoo.models.player import Player, Rates
from ganzoo.training.trainer import Trainer
from ganzoo.zoo.hookspecs import hookimpl
from ganzoo.zoo.manager import Zoo

__all__ = ["BATCH", "Solo", "Trio", "playing", "state"]

BATCH = 16


class Moving(Toys):
    """The toys, with maps under which they keep their meaning."""

    name: ClassVar[str] = "moving"

    class Options(Toys.Options):
        side: int = 8

    @property
    def spec(self) -> DataSpec:
        return super().spec.model_copy(update={"name": "moving", "invariances": (Affine(),)})


class Trio(Model):
    """A second critic joins at half-time; the third player moves with it."""

    name = "trio"

    def latent(self, data):
        return LatentSpec(z=Normal(4))

    def networks(self, latent, data):
        return {**super().networks(latent, data), "judge": self.critic(latent, data)}

    def players(self, latent, data):
        critic, generator = super().players(latent, data)
        return [critic, Player("judge", {"judge": Rates()}, starts_at=0.5), generator]

    def objective(self, latent, data):
        return Judged() + self.adversarial()


class Judged(Objective):
    """The second critic's term."""

    def terms(self, player, round):
        if player == "judge":
            realness = round.judge(round.real.values, network="judge").realness
            yield Term("real", (realness - round.uniform("aim", len(realness), 1)).square().mean())


class Solo(Model):
    """A critic whose terms a test gives."""

    name = "solo"
    terms: ClassVar[Any] = None

    def latent(self, data):
        return LatentSpec(z=Normal(4))

    def objective(self, latent, data):
        return Given(type(self).terms) + self.adversarial()


class Given(Objective):
    def __init__(self, given):
        self.given = given

    def critic_terms(self, round):
        yield from self.given(round)


@cache
def zoo() -> Zoo:
    found = Zoo()
    plugin = SimpleNamespace(
        ganzoo_register_datasets=hookimpl(lambda: [Moving], specname="ganzoo_register_datasets"),
        ganzoo_register_models=hookimpl(lambda: [Solo, Trio], specname="ganzoo_register_models"),
    )
    found.register(plugin, "moving")
    return found


def playing(model: str | type[Model] = "infogan", rounds: int = 200, **options: Any) -> Trainer:
    """A trainer whose schedules last so many rounds."""
    turns = options.get("critic_turns", 1)
    flags = {"images": rounds * BATCH * turns, "batch": BATCH, "precision": "fp32", "save_every": 10**6}
    flags["device"] = options.pop("device", "cpu")
    flags |= options.pop("flags", {})
    given = {"width": 0.125, **options}
    name = model if isinstance(model, str) else model.name
    return api.prepare(api.configure(name, data="moving", flags=flags, options=given, zoo=zoo()))[1]


def state(trainer: Trainer) -> dict[str, torch.Tensor]:
    """Everything that a checkpoint would hold."""
    return {f"{kind}/{name}": value for kind, values in trainer.state()[0].items() for name, value in values.items()}
