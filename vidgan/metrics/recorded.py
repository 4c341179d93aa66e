"""Anyone's videos in a generator's place: a folder of clips, one from each file, for every metric that looks at clips.

Nothing is assumed of how they were made. What cannot be used is left out, what is odd is flagged, by file, and both
stand in every result.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import video
from ..data.base import ClipSource
from ..errors import VidganError
from ..video import to_clip

ARRAYS = {".npz", ".npy"}
SUFFIXES = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif", ".webp", ".m4v", ".mpg", ".mpeg", ".ts"} | ARRAYS
NAMED = 5  #: files that are told by name in a sentence


@dataclass(frozen=True)
class Recorded:
    """frames: uint8 [N, T, H, W, 3]; files: their names below the folder; left_out, flagged: file -> why."""

    takes_image = False
    info = None
    device = torch.device("cpu")

    architecture: str  #: the folder's name, which stands where a release's would
    frames: Tensor
    files: tuple[str, ...]
    left_out: dict[str, str] = field(default_factory=dict)
    flagged: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frames)

    def drawn(self, source: ClipSource, clips: int, batch_size: int) -> Iterator[Tensor]:
        """The first `clips` of them, float [b, 3, T, H, W]; VidganError where they are fewer, or not of the source's
        form."""
        if clips > len(self):
            raise VidganError(f"{self.architecture} has {len(self)} clips that can be used; {clips} were asked for.")
        form = (source.frames, source.size, source.size)
        if tuple(self.frames.shape[1:4]) != form:
            raise VidganError(f"These clips are {list(self.frames.shape[1:4])}, those of {source.name} {list(form)}.")
        for part in self.frames[:clips].split(batch_size):
            yield to_clip(part)

    def labels(self, names: tuple[str, ...]) -> Tensor:
        """int64 [N]: which of `names` the folder of each file is called; VidganError where it is none of them."""
        groups = [Path(file).parts[0] if len(Path(file).parts) > 1 else "" for file in self.files]
        strange = [file for file, group in zip(self.files, groups, strict=True) if group not in names]
        if strange:
            raise VidganError(
                f"Each clip has to lie in a folder named like its label ({', '.join(names)}); {strange[0]} does not."
            )
        return torch.tensor([names.index(group) for group in groups])

    def report(self) -> dict:
        """For a result: the files that were used, left out and flagged, and `note`, the last two in a sentence."""
        told = {"files": len(self), "left_out": self.left_out, "flagged": self.flagged}
        notes = [listed(kind, files) for kind, files in (("Left out", self.left_out), ("Odd", self.flagged)) if files]
        return told | ({"note": " ".join(notes)} if notes else {})


def listed(kind: str, files: dict[str, str]) -> str:
    """Files and what is said of them, as a sentence that names the first few."""
    named = ", ".join(f"{name} ({why})" for name, why in list(files.items())[:NAMED])
    return f"{kind}: {named}" + (f" and {len(files) - NAMED} more." if len(files) > NAMED else ".")


def is_folder_of_videos(name: str) -> bool:
    """Whether `name` is a folder with a clip in it."""
    folder = Path(name).expanduser()
    return folder.is_dir() and next(files(folder), None) is not None


def read_recorded(folder: str | Path, frames: int, size: int, progress: bool = False) -> Recorded:
    """The middle `frames` frames of every video and array below `folder`, as `size` x `size` pixels.

    Other sizes are cut to their middle square and resized, and flagged; so are clips of one colour, clips that stand
    still, and clips that are the same as another. Files that are shorter, damaged or hold NaN are left out. Arrays
    (.npy, and .npz of ours) are [T, H, W, 3], uint8, or float from -1 to 1. VidganError where fewer than two are left.
    """
    folder = Path(folder).expanduser()
    found, names, left_out, flagged = [], [], {}, {}
    seen: dict[bytes, str] = {}
    for path in tqdm(list(files(folder)), desc=folder.name, disable=not progress):
        name = str(path.relative_to(folder))
        try:
            clip = read_clip(path)
        except (VidganError, OSError, ValueError) as error:
            left_out[name] = "cannot be read" if isinstance(error, OSError) else str(error).rstrip(".")
            continue
        if len(clip) < frames:
            left_out[name] = f"{len(clip)} frames of {frames}"
            continue
        start = (len(clip) - frames) // 2
        clip = clip[start : start + frames]
        odd = []
        if clip.shape[1:3] != (size, size):
            odd.append(f"resized from {clip.shape[2]}x{clip.shape[1]}")
            clip = np.stack([video.fit(Image.fromarray(frame), size) for frame in clip])
        if (clip == clip[:1, :1, :1]).all():
            odd.append("one colour throughout")
        elif (clip == clip[:1]).all():
            odd.append("stands still")
        twin = seen.setdefault(hashlib.blake2b(clip.tobytes(), digest_size=16).digest(), name)
        if twin != name:
            odd.append(f"the same as {twin}")
        if odd:
            flagged[name] = ", ".join(odd)
        found.append(clip)
        names.append(name)
    recorded = Recorded(folder.name or str(folder), torch.empty(0), tuple(names), left_out, flagged)
    if len(found) < 2:
        why = recorded.report().get("note", "")
        count = len(found) or "no"
        raise VidganError(f"{folder} has {count} clip of {frames} frames; at least 2 are needed. {why}".strip())
    return Recorded(recorded.architecture, torch.from_numpy(np.stack(found)), recorded.files, left_out, flagged)


def files(folder: Path) -> Iterator[Path]:
    """The videos and arrays below a folder, sorted by path; hidden ones are passed over."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and path.is_file() and not hidden:
            yield path


def read_clip(path: Path) -> np.ndarray:
    """All frames of a file, uint8 [T, H, W, 3]; VidganError, OSError or ValueError for what is no clip."""
    if path.suffix.lower() != ".npy":
        return video.read(path)[0]
    array = np.load(path, allow_pickle=False)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all():
            raise VidganError("holds NaN or infinite pixels")
        if array.size and np.abs(array).max() > 1:
            raise VidganError("float pixels go from -1 to 1")
        array = np.round((array.astype(np.float32) + 1) * 127.5).astype(np.uint8)
    return video.check(array)
