"""The named factors that decide a drawn clip, and the list of identities that they are sampled from."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...errors import VidganError, unknown

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
HAIR_STYLES = ("shaved", "short", "side part", "long", "bob", "curly", "bun")
GLASSES = ("none", "round", "square")
BEARDS = ("none", "stubble", "moustache", "full")

#: identities of the test split are numbered from here on, so train ones must stay below
FIRST_TEST_IDENTITY = 1 << 20
TEST_IDENTITIES = 1024


@dataclass(frozen=True)
class Factor:
    """One named cause of what a clip shows.

    A continuous factor is a float32 tensor [B] within [low, high]; a categorical one is int64 [B], an index into
    `choices`, which are drawn with the given `weights` (in identities) or evenly.
    """

    name: str
    role: str  # "appearance" | "motion"
    kind: str  # "continuous" | "categorical"
    low: float = 0.0
    high: float = 1.0
    choices: tuple[str, ...] = ()
    weights: tuple[float, ...] = ()
    meaning: str = ""


def _continuous(name: str, role: str, low: float, high: float, meaning: str) -> Factor:
    return Factor(name, role, "continuous", low, high, meaning=meaning)


def _categorical(name: str, role: str, choices: tuple[str, ...], weights: tuple[float, ...], meaning: str) -> Factor:
    return Factor(name, role, "categorical", 0, len(choices) - 1, choices, weights, meaning)


FACTORS: tuple[Factor, ...] = (
    _continuous("skin_tone", "appearance", 0, 1, "place on a palette from porcelain to deep brown"),
    _continuous("face_width", "appearance", 0, 1, "narrow to wide"),
    _continuous("face_length", "appearance", 0, 1, "short to long"),
    _categorical(
        "hair_style", "appearance", HAIR_STYLES, (0.08, 0.2, 0.18, 0.18, 0.12, 0.12, 0.12), "the cut, from all sides"
    ),
    _continuous("hair_colour", "appearance", 0, 1, "place on a palette: black, brown, chestnut, ginger, blond, silver"),
    _continuous("eye_colour", "appearance", 0, 1, "place on a palette: brown, hazel, green, blue, grey"),
    _continuous("eye_size", "appearance", 0, 1, "small to large"),
    _continuous("brow_weight", "appearance", 0, 1, "thin to thick"),
    _categorical("glasses", "appearance", GLASSES, (0.64, 0.18, 0.18), "frames"),
    _categorical("beard", "appearance", BEARDS, (0.64, 0.12, 0.1, 0.14), "hair on the lower face"),
    _continuous("shirt_colour", "appearance", 0, 1, "place on a palette: navy, teal, green, mustard, coral, plum"),
    _continuous("background", "appearance", 0, 1, "place on a palette of pale tones: blue, mint, cream, peach, lilac"),
    _categorical("expression", "motion", LABELS, (), "which expression is performed; the label"),
    _continuous("intensity", "motion", 0.7, 1, "how far the face goes at the apex; 0 would be neutral"),
    _continuous("onset", "motion", 0, 0.2, "when the face starts to move, in units of 16 frames"),
    _continuous("speed", "motion", 0.85, 1.3, "how fast the expression runs; 1 is the apex within about 10 frames"),
    _continuous("start_phase", "motion", 0, 0.9, "how much of the expression has passed at the first frame"),
    _continuous("yaw_start", "motion", -0.14, 0.14, "head turn at the first frame, radians, positive to the right"),
    _continuous("yaw_swing", "motion", -0.3, 0.3, "head turn added by frame 16, radians, and taken back by frame 32"),
    _continuous("nod", "motion", -0.1, 0.1, "amplitude of one nod per 16 frames, radians, positive begins downwards"),
    _continuous("blink", "motion", 0, 2, "when the eyes blink, in units of 16 frames; again every 32 frames"),
)
APPEARANCE = tuple(f for f in FACTORS if f.role == "appearance")
MOTION = tuple(f for f in FACTORS if f.role == "motion")


def _mix(x: np.ndarray) -> np.ndarray:
    """splitmix64's finaliser: a bijection of the 64-bit integers."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def identity_factors(identity: Tensor) -> dict[str, Tensor]:
    """Identity numbers, int64 [B] -> appearance factors, each [B].

    Distinct numbers always give distinct faces: a bijection of the number fills the first three factors bit for bit
    (24, 24 and 16 bits, all exact in float32); the others come from hashes of it.
    """
    ids = identity.cpu().numpy().astype(np.uint64)
    with np.errstate(over="ignore"):
        key = _mix(ids + np.uint64(0x9E3779B97F4A7C15))
        uniform = []
        for i in range(len(APPEARANCE)):
            word = _mix(key + np.uint64(i) * np.uint64(0xD1342543DE82EF95))
            uniform.append((word >> np.uint64(40)).astype(np.float64) / (1 << 24))
    uniform[0] = (key >> np.uint64(40)).astype(np.float64) / (1 << 24)
    uniform[1] = ((key >> np.uint64(16)) & np.uint64(0xFFFFFF)).astype(np.float64) / (1 << 24)
    uniform[2] = (key & np.uint64(0xFFFF)).astype(np.float64) / (1 << 16)
    factors = {}
    for factor, u in zip(APPEARANCE, uniform):
        if factor.kind == "categorical":
            edges = np.cumsum(factor.weights)[:-1]
            factors[factor.name] = torch.from_numpy(np.searchsorted(edges, u, side="right").astype(np.int64))
        else:
            values = factor.low + (factor.high - factor.low) * u
            factors[factor.name] = torch.from_numpy(values.astype(np.float32))
    return factors


def sample_factors(
    n: int,
    generator: torch.Generator,
    split: str = "train",
    *,
    identities: int = 4096,
    simple: bool = False,
    turns: bool = True,
) -> dict[str, Tensor]:
    """n clips' worth of factors and their `identity` (int64), each a CPU tensor [n].

    Expressions are balanced: every six in a row hold each once, in random order overall. Identities are drawn from
    0..identities-1 (train) or from `TEST_IDENTITIES` numbers that start at `FIRST_TEST_IDENTITY` (test).
    simple: no glasses, beards or head turns, and one background, for a first lesson; turns: False for heads that
    neither turn nor nod, as in films made for the study of expressions.
    Raises VidganError for an unknown split and for identities outside 1..2**20.
    """
    if split not in ("train", "test"):
        raise unknown("split", split, ("train", "test"))
    if not 1 <= identities <= FIRST_TEST_IDENTITY:
        raise VidganError(f"identities is {identities}; it must lie between 1 and {FIRST_TEST_IDENTITY}.")
    first, count = (0, identities) if split == "train" else (FIRST_TEST_IDENTITY, TEST_IDENTITIES)
    identity = first + torch.randint(count, (n,), generator=generator)
    factors = {"identity": identity, **identity_factors(identity)}
    for factor in MOTION:
        u = torch.rand(n, generator=generator)
        if factor.name == "expression":
            factors[factor.name] = u.argsort() % len(LABELS)
            continue
        if factor.name == "start_phase":
            u = u**4  # most clips begin neutral
        factors[factor.name] = factor.low + (factor.high - factor.low) * u
    plain = ("glasses", "beard", "background") if simple else ()
    still = ("yaw_start", "yaw_swing", "nod") if simple or not turns else ()
    for name in (*plain, *still):
        factors[name] = torch.zeros_like(factors[name])
    return factors
