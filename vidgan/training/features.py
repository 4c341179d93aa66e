"""Train the feature network of the metrics: python -m vidgan.training.features --run runs/features

One vector must tell everything that our data sets know of their clips (see TASKS), and whether and how a clip was
spoilt, so that distances between vectors notice both what is shown and how it moves. The same command again resumes.
At the end, what the network tells of unseen people is measured, and it is released.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import Batch, ClipSource, open_source
from ..data.base import step_generator
from ..data.expressions import FACTORS
from ..data.sprites import LAYERS
from ..metrics.corruptions import CORRUPTIONS
from ..metrics.features import FeatureConfig, FeatureNetwork
from ..models.layers import channels_last
from .augment import augment
from .small import SmallOptions, SmallTrainer, command

#: data set -> (clips in a batch of 32, factor -> number of choices, or 0 where it is continuous)
TASKS: dict[str, tuple[int, dict[str, int]]] = {
    "expressions": (16, {factor.name: len(factor.choices) for factor in FACTORS}),
    "sprites": (9, {**dict.fromkeys(LAYERS, 6), "motion": 9}),
    "weizmann": (7, {"action": 4, "subject": 9}),
}
KINDS = ("real", *CORRUPTIONS)
QUALITY = "clip.quality"  #: the head that tells which of KINDS a clip is
SPOILT = 3 / 8  #: share of a batch that is spoilt; the other heads learn from the rest alone


@dataclass(frozen=True)
class FeatureOptions(SmallOptions):
    """bank: drawn faces to learn from; test_clips: how many of each test split are measured; batch: clips a step; all
    else as in `SmallOptions`."""

    run: Path = Path("runs/features")
    release: Path = Path("checkpoints/features")
    steps: int = 1200
    rate: float = 3e-3
    bank: int = 8192
    test_clips: int = 1024
    batch: int = 32

    DECIDE: ClassVar[tuple[str, ...]] = ("bank", "batch", *SmallOptions.DECIDE)


def heads() -> tuple[tuple[str, int], ...]:
    """All that the network is to tell, as FeatureConfig wants it."""
    named = [
        (f"{data}.{factor}", choices) for data, (_, factors) in TASKS.items() for factor, choices in factors.items()
    ]
    return (*named, (QUALITY, len(KINDS)))


def open_task(data: str, split: str, options: FeatureOptions) -> ClipSource:
    """A data set as its task learns from it, or (split "test") is measured on."""
    extra = {"bank": options.bank if split == "train" else options.test_clips} if data == "expressions" else {}
    return open_source(data, split=split, root=options.data_root, seed=options.seed, device=options.device, **extra)


_SPREAD = {  # factor -> (mean, standard deviation) of the even distribution that it is drawn from
    factor.name: ((factor.low + factor.high) / 2, (factor.high - factor.low) / math.sqrt(12)) for factor in FACTORS
} | {"start_phase": (0.18, 0.24)}  # drawn as 0.9 u^4


def target(factor: str, choices: int, value: Tensor) -> Tensor:
    """A factor as its head has to tell it: an index int64 [B], or the standardised value float32 [B]."""
    if choices:
        return value.long()
    mean, spread = _SPREAD[factor]
    return (value.float() - mean) / spread


class FeatureTrainer(SmallTrainer):
    """Network, optimiser, data of one run. `run()` trains; the parts are there for tests.

    sources: the train splits of TASKS, where they are open already.
    """

    def __init__(self, options: FeatureOptions, sources: dict[str, ClipSource] | None = None):
        if options.threads:
            torch.set_num_threads(options.threads)
        self.sources = sources or {data: open_task(data, "train", options) for data in TASKS}
        torch.manual_seed(options.seed)
        config = FeatureConfig(width=options.width, heads=heads())
        super().__init__(options, channels_last(FeatureNetwork(config).to(options.device)))

    def batch(self, step: int) -> tuple[Tensor, dict[str, Tensor], Tensor]:
        """Clips [B, 3, 16, 64, 64], "data set.factor" -> targets over the whole batch (index -1 and NaN where a clip
        has none), and the kind of each clip, int64 [B]; a pure function of (seed, step)."""
        random = step_generator(self.options.seed + 1, 0, step)
        parts: list[tuple[str, Batch]] = []
        total = sum(share for share, _ in TASKS.values())
        for data, (share, _) in TASKS.items():
            part = self.sources[data].batch(max(2, round(share * self.options.batch / total)), step)
            if data == "weizmann":  # few clips: each is moved about a little
                part = Batch(augment(part.clip, ("translation",), random), part.label, part.factors)
            parts.append((data, part))
        clips, kinds = [], []
        for _, part in parts:
            clip, kind = spoil(part.clip, random)
            clips.append(clip)
            kinds.append(kind)
        kind = torch.cat(kinds)
        targets = {}
        for data, (_, factors) in TASKS.items():
            for factor, choices in factors.items():
                empty = -1 if choices else math.nan
                columns = [
                    target(factor, choices, part.factors[factor].cpu()) if name == data
                    else torch.full((len(part.clip),), empty, dtype=torch.long if choices else torch.float32)
                    for name, part in parts
                ]  # fmt: skip
                column = torch.cat(columns)
                column[kind != 0] = empty
                targets[f"{data}.{factor}"] = column
        return torch.cat(clips), targets, kind

    def train_step(self) -> dict[str, float]:
        """One step; the losses of each data set's heads and of the clip's quality."""
        options, network = self.options, self.network.train()
        clip, targets, kind = self.batch(self.step)
        clip = clip.to(options.device).contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(torch.device(options.device).type, torch.bfloat16, enabled=options.precision == "bf16"):
            features = network(clip)
        told = network.read(features.float())
        losses: dict[str, list[Tensor]] = {"quality": [F.cross_entropy(told[QUALITY], kind.to(options.device))]}
        for name, wanted in targets.items():
            wanted = wanted.to(options.device)
            known = wanted >= 0 if wanted.dtype == torch.long else ~wanted.isnan()
            if known.any():
                compare = F.cross_entropy if wanted.dtype == torch.long else F.mse_loss
                losses.setdefault(name.split(".")[0], []).append(compare(told[name][known], wanted[known]))
        means = {name: torch.stack(values).mean() for name, values in losses.items()}
        weights = {"expressions": 2.0, "weizmann": 0.5}
        self.optimize(sum(value * weights.get(name, 1.0) for name, value in means.items()))
        return {name: value.item() for name, value in means.items()}


def spoil(clip: Tensor, random: torch.Generator, share: float = SPOILT) -> tuple[Tensor, Tensor]:
    """A random share of the clips spoilt, each in a random way and strength; and the index in KINDS of every clip."""
    count = len(clip)
    kind = torch.where(
        torch.rand(count, generator=random) < share, torch.randint(1, len(KINDS), (count,), generator=random), 0
    )
    strength = torch.rand(count, generator=random) * 0.85 + 0.15
    mixed = clip.clone()
    for index in kind.nonzero()[:, 0].tolist():
        pair = clip[[index, (index + 1) % count]]  # the second is for `swapped`
        mixed[index] = CORRUPTIONS[KINDS[kind[index]]](pair, float(strength[index]), random)[0]
    return mixed, kind


def _release(trainer: FeatureTrainer) -> Path:
    from .release_features import release  # which imports this module

    return release(trainer)


def main(arguments: list[str] | None = None) -> int:
    return command("vidgan.training.features", FeatureOptions, FeatureTrainer, arguments, _release)


if __name__ == "__main__":
    sys.exit(main())
