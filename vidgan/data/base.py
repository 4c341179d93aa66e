"""What every data set gives the trainer: batches that are a pure function of (seed, rank, step)."""

from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Training clips.

    clip: float32 [B, 3, T, H, W] in [-1, 1]; label: int64 [B] or None; factors: name -> [B, ...], empty where a
    data set knows nothing more about its clips.
    """

    clip: Tensor
    label: Tensor | None = None
    factors: dict[str, Tensor] = field(default_factory=dict)


class ClipSource(Protocol):
    """Where clips come from. Two sources of the same arguments give the same batch for the same step.

    native: pixels of what its files hold, of which clips of another `size` are made; 0 where files differ, or there are
    none.
    """

    name: str
    split: str
    labels: tuple[str, ...]
    frames: int
    size: int
    native: int
    seed: int
    rank: int

    def batch(self, size: int, step: int) -> Batch:
        """`size` clips for training step `step`; nothing but (seed, rank, step, size) decides which."""
        ...


def step_generator(seed: int, rank: int, step: int) -> torch.Generator:
    """A CPU random generator that belongs to one step of one process: to resume is to ask for the step again."""
    mixed = (seed * 0x9E3779B97F4A7C15 + rank * 0xC2B2AE3D27D4EB4F + step * 0x165667B19E3779F9) & (2**64 - 1)
    mixed ^= mixed >> 31
    return torch.Generator().manual_seed(mixed & (2**63 - 1))
