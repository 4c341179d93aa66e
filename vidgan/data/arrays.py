"""What the readers of files share: finding and opening them, windows in time, and pixels to clips."""

import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import VidganError

_REPOSITORY = Path(__file__).resolve().parents[2]


def find(folder: str, file: str, root: str | Path | None, origin: str) -> Path:
    """The file `file` of the data set `folder`: in `root` or `root`/folder if given, else in $VIDGAN_DATA/folder,
    else in shared/data/folder beside the checkout. Raises VidganError saying where to get it (`origin`) and where
    it goes.
    """
    if root is not None:
        places = [Path(root).expanduser(), Path(root).expanduser() / folder]
    else:
        places = [_REPOSITORY.parent / "shared" / "data" / folder]
        if os.environ.get("VIDGAN_DATA"):
            places.insert(0, Path(os.environ["VIDGAN_DATA"]).expanduser() / folder)
    for place in places:
        if (place / file).is_file():
            return place / file
    looked = f" in {root}" if root is not None else ""
    raise VidganError(
        f"There is no {folder}/{file}{looked}: {origin}; name the folder that holds {folder}/ "
        "with --data-root or VIDGAN_DATA."
    )


def load_npz(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays `names` of an npz, without pickles. Raises VidganError naming the file when it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except Exception as error:
        raise VidganError(f"Could not read {path}: {error}.") from error


def windows(
    lengths: Tensor, frames: int, stride: tuple[int, int], generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """For clips of `lengths` [B], a random stride within `stride` (as far as the clip is long enough, but never less
    than its lower end), a random start and the indices of `frames` frames: (int64 [B, T], start [B], stride [B]).
    """
    low, high = stride
    reach = (lengths - 1) // max(1, frames - 1)  # the longest stride that still fits
    high = reach.clamp(low, high)
    draws = torch.rand(2, len(lengths), generator=generator, dtype=torch.float64)
    step = low + (draws[0] * (high - low + 1)).long()
    room = lengths - (frames - 1) * step
    if (room < 1).any():
        raise VidganError(f"{frames} frames with stride {low} do not fit into {int(lengths.min())} frames.")
    start = (draws[1] * room).long()
    return start[:, None] + step[:, None] * torch.arange(frames), start, step


def pick(count: int, size: int, generator: torch.Generator) -> Tensor:
    """`size` random indices below `count`, int64 [B]."""
    return torch.randint(count, (size,), generator=generator)


def parse_stride(stride: int | str | tuple[int, int] | list[int]) -> tuple[int, int]:
    """2, "2", (1, 4), "1,4" or "1-4" -> (lowest, highest). Raises VidganError for anything else or less than 1."""
    try:
        parts = stride.replace("-", ",").split(",") if isinstance(stride, str) else stride
        low, high = (parts, parts) if isinstance(parts, int) else (int(parts[0]), int(parts[-1]))
        if 1 <= low <= high and (isinstance(parts, int) or len(parts) <= 2):
            return low, high
    except (TypeError, ValueError, IndexError):
        pass
    raise VidganError(f"stride is {stride!r}; it can be a number from 1, or a range such as 1,4.")


def check_numbers(frames: int, size: int) -> None:
    """Raises VidganError for clips without frames or pixels."""
    if frames < 1 or not 8 <= size <= 1024:
        raise VidganError(f"A clip has at least 1 frame and 8 to 1024 pixels; asked for {frames} and {size}.")


def resize(pixels: Tensor, size: int) -> Tensor:
    """uint8 [N, 3, H, W] -> uint8 [N, 3, size, size]: area average to make smaller, bilinear to make larger."""
    if pixels.shape[-2:] == (size, size):
        return pixels
    how = {"mode": "area"} if size < min(pixels.shape[-2:]) else {"mode": "bilinear", "align_corners": False}
    parts = [F.interpolate(part.float(), (size, size), **how).round_().to(torch.uint8) for part in pixels.split(256)]
    return torch.cat(parts)


def to_clip(pixels: Tensor) -> Tensor:
    """uint8 [B, T, 3, H, W], as the readers keep them, -> clip float32 [B, 3, T, H, W] in [-1, 1]."""
    return pixels.transpose(1, 2).contiguous().div(127.5).sub_(1)
