"""Numbers of clips, and what is said of them together: means over videos, and how sure they are."""

from dataclasses import dataclass, field

import torch
from torch import Tensor

DRAWS = 2000  #: bootstrap draws of an interval


@dataclass(frozen=True)
class Scores:
    """Of N clips. values: metric's name -> float64 [N], NaN for a clip that has no such number; counts: what was left
    out, capped or not found, in clips or frames as its name says."""

    values: dict[str, Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def __or__(self, other: "Scores") -> "Scores":
        """Both kinds of numbers of the same clips."""
        return Scores(self.values | other.values, self.counts | other.counts)

    @staticmethod
    def join(parts: list["Scores"]) -> "Scores":
        """The same numbers of more clips: values one after the other, counts added."""
        values = {name: torch.cat([part.values[name] for part in parts]) for name in parts[0].values}
        counts = {name: sum(part.counts[name] for part in parts) for name in parts[0].counts}
        return Scores(values, counts)


def by_video(values: Tensor, video: Tensor) -> Tensor:
    """Values [N] of clips of videos int64 [N] -> the mean of each video, float64 [videos], in ascending order; NaN
    values are left out, and so is a video that has no others."""
    known = ~values.isnan()
    groups = video[known].unique()
    return torch.stack([values[known & (video == group)].mean() for group in groups]) if len(groups) else values[:0]


def summary(values: Tensor, video: Tensor, seed: int = 0) -> tuple[float | None, list[float] | None]:
    """The mean over videos of clips' values [N], and its 95% interval: percentiles of the means of as many videos drawn
    with replacement. Windows of one video are alike, so it is videos that are drawn. None where nothing is known; no
    interval for a single video."""
    means = by_video(values.double(), video)
    if not len(means):
        return None, None
    return means.mean().item(), interval(means, seed)


def interval(means: Tensor, seed: int = 0) -> list[float] | None:
    """The bootstrap's 95% interval of the mean of `means` [videos]; None for fewer than 2."""
    if len(means) < 2:
        return None
    random = torch.Generator().manual_seed(seed)
    drawn = means[torch.randint(len(means), (DRAWS, len(means)), generator=random)].mean(1)
    return torch.quantile(drawn, torch.tensor([0.025, 0.975], dtype=drawn.dtype)).tolist()
