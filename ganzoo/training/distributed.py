"""Several processes that train one model: who they are, which rows are whose, and what they tell each other."""

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ganzoo.core.errors import RunError, UsageError
from ganzoo.models.game import Game
from ganzoo.training.launch import meeting_place

__all__ = ["ALONE", "Processes", "joined", "sharing_notes", "synchronise_statistics", "synchronises"]


@dataclass(frozen=True)
class Processes:
    """The processes of a run, seen from one of them.

    Every process calls the methods in the same order, since each waits for the others. A lone process waits
    for nobody, and nothing is copied.

    Attributes:
        rank: which one this is, from 0; process 0 alone writes files.
        count: how many there are, on all machines together.
        local_rank: which one this is on its machine; it computes on the GPU of that number.
    """

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def first(self) -> bool:
        """Whether this is process 0."""
        return self.rank == 0

    def rows(self, batch: int) -> slice | None:
        """This process's rows of a batch; None for all of them, where there is one process.

        Raises:
            UsageError: the batch does not come out even.
        """
        if self.count == 1:
            return None
        own, rest = divmod(batch, self.count)
        if rest:
            even = " or ".join(str(size) for size in (batch - rest, batch - rest + self.count) if size)
            raise UsageError(f"{self.count} processes cannot share a batch of {batch} evenly; try --batch {even}")
        return slice(self.rank * own, (self.rank + 1) * own)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Replace floating-point tensors, of the same shapes everywhere, by their means over the processes.

        Raises:
            RunError: another process is gone.
        """
        if self.count > 1 and tensors:
            self._reduce(tensors, dist.ReduceOp.SUM, self.count)

    def least(self, tensors: Sequence[Tensor]) -> None:
        """Replace tensors, of the same shapes everywhere, by their smallest values over the processes.

        Raises:
            RunError: another process is gone.
        """
        if self.count > 1 and tensors:
            self._reduce(tensors, dist.ReduceOp.MIN)

    def any(self, flag: bool) -> bool:
        """Whether the flag is up on any process.

        Raises:
            RunError: another process is gone.
        """
        if self.count == 1:
            return flag
        # On the CPU whatever the device, so that a GPU is not waited for.
        raised = torch.tensor([flag], dtype=torch.uint8)
        with self._together():
            dist.all_reduce(raised, dist.ReduceOp.MAX)
        return bool(raised)

    def tell(self, text: str) -> str:
        """The text that process 0 gives; what the others give is ignored.

        Raises:
            RunError: another process is gone.
        """
        if self.count == 1:
            return text
        content = torch.tensor(list(text.encode()), dtype=torch.uint8)
        length = torch.tensor([len(content)])
        with self._together():
            dist.broadcast(length, 0)
            if not self.first:
                content = torch.empty(int(length), dtype=torch.uint8)
            dist.broadcast(content, 0)
        return bytes(content.tolist()).decode()

    def expect_same(self, what: str, value: str) -> None:
        """Stop where this process has another value than process 0.

        Args:
            what: what the value is, in words.
            value: this process's.

        Raises:
            RunError: the values differ, or another process is gone.
        """
        expected = self.tell(value)
        if value != expected:
            raise RunError(f"{what} of process {self.rank} is {value}, and that of process 0 is {expected}")

    def _reduce(self, tensors: Sequence[Tensor], how: dist.ReduceOp.RedOpType, divisor: int = 1) -> None:
        # One message for all of them: many small ones would each cost a round trip.
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with self._together():
            dist.all_reduce(flat, how)
        if divisor > 1:
            flat /= divisor
        for tensor, reduced in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(reduced.view(tensor.shape))

    @contextmanager
    def _together(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            reason = str(error).strip().partition("\n")[0]
            raise RunError(f"process {self.rank} of {self.count} has lost the others ({reason})") from error


ALONE = Processes()
"""One process, which needs nobody."""


@cache
def joined() -> Processes:
    """Join the processes that were launched together, as ``torchrun`` says in the environment; ``ALONE`` if none.

    The first call waits until all have come. They talk through gloo, and through NCCL about what is on GPUs.

    Raises:
        RunError: they did not come together.
    """
    if "RANK" not in os.environ or int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    rank, count = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    backend = "gloo"
    if torch.cuda.is_available() and dist.is_nccl_available():
        backend = "cpu:gloo,cuda:nccl"
        if local_rank < torch.cuda.device_count():
            torch.cuda.set_device(local_rank)  # what "cuda" means from here on
    if not dist.is_initialized():
        try:
            dist.init_process_group(backend, store=meeting_place(), rank=rank, world_size=count)
        except (RuntimeError, ValueError) as error:
            reason = str(error).strip().partition("\n")[0]
            raise RunError(f"process {rank} of {count} could not join the others: {reason}") from error
        atexit.register(_part)
    return Processes(rank, count, local_rank)


def _part() -> None:
    """Ends the threads of the process group, with which a process may be aborted at its exit, its work done."""
    if dist.is_initialized():
        dist.destroy_process_group()


def sharing_notes(processes: Processes, game: Game, batch: int, device: torch.device) -> list[str]:
    """What is worth saying of how a run is shared; nothing for a lone process.

    Args:
        processes: who shares it.
        game: the model put together.
        batch: samples a turn, of all processes together.
        device: where this process computes.

    Raises:
        UsageError: it cannot be shared like this.
    """
    rows = processes.rows(batch)
    if rows is None:
        return []
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"several processes cannot share a run on {device}; choose --device cpu, or cuda where it is")
    if device.type == "cuda" and device.index is not None:
        raise UsageError(f"every process has a GPU of its own, so --device {device} is for one alone; choose cuda")
    if device.type == "cuda" and processes.local_rank >= torch.cuda.device_count():
        raise UsageError(
            f"this machine has {torch.cuda.device_count()} GPUs, too few for its process number "
            f"{processes.local_rank + 1}; launch one process a GPU, or choose --device cpu"
        )
    own = rows.stop - rows.start
    if own == 1 and game.has_batch_statistics and not synchronises(processes, device):
        raise UsageError(
            f"batch normalisation needs at least 2 samples a process; raise --batch to {2 * processes.count} or more, "
            "or choose generator_norm and critic_norm"
        )
    notes = [f"{processes.count} processes take {own} of the {batch} samples of a batch each, and average gradients"]
    if game.has_batch_statistics and synchronises(processes, device):
        notes.append("batch normalisation takes its statistics over the whole batch, of all processes")
    elif game.has_batch_statistics:
        notes.append(
            f"batch normalisation takes its statistics over the {own} samples of each process, so the result depends "
            "on how many there are; generator_norm and critic_norm choose one that does not"
        )
    return notes


def synchronises(processes: Processes, device: torch.device) -> bool:
    """Whether batch statistics are those of the whole batch; torch can do that on CUDA alone."""
    return processes.count > 1 and device.type == "cuda"


def synchronise_statistics(network: nn.Module) -> None:
    """Let every batch normalisation inside a network use the batch of all processes; parameters stay the same."""
    nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
