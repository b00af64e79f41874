"""The samples' own values as features: for points, and where one wants distances between pixels."""

from typing import ClassVar

from torch import Tensor

from ganzoo.core.data import DataSpec
from ganzoo.evaluation.extractor import Extractor, Features

__all__ = ["Values"]


class Values(Extractor):
    """No network: features (N, numel) are the values themselves."""

    name: ClassVar[str] = "values"
    summary: ClassVar[str] = "the samples' own values (pixels, coordinates)"

    @classmethod
    def is_default_for(cls, data: DataSpec) -> bool:
        """For whatever is not a picture."""
        return not data.is_image

    def __call__(self, samples: Tensor) -> Features:
        """The values of samples (N, *shape), flattened."""
        return Features(samples.flatten(1), None)
