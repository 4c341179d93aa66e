"""A clip at every level of its growth (Progressive Video GAN, Figures 4.1 and 8.1)."""

from dataclasses import replace

import numpy as np

from ..errors import VidganError
from ..inference import Renderer
from ..models.base import Generator
from .bookmark import Bookmark
from .drawing import check_free, generator_of, sheet
from .parse import parse_stage
from .resample import clip_of


def stages(generator: Generator, point: Bookmark) -> list[Bookmark]:
    """The same point at each level that there is, the smallest first; VidganError for a generator whose clips do not
    grow."""
    check_free(generator)
    if generator.last_stage is None:
        raise VidganError("This release's clips do not grow: they have no stages.")
    reached = generator.last_stage if generator.grown is None else int(generator.grown)
    return [replace(point, stage=parse_stage(stage, generator)) for stage in range(reached + 1)]


def figure(maker: Generator | Renderer, point: Bookmark) -> np.ndarray:
    """All levels side by side, each enlarged to the size and the length of the last: uint8 [T, H, W', 3]."""
    generator = generator_of(maker)
    whole = generator.frames, generator.size
    return sheet([enlarged(clip_of(maker, one), *whole) for one in stages(generator, point)])


def enlarged(clip: np.ndarray, frames: int, size: int) -> np.ndarray:
    """uint8 [T, H, W, 3] with frames and pixels repeated, until there are `frames` of `size`, multiples of what is."""
    clip = clip.repeat(frames // len(clip), 0)
    return clip.repeat(size // clip.shape[1], 1).repeat(size // clip.shape[2], 2)
