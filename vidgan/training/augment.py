"""Differentiable augmentation (Zhao et al. 2020) for clips: every frame of a clip is changed alike."""

import torch
from torch import Tensor

from ..errors import unknown


def augment(clip: Tensor, policy: tuple[str, ...], generator: torch.Generator) -> Tensor:
    """clip [B, 3, T, H, W] -> the same shape, each clip with its own random change, gradients kept.

    policy: any of "flip", "colour" (brightness +-0.25, saturation and contrast x0.5-1.5), "translation" (up to 1/8
    of the side, edges repeated) and "cutout" (a grey square of half the side). Real and generated clips must travel
    the same policy. Numbers come from `generator` (CPU), so that a step can be repeated.
    """
    for name in policy:
        if name not in POLICIES:
            raise unknown("augmentation", name, POLICIES)
        clip = POLICIES[name](clip, generator)
    return clip


def _uniform(clip: Tensor, generator: torch.Generator, count: int = 1) -> Tensor:
    """[count, B, 1, 1, 1, 1] numbers in [0, 1)."""
    draw = torch.rand(count, clip.shape[0], 1, 1, 1, 1, generator=generator)
    return draw.to(clip.device, clip.dtype)


def _flip(clip: Tensor, generator: torch.Generator) -> Tensor:
    (draw,) = _uniform(clip, generator)
    return torch.where(draw < 0.5, clip.flip(-1), clip)


def _colour(clip: Tensor, generator: torch.Generator) -> Tensor:
    brightness, saturation, contrast = _uniform(clip, generator, 3)
    clip = clip + (brightness - 0.5) * 0.5
    grey = clip.mean(1, keepdim=True)
    clip = grey + (clip - grey) * (saturation + 0.5)
    middle = clip.mean((1, 2, 3, 4), keepdim=True)
    return middle + (clip - middle) * (contrast + 0.5)


def _translation(clip: Tensor, generator: torch.Generator) -> Tensor:
    height, width = clip.shape[-2:]
    rows = _shifted(height, clip.shape[0], generator).to(clip.device)
    columns = _shifted(width, clip.shape[0], generator).to(clip.device)
    batch = torch.arange(clip.shape[0], device=clip.device)[:, None, None]
    moved = clip.permute(0, 3, 4, 1, 2)[batch, rows[:, :, None], columns[:, None, :]]  # B, H, W, C, T
    return moved.permute(0, 3, 4, 1, 2)


def _shifted(side: int, batch: int, generator: torch.Generator) -> Tensor:
    """[B, side] source indices of a random shift by up to side/8, edges repeated."""
    reach = side // 8
    shift = torch.randint(-reach, reach + 1, (batch, 1), generator=generator)
    return (torch.arange(side)[None] + shift).clamp(0, side - 1)


def _cutout(clip: Tensor, generator: torch.Generator) -> Tensor:
    height, width = clip.shape[-2:]
    centre_y, centre_x = _uniform(clip, generator, 2)
    y = torch.arange(height, device=clip.device).view(1, 1, 1, -1, 1)
    x = torch.arange(width, device=clip.device).view(1, 1, 1, 1, -1)
    inside = ((y - centre_y * height).abs() < height / 4) & ((x - centre_x * width).abs() < width / 4)
    return clip * ~inside


POLICIES = {"flip": _flip, "colour": _colour, "translation": _translation, "cutout": _cutout}
