"""MVT-GAN made fast for sampling: the same function, with less to do.

Doubling a map and then convolving it with a 3x3 kernel is one transposed convolution with a 4x4 kernel, at four ninths
of the cost; batch norm and what it is told become one scale and one shift for each channel of each frame, and all
blocks get theirs from one matrix product. What comes out differs from the network's own forward pass by float32
rounding alone (tests hold it to 2e-5).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from ..conditions import Condition
from ..latents import Latents
from .mvtgan import ATTENTION_AFTER, MVTGAN, ConditionalBatchNorm, UpBlock, temporal_shift

#: taps of a 3-kernel on doubled values, as taps of a transposed 4-kernel of stride 2 and padding 1
DOUBLED = ((0, 0, 1), (0, 1, 1), (1, 1, 0), (1, 0, 0))


def doubled_kernel(weight: Tensor) -> Tensor:
    """Weight [out, in, 3, 3] of a convolution (padding 1) of doubled maps -> [in, out, 4, 4] of the transposed
    convolution (stride 2, padding 1) of the maps themselves."""
    taps = weight.new_tensor(DOUBLED)
    return torch.einsum("oiyx,py,qx->iopq", weight, taps, taps)


class _Block:
    """An up-sampling block; scales and shifts of its two norms come from outside."""

    def __init__(self, block: UpBlock):
        self.divisor, self.leaks = block.divisor, block.leaks
        self.conv1 = doubled_kernel(block.conv1.weight).contiguous(memory_format=torch.channels_last)
        self.conv2 = block.conv2.weight.contiguous(memory_format=torch.channels_last)
        self.shortcut = block.shortcut.weight.contiguous(memory_format=torch.channels_last)
        self.bias1 = block.conv1.bias.clone()
        self.bias2 = block.conv2.bias + block.shortcut.bias

    def __call__(self, x: Tensor, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
        branch = temporal_shift(x, len(x), self.divisor) if self.divisor else x
        if self.leaks:
            x = branch
        branch = F.conv_transpose2d(_normed(branch, first), self.conv1, self.bias1, stride=2, padding=1)
        branch = F.conv2d(_normed(branch, second), self.conv2, self.bias2, padding=1)
        return branch.add_(F.interpolate(F.conv2d(x, self.shortcut), scale_factor=2.0))


def _normed(x: Tensor, told: tuple[Tensor, Tensor]) -> Tensor:
    scale, shift = (part[:, :, None, None] for part in told)
    return torch.addcmul(shift, x, scale).relu_()


def _scale_and_shift(norm: ConditionalBatchNorm) -> tuple[Tensor, Tensor]:
    """Rows of the map from Z_F to the norm's scale, and then to its shift: weight [2C, 240], bias [2C]."""
    spread = torch.rsqrt(norm.norm.running_var + norm.norm.eps)
    weight, bias = norm.gain.weight * spread[:, None], (1 + norm.gain.bias) * spread
    mean = norm.norm.running_mean
    weight = torch.cat([weight, norm.bias.weight - mean[:, None] * weight])
    return weight, torch.cat([bias, norm.bias.bias - mean * bias])


class FusedMVTGAN:
    """latents and condition of one clip -> clip [1, 3, T, size, size], for a generator without spectral norm; holds
    weights of its own, but for the sequence generator and what attends, so that it is for weights that stay."""

    @torch.no_grad()
    def __init__(self, generator: MVTGAN):
        self.generator = generator
        self.blocks = [_Block(block) for block in generator.image.blocks]
        norms = [norm for block in generator.image.blocks for norm in (block.norm1, block.norm2)]
        parts = [_scale_and_shift(norm) for norm in norms]
        self.weight, self.bias = (torch.cat(part) for part in zip(*parts, strict=True))
        self.sizes = [norm.norm.num_features for norm in norms for _ in range(2)]
        last = generator.image.norm
        scale = last.weight * torch.rsqrt(last.running_var + last.eps)
        self.last = scale[None], (last.bias - last.running_mean * scale)[None]

    @torch.no_grad()
    def __call__(self, latents: Latents, condition: Condition) -> Tensor:
        generator, image = self.generator, self.generator.image
        told = generator.codes(latents, condition)[0]  # T, 240
        parts = F.linear(told, self.weight, self.bias).split(self.sizes, dim=1)
        x = image.begin(told).unflatten(1, (-1, image.base, image.base)).contiguous(memory_format=torch.channels_last)
        for level, block in enumerate(self.blocks):
            x = block(x, parts[4 * level : 4 * level + 2], parts[4 * level + 2 : 4 * level + 4])
            if level + 1 == ATTENTION_AFTER:
                x = image.attention(x)
        return torch.tanh(image.rgb(_normed(x, self.last))).transpose(0, 1)[None]
