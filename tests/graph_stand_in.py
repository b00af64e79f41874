"""A CPU's stand-in for a CUDA graph: operations noted down once and carried out again in the same memory."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["Tape", "TapedRounds"]

REFUSED = {
    torch.ops.aten._local_scalar_dense.default: "reads a value of the device",
    torch.ops.aten.nonzero.default: "waits for a size that the device knows",
    torch.ops.aten.lift_fresh.default: "copies a number from the host",
}
"""What a capture does not allow; on a CPU these would go unnoticed."""


class Tape(TorchDispatchMode):
    """Notes down every operation, backward passes and optimisers included, with its arguments as they are.

    As in a CUDA graph, Python's numbers stay for ever what they were, tensors are memory that is read again, and
    generators go on from where somebody has set them meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[tuple[Any, Any, Any, list[Tensor | None]]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in REFUSED:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func} {REFUSED[func]}")
        given = kwargs or {}
        result = func(*args, **given)
        places = {each.untyped_storage().data_ptr() for each in tensors((args, given))}
        fresh = [each if each.untyped_storage().data_ptr() not in places else None for each in tensors(result)]
        # A view stays one of memory that is written elsewhere.
        if func._schema.is_mutable or any(each is not None for each in fresh):
            self.noted.append((func, args, given, fresh))
        return result

    @torch.no_grad()
    def play(self) -> None:
        """Carry everything out again, each result into its old place."""
        for func, args, kwargs, places in self.noted:
            for old, new in zip(places, tensors(func(*args, **kwargs)), strict=True):
                if old is not None:
                    old.copy_(new)


class TapedRounds:
    """The backend that a test gives to captured rounds.

    Attributes:
        warmed: rounds that were played before captures.
        tapes: what was captured.
        replays: how often something was replayed.
    """

    def __init__(self) -> None:
        self.warmed, self.replays = 0, 0
        self.tapes: list[Tape] = []

    def warm_up(self, play: Callable[[], None]) -> None:
        self.warmed += 1
        play()

    def capture(self, play: Callable[[], None], generators: Sequence[torch.Generator]) -> Callable[[], None]:
        tape = Tape()
        self.tapes.append(tape)
        # A CUDA graph refuses a generator that it was not told of, and so does this.
        known = {generator._cdata for generator in generators}
        with tape:
            play()
        used = [each for _, args, kwargs, _ in tape.noted for each in tree_leaves((args, kwargs))]
        if any(isinstance(each, torch.Generator) and each._cdata not in known for each in used):
            raise RuntimeError("philox_cuda_state for an unexpected CUDA generator used during capture")

        def replay() -> None:
            self.replays += 1
            tape.play()

        return replay


def tensors(tree: Any) -> list[Tensor]:
    return [tree] if isinstance(tree, Tensor) else [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
