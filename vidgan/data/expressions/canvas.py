"""Soft-edged shapes on a batch of video frames: all that the drawing knows about pixels.

Coordinates: x to the right, y down, both in [-1, 1] over the frame. Columns are [B or 1, T or 1, 1, W], rows
[B or 1, T or 1, H, 1], so that whatever depends on x or on y alone costs next to nothing until the two meet.
"""

import torch
from torch import Tensor


def palette(colours: tuple[str, ...], place: Tensor) -> Tensor:
    """Walk along a list of hex colours: place [B] in [0, 1] -> RGB [B, 3, 1, 1, 1] in [0, 1]."""
    rgb = torch.tensor([[int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)] for c in colours], device=place.device)
    at = place.clamp(0, 1) * (len(colours) - 1)
    low = at.floor().long().clamp(max=len(colours) - 2)
    mixed = torch.lerp(rgb[low], rgb[low + 1], (at - low)[:, None])
    return mixed[:, :, None, None, None]


def tint(colour: Tensor, hexadecimal: str, amount: float | Tensor) -> Tensor:
    """Mix a colour [B, 3, 1, 1, 1] towards another."""
    other = palette((hexadecimal, hexadecimal), torch.zeros(1, device=colour.device))
    return colour + (other - colour) * amount


def ramp(x: Tensor, start: float | Tensor, end: float | Tensor) -> Tensor:
    """Linear from 0 at `start` to 1 at `end`, whichever is greater, flat beyond."""
    return ((x - start) / (end - start)).clamp_(0, 1)


def smooth(x: Tensor, start: float | Tensor, end: float | Tensor) -> Tensor:
    """As `ramp`, with soft ends."""
    t = ramp(x, start, end)
    return t * t * (3 - 2 * t)


def ellipse(x: Tensor, y: Tensor, rx: float | Tensor, ry: float | Tensor) -> Tensor:
    """Signed distance (first order, negative inside) to an ellipse about the origin."""
    return oval((x / rx) ** 2, (y / ry) ** 2, (x / rx**2) ** 2, (y / ry**2) ** 2)


def oval(fx: Tensor, fy: Tensor, gx: Tensor, gy: Tensor) -> Tensor:
    """Signed distance to where fx + fy = 1; gx, gy are the squares of half their slopes.

    The distance is the value over its gradient, f (f - 1) / |grad f| with f = sqrt(fx + fy).
    """
    square = fx + fy
    gradient = (gx + gy).add_(1e-9).rsqrt_()
    return (square - square.sqrt()).mul_(gradient)


def box(x: Tensor, y: Tensor, rx: float | Tensor, ry: float | Tensor, corner: float | Tensor) -> Tensor:
    """Signed distance to a box with round corners about the origin."""
    dx = x.abs() - (rx - corner)
    dy = y.abs() - (ry - corner)
    outside = (dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2).sqrt_()
    return outside + torch.maximum(dx, dy).clamp_(max=0) - corner


def bump(x: Tensor, y: Tensor, rx: float | Tensor, ry: float | Tensor) -> Tensor:
    """A soft round spot: 1 in the middle, 0 outside the ellipse."""
    return (1 - (x / rx) ** 2 - (y / ry) ** 2).clamp_(min=0).square_()


class Canvas:
    """Frames [B, 3, T, H, W] in [0, 1], painted layer over layer in place."""

    def __init__(self, image: Tensor):
        self.image = image
        size = image.shape[-1]
        self.pixel = 2 / size
        centres = (torch.arange(size, device=image.device) + 0.5) * self.pixel - 1
        self.x = centres.view(1, 1, 1, -1)
        self.y = centres.view(1, 1, -1, 1)

    def window(self, x0: float, x1: float, y0: float, y1: float) -> tuple[slice, slice]:
        """(rows, columns) of the pixels in a part of the frame."""
        size = self.image.shape[-1]
        left, right, top, bottom = (min(max(round((v + 1) * size / 2), 0), size) for v in (x0, x1, y0, y1))
        return slice(top, bottom), slice(left, right)

    def cover(self, distance: Tensor, soft: float = 0.0) -> Tensor:
        """Coverage of a shape from its signed distance, anti-aliased over a pixel or blurred over `soft`."""
        width = max(self.pixel, soft)
        return (0.5 - distance / width).clamp_(0, 1)

    def paint(self, colour: Tensor, alpha: Tensor, window: tuple[slice, slice] | None = None) -> None:
        """Lay a colour [B, 3, T|1, h|1, w|1] over a window of the image with opacity alpha [B, T, h, w]."""
        rows, columns = window or (slice(None), slice(None))
        part = self.image[..., rows, columns]
        part.lerp_(colour, alpha[:, None].expand_as(part))
