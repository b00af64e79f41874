"""A model without a mistake, and the quickest data to check it on."""

from typing import ClassVar

import ganzoo
from ganzoo import LatentSpec, Normal
from ganzoo.testing import TinyData

__all__ = ["Pairs", "Sound"]


class Pairs(TinyData):
    """Labelled points, the quickest data to train on."""

    name: ClassVar[str] = "pairs"

    class Options(TinyData.Options):
        """Two coordinates, two classes."""

        shape: tuple[int, ...] = (2,)
        classes: int = 2


class Sound(ganzoo.Model):
    """A model without a mistake, from which the others differ in one."""

    name = "sound"

    def latent(self, data: ganzoo.DataSpec) -> LatentSpec:
        return LatentSpec(z=Normal(8))


@ganzoo.hookimpl
def ganzoo_register_models() -> list[type[ganzoo.Model]]:
    return [Sound]
