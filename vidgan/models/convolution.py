"""A convolution whose gradients can be differentiated again at the speed of the convolution itself.

torch differentiates the gradient of a weight as a convolution whose kernel is as large as the clip. No processor has a
fast kernel for that, and some have one that crashes (oneDNN of torch 2.13 in bfloat16 on processors with AMX), so that
a penalty on gradients, which needs it, takes most of a step. Here gradients of gradients are made of the same three
products that any training has: the convolution, the one with the kernel turned round, the gradient of the weight.
"""

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function


def convolve(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """F.conv3d(x, weight, bias, padding="same"): [B, C, T, H, W] with weight [D, C, k, k, k], k odd -> [B, D, T, H, W].

    Under autocast in its precision. A kernel of one place is a product of matrices.
    """
    if torch.is_autocast_enabled(x.device.type):
        precision = torch.get_autocast_dtype(x.device.type)
        x, weight, bias = x.to(precision), weight.to(precision), bias.to(precision)
    if weight.shape[2:].numel() == 1:
        return F.linear(x.movedim(1, -1), weight.flatten(1), bias).movedim(-1, 1)
    return _Convolution.apply(x, weight, bias)


def _turned(weight: Tensor) -> Tensor:
    """The kernel that takes a convolution's output back to its input."""
    return weight.flip(2, 3, 4).transpose(0, 1)


class _Convolution(Function):
    """x, weight, bias or None -> their convolution."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        return F.conv3d(x, weight, bias, padding=weight.shape[-1] // 2)

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, weight = ctx.saved_tensors
        of_x, of_weight, of_bias = ctx.needs_input_grad
        return (
            _Convolution.apply(gradient, _turned(weight), None) if of_x else None,
            _WeightGradient.apply(x, gradient, weight.shape[-1]) if of_weight else None,
            gradient.sum((0, 2, 3, 4)) if of_bias else None,
        )


class _WeightGradient(Function):
    """What a convolution of x with a kernel of size k makes of `gradient`, that of its output: that of its weight."""

    @staticmethod
    def forward(ctx, x: Tensor, gradient: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(x, gradient)
        weight = x.new_empty(gradient.shape[1], x.shape[1], *[size] * 3)
        ones, padding, none = [1] * 3, [size // 2] * 3, [0] * 3
        only_weight = [False, True, False]
        return torch.ops.aten.convolution_backward(
            gradient, x, weight, None, ones, padding, ones, False, none, 1, only_weight
        )[1]

    @staticmethod
    def backward(ctx, gradient: Tensor):
        x, of_output = ctx.saved_tensors
        of_x, of_gradient, _ = ctx.needs_input_grad
        return (
            _Convolution.apply(of_output, _turned(gradient), None) if of_x else None,
            _Convolution.apply(x, gradient, None) if of_gradient else None,
            None,
        )
