"""How rounds are played: operation by operation, or captured once in a CUDA graph and replayed."""

import gc
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Protocol

import torch

from ganzoo.core.errors import RunError, UsageError
from ganzoo.models.player import Player
from ganzoo.training.agreement import outcome, putting_back, refuse_difference
from ganzoo.training.distributed import Processes
from ganzoo.training.inputs import Deal, Inputs, StaticInputs

if TYPE_CHECKING:
    from ganzoo.training.trainer import Trainer

__all__ = ["Backend", "CapturedRounds", "CudaGraphs", "Rounds", "notes_on_graphs", "way_of_playing"]

WARM_UPS = 2
"""Rounds on the stream of the capture before it: libraries set themselves up at their first calls there."""
CHECKED = 3
"""Rounds that are replayed and played plainly from the same state, before a graph is used."""


class Backend(Protocol):
    """What captures a round's operations."""

    def warm_up(self, play: Callable[[], None]) -> None:
        """Play a round where the capture is going to be."""

    def capture(self, play: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], None]:
        """Note down the operations of a round; what is returned carries them out again.

        Args:
            play: plays the round; it need not have any effect but in Python.
            generators: what it draws random numbers from, seeded between two replays.
        """


class CudaGraphs:
    """Torch's CUDA graphs.

    Args:
        device: a GPU.
    """

    def __init__(self, device: torch.device) -> None:
        self.device, self.stream = device, torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm_up(self, play: Callable[[], None]) -> None:
        """Play a round on the stream of the capture."""
        with torch.cuda.device(self.device):
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                play()
            torch.cuda.current_stream().wait_stream(self.stream)

    def capture(self, play: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], None]:
        """Capture a round; nothing is computed."""
        with torch.cuda.device(self.device), restoring_the_global_generator(self.stream.device_index):
            gc.collect()  # a former run's graph must not be torn down in the middle of a capture
            graph = torch.cuda.CUDAGraph()
            for generator in generators:
                graph.register_generator_state(generator)
            # Other threads, such as one that pins the next batch's memory, may do as they like meanwhile.
            with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
                play()

        def replay() -> None:
            with torch.cuda.device(self.device):
                graph.replay()

        return replay


@contextmanager
def restoring_the_global_generator(index: int) -> Iterator[None]:
    """A capture that fails leaves torch's own generator as if one were still under way; give it its state back."""
    generator = torch.cuda.default_generators[index]
    state = generator.clone_state()
    try:
        yield
    except BaseException:
        generator.graphsafe_set_state(state)
        raise


class Rounds:
    """Rounds as Python plays them.

    Args:
        trainer: whose they are.
    """

    slow: ClassVar[int] = 1
    """How many rounds at the beginning take longer than the others."""

    def __init__(self, trainer: "Trainer") -> None:
        self.trainer = trainer

    @property
    def captured(self) -> bool:
        """Whether the next round is a graph's, as things stand."""
        return False

    def play(self) -> None:
        """Play one round."""
        self.trainer.seed_layers()
        self.trainer.play_moves()

    def forget(self) -> None:
        """Expect tensors at other places than before."""


class CapturedRounds(Rounds):
    """Rounds that are captured once and then replayed, after the graph has proved itself.

    The first round is plain: it makes the optimisers' state and the sums of the statistics. Before the second, a
    round is captured, and ``CHECKED`` rounds are replayed, and played plainly twice, each time from the present state
    and on the same samples. Everything that this changed is put back. If they agree, this round and all that follow are
    replays; if not, or if anything was raised, they are plain to the end, and a warning says why. When another
    player joins, another graph is captured and tried.

    Args:
        trainer: whose rounds they are.
        backend: what captures them.
        insist: whether to stop rather than play plainly.
    """

    slow: ClassVar[int] = 2

    def __init__(self, trainer: "Trainer", backend: Backend, insist: bool = False) -> None:
        super().__init__(trainer)
        self.backend, self.insist = backend, insist
        self.refused = ""
        self._players: list[Player] = []
        self._graph: Graph | None = None

    @property
    def captured(self) -> bool:
        """Whether the next round is a graph's, as things stand."""
        return self._graph is not None

    def play(self) -> None:
        """Play one round.

        Raises:
            RunError: there is no graph, and it was insisted on one.
        """
        trainer = self.trainer
        players = trainer.players_at(trainer.images)
        known, self._players = players == self._players, players
        if not known:
            self._graph = None
        elif self._graph is None and not self.refused and self._settled():
            self._graph = self._captured()
        if self._graph is None:
            super().play()
        else:
            self._replay(self._graph, trainer.inputs)

    def forget(self) -> None:
        """Let go of the graph; one is captured anew after the next round."""
        self._players, self._graph = [], None

    def _settled(self) -> bool:
        """Whether nobody joins before the graph's rounds are compared with plain ones."""
        last = self.trainer.images + (CHECKED - 1) * self.trainer.images_per_round
        return self.trainer.players_at(last) == self._players

    def _captured(self) -> "Graph | None":
        """A graph of the next round; None if it cannot be captured or does not do what plain rounds do."""
        trainer = self.trainer
        ahead = [self._deals(trainer.inputs) for _ in range(CHECKED)]
        trainer.inputs.put_back(chain.from_iterable(ahead))
        try:
            with putting_back(trainer) as before:
                graph = self._capture(ahead[0], before.restore)
                replayed = outcome(trainer, ahead, lambda source: self._replay(graph, source))
                before.restore()
                played = outcome(trainer, ahead, self._play_plainly)
                before.restore()
                again = outcome(trainer, ahead, self._play_plainly)
                refuse_difference(before.tensors, played, again, replayed)
        except Exception as error:  # whatever it is, plain rounds do not need what has failed
            self._refuse(error)
            return None
        return graph

    def _capture(self, deals: Sequence[Deal], restore: Callable[[], None]) -> "Graph":
        trainer = self.trainer
        inputs = StaticInputs(deals, trainer.images, trainer.hardware.device)
        before = trainer.calls.copy()

        def play() -> None:
            inputs.rewind()
            with trainer.playing_from(inputs):
                trainer.play_moves()

        for _ in range(WARM_UPS):
            self.backend.warm_up(play)
            restore()
            inputs.refresh(deals, trainer.images)
        with capturable(trainer):
            replay = self.backend.capture(play, inputs.generators)
        calls = trainer.calls - before
        restore()
        return Graph(inputs, replay, calls)

    def _replay(self, graph: "Graph", source: Inputs) -> None:
        graph.inputs.refresh(self._deals(source), self.trainer.images)
        self.trainer.seed_layers()
        graph.replay()
        self.trainer.images += self.trainer.images_per_round
        self.trainer.calls.update(graph.calls)

    def _play_plainly(self, source: Inputs) -> None:
        with self.trainer.playing_from(source):
            super().play()

    def _deals(self, source: Inputs) -> list[Deal]:
        return [source.deal() for _ in range(self.trainer.game.players[0].turns)]

    def _refuse(self, error: BaseException) -> None:
        while error.__context__ is not None:  # the end of a capture complains of what happened inside
            error = error.__context__
        self.refused = str(error).strip().partition("\n")[0] or type(error).__name__
        if self.insist:
            raise RunError(f"--graph on, but the rounds cannot be played by a CUDA graph: {self.refused}") from error
        warnings.warn(f"rounds are played without a CUDA graph: {self.refused}", stacklevel=4)


@dataclass(frozen=True)
class Graph:
    """A captured round.

    Attributes:
        inputs: what it reads, to be refreshed before each replay.
        replay: carries it out.
        calls: what it adds to the counted extra calls.
    """

    inputs: StaticInputs
    replay: Callable[[], None]
    calls: Counter[str]


@contextmanager
def capturable(trainer: "Trainer") -> Iterator[None]:
    """Let the optimisers step inside a capture; outside of one they would warn that it is for nothing."""
    groups = [group for optimiser in trainer.optimisers.values() for group in optimiser.param_groups]
    for group in groups:
        group["capturable"] = True
    try:
        yield
    finally:
        for group in groups:
            group["capturable"] = False


def way_of_playing(trainer: "Trainer") -> Rounds:
    """Captured rounds where the setting ``graph`` and the machine allow it, and plain ones elsewhere."""
    setting, device = trainer.config.graph, trainer.hardware.device
    if setting == "off" or reason_against(device, trainer.processes):
        return Rounds(trainer)
    return CapturedRounds(trainer, CudaGraphs(device), insist=setting == "on")


def notes_on_graphs(setting: str, device: torch.device, processes: Processes) -> list[str]:
    """What is worth saying of how rounds are going to be played.

    Args:
        setting: ``auto``, ``on`` or ``off``.
        device: where they are computed.
        processes: who plays.

    Raises:
        UsageError: graphs are asked for, and impossible here.
    """
    against = reason_against(device, processes)
    if setting == "on" and against:
        raise UsageError(f"--graph on is not possible here, because {against}; choose auto or off")
    if setting == "off" or device.type != "cuda":
        return []
    if against:
        return [f"rounds are played without a CUDA graph, because {against}"]
    return ["rounds are captured in a CUDA graph, which has to agree with plain rounds before it is used"]


def reason_against(device: torch.device, processes: Processes) -> str:
    """Why rounds cannot be captured; "" if they may be."""
    if device.type != "cuda":
        return f"a CUDA graph needs a CUDA device, and this is {device}"
    return f"{processes.count} processes share every round" if processes.count > 1 else ""
