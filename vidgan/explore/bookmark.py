"""What the page is showing, small enough for a link, and the same in the page, the command line and Python.

    release=g3an-expressions&label=happiness&seed.appearance=1289&seed.motion=77&frames=16
    release=...&label=happiness=0.7,fear=0.3&seed.appearance=1289&truncation.appearance=0.7&z=AQABAIc5...
    release=imaginator-expressions&label=happiness&seed.noise=3&fusion=1,1,0.5,0&then=fear&then=anger&image=UklGR...

A point that is what its seeds and truncation draw is written as those, and is what `LatentSpace.sample` gives for them,
to the bit. Any other point is rounded to float16, *before* it is drawn, and written as `z`. A label stays the text that
it came as, and every side reads it with `Condition.parse`. So whoever opens the link gets the same numbers and so the
same frames.

Where a release sets a picture in motion, `image` is that picture, without loss, as the network sees it. Each `then` is
the label of a further part, which goes on from the last frame of the one before; the latents have a row for each part.
Such a point is always what its seed draws: it has neither `z` nor truncation.
"""

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote

import torch

from .. import pictures
from ..conditions import Condition
from ..errors import VidganError
from ..latents import Latents
from ..models.base import Generator
from .parse import (
    MAX_TRUNCATION,
    parse_frames,
    parse_fusion,
    parse_image,
    parse_label,
    parse_numbers,
    parse_seed,
    parse_stage,
    parse_then,
    parse_truncation,
    parse_view,
    parse_weights,
)

MAX_TEXT = 20_000  #: characters of a link that we look at, besides its picture
DEFAULT_SEED = 0


@dataclass(frozen=True)
class Bookmark:
    """latents: one point, as it is drawn, or one for each part of an animated picture; label: as `Condition.parse`
    reads it, empty for the even blend and where a release has none; seeds: subspace -> the seed that the point came
    from, None where it came from none; truncation: subspace -> the factor that the seed's draw was multiplied with.
    image: the picture to animate, as `pictures.pack` writes it; fusion: how strongly its features enter at each level,
    coarse to fine, empty for in full; then: the labels of further parts. frames: the length, where any can be had and
    it is not the native one; stage: how far the clip has grown, where it can and not in full; view: the one part of the
    clip to show, where a generator lays several over each other.
    """

    release: str
    latents: Latents
    label: str = ""
    seeds: Mapping[str, int | None] = field(default_factory=dict)
    truncation: Mapping[str, float] = field(default_factory=dict)
    image: str = ""
    fusion: tuple[float, ...] = ()
    then: tuple[str, ...] = ()
    frames: int | None = None
    stage: float | None = None
    view: str | None = None

    @staticmethod
    def draw(
        generator: Generator,
        seeds: Mapping[str, int],
        *,
        truncation: Mapping[str, float] | None = None,
        label: str = "",
        frames: int | None = None,
        release: str | None = None,
        image: str = "",
        fusion: Sequence[float] = (),
        then: Sequence[str] = (),
        stage: float | None = None,
        view: str | None = None,
    ) -> "Bookmark":
        """The point that one seed for each subspace gives; `frames` None is the native length of a part.

        Raises VidganError for seeds beyond 64 bits, unknown labels, lengths that the generator cannot make, and for a
        picture, strengths of fusion, further parts, a stage of growth and a part to show that it cannot use.
        """
        name = release or (generator.info.name if generator.info else generator.architecture)
        space = generator.latent_space
        seeds = {subspace: parse_seed(seeds[subspace]) for subspace in space.names}
        truncation = {subspace: round(float((truncation or {}).get(subspace, 1.0)), 3) for subspace in space.names}
        for value in truncation.values():
            if not 0 <= value <= MAX_TRUNCATION:
                raise VidganError(f"Truncation goes from 0 to {MAX_TRUNCATION:g}, not {value:g}.")
        steps = generator.steps_for(frames or generator.frames)
        shown = {
            "image": parse_image(image, generator),
            "fusion": parse_fusion(fusion, generator),
            "then": parse_then(then, generator),
            "stage": parse_stage(stage, generator),
            "view": parse_view(view, generator),
        }
        drawn = space.sample(1 + len(then), 0, steps=steps, seeds=seeds, truncation=truncation)
        made = Bookmark(name, drawn, parse_label(label, generator), seeds, truncation, **shown)
        return made.as_long_as(generator, frames)

    def as_long_as(self, generator: Generator, frames: int | None) -> "Bookmark":
        """The same point at another length, where any can be had; itself, where the latents decide it."""
        told = generator.told_length(frames)
        return replace(self, frames=told and told.frames) if generator.any_length else self

    def length(self, generator: Generator) -> int:
        """Frames of its clip, or of each of its parts."""
        return self.frames or generator.frames_of(self.latents.steps)

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
        parts, truncation = self.latents.batch, dict(self.truncation)
        drawn = generator.latent_space.sample(parts, 0, steps=steps, seeds=seeds, truncation=truncation)
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
        """What to tell the generator besides the latents; with a label for each part, where there is any."""
        told = Condition.parse(self.label, generator.labels) if self.label else None
        if not generator.takes_image:
            told = generator.told_length(self.frames, told)
            shown = {name: value for name in ("stage", "view") if (value := getattr(self, name)) is not None}
            return replace(told or Condition(), **shown) if shown else told
        labels = [parse_weights(text, generator) for text in (self.label, *self.then)]
        image = pictures.to_image(pictures.unpack(self.image)) if self.image else None
        return Condition(
            torch.cat(labels) if generator.config.classes else None,
            image,
            torch.tensor([self.fusion]) if self.fusion else None,
        )

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
        if self.fusion:
            items.append(("fusion", ",".join(f"{value:g}" for value in self.fusion)))
        items += [("then", label) for label in self.then]
        items += [] if self.stage is None else [("stage", f"{self.stage:g}")]
        items += [("view", self.view)] if self.view else []
        if self.image:
            items.append(("image", self.image))
        elif self.is_drawn(generator):
            items.append(("frames", str(self.length(generator))))
        else:
            items.append(("z", self.latents.pack()))
            items += [("frames", str(self.frames))] if self.frames else []
        return "&".join(f"{key}={quote(value, safe=':,=./@')}" for key, value in items)

    @staticmethod
    def from_query(text: str, find: Callable[[str | None], tuple[str, Generator]]) -> "Bookmark":
        """The bookmark in the part of a link after the question mark; keys that are not ours are left alone.

        find(name) gives the release's name and generator, for None those of the default release.
        Raises VidganError with what is wrong: the release, a label, a seed, a length, or a damaged point.
        """
        if len(text) > MAX_TEXT + pictures.MAX_TEXT:
            raise VidganError("That link is too long to be one of ours.")
        items = parse_qsl(text.lstrip("?"), keep_blank_values=True)
        asked = dict(items)
        if len(text) - len(asked.get("image", "")) > MAX_TEXT:
            raise VidganError("That link is too long to be one of ours.")
        name, generator = find(asked.get("release") or None)
        space = generator.latent_space
        label = parse_label(asked.get("label", ""), generator)
        if generator.takes_image and ("z" in asked or any(key.startswith("truncation.") for key in asked)):
            raise VidganError("The motion of an animated picture is its seed: its link has neither z nor truncation.")
        seeds = {s: parse_seed(asked[f"seed.{s}"]) if f"seed.{s}" in asked else None for s in space.names}
        truncation = {s: parse_truncation(asked.get(f"truncation.{s}", "1")) for s in space.names}
        frames, stage = None, parse_stage(asked.get("stage"), generator)
        view = parse_view(asked.get("view"), generator)
        if "frames" in asked:
            frames = parse_frames(asked["frames"], generator)
        if "z" not in asked:
            drawn = {s: seed if seed is not None else DEFAULT_SEED for s, seed in seeds.items()}
            return Bookmark.draw(
                generator,
                drawn,
                truncation=truncation,
                label=label,
                frames=frames,
                release=name,
                image=asked.get("image", ""),
                fusion=parse_numbers(asked.get("fusion", "")),
                then=[value for key, value in items if key == "then"],
                stage=stage,
                view=view,
            )
        latents = space.unpack(asked["z"])
        parse_frames(generator.frames_of(latents.steps), generator)
        if latents.batch != 1:
            raise VidganError(f"A link holds one point, not {latents.batch}.")
        truncation = {s: round(value, 3) for s, value in truncation.items()}
        return Bookmark(name, latents, label, seeds, truncation, stage=stage, view=view).as_long_as(generator, frames)

    def to_python(self, generator: Generator) -> str:
        """Lines of Python that make the same frames."""
        if generator.takes_image:
            return self._animated_python(generator)
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
        told = f"vidgan.Condition.parse({json.dumps(self.label)}, generator.labels)" if self.label else ""
        more = [f"{name}={value:g}" for name in ("frames", "stage") if (value := getattr(self, name)) is not None]
        more += [f"view={json.dumps(self.view)}"] if self.view else []
        if more:
            told = f"vidgan.Condition({', '.join([f'{told}.label'] * bool(told) + more)})"
        if told:
            lines.append(f"condition = {told}")
        call = "latents, condition" if told else "latents"
        lines += [f"clip = generator.generate({call})  # [1, 3, frames, height, width] in [-1, 1]"]
        fps = "generator.fps" if self.stage is None else "generator.fps_of(condition)"
        lines.append(f'video.save("clip.mp4", video.to_uint8(clip)[0], fps={fps}, latents=latents)')
        return "\n".join(lines)

    def to_cli(self, generator: Generator) -> str:
        """The shell command that makes the same frames."""
        if generator.takes_image:
            return self._animated_cli()
        words = ["vidgan sample", shlex.quote(self.release)]
        scales = {name: self.truncation.get(name, 1.0) for name in self.latents}
        if self.is_drawn(generator):
            if set(self.seeds) == {"appearance", "motion"}:
                words.append(f"--appearance-seed {self.seeds['appearance']} --motion-seed {self.seeds['motion']}")
            else:
                words.append("--seeds " + ",".join(f"{name}={seed}" for name, seed in self.seeds.items()))
            if len(set(scales.values())) > 1:
                words.append("--truncation " + ",".join(f"{name}={scale:g}" for name, scale in scales.items()))
            elif set(scales.values()) != {1.0}:
                words.append(f"--truncation {scales.popitem()[1]:g}")
            if self.latents.steps > 1:
                words.append(f"--frames {self.length(generator)}")
        else:
            words.append(f"--latents={self.latents.pack()}")
        if self.frames:
            words.append(f"--frames {self.frames}")
        if self.stage is not None:
            words.append(f"--stage {self.stage:g}")
        if self.view:
            words.append(f"--view {self.view}")
        if self.label:
            words.append(f"--label{'=' if self.label[0] == '-' else ' '}{shlex.quote(self.label)}")
        return " ".join([*words, "--out clips"])

    def _animated_python(self, generator: Generator) -> str:
        lines = ["import vidgan", "from vidgan import pictures, video", "from vidgan.explore.animate import animate"]
        labels = [self.label, *self.then] if generator.config.classes else []
        if self.fusion or len(labels) > 1:
            lines.insert(0, "import torch")
        lines += [
            "",
            f"generator = vidgan.load({json.dumps(self.release)})",
            f"picture = pictures.unpack({json.dumps(self.image)})",
            f"latents = generator.sample({self.latents.batch}, seed=0, seeds={json.dumps(dict(self.seeds))})",
        ]
        told = ["image=pictures.to_image(picture)"]
        if len(labels) > 1:
            rows = [f"    {_label_lines(text)},  # part {1 + part}" for part, text in enumerate(labels)]
            lines += ["labels = [", *rows, "]"]
            told.append("label=torch.cat(labels)")
        elif labels:
            told.append(f"label={_label_lines(labels[0])}")
        if self.fusion:
            told.append(f"fusion=torch.tensor([{list(self.fusion)}])")
        lines += ["condition = vidgan.Condition(", *(f"    {one}," for one in told), ")"]
        lines.append("frames = animate(generator, latents, condition)  # uint8 [frames, height, width, 3]")
        lines.append('video.save("clip.mp4", frames, fps=generator.fps, latents=latents)')
        return "\n".join(lines)

    def _animated_cli(self) -> str:
        words = ["vidgan animate", shlex.quote(self.release), f"picture:{self.image}"]
        words += [f"--seed {seed}" for seed in self.seeds.values()]
        options = [("--label", self.label)] if self.label else []
        for name, text in [*options, *(("--then", text) for text in self.then)]:
            words.append(f"{name}{'=' if text[:1] == '-' else ' '}{shlex.quote(text)}")
        if self.fusion:
            words.append("--fusion " + ",".join(f"{value:g}" for value in self.fusion))
        return " ".join([*words, "--out clip.mp4"])


def _label_lines(text: str) -> str:
    if not text:
        return "vidgan.Condition.of_label([1.0] * len(generator.labels), generator.labels).label"
    return f"vidgan.Condition.parse({json.dumps(text)}, generator.labels).label"
