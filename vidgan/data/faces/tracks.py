"""From faces in frames to clips of one person: tracks, and what is wrong with them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .align import outside, side
from .detect import OVERLAP, Face, overlap

#: least correlation of how one person looks from a frame to the next. Of 40 drawn faces in lively motion (12 frames a
#: second) it keeps 39, and it finds 35 of 40 clips in which another person takes over
ALIKE = 0.44


@dataclass
class Track:
    """One face through consecutive frames of one shot, from frame `start` on."""

    start: int
    faces: list[Face] = field(default_factory=list)

    @property
    def end(self) -> int:
        """The frame after its last."""
        return self.start + len(self.faces)

    def part(self, first: int, last: int) -> "Track":
        """Its faces first..last - 1."""
        return Track(self.start + first, self.faces[first:last])


def link(frames: Sequence[list[Face]], shots: Sequence[int]) -> list[Track]:
    """Tracks, by their start. frames: the faces of each; shots: the first frame of each shot, where every track ends.

    Of all pairs of a track and a face of the next frame, the one that overlaps most goes first.
    """
    starts, going, done = set(shots), [], []
    for number, faces in enumerate(frames):
        if number in starts:
            done += going
            going = []
        pairs = [
            (overlap(track.faces[-1].box, face.box), t, f)
            for t, track in enumerate(going)
            for f, face in enumerate(faces)
        ]
        taken: dict[int, int] = {}
        for share, t, f in sorted(pairs, reverse=True):
            if share >= OVERLAP and t not in taken and f not in taken.values():
                taken[t] = f
        for t, f in taken.items():
            going[t].faces.append(faces[f])
        done += [track for t, track in enumerate(going) if t not in taken]
        going = [track for t, track in enumerate(going) if t in taken]
        going += [Track(number, [face]) for f, face in enumerate(faces) if f not in taken.values()]
    return sorted(done + going, key=lambda track: (track.start, track.faces[0].box))


def likeness(track: Track) -> float:
    """How alike the person looks from one frame to the next, at the place where least: correlation over
    places and colours, each colour less its mean, -1 to 1 (1 for a single frame)."""
    least, before = 1.0, None
    for face in track.faces:  # one after the other: all looks at once would take much room
        look = face.look.astype(np.float32)
        look -= look.mean((0, 1))
        look /= np.linalg.norm(look) + 1e-6
        least = least if before is None else min(least, float((look * before).sum()))
        before = look
    return least


def fault(track: Track, shape: tuple[int, int], least: int, smallest: float, edge: float) -> str | None:
    """Why a track is no clip, in words that stay the same from one to the next, or None. shape: height and width of its
    frames; least: frames; smallest: pixels of the frame that the aligned picture must be wide; edge: share of the
    aligned picture that may lie outside of the frame."""
    if len(track.faces) < least:
        return f"fewer than {least} frames"
    points = [face.points for face in track.faces]
    if min(map(side, points)) < smallest:
        return f"face smaller than {smallest:g} pixels"
    if max(outside(one, *shape) for one in points) > edge:
        return "face cut by the edge of the picture"
    if likeness(track) < ALIKE:
        return "the person changes"
    return None
