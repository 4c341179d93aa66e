"""A run becomes a release: averaged weights, a card, a preview, what was measured and how it got there."""

import dataclasses
import json
import shlex
import tempfile
from pathlib import Path

from .. import hub, video
from ..conditions import Condition
from ..data import open_source
from ..errors import VidganError
from ..metrics.animation import STARTS, animation, table
from ..metrics.distance import distance
from ..metrics.distance import table as distances_table
from ..metrics.novelty import FILE as FAMILIAR
from ..metrics.novelty import Familiar
from ..models import ARCHITECTURES, Generator, ReleaseInfo
from .ema import first_frames
from .evaluate import open_split
from .log import read_log
from .options import FREE, TrainOptions, preset, restore
from .recipes import RECIPES
from .sheet import sheet_frames, varies
from .state import ema_generator, load_state, unpack_shown

#: what is owed to whoever made a data set, and what may be done with weights that have seen it
DATA = {
    "expressions": (
        "apache-2.0",
        "`expressions`: faces that this package draws itself, performing MUG's six expressions. No photographs, no "
        "people: the card promises nothing about real faces.",
    ),
    "weizmann": (
        "other",
        "The Weizmann actions (Gorelick, Blank, Shechtman, Irani, Basri, *Actions as Space-Time Shapes*, PAMI 2007), "
        "in the 64x64 crops that MoCoGAN's authors published. No terms are stated for the data: weights for research "
        "use. 24 training clips of 6 people: expect the model to repeat them.",
    ),
    "sprites": (
        "cc-by-sa-3.0",
        "LPC Sprites (Li and Mandt, ICML 2018; art of the Liberated Pixel Cup, CC-BY-SA 3.0 and GPL 3.0). "
        "Attribution and share-alike are owed.",
    ),
    "folder": ("other", "Videos of your own."),
}


DRAWN = ("expressions",)  #: data whose pictures we draw ourselves, so that they may be shown
EXAMPLES = 8  #: pictures in a release's examples.webp
PARTS = ("model", "recipe")  #: groups of options within the options
SHARP = 70  #: quality of the moving pictures, out of 100: of 32 frames they would weigh more than a megabyte


def export(run: str | Path, name: str, out: str | Path | None = None, *, clips: int = 512) -> Path:
    """Write the release `name` from a run's newest state; returns its folder, `out` or `checkpoints/NAME`.

    clips: how many the distance to the held-out split is measured with, controls in the same run; 0 measures nothing.
    Data that is not there, or has nothing held out, leaves the reason in the card instead. VidganError where the run
    has no state or the disk no room; a release that stood there is only replaced by a whole new one.
    VidganError where the run's networks are still growing.
    """
    run = Path(run)
    generator = ema_generator(run)
    begun = load_state(run)[1]["options"]
    options = restore(type(preset(begun["architecture"], "paper", RECIPES)), begun)
    if generator.grown is not None:
        raise VidganError(
            f"{run} has grown to stage {generator.grown:g} of {len(generator.config.levels) - 1}: let it train on, as "
            "a release has all its levels."
        )
    if generator.grows:
        generator.fit_stages()
    folder = Path(out) if out else hub.checkpoints() / name
    measured = _measure(generator, options, clips)
    licence = DATA.get(options.data, DATA["folder"])[0]
    shown = _shown(generator, options, run)
    ours = options.data in DRAWN
    info = dataclasses.replace(generator.info, name=name, license=licence, metrics=measured, path=folder)
    generator.info = info  # from here on it has the release's name
    return hub.save_release(
        folder,
        generator,
        info,
        card=_card(generator, options, info),
        preview=video.encode(
            sheet_frames(generator, rows=2, columns=6, seed=3, shown=shown, pictures=ours),
            "webp",
            fps=info.fps,
            quality=SHARP,
        ),
        extra={
            "sheet.webp": video.encode(
                sheet_frames(generator, shown=shown, pictures=ours), "webp", fps=info.fps, quality=SHARP
            ),
            "curve.json": _curve(run),
            **_familiar(generator, options),
            **({} if ours else _examples(generator, shown)),
        },
    )


def _measure(generator: Generator, options: TrainOptions, clips: int) -> dict:
    """What the held-out split says, with controls or baselines, or why it says nothing."""
    if not clips:
        return {}
    try:
        source = open_split(options, "test", generator)
        if generator.takes_image:
            measured = animation(generator, source, max(1, clips // STARTS))
        else:
            measured = distance(generator, source, clips, controls=True)
        return measured | {"data_options": list(generator.info.data_options)}
    except VidganError as error:
        return {"note": f"Not measured. {error}"}


def _shown(generator: Generator, options: TrainOptions, run: Path) -> Condition | None:
    """Pictures for a generator that takes one: first frames that training never saw, or else those it was shown."""
    if not generator.takes_image:
        return None
    try:
        return first_frames(open_split(options, "test", generator), generator.config.classes, batches=1)
    except VidganError:
        return unpack_shown(load_state(run)[0])


def _familiar(generator: Generator, options: TrainOptions) -> dict[str, bytes]:
    """What pictures the training knew, for a generator that takes one, as a file of the release."""
    if not generator.takes_image:
        return {}
    extra = options.source_options() | ({"bank": 0} if options.data == "expressions" else {})
    root, size = options.data_root, generator.size
    try:
        splits = [
            open_source(options.data, split=split, frames=1, size=size, seed=options.seed, root=root, **extra)
            for split in ("train", "test")
        ]
        familiar = Familiar.fit(*splits)
    except VidganError:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        return {FAMILIAR: familiar.save(Path(folder) / FAMILIAR).read_bytes()}


def _examples(generator: Generator, shown: Condition | None) -> dict[str, bytes]:
    """Pictures to begin with where the data's own are not ours to pass on: what the generator itself makes of the first
    frames of clips that it never saw, side by side."""
    if shown is None:
        return {}
    condition = shown.each(lambda value: value[:EXAMPLES])
    latents = generator.sample(len(condition.image), seed=0)
    firsts = video.to_uint8(generator.generate(latents, condition)[:, :, :1])[:, 0]
    return {"examples.webp": video.sprite(firsts, lossless=True)[0]}


def _curve(run: Path) -> bytes:
    """Losses and metrics over the training, losses thinned to at most 500 lines; where it began with the weights of
    other runs, theirs come first, and steps are counted from the first one's beginning."""
    losses, metrics, before = [], [], 0
    for stage in stages(run):
        lines = read_log(stage)
        losses += [{**line, "step": line["step"] + before} for line in lines]
        metrics += [{**line, "step": line["step"] + before} for line in read_log(stage, "metrics")]
        before += lines[-1]["step"] if lines else 0
    thin = losses[:: max(1, len(losses) // 500)]
    return (json.dumps({"train": thin, "metrics": metrics}) + "\n").encode()


def stages(run: Path) -> list[Path]:
    """A run, after the runs that it and they began with (--init), as far as those are still there."""
    found = [run]
    while True:
        try:
            init = json.loads((found[0] / "options.json").read_text("utf-8")).get("init")
            before = hub.find(init) if init else None
        except (OSError, ValueError, VidganError):
            return found
        if before is None or before in found or not hub.is_run(before):
            return found
        found.insert(0, before)


def _card(generator: Generator, options: TrainOptions, info: ReleaseInfo) -> str:
    labels = f"Labels: {', '.join(info.labels)}." if info.labels else "Takes no label."
    return f"""---
license: {info.license}
library_name: vidgan
tags: [video-generation, gan, {info.architecture}]
---
# {info.name}

{ARCHITECTURES[info.architecture].title}, {generator.parameter_count:,} parameters, {info.size}x{info.size} pixels,
{info.frames} frames. {labels}

![{_caption(generator)}](preview.webp)

```python
{_python(generator)}
```

## Trained on
{DATA.get(options.data, DATA["folder"])[1]}

## How
{info.step:,} steps of {options.batch} clips, preset `{options.preset}`.{_begun(options)}

```bash
{command(options, info.step)}
```

{_departures(options)}

## Measured
{_measured(info.metrics)}

`curve.json` holds losses and metrics over the training; docs/metrics.md says what the names mean.

## Limits
{_limits(generator)}
"""


def _caption(generator: Generator) -> str:
    moving = varies(generator)
    if generator.takes_image and generator.info.data in DRAWN:
        return f"the picture, then clips made from it; along a row only the {moving} changes"
    if generator.takes_image:
        return f"clips made from one picture a row; along it only the {moving} changes"
    return (
        "each clip another point" if moving == "point" else f"one appearance a row; along it only the {moving} changes"
    )


def _python(generator: Generator) -> str:
    """Lines that draw a clip."""
    name = generator.info.name
    lines = ["import vidgan", "from vidgan import video", "", f'generator = vidgan.load("{name}")']
    lines.append("latents = generator.sample(1, seed=7)")
    told = ""
    if generator.takes_image:
        lines[1] = "from vidgan import pictures, video"
        lines.append('picture = pictures.crop(pictures.load("picture.png"))')
        lines.append("image = pictures.to_image(pictures.fit(picture, generator.size))")
        label = f'label=vidgan.Condition.of_label("{generator.labels[0]}", generator.labels).label, '
        lines.append(f"condition = vidgan.Condition({label if generator.labels else ''}image=image)")
        told = ", condition"
    lines.append(f'video.save("{name}.mp4", video.to_uint8(generator.generate(latents{told}))[0])')
    return "\n".join(lines)


def _limits(generator: Generator) -> str:
    if varies(generator) == "point" and not generator.takes_image:
        limit = "One code decides everything: who is seen and how they move cannot be chosen apart."
        if generator.grows:
            limit += (
                "\nThe output convolutions of earlier stages were fitted to the last one's clips for this release, as "
                "training leaves\nthem behind: they show what each level tells of the clip that it leads to."
            )
        return limit
    if generator.takes_image:
        return (
            "Made for pictures like those it was trained on; `familiar.safetensors` tells the page when one is not.\n"
            "Blends of labels and weaker skips were not seen in training."
        )
    return (
        "Made for exploring how appearance and motion come apart. Clips of more than "
        f"{generator.frames} frames, blends of\nlabels and latents far from the prior were not seen in training."
    )


def _measured(metrics: dict) -> str:
    """What was measured beside its controls or baselines, as a table."""
    if "clips" not in metrics:
        return metrics.get("note", "Not measured.")
    if "baselines" in metrics:
        first = (
            f"{metrics['clips']} clips, from {metrics['starts']} first frames of each of {metrics['videos']} videos of "
            f"the `{metrics['split']}` split, which the training never saw; 95% intervals over videos."
        )
        lines = [first, "", *table(metrics)]
    else:
        first = (
            f"{metrics['clips']} generated clips against {metrics['real_clips']} of the `{metrics['split']}` split, "
            "which the training never saw."
        )
        lines = [first, "", *distances_table(metrics)]
    if "note" in metrics and metrics["note"] not in lines:
        lines += ["", metrics["note"]]
    return "\n".join(lines)


def _begun(options: TrainOptions) -> str:
    """What the training began with, if not with random weights."""
    return f" It began with the weights of `{Path(options.init).name}`." if options.init else ""


def command(options: TrainOptions, steps: int) -> str:
    """The shell command that trains so: the preset, and whatever differs from it and decides the weights."""
    base = RECIPES[options.architecture].PRESETS[options.preset]
    words = ["python train.py", options.architecture, f"--preset {options.preset}", f"--data {options.data}"]
    words += _differences(options, base)
    if options.init:
        words.append(f"--init runs/{Path(options.init).name}")
    return " ".join([*words, f"--steps {steps}"])


def _differences(chosen, usual, prefix: str = "") -> list[str]:
    """What differs between two dataclasses of options, as options of train.py; those inside them alike."""
    words = []
    for field in dataclasses.fields(chosen):
        value, before = getattr(chosen, field.name), getattr(usual, field.name)
        if dataclasses.is_dataclass(value):
            words += _differences(value, before, f"{prefix}{field.name}.")
        elif value != before and field.name not in {*FREE, "data", "init", "classes"}:
            words.append(_option(prefix + field.name.replace("_", "-"), value))
    return words


def _option(name: str, value: object) -> str:
    """One option as train.py reads it."""
    if isinstance(value, bool):
        group, _, last = name.rpartition(".")
        return f"--{group}{'.' if group else ''}{'' if value else 'no-'}{last}"
    values = value if isinstance(value, tuple) else (value,)
    return " ".join([f"--{name}", *(shlex.quote(str(item)) for item in values)])


def _departures(options: TrainOptions) -> str:
    """One sentence on where the run's options differ from the paper's."""
    now, paper = options.to_json(), preset(options.architecture, "paper", RECIPES).to_json()
    pairs = [(key, now[key], paper[key]) for key in ("batch", "precision")]
    for part in PARTS:
        pairs += [(f"{part}.{key}", now[part][key], paper[part][key]) for key in paper[part] if key != "classes"]
    differ = [f"{name} {value} (paper: {papers})" for name, value, papers in pairs if value != papers]
    return f"Departures from the paper: {'; '.join(differ)}." if differ else "All options are the paper's."
