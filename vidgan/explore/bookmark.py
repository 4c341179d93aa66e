"""What the page is showing, small enough for a link, and the same in the page, the command line and Python.

    release=g3an-expressions&label=happiness&seed.appearance=1289&seed.motion=77&frames=16
    release=...&label=happiness:0.7,fear:0.3&seed.appearance=1289&truncation.appearance=0.7&z=AQABAIc5...

A point that is what its seeds draw is written as its seeds. Any other point is rounded to float16, *before* it is
drawn, and written as `z`, so that whoever opens the link gets the same numbers and so the same frames.
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
MAX_TRUNCATION = 2.0


@dataclass(frozen=True)
class Bookmark:
    """latents: one point, as it is drawn; label: class name -> weight, in the order of the release's labels, empty
    where it has none; seeds: subspace -> the seed that the point came from, None where it came from none;
    truncation: subspace -> the factor that the seed's draw was multiplied with.
    """

    release: str
    latents: Latents
    label: Mapping[str, float] = field(default_factory=dict)
    seeds: Mapping[str, int | None] = field(default_factory=dict)
    truncation: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def draw(
        generator: Generator,
        seeds: Mapping[str, int],
        *,
        truncation: Mapping[str, float] | None = None,
        label: Mapping[str, float] | None = None,
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
        if any(value != 1 for value in truncation.values()):
            drawn = drawn.quantise()
        return Bookmark(name, drawn, _weights(label, generator), seeds, truncation)

    def moved(self, generator: Generator, latents: Latents) -> "Bookmark":
        """The same bookmark at another point: exact where the seeds draw that point, else rounded to float16."""
        generator.latent_space.validate(latents)
        plain = all(value == 1 for value in self.truncation.values())
        if not (plain and latents.equal(self.origin(generator, latents.steps))):
            latents = latents.quantise()
        return replace(self, latents=latents)

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
        return Condition.of_label(dict(self.label), generator.labels) if self.label else None

    # --- as text ----------------------------------------------------------------------------------------------------
    def is_drawn(self, generator: Generator) -> bool:
        """Whether the seeds alone give this point, to the bit."""
        known = all(self.seeds.get(name) is not None for name in self.latents)
        plain = all(value == 1 for value in self.truncation.values())
        return known and plain and self.latents.equal(self.origin(generator))

    def to_query(self, generator: Generator) -> str:
        """The part of a link after the question mark."""
        items = [("release", self.release)]
        if self.label:
            items.append(("label", _label_text(self.label, ":")))
        items += [(f"seed.{name}", str(seed)) for name, seed in self.seeds.items() if seed is not None]
        items += [(f"truncation.{name}", f"{value:g}") for name, value in self.truncation.items() if value != 1]
        if self.is_drawn(generator):
            items.append(("frames", str(generator.frames_of(self.latents.steps))))
        else:
            items.append(("z", self.latents.pack()))
        return "&".join(f"{key}={quote(value, safe=':,./@')}" for key, value in items)

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
        label = _parse_label(asked["label"], generator) if asked.get("label") else None
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
        return Bookmark(name, latents, _weights(label, generator), seeds, truncation)

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
            lines.append(f"latents = generator.latent_space.sample(1, seed=0, seeds={seeds}{steps})")
        else:
            lines.append(f"latents = generator.latent_space.unpack({json.dumps(self.latents.pack())})")
        told = ""
        if self.label:
            named = {name: weight for name, weight in self.label.items() if weight}
            told = json.dumps(next(iter(named)) if len(named) == 1 else named)
            lines.append(f"condition = vidgan.Condition.of_label({told}, generator.labels)")
        call = "latents, condition" if told else "latents"
        lines += [f"clip = generator.generate({call})  # [1, 3, frames, height, width] in [-1, 1]"]
        lines.append('video.save("clip.mp4", video.to_uint8(clip)[0], fps=generator.fps, latents=latents)')
        return "\n".join(lines)

    def to_cli(self, generator: Generator) -> str:
        """The shell command that makes the same frames."""
        words = ["vidgan sample", shlex.quote(self.release)]
        if self.is_drawn(generator) and set(self.seeds) == {"appearance", "motion"}:
            words.append(f"--appearance-seed {self.seeds['appearance']} --motion-seed {self.seeds['motion']}")
            if self.latents.steps > 1:
                words.append(f"--frames {generator.frames_of(self.latents.steps)}")
        else:
            words.append(f"--latents={self.latents.pack()}")
        if self.label:
            words.append(f"--label {shlex.quote(_label_text(self.label, '='))}")
        return " ".join([*words, "--out clips"])


DEFAULT_SEED = 0


def parse_seed(value: object) -> int:
    """A seed from text or a number; VidganError for anything but a whole number of at most 64 bits."""
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 40 or int(text) > MAX_SEED:
        shown = text if len(text) <= 44 else text[:40] + "..."
        raise VidganError(f"A seed is a whole number from 0 to 2^64 - 1 (20 digits at most), not {shown or 'nothing'}.")
    return int(text)


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


def _weights(label: Mapping[str, float] | None, generator: Generator) -> dict[str, float]:
    """Label weights for all classes in order, rounded to 4 digits; the even blend where none is named."""
    if not generator.config.classes:
        if label:
            raise VidganError(f"This release has no labels, so {', '.join(label)} cannot be asked for.")
        return {}
    label = label or dict.fromkeys(generator.labels, 1.0)
    Condition.of_label(dict(label), generator.labels)  # raises for what is wrong
    rounded = {name: round(float(label.get(name, 0.0)), 4) for name in generator.labels}
    Condition.of_label(rounded, generator.labels)
    return rounded


def _label_text(label: Mapping[str, float], between: str) -> str:
    named = {name: weight for name, weight in label.items() if weight}
    if len(named) == 1:
        return next(iter(named))
    return ",".join(f"{name}{between}{weight:g}" for name, weight in named.items())


def _parse_label(text: str, generator: Generator) -> dict[str, float]:
    weights = {}
    for part in text.split(","):
        name, _, weight = part.partition(":")
        try:
            weights[name] = float(weight) if weight else 1.0
        except ValueError as error:
            raise VidganError(f"The weight of label {name!r} must be a number, not {weight[:20]!r}.") from error
    return weights
