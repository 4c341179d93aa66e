"""Draws the faces: every clip is a pure function of its named factors.

Layers from back to front, each a soft-edged shape laid over the last. What stands still (background, neck, shirt) is
drawn once per clip; what moves is drawn per frame inside the smallest window that holds it. The head is a ball: its
features slide over it with yaw and pitch, the far side narrowing, while the outline barely moves.
"""

import torch
from torch import Tensor

from ...errors import VidganError
from . import features
from .canvas import Canvas, bump, ellipse, palette, ramp, smooth, tint
from .factors import FACTORS
from .head import SKIN, Head
from .motion import poses

#: raise by one whenever the same factors would give other pixels: cached clips and trained weights depend on it
DRAWING_VERSION = 2

SHIRT = ("#34477d", "#2b8a8c", "#6ba566", "#e6b04a", "#e0685f", "#8a5090")
BACKGROUND = ("#bfdcf0", "#c6e8da", "#f6ecd2", "#fad9c6", "#dfd3f0")


def _backdrop(factors: dict[str, Tensor], size: int) -> tuple[Tensor, Tensor]:
    """What never moves: background, neck and shirt, [B, 3, 1, H, W]; and the neck's share of each pixel."""
    n, device = factors["background"].shape[0], factors["background"].device
    canvas = Canvas(torch.zeros(n, 3, 1, size, size, device=device))
    x, y = canvas.x, canvas.y
    paper = palette(BACKGROUND, factors["background"])
    canvas.image += paper * (1.0 - 0.05 * smooth(y, -0.9, 1.0))[:, None]
    white = torch.ones_like(paper)
    canvas.paint(white, 0.5 * smooth((x * x + (y + 0.1) ** 2).sqrt(), 1.15, 0.2).expand(n, -1, -1, -1))

    skin = palette(SKIN, factors["skin_tone"])
    cloth = palette(SHIRT, factors["shirt_colour"])
    dark, light = tint(cloth * 0.78, "#2a2050", 0.06), tint(cloth, "#ffffff", 0.24)

    def everyone(alpha: Tensor) -> Tensor:
        return alpha.expand(n, -1, -1, -1)

    flare = 0.205 + 0.3 * ramp(y, 0.66, 1.0) ** 2
    neck = canvas.cover(x.abs() - flare) * ramp(y, 0.2, 0.3)
    canvas.paint(skin, everyone(neck))
    canvas.paint(skin * 0.93, everyone(neck * smooth(x, 0.0, 0.24) * 0.8))

    top = 0.83 + 0.45 * (x.abs() - 0.28).clamp(min=0) ** 1.5
    shoulder = (top - y) * 0.9
    hole = ellipse(x, y - 0.8, 0.265, 0.155)  # the neckline
    band = hole - 0.055
    collar = canvas.cover(torch.maximum(torch.maximum(-hole, band), 0.79 - y + 0.3 * (x.abs() - 0.2)))
    shirt = canvas.cover(torch.maximum(shoulder, -hole))
    canvas.paint(cloth, everyone(shirt))
    canvas.paint(light, everyone(shirt * smooth(x - 0.5 * y, -0.55, -1.2) * 0.6))
    canvas.paint(dark, everyone(shirt * smooth(x + 0.3 * y, 0.45, 1.15)))
    canvas.paint(dark, everyone(shirt * canvas.cover(band - 0.02, 0.06) * 0.5))
    canvas.paint(light, everyone(collar))
    skin_left = everyone(neck * (1 - shirt) * (1 - collar))
    return canvas.image, skin_left


def _hair(head: Head, canvas: Canvas) -> tuple[Tensor, Tensor]:
    """Signed distance to all hair, [B, T, H, W], and the height of the hairline over each column of the face."""
    s = head.style
    curls = s["curl"] * torch.cos(head.X * 21) * torch.cos(head.Y * 21)
    y = head.Y + s["up"]
    outline = torch.maximum(ellipse(head.X, y, s["wide"], s["high"]), head.Y - s["nape"]) + curls
    low = smooth(head.Y, -0.05, 0.5)
    half = torch.lerp(s["wide"], s["fall"], low) - 0.08 * smooth(head.Y, s["length"] - 0.35, s["length"])
    corner = 0.14
    dx = head.X.abs() - half + corner
    dy = torch.maximum(head.Y - s["length"], -head.Y - s["up"] - 0.1) + corner
    fall = (dx.clamp(min=0) ** 2 + dy.clamp(min=0) ** 2).sqrt_() + torch.maximum(dx, dy).clamp_(max=0) - corner
    outline = torch.minimum(outline, fall)
    bun = ellipse(head.X + 0.1 * head.sin_yaw, head.Y + 0.80, 0.21, 0.17) + (1 - s["bun"])
    outline = torch.minimum(outline, bun)

    across = head.U.abs()
    line = s["line"] + s["sweep"] * (head.U - s["part"]).abs() ** 1.5
    line = line + s["drop"] * smooth(across, s["side"], s["side"] + 0.13) + s["curl"] * 1.6 * torch.cos(head.U * 27)
    return outline, line


def _draw(factors: dict[str, Tensor], frames: int, size: int) -> Tensor:
    still, neck = _backdrop(factors, size)
    canvas = Canvas(still.expand(-1, -1, frames, -1, -1).clone())
    pose = poses(factors, frames)
    head = Head(factors, pose, canvas)
    outline = head.outline
    hair, line = _hair(head, canvas)
    opacity = head.style["opacity"]
    solid = (opacity > 0.9).to(hair.dtype)

    # behind the head
    behind = canvas.cover(hair) * solid * (1 - neck)
    canvas.paint(head.hair_dark, behind)
    below = canvas.window(-0.5, 0.5, 0.2, 1)
    canvas.paint(head.shade * 0.9, canvas.cover(outline[..., *below] - 0.11, 0.1) * neck[..., *below], below)

    # ears, peeping out more on the side that turns to us
    band = canvas.window(-1, 1, -0.35, 0.45)
    x, y = head.X + 0.07 * head.sin_yaw, head.Y[..., band[0], :] - 0.03 + 0.1 * head.sin_pitch
    ear = ellipse(x.abs() - 0.505, y, 0.085, 0.135)
    canvas.paint(head.face, canvas.cover(ear), band)
    canvas.paint(head.shade, canvas.cover(ellipse(x.abs() - 0.525, y, 0.045, 0.085), 0.06), band)

    # the face, its shadow side and what the hair throws on it
    face = canvas.cover(outline)
    canvas.paint(head.face, face)
    side = smooth(head.X + 0.5 * head.sin_yaw, 0.12, 0.62)
    canvas.paint(head.shade, face * (side + 0.55 * smooth(head.Y, 0.42, 0.8)).clamp(max=1) * 0.75)
    upper = canvas.window(-0.75, 0.75, -1, 0.5)
    thrown = (line - head.V[..., upper[0], :])[..., upper[1]]
    canvas.paint(head.shade, face[..., *upper] * ramp(thrown, -0.13, -0.02) * 0.55 * solid, upper)
    light = canvas.window(-0.7, 0.5, -0.75, 0.3)
    canvas.paint(
        tint(head.skin, "#fff6e8", 0.5),
        0.45 * bump(head.X[..., light[1]] + 0.15, head.V[..., light[0], :] + 0.33, 0.3, 0.2) * face[..., *light],
        light,
    )

    features.face(head, canvas, factors, face)

    # in front of the head
    front = torch.maximum(hair, head.V - line)
    cover = canvas.cover(front) * opacity
    canvas.paint(head.hair, cover)
    dim = (0.55 * smooth(head.X, 0.1, 0.6) + 0.6 * smooth(head.Y, -0.1, 0.7)).clamp(max=0.75)
    canvas.paint(head.hair_dark, cover * dim)
    shine = bump(hair + 0.16, head.X + 0.2, 0.075, 0.4)
    canvas.paint(tint(head.hair, "#fff0dc", 0.42), cover * shine * 0.8)
    strands = 0.5 + 0.5 * torch.cos(head.X * 38 + 3 * torch.sin(head.Y * 4 + head.X * 5))
    canvas.paint(head.hair_dark, cover * strands * 0.15)
    # over the hair, as cartoons have it: a fringe must not hide what brows say
    features.brows(head, canvas, torch.maximum(face, cover))
    features.glasses(head, canvas, factors["glasses"])
    return canvas.image.clamp_(0, 1).mul_(2).sub_(1)


def draw(factors: dict[str, Tensor], frames: int, size: int, device: torch.device | str = "cpu") -> Tensor:
    """Draw clips: float32 [B, 3, frames, size, size] in [-1, 1], a pure function of the factors.

    factors: every name in `FACTORS` -> [B] (others are ignored). Row i depends on row i of the factors alone, and
    frame t of a clip does not depend on how many follow. Raises VidganError where a factor is missing.
    """
    missing = [factor.name for factor in FACTORS if factor.name not in factors]
    if missing:
        raise VidganError(f"A drawing needs every factor; missing: {', '.join(missing)}.")
    factors = {name: value.to(device) for name, value in factors.items()}
    n = factors["expression"].shape[0]
    budget = 2**18 if torch.device(device).type == "cpu" else 2**25  # pixels at once: what a cache or a card holds
    step = max(1, budget // (frames * size * size))
    clip = torch.empty(n, 3, frames, size, size, device=device)
    for i in range(0, n, step):
        clip[i : i + step] = _draw({k: v[i : i + step] for k, v in factors.items()}, frames, size)
    return clip
