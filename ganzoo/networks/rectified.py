"""Nearest upsampling, a 3×3 convolution, batch normalisation and a leaky rectifier in one, in native code."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm, leaky_relu

from ganzoo.networks import karatsuba, native, native_squares

__all__ = ["double_convolve_and_rectify", "taken"]

Triple = tuple[nn.Conv2d, nn.BatchNorm2d, nn.LeakyReLU]


def taken(maps: Tensor, modules: Sequence[nn.Module]) -> Triple | None:
    """The first three modules, of which the first doubles maps, if there is native code for them, in training."""
    match modules:
        case [nn.Conv2d() as convolution, nn.BatchNorm2d() as norm, nn.LeakyReLU() as rectifier, *_]:
            triple = convolution, norm, rectifier
        case _:
            return None
    as_usual = type(norm) is nn.BatchNorm2d and type(rectifier) is nn.LeakyReLU and convolution.bias is None
    running = norm.training and norm.affine and norm.track_running_stats and norm.momentum is not None
    watched = any(module._forward_hooks or module._forward_pre_hooks for module in triple)
    if not as_usual or not running or watched or norm.weight.dtype != convolution.weight.dtype:
        return None
    takes = karatsuba.pays(maps, convolution.weight) and native_squares.takes(convolution.weight)
    return triple if takes else None


def double_convolve_and_rectify(
    maps: Tensor, convolution: nn.Conv2d, norm: nn.BatchNorm2d, rectifier: nn.LeakyReLU
) -> Tensor:
    """What three modules that are ``taken`` make of maps (N, C, H, W); the norm's running means have moved on.

    Returns:
        (N, O, 2H, 2W), channels-last.
    """
    assert norm.running_mean is not None and norm.running_var is not None and norm.num_batches_tracked is not None
    assert norm.momentum is not None
    numbers = norm.eps, rectifier.negative_slope
    results, mean, variance = _Rectified.apply(
        maps.to(convolution.weight.dtype), convolution.weight, norm.weight, norm.bias, norm.running_mean, *numbers
    )
    count = results.numel() / results.shape[1]
    with torch.no_grad():
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance * (count / (count - 1)), norm.momentum)
        norm.num_batches_tracked.add_(1)
    rectified: Tensor = results
    return rectified


class _Rectified(torch.autograd.Function):
    """Results, and means and variances without derivatives; second derivatives by way of torch's own operations."""

    @staticmethod
    @native.in_full_precision
    def forward(
        ctx: Any,
        maps: Tensor,
        kernels: Tensor,
        weight: Tensor,
        bias: Tensor,
        about: Tensor,
        eps: float,
        slope: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        pixels, factors = karatsuba.channels_last(maps), karatsuba.factors_of(kernels)
        results, values, mean, variance = torch.ops.ganzoo.double_convolve_and_rectify(
            pixels, factors, weight, bias, about, eps, slope
        )
        ctx.save_for_backward(maps, kernels, factors, weight, bias, values, mean, variance)
        ctx.numbers = eps, slope
        ctx.mark_non_differentiable(mean, variance)
        return results.permute(0, 3, 1, 2), mean, variance

    @staticmethod
    @native.in_full_precision
    def backward(ctx: Any, gradient: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        maps, kernels, factors, weight, bias, values, mean, variance = ctx.saved_tensors
        eps, slope = ctx.numbers
        if torch.is_grad_enabled():  # what is computed here will be differentiated
            tensors = maps, kernels, weight, bias
            again = batch_norm(karatsuba.plain(maps, kernels), None, None, weight, bias, training=True, eps=eps)
            found = karatsuba.differentiable_gradients(leaky_relu(again, slope), tensors, gradient)
            return *found, None, None, None
        of_pixels, of_factors, of_weight, of_bias = torch.ops.ganzoo.double_convolve_and_rectify_backward(
            karatsuba.channels_last(maps),
            factors,
            weight,
            bias,
            values,
            mean,
            variance,
            karatsuba.channels_last(gradient),
            eps,
            slope,
        )
        of_kernels = karatsuba.kernels_of(of_factors)
        return of_pixels.permute(0, 3, 1, 2), of_kernels, of_weight, of_bias, None, None, None
