"""A run becomes a release: averaged weights, a card, a preview, what was measured and how it got there."""

import dataclasses
import json
from pathlib import Path

from .. import hub, video
from ..models import ARCHITECTURES, Generator
from .log import read_log
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


def export(run: str | Path, name: str, out: str | Path | None = None) -> Path:
    """Write the release `name` from a run's newest state; returns its folder, `out` or `checkpoints/NAME`.

    VidganError where the run has no state, or the disk no room; a release that stood there is only replaced by a
    whole new one.
    """
    run = Path(run)
    generator = ema_generator(run)
    options = load_state(run)[1]["options"]
    folder = Path(out) if out else hub.checkpoints() / name
    measured = read_log(run, "metrics")
    latest = {key: value for key, value in (measured[-1] if measured else {}).items() if key != "kind"}
    licence = DATA.get(options["data"], DATA["folder"])[0]
    info = dataclasses.replace(generator.info, name=name, license=licence, metrics=latest, path=folder)
    sheet = sheet_frames(generator)
    return hub.save_release(
        folder,
        generator,
        info,
        card=_card(generator, name, options, info, measured),
        preview=video.encode(sheet_frames(generator, rows=2, columns=4, seed=3), "webp", fps=info.fps),
        extra={"sheet.webp": video.encode(sheet, "webp", fps=info.fps), "curve.json": _curve(run, measured)},
    )


def _curve(run: Path, measured: list[dict]) -> bytes:
    """Losses and metrics over the training, thinned to at most 500 lines of each kind."""
    losses = read_log(run)
    thin = losses[:: max(1, len(losses) // 500)]
    return (json.dumps({"train": thin, "metrics": measured}) + "\n").encode()


def _card(generator: Generator, name: str, options: dict, info, measured: list[dict]) -> str:
    licence, data = DATA.get(options["data"], DATA["folder"])
    title = ARCHITECTURES[info.architecture].title
    labels = f"Labels: {', '.join(info.labels)}." if info.labels else "Takes no label."
    departs = _departures(options)
    numbers = [f"| {key} | {value} |" for key, value in info.metrics.items() if key != "step"]
    table = "\n".join(["| metric | value |", "|---|---|", *numbers]) if numbers else "Not measured yet."
    return f"""---
license: {licence}
library_name: vidgan
pipeline_tag: unconditional-image-generation
tags: [video-generation, gan, {info.architecture}]
---
# {name}

{title}, {generator.parameter_count:,} parameters, {info.size}x{info.size} pixels, {info.frames} frames. {labels}

![samples: one appearance a row; along it only the {"label" if info.labels else "motion"} changes](preview.webp)

```python
import vidgan

generator = vidgan.load("{name}")
latents = generator.latent_space.sample(1, seed=7)
vidgan.save("{name}.mp4", generator.generate(latents))
```

## Trained on
{data}

## How
`recipes/{name}.sh`: {info.step:,} steps of {options["batch"]} clips, preset `{options["preset"]}`.
{departs}

## Measured
{table}

Names carry the protocol; see docs/metrics.md. `curve.json` holds losses and metrics over the training.

## Limits
Made for exploring how appearance and motion come apart, not for likenesses of anyone. Clips beyond {info.frames}
frames, blends of labels and latents far from the prior were not seen in training.
"""


def _departures(options: dict) -> str:
    """One sentence on where the run's options differ from the paper's."""
    from .recipes import RECIPES

    paper = RECIPES[options["architecture"]].PRESETS["paper"].to_json()
    differ = [
        f"{part}.{key} {options[part][key]} (paper: {paper[part][key]})"
        for part in ("model", "recipe")
        for key in paper[part]
        if options[part].get(key) != paper[part][key] and key != "classes"
    ]
    if not differ:
        return "All options are the paper's."
    return "Departures from the paper: " + "; ".join(differ) + "."
