"""What the tabs ask the server for, as far as they ask the same: plain functions from JSON to JSON.

The server remembers nothing about a visitor. The point that a tab shows is the text of a bookmark; every request
brings it along, with the changes to make, and gets the changed bookmark back with its pictures.
"""

import base64
import logging
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from urllib.parse import parse_qs

from .. import video
from ..errors import VidganError, unknown
from ..explore.bookmark import Bookmark
from ..models.base import Generator
from .releases import Release, Releases, data_url, draw, export, listed

log = logging.getLogger("vidgan.page")

WAITING = 24  #: requests under way at once, of one tab; more are asked to come again
DOWNLOADS = ("mp4", "webp", "gif", "npz")
DEFAULT_LABEL = "happiness"
TRAINED_ON = {"expressions": "drawn faces", "weizmann": "filmed people", "sprites": "game characters"}


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


class Handlers(ABC):
    """The handlers of a tab. Thread-safe. A tab has its own `about`, `point`, `change` and `opening`."""

    takes_image = False  #: which releases the tab is for
    nothing = ""  #: what it says where there is none
    other = ""  #: what it says of a release that is for the other tab
    point_keys = re.compile("")  #: what in a link is about the point; one without opens the release's first point

    def __init__(self, releases: Releases | None = None):
        self.releases = releases or Releases()
        self.room = threading.BoundedSemaphore(WAITING)

    @abstractmethod
    def about(self, release: Release) -> dict:
        """What the controls are built from."""

    @abstractmethod
    def point(self, release: Release, bookmark: Bookmark) -> dict:
        """A bookmark as the controls show it."""

    @abstractmethod
    def change(self, release: Release, bookmark: Bookmark, what: dict) -> Bookmark:
        """One change of the current point; VidganError for one that makes no sense."""

    @abstractmethod
    def opening(self, name: str | None = None) -> Bookmark:
        """The point that a first visitor sees, of a release; None is the first that can be loaded."""

    # --- releases ---------------------------------------------------------------------------------------------------
    def release(self, name: str | None = None) -> Release:
        """A release of the checkpoints folder, loaded; None is the first. No other name is ever looked up."""
        known = self.releases.loaded(name)
        if known and known.generator.takes_image == self.takes_image:
            return known
        names = [info.name for info in listed(self.takes_image)]
        if name is None and not names:
            raise VidganError(self.nothing)
        name = names[0] if name is None else name
        if name not in names:
            if any(info.name == name for info in listed(not self.takes_image)):
                raise VidganError(f"{name} {self.other}")
            raise unknown("release", name[:100], names) if names else VidganError(self.nothing)
        return self.releases[name]

    def prepare(self) -> None:
        """Load the first release in the background, so that the first visitor finds it there."""

        def load() -> None:
            with suppress(VidganError):  # whoever comes is told
                self.opening()

        threading.Thread(target=load, name="first release", daemon=True).start()

    def first(self) -> Release:
        """The first release that can be loaded."""
        trouble = None
        for info in listed(self.takes_image):
            try:
                return self.release(info.name)
            except VidganError as error:
                trouble = trouble or error
        raise trouble or VidganError(self.nothing)

    def find(self, name: str | None) -> tuple[str, Generator]:
        """For `Bookmark.from_query`."""
        release = self.release(name)
        return release.name, release.generator

    def bookmark(self, query: object) -> tuple[Release, Bookmark]:
        """The point in the text of a link, and its release."""
        if not isinstance(query, str):
            raise VidganError("The point to show must be the text of a link.")
        bookmark = Bookmark.from_query(query, self.find)
        return self.release(bookmark.release), bookmark

    def elsewhere(self, query: object) -> bool:
        """Whether a link is for the other tab."""
        asked = parse_qs(query.lstrip("?")).get("release", [""]) if isinstance(query, str) else [""]
        return any(info.name == asked[-1] for info in listed(not self.takes_image))

    # --- handlers ---------------------------------------------------------------------------------------------------
    @answer
    def open(self, request: dict) -> dict:
        """{query} -> everything that the tab needs to begin; a bad link opens the first point and says why.

        A link that is for the other tab loads nothing here: {elsewhere: true}. Where no release can be loaded there is
        no point either, only what the tab can choose from, and the complaint.
        """
        query = request.get("query") or ""
        if self.elsewhere(query):
            return {"elsewhere": True}
        told = {"releases": [facts(info) for info in listed(self.takes_image)], "complaint": None}
        try:
            release, bookmark = self.bookmark(query)
            if not self.point_keys.search(query):
                bookmark = self.opening(release.name)
        except VidganError as error:
            told["complaint"] = str(error)
            try:
                bookmark = self.opening()
            except VidganError:
                return told
            release = self.release(bookmark.release)
        return {**told, **self.about(release), **self.show(release, bookmark)}

    @answer
    def switch(self, request: dict) -> dict:
        """{release} -> what `open` gives, at that release's first point."""
        bookmark = self.opening(name_of(request))
        release = self.release(bookmark.release)
        return {**self.about(release), **self.show(release, bookmark)}

    @answer
    def draw(self, request: dict) -> dict:
        """{query, changes: [...]} -> the changed point and its pictures; see `change`."""
        return self.show(*self.changed(request))

    @answer
    def cell(self, request: dict) -> dict:
        """{query, changes} -> the changed point, {query, strip, frames, rate}, for a small clip: the first part."""
        release, bookmark = self.changed(request)
        drawn = draw(release, bookmark, parts=1)
        strip = data_url(*video.sprite(drawn.frames, quality=90))
        query = bookmark.to_query(release.generator)
        return {"query": query, "strip": strip, "frames": len(drawn.frames), "rate": drawn.fps}

    @answer
    def take(self, request: dict) -> dict:
        """{query, format} -> the file of the clip that is shown: its name, type and contents."""
        release, bookmark = self.bookmark(request.get("query"))
        kind = format_of(request, DOWNLOADS)
        name, data = export(release, bookmark, kind)
        return file(name, data, kind)

    # --- answers ----------------------------------------------------------------------------------------------------
    def changed(self, request: dict) -> tuple[Release, Bookmark]:
        """The point of {query, changes: [...]} after the changes."""
        release, bookmark = self.bookmark(request.get("query"))
        changes = request.get("changes") or []
        if not isinstance(changes, list) or len(changes) > 200:
            raise VidganError("Too many changes at once.")
        for one in changes:
            bookmark = self.change(release, bookmark, one)
        return release, bookmark

    def show(self, release: Release, bookmark: Bookmark) -> dict:
        """A point, and its clip as one picture with all frames side by side."""
        drawn = draw(release, bookmark)
        start = time.perf_counter()
        strip = data_url(*video.sprite(drawn.frames, lossless=True))
        encode = 1000 * (time.perf_counter() - start)
        return {
            "point": self.point(release, bookmark),
            "strip": strip,
            "frames": len(drawn.frames),
            "rate": drawn.fps,
            "size": [int(drawn.frames.shape[2]), int(drawn.frames.shape[1])],
            "ms": {"model": round(drawn.ms, 1), "encode": round(encode, 1), "remembered": drawn.remembered},
        }


def first_label(generator: Generator) -> str:
    """The label that a first visitor sees; empty where there are none."""
    labels = generator.labels if generator.config.classes else ()
    return DEFAULT_LABEL if DEFAULT_LABEL in labels else labels[0] if labels else ""


def name_of(request: dict) -> str:
    value = request.get("release")
    if not isinstance(value, str) or not value:
        raise VidganError("A release is asked for by its name.")
    return value


def format_of(request: dict, known: tuple[str, ...]) -> str:
    kind = request.get("format")
    if kind not in known:
        raise unknown("download", str(kind)[:60], known)
    return kind


def file(name: str, data: bytes, kind: str) -> dict:
    """A file as the page saves it."""
    return {"name": name, "mime": video.MIME[kind], "data": base64.b64encode(data).decode()}


def facts(info) -> dict:
    """What the header says of a release."""
    data = TRAINED_ON.get(info.data, info.data)
    return {"name": info.name, "data": data, "frames": info.frames, "size": info.size, "step": info.step}
