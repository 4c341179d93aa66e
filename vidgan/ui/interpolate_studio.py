"""What the tab *Interpolate* asks the server for, besides what Explore does. A walk travels as its text; a film is
made in slices that the browser keeps and sends back, so that nothing of it is remembered here."""

import base64
import binascii
import time

import numpy as np

from .. import pictures, video
from ..errors import VidganError
from ..explore import interpolate
from ..explore.drawing import sheet
from ..explore.interpolate import Walk
from .handlers import answer, file, format_of, name_of
from .point import parse_walk
from .releases import Release, data_url, draw
from .resample_studio import FORMATS
from .studio import Studio

COLUMNS = 7
SLICE = 16  #: frames, the most in one slice
PATIENCE = 0.4  #: seconds after which a slice goes back with what it has
PACES = (0.5, 4.0)  #: seconds from one keyframe to the next, the least and the most


class InterpolateStudio(Studio):
    """The handlers of Interpolate."""

    @answer
    def walk(self, request: dict) -> dict:
        """{release, pace, walk} or {release, pace, points, what, lerp, easing, loop} -> the walk as text, as its
        parts, and all that the tab shows of it."""
        release = self.release(name_of(request))
        walk = self._walk(release, request) if "walk" in request else self._assembled(release, request)
        generator, seconds = release.generator, _seconds(walk, request)
        count = interpolate.length(generator, walk, seconds)
        return {
            "release": release.name,
            "walk": walk.to_query(generator),
            "points": [point.to_query(generator) for point in walk.points],
            "what": walk.what,
            "lerp": [name for name, method in walk.methods.items() if method == "lerp"],
            "easing": walk.easing,
            "loop": walk.loop,
            "pace": request["pace"],
            "frames": count,
            "columns": walk.positions(COLUMNS),
            "note": _note(release, walk),
            "python": walk.to_python(generator, seconds),
            "cli": walk.to_cli(generator, seconds),
        }

    @answer
    def figure(self, request: dict) -> dict:
        """{release, walk, format} -> the seven clips side by side, as a file."""
        kind = format_of(request, FORMATS)
        release = self.release(name_of(request))
        walk = self._walk(release, request)
        frames = sheet(interpolate.columns(release.renderer, walk, COLUMNS))
        return file(f"{release.name}-walk-figure.{kind}", video.encode(frames, kind, release.generator.fps), kind)

    @answer
    def slice(self, request: dict) -> dict:
        """{release, walk, pace, start} -> some frames of the film from `start` on, {strip, frames}, as many as can be
        made in a moment."""
        release = self.release(name_of(request))
        walk, generator = self._walk(release, request), release.generator
        count = interpolate.length(generator, walk, _seconds(walk, request))
        start, end = request.get("start"), time.monotonic() + PATIENCE
        if type(start) is not int or not 0 <= start < count:
            raise VidganError(f"The film has the frames 0 to {count - 1}, not {str(start)[:20]}.")
        frames = []
        for index in range(start, min(start + SLICE, count)):
            clip = draw(release, walk.at(generator, walk.moment(index, count))).frames
            frames.append(clip[interpolate.phase(index, len(clip))])
            if time.monotonic() > end:
                break
        return {"strip": data_url(*video.sprite(np.stack(frames), lossless=True)), "frames": len(frames)}

    @answer
    def film(self, request: dict) -> dict:
        """{release, strips, format} -> the slices, as base64 in their order, as one file."""
        kind = format_of(request, FORMATS)
        release = self.release(name_of(request))
        strips = request.get("strips")
        if not isinstance(strips, list) or not 1 <= len(strips) <= interpolate.MAX_FRAMES:
            raise VidganError("A film is a list of its slices, one at least.")
        frames, total = [], 0
        for strip in strips:
            frames.append(_frames(strip, release.generator.size))
            total += len(frames[-1])
            if total > interpolate.MAX_FRAMES:
                raise VidganError(f"A film has at most {interpolate.MAX_FRAMES} frames.")
        data = video.encode(np.concatenate(frames), kind, release.generator.fps)
        return file(f"{release.name}-walk.{kind}", data, kind)

    # --- requests ---------------------------------------------------------------------------------------------------
    def _walk(self, release: Release, request: dict) -> Walk:
        return parse_walk(release.name, release.generator, request.get("walk"))

    def _assembled(self, release: Release, request: dict) -> Walk:
        points, straight, loop = (request.get(name) for name in ("points", "lerp", "loop"))
        if not isinstance(points, list) or len(points) > 2 * interpolate.MAX_KEYFRAMES:
            raise VidganError(f"The keyframes are a list of 2 to {interpolate.MAX_KEYFRAMES} links.")
        if not isinstance(straight, list) or len(straight) > 100 or type(loop) is not bool:
            raise VidganError("lerp is a list of subspaces, and loop is true or false.")
        walk = Walk(
            [self.bookmark(point)[1] for point in points],
            str(request.get("what"))[:60],
            {str(name)[:60]: "lerp" for name in straight},
            str(request.get("easing"))[:60],
            loop,
        )
        if walk.points[0].release != release.name:
            raise VidganError(f"These keyframes are of {walk.points[0].release}, not of {release.name}.")
        walk.check(release.generator)
        return walk


def _seconds(walk: Walk, request: dict) -> float:
    pace = request.get("pace")
    if type(pace) not in (int, float) or not PACES[0] <= pace <= PACES[1]:
        raise VidganError(f"From one keyframe to the next it takes {PACES[0]:g} to {PACES[1]:g} seconds.")
    return pace * walk.stretches


def _note(release: Release, walk: Walk) -> str | None:
    """A sentence where nothing moves."""
    generator = release.generator
    first, *others = (walk.at(generator, index / walk.stretches) for index in range(len(walk.points)))
    if any(not one.latents.equal(first.latents) or one.label != first.label for one in others):
        return None
    kept = "their labels are the same" if walk.what == "label" else "they are the same point"
    return f"Nothing moves between these keyframes: for what is chosen, {kept}."


def _frames(strip: object, size: int) -> np.ndarray:
    """Frames uint8 [T, size, size, 3] of a slice as base64."""
    if not isinstance(strip, str):
        raise VidganError("A slice of the film travels as text.")
    try:
        data = base64.b64decode(strip, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VidganError("A slice of the film did not arrive whole; please try again.") from error
    picture = pictures.read(data, name="A slice of the film")
    height, width = picture.shape[:2]
    if height != size or width % size:
        raise VidganError(f"A slice of the film has frames of {size} pixels, not {width}x{height}.")
    return picture.reshape(size, width // size, size, 3).swapaxes(0, 1)
