"""The import that commands wait for."""

import gc
import sys

__all__ = ["import_torch"]


def import_torch() -> None:
    """Imports torch, without a search for garbage in all that it makes, now or later: a third of a second less.

    What was there before is left alone too; what comes afterwards, plugins above all, is searched as usual. Does
    nothing if torch is there already.
    """
    if "torch" in sys.modules:
        return
    collecting = gc.isenabled()
    gc.disable()
    try:
        import torch  # noqa: F401

        gc.freeze()
    finally:
        if collecting:
            gc.enable()
