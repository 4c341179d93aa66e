"""The head: where it is in each frame, its outline, its colours and the cut of its hair."""

import torch
from torch import Tensor

from .canvas import Canvas, oval, palette, smooth
from .factors import HAIR_STYLES

SKIN = ("#fde0cc", "#f6c9a8", "#e3ab80", "#c58a5c", "#9a6643", "#70472f")
HAIR = ("#262130", "#46302b", "#76452c", "#b9582f", "#dfb263", "#d5d3d6")

#: what a hair style is made of. Outline: the cap over the skull (width, height, how far up), and a fall beside the
#: face that ends at `length` with half-width `fall`. Hairline, over the middle of the face: its height, how it sweeps
#: to the sides of the parting, where and how deep it drops beside the face. Then where the cap ends at the nape,
#: curls, a bun, and opacity.
STYLE = (
    "wide", "high", "up", "fall", "length", "line", "sweep", "part", "side", "drop", "nape", "curl", "bun", "opacity",
)  # fmt: skip
STYLES = {
    "shaved":    (0.502, 0.70, 0.01, 0.1, -9.0, -0.50, 0.30, 0.00, 0.41, 0.30, 0.00, 0.000, 0.0, 0.20),
    "short":     (0.550, 0.74, 0.09, 0.1, -9.0, -0.47, 0.15, 0.05, 0.39, 0.42, 0.10, 0.010, 0.0, 1.00),
    "side part": (0.565, 0.76, 0.10, 0.1, -9.0, -0.54, 0.48, -0.26, 0.40, 0.40, 0.10, 0.000, 0.0, 1.00),
    "long":      (0.600, 0.78, 0.04, 0.66, 1.06, -0.56, 0.80, -0.06, 0.43, 2.20, 0.20, 0.000, 0.0, 1.00),
    "bob":       (0.620, 0.78, 0.04, 0.70, 0.52, -0.33, 0.12, 0.00, 0.43, 2.00, 0.20, 0.000, 0.0, 1.00),
    "curly":     (0.740, 0.80, 0.12, 0.1, -9.0, -0.46, 0.15, 0.00, 0.40, 0.60, 0.46, 0.022, 0.0, 1.00),
    "bun":       (0.520, 0.71, 0.04, 0.1, -9.0, -0.51, 0.42, 0.00, 0.40, 0.35, 0.08, 0.000, 1.0, 1.00),
}  # fmt: skip


class Head:
    """Where a head is in each frame, and how its factors colour it: what all layers share.

    X, Y: coordinates that move with the outline; U, V: coordinates that slide over the ball with the features. In both
    the face is 1 wide and about 1.4 long, eyes at V = -0.06, mouth at V = 0.37.
    """

    BALL = 0.70  # radius in x
    BALL_Y = 1.0

    def __init__(self, factors: dict[str, Tensor], pose: dict[str, Tensor], canvas: Canvas):
        def unit(name: str) -> Tensor:
            return factors[name][:, None, None, None]

        self.pose = pose
        self.eye_size = 0.88 + 0.26 * unit("eye_size")
        self.brow_weight = unit("brow_weight")
        wide = 0.93 + 0.14 * unit("face_width")
        long = 0.93 + 0.13 * unit("face_length")
        scale = 0.985 * (1 + 0.6 * pose["lean"])
        self.sin_yaw, cos_yaw = torch.sin(pose["yaw"]), torch.cos(pose["yaw"])
        sin_pitch, cos_pitch = torch.sin(pose["pitch"]), torch.cos(pose["pitch"])
        self.sin_pitch = sin_pitch
        self.X = (canvas.x - 0.16 * self.sin_yaw - pose["tremble"]) / (scale * wide)
        self.Y = (canvas.y - 0.05 - 0.16 * sin_pitch) / (scale * long)
        ball, ball_y = self.BALL, self.BALL_Y
        x, y = self.X.clamp(-ball, ball), self.Y.clamp(-ball_y, ball_y)
        self.U = self.X * cos_yaw - (ball**2 - x * x).sqrt() * self.sin_yaw
        self.V = self.Y * cos_pitch - (ball_y**2 - y * y).sqrt() * 0.7 * sin_pitch

        self.skin = palette(SKIN, factors["skin_tone"])
        flush = pose["flush"][:, None]  # [B, 1, T, 1, 1]
        warm = torch.tensor([0.03, -0.04, -0.04], device=canvas.image.device).view(1, 3, 1, 1, 1)
        pale = torch.tensor([0.0, -0.03, -0.05], device=canvas.image.device).view(1, 3, 1, 1, 1)
        self.face = self.skin + warm * flush.clamp(min=0) + pale * flush.clamp(max=0)
        self.shade = self.face * torch.tensor([0.84, 0.70, 0.68], device=canvas.image.device).view(1, 3, 1, 1, 1)
        self.deep = self.face * torch.tensor([0.66, 0.47, 0.45], device=canvas.image.device).view(1, 3, 1, 1, 1)
        self.hair = palette(HAIR, factors["hair_colour"])
        self.hair_dark = self.hair * torch.tensor([0.72, 0.63, 0.60], device=canvas.image.device).view(1, 3, 1, 1, 1)
        self.style = self._style(factors["hair_style"])
        self.outline = self._outline()

    def _style(self, index: Tensor) -> dict[str, Tensor]:
        table = torch.tensor([STYLES[name] for name in HAIR_STYLES], device=index.device)
        return dict(zip(STYLE, table[index][:, :, None, None, None].unbind(1)))

    def _outline(self) -> Tensor:
        """Signed distance [B, T, H, W] to the face: an ellipse above the cheeks, a tapering jaw below."""
        up, down = self.Y.clamp(max=0), self.Y.clamp(min=0)
        chin = 0.665 + self.pose["jaw"]
        power = 2.3
        half = 0.5 * (1 - 0.13 * (down / chin).clamp(max=1.2) ** 1.6)
        fy = (up / 0.74) ** 2 + (down / chin) ** power
        gy = (up / 0.74**2 + (power / 2) * down ** (power - 1) / chin**power) ** 2
        x = self.X - 0.2 * self.sin_yaw * smooth(self.Y, -0.1, 0.6)  # the chin leads when the head turns
        square = x * x
        return oval(square / half**2, fy, square / half**4, gy)
