"""Clips that tests know everything of: a square of some colour that moves right, down, or up and left."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vidgan.data.base import Batch, step_generator
from vidgan.latents import LatentSpace, Subspace
from vidgan.models import ReleaseInfo
from vidgan.models.base import Generator

FRAMES, SIZE, SIDE = 8, 32, 10
MOVES = torch.tensor([[0, 2], [2, 0], [-1, -1]])  # pixels down and across, from frame to frame
LABELS = ("right", "down", "away")


def squares(label: Tensor, place: Tensor, colour: Tensor) -> Tensor:
    """Clips float32 [B, 3, 8, 32, 32]: labels [B], where the square begins [B, 2] and its colour [B, 3], in [0, 1]."""
    start = 9 + (place * 5).long()
    corner = start[:, None] + MOVES[label][:, None] * torch.arange(FRAMES)[:, None]  # B, T, 2
    line = torch.arange(SIZE)
    down, across = (
        (line >= corner[..., axis, None]) & (line < corner[..., axis, None] + SIDE) for axis in (0, 1)
    )  # each B, T, 32
    inside = (down[..., :, None] & across[..., None, :])[:, None].float()
    return inside * colour[:, :, None, None, None] * 2 - 1


class Squares:
    """A clip source of endless squares; `count` > 0: of so many, again and again."""

    name = "squares"
    labels = LABELS

    def __init__(self, split: str = "train", count: int = 0):
        self.split, self.count = split, count
        self.frames, self.size, self.seed, self.rank = FRAMES, SIZE, 0, 0

    def batch(self, size: int, step: int) -> Batch:
        random = step_generator(self.split == "test", 0, step)
        if not self.count:
            return self._drawn(size, random)
        every = self._drawn(self.count, step_generator(self.split == "test", 1, 0))
        rows = torch.randint(self.count, (size,), generator=random)
        return Batch(every.clip[rows], every.label[rows])

    def _drawn(self, size: int, random: torch.Generator) -> Batch:
        label = torch.randint(len(LABELS), (size,), generator=random)
        values = torch.rand(size, 5, generator=random)
        return Batch(squares(label, values[:, :2], values[:, 2:]), label)


@dataclass(frozen=True)
class Config:
    classes: int = len(LABELS)
    frames: int = FRAMES
    size: int = SIZE


class Draws(Generator):
    """Draws squares as the data does, told its labels in reverse order; `turn`: with the motion of the next label but
    so many; `copies`: gives back one of these clips instead."""

    architecture = "squares"

    def __init__(self, turn: int = 0, copies: Batch | None = None, classes: int = len(LABELS)):
        super().__init__(Config(classes), LatentSpace([Subspace("appearance", 5, role="appearance")]))
        self.info = ReleaseInfo("drawn", "squares", labels=LABELS[::-1] if classes else ())
        self.turn, self.copies = turn, copies
        self.anchor = nn.Parameter(torch.zeros(1))

    def forward(self, latents, condition=None):
        values = (latents["appearance"] / 2**0.5).erf() / 2 + 0.5  # normal to even
        label = values[:, 0].mul(3).long().clamp(max=2)
        if self.config.classes:
            label = len(LABELS) - 1 - condition.label.argmax(1)
        if self.copies is not None:
            return self.copies.clip[(values[:, 0] * len(self.copies.clip)).long()]
        return squares((label + self.turn) % len(LABELS), values[:, :2], values[:, 2:])
