"""Walks between points: in the latents, in the label, or in both; as a figure of clips or as one video.

The paper of MVT-GAN walks inside a class (latents move, the label stays, its Figure 9) and between classes (the label
moves, the latents stay, its Figure 8). A `Walk` does so for any generator, past as many as 16 keyframes.

    release=g3an-expressions&what=label&loop=1&point=label=fear%26seed.appearance=1...&point=label=anger%26...
"""

import json
import math
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote

import numpy as np
import torch

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..inference import Renderer
from ..latents import slerp, whole
from ..models.base import Generator
from .bookmark import Bookmark
from .drawing import check_free, generator_of
from .parse import parse_label, parse_weights
from .resample import clip_of

MAX_KEYFRAMES = 16
MAX_COLUMNS = 64
MAX_FRAMES = 3600  #: of one video
MAX_TEXT = 64_000  #: characters of a walk's text
SECONDS = 2.0  #: that a video takes from one keyframe to the next, unless told otherwise


def _lerp(a: torch.Tensor, b: torch.Tensor, t: float) -> torch.Tensor:
    return (1 - t) * a + t * b


def _smooth(u: float) -> float:
    return u * u * (3 - 2 * u)


def _rest(u: float) -> float:
    return _smooth(min(1.0, max(0.0, 1.5 * u - 0.25)))


#: what moves; latents: every subspace, with the first keyframe's label; label: it alone, with the first one's latents;
#: appearance and motion: the subspaces of that role alone
WHAT = ("all", "latents", "label", "appearance", "motion")
METHODS = {"slerp": slerp, "lerp": _lerp}  #: along the great circle; along the straight line
#: how time passes between two keyframes, [0, 1] -> [0, 1]; rest: a third of it is spent standing at keyframes
EASINGS: dict[str, Callable[[float], float]] = {"linear": float, "smooth": _smooth, "rest": _rest}


@dataclass(frozen=True)
class Walk:
    """A path past 2 to 16 keyframes of one release and one number of motion steps.

    methods: subspace -> "slerp" (the default) or "lerp"; easing: how the video passes it; loop: it goes back to the
    first keyframe in the end. Raises VidganError for keyframes that no path connects, and for unknown names.
    """

    points: Sequence[Bookmark]
    what: str = "all"
    methods: Mapping[str, str] = field(default_factory=dict)
    easing: str = "smooth"
    loop: bool = False

    def __post_init__(self):
        if not isinstance(self.points, Sequence) or not all(isinstance(point, Bookmark) for point in self.points):
            raise VidganError("A walk passes a list of bookmarks.")
        if not isinstance(self.methods, Mapping):
            raise VidganError("The ways to interpolate are named by subspace, as in {'motion': 'lerp'}.")
        object.__setattr__(self, "points", tuple(self.points))
        _check_points(self.points)
        for kind, name, known in [("kind of walk", self.what, WHAT), ("easing", self.easing, EASINGS)]:
            if name not in known:
                raise unknown(kind, name, known)
        for name, method in self.methods.items():
            if name not in self.points[0].latents:
                raise unknown("subspace", name, self.points[0].latents)
            if method not in METHODS:
                raise unknown("way to interpolate", method, METHODS)

    @property
    def stretches(self) -> int:
        """How many there are from one keyframe to the next."""
        return len(self.points) if self.loop else len(self.points) - 1

    def check(self, generator: Generator) -> None:
        """VidganError where the walk cannot be walked with `generator`."""
        check_free(generator)
        if generator.info and generator.info.name != self.points[0].release:
            raise VidganError(f"That walk is one of {self.points[0].release}, not of {generator.info.name}.")
        if self.what == "label" and not generator.config.classes:
            raise VidganError("This release has no labels to walk between.")
        if self.what in ("appearance", "motion") and not generator.latent_space.by_role(self.what):
            raise VidganError(f"This release has no subspace for {self.what}.")
        for point in self.points:
            generator.latent_space.validate(point.latents)
            parse_label(point.label, generator)

    # --- the path ---------------------------------------------------------------------------------------------------
    def at(self, generator: Generator, t: float) -> Bookmark:
        """The point at `t`, 0 to 1 over the whole path, every stretch having the same part of it.

        At a keyframe it is that keyframe to the bit, or, where not all moves, the first one with what moves taken from
        it. Between keyframes it is rounded as links write it, and its label lies on the straight line between weights.
        """
        self.check(generator)
        return self._point(generator, *self.place(t))

    def positions(self, count: int) -> list[float]:
        """`count` values of t, evenly spaced: from end to end, or once round a loop."""
        if not 2 <= whole("count", count) <= MAX_COLUMNS:
            raise VidganError(f"A walk is shown in 2 to {MAX_COLUMNS} columns, not {count}.")
        return [self._share(index, count) for index in range(count)]

    def moment(self, index: int, count: int) -> float:
        """t of frame `index` of a video of `count` frames, its easing included."""
        return self.pace(self._share(index, count))

    def _share(self, index: int, count: int) -> float:
        return index / (count if self.loop else count - 1)

    def pace(self, time: float) -> float:
        """Where the video is (t) after the part `time` of it, 0 to 1: its easing."""
        passed = _unit(time) * self.stretches
        stretch = min(int(passed), self.stretches - 1)
        return (stretch + EASINGS[self.easing](passed - stretch)) / self.stretches

    def place(self, t: float) -> tuple[int, float]:
        """(keyframe, part of the way from it to the next one); equal places are equal points."""
        passed = _unit(t) * self.stretches
        near = round(passed)
        keyframe, part = (near, 0.0) if abs(passed - near) < 1e-9 else divmod(passed, 1)
        return int(keyframe) % len(self.points), part

    def _point(self, generator: Generator, keyframe: int, part: float) -> Bookmark:
        start = self._keyframe(generator, keyframe)
        if not part:
            return start
        end = self._keyframe(generator, (keyframe + 1) % len(self.points))
        label = blend_labels(generator, start.label, end.label, part)
        moving = [name for name in start.latents if not start.latents[name].equal(end.latents[name])]
        if not moving:
            return replace(start, label=label)
        moved = {
            name: METHODS[self.methods.get(name, "slerp")](start.latents[name], end.latents[name], part)
            for name in moving
        }
        same = {name: start.truncation.get(name, 1.0) == end.truncation.get(name, 1.0) for name in moving}
        return replace(
            start,
            label=label,
            seeds={**start.seeds, **dict.fromkeys(moving)},
            truncation={**start.truncation, **{name: 1.0 for name in moving if not same[name]}},
            latents=start.latents.replace(moved).quantise(),
        )

    def _keyframe(self, generator: Generator, index: int) -> Bookmark:
        first, point = self.points[0], self.points[index]
        if self.what == "all" or index == 0:
            return point
        if self.what == "latents":
            return replace(point, label=first.label)
        if self.what == "label":
            return replace(first, label=point.label)
        names = [space.name for space in generator.latent_space.by_role(self.what)]
        mixed = replace(
            first,
            seeds={**first.seeds, **{name: point.seeds.get(name) for name in names}},
            truncation={**first.truncation, **{name: point.truncation.get(name, 1.0) for name in names}},
        )
        return mixed.moved(generator, first.latents.replace({name: point.latents[name] for name in names}))

    # --- as text ----------------------------------------------------------------------------------------------------
    def to_query(self, generator: Generator) -> str:
        """Short text that holds the whole walk; every `point` is the link of a keyframe without its release."""
        items = [("release", self.points[0].release)]
        items += [(key, value) for key, value, usual in self._options() if value != usual]
        items += [("point", point.to_query(generator).partition("&")[2]) for point in self.points]
        return "&".join(f"{key}={quote(value, safe=':,=./@')}" for key, value in items)

    def _options(self) -> list[tuple[str, str, str]]:
        """(key, value, what it is if it is not given)"""
        straight = ",".join(name for name in self.points[0].latents if self.methods.get(name) == "lerp")
        loop = "1" if self.loop else "0"
        return [
            ("what", self.what, "all"),
            ("lerp", straight, ""),
            ("easing", self.easing, "smooth"),
            ("loop", loop, "0"),
        ]

    @staticmethod
    def from_query(text: str, find: Callable[[str | None], tuple[str, Generator]]) -> "Walk":
        """The walk that `to_query` wrote; keys that are not ours are left alone. `find` as in `Bookmark.from_query`.

        VidganError with what is wrong, with the number of the keyframe where it is one.
        """
        if len(text) > MAX_TEXT:
            raise VidganError("That walk is too long to be one of ours.")
        items = parse_qsl(text.lstrip("?"), keep_blank_values=True)
        asked = dict(items)
        links = [value for key, value in items if key == "point"]
        _check_count(len(links))
        name, generator = find(asked.get("release") or None)
        points = []
        for index, link in enumerate(links, 1):
            try:
                points.append(Bookmark.from_query(link, lambda _: (name, generator)))
            except VidganError as error:
                raise VidganError(f"Keyframe {index}: {error}") from error
        if asked.get("loop", "0") not in ("0", "1"):
            raise VidganError(f"loop is 0 or 1, not {asked['loop'][:20]!r}.")
        straight = asked["lerp"].split(",") if asked.get("lerp") else ()
        return Walk(
            points,
            asked.get("what", "all")[:60],
            {subspace[:60]: "lerp" for subspace in straight},
            asked.get("easing", "smooth")[:60],
            asked.get("loop") == "1",
        )

    def to_python(self, generator: Generator, seconds: float | None = None, columns: int | None = None) -> str:
        """Lines of Python that make the same video; with `columns`, the figure of so many clips."""
        straight = {name: method for name, method in self.methods.items() if method != "slerp"}
        options = [("what", self.what, "all"), ("methods", straight, {}), ("easing", self.easing, "smooth")]
        options = "".join(f", {name}={json.dumps(value)}" for name, value, usual in options if value != usual)
        made = f"columns(generator, walk, {columns})" if columns else f"frames(generator, walk{_seconds(seconds)})"
        lines = [
            "import vidgan",
            "from vidgan import video",
            "from vidgan.explore.bookmark import Bookmark",
            *(["from vidgan.explore.drawing import sheet"] if columns else []),
            f"from vidgan.explore.interpolate import Walk, {'columns' if columns else 'frames'}",
            "",
            f"generator = vidgan.load({json.dumps(self.points[0].release)})",
            "links = [",
            *(f"    {json.dumps(point.to_query(generator))}," for point in self.points),
            "]",
            "points = [Bookmark.from_query(link, lambda name: (name, generator)) for link in links]",
            f"walk = Walk(points{options}{', loop=True' if self.loop else ''})",
            f"made = {made}  # uint8 [{'columns, ' if columns else ''}frames, height, width, 3]",
            f'video.save("walk.mp4", {"sheet(made)" if columns else "made"}, fps=generator.fps)',
        ]
        return "\n".join(lines)

    def to_cli(self, generator: Generator, seconds: float | None = None, columns: int | None = None) -> str:
        """The shell command that makes the same video; with `columns`, the figure of so many clips."""
        words = ["vidgan interpolate", shlex.quote(self.points[0].release)]
        words.append(f"--walk {shlex.quote(self.to_query(generator))}")
        if columns:
            words.append(f"--columns {columns}")
        elif seconds is not None:
            words.append(f"--length {seconds:.12g}")
        return " ".join([*words, "--out walk.mp4"])


def blend_labels(generator: Generator, start: str, end: str, t: float) -> str:
    """The label on the straight line between two, as a bookmark writes it; VidganError for labels that mean nothing."""
    a, b = (parse_weights(text, generator) for text in (start, end))
    if t == 0 or a.equal(b):
        return start
    return end if t == 1 else Condition(_lerp(a, b, t)).label_text(generator.labels)


# ------------------------------------------------------------------------------------------------ what is shown


def columns(
    maker: Generator | Renderer, walk: Walk, count: int = 7, progress: Callable[[int, int], None] | None = None
) -> np.ndarray:
    """The paper's figure, uint8 [count, T, H, W, 3]: clips of `count` (2 to 64) points, evenly spaced on the path.

    progress(done, total), in clips, is called after each; what it raises stops the work.
    """
    generator, clips = generator_of(maker), []
    walk.check(generator)
    for t in walk.positions(count):
        clips.append(clip_of(maker, walk.at(generator, t)))
        if progress:
            progress(len(clips), count)
    return np.stack(clips)


def frames(
    maker: Generator | Renderer,
    walk: Walk,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """One video of the walk, uint8 [N, H, W, 3]; see `length` for N.

    Frame k shows one frame of the clip at its point of the path. The clips run to and fro, 0, 1, ..., T - 1, ..., 1, 0,
    1, ..., so that nothing jumps; a loop holds a whole number of such periods and comes back to its first frame.
    Each point is drawn once, however often it is shown.
    progress(done, total), in clips, is called after each; what it raises stops the work.
    """
    generator = generator_of(maker)
    count = length(generator, walk, seconds)
    shown: dict[tuple[int, float], list[int]] = {}
    for index in range(count):
        shown.setdefault(walk.place(walk.moment(index, count)), []).append(index)
    video = np.empty((count, generator.size, generator.size, 3), np.uint8)
    for done, (place, indices) in enumerate(shown.items(), 1):
        clip = clip_of(maker, walk._point(generator, *place))
        video[indices] = clip[[phase(index, len(clip)) for index in indices]]
        if progress:
            progress(done, len(shown))
    return video


def length(generator: Generator, walk: Walk, seconds: float | None = None) -> int:
    """How many frames (2 to 3600) a video of `seconds` has, by default 2 seconds a stretch; that of a loop is rounded
    to whole periods of its clips. VidganError for lengths beyond, and for what `Walk.check` refuses."""
    walk.check(generator)
    seconds = SECONDS * walk.stretches if seconds is None else seconds
    count = _number(seconds) * generator.fps
    if not math.isfinite(count) or not 2 <= round(count) <= MAX_FRAMES:
        raise VidganError(
            f"A walk's video has 2 to {MAX_FRAMES} frames, {generator.fps:g} a second, so it cannot take "
            f"{str(seconds)[:20]} seconds."
        )
    if not walk.loop:
        return round(count)
    period = _period(walk.points[0].length(generator))
    return period * max(1, round(count / period))


def phase(index: int, frames: int) -> int:
    """Which frame of a clip of `frames` a video shows as its frame `index`, to and fro."""
    index %= _period(frames)
    return min(index, _period(frames) - index)


def _period(frames: int) -> int:
    return max(1, 2 * (frames - 1))


def _seconds(seconds: float | None) -> str:
    return "" if seconds is None else f", seconds={seconds:.12g}"


# ------------------------------------------------------------------------------------------------ checks


def _check_count(count: int) -> None:
    if not 2 <= count <= MAX_KEYFRAMES:
        raise VidganError(f"A walk has 2 to {MAX_KEYFRAMES} keyframes, not {count}.")


def _check_points(points: Sequence[Bookmark]) -> None:
    """VidganError unless a path can lead from each of `points` to every other."""
    _check_count(len(points))
    first = points[0]
    for index, point in enumerate(points, 1):
        if point.image or point.then or point.latents.batch != 1:
            raise VidganError(f"Keyframe {index} is not one point of a latent space, so no walk can pass it.")
        if point.release != first.release:
            raise VidganError(
                f"Keyframe {index} is of {point.release} and keyframe 1 of {first.release}: a walk stays in one "
                "release."
            )
        if _dimensions(point) != _dimensions(first):
            raise VidganError(f"Keyframe {index} and keyframe 1 lie in different latent spaces.")
        if point.latents.steps != first.latents.steps:
            raise VidganError(
                f"Keyframe {index} has {point.latents.steps} motion steps and keyframe 1 has {first.latents.steps}: "
                "give all clips the same length."
            )
        if point.stage is not None:
            raise VidganError(f"Keyframe {index} has not grown to the end: a walk goes through whole clips.")
        if point.view:
            raise VidganError(f"Keyframe {index} shows the {point.view} alone: a walk goes through whole clips.")
        if point.frames != first.frames:
            raise VidganError(f"Keyframe {index} and keyframe 1 differ in length: give all clips the same one.")


def _dimensions(point: Bookmark) -> list[tuple[str, int, int]]:
    return [(name, value.dim(), value.shape[-1]) for name, value in point.latents.items()]


def _unit(t: float) -> float:
    value = _number(t)
    if not 0 <= value <= 1:
        raise VidganError(f"A place on a walk goes from 0 to 1, not {str(t)[:20]}.")
    return value


def _number(value: object) -> float:
    """What is no number is NaN, and so refused as out of range."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
