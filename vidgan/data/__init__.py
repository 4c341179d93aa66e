"""The data sets, by name."""

import importlib

from ..errors import VidganError, unknown
from .base import Batch, ClipSource

__all__ = ["DATASETS", "Batch", "ClipSource", "open_source"]

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
    if name not in DATASETS:
        raise unknown("data set", name, DATASETS)
    if split not in ("train", "test"):
        raise unknown("split", split, ("train", "test"))
    module = importlib.import_module(DATASETS[name])
    try:
        return module.open_source(
            split=split, frames=frames, size=size, seed=seed, rank=rank, device=device, root=root, **options
        )
    except TypeError as error:
        if "unexpected keyword" in str(error):
            raise VidganError(f"Data set {name!r} does not take that option: {error}.") from error
        raise
