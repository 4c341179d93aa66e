"""Anyone's videos: ROOT/class/*.mp4, or ROOT/*.mp4 without classes, or folders of frames as one clip each.

Every file is decoded once, by PyAV, into a cache of raw uint8 frames on disk; from there clips lie in memory if they
are small enough together, else they are read as they are needed. A file that cannot be read or is too short is named,
skipped and counted.
"""

import hashlib
import json
import os
import re
import sys
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from .. import video
from ..errors import VidganError, unknown
from ..files import cache_folder, replaced, write_atomic
from .arrays import Windows, expect

VIDEOS = {".mp4", ".mov", ".avi", ".mkv", ".webm", ".gif", ".m4v", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".3gp"}
IMAGES = {".png", ".jpg", ".jpeg", ".bmp", ".webp"}
HELD_OUT = 0.1


@dataclass(frozen=True)
class Found:
    """One clip as it lies in the folder: a video file, a picture that is a strip of frames, or a folder of frames.
    `name` is its path below the root."""

    name: str
    path: Path
    group: str | None  # its class
    pictures: tuple[Path, ...] = ()

    @property
    def strip(self) -> bool:
        return not self.pictures and self.path.suffix.lower() in IMAGES


@dataclass
class Report:
    """What became of the files: `found` clips (and those that a list names in vain), `decoded` just now (the others
    came from the cache), `skipped` names with the reason.
    """

    found: int = 0
    decoded: int = 0
    skipped: dict[str, str] = field(default_factory=dict)

    def line(self, root: Path) -> str:
        named = [f"{name} ({reason})" for name, reason in list(self.skipped.items())[:5]]
        more = f" and {len(self.skipped) - 5} more" if len(self.skipped) > 5 else ""
        return f"folder {root}: {len(self.skipped)} of {self.found} clips skipped: {', '.join(named)}{more}"


class Folder(Windows):
    """A clip source over a folder. Factors, int64 [B]: clip (index into `names`), start, stride, flip; labels where
    there are classes. `report` tells what was skipped; `names` are the clips of this split.
    """

    name = "folder"

    def __init__(
        self,
        split: str = "train",
        frames: int = 16,
        size: int = 64,
        seed: int = 0,
        rank: int = 0,
        device: str | torch.device = "cpu",
        root: str | None = None,
        crop: str = "center",
        every: int = 1,
        stride: int | str | tuple[int, int] | None = None,
        flip: bool = False,
        vary: float = 0,
        classes: bool = True,
        strips: bool = False,
        middle: int = 0,
        held_out: float = HELD_OUT,
        train_list: str | None = None,
        test_list: str | None = None,
        cache: str | None = None,
        memory: float = 2.0,
        workers: int = 0,
    ):
        """crop: "center" cuts the middle square, "none" squashes; every: decode every n-th frame only; stride: lowest
        and highest temporal step of a window (None: 1 to 4, as far as the clip is long enough); flip: mirror half of
        the training clips; vary, 0 to 1: how far the colours and places of training clips differ from what was filmed;
        classes: folders directly below `root` are classes; strips: every picture is a clip of its own, square frames
        one below the other, as Golf and Aeroplane are kept (VGAN's authors); middle: only so many frames from the
        middle of each clip (32 for UCF-101 in Progressive Video GAN; 0: all), counted after `every`; held_out: share of
        each class, chosen by a hash of the names, that makes the test split; train_list, test_list: text files that
        name the clips of a split instead, as UCF-101's do: paths below `root`, one a line, a class number after them is
        ignored (with one list, the other split is all the rest; with both, what is on neither is left out); cache:
        where decoded clips go (else $VIDGAN_CACHE, else ~/.cache/vidgan); memory: GiB up to which all clips are held on
        `device`; workers: decoding threads (0: one for each core, 8 at most).

        Raises VidganError when there is no folder, no clip in it, or none that can be used, and for a list that cannot
        be read, names no clip of the folder, or one that is on the other list too.
        """
        super().__init__(split, frames, size, seed, rank, stride, flip, device, vary)
        expect(bool, classes=classes, strips=strips)
        expect(int, every=every, workers=workers, middle=middle)
        expect(float, held_out=held_out, memory=memory)
        if crop not in video.CROPS:
            raise unknown("crop", crop, video.CROPS)
        if every < 1 or not 0 <= held_out < 1:
            raise VidganError(f"every is at least 1 and held_out from 0 to below 1; they are {every} and {held_out}.")
        lists = {side: path for side, path in (("train", train_list), ("test", test_list)) if path is not None}
        expect(str, **{f"{side}_list": path for side, path in lists.items()})
        if lists and held_out != HELD_OUT:
            raise VidganError(f"held_out is {held_out}, but lists say which clips are: leave out one of the two.")
        if root is None:
            raise VidganError(
                "The data set folder needs the root of the data: a folder ROOT with ROOT/class/*.mp4 in it."
            )
        self.root = Path(root).expanduser()
        least = (frames - 1) * self.stride[0] + 1
        if middle and middle < least:
            raise VidganError(f"middle is {middle}; a clip takes {least} frames of a video (0: whole videos).")
        found = scan(self.root, classes, strips)
        if not found:
            sought = "strips of square frames" if strips else f"{', '.join(sorted(VIDEOS))} files or folders of frames"
            raise VidganError(f"There are no videos in {root}: {sought}.")
        named = {side: _named(f"{side}_list", path, found, self.root) for side, path in lists.items()}
        listed = set().union(*named.values())
        if len(lists) == 2:
            if both := named["train"] & named["test"]:
                raise VidganError(f"{min(both)} is on train_list and on test_list ({len(both)} such); keep it on one.")
            found = [clip for clip in found if clip.name in listed]
        self.labels = tuple(sorted({clip.group for clip in found if clip.group is not None}))
        missing = sorted(listed - {clip.name for clip in found}) if split in lists else []
        found = [clip for clip in found if (clip.name in listed) == (split in lists)]
        if not found:
            other = next(iter(lists))
            raise VidganError(f"The {split} split of {root} is empty: {other}_list names every clip; take some off it.")
        self.report = Report(len(found) + len(missing))
        kept = cache_folder() / "folder" if cache is None else Path(cache).expanduser()
        places = _decode_all(found, size, crop, every, middle, kept, self.report, workers, rank)

        usable: list[tuple[Found, Path, int]] = []
        for clip in found:
            if clip.name in self.report.skipped:
                continue
            length = places[clip.name].stat().st_size // (size * size * 3)
            if length < least:
                self.report.skipped[clip.name] = f"too short: {length} frames of {least}"
            elif self.labels and clip.group is None:
                self.report.skipped[clip.name] = "outside the class folders"
            else:
                usable.append((clip, places[clip.name], length))
        self.report.skipped |= dict.fromkeys(missing, "not in the folder")
        if not usable:
            if any(reason.startswith("too short") for reason in self.report.skipped.values()):
                hint = "take longer videos, a lower every or stride, or fewer frames (--model.frames in some models)"
            else:
                hint = "put videos there that can be read"
            raise VidganError(f"No clip can be used: {self.report.line(self.root)}; {hint}.")
        if self.report.skipped and rank == 0 and (split == "train" or len(lists) == 1):  # once for each clip
            tqdm.write(self.report.line(self.root), file=sys.stderr)
        if lists:
            mine = [entry for entry in usable if split not in lists or entry[0].name in named[split]]
            if not mine:
                raise VidganError(f"The {split} split of {root} is empty: no clip on {split}_list can be used.")
        else:
            tested: set[str] = set()
            for group in {clip.group for clip, _, _ in usable}:
                tested |= held_out_names([clip.name for clip, _, _ in usable if clip.group == group], held_out)
            mine = [entry for entry in usable if (entry[0].name in tested) == (split == "test")]
            if not mine:
                raise VidganError(f"The {split} split of {root} is empty: {len(usable)} clip(s), held_out={held_out}.")

        self.names = tuple(clip.name for clip, _, _ in mine)
        self.lengths = torch.tensor([length for _, _, length in mine])
        self.known = {"clip": torch.arange(len(mine))}
        if self.labels:
            self.label = torch.tensor([self.labels.index(clip.group) for clip, _, _ in mine])
        self.places = [place for _, place, _ in mine]
        self.resident = int(self.lengths.sum()) * size * size * 3 <= memory * 2**30
        if self.resident:
            self.starts = self.lengths.cumsum(0) - self.lengths
            self.pixels = torch.empty(int(self.lengths.sum()), 3, size, size, dtype=torch.uint8, device=device)
            for start, length, place in zip(self.starts, self.lengths, self.places):
                whole = torch.from_numpy(np.array(_mapped(str(place), size)))
                self.pixels[start : start + length] = whole.permute(0, 3, 1, 2)

    def pixels_of(self, clip: Tensor, index: Tensor) -> Tensor:
        if self.resident:
            return self.pixels[(index + self.starts[clip][:, None]).to(self.device)]
        picked = [_mapped(str(self.places[c]), self.size)[i] for c, i in zip(clip.tolist(), index.numpy())]
        return torch.from_numpy(np.stack(picked)).to(self.device).permute(0, 1, 4, 2, 3)


open_source = Folder


def scan(root: Path, classes: bool = True, strips: bool = False) -> list[Found]:
    """The clips below `root`, sorted by name; hidden files are passed over. A folder that holds pictures and no video
    is one clip; with `strips`, each picture is one, and nothing else. Raises VidganError when `root` is no folder.
    """
    if not root.is_dir():
        raise VidganError(f"{root} is no folder of videos: there is no such folder.")
    found, seen = [], set()
    for folder, below, files in os.walk(root, followlinks=True):
        here = Path(folder)
        real = here.resolve()
        if real in seen:  # a link back to where we were
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        files = sorted((name for name in files if not name.startswith(".")), key=_natural)
        parts = here.relative_to(root).parts
        videos = [name for name in files if Path(name).suffix.lower() in (IMAGES if strips else VIDEOS)]
        pictures = [here / name for name in files if Path(name).suffix.lower() in IMAGES and not strips]
        group = parts[0] if parts and classes else None
        for name in videos:
            found.append(Found("/".join((*parts, name)), here / name, group))
        if pictures and parts and not videos:
            group = group if len(parts) > 1 else None
            found.append(Found("/".join(parts), here, group, tuple(pictures)))
    return sorted(found, key=lambda clip: clip.name)


def held_out_names(names: list[str], share: float) -> set[str]:
    """Which clips of one class are held out: those whose hash falls below `share`, so that a new file moves no other;
    at least one and never all, where there are two or more.
    """

    def rank(name: str) -> float:
        digest = hashlib.sha256(unicodedata.normalize("NFC", name).encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") / 2**64

    chosen = {name for name in names if rank(name) < share}
    ranked = sorted(names, key=rank)
    if len(names) >= 2 and share > 0:
        chosen.add(ranked[0])
        chosen.discard(ranked[-1])
    return chosen


def _named(option: str, path: str, found: list[Found], root: Path) -> set[str]:
    """The names in the list at `path`: of clips as `found` has them, and those that are not there. Raises VidganError
    when it is no text or names no clip."""
    needed = f"{option} needs a text file with one path below {root} a line, such as {found[0].name}"
    try:
        text = Path(path).expanduser().read_text("utf-8-sig")
    except OSError as error:
        raise VidganError(f"Could not read the list {path!r}: {error.strerror or error}; {needed}.") from error
    except ValueError:
        text = "\0"
    if "\0" in text:
        raise VidganError(f"{path} is no text in UTF-8; {needed}.")
    clips = {_spelt(clip.name): clip.name for clip in found}
    names = set()
    for line in text.split("\n"):
        line = line.strip()
        if line and not line.startswith("#"):
            name = _spelt(line)
            if name not in clips:  # else a number at its end is its own
                name = re.sub(r"\s+\d+$", "", name)
            names.add(clips.get(name, name))
    if names.isdisjoint(clips.values()):
        raise VidganError(f"{path} names no clip of the folder; {needed}.")
    return names


def _spelt(name: str) -> str:
    """The name of a clip the same way, whatever system a list of names was made on."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


# ------------------------------------------------------------------------------------------------ the cache


def _place(clip: Found, size: int, crop: str, every: int, middle: int, cache: Path) -> Path:
    """The cache file of a clip: another one whenever the file, its time, its length or an option changes."""
    stamps = []
    for path in clip.pictures or (clip.path,):
        stat = path.stat()
        stamps.append((str(path.resolve()), stat.st_mtime_ns, stat.st_size))
    kind = ["strip"] if clip.strip else []
    cut = [middle] if middle else []
    key = hashlib.sha256(json.dumps([1, stamps, size, crop, every, *kind, *cut]).encode()).hexdigest()[:40]
    return cache / key[:2] / f"{key}.u8"


def _decode_all(
    found: list[Found],
    size: int,
    crop: str,
    every: int,
    middle: int,
    cache: Path,
    report: Report,
    workers: int,
    rank: int,
) -> dict[str, Path]:
    """Clip name -> its cache file, decoding what is not there yet; what cannot be read goes to `report.skipped`."""
    places: dict[str, Path] = {}
    missing = []
    for clip in found:
        try:
            place = places[clip.name] = _place(clip, size, crop, every, middle, cache)
        except OSError as error:  # gone or not ours to see, such as a broken link
            report.skipped[clip.name] = error.strerror or str(error)
            continue
        note = place.with_suffix(".txt")
        if note.is_file():
            report.skipped[clip.name] = note.read_text("utf-8")
        elif not place.is_file():
            missing.append(clip)
    if not missing:
        return places
    if any(not (clip.pictures or clip.strip or clip.path.suffix.lower() == ".gif") for clip in missing):
        video.load_av()  # if it is not installed then that is the error, not every file in turn
    # Processes that start together begin at different places, and so share the work
    shift = int(len(missing) * (rank * 0.618 % 1))
    missing = missing[shift:] + missing[:shift]

    def decode(clip: Found) -> tuple[Found, str | None]:
        return clip, _decode(clip, places[clip.name], size, crop, every, middle)

    pool = ThreadPoolExecutor(workers or min(8, os.cpu_count() or 1))
    try:
        bar = tqdm(total=len(missing), desc="decoding", unit="clip", disable=True if rank else None)
        for clip, reason in pool.map(decode, missing):
            bar.update()
            if reason:
                report.skipped[clip.name] = reason
            else:
                report.decoded += 1
        bar.close()
    finally:
        pool.shutdown(cancel_futures=True)
    report.skipped = dict(sorted(report.skipped.items()))
    return places


def _decode(clip: Found, place: Path, size: int, crop: str, every: int, middle: int) -> str | None:
    """Decode one clip into `place`, completely or not at all; the reason if it cannot be read (noted beside it)."""
    if place.is_file():  # another process was faster
        return None
    try:
        with replaced(place) as draft, open(draft, "w+b") as file:
            for frame in _pictures(clip, size, crop, every):
                file.write(frame.tobytes())
            if middle:
                _keep_middle(file, middle, size * size * 3)
    except VidganError as error:
        reason = str(error).replace(str(clip.path), clip.path.name).rstrip(".")
        write_atomic(place.with_suffix(".txt"), reason.encode())
        return reason
    except OSError as error:
        raise VidganError(f"Could not write decoded clips to {place.parent.parent}: {error.strerror}.") from error
    return None


def _keep_middle(file: BinaryIO, count: int, frame: int) -> None:
    """Of the frames in `file`, `frame` bytes each, keep the `count` in the middle. How many there are is known only
    once all are decoded, and then they may be more than memory holds."""
    first = (file.tell() // frame - count) // 2
    if first < 0:
        return
    for index in range(count):
        file.seek((first + index) * frame)
        pixels = file.read(frame)
        file.seek(index * frame)
        file.write(pixels)
    file.truncate(count * frame)


def _pictures(clip: Found, size: int, crop: str, every: int) -> Iterator[np.ndarray]:
    if clip.strip:
        strip = next(video.stream(clip.path)[0])
        height, width, _ = strip.shape
        if height % width or height == width:
            raise VidganError(f"{clip.path} is no strip of square frames: {width} pixels wide and {height} high.")
        for frame in strip.reshape(-1, width, width, 3)[::every]:
            yield video.fit(Image.fromarray(frame), size, crop)
        return
    if not clip.pictures:
        yield from video.stream(clip.path, size=size, crop=crop, stride=every)[0]
        return
    for path in clip.pictures[::every]:
        yield next(video.stream(path, size=size, crop=crop)[0])


@lru_cache(maxsize=512)
def _mapped(place: str, size: int) -> np.ndarray:
    return np.memmap(place, np.uint8, "r").reshape(-1, size, size, 3)


def _natural(name: str) -> list:
    """frame2 before frame10."""
    return [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", name)]
