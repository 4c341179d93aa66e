"""`vidgan evaluate`: a release against held-out clips, with its controls or baselines in the same run."""

from ..errors import VidganError
from .shared import print_json


def evaluate(options) -> None:
    from .. import hub
    from ..metrics.animation import animation, table
    from ..metrics.distance import distance, distances_table

    generator = hub.load(options.name, options.device)
    source = _source(generator, options)
    if generator.takes_image:
        videos = options.videos or max(1, options.clips // options.starts)
        result = animation(generator, source, videos, options.starts, options.seed, progress=not options.json)
    else:
        result = distance(generator, source, options.clips, options.seed, controls=True, progress=not options.json)
    if options.json:
        return print_json(result)
    print("\n".join(table(result) if generator.takes_image else distances_table(result)))


def _source(generator, options):
    """The split of the data that the release names, or that was asked for, as clips of the generator's form."""
    from ..data import open_source

    name = options.data or generator.info.data
    if not name:
        raise VidganError(f"{options.name} does not say what it was trained on: name a data set with --data.")
    extra = {"frames": generator.frames, "size": generator.size, "root": options.root}
    if name == "expressions":  # drawn here: images are animated from videos longer than a bank's clips
        extra["bank"] = 0 if generator.takes_image else max(options.clips, 1024)
    return open_source(name, split=options.split, **extra)
