"""How a face moves: what each expression does to brows, lids, nose and mouth, and when."""

import math

import torch
from torch import Tensor

from .factors import LABELS

#: one unit of time, in frames; a longer clip goes on where a shorter one stops
UNIT = 16

#: what a pose is made of, and its value in a neutral face. Lengths are in the face's own units: it is about 1 wide.
NEUTRAL = {
    "brow_inner": 0.0,  # raises the inner end of the brows
    "brow_outer": 0.0,  # raises the outer end
    "brow_arch": 0.04,  # raises the middle over the ends
    "furrow": 0.0,  # draws the brows together
    "lid_upper": 1.0,  # opening above the middle of the eye, times its resting value
    "lid_lower": 1.0,  # opening below; negative pushes the lower lid up past the middle
    "lid_slant": 0.0,  # lowers the inner end of the upper lid
    "iris": 1.0,  # size
    "gaze": 0.0,  # looks down
    "width": 0.205,  # half the mouth
    "corner": 0.02,  # raises the corners
    "open_upper": 0.0,  # opening above the line through the mouth
    "open_lower": 0.0,  # opening below
    "square": 0.0,  # makes the opening a box
    "round": 0.0,  # makes it an ellipse
    "shift": 0.0,  # moves the mouth down
    "lip": 1.0,  # thickness of the lips
    "teeth_upper": 0.0,  # length of the upper row
    "teeth_lower": 0.0,  # length of the lower row
    "tongue": 0.0,  # how far the tongue is up in the mouth
    "tongue_out": 0.0,  # how far it hangs over the lower lip
    "pout": 0.0,  # pushes up the lower lip, dimples the chin
    "jaw": 0.0,  # drops the chin
    "cheek": 0.0,  # raises and reddens the cheeks
    "wrinkle": 0.0,  # wrinkles the nose, deepens the folds beside it
    "flush": 0.0,  # reddens (positive) or pales (negative) the whole face
    "pitch": 0.0,  # bows the head, radians
    "lean": 0.0,  # brings the head nearer
    "shiver": 0.0,  # trembles
}
POSE = tuple(NEUTRAL)

#: the apex of each expression, as far as it differs from neutral
APEX = {
    "anger": {
        "brow_inner": -0.13, "brow_outer": 0.07, "brow_arch": 0.0, "furrow": 0.05, "lid_upper": 0.85, "lid_lower": 0.7,
        "lid_slant": 0.08, "iris": 0.9, "width": 0.225, "corner": -0.05, "open_upper": 0.055, "open_lower": 0.065,
        "square": 1.0, "teeth_upper": 0.066, "teeth_lower": 0.05, "jaw": 0.03, "wrinkle": 0.45, "flush": 1.0,
        "pitch": 0.1, "lean": 0.05, "shift": 0.0, "lip": 0.8,
    },
    "disgust": {
        "brow_inner": -0.075, "brow_outer": -0.01, "brow_arch": 0.01, "furrow": 0.04, "lid_upper": 0.42,
        "lid_lower": 0.1, "width": 0.19, "corner": -0.09, "open_upper": 0.05, "open_lower": 0.05, "round": 0.2,
        "shift": -0.01, "teeth_upper": 0.035, "tongue": 1.0, "tongue_out": 0.11, "wrinkle": 1.0, "cheek": 0.3,
        "flush": -0.4, "pitch": -0.07, "lean": -0.04, "jaw": 0.04, "lip": 1.05,
    },
    "fear": {
        "brow_inner": 0.15, "brow_outer": 0.0, "brow_arch": 0.0, "furrow": 0.05, "lid_upper": 1.6, "lid_lower": 1.35,
        "iris": 0.72, "width": 0.24, "corner": -0.07, "open_upper": 0.05, "open_lower": 0.125, "square": 0.4,
        "teeth_upper": 0.045, "jaw": 0.08, "flush": -1.0, "pitch": -0.06, "lean": -0.07,
        "shiver": 1.0, "lip": 0.75, "shift": 0.02,
    },
    "happiness": {
        "brow_inner": 0.055, "brow_outer": 0.03, "brow_arch": 0.065, "lid_upper": 0.82, "lid_lower": 0.02,
        "width": 0.29, "corner": 0.13, "open_upper": -0.015, "open_lower": 0.15, "teeth_upper": 0.06, "tongue": 0.55,
        "jaw": 0.04, "cheek": 1.0, "pitch": -0.03, "lean": 0.02, "lip": 0.8,
    },
    "sadness": {
        "brow_inner": 0.115, "brow_outer": -0.075, "brow_arch": 0.01, "furrow": 0.035, "lid_upper": 0.5,
        "lid_slant": -0.05, "lid_lower": 0.9, "gaze": 0.5, "width": 0.2, "corner": -0.09, "pout": 1.0, "pitch": 0.13,
        "lean": -0.03, "lip": 1.05, "shift": 0.03,
    },
    "surprise": {
        "brow_inner": 0.14, "brow_outer": 0.13, "brow_arch": 0.075, "lid_upper": 1.55, "lid_lower": 1.3, "iris": 0.88,
        "width": 0.14, "corner": 0.0, "open_upper": 0.09, "open_lower": 0.17, "round": 1.0, "shift": 0.03,
        "teeth_upper": 0.03, "tongue": 0.45, "jaw": 0.13, "pitch": -0.06, "lean": 0.0, "lip": 0.9,
    },
}  # fmt: skip


def _smooth(x: Tensor) -> Tensor:
    x = x.clamp(0, 1)
    return x * x * (3 - 2 * x)


def envelope(factors: dict[str, Tensor], frames: int) -> Tensor:
    """How far the expression is along, [B, T] in [0, 1]: neutral, apex, release, over and over with a period of 2."""
    time = torch.arange(frames, device=factors["speed"].device) / UNIT
    phase = (factors["start_phase"][:, None] + factors["speed"][:, None] * time) % 2
    phase = phase - factors["onset"][:, None]
    return _smooth(phase / 0.55) * (1 - _smooth((phase - 1.2) / 0.45))


def poses(factors: dict[str, Tensor], frames: int) -> dict[str, Tensor]:
    """The pose of every frame: name in `POSE`, and yaw, pitch (radians), eye closure, -> [B, T, 1, 1]."""
    device = factors["speed"].device
    time = torch.arange(frames, device=device) / UNIT
    moved = [[APEX[label].get(p, NEUTRAL[p]) - NEUTRAL[p] for p in POSE] for label in LABELS]
    table = torch.tensor(moved, device=device)
    neutral = torch.tensor([NEUTRAL[p] for p in POSE], device=device)
    strength = factors["intensity"][:, None] * envelope(factors, frames)
    values = neutral + strength[..., None] * table[factors["expression"]][:, None]  # [B, T, P]
    pose = dict(zip(POSE, values.unbind(-1)))

    swing = (1 - torch.cos(math.pi * time)) / 2
    pose["yaw"] = (factors["yaw_start"][:, None] + factors["yaw_swing"][:, None] * swing).clamp(-0.3, 0.3)
    pose["pitch"] = pose["pitch"] + factors["nod"][:, None] * torch.sin(2 * math.pi * time)
    pose["tremble"] = pose["shiver"] * 0.02 * torch.sin(2 * math.pi * 4.3 * time)
    gap = (time - factors["blink"][:, None] + 1) % 2 - 1
    pose["closed"] = _smooth(1.35 - gap.abs() / 0.14)
    return {name: value[..., None, None] for name, value in pose.items()}
