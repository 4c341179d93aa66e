"""The blind test: two clips beside each other, and who made them stays here until somebody has chosen."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..data.expressions import LABELS, draw, sample_factors
from ..models import ReleaseInfo
from ..video import to_uint8

MAX_PAIRS = 2000  #: remembered, of all visitors together; the oldest make room
REAL = "real clips"  #: no release can be called that
SHOWN_REAL = ("expressions",)  #: data whose real clips may be shown: we draw them ourselves
SEEDS = 2**31


@dataclass(frozen=True)
class Pair:
    """Who made each of two clips, a release's name or REAL, the seeds that they were drawn from, and the label."""

    left: str
    right: str
    seeds: tuple[int, int]
    label: str


class Pairs:
    """token -> Pair, each given out once. Thread-safe."""

    def __init__(self, most: int = MAX_PAIRS):
        self.most = most
        self._pairs: OrderedDict[str, Pair] = OrderedDict()
        self._guard = threading.Lock()

    def keep(self, pair: Pair) -> str:
        """Remember a pair and give its token, which nobody can guess and nothing can be read from."""
        token = secrets.token_urlsafe(18)
        with self._guard:
            self._pairs[token] = pair
            while len(self._pairs) > self.most:
                self._pairs.popitem(last=False)
        return token

    def take(self, token: object) -> Pair | None:
        """The pair of a token, which is then forgotten; None for any other."""
        with self._guard:
            return self._pairs.pop(token, None) if isinstance(token, str) else None


def toss(names: Sequence[str], data: str) -> tuple[list[str], list[int]]:
    """Two different makers, either of which may stand to the left, and a seed for each."""
    makers = [*names, *([REAL] if data in SHOWN_REAL else [])]
    chance = secrets.SystemRandom()
    return chance.sample(makers, 2), [chance.randrange(SEEDS) for _ in range(2)]


def real_clip(infos: Sequence[ReleaseInfo], seed: int, label: str, frames: int, size: int) -> np.ndarray:
    """A drawn face that no release has learnt from, as these releases know faces: uint8 [T, H, W, 3].

    Of the held-out split of `expressions`; with the label, or any where that is none of its own.
    """
    turns = not all("turns=false" in info.data_options for info in infos)
    factors = sample_factors(1, torch.Generator().manual_seed(seed), "test", turns=turns)
    index = LABELS.index(label) if label in LABELS else seed % len(LABELS)
    factors["expression"] = torch.tensor([index])  # a batch of one would always have the first
    return to_uint8(draw(factors, frames, size))[0]
