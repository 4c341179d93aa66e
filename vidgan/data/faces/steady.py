"""Frames of a video that are equally far apart in time."""

from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ... import decode
from ...errors import VidganError

#: how much two frames' distances may differ, as a share of the median, before the rate counts as variable; containers
#: round times to milliseconds
UNEVEN = 0.5
LONGEST = 8  #: times as many frames as the file has that filling its gaps may give


def steady(path: str | Path) -> tuple[Iterator[NDArray[np.uint8]], float, str | None]:
    """As `decode.stream` without options: (frames [H, W, 3], frames a second, what to say about it or None).

    Of a video with a variable frame rate, the frames that are seen at even distances, the median of its own: some
    twice, some never. VidganError as `decode.stream`, and for frames too far apart to be filled in.
    """
    frames, fps = decode.stream(path)
    times = np.array(decode.times(path))
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    if not len(gaps) or np.ptp(gaps) <= UNEVEN * np.median(gaps):
        return frames, fps, None
    step = float(np.median(gaps))
    ticks = int((times[-1] - times[0]) / step + 1.5)
    if ticks > LONGEST * len(times):
        raise VidganError(f"Frames of {path} are up to {gaps.max():.0f} seconds apart: it is no video to look at.")
    shown = np.searchsorted(times - times[0], (np.arange(ticks) + 0.5) * step, side="left") - 1
    counts = np.bincount(shown.clip(0), minlength=len(times)).tolist()
    note = (
        f"variable frame rate ({1 / gaps.max():.3g} to {1 / gaps.min():.3g}): taken at {1 / step:.3g} frames a second"
    )
    held = (repeat(frame, count) for frame, count in zip(frames, chain(counts, repeat(1)), strict=False))
    return chain.from_iterable(held), 1 / step, note
