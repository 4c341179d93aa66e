"""The releases that the page works with: loaded once, shared by its tabs, and what is drawn with them."""

import base64
import io
import logging
import secrets
import threading
import time
from dataclasses import dataclass

import numpy as np
import torch

from .. import hub, video
from ..conditions import Condition
from ..errors import VidganError
from ..explore import directions as finding
from ..explore.animate import animate
from ..explore.bookmark import Bookmark
from ..explore.compare import families
from ..inference import Renderer, Rendering, warm_up
from ..latents import Latents
from ..models import ARCHITECTURES, Generator, ReleaseInfo

log = logging.getLogger("vidgan.page")


def growing() -> list[str]:
    """The names of those whose clips grow."""
    return [info.name for info in listed(False) if ARCHITECTURES[info.architecture].generator.grows]


def comparable() -> dict[str, list[ReleaseInfo]]:
    """Those that can be compared: data set -> its releases."""
    return families(hub.releases())


def listed(takes_image: bool) -> list[ReleaseInfo]:
    """The releases of the checkpoints folder that animate pictures, or those that draw people of their own."""
    return [info for info in hub.releases() if info.takes_image == takes_image]


class Release:
    """One loaded release: its renderer, and its directions once they have been looked for."""

    def __init__(self, name: str):
        self.name = name
        self.renderer = Renderer(hub.load(name))
        self.generator: Generator = self.renderer.generator
        self.directions: dict[str, finding.Directions] | None = None
        self.progress = 0.0
        self._looking = threading.Lock()
        if self.generator.takes_image:
            size = self.generator.size
            self.renderer.draw(self.generator.sample(1, 0), Condition(image=torch.zeros(1, 3, size, size)))
        else:
            warm_up(self.generator)

    def look_for_directions(self) -> None:
        """Begin to, in the background, unless that has been done before."""
        if self._looking.acquire(blocking=False):
            threading.Thread(target=self._find_directions, name=f"directions of {self.name}", daemon=True).start()

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


class Releases:
    """name -> Release, each loaded when it is first asked for. Thread-safe."""

    def __init__(self):
        self._loaded: dict[str, Release] = {}
        self._loading = threading.Lock()

    def loaded(self, name: str | None) -> Release | None:
        """A release that has been loaded before."""
        return self._loaded.get(name)

    def __getitem__(self, name: str) -> Release:
        with self._loading:
            if name not in self._loaded:
                self._loaded[name] = _load(name)
            return self._loaded[name]


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


# ------------------------------------------------------------------------------------------------ drawing


@dataclass(frozen=True)
class Drawn:
    """frames: uint8 [T, H, W, 3], not to be written to, fps of them a second; ms: milliseconds in the model;
    remembered: nothing had to be drawn."""

    frames: np.ndarray
    ms: float
    remembered: bool
    fps: float


class _Stopwatch(Renderer):
    """A renderer that adds up what its draws have cost."""

    def __init__(self, renderer: Renderer):
        self.renderer, self.ms, self.drawn = renderer, 0.0, 0

    def draw(self, latents: Latents, condition: Condition | None = None) -> Rendering:
        rendering = self.renderer.draw(latents, condition)
        self.ms += rendering.ms
        self.drawn += latents.batch - rendering.cached
        return rendering


def draw(release: Release, bookmark: Bookmark, parts: int | None = None) -> Drawn:
    """The clip of a bookmark; of an animated picture, its first `parts` alone where they are given."""
    latents, condition = bookmark.latents, bookmark.condition(release.generator)
    watch = _Stopwatch(release.renderer)
    if release.generator.takes_image:
        parts = parts or latents.batch
        if condition.label is not None:
            condition = Condition(condition.label[:parts], condition.image, condition.fusion)
        frames = animate(watch, latents.slice(0, parts), condition)
    else:
        frames = watch.draw(latents, condition).frames[0]
    return Drawn(frames, watch.ms, watch.drawn == 0, release.generator.fps_of(condition))


def export(release: Release, bookmark: Bookmark, kind: str) -> tuple[str, bytes]:
    """(file name, contents) of a bookmark's clip, as `video.save` writes it, without touching the disk: what was made
    of a visitor's picture stays in memory, as the picture does."""
    drawn = draw(release, bookmark)
    frames = drawn.frames
    seeds = "-".join(str(seed) for seed in bookmark.seeds.values() if seed is not None)
    name = f"{bookmark.release}-{seeds or secrets.token_hex(3)}.{kind}"
    if kind != "npz":
        return name, video.encode(frames, kind, drawn.fps)
    out = io.BytesIO()
    np.savez_compressed(out, frames=frames, **{key: value.numpy() for key, value in bookmark.latents.items()})
    return name, out.getvalue()


def data_url(data: bytes, mime: str) -> str:
    """What a browser shows without asking for it."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
