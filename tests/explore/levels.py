"""A generator whose subspaces do one thing each, by design; every pixel is a whole level, so nothing is rounded."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidgan.latents import LatentSpace, Subspace
from vidgan.models import Generator

LABELS = ("class 0", "class 1")


@dataclass(frozen=True)
class Config:
    classes: int = 2
    frames: int = 4
    size: int = 4


class Levels(Generator):
    """who: the same picture in every frame; move: what is added in even frames and taken away in odd ones; both: the
    same number in the first frame alone; idle: nothing. A label adds 10 levels for class 1. Counts its clips."""

    architecture = "levels"

    def __init__(self):
        roles = {"who": "appearance", "move": "motion", "both": "noise", "idle": "noise"}
        super().__init__(Config(), LatentSpace(Subspace(name, 3, 1.0, role) for name, role in roles.items()))
        self.weight = nn.Parameter(torch.zeros(1))
        self.drawn = 0

    def forward(self, latents, condition=None) -> Tensor:
        self.drawn += latents.batch
        who, move, both = ((10 * latents[name]).round().clamp(-30, 30) for name in ("who", "move", "both"))
        turn = torch.tensor([1.0, -1.0, 1.0, -1.0])[None, None, :]
        first = torch.tensor([1.0, 0.0, 0.0, 0.0])[None, None, :]
        levels = who[:, :, None] + move[:, :, None] * turn + both[:, :, None] * first  # [B, 3, 4]
        levels = levels + (10 * condition.label[:, 1]).round()[:, None, None]
        return ((levels + 0.5) / 127.5)[..., None, None].expand(-1, -1, -1, 4, 4)


class Drift(Generator):
    """A picture of one colour, `who`, that drifts slowly along `move` from frame to frame: it never jumps."""

    architecture = "drift"

    def __init__(self):
        super().__init__(Config(frames=6), LatentSpace([Subspace("who", 3), Subspace("move", 3, role="motion")]))
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, latents, condition=None) -> Tensor:
        times = torch.linspace(0, 0.3, self.frames)
        colour = latents["who"][:, :, None] + latents["move"][:, :, None] * times + condition.label[:, 1, None, None]
        return torch.tanh(0.5 * colour)[..., None, None].expand(-1, -1, -1, 4, 4)
