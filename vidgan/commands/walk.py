"""`vidgan resample` and `vidgan interpolate`: subspaces drawn anew, and walks between points."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from ..errors import VidganError, unknown
from .draw import read_latents
from .shared import print_json

SHEETS = ("mp4", "webp", "gif", "png")  #: of several clips; png is still, with time going down


def resample(options) -> None:
    from .. import video
    from ..explore.drawing import sheet
    from ..explore.parse import parse_stage
    from ..explore.resample import check_names, clip_of, shares, variants
    from ..latents import MAX_SEED

    suffix = _format(options.out, SHEETS)
    if options.latents is not None:
        _contradict("--latents", {"--seed": options.seed, "--truncation": options.truncation})
    generator = _generator(options)
    kept = [subspace.name for name in options.keep or () for subspace in generator.latent_space.named(name)]
    others = [name for name in generator.latent_space.names if name not in kept]
    names = check_names(generator, others if options.redraw is None else options.redraw)
    seed = _or(options.seed, 0)
    point = _point(_or(options.latents, str(seed)), options, generator, options.label)
    if options.stage is not None:
        point = replace(point, stage=parse_stage(options.stage, generator))
    drawn_from = [point.seeds.get(name) for name in names]
    last = max((seed for seed in drawn_from if seed is not None), default=seed)
    first = _or(options.new_seed, (last + 1) % (MAX_SEED + 1))
    drawn = variants(point, generator, names, first, options.n)
    clips = [clip_of(generator, one) for one in (point, *drawn)]
    fps = generator.fps_of(point.condition(generator))
    file = str(video.save(options.out, sheet(clips, still=suffix == "png"), fps))
    if not options.json:
        print(file)
    with _progress() as progress:
        measured = shares(generator, point, progress=progress) if options.shares else {}
    if options.json:
        told = {
            "release": point.release,
            "file": file,
            "redrawn": names,
            "original": point.to_query(generator),
            "variants": [one.to_query(generator) for one in drawn],
        }
        if measured:
            told["shares"] = {name: vars(share) for name, share in measured.items()}
        return print_json(told)
    if measured:
        print("\n".join(_table(measured)))


def interpolate(options) -> None:
    from .. import video
    from ..explore.drawing import sheet
    from ..explore.interpolate import columns, frames

    suffix = _format(options.out, SHEETS if options.columns else video.FORMATS)
    if options.columns:
        _contradict("--columns", {"--length": options.length})
    _walk_or_ends(options)
    generator = _generator(options)
    walk = _described(options, generator) if options.walk is None else _linked(options, generator)
    with _progress() as progress:
        if options.columns:
            made = sheet(columns(generator, walk, options.columns, progress), still=suffix == "png")
        else:
            made = frames(generator, walk, options.length, progress)
    file = str(video.save(options.out, made, generator.fps))
    if not options.json:
        return print(file)
    told = {
        "release": walk.points[0].release,
        "file": file,
        "frames": len(made),
        "fps": generator.fps,
        "walk": walk.to_query(generator),
        "keyframes": [point.to_query(generator) for point in walk.points],
    }
    if options.columns:
        shown = [walk.at(generator, t).to_query(generator) for t in walk.positions(options.columns)]
        told["columns"] = shown
    print_json(told)


# ------------------------------------------------------------------------------------------------ what was asked for


def _generator(options):
    """The generator to draw with; one that animates pictures is refused."""
    from .. import hub
    from ..explore.drawing import check_free

    generator = hub.load(options.name, options.device)
    check_free(generator)
    return generator


def _described(options, generator):
    """The walk that --from, --via, --to and the other options describe."""
    from ..explore.interpolate import METHODS, Walk, blend_labels

    first, last = _or(options.from_label, options.label), _or(options.to_label, options.label)
    labels = [first, *[options.label] * len(options.via), last]
    if options.via and options.label is None and first is not None and last is not None:
        labels = [blend_labels(generator, first, last, index / (len(labels) - 1)) for index in range(len(labels))]
    texts = [options.start, *options.via, _or(options.end, options.start)]
    points = [_point(text, options, generator, label) for text, label in zip(texts, labels, strict=True)]
    methods = _or(options.method, {})
    if isinstance(methods, str):
        if methods not in METHODS:
            raise unknown("way to interpolate", methods, METHODS)
        methods = dict.fromkeys(generator.latent_space.names, methods)
    return Walk(points, _or(options.what, "all"), methods, _or(options.easing, "smooth"), options.loop)


def _or(value, otherwise):
    """An option, or what stands for one that is not given; an empty one is given."""
    return otherwise if value is None else value


def _linked(options, generator):
    """The walk in the text of a link."""
    from ..explore.interpolate import Walk

    text = options.walk
    if "#walk=" in text:  # where the page's links hold it
        text = unquote(text.partition("#walk=")[2])
    return Walk.from_query(text, _find(options, generator))


def _walk_or_ends(options) -> None:
    """VidganError unless there is either a whole walk, or the ends of one."""
    described = {
        "--from": options.start,
        "--to": options.end,
        "--via": options.via,
        "--what": options.what,
        "--label": options.label,
        "--from-label": options.from_label,
        "--to-label": options.to_label,
        "--method": options.method,
        "--easing": options.easing,
        "--loop": options.loop,
        "--truncation": options.truncation,
        "--frames": options.frames,
    }
    if options.walk is not None:
        return _contradict("--walk", described)
    if options.start is None:
        raise VidganError(
            "Say where the walk begins, with --from SEED or --from POINT, or give a whole one with --walk."
        )
    if options.end is None and options.to_label is None:
        raise VidganError("Say where the walk ends, with --to SEED or --to POINT, or with --to-label alone.")


def _point(text: str, options, generator, label: str | None):
    """The bookmark that SEED or POINT names: all subspaces from one seed, a link, a file, or packed text.

    label: in place of the link's own; None leaves that.
    """
    from ..explore.bookmark import Bookmark
    from ..explore.parse import parse_label

    name, space = generator.info.name, generator.latent_space
    if text.isdecimal():
        seeds, truncation = dict.fromkeys(space.names, text), _truncation(options, space)
        drawn = {"truncation": truncation, "label": label or "", "frames": options.frames, "release": name}
        return Bookmark.draw(generator, seeds, **drawn)
    if "=" in text and not text.lower().endswith((".json", ".npz")):
        point = Bookmark.from_query(text.partition("?")[2] if "://" in text else text, _find(options, generator))
    else:
        point = Bookmark(name, _one(text, space).quantise(), seeds=dict.fromkeys(space.names))
    point = point if label is None else replace(point, label=parse_label(label, generator))
    point = point if options.frames is None else point.as_long_as(generator, options.frames)
    if options.frames not in (None, point.length(generator)):
        raise VidganError(f"{text[:40]} is a clip of {point.length(generator)} frames, not of {options.frames}.")
    return point


def _one(text: str, space):
    """The latents of one point, from a file or packed text."""
    try:
        latents = read_latents(text, space)
    except VidganError as error:
        raise VidganError(f"{text[:40]!r} is no seed, and no point either: {error}") from error
    if latents.batch != 1:
        raise VidganError(f"One point is needed, but {text[:40]} holds {latents.batch}.")
    return latents


def _truncation(options, space) -> dict[str, float]:
    scale = _or(options.truncation, 1.0)
    return space.each(scale if isinstance(scale, dict) else dict.fromkeys(space.names, scale))


def _find(options, generator):
    """For `from_query`: the one release that this command has loaded."""

    def find(name: str | None):
        if name not in (None, options.name, generator.info.name):
            raise VidganError(f"That link is of {name[:100]}, not of {options.name}.")
        return generator.info.name, generator

    return find


def _contradict(option: str, others: dict[str, object]) -> None:
    """VidganError where any of `others`, option -> value, is given beside `option`."""
    for other, value in others.items():
        if not (value is None or value is False or value == []):
            raise VidganError(f"{other} and {option} contradict each other; give one of the two.")


def _format(out: str, formats: tuple[str, ...]) -> str:
    suffix = Path(out).suffix.lower().lstrip(".")
    if suffix not in formats:
        raise unknown("format for several clips" if formats == SHEETS else "format", suffix or out, formats)
    return suffix


# ------------------------------------------------------------------------------------------------ what is told


@contextmanager
def _progress() -> Iterator:
    """progress(done, total), as a bar on a terminal."""
    from tqdm import tqdm

    with tqdm(unit="clip", disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield progress


def _table(measured) -> list[str]:
    width = max(len("subspace"), *map(len, measured))
    lines = [f"{'subspace':{width}}  appearance  motion   change (all together: 1)"]
    for name, share in measured.items():
        lines.append(f"{name:{width}}  {share.appearance:10.1%}  {share.motion:6.1%}   {share.total:.3f}")
    return lines
