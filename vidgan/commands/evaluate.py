"""`vidgan evaluate`: a release against held-out clips, with its controls or baselines in the same run."""

from ..errors import VidganError
from .shared import data_options, print_json


def evaluate(options) -> None:
    from .. import hub
    from ..metrics.animation import STARTS, animation, table
    from ..metrics.distance import distance, distances_table

    generator = hub.load(options.name, options.device)
    for name in ("clips",) if generator.takes_image else ("videos", "starts"):
        if getattr(options, name) is not None:
            kind = "animates pictures: it takes --videos and --starts" if generator.takes_image else "takes --clips"
            raise VidganError(f"{options.name} {kind}, not --{name}.")
    clips = options.clips or 512
    source = _source(generator, options, clips)
    if generator.takes_image:
        starts = options.starts or STARTS
        result = animation(generator, source, options.videos or 50, starts, options.seed, progress=not options.json)
    else:
        result = distance(generator, source, clips, options.seed, controls=True, progress=not options.json)
    if options.json:
        return print_json(result)
    print("\n".join(table(result) if generator.takes_image else distances_table(result)))


def _source(generator, options, clips: int):
    """The split of the data that the release names, or that was asked for, as clips of the generator's form."""
    from ..data import open_source

    name = options.data or generator.info.data
    if not name:
        raise VidganError(f"{options.name} does not say what it was trained on: name a data set with --data.")
    extra = {"frames": generator.frames, "size": generator.size, "root": options.root}
    if name == "expressions":  # drawn here: images are animated from videos longer than a bank's clips
        extra["bank"] = 0 if generator.takes_image else max(clips, 1024)
    return open_source(name, split=options.split, **extra | data_options(name, options.set))
