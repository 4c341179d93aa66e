"""Frames of a video that are equally far apart in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import decode
from ...errors import VidganError

#: how much the distances of frames may differ, as a share of the median, before the rate counts as variable; containers
#: round times to milliseconds
UNEVEN = 0.5
JUMP = (
    0.5  #: seconds: a longer gap is not filled with a picture that stands still; time goes on after it as after a cut
)


@dataclass(frozen=True)
class Steady:
    """frames [H, W, 3], one after the other; fps: how many a second; jumps: numbers of frames before which time was
    left out; note: what to say about it."""

    frames: Iterator[NDArray[np.uint8]]
    fps: float
    jumps: tuple[int, ...] = ()
    note: str | None = None


def steady(path: str | Path) -> Steady:
    """The frames of a video as `decode.stream` gives them; where its frame rate is variable, those that are seen at
    even distances, the median of its own: some twice, some never. VidganError as `decode.stream`, and for a frame rate
    that no video has."""
    frames, fps = decode.stream(path)
    if not 0.1 <= fps <= 1000:
        raise VidganError(f"{path} is no video to look at: it says that it has {fps:g} frames a second.")
    times = np.array(decode.times(path))
    gaps = np.diff(times)
    known = gaps[gaps > 0]
    if not len(known) or np.ptp(known) <= UNEVEN * np.median(known):
        return Steady(frames, fps)
    step = float(np.clip(np.median(known), 1e-3, 10))
    left_out = gaps > max(JUMP, step)
    times = np.concatenate([[0.0], np.where(left_out, step, gaps).cumsum()])
    ticks = int(times[-1] / step + 1.5)
    shown = np.searchsorted(times, (np.arange(ticks) + 0.5) * step, side="left") - 1
    counts = np.bincount(shown, minlength=len(times)).tolist()
    jumps = np.searchsorted(shown, np.flatnonzero(left_out) + 1)
    note = (
        f"variable frame rate ({1 / known.max():.3g} to {1 / known.min():.3g}): taken at {1 / step:.3g} frames a second"
    )
    held = (repeat(frame, count) for frame, count in zip(frames, chain(counts, repeat(1)), strict=False))
    return Steady(chain.from_iterable(held), 1 / step, tuple(jumps.tolist()), note)
