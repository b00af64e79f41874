"""Measures how fast a configured model trains, and what each of ganzoo's ways adds to the textbook's."""

import ctypes
import gc
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry, register_flop_formula

from ganzoo.benchmark.breakdown import COMPUTE, profile_rounds
from ganzoo.benchmark.textbook import Textbook, pictures, refuse_what_no_tutorial_has
from ganzoo.benchmark.timing import Contestant, Spread, alternate, ratio
from ganzoo.data.batches import batches
from ganzoo.models.game import Game
from ganzoo.networks import native_grey, native_squares
from ganzoo.networks.grey import FromGrey, ToGrey, ToLargerGrey
from ganzoo.networks.native import has_amx
from ganzoo.networks.upsampling import UpsampledConv2d
from ganzoo.training.configuration import Configured, prepare
from ganzoo.training.plan import Plan
from ganzoo.training.trainer import Trainer

__all__ = ["Measured", "Rung", "measure"]

OURS = "ganzoo"
TEXTBOOK = "textbook"
PROFILE_SHARE = 0.2
"""Seconds of profiled rounds for each second of timed ones; to read the profile takes longer than to make it."""
PROFILED_ROUNDS = (2, 20)


@dataclass(frozen=True)
class Rung:
    """One way of training the same networks on the same batches; each has all that the ones before it have.

    Attributes:
        name: what is new in it.
        changes: ``arithmetic``, ``algorithm`` or ``neither``; nothing for the textbook's own way.
        rate: images per second.
        ratio: how many times as fast as the textbook's way, cycle by cycle.
        flop_per_image: counted over one round, forward and backward.
    """

    name: str
    changes: str
    rate: Spread
    ratio: Spread
    flop_per_image: float


@dataclass(frozen=True)
class Measured:
    """How fast a model trains.

    Attributes:
        model: its name.
        recipe: the recipe that its settings are from; empty for none.
        data: the data set.
        batch: real samples a turn of the first player.
        device: where it was computed, in words.
        precision: of the networks.
        rate: images per second.
        flop_per_image: floating-point operations of matrix products and convolutions, counted over one round.
        peak_memory: bytes, before anything else was timed; None where it cannot be told.
        shares: of a round's time by kind; they sum to 1.
        rungs: from the textbook's way to ganzoo's, where that was asked for.
        notes: what is worth knowing of the figures.
    """

    model: str
    recipe: str
    data: str
    batch: int
    device: str
    precision: str
    rate: Spread
    flop_per_image: float
    peak_memory: int | None
    shares: dict[str, float]
    rungs: tuple[Rung, ...] = ()
    notes: list[str] = field(default_factory=list)

    @property
    def flops(self) -> float:
        """FLOP/s attained."""
        return self.flop_per_image * self.rate.median

    @property
    def outside_compute(self) -> float:
        """Share of a round's time that networks and losses do not take."""
        return 1 - sum(self.shares[kind] for kind in COMPUTE)

    def as_dict(self) -> dict[str, Any]:
        """The measurement as plain data."""
        return {**asdict(self), "flops": self.flops, "outside_compute": self.outside_compute}


def measure(configured: Configured, *, seconds: float = 10.0, against_textbook: bool = False) -> Measured:
    """Play rounds in memory and time them; nothing is written.

    Args:
        configured: the model, its data and settings.
        seconds: the budget of the timing; setting up, counting and profiling come on top.
        against_textbook: whether to time the textbook's way and the steps from there too, window by window.

    Raises:
        UsageError: model and data do not go together, or the textbook has no counterpart of the model.
        RunError: the losses are not finite, or the data cannot be read.
    """
    forget_peak()
    plan, trainer = prepare(configured)
    if against_textbook:
        refuse_what_no_tutorial_has(plan.game)
    device = plan.hardware.device
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    flop = flop_of(trainer.play_round) / trainer.images_per_round
    trainer.warm_up()
    peak = plan.hardware.peak_memory()
    ways = {OURS: (trainer.play_round, "", flop)}
    if against_textbook:
        ways = textbook_ways(plan, trainer) | {"single-pass round (ganzoo)": (trainer.play_round, "algorithm", flop)}
    contestants = [Contestant(name, play, trainer.images_per_round) for name, (play, _, _) in ways.items()]
    rates = alternate(contestants, seconds, device)
    rungs = [
        Rung(name, changes, Spread.of(rates[name]), ratio(rates, name, TEXTBOOK), its_flop)
        for name, (_, changes, its_flop) in ways.items()
        if against_textbook
    ]
    rate = Spread.of(rates[contestants[-1].name])
    least, most = PROFILED_ROUNDS
    rounds = min(most, max(least, round(PROFILE_SHARE * seconds * rate.median / trainer.images_per_round)))
    shares = profile_rounds(trainer, rounds)
    trainer.check_finite()
    return Measured(
        model=plan.config.model,
        recipe=plan.config.recipe or "",
        data=plan.config.data,
        batch=plan.config.batch,
        device=plan.hardware.name,
        precision=plan.hardware.precision,
        rate=rate,
        flop_per_image=flop,
        peak_memory=peak,
        shares=shares,
        rungs=tuple(rungs),
        notes=notes_on(plan, trainer, against_textbook),
    )


def textbook_ways(plan: Plan, trainer: Trainer) -> dict[str, tuple[Callable[[], None], str, float]]:
    """The textbook's way, and the same rule with what changes no result and then with ganzoo's precision."""
    config, hardware = plan.config, plan.hardware
    split = trainer.splits[plan.game.data.sources[0]]

    def textbook(*, ours: bool, precision: str = "fp32") -> Textbook:
        game = Game.build(plan.game.model, plan.game.data, config.seed)
        if ours:
            held = batches(split, game.data, batch=config.batch, seed=config.seed, device=hardware.device)
        else:
            held = pictures(game, split, config.batch)
        return Textbook(
            game,
            held,
            hardware.device,
            fused=ours,
            channels_last=ours and game.data.is_image,
            precision=precision,
        )

    made = {TEXTBOOK: (textbook(ours=False), "")}
    made["data in memory, layout, fused steps"] = (textbook(ours=True), "neither")
    if hardware.precision != "fp32":
        made[hardware.precision] = (textbook(ours=True, precision=hardware.precision), "arithmetic")
    return {name: (way.step, changes, flop_of(way.step) / config.batch) for name, (way, changes) in made.items()}


def flop_of(play: Callable[[], object]) -> float:
    """Floating-point operations of one round's matrix products and convolutions, as torch counts them."""
    counter = FlopCounter()
    with counter:
        play()
    return counter.flop


class FlopCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what torch's own formulas say of each operation.

    Torch's ``FlopCounterMode`` does so by module, with hooks under which a penalty on a gradient fails.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flop = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one operation, and counts it."""
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.flop += formula(*args, **(kwargs or {}), out_val=result)
        return result


def products(pixels: Sequence[int], factors: Sequence[int], *_: object, **__: object) -> int:
    """Operations of native code, beneath which there are none to be counted: all squares by all factors."""
    return 2 * prod(pixels[:3]) // 4 * prod(factors)


for forward in (torch.ops.ganzoo.double_and_convolve, torch.ops.ganzoo.double_convolve_and_rectify):
    register_flop_formula(forward)(products)
for backward in (torch.ops.ganzoo.double_and_convolve_backward, torch.ops.ganzoo.double_convolve_and_rectify_backward):
    register_flop_formula(backward)(lambda *sizes, **_: 2 * products(*sizes))


def one_channel_flop(maps: Sequence[int], kernels: Sequence[int]) -> int:
    """The same of convolutions from or to one channel: every value of maps (N, H, W, C) by kernels (K, K, C)."""
    return 2 * prod(maps) * prod(kernels[:2])


register_flop_formula(torch.ops.ganzoo.grey_to_maps)(
    lambda _, kernels, *__, out_shape: one_channel_flop(out_shape, kernels)
)
register_flop_formula(torch.ops.ganzoo.maps_to_grey)(lambda maps, kernels, *_, **__: one_channel_flop(maps, kernels))
register_flop_formula(torch.ops.ganzoo.grey_kernels)(lambda maps, *_, out_shape: one_channel_flop(maps, out_shape))


def notes_on(plan: Plan, trainer: Trainer, against_textbook: bool) -> list[str]:
    """What is worth knowing of the figures."""
    notes = ["ganzoo's rounds are replays of a CUDA graph"] if trainer.rounds.captured else []
    layers = [layer for network in plan.game.networks.values() for layer in network.modules()]
    on_cpu, in_bf16 = plan.hardware.device.type == "cpu", plan.hardware.precision == "bf16"
    for what, kinds, absence, wanted in (
        ("upsampling", UpsampledConv2d, native_squares.absence, not (in_bf16 and has_amx())),
        ("the first or last convolution", (FromGrey, ToGrey, ToLargerGrey), native_grey.absence, True),
    ):
        if on_cpu and wanted and any(isinstance(layer, kinds) for layer in layers) and absence():
            notes.append(f"{what} is computed without native code, which takes longer: {absence()}")
    late = [player.name for player in plan.game.players if player.starts_at]
    if late:
        notes.append(f"{', '.join(late)} joins later in a run, and is not in these rounds")
    options = plan.game.model.options
    if against_textbook and (options.augmentation or options.instance_noise):
        notes.append("the textbook's way leaves out augmentation and instance noise, which ganzoo's round has")
    return notes


def forget_peak() -> None:
    """Start the process's peak of memory anew, where the system lets it; elsewhere it stays that of its whole life."""
    gc.collect()
    if sys.platform != "linux":
        return
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
