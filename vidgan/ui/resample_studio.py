"""What the tab *Resample* asks the server for, besides what Explore does: the point is the same."""

from dataclasses import asdict

from .. import video
from ..errors import VidganError
from ..explore import resample
from ..explore.bookmark import Bookmark
from ..explore.drawing import sheet
from ..explore.parse import parse_seed
from ..latents import MAX_SEED
from .handlers import answer, file, format_of
from .releases import Release, draw
from .studio import Studio

FORMATS = ("mp4", "webp", "gif")
MAX_VARIANTS = 12  #: beside the original
MAX_DRAWS = 8


class ResampleStudio(Studio):
    """The handlers of Resample."""

    @answer
    def variants(self, request: dict) -> dict:
        """{query, names, seed, count} -> the links of the variants, their seeds, and the lines that make the row."""
        release, original, asked = self._row(request)
        generator, (names, seed, count) = release.generator, asked
        points = resample.variants(original, generator, *asked)
        return {
            "original": original.to_query(generator),
            "names": names,
            "seed": str(seed),
            "seeds": [str((seed + index) % (MAX_SEED + 1)) for index in range(count)],
            "queries": [point.to_query(generator) for point in points],
            "python": resample.to_python(original, generator, *asked),
            "cli": resample.to_cli(original, generator, *asked),
        }

    @answer
    def shares(self, request: dict) -> dict:
        """{query, draws} -> for each subspace what it changes; what was drawn for fewer draws is remembered."""
        release, bookmark = self.bookmark(request.get("query"))
        draws = _whole(request, "draws", MAX_DRAWS)
        found = resample.shares(release.renderer, bookmark, draws)
        return {"shares": {name: asdict(share) for name, share in found.items()}}

    @answer
    def sheet(self, request: dict) -> dict:
        """{query, names, seed, count, format} -> the original and its variants side by side, as a file."""
        kind = format_of(request, FORMATS)
        release, original, asked = self._row(request)
        points = [original, *resample.variants(original, release.generator, *asked)]
        drawn = [draw(release, point) for point in points]
        frames = sheet([one.frames for one in drawn])
        return file(f"{release.name}-variants.{kind}", video.encode(frames, kind, drawn[0].fps), kind)

    def _row(self, request: dict) -> tuple[Release, Bookmark, tuple[list[str], int, int]]:
        """The release, the original, and what is drawn anew: (names, seed, count)."""
        release, original = self.bookmark(request.get("query"))
        names = request.get("names")
        if not isinstance(names, list) or len(names) > 100:
            raise VidganError("What is drawn anew is a list of subspaces.")
        names = resample.check_names(release.generator, [str(name)[:60] for name in names])
        return release, original, (names, parse_seed(request.get("seed")), _whole(request, "count", MAX_VARIANTS))


def _whole(request: dict, name: str, most: int) -> int:
    value = request.get(name)
    if type(value) is not int or not 1 <= value <= most:
        raise VidganError(f"{name} goes from 1 to {most}, not {str(value)[:20]}.")
    return value
