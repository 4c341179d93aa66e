"""Eyes, brows, nose, mouth, beard and glasses, on a head that knows where it is."""

import torch
from torch import Tensor

from .canvas import Canvas, box, bump, ellipse, palette, ramp, smooth, tint
from .factors import BEARDS, GLASSES
from .head import Head

IRIS = ("#4a2c1e", "#8c6230", "#4b8f58", "#3f86c9", "#8497a8")
EYE_X, EYE_Y = 0.222, -0.05
MOUTH_Y = 0.375


def face(head: Head, canvas: Canvas, factors: dict[str, Tensor], cover: Tensor) -> None:
    """All features of the skin but the brows. cover: [B, T, H, W], how much of each pixel is face."""
    _cheeks(head, canvas, cover)
    _beard(head, canvas, factors["beard"], cover)
    _nose(head, canvas)
    _mouth(head, canvas, factors)
    _eyes(head, canvas, palette(IRIS, factors["eye_colour"]))


def _cheeks(head: Head, canvas: Canvas, cover: Tensor) -> None:
    window = rows, columns = canvas.window(-0.75, 0.75, -0.1, 0.55)
    raised = head.pose["cheek"]
    u, v = head.U[..., columns].abs() - 0.31, head.V[..., rows, :] - 0.2 + 0.04 * raised
    blush = bump(u, v, 0.19, 0.14) * (0.42 + 0.3 * raised) * cover[..., *window]
    canvas.paint(tint(head.face, "#ee5a5a", 0.42), blush, window)


def _nose(head: Head, canvas: Canvas) -> None:
    window = rows, columns = canvas.window(-0.5, 0.5, -0.3, 0.45)
    u = (head.U - 0.17 * head.sin_yaw)[..., columns]
    v = (head.V - 0.06 * head.sin_pitch)[..., rows, :] + 0.02 * head.pose["wrinkle"]
    side = bump(u - 0.055, v - 0.05, 0.05, 0.24) * 0.5
    canvas.paint(head.shade, side, window)
    under = bump(u, v - 0.215, 0.12, 0.05) * 0.9
    canvas.paint(head.shade, under, window)
    nostrils = canvas.cover(ellipse(u.abs() - 0.045, v - 0.2, 0.026, 0.017), 0.03)
    canvas.paint(head.deep, nostrils * 0.85, window)
    canvas.paint(tint(head.skin, "#fff6e8", 0.6), bump(u + 0.025, v - 0.12, 0.055, 0.06) * 0.7, window)
    canvas.paint(tint(head.skin, "#fff6e8", 0.6), bump(u + 0.015, v + 0.03, 0.03, 0.14) * 0.35, window)
    # the folds of a wrinkled nose: two strokes between the eyes, one on each side
    fold = canvas.cover((v + 0.06 + 0.35 * u.abs()).abs() - 0.012, 0.02) * ramp(u.abs(), 0.1, 0.06)
    fold = torch.maximum(fold, canvas.cover((v + 0.0 + 0.35 * u.abs()).abs() - 0.01, 0.02) * ramp(u.abs(), 0.1, 0.06))
    crease = canvas.cover((u.abs() - 0.095 - 0.42 * (v - 0.14)).abs() - 0.012, 0.025)
    crease = crease * ramp(v, 0.12, 0.17) * ramp(v, 0.36, 0.28)
    canvas.paint(head.deep, torch.maximum(fold, crease) * head.pose["wrinkle"].clamp(0, 1) * 0.6, window)


def _eyes(head: Head, canvas: Canvas, iris_colour: Tensor) -> None:
    pose = head.pose
    window = rows, columns = canvas.window(-0.68, 0.68, -0.45, 0.32)
    u, v = head.U[..., columns], head.V[..., rows, :] - EYE_Y
    size = head.eye_size
    outward = (u.abs() - EYE_X) / size  # mirrored: positive away from the nose
    half = 0.148
    s = (outward / half).clamp(-1.25, 1.25)
    arc = (1 - s.abs() ** 2.3).clamp(min=0) ** 0.75 - 1.5 * (s.abs() - 1).clamp(min=0)
    tilt = -0.018 * s
    open_upper = pose["lid_upper"] * (1 - pose["closed"]) - 0.45 * pose["closed"]
    open_lower = pose["lid_lower"] * (1 - pose["closed"]) + 0.45 * pose["closed"]
    slant = pose["lid_slant"] * (1 - s) * 0.5 * (1 - pose["closed"])
    upper = (tilt - 0.106 * open_upper * arc) * size + slant  # height of each lid over the column
    lower = (tilt + 0.07 * open_lower * arc) * size
    upper = torch.minimum(upper, lower + 0.01)
    shape = torch.maximum(upper - v, v - lower)
    shape = torch.maximum(shape, (s.abs() - 1) * half)

    # socket and lid: the skin above the eye, and the crease that a raised lid leaves
    canvas.paint(head.shade, bump(outward + 0.01, v + 0.06, 0.2, 0.16) * 0.55, window)
    inside = canvas.cover(shape)
    white = tint(torch.ones_like(head.skin), "#dfe6f2", 0.3)
    canvas.paint(white, inside, window)

    x = u.abs() - EYE_X + 0.018 * pose["furrow"] / 0.05
    x = x - torch.sign(u) * 0.05 * head.sin_yaw / 0.3 * 0.5  # the gaze stays a little behind the head
    y = v - 0.006 - 0.05 * pose["gaze"]
    radius = 0.088 * pose["iris"] * size
    ball = (x * x + y * y).sqrt_()
    disc = canvas.cover(ball - radius) * inside
    canvas.paint(iris_colour * 0.62, disc, window)
    glow = canvas.cover(ball - radius * 0.84) * inside * (0.55 + 0.45 * ramp(y, -0.06, 0.05))
    canvas.paint(tint(iris_colour, "#ffffff", 0.12), glow, window)
    canvas.paint(iris_colour * 0.12, canvas.cover(ball - radius * 0.5) * inside, window)
    canvas.paint(head.deep * 0.45, inside * smooth(upper + 0.07 - v, 0.0, 0.06) * 0.45, window)
    spot = canvas.cover(((x + torch.sign(u) * 0.03) ** 2 + (y + 0.032) ** 2).sqrt_() - 0.024)
    canvas.paint(torch.ones_like(head.skin), spot * inside * 0.95, window)

    # lashes: thick above, tapering to the nose; a thin line below
    ink = head.hair * 0.35 * 0.5 + head.deep * 0.2
    weight = (0.021 + 0.011 * s.clamp(-1, 1)) * ramp(s.abs(), 1.22, 0.9)
    canvas.paint(ink, canvas.cover((v - upper + 0.004).abs() - weight) * ramp(s.abs(), 1.2, 1.02), window)
    line = canvas.cover((v - lower).abs() - 0.006) * ramp(s.abs(), 1.0, 0.8) * 0.5
    canvas.paint(head.deep, line, window)
    crease = tilt * size + slant - 0.108 * arc * size * (0.6 + 0.4 * open_upper.clamp(min=0)) - 0.03
    fold = canvas.cover((v - crease).abs() - 0.007, 0.02) * ramp(s.abs(), 1.0, 0.7) * 0.55
    canvas.paint(head.deep, fold, window)
    bag = canvas.cover((v - lower - 0.045).abs() - 0.006, 0.03) * ramp(s.abs(), 0.9, 0.5)
    canvas.paint(head.deep, bag * ((1 - pose["lid_lower"]) * 0.45).clamp(0, 0.5), window)


def brows(head: Head, canvas: Canvas, cover: Tensor) -> None:
    """Two strokes, thick at the nose, and the frown between them, where `cover` [B, T, H, W] (the head) lets them."""
    pose = head.pose
    window = rows, columns = canvas.window(-0.72, 0.72, -0.75, 0.12)
    u, v = head.U[..., columns].abs(), head.V[..., rows, :]
    s = ((u - 0.225 + pose["furrow"] * 0.6) / 0.165).clamp(-1.3, 1.3)  # -1 at the nose, 1 at the temple
    height = -0.26 - pose["brow_inner"] * (1 - s) * 0.5 - pose["brow_outer"] * (1 + s) * 0.5
    height = height - pose["brow_arch"] * (1 - s * s)
    thick = (0.017 + 0.026 * head.brow_weight) * (1.12 - 0.38 * (s + 1) * 0.5) * ramp(s.abs(), 1.25, 0.85)
    slope = 1 / (1 + ((pose["brow_outer"] - pose["brow_inner"]) * 3 - pose["brow_arch"] * 12 * s) ** 2).sqrt()
    stroke = (v - height).abs() * slope - thick
    ink = tint(head.hair * 0.6, "#33201a", 0.42)
    canvas.paint(ink, canvas.cover(stroke) * ramp(s.abs(), 1.2, 1.05) * cover[..., *window], window)
    frown = canvas.cover((u - 0.035).abs() - 0.007, 0.02) * ramp((v + 0.26).abs(), 0.09, 0.05)
    canvas.paint(head.deep, frown * (pose["furrow"] / 0.05 * (pose["brow_inner"] < 0)).clamp(0, 1) * 0.5, window)


def _lips(head: Head, columns: slice) -> dict[str, Tensor]:
    """The heights of the mouth's five curves over each column, and s: -1 and 1 at its corners."""
    pose = head.pose
    u = head.U[..., columns]
    s = u / pose["width"]
    a = s.abs().clamp(max=1)
    over = (s.abs() - 1).clamp(min=0)
    lens = 1 - a**2
    boxy = 1 - a**6
    disc = lens.clamp(min=0).sqrt()
    opening = torch.lerp(torch.lerp(lens, boxy, pose["square"]), disc, pose["round"])
    middle = MOUTH_Y + pose["shift"] - pose["corner"] * (a * a - 0.35) - 0.035 * pose["pout"] * lens
    body = torch.lerp(lens**0.8, disc, (pose["round"] + pose["square"]).clamp(max=1))
    bow = 0.012 * ((1 - ((a - 0.28) / 0.28) ** 2).clamp(min=-0.6)) * (1 - pose["round"])
    upper = middle - pose["open_upper"] * opening + 0.6 * over
    lower = middle + pose["open_lower"] * opening - 0.6 * over
    return {
        "s": s,
        "middle": middle,
        "upper": upper,
        "lower": lower,
        "top": upper - pose["lip"] * (0.042 * body + bow * lens) + over * 0.4,
        "bottom": lower + pose["lip"] * 0.06 * body - over * 0.4,
    }


def _mouth(head: Head, canvas: Canvas, factors: dict[str, Tensor]) -> None:
    pose = head.pose
    window = rows, columns = canvas.window(-0.62, 0.62, 0.1, 0.86)
    v = head.V[..., rows, :]
    m = _lips(head, columns)
    s, upper, lower, top, bottom = m["s"], m["upper"], m["lower"], m["top"], m["bottom"]
    ends = (s.abs() - 1.0) * pose["width"]

    # the chin: a shadow under the lip, and its dimple when the lip is pushed up
    under = bump(head.U[..., columns], v - bottom - 0.045, 0.17, 0.06) * (0.55 + 0.4 * pose["pout"])
    canvas.paint(head.shade, under, window)

    lip = tint(head.face * 0.86, "#c23b4a", 0.5)
    lips = canvas.cover(torch.maximum(torch.maximum(top - v, v - bottom), ends))
    canvas.paint(lip, lips, window)
    gloss = canvas.cover((v - (lower + bottom) * 0.5 + 0.006).abs() - 0.012, 0.03) * ramp(s.abs(), 0.75, 0.2)
    canvas.paint(tint(lip, "#ffd9cf", 0.7), gloss * lips * 0.7, window)
    canvas.paint(lip * 0.8, lips * ramp(v - m["middle"], 0.02, -0.02) * 0.45, window)

    # inside: dark, with teeth from above and below and the tongue on the floor
    hollow = torch.maximum(torch.maximum(upper - v, v - lower), ends)
    inside = canvas.cover(hollow)
    canvas.paint(tint(torch.zeros_like(lip), "#5a1620", 0.9), inside, window)
    tongue = tint(torch.zeros_like(lip), "#d9606a", 1.0)
    rise = ellipse(head.U[..., columns], v - lower - 0.02, pose["width"] * 0.62, 0.02 + 0.1 * pose["tongue"])
    canvas.paint(tongue, canvas.cover(rise) * inside * (pose["tongue"] > 0.05), window)
    ivory = tint(torch.ones_like(lip), "#f3eee4", 1.0)
    shown = ramp(s.abs(), 0.98, 0.9) * inside
    row = canvas.cover(v - upper - pose["teeth_upper"]) * (pose["teeth_upper"] > 0.004)
    canvas.paint(ivory, row * shown, window)
    row = canvas.cover(lower - pose["teeth_lower"] - v) * (pose["teeth_lower"] > 0.004)
    canvas.paint(ivory * 0.93, row * shown, window)

    # the line where closed lips meet, and its turned corners
    slope = 1 / (1 + (2 * pose["corner"] / pose["width"] * s) ** 2).sqrt()
    closed = canvas.cover((v - (upper + lower) * 0.5).abs() * slope - 0.009) * ramp(s.abs(), 1.06, 0.94)
    canvas.paint(head.deep * 0.6, closed * ramp(lower - upper, 0.03, 0.005) * 0.9, window)

    # a tongue that hangs out
    hang = pose["tongue_out"]
    out = box(head.U[..., columns], v - lower - hang * 0.5 + 0.04, 0.085, hang * 0.5 + 0.05, 0.08)
    shown = canvas.cover(out) * ramp(hang, 0.01, 0.04)
    canvas.paint(tongue, shown, window)
    groove = canvas.cover(head.U[..., columns].abs() - 0.008, 0.02) * ramp(v - lower - hang, 0.02, -0.05)
    canvas.paint(tongue * 0.75, groove * shown * 0.8, window)


def _beard(head: Head, canvas: Canvas, index: Tensor, cover: Tensor) -> None:
    kind = torch.nn.functional.one_hot(index, len(BEARDS)).to(cover.dtype)[:, :, None, None, None].unbind(1)
    _, stubble, moustache, full = kind
    window = rows, columns = canvas.window(-0.8, 0.8, -0.2, 1)
    u, v = head.U[..., columns], head.V[..., rows, :]
    a = u.abs()
    edge = 0.235 + 0.9 * a * a - 5.5 * (a - 0.35).clamp(min=0)  # the upper edge: under the nose, up the jaw
    outline = head.outline[..., *window]
    jaw = torch.maximum(outline - 0.03 * full, edge - v)
    shade = tint(head.hair * 0.86, "#4a2c1c", 0.14)
    shadow = tint(head.hair * 0.55, "#2a201c", 0.5)
    burn = ramp(v, -0.1, 0.12)  # fades into the temples
    canvas.paint(shadow, canvas.cover(jaw, 0.14) * stubble * 0.28 * burn * cover[..., *window], window)
    full = full * burn
    canvas.paint(shade, canvas.cover(jaw, 0.03) * full, window)
    canvas.paint(head.hair_dark, canvas.cover(jaw, 0.03) * full * smooth(outline, -0.16, 0.03) * 0.6, window)
    lip = MOUTH_Y + head.pose["shift"] - head.pose["open_upper"] - 0.07
    droop = 0.55 * a**1.7 + head.pose["corner"] * -1.0 * (a / 0.2) ** 2 * 0.6
    whiskers = (v - lip - droop).abs() - 0.047 * ramp(a, 0.26, 0.12) * ramp(a, -0.02, 0.03)
    whiskers = torch.maximum(whiskers, a - 0.25)
    canvas.paint(shade, canvas.cover(whiskers) * moustache, window)


def glasses(head: Head, canvas: Canvas, index: Tensor) -> None:
    """Frames before the eyes, with a glint."""
    kind = torch.nn.functional.one_hot(index, len(GLASSES)).to(head.U.dtype)[:, :, None, None, None].unbind(1)
    none, _, square = kind
    worn = 1 - none
    window = rows, columns = canvas.window(-0.85, 0.85, -0.45, 0.4)
    u = (head.U - 0.05 * head.sin_yaw)[..., columns]
    v = (head.V - 0.02 * head.sin_pitch)[..., rows, :] - EYE_Y - 0.015
    x = u.abs() - EYE_X - 0.01
    rim = box(x, v, 0.198 + 0.004 * square, 0.198 - 0.04 * square, 0.197 - 0.13 * square)
    ink = tint(torch.zeros_like(head.skin), "#2c2a38", 1.0)
    canvas.paint(torch.ones_like(head.skin), canvas.cover(rim) * worn * 0.10, window)
    glint = canvas.cover((x + 0.6 * v + 0.07).abs() - 0.022) * canvas.cover(rim + 0.03) * worn * 0.22
    canvas.paint(torch.ones_like(head.skin), glint, window)
    frame = canvas.cover(rim.abs() - 0.013)
    bridge = canvas.cover(torch.maximum((v + 0.05 + 1.5 * u * u).abs() - 0.014, u.abs() - 0.05))
    temple = canvas.cover(torch.maximum((v + 0.06).abs() - 0.013, (u.abs() - 0.45).abs() - 0.06))
    canvas.paint(ink, torch.maximum(torch.maximum(frame, bridge), temple) * worn, window)
