"""What ``torchrun`` remembers of the runs that it has begun, so that processes that it restarts go on with them."""

import os
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # not every build of torch has it
    from torch.distributed.distributed_c10d import Store

__all__ = ["Launch", "launched", "meeting_place", "shared"]

TIMEOUT = timedelta(minutes=10)
"""How long the first process waits for the last: they import torch from one disk, perhaps."""


class Launch:
    """The runs that were begun since ``torchrun`` was typed, in their order.

    They are kept by torchrun's agent, which outlives the processes that it starts. Only process 0 asks.

    Args:
        store: the agent's; None where no agent would restart anything, and nothing is remembered.
    """

    def __init__(self, store: "Store | None" = None) -> None:
        self._store, self._begun = store, 0

    def next_run(self) -> str:
        """The path of the run that was begun at this point before a restart; "" if this is the first time."""
        self._begun += 1
        if self._store is None or not self._store.check([self._key]):
            return ""
        return bytes(self._store.get(self._key)).decode()

    def remember(self, path: str) -> None:
        """Remember the run that was begun after ``next_run`` gave none."""
        if self._store is not None:
            self._store.set(self._key, path)

    @property
    def _key(self) -> str:
        return f"ganzoo/run/{self._begun}"


@cache
def launched() -> Launch:
    """What the agent that started this process remembers."""
    return Launch(agent_store())


def meeting_place() -> "Store | None":
    """Where the processes that were started together find each other; None for torch's own way by the environment."""
    store = agent_store()
    if store is None:
        return None
    from torch.distributed import PrefixStore  # type: ignore[attr-defined]

    # The agent's store keeps the addresses of processes that are gone; those that replace them must not call there.
    return PrefixStore(f"ganzoo/attempt/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def shared() -> bool:
    """Whether this process was launched to share its work with others, or by torchrun, which remembers its runs."""
    several = "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"
    return several or _has_agent()


def _has_agent() -> bool:
    return os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"


def agent_store() -> "Store | None":
    """What the agents and processes of one ``torchrun`` share, restarts included; None under another launcher."""
    if not _has_agent():
        return None
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    host, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    return TCPStore(host, port, is_master=False, timeout=TIMEOUT, wait_for_workers=False)
