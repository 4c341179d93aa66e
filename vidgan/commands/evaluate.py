"""`vidgan evaluate`: a release, or a folder of videos, against real clips, with its controls or baselines."""

import json
from pathlib import Path

from ..errors import VidganError, unknown
from .shared import data_options, print_json

SHEETS = (".mp4", ".webp", ".gif")
#: options that some metrics take, by their names in `metrics.registry.Told`
OPTIONS = (
    *("clips", "features", "features_file", "classifier", "classifiers", "repeats", "splits", "train_clips", "points"),
    *("videos", "starts", "sheet"),
)
#: options that go along with others
ALONG = {"features_file": "features", "sheet": "train_clips"}


def evaluate(options) -> None:
    from .. import hub
    from ..metrics.registry import METRICS

    if options.real:
        return _paired(options)
    wanted = [METRICS[name] for name in dict.fromkeys(options.metric.split(","))] if options.metric else []
    _check(options, wanted)
    told = _told(options)
    generator, sources = _opened(options)
    default = "animation" if generator.takes_image else "distance"
    wanted = wanted or [METRICS[default]]
    for metric in wanted:
        metric.check(generator)
    _check_taken(options, wanted)
    if options.keep and (not generator.info or not (hub.find(options.name) / hub.CONFIG).is_file()):
        raise VidganError("--keep is for releases: write what is measured of others to a file, by --jsonl.")
    results = {}
    try:
        for metric in wanted:
            for split in metric.splits:
                if split not in sources:
                    sources[split] = _source(options, split, generator)
            measured = metric.measure(generator, sources, told)
            result = measured.result | {"data_options": _data_options(generator, options)}
            if options.sheet and metric.name == "retrieval":
                _save_sheet(options.sheet, measured.found, sources["train"], generator)
            if options.jsonl:
                _append(options.jsonl, json.dumps({"metric": metric.name, **result}) + "\n")
            if options.keep:
                hub.keep_result(hub.find(options.name), metric.name, result)
            results[metric.name] = result
            if not options.json:  # at once, so that what comes next may fail
                print("\n".join([*([""] if len(results) > 1 else []), *metric.table(result)]), flush=True)
    finally:
        if options.json and results:
            print_json(results if len(wanted) > 1 else results[wanted[0].name])


def _paired(options) -> None:
    """A folder of videos against real ones of the same names."""
    from ..metrics.embedders import open_features
    from ..metrics.pairs import paired, table

    if options.keep:
        raise VidganError("--keep is for releases: write what is measured of others to a file, by --jsonl.")
    taken = ("features", "features_file")
    for option in ("data", "metric", *(one for one in OPTIONS if one not in taken)):
        if getattr(options, option) is not None:
            raise VidganError(f"--real measures pairs of videos: it does not go with --{option.replace('_', '-')}.")
    if options.jsonl:
        _append(options.jsonl, "")
    features = open_features(options.features or "vidgan", options.features_file, options.device)
    result = paired(options.name, options.real, options.seed, features=features, progress=not options.json)
    if options.jsonl:
        _append(options.jsonl, json.dumps({"metric": "pairs", **result}) + "\n")
    print_json(result) if options.json else print("\n".join(table(result)))


def _check(options, wanted) -> None:
    """What can be refused before anything is read."""
    if options.sheet and Path(options.sheet).suffix.lower() not in SHEETS:
        raise unknown("format for a sheet", Path(options.sheet).suffix or options.sheet, SHEETS)
    if options.split != "test" and any("train" in metric.splits for metric in wanted):
        raise VidganError(f"--split {options.split} goes with --metric distance; the others need both splits.")
    if wanted:
        _check_taken(options, wanted)
    if options.jsonl:
        _append(options.jsonl, "")


def _check_taken(options, wanted) -> None:
    """VidganError for an option that none of the metrics takes."""
    from ..metrics.registry import METRICS

    for option in OPTIONS:
        taking = METRICS.taking(ALONG.get(option, option))
        if getattr(options, option) is not None and not {metric.name for metric in wanted} & set(taking):
            names = " or ".join(taking)
            raise VidganError(f"--{option.replace('_', '-')} goes with --metric {names}, not with {wanted[0].name}.")


def _told(options):
    from ..metrics.classifier import ClassifierOptions
    from ..metrics.embedders import open_features
    from ..metrics.registry import Told

    fields = ("clips", "seed", "classifiers", "repeats", "splits", "train_clips", "points", "videos", "starts")
    return Told(
        **{name: getattr(options, name) for name in fields},
        features=open_features(options.features or "vidgan", options.features_file, options.device)
        if options.features or options.features_file
        else None,
        classifier=ClassifierOptions(options.classifier) if options.classifier else None,
        progress=not options.json,
    )


def _opened(options) -> tuple:
    """What is measured, a generator or recorded clips, and the splits that had to be opened to know their form."""
    from .. import hub
    from ..metrics.recorded import is_folder_of_videos, read_recorded

    try:
        return hub.load(options.name, options.device), {}
    except VidganError:
        if not is_folder_of_videos(options.name):
            raise
    if not options.data:
        raise VidganError(f"{options.name} is a folder of videos: name the data set to compare with, by --data.")
    source = _source(options, "test")
    return read_recorded(options.name, source.frames, source.size, progress=not options.json), {"test": source}


def _save_sheet(place: str, found, train, generator) -> None:
    from .. import video
    from ..metrics.retrieval import sheet

    video.save(place, sheet(found, train), generator.info.fps if generator.info else 12.0)


def _append(place: str, text: str) -> None:
    """More text at the end of a file."""
    try:
        with Path(place).expanduser().open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise VidganError(f"{place} cannot be written: {error.strerror or error}.") from error


def _source(options, split: str, generator=None):
    """A split of the data that was asked for, or that the release names, as clips of the generator's form; "test" is
    what --split says."""
    from ..data import open_source

    info = generator.info if generator else None
    name = options.data or (info.data if info else "")
    if not name:
        raise VidganError(f"{options.name} does not say what it was trained on: name a data set with --data.")
    form = {"frames": generator.frames, "size": generator.size} if info else {}
    if name == "expressions" and split == "test":  # drawn here: images are animated from videos longer than a bank's
        form["bank"] = 0 if info and generator.takes_image else max(options.clips or 512, 1024)
    form |= data_options(name, _data_options(generator, options))
    return open_source(name, split=options.split if split == "test" else split, root=options.root, **form)


def _data_options(generator, options) -> list[str]:
    """What the data set is told: what the release learnt with, and what was asked for."""
    info = generator.info if generator else None
    learnt = info.data_options if info and options.data in (None, info.data) else ()
    return [*learnt, *options.set]
