"""Frames of a video that are equally far apart in time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import decode
from ...errors import VidganError
from .whole import lacking

#: how much the distances of frames may differ, as a share of the median, before the rate counts as variable; containers
#: round times to milliseconds
UNEVEN = 0.5
JUMP = (
    0.5  #: seconds: a longer gap is not filled with a picture that stands still; time goes on after it as after a cut
)
REACH = 16  #: frames at the end of a file that is, or may be, cut short: what is shown between them may have come later


@dataclass(frozen=True)
class Steady:
    """frames [H, W, 3], one after the other; fps: how many a second; notes: what to say about it, all of it once the
    frames have been read; jumps: numbers of frames before which time was left out."""

    frames: Iterator[NDArray[np.uint8]]
    fps: float
    notes: list[str]
    jumps: tuple[int, ...] = ()


def steady(path: str | Path) -> Steady:
    """The frames of a video as `decode.stream` gives them; where its frame rate is variable, those that are seen at
    even distances, the median of its own: some twice, some never. A file that is cut short or damaged ends early.
    VidganError as `decode.stream` where there is not one frame, and for a frame rate that no video has."""
    frames, fps = decode.stream(path)
    if not 0.1 <= fps <= 1000:
        raise VidganError(f"{path} is no video to look at: it says that it has {fps:g} frames a second.")
    times, missing = np.array(decode.times(path)), lacking(path)
    notes: list[str] = []
    frames = _readable(frames, missing, notes)
    gaps = np.diff(times)
    known = gaps if missing == 0 else gaps[:-REACH]
    known = known[known > 0]
    if not len(known) or np.ptp(known) <= UNEVEN * np.median(known):
        return Steady(frames, fps, notes)
    step = float(np.clip(np.median(known), 1e-3, 10))
    left_out = gaps > max(JUMP, step)
    times = np.concatenate([[0.0], np.where(left_out, step, gaps).cumsum()])
    ticks = int(times[-1] / step + 1.5)
    shown = np.searchsorted(times, (np.arange(ticks) + 0.5) * step, side="left") - 1
    counts = np.bincount(shown, minlength=len(times)).tolist()
    jumps = np.searchsorted(shown, np.flatnonzero(left_out) + 1)
    notes.append(
        f"variable frame rate ({1 / known.max():.3g} to {1 / known.min():.3g}): taken at {1 / step:.3g} frames a second"
    )
    held = (repeat(frame, count) for frame, count in zip(frames, chain(counts, repeat(1)), strict=False))
    return Steady(chain.from_iterable(held), 1 / step, notes, tuple(jumps.tolist()))


def _readable(
    frames: Iterator[NDArray[np.uint8]], missing: float | None, notes: list[str]
) -> Iterator[NDArray[np.uint8]]:
    """`frames` as far as they can be decoded; `notes` learns at their end where there should be more."""
    count, damaged = 0, False
    try:
        for frame in frames:
            count += 1
            yield frame
    except VidganError:
        damaged = True
    read = f"{count} frame{'' if count == 1 else 's'} could be read"
    if missing:
        notes.append(f"cut short: {read}, {max(1, round(100 * missing))}% of the file is missing")
    elif damaged:
        notes.append(f"cut short or damaged: {read}, but not the rest")
