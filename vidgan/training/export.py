"""A run becomes a release: averaged weights, a card, a preview, what was measured and how it got there."""

import dataclasses
import json
from pathlib import Path

from .. import hub, video
from ..errors import VidganError
from ..metrics.distance import distance
from ..models import ARCHITECTURES, Generator, ReleaseInfo
from .evaluate import open_split
from .log import read_log
from .options import TrainOptions, restore
from .recipes import RECIPES
from .sheet import sheet_frames
from .state import ema_generator, load_state

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


def export(run: str | Path, name: str, out: str | Path | None = None, *, clips: int = 512) -> Path:
    """Write the release `name` from a run's newest state; returns its folder, `out` or `checkpoints/NAME`.

    clips: how many the distance to the held-out split is measured with, controls in the same run; 0 measures nothing.
    Data that is not there, or has nothing held out, leaves the reason in the card instead. VidganError where the run
    has no state or the disk no room; a release that stood there is only replaced by a whole new one.
    """
    run = Path(run)
    generator = ema_generator(run)
    begun = load_state(run)[1]["options"]
    options = restore(type(RECIPES[begun["architecture"]].PRESETS["paper"]), begun)
    folder = Path(out) if out else hub.checkpoints() / name
    measured = _measure(generator, options, clips)
    licence = DATA.get(options.data, DATA["folder"])[0]
    info = dataclasses.replace(generator.info, name=name, license=licence, metrics=measured, path=folder)
    return hub.save_release(
        folder,
        generator,
        info,
        card=_card(generator, options, info),
        preview=video.encode(sheet_frames(generator, rows=2, columns=6, seed=3), "webp", fps=info.fps),
        extra={
            "sheet.webp": video.encode(sheet_frames(generator), "webp", fps=info.fps),
            "curve.json": _curve(run),
        },
    )


def _measure(generator: Generator, options: TrainOptions, clips: int) -> dict:
    """The distance to the held-out split with its controls, or why there is none."""
    if not clips:
        return {}
    try:
        return distance(generator, open_split(options, "test", generator), clips, controls=True)
    except VidganError as error:
        return {"note": f"Not measured. {error}"}


def _curve(run: Path) -> bytes:
    """Losses and metrics over the training, losses thinned to at most 500 lines."""
    losses = read_log(run)
    thin = losses[:: max(1, len(losses) // 500)]
    return (json.dumps({"train": thin, "metrics": read_log(run, "metrics")}) + "\n").encode()


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

![one appearance a row; along it only the {"label" if info.labels else "motion"} changes](preview.webp)

```python
import vidgan
from vidgan import video

generator = vidgan.load("{info.name}")
latents = generator.latent_space.sample(1, seed=7)
video.save("{info.name}.mp4", video.to_uint8(generator.generate(latents))[0])
```

## Trained on
{DATA.get(options.data, DATA["folder"])[1]}

## How
{info.step:,} steps of {options.batch} clips{_script(info.name)}, preset `{options.preset}`.
{_departures(options)}

## Measured
{_measured(info.metrics)}

`curve.json` holds losses and metrics over the training; docs/metrics.md says what the names mean.

## Limits
Made for exploring how appearance and motion come apart. Clips of more than {info.frames} frames, blends of labels and
latents far from the prior were not seen in training.
"""


def _measured(metrics: dict) -> str:
    """The distances beside their controls, as a table."""
    if "clips" not in metrics:
        return metrics.get("note", "Not measured.")
    lines = [
        f"{metrics['clips']} generated clips against {metrics['real_clips']} of the `{metrics['split']}` split, which "
        "the training never saw.",
        "",
        "| clips | " + " | ".join(name for name in metrics if name.startswith(("fvd_", "kvd_"))) + " |",
        "|---|---|---|",
    ]
    rows = {"this release": metrics, **metrics.get("controls", {})}
    for name, row in rows.items():
        values = [f"{value:.3g}" for key, value in row.items() if key.startswith(("fvd_", "kvd_"))]
        lines.append(f"| {CONTROLS.get(name, name)} | {' | '.join(values)} |")
    return "\n".join([*lines, *(["", metrics["note"]] if "note" in metrics else [])])


CONTROLS = {
    "floor": "other real clips (the best there is)",
    "frozen": "real clips, frozen on their first frame",
    "shuffled": "real clips, frames shuffled",
}


def _script(name: str) -> str:
    return f", `recipes/{name}.sh`" if (hub.checkpoints().parent / "recipes" / f"{name}.sh").is_file() else ""


def _departures(options: TrainOptions) -> str:
    """One sentence on where the run's options differ from the paper's."""
    now, paper = options.to_json(), RECIPES[options.architecture].PRESETS["paper"].to_json()
    pairs = [(key, now[key], paper[key]) for key in ("batch", "precision")]
    for part in ("model", "recipe"):
        pairs += [(f"{part}.{key}", now[part][key], paper[part][key]) for key in paper[part] if key != "classes"]
    differ = [f"{name} {value} (paper: {papers})" for name, value, papers in pairs if value != papers]
    return f"Departures from the paper: {'; '.join(differ)}." if differ else "All options are the paper's."
