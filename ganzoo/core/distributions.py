"""torch.distributions as a training loop needs them: no validation, hence no wait for the device."""

import math

import torch
from torch import Size, Tensor
from torch import distributions as td

__all__ = ["ClosedUniform", "OneHot", "bernoulli", "gaussian"]


class OneHot(td.OneHotCategorical):
    """A one-hot categorical distribution without validation.

    torch's own passes ``validate_args`` on to itself but not to the ``Categorical`` inside, which goes on
    checking every parameter and every value.

    Args:
        logits: (..., K), unnormalised log-probabilities; −inf is a class that never occurs.
    """

    def __init__(self, logits: Tensor) -> None:
        self._categorical = td.Categorical(logits=logits, validate_args=False)
        shape = self._categorical.param_shape
        td.Distribution.__init__(self, shape[:-1], shape[-1:], validate_args=False)

    def expand(
        self, batch_shape: Size | list[int] | tuple[int, ...], _instance: td.Distribution | None = None
    ) -> "OneHot":
        """The same distribution for a larger batch."""
        return OneHot(self.logits.expand(*batch_shape, -1))


class ClosedUniform(td.Uniform):
    """A uniform distribution on [low, high].

    torch's own gives ``high`` no density, though its support includes it and float32 rounding reaches it.
    """

    def log_prob(self, value: Tensor) -> Tensor:
        """−log(high − low) inside the support, both ends included, and −inf outside."""
        inside = (self.low <= value) & (value <= self.high)
        return torch.where(inside, -(self.high - self.low).log(), -math.inf)


def gaussian(mean: Tensor, sigma: Tensor) -> td.Distribution:
    """Independent Gaussian components: ``mean`` and ``sigma`` (..., size), event shape (size,)."""
    return td.Independent(td.Normal(mean, sigma, validate_args=False), 1, validate_args=False)


def bernoulli(logits: Tensor) -> td.Distribution:
    """Independent Bernoulli components: ``logits`` (..., size), event shape (size,)."""
    return td.Independent(td.Bernoulli(logits=logits, validate_args=False), 1, validate_args=False)
