"""`vidgan animate`: a picture in motion."""

import sys
from dataclasses import replace
from pathlib import Path

from ..errors import VidganError, unknown
from .shared import condition_of

GRIDS = (".mp4", ".webp", ".gif")
PACKED = "picture:"  #: what stands before a packed picture


def animate(options) -> None:
    from .. import hub, video
    from ..explore.animate import animate as frames_of
    from ..explore.animate import check_parts
    from ..latents import MAX_SEED
    from ..pictures import load

    many = options.variations > 1 or options.all_labels
    suffix = Path(options.out).suffix.lower()
    formats = GRIDS if many else tuple(f".{kind}" for kind in video.FORMATS)
    if suffix not in formats:
        raise unknown("format for a sheet of several videos" if many else "format", suffix or options.out, formats)
    check_parts(1 + len(options.then))
    if options.seed + options.variations - 1 > MAX_SEED:
        raise VidganError(f"{options.variations} variations from seed {options.seed} on go beyond the last seed.")
    source = None if options.image.startswith(PACKED) else load(options.image)  # before what takes long
    generator = hub.load(options.name, options.device)
    if not generator.takes_image:
        raise VidganError(f"{options.name} makes videos out of nothing; use `vidgan sample {options.name}`.")
    if options.all_labels and not generator.config.classes:
        raise VidganError(f"{options.name} has no labels, so there is nothing for --all-labels to show.")
    picture = _fitted(options, source, generator.size)
    _note(generator, picture)
    parts = 1 + len(options.then)
    rows = []
    for seed in range(options.seed, options.seed + options.variations):
        latents = generator.sample(parts, seed)
        rows.append([])
        for label in generator.labels if options.all_labels else [options.label]:
            condition = replace(_told(generator, [label, *options.then]), **_shown(picture, options.fusion))
            rows[-1].append(frames_of(generator, latents, condition))
    if many:
        print(video.save(options.out, video.grid(rows), generator.fps))
    else:
        print(video.save(options.out, rows[0][0], generator.fps, latents))


def _fitted(options, source, size: int):
    """The square picture, uint8 [size, size, 3], that IMAGE names: a file, cropped and made small, or `picture:` and a
    packed one as links hold it."""
    from .. import pictures

    if source is not None:
        return pictures.fit(pictures.crop(source, options.crop), size)
    if options.crop is not None:
        raise VidganError("A packed picture is already cropped: leave --crop out.")
    return pictures.fit(pictures.unpack(options.image.removeprefix(PACKED)), size)


def _note(generator, picture) -> None:
    """Says on stderr where the picture is far from those that the release was trained on."""
    from ..metrics.novelty import FILE, Familiar

    path = generator.info.path and generator.info.path / FILE
    if path and path.is_file() and (note := Familiar.load(path).note(picture)):
        print(f"vidgan: {note}", file=sys.stderr)


def _told(generator, labels: list[str | None]):
    """The labels of all parts, one row each."""
    import torch

    from ..conditions import Condition

    told = [condition_of(generator, label) for label in labels]
    return Condition() if told[0] is None else Condition(torch.cat([one.label for one in told]))


def _shown(picture, fusion: tuple[float, ...] | None) -> dict:
    import torch

    from ..pictures import to_image

    return {"image": to_image(picture), "fusion": None if fusion is None else torch.tensor([fusion])}
