"""A release made ready to answer: one lock, one cache, and how long it took."""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, fields

import numpy as np
import torch

from . import video
from .conditions import Condition
from .latents import Latents
from .models.base import Generator

#: how many megabytes of frames a renderer remembers
CACHE_MB = 64


@dataclass(frozen=True)
class Rendering:
    """frames: uint8 [B, T, H, W, 3], not to be written to; ms: milliseconds in the model; cached: clips that were
    remembered instead of drawn."""

    frames: np.ndarray
    ms: float
    cached: int = 0


class Renderer:
    """Draws clips of one generator for many threads at once, and remembers the last ones.

    Frames are those of `video.to_uint8(generator.generate(latents, condition))`, to the bit.
    """

    def __init__(self, generator: Generator, cache_mb: float = CACHE_MB):
        self.generator = generator.eval()
        self.limit = int(cache_mb * 2**20)
        self.last_used = 0.0
        self._held = 0
        self._cache: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._guard = threading.Lock()  # of the cache
        self._model = threading.Lock()  # one clip at a time: two would only share the same cores

    def draw(self, latents: Latents, condition: Condition | None = None) -> Rendering:
        """Draw every point of `latents`, or remember it; VidganError where they or the condition do not fit."""
        self.last_used = time.monotonic()
        condition = self.generator.check(latents, condition)
        clips, spent, known = [], 0.0, 0
        for index in range(latents.batch):
            row, told = latents.row(index), condition.row(index)
            key = _key(row, told)
            clip = self._recall(key)
            if clip is None:
                with self._model:
                    start = time.perf_counter()
                    clip = video.to_uint8(self.generator.generate(row, told))[0]
                    spent += time.perf_counter() - start
                self._remember(key, clip)
            else:
                known += 1
            clips.append(clip)
        self.last_used = time.monotonic()
        return Rendering(np.stack(clips), 1000 * spent, known)

    def _recall(self, key: bytes) -> np.ndarray | None:
        with self._guard:
            if key in self._cache:
                self._cache.move_to_end(key)
            return self._cache.get(key)

    def _remember(self, key: bytes, clip: np.ndarray) -> None:
        clip.setflags(write=False)
        with self._guard:
            if key not in self._cache:
                self._cache[key] = clip
                self._held += clip.nbytes
            while self._held > self.limit and self._cache:
                self._held -= self._cache.popitem(last=False)[1].nbytes


def _key(latents: Latents, condition: Condition) -> bytes:
    parts = [*latents.values(), *(getattr(condition, part.name) for part in fields(condition))]
    return b"|".join(
        part.detach().cpu().contiguous().numpy().tobytes() if torch.is_tensor(part) else str(part).encode()
        for part in parts
    )


def warm_up(generator: Generator, times: int = 1) -> float:
    """Draw `times` clips so that the first visitor does not wait for allocations; milliseconds of the last one."""
    latents = generator.sample(1, 0)
    for _ in range(times):
        start = time.perf_counter()
        with torch.no_grad():
            generator.generate(latents)
    return 1000 * (time.perf_counter() - start)
