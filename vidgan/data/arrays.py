"""What the readers of files share: finding and opening them, windows in time, and pixels to clips."""

import os
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import VidganError
from .base import Batch, step_generator

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
        f"There is no {folder}/{file}{looked}: {origin}; put it into a folder {folder} and name the folder "
        "that holds it as the root of the data, or in VIDGAN_DATA."
    )


def load_npz(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The arrays `names` of an npz, without pickles. Raises VidganError naming the file when it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except Exception as error:
        raise VidganError(f"Could not read {path}: {error}.") from error


class Windows(ABC):
    """A clip source of random windows of longer clips; a reader says where pixels are (`pixels_of`).

    Attributes: what every clip source has (vidgan.data.base.ClipSource), and stride (lowest, highest), flip (mirror
    half of the clips), lengths int64 [clips], label int64 [clips] or None, known: name -> int64 [clips], what else is
    known of each clip.
    """

    name: str
    labels: tuple[str, ...] = ()
    native: int = 0
    lengths: Tensor
    label: Tensor | None = None
    known: dict[str, Tensor]

    def __init__(
        self, split: str, frames: int, size: int, seed: int, rank: int, stride, flip: bool, device, vary: float = 0
    ):
        check_numbers(frames, size)
        expect(bool, flip=flip)
        expect(float, vary=vary)
        if not 0 <= vary <= 1:
            raise VidganError(f"vary goes from 0 to 1, not {vary}.")
        self.split, self.frames, self.size, self.seed, self.rank = split, frames, size, seed, rank
        self.stride = parse_stride(stride) if stride is not None else (1, 4)
        self.flip = flip and split == "train"
        self.vary = vary if split == "train" else 0
        self.device = torch.device(device)

    def __len__(self) -> int:
        """Number of clips in this split."""
        return len(self.lengths)

    def label_counts(self) -> dict[str, int]:
        """Label -> number of clips; empty where there are no labels."""
        if self.label is None:
            return {}
        counts = torch.bincount(self.label, minlength=len(self.labels))
        return dict(zip(self.labels, counts.tolist()))

    @abstractmethod
    def pixels_of(self, clip: Tensor, index: Tensor) -> Tensor:
        """Frames `index` [B, T] of clips `clip` [B]: uint8 [B, T, 3, H, W] on `device`, a copy."""

    def batch(self, size: int, step: int) -> Batch:
        """`size` random windows of random clips, a pure function of (seed, rank, step, size). Factors, int64 [B]: what
        is known of the clips, start (first frame), stride, flip.
        """
        generator = step_generator(self.seed, self.rank, step)
        clip = pick(len(self), size, generator)
        index, start, stride = windows(self.lengths[clip], self.frames, self.stride, generator)
        flip = torch.rand(size, generator=generator) < (0.5 if self.flip else 0)
        pixels = self.pixels_of(clip, index)
        if flip.any():
            mirrored = flip.to(self.device)
            pixels[mirrored] = pixels[mirrored].flip(-1)
        factors = {name: value[clip] for name, value in self.known.items()}
        factors |= {"start": start, "stride": stride, "flip": flip.long()}
        factors = {name: value.to(self.device) for name, value in factors.items()}
        label = None if self.label is None else self.label[clip].to(self.device)
        made = pixels_to_clip(pixels)
        return Batch(varied(made, self.vary, generator) if self.vary else made, label, factors)


def varied(clip: Tensor, vary: float, generator: torch.Generator) -> Tensor:
    """Clips [B, 3, T, H, W] in other colours and places, all frames of one alike: contrast times up to 1 +- vary / 2,
    each colour up to 1 +- vary / 4, brightness up to +- vary / 4, shifted by up to vary / 8 of the size, edges
    repeated."""
    batch, _, _, height, width = clip.shape
    draws = (2 * torch.rand(batch, 7, generator=generator) - 1) * vary
    gain = (1 + draws[:, :1] / 2) * (1 + draws[:, 1:4] / 4)
    gain, light = (one[:, :, None, None, None].to(clip.device) for one in (gain, draws[:, 4:5] / 4))
    moved = []
    for one, down, right in zip(clip, *(draws[:, 5:] * torch.tensor([height, width]) / 8).round().long().T):
        rows, columns = (
            (torch.arange(size) + shift).clamp(0, size - 1).to(clip.device)
            for size, shift in ((height, down), (width, right))
        )
        moved.append(one[:, :, rows][:, :, :, columns])
    return (torch.stack(moved) * gain + light).clamp(-1, 1)


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


def expect(kind: type, **options) -> None:
    """Raises VidganError for an option that is not of `kind` (bool, int, float or str), as text from outside may be."""
    allowed = (int, float) if kind is float else kind
    for name, value in options.items():
        if not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool):
            noun = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}[kind]
            raise VidganError(f"{name} is {value!r}; it must be {noun}.")


def check_numbers(frames: int, size: int) -> None:
    """Raises VidganError for clips without frames or pixels."""
    expect(int, frames=frames, size=size)
    if frames < 1 or not 8 <= size <= 1024:
        raise VidganError(f"A clip has at least 1 frame and 8 to 1024 pixels; asked for {frames} and {size}.")


def resize(pixels: Tensor, size: int) -> Tensor:
    """uint8 [N, 3, H, W] -> uint8 [N, 3, size, size]: area average to make smaller, bilinear to make larger."""
    if pixels.shape[-2:] == (size, size):
        return pixels
    how = {"mode": "area"} if size < min(pixels.shape[-2:]) else {"mode": "bilinear", "align_corners": False}
    parts = [F.interpolate(part.float(), (size, size), **how).round_().to(torch.uint8) for part in pixels.split(256)]
    return torch.cat(parts)


def pixels_to_clip(pixels: Tensor) -> Tensor:
    """uint8 [B, T, 3, H, W], as the readers keep them, -> clip float32 [B, 3, T, H, W] in [-1, 1]."""
    return pixels.transpose(1, 2).contiguous().div(127.5).sub_(1)
