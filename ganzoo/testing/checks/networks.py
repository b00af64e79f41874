"""Latent space, generator and critic: shapes, ranges, batches of any size, and what can be saved."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo.core.critic import Critic, Verdict
from ganzoo.core.data import DataSpec
from ganzoo.core.latent import LatentSpec
from ganzoo.models.game import Game
from ganzoo.runs.checkpoint import state_of
from ganzoo.testing.bench import Bench
from ganzoo.testing.checks.spec import check
from ganzoo.testing.data import described
from ganzoo.testing.results import CheckFailed, require
from ganzoo.training.trainer import Trainer

__all__ = ["batches", "builds", "critic", "generator", "judgements", "state"]

FEW = 6
LOUDER = 10.0
"""Factor on every weight that brings what is squashed, or never leaves its range, into the open."""
_TORCHS = ("_parameters", "_buffers", "_modules")


@check("options")
def builds(bench: Bench) -> None:
    """The model is put together for any kind of data, or refuses it in one sentence."""
    for dataset in bench.taken:
        game, where = bench.build(dataset), described(dataset.spec)
        for network in ("generator", "critic"):
            require(network in game.networks, f"networks() for {where} returns no {network!r}")
        require(
            game.latent == bench.build(dataset).latent,
            f"latent() for {where} is not the same twice; let it depend on options and data alone",
        )
        flat = game.latent.sample(FEW, seed=0).flat
        require(bool(flat.isfinite().all()), f"the latent space for {where} has values that are not finite")
        require(bool(str(game)), f"the model for {where} cannot be shown")


@check("builds")
def generator(bench: Bench) -> None:
    """Samples have the data's shape and are floats within its range, whatever the weights."""
    for dataset in bench.taken:
        game, where = bench.build(dataset), described(dataset.spec)
        network, latents = game.networks["generator"], game.latent.sample(FEW, seed=0).flat
        for training in (True, False):
            _check_samples(_called(network, latents, training=training), game.data, where)
        _louder(network)
        _check_samples(_called(network, latents, training=True), game.data, f"{where} and larger weights")


@check("builds")
def critic(bench: Bench) -> None:
    """Verdicts are raw tensors with a row a sample, and as wide as the variables that they recognise need."""
    for dataset in bench.taken:
        trainer, where = bench.trainer(dataset, batch=FEW), described(dataset.spec)
        seen = judgements(trainer)
        require(bool(seen), f"the objective for {where} asks no critic for a verdict")
        for network, arguments in seen:
            _check_verdict(_called(network, *arguments, training=True), trainer.game.latent, FEW, where)
            samples, condition = arguments
            maps = network.layers(samples, condition)
            require(
                isinstance(maps, Mapping) and all(isinstance(m, Tensor) and len(m) == FEW for m in maps.values()),
                f"layers() of the critic for {where} should return a dictionary of tensors with a row a sample",
            )
        for network, arguments in seen:
            _louder(network)
            _check_unsquashed(_called(network, *arguments, training=True), trainer.game.latent, where)


@check("terms")
def batches(bench: Bench) -> None:
    """Networks take a batch of any size: one sample, and the odd rest of a data set."""
    dataset = bench.taken[0]
    trainer, where = bench.trainer(dataset, batch=FEW), described(dataset.spec)
    latent, network = trainer.game.latent, trainer.game.networks["generator"]
    seen = judgements(trainer)
    for rows in (1, 5):
        samples = _sized(
            rows, "the generator", lambda n=rows: _called(network, latent.sample(n, 0).flat, training=False)
        )
        _check_samples(samples, trainer.game.data, f"{where} in a batch of {rows}", rows)
        for judge, arguments in seen:
            fewer = [None if argument is None else argument[:rows] for argument in arguments]
            verdict = _sized(rows, "the critic", lambda j=judge, f=fewer: _called(j, *f, training=False))
            _check_verdict(verdict, latent, rows, f"{where} in a batch of {rows}")
    for rows in (5,) if trainer.game.has_batch_statistics else (5, 1):
        playing = bench.trainer(dataset, batch=rows)
        _sized(rows, "a round of training", playing.play_round)
        playing.check_finite()


@check("builds")
def state(bench: Bench) -> None:
    """All state is tensors that a safetensors file can hold: named once, finite, and nothing but tensors."""
    for dataset in bench.taken:
        owner: dict[tuple[int, int], str] = {}
        networks = bench.build(dataset).networks
        for name in _hidden(networks):
            raise CheckFailed(
                f"{name} holds what is trained by nobody, moved to no device and saved in no file; use nn.ModuleList, "
                "nn.ModuleDict or nn.ParameterList"
            )
        for name, value in state_of(networks).items():
            require(
                isinstance(value, Tensor),
                f"{name} is a {type(value).__name__} in the state; keep what must be saved in a buffer",
            )
            require(
                value.layout == torch.strided and not value.is_quantized and not value.is_complex(),
                f"{name} is a tensor of a kind that safetensors cannot hold ({value.layout}, {value.dtype})",
            )
            require(
                not value.is_floating_point() or bool(value.isfinite().all()),
                f"{name} is not finite at the start; begin with numbers",
            )
            place = (value.untyped_storage().data_ptr(), int(value.storage_offset()))
            twin = owner.setdefault(place, name) if value.numel() else name
            require(
                twin == name,
                f"{name} and {twin} are one tensor under two names; register it once and use it in both places",
            )


def _called(network: nn.Module, *arguments: Tensor | None, training: bool) -> Any:
    """What a network makes of its arguments, without gradients; it stays in that mode."""
    network.train(training)
    with torch.no_grad():
        return network(*arguments)


def _sized(rows: int, what: str, call: Any) -> Any:
    try:
        return call()
    except Exception as error:
        raise CheckFailed(
            f"{what} does not take a batch of {rows}: {type(error).__name__}: {error}; take the size from the input"
        ) from error


def _louder(network: nn.Module) -> None:
    """Multiplies the weights, so that what comes out is far from where a fresh network keeps it."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(LOUDER)


def _check_samples(samples: Any, data: DataSpec, where: str, rows: int = FEW) -> None:
    require(isinstance(samples, Tensor), f"the generator for {where} returns a {type(samples).__name__}, no tensor")
    require(
        tuple(samples.shape) == (rows, *data.shape),
        f"the generator for {where} returns {tuple(samples.shape)}, not {(rows, *data.shape)}",
    )
    require(samples.is_floating_point(), f"the generator for {where} returns {samples.dtype}, not floats")
    require(bool(samples.isfinite().all()), f"the generator for {where} returns values that are not finite")
    low, high = data.range
    least, most = samples.min().item(), samples.max().item()
    require(
        low <= least and most <= high,
        f"samples for {where} reach from {least:.3g} to {most:.3g}, outside the data's range of {low:g} to {high:g}; "
        "end the generator with a squashing function scaled to data.range",
    )


def judgements(trainer: Trainer) -> list[tuple[Critic, tuple[Tensor, Tensor | None]]]:
    """Plays a round and returns what each critic was first asked, without the graph.

    What a critic gets beside a sample is up to the objective, so nobody else can make it up.
    """
    seen: dict[str, tuple[Critic, tuple[Tensor, Tensor | None]]] = {}
    hooks = []
    for name, judge in _critics(trainer.game):

        def keep(network: Critic, arguments: tuple[Any, ...], named: dict[str, Any], name: str = name) -> None:
            samples, condition = (*arguments, *named.values(), None)[:2]
            kept = None if condition is None else condition.detach().clone()
            seen.setdefault(name, (network, (samples.detach().clone(), kept)))

        hooks.append(judge.register_forward_pre_hook(keep, with_kwargs=True))
    try:
        trainer.play_round()
    except RuntimeError:
        # What the critic says is one thing, whether its verdict can be learned from is another check's.
        if not seen:
            raise
    for hook in hooks:
        hook.remove()
    return list(seen.values())


def _hidden(networks: Mapping[str, nn.Module]) -> Iterator[str]:
    """Lists and dictionaries with parameters in them that the networks do not know of, by ``network.attribute``."""
    known = {id(parameter) for network in networks.values() for parameter in network.parameters()}
    for root, network in networks.items():
        for path, module in network.named_modules(prefix=root):
            for attribute, value in vars(module).items():
                items = value.values() if isinstance(value, dict) else value
                if attribute not in _TORCHS and isinstance(value, list | tuple | dict) and _trained(items) - known:
                    yield f"{path}.{attribute}, a plain {type(value).__name__},"


def _trained(items: Iterable[object]) -> set[int]:
    """The identities of all parameters among things, or in modules among them, that would be trained."""
    found = [item for item in items if isinstance(item, nn.Parameter)]
    found += [parameter for item in items if isinstance(item, nn.Module) for parameter in item.parameters()]
    return {id(parameter) for parameter in found if parameter.requires_grad}


def _critics(game: Game) -> Iterator[tuple[str, Critic]]:
    for name, network in game.networks.items():
        require(
            name != "critic" or isinstance(network, Critic),
            f"the critic is a {type(network).__name__}; derive it from ganzoo.Critic",
        )
        if isinstance(network, Critic):
            yield name, network


def _check_verdict(verdict: Any, latent: LatentSpec, rows: int, where: str) -> None:
    require(isinstance(verdict, Verdict), f"the critic for {where} returns a {type(verdict).__name__}, no Verdict")
    realness, features, recognised = verdict
    require(
        isinstance(realness, Tensor) and realness.ndim >= 1 and len(realness) == rows and realness.is_floating_point(),
        f"the realness for {where} should be floats of shape ({rows}, …), not {_shape(realness)}",
    )
    require(
        isinstance(features, Tensor) and features.ndim == 2 and len(features) == rows,
        f"the features for {where} should be of shape ({rows}, F), not {_shape(features)}",
    )
    for name, parameters in recognised.items():
        require(
            name in latent, f"the critic recognises {name!r}, and the latent space for {where} has no such variable"
        )
        require(
            isinstance(parameters, Tensor) and tuple(parameters.shape) == (rows, latent.head_width(name)),
            f"the parameters of {name!r} for {where} should be of shape ({rows}, {latent.head_width(name)}), "
            f"not {_shape(parameters)}",
        )
    for what, values in {"realness": realness, "features": features, **recognised}.items():
        require(bool(values.isfinite().all()), f"the critic for {where} returns values of {what} that are not finite")


def _check_unsquashed(verdict: Verdict, latent: LatentSpec, where: str) -> None:
    require(
        verdict.realness.abs().max().item() > 1,
        f"the realness for {where} stays within [-1, 1] however large the weights; return the logit or score itself, "
        "and leave the sigmoid to the loss",
    )
    for name, parameters in verdict.recognised.items():
        certain = latent[name].discrete and parameters.shape[1] > 1
        require(
            not certain or bool((parameters.sum(1) - 1).abs().max() > 1e-3),
            f"the parameters of {name!r} for {where} add up to 1 in every row; return logits, without a softmax",
        )


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else type(value).__name__
