"""Sampling and runs: evaluation mode, samples that stay what they are, saving, loading and going on."""

from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from ganzoo import api
from ganzoo.runs.checkpoint import latest
from ganzoo.runs.directory import RunDirectory
from ganzoo.sampling.chunks import CHUNK
from ganzoo.sampling.sampler import Sampler
from ganzoo.testing.bench import ROUNDS, Bench
from ganzoo.testing.checks.networks import judgements
from ganzoo.testing.checks.spec import check
from ganzoo.testing.results import require
from ganzoo.training.events import Observer, Tick

__all__ = ["evaluation", "independence", "resuming", "saving"]


class _Last(Observer):
    """Keeps the preview of the last tick: samples of the averaged generator, as the run ends."""

    preview: Tensor

    def ticked(self, tick: Tick) -> None:
        self.preview = tick.preview()


@check("terms")
def evaluation(bench: Bench) -> None:
    """In evaluation mode nothing is changed, and nothing is left to chance."""
    trainer = bench.trainer()
    seen = judgements(trainer)
    network = trainer.game.networks["generator"].train()
    sampler = Sampler.of(network, trainer.game.latent, trainer.game.data)
    before = _state(network)
    first, again = sampler.sample(8), sampler.sample(8)
    _unchanged(network, before, "sampling")
    require(
        all(module.training for module in network.modules()),
        "sampling leaves a part of the generator out of training mode; leave the mode to train() and eval()",
    )
    require(
        torch.equal(first, again),
        "the same latents give other samples the second time; in evaluation mode draw nothing (F.dropout takes "
        "training=self.training)",
    )
    for judge, arguments in seen:
        judge.eval()
        before = _state(judge)
        with torch.no_grad():
            one, other = judge(*arguments), judge(*arguments)
        _unchanged(judge, before, "judging in evaluation mode")
        require(torch.equal(one.realness, other.realness), "the same samples get another verdict in evaluation mode")


@check("evaluation")
def independence(bench: Bench) -> None:
    """Sample k of a seed is the same whatever it is asked for with."""
    game = bench.trainer().game
    sampler = Sampler.of(game.networks["generator"], game.latent, game.data)
    whole = sampler.sample(CHUNK + 6)
    for first, n in ((0, 1), (3, 4), (CHUNK - 1, 3), (CHUNK + 5, 1)):
        require(
            torch.equal(sampler.sample(n, first=first), whole[first : first + n]),
            f"sample {first} differs with those that it is asked for with; in evaluation mode each row must be "
            "computed alone, without statistics of the batch",
        )


@check("state", "evaluation", "determinism")
def saving(bench: Bench) -> None:
    """A run that is opened again gives the samples that it gave when it ended."""
    last = _Last()
    with TemporaryDirectory(prefix="ganzoo-") as folder:
        run = api.start(bench.configured(), out=folder, observer=last)
        opened = api.open(run.path, zoo=bench.zoo).sample(len(last.preview))
        bench.whole = _tensors(run.directory)
    require(
        torch.equal(opened, last.preview),
        "an opened run gives other samples than it gave when it ended; what the generator needs must be a parameter "
        "or a persistent buffer",
    )


@check("saving")
def resuming(bench: Bench) -> None:
    """A run that goes on after half of its budget ends as if it had never stopped, bit for bit."""
    config = bench.configured().config
    half = config.images // ROUNDS * (ROUNDS // 2)
    with TemporaryDirectory(prefix="ganzoo-") as folder:
        run = api.start(bench.configured(images=half), out=folder)
        api.resume(run.path, out=Path(folder), flags={"images": config.images}, zoo=bench.zoo)
        resumed = _tensors(RunDirectory.open(run.path))
    names = bench.whole.keys() | resumed.keys()
    differing = sorted(
        name
        for name in names
        if name not in bench.whole or name not in resumed or not torch.equal(bench.whole[name], resumed[name])
    )
    require(
        not differing,
        f"a resumed run ends with another {', '.join(differing[:3])}; keep what changes in training in the networks' "
        "buffers, or compute it from round.progress",
    )


def _state(network: nn.Module) -> dict[str, Tensor]:
    """Copies of every parameter and buffer, those that are not saved too."""
    return {name: value.detach().clone() for name, value in (*network.named_parameters(), *network.named_buffers())}


def _unchanged(network: nn.Module, before: dict[str, Tensor], what: str) -> None:
    after = _state(network)
    for name, value in before.items():
        require(
            name in after and torch.equal(after[name], value),
            f"{what} changes {name}; change buffers only where self.training is true",
        )


def _tensors(run: RunDirectory) -> dict[str, Tensor]:
    """Every tensor of the newest checkpoint, by ``file/name``."""
    checkpoint = latest(run)
    stems = [Path(name).stem for name in checkpoint.manifest.files]
    return {f"{stem}/{name}": value for stem in stems for name, value in checkpoint.tensors(stem).items()}
