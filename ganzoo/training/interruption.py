"""Ctrl-C and SIGTERM ask a run to end after the round that it is in."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Interruption", "interruptible"]


class Interruption:
    """Whether the user or the scheduler has asked the run to stop."""

    requested = False

    def request(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first asks, a second one stops at once.

        Raises:
            KeyboardInterrupt: it had been asked for before.
        """
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Handle SIGINT and SIGTERM inside the context; elsewhere than in the main thread they stay as they are."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous = {number: signal.signal(number, interruption.request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield interruption
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
