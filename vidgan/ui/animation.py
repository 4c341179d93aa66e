"""The animated picture: how the controls of its tab see it, and every way that they can change it."""

import math
from dataclasses import replace
from typing import Protocol

from ..errors import VidganError, unknown
from ..explore.bookmark import Bookmark
from ..explore.parse import (
    parse_fusion,
    parse_image,
    parse_label,
    parse_seed,
    parse_then,
    parse_weights,
)
from ..models.base import Generator
from ..models.imaginator import LEVELS
from .point import label_of

KINDS = ("seed", "label", "fusion", "image", "continue", "cut")


class Release(Protocol):
    """What a loaded release is, here."""

    generator: Generator


def point(release: Release, bookmark: Bookmark) -> dict:
    """A bookmark as the controls show it. labels: for each part its weights over classes, and as text `parts`; starts:
    the frame at which each part begins."""
    generator = release.generator
    texts = (bookmark.label, *bookmark.then)
    seeds = [seed for seed in bookmark.seeds.values() if seed is not None]
    return {
        "query": bookmark.to_query(generator),
        "image": bookmark.image,
        "seed": str(seeds[0]) if seeds else None,
        "fusion": list(bookmark.fusion or (1.0,) * LEVELS),
        "parts": list(texts),
        "labels": [parse_weights(text, generator)[0].tolist() for text in texts] if generator.config.classes else [],
        "starts": [part * (generator.frames - 1) for part in range(len(texts))],
        "python": bookmark.to_python(generator),
        "cli": bookmark.to_cli(generator),
    }


def change(release: Release, bookmark: Bookmark, what: dict) -> Bookmark:
    """One change of the animated picture; `what["kind"]` is one of

    seed {seed} · label {weights: {name: weight}, part} · fusion {values: [coarse, ..., fine]} · image {image: packed} ·
    continue {label}: a further part, with a class name or "" · cut {part}: that part and all after it are gone.
    Raises VidganError for anything else.
    """
    generator = release.generator
    kind = what.get("kind") if isinstance(what, dict) else None
    texts = [bookmark.label, *bookmark.then]
    if kind == "seed":
        return redrawn(generator, replace(bookmark, seeds=dict.fromkeys(bookmark.seeds, parse_seed(what.get("seed")))))
    if kind == "label":
        texts[_part(what, 0, len(texts))] = label_of(generator, what.get("weights"))
        return replace(bookmark, label=texts[0], then=tuple(texts[1:]))
    if kind == "fusion":
        values = what.get("values")
        if not isinstance(values, list) or not all(type(value) in (int, float) for value in values):
            raise VidganError(f"The strength of the appearance skips is {LEVELS} numbers.")
        if not all(math.isfinite(value) for value in values[:9]):
            raise VidganError("The strength of an appearance skip must be finite.")
        return replace(bookmark, fusion=parse_fusion(values, generator))
    if kind == "image":
        if not isinstance(what.get("image"), str) or not what["image"]:
            raise VidganError("The picture must be the text that it has in a link.")
        return replace(bookmark, image=parse_image(what["image"], generator))
    if kind == "continue":
        label = what.get("label")
        if not isinstance(label, str):
            raise VidganError("A further part is asked for by its label.")
        then = parse_then((*bookmark.then, parse_label(label, generator)), generator)
        return redrawn(generator, replace(bookmark, then=then))
    if kind == "cut":
        part = _part(what, 1, len(texts))
        return redrawn(generator, replace(bookmark, then=bookmark.then[: part - 1]))
    raise unknown("change", str(kind)[:60], KINDS)


def redrawn(generator: Generator, bookmark: Bookmark) -> Bookmark:
    """A point for each part, drawn from the bookmark's seeds."""
    latents = generator.sample(1 + len(bookmark.then), 0, seeds=dict(bookmark.seeds))
    return replace(bookmark, latents=latents)


def _part(what: dict, first: int, count: int) -> int:
    part = what.get("part", 0)
    if type(part) is not int or not first <= part < count:
        raise VidganError(f"There is no part {str(part)[:20]}; there are {count}, the first of which is 0.")
    return part
