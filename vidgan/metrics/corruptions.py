"""What spoils a clip: controls that a video metric has to notice, and what the feature network learns to see."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

#: (clip [B, 3, T, H, W] in [-1, 1], strength in 0..1, CPU random generator) -> the spoilt clip, same shape and range
Corruption = Callable[[Tensor, float, torch.Generator], Tensor]


def frozen(clip: Tensor, strength: float = 1.0, random: torch.Generator | None = None) -> Tensor:
    """The first frame for as long as the clip lasts."""
    return clip[:, :, :1].expand_as(clip).contiguous()


def shuffled(clip: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """The same frames in a random order, one for each clip; never in the right one."""
    count, length = clip.shape[0], clip.shape[2]
    order = torch.rand(count, length, generator=random).argsort(1)
    straight = (order == torch.arange(length)).all(1)
    order[straight] = order[straight].roll(1, 1)
    index = order.to(clip.device)[:, None, :, None, None].expand_as(clip)
    return clip.gather(2, index)


def noise(clip: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """Gaussian noise, standard deviation up to 0.4 (51 of 255 levels)."""
    drawn = torch.randn(clip.shape, generator=random).to(clip.device)
    return (clip + 0.4 * strength * drawn).clamp_(-1, 1)


def blur(clip: Tensor, strength: float, random: torch.Generator | None = None) -> Tensor:
    """Gaussian blur of each frame, standard deviation up to 1/24 of its side (2.7 of 64 pixels)."""
    sigma = max(strength, 0.02) * clip.shape[-1] / 24
    reach = min(math.ceil(3 * sigma), clip.shape[-1] - 1, clip.shape[-2] - 1)
    kernel = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(clip)
    frames = clip.transpose(1, 2).reshape(-1, 1, *clip.shape[-2:])
    frames = F.conv2d(F.pad(frames, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    frames = F.conv2d(F.pad(frames, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))
    return frames.view(clip.shape[0], clip.shape[2], 3, *clip.shape[-2:]).transpose(1, 2).contiguous()


def jitter(clip: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """Every frame moved on its own, by up to 1/16 of its side in each direction, edges repeated."""
    batch, _, length, height, width = clip.shape
    reach = max(1, round(strength * width / 16))
    shift = torch.randint(-reach, reach + 1, (2, batch, length, 1), generator=random)
    rows = (torch.arange(height) + shift[0]).clamp_(0, height - 1).to(clip.device)
    columns = (torch.arange(width) + shift[1]).clamp_(0, width - 1).to(clip.device)
    clip = clip.gather(3, rows[:, None, :, :, None].expand_as(clip))
    return clip.gather(4, columns[:, None, :, None, :].expand_as(clip))


def blocky(clip: Tensor, strength: float, random: torch.Generator | None = None) -> Tensor:
    """Every frame in squares of one colour, up to 1/8 of its side, laid over it at 0.5 to 1 by `strength`."""
    frames = clip.transpose(1, 2).flatten(0, 1)
    parts = min(8 if strength > 0.7 else 16 if strength > 0.3 else 32, clip.shape[-1] // 2)
    small = F.interpolate(frames, (parts, parts), mode="area")
    squares = F.interpolate(small, clip.shape[-2:], mode="nearest")
    squares = squares.unflatten(0, (clip.shape[0], clip.shape[2])).transpose(1, 2)
    return torch.lerp(clip, squares, 0.5 + 0.5 * strength)


def swapped(clip: Tensor, strength: float, random: torch.Generator) -> Tensor:
    """From some frame on, another clip of the batch (the next one): who is seen changes. Needs two clips."""
    batch, length = clip.shape[0], clip.shape[2]
    cut = torch.randint(length // 4, length - length // 4, (batch, 1), generator=random)
    late = (torch.arange(length) >= cut).to(clip.device)[:, None, :, None, None]
    return torch.where(late, clip.roll(1, 0), clip)


CORRUPTIONS: dict[str, Corruption] = {
    "frozen": frozen,
    "shuffled": shuffled,
    "noise": noise,
    "blur": blur,
    "jitter": jitter,
    "blocky": blocky,
    "swapped": swapped,
}
