"""Pictures to begin with: drawn faces of people that no release has seen, and what our own generators draw."""

import logging
import math
import secrets
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch

from .. import pictures
from ..data.expressions import FACTORS, draw, identity_factors
from ..data.expressions.factors import APPEARANCE, FIRST_TEST_IDENTITY, TEST_IDENTITIES
from ..errors import VidganError, unknown
from ..models import Generator
from ..video import to_uint8
from .releases import Releases, listed

log = logging.getLogger("vidgan.page")

PEOPLE = (2, 1, 4, 5, 3, 6, 7, 0)  #: of the test split, in the examples
MAX_EXAMPLES = 16  #: pictures that a release may bring
#: a face before it moves: upright, facing us, eyes open, nothing of its expression passed
_STILL = {"intensity": 1.0, "speed": 1.0, "blink": 1.5}


def designer() -> dict:
    """designer: the controls that draw a face, in plain words, {name, title, meaning, choices} (choices empty for a
    slider); people: the factors of those in the examples."""
    controls = [
        {
            "name": factor.name,
            "title": factor.name.replace("_", " "),
            "meaning": factor.meaning,
            "choices": list(factor.choices),
        }
        for factor in APPEARANCE
    ]
    return {"designer": controls, "people": [factors_of(FIRST_TEST_IDENTITY + number) for number in PEOPLE]}


def somebody() -> dict[str, float | int]:
    """The factors of a person of the held-out split, anyone."""
    return factors_of(FIRST_TEST_IDENTITY + secrets.randbelow(TEST_IDENTITIES))


def factors_of(identity: int) -> dict[str, float | int]:
    """The factors of one person: what `portrait` takes."""
    return {name: value.item() for name, value in identity_factors(torch.tensor([identity])).items()}


def portrait(factors: dict, size: int) -> np.ndarray:
    """A drawn face that has not moved yet: picture uint8 [size, size, 3].

    factors: every name that `designer` gives, a number from 0 to 1 or the index of a choice. VidganError for others.
    """
    if not isinstance(factors, dict):
        raise VidganError("A face is drawn from factors, by name.")
    for name in factors:
        if name not in {factor.name for factor in APPEARANCE}:
            raise unknown("factor of a face", str(name)[:60], [factor.name for factor in APPEARANCE])
    values = {}
    for factor in FACTORS:
        if factor.role == "motion":
            value = _STILL.get(factor.name, 0)
        elif factor.name not in factors:
            raise VidganError(f"A face needs every factor; {factor.name!r} is missing.")
        else:
            value = factors[factor.name]
        whole = factor.kind == "categorical"
        right = type(value) is int or (type(value) is float and math.isfinite(value) and not whole)
        if not right or (factor.role == "appearance" and not factor.low <= value <= factor.high):
            high = f"{factor.high:g}{', whole' if whole else ''}"
            raise VidganError(f"The factor {factor.name} goes from {factor.low:g} to {high}, not {str(value)[:20]}.")
        values[factor.name] = torch.tensor([value], dtype=torch.int64 if whole else torch.float32)
    return to_uint8(draw(values, 1, size))[0, 0]


def examples(generator: Generator, releases: Releases) -> tuple[str, ...]:
    """Packed pictures that a release may know: those that it brings; drawn faces for one that has learnt from them;
    else what a generator draws that has learnt from the same data; where there is none that can be loaded, drawn faces
    again."""
    data = generator.info.data
    brought = generator.info.path / "examples.webp"
    if brought.is_file():
        try:
            return _brought(brought, generator.size)
        except VidganError as error:
            log.warning("no examples of %s: %s", generator.info.name, error)
    if data != "expressions":
        for info in listed(takes_image=False):
            if info.data == data:
                try:
                    return _drawn(releases[info.name].generator, generator.size)
                except VidganError as error:
                    log.warning("no examples of %s: %s", info.name, error)
    return _faces(generator.size)


@lru_cache(maxsize=4)
def _brought(path: Path, size: int) -> tuple[str, ...]:
    """Pictures that stand side by side in a file."""
    strip = pictures.read(path.read_bytes(), name=str(path.name))
    height, width = strip.shape[:2]
    if width % height or not 1 <= width // height <= MAX_EXAMPLES:
        raise VidganError(f"{path.name} has {width}x{height} pixels, which are no squares side by side.")
    squares = np.split(strip, width // height, axis=1)
    return tuple(pictures.pack(pictures.fit(square, size)) for square in squares)


@lru_cache(maxsize=4)
def _faces(size: int) -> tuple[str, ...]:
    people = designer()["people"]
    return tuple(pictures.pack(portrait(factors, size)) for factors in people)


@lru_cache(maxsize=4)
def _drawn(generator: Generator, size: int) -> tuple[str, ...]:
    """First frames of clips, one after the other the same on every machine."""
    latents = generator.sample(len(PEOPLE), 0)
    firsts = [to_uint8(generator.generate(latents.row(i)))[0, 0] for i in range(len(PEOPLE))]
    return tuple(pictures.pack(pictures.fit(pictures.crop(first), size)) for first in firsts)
