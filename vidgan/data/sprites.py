"""Sprites (Li & Mandt, "Disentangled Sequential Autoencoder", ICML 2018): walking, casting and slashing characters.

A reader of `sprites64/sprites_layers64.npz` (see docs/data.md), which holds the drawings of the Liberated Pixel Cup as
layers: a character is one of 6 bodies, 6 bottom wears, 6 top wears and 6 hairs, laid over one another on black, with
shoes; 1296 characters x 9 motions x 8 frames, every factor exact. 296 characters are held out. Attribution and
share-alike are owed for the drawings (CC-BY-SA 3.0 and GPL 3.0).
"""

import hashlib
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from .arrays import check_numbers, expect, find, load_npz, pick, pixels_to_clip, resize
from .base import Batch, step_generator

ORIGIN = "build it from the sheets in github.com/YingzhenLi/Sprites (CC-BY-SA 3.0, GPL 3.0; see docs/data.md)"
LAYERS = ("body", "bottomwear", "topwear", "hair")  # in the order in which they lie over one another; shoes come last
CHARACTERS = 6 ** len(LAYERS)
HELD_OUT = 296
PERIOD = 8  # frames after which every motion is where it began


class Sprites:
    """A clip source that composites characters on `device`. Factors, int64 [B]: body, bottomwear, topwear, hair (0..5),
    motion (0..8, also the label), character (0..1295), phase (0..7, the first frame's place in the motion).
    """

    name = "sprites"

    def __init__(
        self,
        split: str = "train",
        frames: int = 16,
        size: int = 64,
        seed: int = 0,
        rank: int = 0,
        device: str | torch.device = "cpu",
        root: str | None = None,
        random_phase: bool = True,
    ):
        """frames: any number; beyond 8 the motion repeats. random_phase: start anywhere in the motion, else with its
        first drawing. Raises VidganError when data is missing.
        """
        check_numbers(frames, size)
        expect(bool, random_phase=random_phase)
        self.path = find("sprites64", "sprites_layers64.npz", root, ORIGIN)
        self.split, self.frames, self.size, self.seed, self.rank = split, frames, size, seed, rank
        self.labels, lower, upper = _halves(self.path, self.path.stat().st_mtime_ns)
        self.lower, self.upper = lower.to(device), upper.to(device)
        self.native = self.lower.shape[-1]
        self.random_phase = random_phase
        self.characters = torch.tensor(characters(split))
        self.identities = len(self.characters)
        self.lengths = torch.full((len(self),), PERIOD)

    def __len__(self) -> int:
        """Number of distinct clips: characters of this split x motions."""
        return len(self.characters) * len(self.labels)

    def label_counts(self) -> dict[str, int]:
        """Motion -> number of characters, all of which perform it."""
        return dict.fromkeys(self.labels, len(self.characters))

    def batch(self, size: int, step: int) -> Batch:
        """`size` random characters in random motions, a pure function of (seed, rank, step, size)."""
        generator = step_generator(self.seed, self.rank, step)
        character = self.characters[pick(len(self.characters), size, generator)]
        motion = pick(len(self.labels), size, generator)
        phase = pick(PERIOD, size, generator) * int(self.random_phase)
        parts = dict(zip(LAYERS, factors_of(character)))
        video = self.render(character, motion, phase)
        device = video.device
        factors = {**parts, "motion": motion, "character": character, "phase": phase}
        return Batch(video, motion.to(device), {name: value.to(device) for name, value in factors.items()})

    def render(self, character: Tensor, motion: Tensor, phase: Tensor) -> Tensor:
        """The clips [B, 3, T, size, size] of characters 0..1295, motions 0..8 and first frames 0..7, each int64 [B]."""
        device = self.lower.device
        body, bottomwear, topwear, hair = factors_of(character)
        order = (phase[:, None] + torch.arange(min(self.frames, PERIOD))) % PERIOD  # [B, at most 8]
        motion, order = motion[:, None].to(device), order.to(device)
        lower = self.lower[(body * 6 + bottomwear)[:, None].to(device), motion, order]  # [B, t, 3, 64, 64]
        upper = self.upper[(topwear * 6 + hair)[:, None].to(device), motion, order]  # [B, t, 4, 64, 64]
        pixels = lower.float().mul_(1 - upper[:, :, 3:].float() / 255).add_(upper[:, :, :3]).round_().to(torch.uint8)
        pixels = resize(pixels.flatten(0, 1), self.size).unflatten(0, order.shape)
        return pixels_to_clip(pixels[:, torch.arange(self.frames, device=device) % PERIOD])


def characters(split: str) -> list[int]:
    """The characters of a split, ascending: 296 of the 1296 are held out, by a hash of their number, for ever."""
    ranked = sorted(range(CHARACTERS), key=lambda number: hashlib.sha256(b"sprites %d" % number).digest())
    return sorted(ranked[:HELD_OUT] if split == "test" else ranked[HELD_OUT:])


def factors_of(character: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Character 0..1295 -> (body, bottomwear, topwear, hair), each 0..5."""
    return character // 216, character // 36 % 6, character // 6 % 6, character % 6


@lru_cache(maxsize=1)
def _halves(path: Path, changed: int) -> tuple[tuple[str, ...], Tensor, Tensor]:
    """The names of the motions, and two pictures to lay over one another for each character instead of five: all body
    and bottom wear on black (uint8 [36, 9, 8, 3, 64, 64]), all top wear, hair and shoes (premultiplied RGBA, uint8
    [36, 9, 8, 4, 64, 64]). `changed` (the file's time) only makes a new file a new call.
    """
    data = load_npz(path, (*LAYERS, "shoes", "motion_names"))
    layers = [torch.from_numpy(data[name]).movedim(-1, -3).float() for name in (*LAYERS, "shoes")]  # 0..255
    through = [1 - layer[..., 3:, :, :] / 255 for layer in layers]  # how much of what lies below is seen
    for layer in layers:
        layer[..., :3, :, :] *= layer[..., 3:, :, :] / 255
    body, bottomwear, topwear, hair, shoes = layers
    lower = torch.empty(6, *bottomwear[..., :3, :, :].shape, dtype=torch.uint8)
    upper = torch.empty(6, *hair.shape, dtype=torch.uint8)
    for choice in range(6):
        lower[choice] = (body[choice] * through[1] + bottomwear)[..., :3, :, :].round_()
        upper[choice] = (topwear[choice] * through[3]).add_(hair).mul_(through[4]).add_(shoes).round_()
    return tuple(str(name) for name in data["motion_names"]), lower.flatten(0, 1), upper.flatten(0, 1)


open_source = Sprites
