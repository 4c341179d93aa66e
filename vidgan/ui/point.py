"""The current point: how the page's controls see it, and every way that they can change it."""

import math
from dataclasses import replace
from typing import Protocol

import torch

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..explore.bookmark import Bookmark
from ..explore.directions import Directions
from ..explore.interpolate import Walk
from ..explore.parse import (
    MAX_LABEL,
    MAX_TRUNCATION,
    parse_frames,
    parse_label,
    parse_seed,
    parse_stage,
    parse_view,
)
from ..latents import Latents, Subspace
from ..models.base import Generator

SHOWN = 6  #: sliders of each subspace
REACH = 3.0  #: how far a slider goes to either side, in standard deviations
MAX_VALUE = 8.0  #: the farthest that anything may be moved
SPACE_KINDS = ("seed", "truncation", "move", "origin", "reset", "adopt")
KINDS = (*SPACE_KINDS, "label", "frames", "stage", "view", "walk")


class Release(Protocol):
    """What a loaded release is, here: its generator, and its directions or None as long as they are unknown."""

    generator: Generator
    directions: dict[str, Directions] | None


def point(release: Release, bookmark: Bookmark) -> dict:
    """A bookmark as the page's controls show it."""
    generator = release.generator
    weights = generator.check(bookmark.latents, bookmark.condition(generator))
    spaces = {}
    for space in generator.latent_space:
        value, seed = bookmark.latents[space.name], bookmark.seeds.get(space.name)
        found = (release.directions or {}).get(space.name)
        raw = (value.mean(1) if space.sequence else value)[0] / space.std
        spaces[space.name] = {
            "seed": None if seed is None else str(seed),
            "truncation": bookmark.truncation.get(space.name, 1.0),
            "edited": bookmark.edited(generator, space.name),
            "directions": _rounded(found.coordinates(value, space.std)[0][:SHOWN]) if found else [],
            "dimensions": _rounded(raw),
        }
    return {
        "query": bookmark.to_query(generator),
        "frames": bookmark.length(generator),
        "stage": generator.last_stage if bookmark.stage is None else bookmark.stage,
        "view": bookmark.view or "",
        "label": weights.label[0].tolist() if weights.label is not None else [],
        "spaces": spaces,
        "python": bookmark.to_python(generator),
        "cli": bookmark.to_cli(generator),
    }


def change(release: Release, bookmark: Bookmark, what: dict) -> Bookmark:
    """One change of the current point; `what["kind"]` is one of

    seed {space, seed} · truncation {space, value} · move {space, family: "directions" | "dimensions", index, value in
    standard deviations} · origin {space, family, index}: back to what the seed drew · reset {space} ·
    label {weights: {name: weight}} · frames {frames} · stage {stage} · view {view}: one part of the clip alone, "" for
    all · adopt {space, query}: that half of another point, and with motion its label · walk {walk, t}: the place t of a
    walk, whatever the point has been.
    Raises VidganError for anything else.
    """
    generator = release.generator
    kind = what.get("kind") if isinstance(what, dict) else None
    if kind == "label":
        return replace(bookmark, label=label_of(generator, what.get("weights")))
    if kind == "frames":
        frames = parse_frames(what.get("frames"), generator)
        longer = bookmark.moved(generator, _with_steps(generator, bookmark, generator.steps_for(frames)))
        return longer.as_long_as(generator, frames)
    if kind == "stage":
        return replace(bookmark, stage=parse_stage(what.get("stage"), generator))
    if kind == "view":
        return replace(bookmark, view=parse_view(what.get("view"), generator))
    if kind == "walk":
        return parse_walk(bookmark.release, generator, what.get("walk")).at(generator, what.get("t"))
    if kind not in SPACE_KINDS:
        raise unknown("change", str(kind)[:60], KINDS)
    space = generator.latent_space[str(what.get("space"))[:60]]
    name, latents = space.name, bookmark.latents
    seeds, truncation = dict(bookmark.seeds), dict(bookmark.truncation)
    if kind == "seed":
        seeds[name] = parse_seed(what.get("seed"))
        moved = replace(bookmark, seeds=seeds, truncation=truncation)
        return moved.moved(generator, latents.replace({name: moved.origin(generator)[name]}))
    if kind == "truncation":
        before = bookmark.origin(generator)[name]
        old, truncation[name] = truncation.get(name, 1.0), round(_finite(what.get("value"), 0, MAX_TRUNCATION), 3)
        moved = replace(bookmark, seeds=seeds, truncation=truncation)
        if seeds.get(name) is None:
            value = latents[name] * (truncation[name] / old if old else 1.0)
        elif not bookmark.edited(generator, name):
            value = moved.origin(generator)[name]
        else:  # what has been moved by hand stays moved
            value = latents[name] - before + moved.origin(generator)[name]
        return moved.moved(generator, latents.replace({name: value}))
    if kind == "adopt":
        return _adopted(generator, bookmark, space, what)
    if kind == "reset":
        return bookmark.moved(generator, latents.replace({name: bookmark.origin(generator)[name]}))
    vector = _vector(release, space, what)
    if kind == "origin":
        target = _along(bookmark.origin(generator)[name], vector) / space.std
    else:
        target = _finite(what.get("value"), -MAX_VALUE, MAX_VALUE)
    distance = target * space.std - _along(latents[name], vector)
    if abs(distance) < 1e-6:
        return bookmark
    return bookmark.moved(generator, latents.add(name, vector, distance))


def parse_walk(release: str, generator: Generator, text: object) -> Walk:
    """A walk of one release from its text; VidganError for one of another."""

    def find(name: str | None) -> tuple[str, Generator]:
        if name not in (None, release):
            raise VidganError(f"That walk is one of {name[:60]}, not of {release}.")
        return release, generator

    if not isinstance(text, str):
        raise VidganError("A walk must be the text that it has in a link.")
    return Walk.from_query(text, find)


def _adopted(generator: Generator, bookmark: Bookmark, space: Subspace, what: dict) -> Bookmark:
    if not isinstance(what.get("query"), str):
        raise VidganError("The point to take from must be the text of a link.")
    other = Bookmark.from_query(what["query"], lambda name: (bookmark.release, generator))
    seeds = {**bookmark.seeds, space.name: other.seeds.get(space.name)}
    truncation = {**bookmark.truncation, space.name: other.truncation.get(space.name, 1.0)}
    label = other.label if space.role == "motion" else bookmark.label
    latents = _with_steps(generator, other, bookmark.latents.steps)
    moved = replace(bookmark, label=label, seeds=seeds, truncation=truncation)
    return moved.moved(generator, bookmark.latents.replace({space.name: latents[space.name]}))


def _vector(release: Release, space: Subspace, what: dict) -> torch.Tensor:
    family, index = what.get("family"), what.get("index")
    found = (release.directions or {}).get(space.name)
    if family == "dimensions":
        vectors = torch.eye(space.dim)
    elif family != "directions":
        raise unknown("family of sliders", str(family)[:60], ("dimensions", "directions"))
    elif found is None:
        raise VidganError("The directions of this release are still being looked for.")
    else:
        vectors = found.vectors[:SHOWN]
    if type(index) is not int or not 0 <= index < len(vectors):
        raise VidganError(f"The {family} of {space.name} are 0 to {len(vectors) - 1}, not {str(index)[:20]}.")
    return vectors[index]


def _along(value: torch.Tensor, vector: torch.Tensor) -> float:
    """Coordinate of one point [1, dim] or [1, steps, dim] along a unit vector; the mean over the steps."""
    return float((value.reshape(-1, value.shape[-1]) @ vector).mean())


def _with_steps(generator: Generator, bookmark: Bookmark, steps: int) -> Latents:
    """The same point with another number of motion steps: cut, or continued with what the seed draws next."""
    now, longer = bookmark.latents, {}
    drawn = bookmark.origin(generator, steps)
    for space in generator.latent_space:
        if not space.sequence:
            continue
        value = now[space.name][:, :steps]
        missing = steps - value.shape[1]
        if missing and bookmark.seeds.get(space.name) is not None:
            shift = (now[space.name] - bookmark.origin(generator)[space.name]).mean(1, keepdim=True)
            shift = shift if bookmark.edited(generator, space.name) else torch.zeros_like(shift)
            value = torch.cat([value, drawn[space.name][:, -missing:] + shift], 1)
        elif missing:  # no seed to continue with: hold the last step
            value = torch.cat([value, value[:, -1:].expand(-1, missing, -1)], 1)
        longer[space.name] = value
    return now.replace(longer)


def label_of(generator: Generator, weights: object) -> str:
    """{name: weight} as a bookmark writes it."""
    if not isinstance(weights, dict) or len(weights) > 1000 or any(len(str(name)) > MAX_LABEL for name in weights):
        raise VidganError("Label weights are names with a number each.")
    weights = {str(name): _finite(weight, 0, 1000) for name, weight in weights.items()}
    text = Condition.of_label(weights, generator.labels).label_text(generator.labels)
    return parse_label(text, generator)


def redrawn(release: Release, bookmark: Bookmark, role: str | None, seed: object) -> Bookmark:
    """The same point with a new seed in every subspace of a role; None: in every one."""
    spaces = release.generator.latent_space
    for space in spaces if role is None else spaces.by_role(role):
        bookmark = change(release, bookmark, {"kind": "seed", "space": space.name, "seed": seed})
    return bookmark


def _finite(value: object, low: float, high: float) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not low <= number <= high:
        raise VidganError(f"A value here goes from {low:g} to {high:g}, not {str(value)[:20]}.")
    return number


def _rounded(values: torch.Tensor) -> list[float]:
    return [round(float(value), 3) for value in values]
