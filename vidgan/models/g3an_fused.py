"""G3AN made fast for sampling: the same function, rearranged so that a processor does less and does it in one layout.

Frames are the batch of channels-last two-dimensional operations; batch norm is folded into the convolution before it;
the fused features [S, V] are never stacked: whatever multiplies S is computed for one frame and added to all. What
comes out differs from the network's own forward pass by float32 rounding alone (tests hold it to 1e-5).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..conditions import Condition
from ..latents import Latents
from .g3an import G3AN
from .layers import attend


@dataclass
class _Up:
    """A transposed convolution and its batch norm as one weight [in, out, *kernel] and bias [out]."""

    weight: Tensor
    bias: Tensor
    stride: int
    padding: int

    @staticmethod
    @torch.no_grad()
    def of(sequence: nn.Sequential, axis: str) -> "_Up":
        deconv, norm, _ = sequence
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        weight = deconv.weight * gain[None, :, None, None, None]
        bias = (deconv.bias - norm.running_mean) * gain + norm.bias
        weight = weight[..., 0, 0] if axis == "time" else weight[:, :, 0]
        place = 0 if axis == "time" else 1
        return _Up(weight.contiguous(), bias, deconv.stride[place], deconv.padding[place])


class _Space:
    """Frames [N, C, H, W] up-sampled in space, then ReLU."""

    def __init__(self, sequence: nn.Sequential):
        up = _Up.of(sequence, "space")
        self.weight = up.weight.contiguous(memory_format=torch.channels_last)
        self.bias, self.stride, self.padding = up.bias, up.stride, up.padding

    def __call__(self, x: Tensor) -> Tensor:
        return F.conv_transpose2d(x, self.weight, self.bias, self.stride, self.padding).relu_()


class _Time:
    """Frames [T, C, H, W] up-sampled in time, without bias and ReLU: a matrix product for each pair of taps."""

    def __init__(self, weight: Tensor, up: _Up):
        self.stride, self.kernel = up.stride, weight.shape[2]
        if self.stride == 2:  # kernel 4, padding 1: even frames see taps 1 and 3, odd ones 2 and 0
            self.even = torch.cat([weight[:, :, 1], weight[:, :, 3]]).t().contiguous()
            self.odd = torch.cat([weight[:, :, 2], weight[:, :, 0]]).t().contiguous()
        else:
            self.taps = weight.permute(2, 1, 0).contiguous()  # K, out, in

    def __call__(self, x: Tensor) -> Tensor:
        t, c, h, w = x.shape
        rows = x.permute(0, 2, 3, 1)  # T, H, W, C, which is how channels-last lies in memory
        if self.stride == 2:
            none = rows.new_zeros(1, h, w, c)
            before, after = torch.cat([none, rows[:-1]]), torch.cat([rows[1:], none])
            even = F.linear(torch.cat([rows, before], dim=3), self.even)
            odd = F.linear(torch.cat([rows, after], dim=3), self.odd)
            out = torch.stack([even, odd], dim=1).flatten(0, 1)
        elif self.kernel == 1:
            out = F.linear(rows, self.taps[0])
        else:  # stride 1, no padding: t frames become t + kernel - 1
            out = rows.new_zeros(t + self.kernel - 1, h, w, self.taps.shape[1])
            for tap, weight in enumerate(self.taps):
                out[tap : tap + t] += F.linear(rows, weight)
        return out.permute(0, 3, 1, 2)

    def still(self, x: Tensor, frames: int) -> Tensor:
        """The same for `frames` equal frames x [1, C, H, W], computed for those that differ."""
        if self.stride == 2:
            short = self(x.expand(min(frames, 3), -1, -1, -1))
            if frames <= 3:
                return short
            middle = short[2:4].repeat(frames - 2, 1, 1, 1)
            return torch.cat([short[:2], middle, short[-2:]])
        if self.kernel == 1:
            return self(x)  # broadcasts
        return self(x.expand(frames, -1, -1, -1))


class _Level:
    """One G3 module. V's input comes as [S, V] apart, or whole where attention has mixed them."""

    def __init__(self, module: nn.Module, split: int):
        """split: how many of V's input channels are S; 0 where the input comes whole."""
        self.spatial = _Space(module.spatial) if module.spatial is not None else None
        self.temporal = None
        if module.temporal is not None:
            up = _Up.of(module.temporal, "time")
            self.temporal, self.temporal_bias = _Time(up.weight, up), up.bias
        first = _Up.of(module.video[0], "time")
        self.still = _Time(first.weight[:split], first) if split else None
        self.moving = _Time(first.weight[split:], first)
        self.bias = first.bias
        self.space = _Space(module.video[1])

    def __call__(self, s: Tensor | None, v: Tensor, t: Tensor | None) -> tuple[Tensor | None, Tensor, Tensor | None]:
        frames = v.shape[0]
        out = self.moving(v)
        if self.still is not None:
            out = out + self.still.still(s, frames)
        v = self.space((out + self.bias[:, None, None]).relu_())
        if self.temporal is not None:
            t = (self.temporal(t) + self.temporal_bias[:, None, None]).relu_()
            v += t
        if self.spatial is not None:
            s = self.spatial(s)
        return s, v, t


class _Attention:
    """Half of F-SA on rows [T, HW, C]: over time at each place, or over places in each frame."""

    def __init__(self, half: nn.Module, over_time: bool):
        self.over_time = over_time
        self.inner = half.query.out_features
        gamma = half.gamma
        self.weight = torch.cat([half.query.weight, half.key.weight, gamma * half.value.weight])
        self.bias = torch.cat([half.query.bias, half.key.bias, gamma * half.value.bias])

    def __call__(self, rows: Tensor) -> Tensor:
        parts = F.linear(rows, self.weight, self.bias)
        if self.over_time:
            parts = parts.transpose(0, 1)
        query, key, value = parts.split([self.inner, self.inner, rows.shape[2]], dim=2)
        mixed = attend(query, key, value)
        return rows + (mixed.transpose(0, 1) if self.over_time else mixed)


class FusedG3AN:
    """latents and condition of one clip -> clip [1, 3, T, 64, 64], for a generator with (1+2)D convolutions and without
    spectral norm; holds weights of its own, so that later changes of the generator's are not seen."""

    @torch.no_grad()
    def __init__(self, generator: G3AN):
        config = generator.config
        self.config = config
        self.attention = ()
        if config.attention_after is not None:
            halves = (generator.attention.temporal, True), (generator.attention.spatial, False)
            self.attention = [_Attention(half, over_time) for half, over_time in halves]
        levels, split = [], config.appearance
        for level, module in enumerate(generator.g3):
            levels.append(_Level(module, split))
            outputs = module.video[1][0].out_channels
            split = outputs if config.spatial_stream and level != config.attention_after else 0
        self.levels = levels
        weight = generator.rgb.weight[:, :, 0]
        self.rgb_still = weight[:, :split].contiguous(memory_format=torch.channels_last) if split else None
        self.rgb = weight[:, split:].contiguous(memory_format=torch.channels_last)
        self.rgb_bias = generator.rgb.bias

    @torch.no_grad()
    def __call__(self, latents: Latents, condition: Condition) -> Tensor:
        z_a = latents["appearance"][:, :, None, None]  # 1, 128, 1, 1
        z_m = latents["motion"][0][:, :, None, None]  # t, 10, 1, 1
        t = z_m
        if self.config.classes:
            t = torch.cat([z_m, condition.label[:, :, None, None].expand(len(z_m), -1, -1, -1)], dim=1)
        s, v = z_a, z_m
        for level, fused in enumerate(self.levels):
            s, v, t = fused(s, v, t)
            if level == self.config.attention_after:
                v = self._attend(s, v)  # from here on S is inside V
        picture = F.conv2d(v, self.rgb, self.rgb_bias, padding=1)
        if self.rgb_still is not None:
            picture += F.conv2d(s, self.rgb_still, padding=1)
        return torch.tanh(picture).permute(1, 0, 2, 3)[None]

    def _attend(self, s: Tensor, v: Tensor) -> Tensor:
        """F-SA on the stacked features."""
        if self.config.spatial_stream:
            v = torch.cat([s.expand(len(v), -1, -1, -1), v], dim=1)
        rows = v.permute(0, 2, 3, 1).flatten(1, 2)  # T, HW, C
        for half in self.attention:
            rows = half(rows)
        return rows.unflatten(1, v.shape[2:]).permute(0, 3, 1, 2)
