"""Convolutions whose gradients are differentiated again."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd import gradcheck, gradgradcheck

from vidgan.models.convolution import convolve


def tensors(kernel: int, shape=(2, 3, 4, 3, 5), outputs: int = 4, dtype=torch.double):
    draw = torch.Generator().manual_seed(0)
    sizes = (shape, (outputs, shape[1], *[kernel] * 3), (outputs,))
    return [torch.randn(size, generator=draw, dtype=dtype).requires_grad_() for size in sizes]


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_it_is_torchs_convolution_with_its_gradients_and_theirs(kernel):
    x, weight, bias = tensors(kernel)
    made, wanted = convolve(x, weight, bias), F.conv3d(x, weight, bias, padding="same")
    assert torch.allclose(made, wanted)
    assert gradcheck(convolve, (x, weight, bias), fast_mode=True)
    assert gradgradcheck(convolve, (x, weight, bias), fast_mode=True)
    penalties = []
    for out in (made, wanted):  # as a penalty on gradients has it: through the gradient of x to the weight
        (gradient,) = torch.autograd.grad(out.square().sum(), x, create_graph=True)
        penalties.append(torch.autograd.grad(gradient.square().sum(), (x, weight, bias)))
    for mine, theirs in zip(*penalties, strict=True):
        assert torch.allclose(mine, theirs)


def test_only_what_is_asked_for_gets_a_gradient():
    x, weight, bias = tensors(3)
    convolve(x.detach(), weight.detach(), bias).sum().backward()
    assert x.grad is None and weight.grad is None
    assert bias.grad.tolist() == [2 * 4 * 3 * 5] * 4
    with torch.no_grad():
        assert not convolve(x, weight, bias).requires_grad


@pytest.mark.parametrize("kernel", [1, 3])
def test_under_autocast_a_penalty_on_gradients_is_that_of_full_precision_nearly(kernel):
    """On frames of 64 pixels, where torch's own second derivative has crashed processors with AMX."""

    def penalty(precision):
        x, weight, bias = tensors(kernel, (3, 3, 16, 64, 64), 12, torch.float)
        x = x.detach().contiguous(memory_format=torch.channels_last_3d).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            made = F.leaky_relu(convolve(x, weight, bias), 0.2)
        assert made.dtype == (torch.bfloat16 if precision == "bf16" else torch.float32)
        (gradient,) = torch.autograd.grad(made.float().square().sum(), x, create_graph=True)
        gradient.float().square().mean().backward()
        assert weight.grad.dtype == torch.float32
        return weight.grad

    full, half = penalty("fp32"), penalty("bf16")
    assert (half - full).norm() < 0.02 * full.norm()
