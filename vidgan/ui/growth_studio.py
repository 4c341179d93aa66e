"""What the tab *Growth* asks the server for, besides what Explore and, for the way to another clip, Interpolate do."""

from .. import video
from ..explore import growth
from .handlers import answer, file, format_of
from .interpolate_studio import InterpolateStudio
from .resample_studio import FORMATS


class GrowthStudio(InterpolateStudio):
    """The handlers of Growth."""

    @answer
    def sizes(self, request: dict) -> dict:
        """{query, format} -> the point at every level side by side, as a file."""
        kind = format_of(request, FORMATS)
        release, bookmark = self.bookmark(request.get("query"))
        frames = growth.figure(release.renderer, bookmark)
        return file(f"{release.name}-growth.{kind}", video.encode(frames, kind, release.generator.fps), kind)
