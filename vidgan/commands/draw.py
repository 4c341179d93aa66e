"""`vidgan sample` and `vidgan grid`: videos out of latents."""

import json
from dataclasses import replace
from pathlib import Path

from ..errors import VidganError, unknown
from .shared import condition_of, print_json


def sample(options) -> None:
    from .. import video
    from ..conditions import Condition
    from ..explore.bookmark import Bookmark
    from ..explore.growth import figure
    from ..explore.parse import parse_view

    generator = _generator(options)
    if options.latents is None:
        latents = _sampled(generator, options, options.n or 1)
    else:
        for name in ("seed", "n", "appearance_seed", "motion_seed", "seeds", "truncation", "frames"):
            if getattr(options, name) is not None and not (name == "frames" and generator.any_length):
                flag = "-n" if name == "n" else f"--{name.replace('_', '-')}"
                raise VidganError(f"{flag} and --latents contradict each other; give one of the two.")
        latents = read_latents(options.latents, generator.latent_space)
    condition = generator.told_length(options.frames, condition_of(generator, options.label))
    side_by_side = options.stage == "all"
    condition = condition if side_by_side else _staged(condition, options, generator)
    if options.view is not None:
        condition = replace(condition or Condition(), view=parse_view(options.view, generator))
    source = f"seed{options.seed or 0}" if options.latents is None else "latents"
    stage = "all" if side_by_side else float(options.stage) if options.stage else None
    source += "" if stage is None else f"-stage{stage if side_by_side else f'{stage:g}'}"
    source += f"-{options.view}" if options.view else ""
    files = []
    for index in range(latents.batch):
        point = latents.row(index)
        if side_by_side:
            frames = figure(generator, Bookmark(generator.info.name, point))
        else:
            frames = video.to_uint8(generator.generate(point, condition))[0]
        path = Path(options.out) / f"{generator.info.name}-{source}-{index}.{options.format}"
        files.append(str(video.save(path, frames, generator.fps_of(condition), point)))
        if not options.json:
            print(files[-1], flush=True)
    if options.json:
        weights = condition.label[0].tolist() if condition and condition.label is not None else ()
        print_json(
            {
                "release": generator.info.name,
                "seed": None if options.latents else options.seed or 0,
                "label": {name: weight for name, weight in zip(generator.labels, weights) if weight},
                "frames": len(frames),
                "size": frames.shape[1],
                "fps": generator.fps_of(condition),
                **({} if stage is None else {"stage": stage}),
                "files": files,
                "latents": [json.loads(latents.row(index).to_json()) for index in range(latents.batch)],
            },
            indent=None,  # a number a line would be long
        )


def grid(options) -> None:
    from .. import video

    if Path(options.out).suffix.lower() not in (".mp4", ".webp", ".gif"):
        raise unknown("format for a grid", Path(options.out).suffix or options.out, (".mp4", ".webp", ".gif"))
    generator = _generator(options)
    height, width = options.appearances, options.motions
    moving = [subspace.name for subspace in generator.latent_space.by_role("motion")]
    latents = _sampled(generator, options, max(height, width) if moving else height * width)
    condition = _staged(
        generator.told_length(options.frames, condition_of(generator, options.label)), options, generator
    )
    rows = []
    for row in range(height):
        rows.append([])
        for column in range(width):
            motion = {name: latents.row(column)[name] for name in moving}
            point = latents.row(row).replace(motion) if moving else latents.row(row * width + column)
            rows[-1].append(video.to_uint8(generator.generate(point, condition))[0])
    print(video.save(options.out, video.grid(rows), generator.fps_of(condition)))


def _generator(options):
    """The generator to draw with; one that only animates pictures is refused."""
    from .. import hub

    generator = hub.load(options.name, options.device)
    if generator.takes_image:
        raise VidganError(f"{options.name} animates pictures; use `vidgan animate {options.name} IMAGE`.")
    return generator


def _staged(condition, options, generator):
    """The condition, with the stage that --stage names."""
    from ..conditions import Condition
    from ..explore.parse import parse_stage

    if options.stage is None:
        return condition
    return replace(condition or Condition(), stage=parse_stage(options.stage, generator))


def _sampled(generator, options, n: int):
    """n points of the generator's space as the options say; the seed of a subspace comes before that of its role."""
    seeds = {}
    for role in ("appearance", "motion"):
        seed = getattr(options, f"{role}_seed", None)
        seeds |= {space.name: seed for space in generator.latent_space.by_role(role) if seed is not None}
    seeds |= getattr(options, "seeds", None) or {}
    return generator.latent_space.sample(
        n,
        options.seed or 0,
        steps=generator.steps_for(options.frames or generator.frames),
        truncation=1.0 if options.truncation is None else options.truncation,
        seeds=seeds,
    )


def read_latents(text: str, space):
    """The points that `--latents` names: a .json file (`Latents.to_json`), an .npz file that holds each subspace by
    its name, or packed text (`Latents.pack`); checked against `space`."""
    from ..latents import Latents

    if not text.lower().endswith((".json", ".npz")):
        return space.unpack(text)
    try:
        if text.lower().endswith(".json"):
            return space.validate(Latents.from_json(Path(text).read_text("utf-8")))
        import numpy as np

        with np.load(text, allow_pickle=False) as arrays:
            values = {name: arrays[name] for name in space.names if name in arrays}
        return space.validate(Latents(values))
    except VidganError as error:
        raise VidganError(f"{text} holds no latents that fit: {error}") from error
    except FileNotFoundError as error:
        raise VidganError(f"There is no file {text!r}.") from error
    except Exception as error:  # whatever zip and numpy find in a file that is not theirs
        raise VidganError(f"{text} cannot be read as latents ({type(error).__name__}).") from error
