"""`vidgan evaluate`: a release against real clips, with its controls or baselines in the same run."""

from pathlib import Path

from ..errors import VidganError, unknown
from .shared import data_options, print_json

SHEETS = (".mp4", ".webp", ".gif")
METRICS = ("distance", "s3", "inception", "retrieval")
#: option -> the metrics that take it; --metric itself, and what is not named here, goes with all
TAKEN_BY = {
    "classifier": ("s3", "inception"),
    "classifiers": ("s3",),
    "repeats": ("inception",),
    "splits": ("inception",),
    "train_clips": ("retrieval",),
    "sheet": ("retrieval",),
}


def evaluate(options) -> None:
    from .. import hub

    generator = hub.load(options.name, options.device)
    wanted, classifier = _metrics(generator, options), _classifier(options)
    if generator.takes_image:
        return _animation(generator, options)
    results = {}
    test, train = _source(generator, options), None
    if set(wanted) - {"distance"}:
        train = _source(generator, options, split="train")
    try:
        for name in wanted:
            result, lines = _measured(name, generator, train, test, options, classifier)
            results[name] = result | {"data_options": _data_options(generator, options)}
            if not options.json:  # at once, so that what comes next may fail
                print("\n".join(lines if len(results) == 1 else ["", *lines]), flush=True)
    finally:
        if options.json and results:
            print_json(results if len(wanted) > 1 else results[wanted[0]])


def _metrics(generator, options) -> list[str]:
    """What is to be measured; VidganError for a metric or an option that does not go with the release or the rest."""
    for name in ("clips", "metric") if generator.takes_image else ("videos", "starts"):
        if getattr(options, name) is not None:
            kind = "animates pictures: it takes --videos and --starts" if generator.takes_image else "takes --clips"
            raise VidganError(f"{options.name} {kind}, not --{name}.")
    wanted = list(dict.fromkeys((options.metric or "distance").split(",")))
    for name in wanted:
        if name not in METRICS:
            raise unknown("metric", name, METRICS)
    for option, metrics in TAKEN_BY.items():
        if getattr(options, option) is not None and not set(metrics) & set(wanted):
            raise VidganError(f"--{option.replace('_', '-')} goes with --metric {' or '.join(metrics)}.")
    if options.sheet and Path(options.sheet).suffix.lower() not in SHEETS:
        raise unknown("format for a sheet", Path(options.sheet).suffix or options.sheet, SHEETS)
    if options.split != "test" and set(wanted) != {"distance"}:
        raise VidganError(f"--split {options.split} goes with --metric distance; the others need both splits.")
    return wanted


def _classifier(options):
    from ..metrics.classifier import ClassifierOptions

    return ClassifierOptions(options.classifier) if options.classifier else ClassifierOptions()


def _measured(name: str, generator, train, test, options, classifier) -> tuple[dict, list[str]]:
    """One metric: its result, and the same as lines of a table."""
    told = {"clips": options.clips or 512, "seed": options.seed, "progress": not options.json}
    if name == "distance":
        from ..metrics.distance import distance, distances_table

        result = distance(generator, test, controls=True, **told)
        return result, distances_table(result)
    if name == "s3":
        from ..metrics.s3 import similarity, table

        result = similarity(generator, train, test, classifiers=options.classifiers or 1, options=classifier, **told)
        return result, table(result)
    if name == "inception":
        from ..metrics.inception import inception, table

        told |= {"repeats": options.repeats or 3, "splits": options.splits or 1, "train_clips": told["clips"]}
        result = inception(generator, train, test, options=classifier, **told)
        return result, table(result)
    from .. import video
    from ..metrics.retrieval import retrieve, sheet, table

    found = retrieve(generator, train, test, train_clips=options.train_clips, **told)
    if options.sheet:
        video.save(options.sheet, sheet(found, train), generator.fps)
    return found.result, table(found.result)


def _animation(generator, options) -> None:
    from ..metrics.animation import STARTS, animation, table

    source, starts = _source(generator, options), options.starts or STARTS
    result = animation(generator, source, options.videos or 50, starts, options.seed, progress=not options.json)
    if options.json:
        return print_json(result | {"data_options": _data_options(generator, options)})
    print("\n".join(table(result)))


def _source(generator, options, split: str | None = None):
    """A split (default: the one that was asked for) of the data that the release names, or that was asked for, as clips
    of the generator's form."""
    from ..data import open_source

    name = options.data or generator.info.data
    if not name:
        raise VidganError(f"{options.name} does not say what it was trained on: name a data set with --data.")
    extra = {"frames": generator.frames, "size": generator.size, "root": options.root}
    if name == "expressions" and split is None:  # drawn here: images are animated from videos longer than a bank's
        extra["bank"] = 0 if generator.takes_image else max(options.clips or 512, 1024)
    return open_source(
        name, split=split or options.split, **extra | data_options(name, _data_options(generator, options))
    )


def _data_options(generator, options) -> list[str]:
    """What the data set is told: what the release learnt with, and what was asked for."""
    learnt = generator.info.data_options if options.data in (None, generator.info.data) else ()
    return [*learnt, *options.set]
