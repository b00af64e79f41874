"""MNIST whose small random maps are half or twice as large, for the rows of `ablation.py` that ask for them."""

import ganzoo
from ganzoo.core.invariance import Affine
from ganzoo.data.mnist import MNIST


class HalfMaps(MNIST):
    """Maps half as large as MNIST's own."""

    name = "mnist-half-maps"
    summary = "MNIST with smaller maps"
    factor = 0.5

    @property
    def spec(self) -> ganzoo.DataSpec:
        """MNIST's own but for its maps."""
        bounds = {name: self.factor * getattr(Affine(), name) for name in ("rotation", "scale", "shear", "shift")}
        return super().spec.model_copy(update={"invariances": (Affine(**bounds),)})


class DoubleMaps(HalfMaps):
    """Maps twice as large as MNIST's own."""

    name = "mnist-double-maps"
    summary = "MNIST with larger maps"
    factor = 2.0


@ganzoo.hookimpl
def ganzoo_register_datasets() -> list[type[ganzoo.Dataset]]:
    """Tell the zoo."""
    return [HalfMaps, DoubleMaps]
