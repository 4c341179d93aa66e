"""From faces in frames to clips of one person: tracks, and what is wrong with them."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .align import outside, side
from .detect import OVERLAP, Face, overlap

#: least correlation of how one person looks from a frame to the next; and of how on average over SPAN frames and over
#: the SPAN that begin APART frames later, between which a dissolve goes by. Of 60 drawn faces in lively motion (48
#: frames, 12 a second) they keep 60; of 60 in which another person takes over they keep 3, and 7 where that is a
#: dissolve of 16 frames
ALIKE, STILL_ALIKE = 0.44, 0.55
SPAN, APART = 12, 24


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


def likeness(track: Track, span: int = 1, apart: int = 1) -> float:
    """How alike the person looks on average over `span` frames and over those that begin `apart` frames later, at the
    place where least: correlation over places and colours, each colour less its mean, -1 to 1 (1 for a track that is
    shorter)."""
    least = 1.0
    frames, means = deque(maxlen=span), deque(maxlen=apart + 1)  # all looks at once would take much room
    for face in track.faces:
        frames.append(face.look)
        if len(frames) < span:
            continue
        look = np.mean(frames, 0, dtype=np.float32)
        look -= look.mean((0, 1))
        look /= np.linalg.norm(look) + 1e-6
        means.append(look)
        if len(means) > apart:
            least = min(least, float((means[0] * look).sum()))
    return least


def same(track: Track) -> bool:
    """Whether it is one person throughout; of a short track, as many frames are averaged as leave APART between them,
    and if those are too few then nothing but neighbouring frames is compared."""
    span = min(SPAN, len(track.faces) - APART)
    return likeness(track) >= ALIKE and (span < SPAN // 2 or likeness(track, span, APART) >= STILL_ALIKE)


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
    if not same(track):
        return "the person changes"
    return None
