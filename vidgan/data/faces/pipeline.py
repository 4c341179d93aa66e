"""Videos in, clips of one face each out; see the package."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ... import video
from ...errors import VidganError
from ...files import write_atomic, writing
from ..folder import VIDEOS
from .align import aligned, smooth
from .detect import Cuts, Finder, finder
from .report import Record, Report
from .steady import steady
from .tracks import Track, fault, link


@dataclass(frozen=True)
class FaceOptions:
    """What becomes a clip; the defaults are those of TrailerFaces where the paper names any."""

    size: int = 300  # height and width of the clips, pixels
    least: int = 31  # frames of the shortest clip
    longest: int = 423  # frames of the longest: a longer track becomes several
    smallest: float = 75.0  # pixels of the video that a clip's picture must be wide: less would only be enlarged
    edge: float = 0.25  # share of the picture that may lie outside of the video's
    smoothing: float = 2.0  # frames: deviation of the Gaussian that steadies the points of a face over time

    def __post_init__(self):
        if not 16 <= self.size <= 1024:
            raise VidganError(f"size is {self.size}; clips can be 16 to 1024 pixels wide.")
        if not 2 <= self.least <= self.longest <= 2000:
            raise VidganError(
                f"least and longest go from 2 to 2000 frames, least first; they are {self.least} and {self.longest}."
            )
        if not (0 <= self.smallest < 10_000 and 0 <= self.edge <= 1 and 0 <= self.smoothing <= 100):
            raise VidganError(
                "smallest goes from 0 to 10000 pixels, edge from 0 to 1, smoothing from 0 to 100 frames; they are "
                f"{self.smallest}, {self.edge} and {self.smoothing}."
            )


def collect(
    videos: Iterable[str | Path], out: str | Path, options: FaceOptions | None = None, progress: bool = True
) -> Report:
    """Cut the faces out of `videos` (files, or folders of them) into `out`: mp4 clips of options.size pixels, which the
    data set `folder` reads, and report.json.

    A video that cannot be read, or has no faces, is reported and the rest goes on. Videos that were finished before,
    with the same options, are not read again. Raises VidganError where there are no videos, nothing can be written, or
    the libraries are missing.
    """
    options, out = options or FaceOptions(), Path(out).expanduser()
    paths = found(videos)
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
    video.load_av()
    Cuts(25.0)  # if a library is missing then that is the error, not every video in turn
    report = Report()
    with finder() as faces, tqdm(paths, "videos", unit="video", disable=not progress) as bar:
        for path in bar:
            report.records.append(_collect_one(path, out, options, faces, progress))
            bar.set_postfix(clips=len(report.clips))
            write_atomic(out / "report.json", json.dumps(report.as_json(), indent=1).encode())
    return report


def found(videos: Iterable[str | Path]) -> list[Path]:
    """The files, and the videos below the folders, each once. VidganError where there is none."""
    paths: dict[Path, None] = {}
    for given in videos:
        path = Path(given).expanduser()
        below = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in below:
            if file == path or (file.suffix.lower() in VIDEOS and not file.name.startswith(".") and file.is_file()):
                paths[file] = None
    if not paths:
        raise VidganError(
            f"There are no videos to look for faces in: {', '.join(map(str, videos)) or 'none was named'}."
        )
    return list(paths)


def _collect_one(path: Path, out: Path, options: FaceOptions, faces: Finder, progress: bool) -> Record:
    """One video; its record as it stands where the video was finished before."""
    try:
        mark = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:8]
        stat = path.stat()
    except OSError as error:
        return Record(path.name, skipped=f"could not be opened: {error.strerror}")
    place, key = out / ".faces" / f"{mark}.json", json.dumps([1, stat.st_mtime_ns, stat.st_size, asdict(options)])
    old = _recorded(place)
    if old and old.key == key and all((out / file).is_file() for file in old.clips):
        return old
    for file in old.clips if old else ():  # of other options, or of what the file was before
        with suppress(OSError):
            (out / file).unlink()
    record = Record(path.name, key)
    try:
        tracks = _look(path, record, options, faces, progress)
    except VidganError as error:
        record.skipped = str(error).replace(str(path), path.name).rstrip(".")
    else:
        for number, (track, clip) in enumerate(_cut(path, tracks, options)):
            file = f"{path.stem[:60]}-{mark}-{track.start:06d}-{number}.mp4"
            write_atomic(out / file, video.encode(clip, "mp4", record.fps))
            record.clips[file] = len(clip)
    write_atomic(place, json.dumps(asdict(record)).encode())
    return record


def _recorded(place: Path) -> Record | None:
    try:
        return Record(**json.loads(place.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _look(path: Path, record: Record, options: FaceOptions, faces: Finder, progress: bool) -> list[Track]:
    """The tracks that become clips, by their start; `record` learns what was found and what was dropped."""
    frames, record.fps, record.note = steady(path)
    cuts, seen, shapes = Cuts(record.fps), [], []
    for frame in tqdm(frames, path.name[:30], unit="frame", leave=False, disable=not progress):
        cuts.show(frame)
        seen.append(faces.faces(frame, seen[-1] if seen else ()))
        shapes.append(frame.shape)
    record.frames, record.shots, record.with_faces = len(seen), len(cuts.first), sum(map(bool, seen))
    if not record.with_faces:
        record.note = "no faces found"
    kept: list[Track] = []
    for track in link(seen, cuts.first):
        height, width, _ = shapes[track.start]
        reason = fault(track, (height, width), options.least, options.smallest, options.edge)
        if reason:
            record.dropped[reason] = record.dropped.get(reason, 0) + 1
        else:
            kept += parts(track, options.least, options.longest)
    return sorted(kept, key=lambda track: track.start)


def parts(track: Track, least: int, longest: int) -> list[Track]:
    """A track as pieces of at most `longest` frames, of even length; none shorter than `least`, if need be by leaving
    out frames at the end."""
    count = len(track.faces)
    pieces = -(-count // longest)
    if count // pieces < least:
        pieces = count // least
        count = min(count, pieces * longest)
    ends = [count * piece // pieces for piece in range(pieces + 1)]
    return [track.part(first, last) for first, last in pairwise(ends)]


def _cut(path: Path, tracks: list[Track], options: FaceOptions) -> Iterator[tuple[Track, NDArray[np.uint8]]]:
    """Each track with its clip, uint8 [T, size, size, 3], in the order in which they end."""
    if not tracks:
        return
    points = [smooth(np.stack([face.points for face in track.faces]), options.smoothing) for track in tracks]
    clips: dict[int, NDArray[np.uint8]] = {}
    last = max(track.end for track in tracks)
    for number, frame in zip(range(last), steady(path)[0], strict=False):
        for place, track in enumerate(tracks):
            if not track.start <= number < track.end:
                continue
            if number == track.start:
                clips[place] = np.empty((len(track.faces), options.size, options.size, 3), np.uint8)
            clips[place][number - track.start] = aligned(frame, points[place][number - track.start], options.size)
            if number == track.end - 1:
                yield track, clips.pop(place)
