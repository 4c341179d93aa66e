"""Some subspaces drawn anew while the others stand still, and how much of the change is appearance, how much motion.

The paper of MVT-GAN freezes two of three subspaces, draws the third anew and looks at what changes (its Figure 12).
`variants` are those clips, for any generator; `shares` measures what there is to see.
"""

import json
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from ..errors import VidganError
from ..inference import Renderer
from ..latents import MAX_SEED, whole
from ..models.base import Generator
from ..video import to_clip
from .bookmark import Bookmark
from .drawing import check_free, draw, generator_of
from .parse import parse_seed

MAX_VARIANTS = 64
MAX_DRAWS = 64


def redraw(point: Bookmark, generator: Generator, names: Iterable[str], seed: int) -> Bookmark:
    """The same point with the subspaces `names` drawn anew from `seed`, with their truncation; the others, and the
    label, are kept to the bit.

    VidganError for unknown subspaces or none, a seed beyond 64 bits, and for a generator that takes an image.
    """
    names = check_names(generator, names)
    seeds = {**point.seeds, **dict.fromkeys(names, parse_seed(seed))}
    moved = replace(point, seeds=seeds)
    drawn = moved.origin(generator)
    exact = replace(moved, latents=point.latents.replace({name: drawn[name] for name in names}))
    if exact.is_drawn(generator):
        return exact
    rounded = drawn.quantise()  # as links write points that are not what their seeds draw
    return replace(moved, latents=point.latents.replace({name: rounded[name] for name in names}))


def variants(point: Bookmark, generator: Generator, names: Iterable[str], seed: int, count: int) -> list[Bookmark]:
    """`count` (1 to 64) times `redraw`, from the seeds seed, seed + 1, ... (after 2^64 - 1 comes 0)."""
    if not 1 <= whole("count", count) <= MAX_VARIANTS:
        raise VidganError(f"There can be 1 to {MAX_VARIANTS} variants, not {count}.")
    names, seed = check_names(generator, names), parse_seed(seed)
    return [redraw(point, generator, names, (seed + index) % (MAX_SEED + 1)) for index in range(count)]


def check_names(generator: Generator, names: Iterable[str]) -> list[str]:
    """Subspaces to draw anew, by name or by role, each once, in the order of the space; VidganError for others and for
    none."""
    check_free(generator)
    space = generator.latent_space
    asked = {one.name for name in ([names] if isinstance(names, str) else names) for one in space.named(name)}
    if not asked:
        raise VidganError(f"Name at least one subspace to draw anew; there are {', '.join(space.names)}.")
    return [name for name in space.names if name in asked]


# ------------------------------------------------------------------------------------------------ measured


@dataclass(frozen=True)
class Share:
    """What drawing one subspace anew does to a clip. appearance + motion = 1, or 0 and 0 where nothing changes; total:
    the size of the change, where 1 is that of drawing all subspaces anew (it may be more)."""

    appearance: float
    motion: float
    total: float


def shares(
    maker: Generator | Renderer,
    point: Bookmark,
    draws: int = 8,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Share]:
    """For each subspace, how much of what it changes is appearance and how much motion.

    Each subspace alone, and then all of them together, is drawn anew `draws` (1 to 64) times, from the seeds from
    `seed` on that are not the point's own. d = the new clip minus the original, as shown, in [-1, 1]. The sum of d^2 is
    exactly (Pythagoras) that of d's mean over time, in every frame (appearance), plus that of what deviates from this
    mean (motion); both are added up over the draws.

    progress(done, total), in clips, is called after each clip; what it raises stops the measurement.
    """
    generator = generator_of(maker)
    check_free(generator)
    if not 1 <= whole("draws", draws) <= MAX_DRAWS:
        raise VidganError(f"A subspace can be drawn anew 1 to {MAX_DRAWS} times, not {draws}.")
    names = generator.latent_space.names
    seeds = list(islice(_other_seeds(point, parse_seed(seed)), draws))
    groups = {name: [name] for name in names} | ({None: names} if len(names) > 1 else {})
    total = 1 + draws * len(groups)

    def clip(one: Bookmark, done: int) -> np.ndarray:
        frames = to_clip(clip_of(maker, one)).numpy().astype(np.float64)
        if progress:
            progress(done, total)
        return frames

    original, done, changes = clip(point, 1), 1, {}
    for key, group in groups.items():
        changes[key] = np.zeros(2)
        for drawn in seeds:
            done += 1
            changes[key] += split(clip(redraw(point, generator, group, drawn), done) - original)
    whole_change = changes.get(None, changes[names[0]]).sum()
    return {name: _share(changes[name], whole_change) for name in names}


def split(change: np.ndarray) -> tuple[float, float]:
    """Sum of squares of a change [3, T, H, W]: that of its mean over time, in every frame, and that of the rest."""
    mean = change.mean(1, keepdims=True)
    return change.shape[1] * float((mean**2).sum()), float(((change - mean) ** 2).sum())


def clip_of(maker: Generator | Renderer, point: Bookmark) -> np.ndarray:
    """Frames uint8 [T, H, W, 3] of a point, not to be written to."""
    return draw(maker, point.latents, point.condition(generator_of(maker)))[0]


def _other_seeds(point: Bookmark, seed: int):
    """seed, seed + 1, ... without those that the point was drawn from."""
    while True:
        if seed not in point.seeds.values():
            yield seed
        seed = (seed + 1) % (MAX_SEED + 1)


def _share(change: np.ndarray, whole_change: float) -> Share:
    appearance, motion = (change / change.sum()).tolist() if change.sum() else (0.0, 0.0)
    return Share(appearance, motion, float(change.sum() / whole_change) if whole_change else 0.0)


# ------------------------------------------------------------------------------------------------ as text


def to_python(point: Bookmark, generator: Generator, names: Iterable[str], seed: int, count: int) -> str:
    """Lines of Python that make the sheet of the original and its variants."""
    fps = "generator.fps" if point.stage is None else "generator.fps_of(point.condition(generator))"
    return "\n".join(
        [
            "import vidgan",
            "from vidgan import video",
            "from vidgan.explore.bookmark import Bookmark",
            "from vidgan.explore.drawing import sheet",
            "from vidgan.explore.resample import clip_of, variants",
            "",
            f"generator = vidgan.load({json.dumps(point.release)})",
            f"link = {json.dumps(point.to_query(generator))}",
            "point = Bookmark.from_query(link, lambda name: (name, generator))",
            f"points = [point, *variants(point, generator, {json.dumps(check_names(generator, names))}, "
            f"seed={parse_seed(seed)}, count={count})]",
            "clips = [clip_of(generator, one) for one in points]  # each uint8 [frames, height, width, 3]",
            f'video.save("variants.mp4", sheet(clips), fps={fps})',
        ]
    )


def to_cli(point: Bookmark, generator: Generator, names: Iterable[str], seed: int, count: int) -> str:
    """The shell command that makes the sheet of the original and its variants."""
    link, names = shlex.quote(point.to_query(generator)), ",".join(check_names(generator, names))
    return (
        f"vidgan resample {shlex.quote(point.release)} --latents {link} --redraw {shlex.quote(names)} "
        f"--new-seed {parse_seed(seed)} -n {count} --out variants.mp4"
    )
