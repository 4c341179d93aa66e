"""What every explorer draws with: a generator, or a renderer that remembers its last clips."""

from collections.abc import Sequence

import numpy as np

from ..conditions import Condition
from ..errors import VidganError
from ..inference import Renderer
from ..latents import Latents
from ..models.base import Generator
from ..video import grid, to_uint8


def generator_of(maker: Generator | Renderer) -> Generator:
    """The generator itself."""
    return maker.generator if isinstance(maker, Renderer) else maker


def draw(maker: Generator | Renderer, latents: Latents, condition: Condition | None) -> np.ndarray:
    """Frames uint8 [B, T, H, W, 3], not to be written to; VidganError where latents or condition do not fit."""
    if isinstance(maker, Renderer):
        return maker.draw(latents, condition).frames
    return to_uint8(maker.generate(latents, condition))


def check_free(generator: Generator) -> None:
    """VidganError for a generator that sets pictures in motion: its points mean nothing without a picture."""
    if generator.takes_image:
        name = generator.info.name if generator.info else generator.architecture
        raise VidganError(f"{name} animates pictures; this needs a release that draws videos out of latents alone.")


def sheet(clips: Sequence[np.ndarray], still: bool = False) -> np.ndarray:
    """Clips [T, H, W, 3] side by side as one video, uint8 [T, H, W', 3]; `still`: as papers print them, one picture
    [1, H', W', 3] in which each clip is a column and time goes down."""
    if not still:
        return grid([clips])
    return grid([[clip[time : time + 1] for clip in clips] for time in range(len(clips[0]))])
