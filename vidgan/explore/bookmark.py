"""What the page is showing, small enough for a link, and the same in the page, the command line and Python.

    release=g3an-expressions&label=happiness&seed.appearance=1289&seed.motion=77&frames=16
    release=...&label=happiness=0.7,fear=0.3&seed.appearance=1289&truncation.appearance=0.7&z=AQABAIc5...

A point that is what its seeds and truncation draw is written as those, and is what `LatentSpace.sample` gives for them,
to the bit. Any other point is rounded to float16, *before* it is drawn, and written as `z`. A label stays the text that
it came as, and every side reads it with `Condition.parse`. So whoever opens the link gets the same numbers and so the
same frames.
"""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote

from ..conditions import Condition
from ..errors import VidganError
from ..latents import MAX_SEED, Latents
from ..models.base import Generator

MAX_TEXT = 20_000  #: characters of a link that we look at
MAX_LABEL = 1_000  #: characters of a label
MAX_TRUNCATION = 2.0


@dataclass(frozen=True)
class Bookmark:
    """latents: one point, as it is drawn; label: as `Condition.parse` reads it, empty for the even blend and where a
    release has none; seeds: subspace -> the seed that the point came from, None where it came from none;
    truncation: subspace -> the factor that the seed's draw was multiplied with.
    """

    release: str
    latents: Latents
    label: str = ""
    seeds: Mapping[str, int | None] = field(default_factory=dict)
    truncation: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def draw(
        generator: Generator,
        seeds: Mapping[str, int],
        *,
        truncation: Mapping[str, float] | None = None,
        label: str = "",
        frames: int | None = None,
        release: str | None = None,
    ) -> "Bookmark":
        """The point that one seed for each subspace gives; `frames` None is the native length.

        Raises VidganError for seeds beyond 64 bits, unknown labels and lengths that the generator cannot make.
        """
        name = release or (generator.info.name if generator.info else generator.architecture)
        space = generator.latent_space
        seeds = {subspace: parse_seed(seeds[subspace]) for subspace in space.names}
        truncation = {subspace: round(float((truncation or {}).get(subspace, 1.0)), 3) for subspace in space.names}
        for value in truncation.values():
            if not 0 <= value <= MAX_TRUNCATION:
                raise VidganError(f"Truncation goes from 0 to {MAX_TRUNCATION:g}, not {value:g}.")
        steps = generator.steps_for(frames or generator.frames)
        drawn = space.sample(1, 0, steps=steps, seeds=seeds, truncation=truncation)
        return Bookmark(name, drawn, parse_label(label, generator), seeds, truncation)

    def moved(self, generator: Generator, latents: Latents) -> "Bookmark":
        """The same bookmark at another point, rounded to float16; or, where that is the point that the seeds draw
        when it is rounded too, exactly that one."""
        generator.latent_space.validate(latents)
        moved = replace(self, latents=latents.quantise())
        drawn = moved.origin(generator)
        known = all(self.seeds.get(name) is not None for name in latents)
        return replace(self, latents=drawn) if known and drawn.quantise().equal(moved.latents) else moved

    def origin(self, generator: Generator, steps: int | None = None) -> Latents:
        """What the seeds draw, before any edit, in full precision; a subspace without seed stays what it is."""
        seeds = {name: seed for name, seed in self.seeds.items() if seed is not None}
        steps = steps or self.latents.steps
        drawn = generator.latent_space.sample(1, 0, steps=steps, seeds=seeds, truncation=dict(self.truncation))
        kept = {name: self.latents[name] for name in self.latents if self.seeds.get(name) is None}
        return drawn.replace(kept)

    def edited(self, generator: Generator, name: str) -> bool:
        """Whether subspace `name` is no longer what its seed drew."""
        if self.seeds.get(name) is None:
            return True
        origin = self.origin(generator)
        mine = self.latents[name]
        return not (mine.equal(origin[name]) or mine.equal(origin.quantise()[name]))

    def condition(self, generator: Generator) -> Condition | None:
        """What to tell the generator besides the latents."""
        return Condition.parse(self.label, generator.labels) if self.label else None

    # --- as text ----------------------------------------------------------------------------------------------------
    def is_drawn(self, generator: Generator) -> bool:
        """Whether the seeds and the truncation give this point, to the bit."""
        known = all(self.seeds.get(name) is not None for name in self.latents)
        return known and self.latents.equal(self.origin(generator))

    def to_query(self, generator: Generator) -> str:
        """The part of a link after the question mark."""
        items = [("release", self.release)]
        if self.label:
            items.append(("label", self.label))
        items += [(f"seed.{name}", str(seed)) for name, seed in self.seeds.items() if seed is not None]
        items += [(f"truncation.{name}", f"{value:g}") for name, value in self.truncation.items() if value != 1]
        if self.is_drawn(generator):
            items.append(("frames", str(generator.frames_of(self.latents.steps))))
        else:
            items.append(("z", self.latents.pack()))
        return "&".join(f"{key}={quote(value, safe=':,=./@')}" for key, value in items)

    @staticmethod
    def from_query(text: str, find: Callable[[str | None], tuple[str, Generator]]) -> "Bookmark":
        """The bookmark in the part of a link after the question mark; keys that are not ours are left alone.

        find(name) gives the release's name and generator, for None those of the default release.
        Raises VidganError with what is wrong: the release, a label, a seed, a length, or a damaged point.
        """
        if len(text) > MAX_TEXT:
            raise VidganError("That link is too long to be one of ours.")
        asked = dict(parse_qsl(text.lstrip("?"), keep_blank_values=True))
        name, generator = find(asked.get("release") or None)
        space = generator.latent_space
        label = parse_label(asked.get("label", ""), generator)
        seeds = {s: parse_seed(asked[f"seed.{s}"]) if f"seed.{s}" in asked else None for s in space.names}
        truncation = {s: _number(asked.get(f"truncation.{s}", "1"), "truncation") for s in space.names}
        frames = None
        if "frames" in asked:
            frames = parse_frames(asked["frames"], generator)
        if "z" not in asked:
            drawn = {s: seed if seed is not None else DEFAULT_SEED for s, seed in seeds.items()}
            return Bookmark.draw(generator, drawn, truncation=truncation, label=label, frames=frames, release=name)
        latents = space.unpack(asked["z"])
        parse_frames(generator.frames_of(latents.steps), generator)
        if latents.batch != 1:
            raise VidganError(f"A link holds one point, not {latents.batch}.")
        truncation = {s: round(value, 3) for s, value in truncation.items()}
        return Bookmark(name, latents, label, seeds, truncation)

    def to_python(self, generator: Generator) -> str:
        """Lines of Python that make the same frames."""
        lines = [
            "import vidgan",
            "from vidgan import video",
            "",
            f"generator = vidgan.load({json.dumps(self.release)})",
        ]
        if self.is_drawn(generator):
            seeds = json.dumps(dict(self.seeds))
            steps = f", steps={self.latents.steps}" if self.latents.steps > 1 else ""
            scaled = {name: value for name, value in self.truncation.items() if value != 1}
            scaled = f", truncation={json.dumps(scaled)}" if scaled else ""
            lines.append(f"latents = generator.latent_space.sample(1, seed=0, seeds={seeds}{scaled}{steps})")
        else:
            lines.append(f"latents = generator.latent_space.unpack({json.dumps(self.latents.pack())})")
        if self.label:
            lines.append(f"condition = vidgan.Condition.parse({json.dumps(self.label)}, generator.labels)")
        call = "latents, condition" if self.label else "latents"
        lines += [f"clip = generator.generate({call})  # [1, 3, frames, height, width] in [-1, 1]"]
        lines.append('video.save("clip.mp4", video.to_uint8(clip)[0], fps=generator.fps, latents=latents)')
        return "\n".join(lines)

    def to_cli(self, generator: Generator) -> str:
        """The shell command that makes the same frames."""
        words = ["vidgan sample", shlex.quote(self.release)]
        scales = {name: self.truncation.get(name, 1.0) for name in self.latents}
        if self.is_drawn(generator) and set(self.seeds) == {"appearance", "motion"}:
            words.append(f"--appearance-seed {self.seeds['appearance']} --motion-seed {self.seeds['motion']}")
            if len(set(scales.values())) > 1:
                words.append("--truncation " + ",".join(f"{name}={scale:g}" for name, scale in scales.items()))
            elif set(scales.values()) != {1.0}:
                words.append(f"--truncation {scales.popitem()[1]:g}")
            if self.latents.steps > 1:
                words.append(f"--frames {generator.frames_of(self.latents.steps)}")
        else:
            words.append(f"--latents={self.latents.pack()}")
        if self.label:
            words.append(f"--label{'=' if self.label[0] == '-' else ' '}{shlex.quote(self.label)}")
        return " ".join([*words, "--out clips"])


DEFAULT_SEED = 0


def parse_seed(value: object) -> int:
    """A seed from text or a number; VidganError for anything but a whole number of at most 64 bits."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 40 or int(text) > MAX_SEED:
        shown = text if len(text) <= 44 else text[:40] + "..."
        raise VidganError(f"A seed is a whole number from 0 to 2^64 - 1 (20 digits at most), not {shown or 'nothing'}.")
    return int(text)


def parse_label(text: str, generator: Generator) -> str:
    """A label as `Condition.parse` reads it, itself; empty for the even blend. VidganError where it means nothing."""
    if text and not generator.config.classes:
        raise VidganError(f"This release has no labels, so {text[:60]!r} cannot be asked for.")
    if len(text) > MAX_LABEL:
        raise VidganError(f"A label has at most {MAX_LABEL} characters, not {len(text)}.")
    if text:
        Condition.parse(text, generator.labels)
    return text


def parse_frames(value: object, generator: Generator) -> int:
    """A clip length that the page offers; VidganError naming those that there are."""
    text = str(value).strip()
    if text not in {str(option) for option in generator.frame_options}:
        options = ", ".join(map(str, generator.frame_options))
        raise VidganError(f"A clip cannot have {text[:20] or 'no'} frames here; it can have {options}.")
    return int(text)


def _number(text: str, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= MAX_TRUNCATION:
        raise VidganError(f"A {what} goes from 0 to {MAX_TRUNCATION:g}, not {text[:20]!r}.")
    return value
