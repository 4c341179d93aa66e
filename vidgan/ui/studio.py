"""What the page asks the server for: plain functions from JSON to JSON, over releases that are loaded once.

The server remembers nothing about a visitor. The point that the page shows is the text of a bookmark; every request
brings it along, with the changes to make, and gets the changed bookmark back with its pictures.
"""

import base64
import logging
import re
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path

import numpy as np

from .. import hub, video
from ..errors import VidganError, unknown
from ..explore import directions as finding
from ..explore.bookmark import Bookmark
from ..inference import Renderer, warm_up
from ..models.base import Generator
from .point import REACH, SHOWN, change, point, redrawn

log = logging.getLogger("vidgan.page")

MAX_CELLS = 8  #: clips in one row of the matrix
WAITING = 24  #: requests under way at once; more are asked to come again
OPENING = {"appearance": 11, "motion": 4}  #: seeds of the first picture
DEFAULT_LABEL = "happiness"
NOTHING = "There is no release here yet: train one, or put one into checkpoints/."
TRAINED_ON = {"expressions": "drawn faces", "weizmann": "filmed people", "sprites": "game characters"}
#: what in a link is about the point; a link with the release alone opens that release's first point
_POINT = re.compile(r"(^|[?&])(label|frames|z|seed\.\w+|truncation\.\w+)=")


def answer(function: Callable) -> Callable:
    """A handler that never raises: what the visitor did wrong comes back as {"error": one sentence}."""

    @wraps(function)
    def answered(self, request: dict) -> dict:
        if not self.room.acquire(blocking=False):
            return {"busy": True}
        try:
            if not isinstance(request, dict):
                raise VidganError("A request is an object with named values.")
            return function(self, request)
        except VidganError as error:
            return {"error": str(error)}
        except Exception:
            log.exception("%s failed", function.__name__)
            return {"error": "Something went wrong on our side; what you see is still there, please try again."}
        finally:
            self.room.release()

    return answered


class Release:
    """One loaded release: its renderer, and its directions as soon as they are known."""

    def __init__(self, name: str):
        self.name = name
        self.renderer = Renderer(hub.load(name))
        self.generator: Generator = self.renderer.generator
        self.directions: dict[str, finding.Directions] | None = None
        self.progress = 0.0
        warm_up(self.generator)
        threading.Thread(target=self._find_directions, name=f"directions of {name}", daemon=True).start()

    def _find_directions(self) -> None:
        def progress(done: int, total: int) -> None:
            self.progress = done / total
            while time.monotonic() - self.renderer.last_used < 0.25:  # a visitor comes first
                time.sleep(0.05)

        try:
            self.directions = finding.directions_of(self.generator, progress)
        except Exception:
            log.exception("no directions for %s", self.name)
            self.directions = {}


class Studio:
    """The handlers of the page. Thread-safe."""

    def __init__(self):
        self.room = threading.BoundedSemaphore(WAITING)
        self._loaded: dict[str, Release] = {}
        self._loading = threading.Lock()

    # --- releases ---------------------------------------------------------------------------------------------------
    def release(self, name: str | None = None) -> Release:
        """A release of the checkpoints folder, loaded; None is the first. No other name is ever looked up."""
        if name in self._loaded:
            return self._loaded[name]
        names = [info.name for info in hub.releases()]
        if not names:
            raise VidganError(NOTHING)
        name = name or names[0]
        if name not in names:
            raise unknown("release", name[:100], names)
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = _load(name)
            return self._loaded[name]

    def prepare(self) -> None:
        """Load the first release in the background, so that the first visitor finds it there."""

        def load() -> None:
            with suppress(VidganError):  # whoever comes is told
                self.opening()

        threading.Thread(target=load, name="first release", daemon=True).start()

    def _find(self, name: str | None) -> tuple[str, Generator]:
        release = self.release(name)
        return release.name, release.generator

    def bookmark(self, query: object) -> tuple[Release, Bookmark]:
        if not isinstance(query, str):
            raise VidganError("The point to show must be the text of a link.")
        bookmark = Bookmark.from_query(query, self._find)
        return self.release(bookmark.release), bookmark

    def opening(self, name: str | None = None) -> Bookmark:
        """The point that a first visitor sees, of a release; None is the first that can be loaded."""
        release = self.release(name) if name else self._first()
        generator = release.generator
        seeds = {space.name: OPENING.get(space.role, 0) for space in generator.latent_space}
        labels = generator.labels if generator.config.classes else ()
        label = DEFAULT_LABEL if DEFAULT_LABEL in labels else labels[0] if labels else ""
        return Bookmark.draw(generator, seeds, label=label, release=release.name)

    def _first(self) -> Release:
        trouble = None
        for info in hub.releases():
            try:
                return self.release(info.name)
            except VidganError as error:
                trouble = trouble or error
        raise trouble or VidganError(NOTHING)

    # --- handlers ---------------------------------------------------------------------------------------------------
    @answer
    def open(self, request: dict) -> dict:
        """{query} -> everything that the page needs to begin; a bad link opens the first point and says why.

        Where no release can be loaded there is no point, only what the page can choose from, and the complaint.
        """
        told, query = {"releases": [_facts(info) for info in hub.releases()], "complaint": None}, request.get("query")
        try:
            release, bookmark = self.bookmark(query or "")
            if not _POINT.search(query or ""):
                bookmark = self.opening(release.name)
        except VidganError as error:
            told["complaint"] = str(error)
            try:
                bookmark = self.opening()
            except VidganError:
                return told
            release = self.release(bookmark.release)
        return {**told, **self._about(release), **self._show(release, bookmark)}

    @answer
    def switch(self, request: dict) -> dict:
        """{release} -> what `open` gives, at that release's first point."""
        bookmark = self.opening(_name(request.get("release")))
        release = self.release(bookmark.release)
        return {**self._about(release), **self._show(release, bookmark)}

    @answer
    def draw(self, request: dict) -> dict:
        """{query, changes: [...]} -> the changed point and its pictures; see `change`."""
        release, bookmark = self.bookmark(request.get("query"))
        changes = request.get("changes") or []
        if not isinstance(changes, list) or len(changes) > 200:
            raise VidganError("Too many changes at once.")
        for one in changes:
            bookmark = change(release, bookmark, one)
        return self._show(release, bookmark)

    @answer
    def find(self, request: dict) -> dict:
        """{query} -> the directions of the release if they are known by now, else how far the search is."""
        release, bookmark = self.bookmark(request.get("query"))
        return {**self._about(release), "point": point(release, bookmark)}

    @answer
    def row(self, request: dict) -> dict:
        """{query, appearance, motions} -> one row of the matrix: a strip with all clips of the row one below another.

        appearance: a seed as text, or null for the query's own; motions: a list of {seed, label}, either null.
        """
        release, corner = self.bookmark(request.get("query"))
        motions = request.get("motions")
        if not isinstance(motions, list) or not 1 <= len(motions) <= MAX_CELLS:
            raise VidganError(f"A row of the matrix has 1 to {MAX_CELLS} clips.")
        if not all(isinstance(motion, dict) for motion in motions):
            raise VidganError("Each clip of a row is asked for by a seed and a label.")
        cells, clips, spent = [], [], 0.0
        for motion in motions:
            cell = corner
            if request.get("appearance") is not None:
                cell = redrawn(release, cell, "appearance", request["appearance"])
            if motion.get("seed") is not None:
                cell = redrawn(release, cell, "motion", motion["seed"])
            if motion.get("label") is not None:
                cell = change(release, cell, {"kind": "label", "weights": {str(motion["label"]): 1.0}})
            drawn = release.renderer.draw(cell.latents, cell.condition(release.generator))
            cells.append(cell.to_query(release.generator))
            clips.append(video.filmstrip(drawn.frames[0]))
            spent += drawn.ms
        picture = np.concatenate(clips)[None]
        return {"cells": cells, "strip": _url(*video.sprite(picture, quality=88)), "ms": round(spent, 1)}

    @answer
    def ends(self, request: dict) -> dict:
        """{query, space, family, index} -> what the two ends of a slider look like, one strip below the other."""
        release, bookmark = self.bookmark(request.get("query"))
        clips = []
        for value in (-REACH, REACH):
            moved = change(release, bookmark, {**request, "kind": "move", "value": value})
            drawn = release.renderer.draw(moved.latents, moved.condition(release.generator))
            clips.append(video.filmstrip(drawn.frames[0]))
        return {"strip": _url(*video.sprite(np.concatenate(clips)[None], quality=88))}

    @answer
    def take(self, request: dict) -> dict:
        """{query, format} -> the file of the clip that is shown: its name, type and contents."""
        release, bookmark = self.bookmark(request.get("query"))
        kind = request.get("format")
        if kind not in ("mp4", "webp", "gif", "npz"):
            raise unknown("download", str(kind)[:60], ("mp4", "webp", "gif", "npz"))
        name, data = export(release, bookmark, kind)
        return {"name": name, "mime": video.MIME[kind], "data": base64.b64encode(data).decode()}

    # --- answers ----------------------------------------------------------------------------------------------------
    def _about(self, release: Release) -> dict:
        generator, found = release.generator, release.directions
        spaces = []
        for space in generator.latent_space:
            known = found.get(space.name) if found else None
            spaces.append(
                {
                    "name": space.name,
                    "role": space.role,
                    "dim": space.dim,
                    "directions": [round(float(share), 4) for share in known.share[:SHOWN]] if known else None,
                }
            )
        return {
            "release": release.name,
            "labels": list(generator.labels) if generator.config.classes else [],
            "lengths": list(generator.frame_options),
            "native": generator.frames,
            "fps": generator.fps,
            "spaces": spaces,
            "searching": found is None,
            "progress": round(release.progress, 3),
            "reach": REACH,
        }

    def _show(self, release: Release, bookmark: Bookmark) -> dict:
        drawn = release.renderer.draw(bookmark.latents, bookmark.condition(release.generator))
        start = time.perf_counter()
        strip = _url(*video.sprite(drawn.frames[0], lossless=True))
        encode = 1000 * (time.perf_counter() - start)
        return {
            "point": point(release, bookmark),
            "strip": strip,
            "frames": int(drawn.frames.shape[1]),
            "size": [int(drawn.frames.shape[3]), int(drawn.frames.shape[2])],
            "ms": {"model": round(drawn.ms, 1), "encode": round(encode, 1), "remembered": bool(drawn.cached)},
        }


def _load(name: str) -> Release:
    """The release, loaded; what is wrong with it is told without the place where it lies."""
    try:
        return Release(name)
    except VidganError as error:
        message = str(error).replace(str(hub.checkpoints() / name), name)
        raise VidganError(message.replace(str(hub.checkpoints()), "checkpoints")) from error
    except Exception as error:
        log.exception("%s cannot be opened", name)
        raise VidganError(f"The release {name} cannot be opened.") from error


def export(release: Release, bookmark: Bookmark, kind: str) -> tuple[str, bytes]:
    """(file name, contents) of a bookmark's clip; an npz holds the latents too."""
    frames = release.renderer.draw(bookmark.latents, bookmark.condition(release.generator)).frames[0]
    seeds = "-".join(str(seed) for seed in bookmark.seeds.values() if seed is not None)
    name = f"{bookmark.release}-{seeds or secrets.token_hex(3)}.{kind}"
    with tempfile.TemporaryDirectory() as folder:
        path = video.save(Path(folder) / name, frames, release.generator.fps, bookmark.latents)
        return name, path.read_bytes()


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise VidganError("A release is asked for by its name.")
    return value


def _facts(info) -> dict:
    data = TRAINED_ON.get(info.data, info.data)
    return {"name": info.name, "data": data, "frames": info.frames, "size": info.size, "step": info.step}


def _url(data: bytes, mime: str) -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
