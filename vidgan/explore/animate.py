"""A picture set in motion: one clip, or several, each of which goes on where the one before ended."""

from dataclasses import replace

import numpy as np

from ..conditions import Condition
from ..errors import VidganError
from ..inference import Renderer
from ..latents import Latents
from ..models.base import Generator
from ..video import to_clip
from .drawing import draw

MAX_PARTS = 8  #: clips in a row; each loses a little of the picture that it began with


def animate(maker: Generator | Renderer, latents: Latents, condition: Condition) -> np.ndarray:
    """Frames uint8 [T', H, W, 3] of one picture, in as many parts as `latents` has points.

    condition: image [1, 3, H, W], the picture; label [parts, classes] or [1, classes] for all, or None; fusion [1, 4]
    or None. Part i animates the last frame of part i - 1, as it is shown; its own first frame, which repeats that one,
    is left out. Parts of T frames give T' = T + (parts - 1) * (T - 1). Raises VidganError for more than 8 parts and for
    what does not fit the generator.
    """
    parts = latents.batch
    check_parts(parts)
    if condition.image is None or len(condition.image) != 1:
        raise VidganError("Animating takes one picture.")
    if condition.label is not None and len(condition.label) not in (1, parts):
        raise VidganError(f"There are labels for {len(condition.label)} parts, but {parts} parts.")
    frames = []
    for part in range(parts):
        told = condition
        if condition.label is not None and len(condition.label) > 1:
            told = replace(told, label=condition.label[part : part + 1])
        if frames:
            told = replace(told, image=to_clip(frames[-1][None, -1:])[:, :, 0])
        clip = draw(maker, latents.row(part), told)[0]
        frames.append(clip[1:] if frames else clip)
    return np.concatenate(frames)


def check_parts(parts: int) -> None:
    """VidganError for a number of parts that no picture is animated in."""
    if not 1 <= parts <= MAX_PARTS:
        raise VidganError(f"A picture is animated in 1 to {MAX_PARTS} parts, not {parts}.")
