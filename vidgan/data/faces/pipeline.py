"""Videos in, clips of one face each out; see the package."""

import errno
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ... import video
from ...errors import VidganError
from ...files import replaced, write_atomic, writing
from ..folder import VIDEOS, scan
from .align import aligned, smooth
from .detect import Cuts, Finder, finder
from .report import Record, Report
from .steady import steady
from .tracks import Track, fault, link

PROBE = 2**20  #: bytes of a video's beginning and end that it is known by


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
    videos: Sequence[str | Path], out: str | Path, options: FaceOptions | None = None, progress: bool = True
) -> Report:
    """Cut the faces out of `videos` (files, or folders of them) into `out`: mp4 clips of options.size pixels, which the
    data set `folder` reads, and report.json.

    A video that cannot be read, or has no faces, is reported and the rest goes on. Videos that were finished before,
    with the same options, are not read again, wherever they lie now. Raises VidganError where no video can be used
    (report.json then tells why of each), nothing can be written, or the libraries are missing.
    """
    options, out = options or FaceOptions(), Path(os.path.expanduser(out))
    paths = found(videos, out)
    progress = progress and sys.stderr is not None
    video.load_av()
    Cuts(25.0)  # if a library is missing then that is the error, not every video in turn
    unusable: list[Record] = []
    with writing(out), finder() as faces, tqdm(paths, "videos", unit="video", disable=not progress) as bar:
        (out / ".faces").mkdir(parents=True, exist_ok=True)
        for path in bar:
            record = _collect_one(path, out, options, faces, progress)
            if record.skipped:
                unusable.append(record)
    finished = [_recorded(place) for place in sorted((out / ".faces").glob("*.json"))]
    report = Report(sorted([*filter(None, finished), *unusable], key=lambda record: record.video))
    write_atomic(out / "report.json", json.dumps(report.as_json(), indent=1).encode())
    if len(unusable) == len(paths):
        reasons = "; ".join(record.skipped for record in unusable[:5])
        more = f"; {out / 'report.json'} tells of the others" if len(paths) > 5 else ""
        raise VidganError(f"None of the {len(paths)} videos can be used: {reasons}{more}.")
    return report


def found(videos: Sequence[str | Path], out: Path) -> list[Path]:
    """The files, and the videos below the folders but for those below `out`, each once. VidganError for a folder that
    has none, or that is `out` or below it."""
    paths: dict[Path, None] = {}
    own = out.absolute()
    for given in map(Path, map(os.path.expanduser, videos)):
        if not os.path.isdir(given):
            paths[given] = None
            continue
        if given.absolute().is_relative_to(own):
            raise VidganError(f"The clips cannot go to {out}, where the videos are: name another folder.")
        below = [clip.path for clip in scan(given, classes=False) if not clip.pictures]
        below = [path for path in below if not path.absolute().is_relative_to(own)]
        if not below:
            raise VidganError(f"There are no videos in {given}: {', '.join(sorted(VIDEOS))} files.")
        paths |= dict.fromkeys(below)
    if not paths:
        raise VidganError("There are no videos to look for faces in: none was named.")
    return list(paths)


def _collect_one(path: Path, out: Path, options: FaceOptions, faces: Finder, progress: bool) -> Record:
    """One video; its record as it stands where the video was finished before. OSError where `out` cannot be written."""
    name = str(path).encode("utf-8", "backslashreplace").decode()
    try:
        mark = _mark(path)
    except OSError as error:
        return Record(name, skipped=f"{name} could not be opened: {error.strerror}")
    place, key = out / ".faces" / f"{mark}.json", json.dumps([2, asdict(options)])
    old = _recorded(place)
    if old and old.key == key and all((out / file).is_file() for file in old.clips):
        return old
    place.unlink(missing_ok=True)
    for file in out.glob(f"*-{mark}-*.mp4"):  # of other options, or of a run that was stopped
        file.unlink()
    stem = os.fsencode(path.stem.lstrip("."))[:100].decode("utf-8", "ignore")
    record = Record(name, key)
    try:
        tracks = _look(path, record, options, faces, progress)
        for number, (track, clip) in enumerate(_cut(path, tracks, options)):
            file = f"{stem}-{mark}-{track.start:06d}-{number}.mp4"
            with replaced(out / file) as draft:
                draft.write_bytes(video.encode(clip, "mp4", record.fps, scale=1))
            record.clips[file] = len(clip)
        if len(record.clips) < len(tracks):
            raise VidganError(f"{name} could be read once, but not again.")
    except VidganError as error:
        for file in record.clips:
            (out / file).unlink(missing_ok=True)
        return Record(name, skipped=str(error).encode("utf-8", "backslashreplace").decode().rstrip("."))
    with replaced(place) as draft:
        draft.write_text(json.dumps(asdict(record)), "utf-8")
    return record


def _mark(path: Path) -> str:
    """What a video is known by: a hash of its length, beginning and end, so that it can be moved. Raises OSError."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    with open(path, "rb") as file:
        length = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(b"%d" % length)
        for begin in (0, max(0, length - PROBE)):
            file.seek(begin)
            digest.update(file.read(PROBE))
    return digest.hexdigest()[:12]


def _recorded(place: Path) -> Record | None:
    try:
        return Record(**json.loads(place.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _look(path: Path, record: Record, options: FaceOptions, faces: Finder, progress: bool) -> list[Track]:
    """The tracks that become clips, by their start; `record` learns what was found and what was dropped."""
    even = steady(path)
    record.fps = even.fps
    cuts, seen, shapes = Cuts(even.fps), [], []
    for frame in tqdm(even.frames, path.name[:30], unit="frame", leave=False, disable=not progress):
        cuts.show(frame)
        seen.append(faces.faces(frame, seen[-1] if seen else ()))
        shapes.append(frame.shape)
    shots = sorted({*cuts.first, *(number for number in even.jumps if number < len(seen))})
    record.frames, record.shots, record.with_faces = len(seen), len(shots), sum(map(bool, seen))
    record.note = "; ".join([*even.notes, *([] if record.with_faces else ["no faces found"])]) or None
    kept: list[Track] = []
    for track in link(seen, shots):
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
    for number, frame in zip(range(last), steady(path).frames, strict=False):
        for place, track in enumerate(tracks):
            if not track.start <= number < track.end:
                continue
            if number == track.start:
                clips[place] = np.empty((len(track.faces), options.size, options.size, 3), np.uint8)
            clips[place][number - track.start] = aligned(frame, points[place][number - track.start], options.size)
            if number == track.end - 1:
                yield track, clips.pop(place)
