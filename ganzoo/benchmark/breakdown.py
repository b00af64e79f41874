"""Where the time of a round goes: the profiler's self times, by kind."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from time import perf_counter
from typing import Any

from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile, record_function

from ganzoo.benchmark.timing import wait_for
from ganzoo.training.trainer import Trainer

__all__ = ["COMPUTE", "KINDS", "profile_rounds", "shares"]

COMPUTE = ("convolution", "matrix product", "normalisation", "elementwise, copies")
"""The kinds of the networks and losses, forward and backward."""
KINDS = (*COMPUTE, "optimiser", "averages, statistics", "data", "Python, waiting")
"""Every kind; the last is what no operation accounts for."""

SPAN = "ganzoo: "
OPTIMISER = "Optimizer."
OPERATIONS = ("aten::", "ganzoo::")
"""How names of operations begin, torch's and our own."""
PATTERNS: Mapping[str, tuple[str, ...]] = {
    "optimiser": ("adam", "multi_tensor"),
    "convolution": ("conv", "grey", "fprop", "dgrad", "wgrad"),
    "normalisation": ("norm", "bn_fw", "bn_bw"),
    "matrix product": ("mm", "linear", "matmul", "gemv", "cutlass", "xmma"),
}
"""Parts of the names of operations and GPU kernels, by kind; the first kind that fits is taken."""


def profile_rounds(trainer: Trainer, rounds: int) -> dict[str, float]:
    """Share of the time that each kind takes; they sum to 1.

    On a CPU these are shares of the rounds' time, and profiling makes Python's part look larger than it is. On
    a GPU they are shares of the rounds' time that its kernels are busy; data and statistics are not told apart there.

    Args:
        trainer: warmed up; it plays on.
        rounds: how many to profile.
    """
    device = trainer.hardware.device
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * on_gpu
    with spans(trainer), profile(activities=activities, acc_events=True) as profiler:
        start = perf_counter()
        for _ in range(rounds):
            trainer.play_round()
        wait_for(device)
        passed = perf_counter() - start
    return shares(profiler.events() or (), 1e6 * passed, on_gpu)


def shares(events: Iterable[Any], passed: float, on_gpu: bool) -> dict[str, float]:
    """The kinds of profiled events.

    Args:
        events: the profiler's.
        passed: time of all, in microseconds.
        on_gpu: whether to count the GPU's kernels instead of the CPU's operations.
    """
    times = dict.fromkeys(KINDS, 0.0)
    for event in events:
        if on_gpu != (event.device_type == DeviceType.CUDA):
            continue
        if on_gpu:
            if not event.is_user_annotation:
                times[kind_of(event.name)] += event.self_device_time_total
        else:
            kind = span_of(event) or (kind_of(event.name) if event.name.startswith(OPERATIONS) else None)
            if kind is not None:
                times[kind] += event.self_cpu_time_total
    # Where operations overlap, as on several streams of a GPU, they may take longer than all did.
    whole = max(passed, sum(times.values()))
    times[KINDS[-1]] = whole - sum(times.values())
    return {kind: time / whole for kind, time in times.items()}


def kind_of(name: str) -> str:
    """The kind of an operation or kernel of that name."""
    lowered = name.lower()
    for kind, patterns in PATTERNS.items():
        if any(pattern in lowered for pattern in patterns):
            return kind
    return COMPUTE[-1]


def span_of(event: Any) -> str | None:
    """The kind of the span that an event lies in, if it lies in one."""
    while event is not None:
        if event.name.startswith(SPAN):
            return str(event.name.removeprefix(SPAN))
        if event.name.startswith(OPTIMISER):
            return "optimiser"
        event = event.cpu_parent
    return None


@contextmanager
def spans(trainer: Trainer) -> Iterator[None]:
    """Marks what a trainer does beside computing; outside of profiles it stays unmarked and costs nothing."""
    marked = [
        (trainer, "_deal", "data"),
        (trainer, "_record", "averages, statistics"),
        (trainer.averages, "update", "averages, statistics"),
    ]
    for owner, method, kind in marked:
        setattr(owner, method, within(SPAN + kind, getattr(owner, method)))
    try:
        yield
    finally:
        for owner, method, _ in marked:
            delattr(owner, method)


def within(span: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function in a span of that name."""

    @wraps(function)
    def spanned(*arguments: Any) -> Any:
        with record_function(span):
            return function(*arguments)

    return spanned
