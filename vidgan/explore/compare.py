"""Releases of one data set beside each other: the same seed and the same label for all of them."""

from collections.abc import Sequence

import numpy as np

from .. import pictures
from ..errors import VidganError, unknown
from ..models import ReleaseInfo
from ..models.base import Generator
from .bookmark import Bookmark
from .drawing import sheet

MAX_RELEASES = 4  #: side by side


def families(infos: Sequence[ReleaseInfo]) -> dict[str, list[ReleaseInfo]]:
    """Data set -> its releases, where there are two or more; those that draw people of their own come first."""
    found: dict[str, list[ReleaseInfo]] = {}
    for info in sorted(infos, key=lambda info: info.takes_image):
        if info.data:
            found.setdefault(info.data, []).append(info)
    order = [info.data for info in infos]
    return {data: found[data] for data in dict.fromkeys(order) if len(found.get(data, ())) > 1}


def chosen(infos: Sequence[ReleaseInfo], names: Sequence[str]) -> list[ReleaseInfo]:
    """The releases of these names, in their order; VidganError for unknown ones, for fewer than 2, for more than
    MAX_RELEASES, for one twice, and for those that have learnt from different data."""
    known = {info.name: info for info in infos}
    if not 2 <= len(names) <= MAX_RELEASES:
        raise VidganError(f"2 to {MAX_RELEASES} releases can be compared, not {len(names)}.")
    for name in names:
        if name not in known:
            raise unknown("release", name[:100], known)
    if len(set(names)) < len(names):
        raise VidganError("Comparing takes different releases; one is named twice.")
    found = [known[name] for name in names]
    if len({info.data for info in found}) > 1 or not found[0].data:
        told = ", ".join(f"{info.name} from {info.data or 'data that it does not name'}" for info in found)
        raise VidganError(f"Only releases that have learnt from the same data can be compared: {told}.")
    return found


def labels(infos: Sequence[ReleaseInfo]) -> list[str]:
    """The labels that all of them know, as far as they take labels, in the order of the first."""
    taking = [info.labels for info in infos if info.labels]
    return [name for name in (taking[0] if taking else ()) if all(name in others for others in taking)]


def point(generator: Generator, seed: int, label: str = "", image: np.ndarray | None = None) -> Bookmark:
    """What a generator draws from one seed for all its subspaces.

    label: left out where the generator has none of that name; image: uint8 [S, S, 3], for one that animates.
    VidganError as in `Bookmark.draw`.
    """
    packed = ""
    if generator.takes_image and image is not None:
        packed = pictures.pack(pictures.fit(image, generator.size))
    seeds = dict.fromkeys(generator.latent_space.names, seed)
    return Bookmark.draw(generator, seeds, label=label if label in generator.labels else "", image=packed)


def abreast(clips: Sequence[np.ndarray], rates: Sequence[float]) -> tuple[np.ndarray, float]:
    """Clips side by side as one, as they play beside each other: (uint8 [T, H, W', 3], frames a second).

    clips: uint8 [T, H, W, 3] each, of any length and size, rates frames a second. Shorter ones begin again until the
    longest is over; slower ones hold their frames, smaller ones repeat their pixels.
    """
    rate = max(rates)
    seconds = max(len(clip) / own for clip, own in zip(clips, rates, strict=True))
    times, side = np.arange(round(seconds * rate)), max(clip.shape[1] for clip in clips)
    shown = []
    for clip, own in zip(clips, rates, strict=True):
        frames = clip[(times * own / rate + 1e-6).astype(int) % len(clip)]
        shown.append(sized(frames, side))
    return sheet(shown), rate


def sized(clip: np.ndarray, side: int) -> np.ndarray:
    """uint8 [T, H, W, 3] with pixels repeated (nearest neighbours, where `side` is no multiple): [T, side, side, 3]."""
    rows, columns = (np.arange(side) * length // side for length in clip.shape[1:3])
    return clip[:, rows][:, :, columns]
