"""Clips of drawn faces for training: drawn live, or from a bank that was drawn once."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ...errors import VidganError
from ...files import cache_folder, replaced
from ..base import Batch, step_generator
from .drawing import DRAWING_VERSION, draw
from .factors import FACTORS, LABELS, sample_factors

#: clips drawn at a time into a bank
CHUNK = 16

#: where the number of clips in a bank is not given: at most so many, and at most so many bytes (4096 of 64x64x16)
BANK_CLIPS, BANK_BYTES = 4096, 2**30 * 3 // 4


class Expressions:
    """A clip source (see `vidgan.data.base`). Labels are expressions; factors hold every factor and `identity`."""

    name = "expressions"
    labels = LABELS
    native = 0  # drawn at any size

    def __init__(self, split, frames, size, seed, rank, device, identities, bank, simple, turns):
        self.split, self.frames, self.size, self.seed, self.rank = split, frames, size, seed, rank
        self.device = torch.device(device)
        self.options = {"split": split, "identities": identities, "simple": simple, "turns": turns}
        sample_factors(1, torch.Generator(), **self.options)  # refuses wrong options before anything is drawn
        self.bank: Tensor | None = None  # uint8 [N, 3, T, H, W]
        if bank:
            self.bank_factors = sample_factors(bank, torch.Generator().manual_seed(0), **self.options)
            self.bank = self._bank(bank)

    def batch(self, size: int, step: int) -> Batch:
        """`size` clips for training step `step`: a pure function of (seed, rank, step, size)."""
        generator = step_generator(self.seed, self.rank, step)
        if self.bank is None:
            factors = sample_factors(size, generator, **self.options)
            clip = draw(factors, self.frames, self.size, self.device)
        else:
            index = torch.randint(len(self.bank), (size,), generator=generator)
            factors = {name: value[index] for name, value in self.bank_factors.items()}
            clip = self.bank[index.to(self.bank.device)].to(self.device).float().div_(127.5).sub_(1)
        factors = {name: value.to(self.device) for name, value in factors.items()}
        return Batch(clip, factors["expression"], factors)

    def _bank(self, count: int) -> Tensor:
        """The bank's clips, uint8 [N, 3, T, H, W]: on a CPU mapped from its file, else resident on the device."""
        path = self._bank_path(count)
        shape = (count, 3, self.frames, self.size, self.size)
        frames = _open_bank(path, shape)
        if frames is None:
            self._draw_bank(path, shape)
            frames = _open_bank(path, shape)
            if frames is None:
                raise VidganError(f"The bank {path} cannot be read back; set VIDGAN_CACHE to a folder on a sound disk.")
        # copy-on-write, as torch wants a writable array; nothing writes to it
        bank = torch.from_numpy(frames)
        return bank if self.device.type == "cpu" else bank.to(self.device)

    def _bank_path(self, count: int) -> Path:
        decides = {
            "version": DRAWING_VERSION, "count": count, "frames": self.frames, "size": self.size, **self.options,
            "factors": [(f.name, f.low, f.high, f.choices, f.weights) for f in FACTORS],
        }  # fmt: skip
        digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
        return cache_folder() / f"expressions-{self.split}-{count}x{self.frames}x{self.size}-{digest}.npy"

    def _draw_bank(self, path: Path, shape: tuple[int, ...]) -> None:
        """Draw the bank beside its path, then move it there: whoever finds the file finds all of it."""
        try:
            for stale in path.parent.glob(f".{path.name}.*.tmp"):
                if time.time() - stale.stat().st_mtime > 86400:  # left by a process that was killed
                    stale.unlink(missing_ok=True)
            with replaced(path) as draft:
                self._draw_into(draft, shape)
        except OSError as error:
            raise VidganError(f"The bank of drawn clips cannot be written to {path.parent}: {error}.") from error

    def _draw_into(self, path: Path, shape: tuple[int, ...]) -> None:
        def drawn(i: int) -> np.ndarray:
            rows = {name: value[i : i + CHUNK] for name, value in self.bank_factors.items()}
            clip = draw(rows, self.frames, self.size, self.device)
            return clip.add_(1).mul_(127.5).round_().to(torch.uint8).cpu().numpy()

        with open(path, "wb") as file, tqdm(total=shape[0], desc="drawing faces", unit="clip") as bar:
            np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
            for clips in _in_threads(drawn, range(0, shape[0], CHUNK), self.device):
                file.write(clips.tobytes())
                bar.update(len(clips))


def _in_threads(function: Callable[[int], np.ndarray], items: range, device: torch.device) -> Iterator:
    """Map over items, in order.

    On a CPU each thread takes whole items rather than a share of every operation: many small operations that wait for
    each other crawl once anything else uses the cores.
    """
    threads = torch.get_num_threads()
    if device.type != "cpu" or threads == 1:
        yield from map(function, items)
        return
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            try:
                yield from pool.map(function, items)
            except BaseException:
                pool.shutdown(cancel_futures=True)  # stopped by hand: what has not begun need not
                raise
    finally:
        torch.set_num_threads(threads)


def _open_bank(path: Path, shape: tuple[int, ...]) -> np.ndarray | None:
    """The file's array, or None where there is none, or one that is truncated or foreign."""
    try:
        frames = np.load(path, mmap_mode="c", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return frames if frames.shape == shape and frames.dtype == np.uint8 else None


def open_source(
    *,
    split: str = "train",
    frames: int = 16,
    size: int = 64,
    seed: int = 0,
    rank: int = 0,
    device: str | torch.device = "cpu",
    root: str | None = None,
    identities: int = 4096,
    bank: int | None = None,
    simple: bool = False,
    turns: bool = True,
) -> Expressions:
    """Open the drawn faces.

    frames, size: 1 or more frames, 32 to 256 pixels; identities: how many people the train split has; bank: how many
    clips to draw once, keep on disk (`VIDGAN_CACHE`, else ~/.cache/vidgan) and take batches from, or 0 to draw every
    batch anew, or None for as many as 0.8 GB hold, at most 4096; simple: no glasses, beards or head turns, one
    background; turns: False for heads that neither turn nor nod. `root` is not used.
    Raises VidganError for values outside these ranges.
    """
    if not 32 <= size <= 256:
        raise VidganError(f"size is {size}; faces are drawn at 32 to 256 pixels.")
    if frames < 1:
        raise VidganError(f"frames is {frames}; a clip has at least 1.")
    if bank is None:
        bank = max(1, min(BANK_CLIPS, BANK_BYTES // (3 * frames * size * size)))
    if bank < 0:
        raise VidganError(f"bank is {bank}; it must be 0 (draw every batch) or a number of clips.")
    return Expressions(split, frames, size, seed, rank, device, identities, bank, simple, turns)
