"""The data sets, by name."""

import importlib
from collections.abc import Callable
from inspect import signature

from ..errors import unknown
from .base import Batch, ClipSource

__all__ = ["DATASETS", "Batch", "ClipSource", "open_source", "options_of"]

#: what every data set is told
COMMON = ("split", "frames", "size", "seed", "rank", "device", "root")

#: name -> module whose `open_source(**options)` opens it; imported only when asked for
DATASETS = {
    "expressions": "vidgan.data.expressions",
    "weizmann": "vidgan.data.weizmann",
    "sprites": "vidgan.data.sprites",
    "folder": "vidgan.data.folder",
}


def open_source(
    name: str,
    *,
    split: str = "train",
    frames: int = 16,
    size: int = 64,
    seed: int = 0,
    rank: int = 0,
    device: str = "cpu",
    root: str | None = None,
    **options,
) -> ClipSource:
    """Open the data set `name`.

    split: "train" or "test" (subjects, characters or drawn identities never overlap between the two); frames: T;
    size: H = W in pixels; root: where the files are, for data sets that have any (else `VIDGAN_DATA`).
    Raises VidganError for an unknown name, split or option and for files that are missing.
    """
    taken = options_of(name)
    for option in options:
        if option not in taken:
            raise unknown(f"option of {name}", option, taken)
    if split not in ("train", "test"):
        raise unknown("split", split, ("train", "test"))
    return _opener(name)(
        split=split, frames=frames, size=size, seed=seed, rank=rank, device=device, root=root, **options
    )


def options_of(name: str) -> tuple[str, ...]:
    """The names of what the data set `name` takes besides what all take; VidganError for an unknown name."""
    return tuple(option for option in signature(_opener(name)).parameters if option not in COMMON)


def _opener(name: str) -> Callable[..., ClipSource]:
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    return importlib.import_module(DATASETS[name]).open_source
