"""The feature network's release: what it tells of unseen clips, how its distances order spoilt ones, and the folder."""

import math
from pathlib import Path

import torch
from torch import Tensor

from ..data.base import step_generator
from ..metrics.distance import control, protocol, real_features
from ..metrics.features import FeatureNetwork, describe, load_features
from .features import KINDS, QUALITY, TASKS, FeatureOptions, FeatureTrainer, open_task, spoil, target
from .small import write_release

#: not to be told of the test split: its subjects are not among those learnt
UNSEEN = ("weizmann.subject",)
#: clips of each test split that the heads are asked about
HELD_OUT = 512
#: controls of the ordering, mild to strong within each kind
ORDER = ("floor", "blur 0.1", "blur 0.3", "blur 1", "noise 0.1", "noise 0.3", "noise 1", "jitter 0.3", "jitter 1",
         "blocky 0.3", "blocky 1", "swapped", "shuffled", "frozen")  # fmt: skip
#: of these, what is measured on data sets other than `expressions`
SHORT = ("floor", "blur 0.3", "noise 0.3", "jitter 1", "swapped", "shuffled", "frozen")


@torch.no_grad()
def held_out(network: FeatureNetwork, options: FeatureOptions) -> dict:
    """What the heads tell of clips of each test split: accuracy of categorical factors, with the share of
    the most frequent choice beside it, R^2 of continuous ones; and of as many clips, half of them spoilt, how."""
    told: dict[str, dict] = {}
    quality: list[Tensor] = []
    for data, (_, factors) in TASKS.items():
        source = open_task(data, "test", options)
        outputs, wanted = [], []
        for step in range(math.ceil(HELD_OUT / 32)):
            batch = source.batch(32, step)
            outputs.append(network.read(network.embed(batch.clip).to(options.device)))
            wanted.append(batch.factors)
            mixed, kind = spoil(batch.clip, step_generator(options.seed, 2, step), share=0.5)
            seen = network.read(network.embed(mixed).to(options.device))[QUALITY].argmax(1).cpu()
            quality.append(torch.stack([kind, seen]))
        for factor, choices in factors.items():
            name = f"{data}.{factor}"
            if name in UNSEEN:
                continue
            truth = target(factor, choices, torch.cat([factors[factor].cpu() for factors in wanted]))
            guess = torch.cat([output[name].cpu() for output in outputs])
            told[name] = _score(guess, truth, choices)
    kind, seen = torch.cat(quality, 1)
    told[QUALITY] = {
        "accuracy": round((kind == seen).float().mean().item(), 4),
        "chance": round((kind == 0).float().mean().item(), 4),
        "spoilt_or_not": round(((kind == 0) == (seen == 0)).float().mean().item(), 4),
        "by_kind": {
            name: round((seen[kind == index] == index).float().mean().item(), 4) for index, name in enumerate(KINDS)
        },
    }
    return told


def _score(guess: Tensor, truth: Tensor, choices: int) -> dict[str, float]:
    if choices:
        chance = torch.bincount(truth, minlength=choices).max().item() / len(truth)
        return {"accuracy": round((guess.argmax(1) == truth).float().mean().item(), 4), "chance": round(chance, 4)}
    left = (guess - truth).square().mean() / truth.var(unbiased=False)
    return {"r2": round(1 - left.item(), 4)}


def ordering(features: FeatureNetwork, options: FeatureOptions, clips: int = 512, seed: int = 0) -> list[dict]:
    """Distances of spoilt test clips, and of a second draw, to the same real ones: one row for each data set and
    control."""
    rows = []
    for data in TASKS:
        source = open_task(data, "test", options)
        real = real_features(source, clips, seed, features)
        name = protocol(source, clips, features)
        for kind in ORDER if data == "expressions" else SHORT:
            found = control(source, real, clips, seed, features, kind)
            row = {"data": data, "control": kind, "protocol": name, "clips": found["clips"]}
            if f"fvd_{name}" in found:
                row |= {"fvd": round(found[f"fvd_{name}"], 3), "kvd": round(found[f"kvd_{name}"], 4)}
            rows.append(row)
    return rows


def release(trainer: FeatureTrainer) -> Path:
    """Measure the network as it will be released, and write `options.release`."""
    options = trainer.options

    def measure(network: FeatureNetwork) -> dict:
        return {"held_out": held_out(network, options), "ordering": ordering(network, options)}

    facts = {"kind": "features", "data": list(TASKS), "frames": 16, "size": 64}
    return write_release(trainer, facts, describe, load_features, measure, card)


def card(config: dict, metrics: dict, network: FeatureNetwork) -> str:
    """The model card."""
    told = metrics["held_out"]
    size = sum(value.numel() for name, value in network.named_parameters() if not name.startswith("heads."))
    return CARD.format(
        hash=config["hash"],
        size=f"{size:,}",
        features=config["config"]["features"],
        steps=config["step"],
        batch=config["training"]["batch"],
        minutes=round(metrics["training_minutes"]),
        held_out="\n".join(held_out_table(told)),
        spoilt=f"{told[QUALITY]['spoilt_or_not']:.1%}",
        ordering="\n".join(ordering_table(metrics["ordering"])),
    )


CARD = """---
license: apache-2.0
library_name: vidgan
tags: [video, features, metrics]
---
# The feature network of vidgan's metrics ({hash})

A (2+1)D convolutional network of {size} parameters that turns a clip (at least 8 frames, seen at 64x64) into {features}
numbers. `fvd_vidgan-{hash}_...` and `kvd_vidgan-{hash}_...` are distances between such vectors: they compare with each
other and with nothing in the papers, which use other networks.

Trained by `recipes/features.sh`: {steps} steps of {batch} clips of 16 frames, {minutes} minutes on part of one core.
One vector has to tell every factor of the drawn faces, the parts and the motion of the sprites, action and subject of
the filmed people, and whether and how a clip was spoilt (frozen, shuffled, noise, blur, jitter, blocks, or someone else
from some frame on).

## What it tells of people it has not seen

{held_out}

Half of the clips for `clip.quality` were spoilt, at strengths from 0.15 to 1; whether at all is told in {spoilt}. The
subjects of weizmann's test split are not among those learnt, so that `weizmann.subject` cannot be scored.

## How its distances order clips

{ordering}

512 clips of each test split, changed as the row says, against the same clips unchanged; `floor` is a second draw of
real clips, none of them in the first.

Licence: Apache-2.0.
"""


def held_out_table(told: dict) -> list[str]:
    """The scores of `held_out` as a Markdown table."""
    lines = ["| factor | measured | without looking |", "|---|---|---|"]
    for name, score in told.items():
        if "r2" in score:
            lines.append(f"| {name} | R² {score['r2']:.2f} | 0 |")
        else:
            lines.append(f"| {name} | {score['accuracy']:.1%} right | {score['chance']:.1%} |")
    return lines


def ordering_table(rows: list[dict]) -> list[str]:
    """The rows of `ordering` as a Markdown table, a column for each distance of each data set."""
    names = list(dict.fromkeys(row["data"] for row in rows))
    found = {(row["data"], row["control"]): row for row in rows}
    lines = [
        "| clips | " + " | ".join(f"{name} fvd | kvd" for name in names) + " |",
        "|---" * (1 + 2 * len(names)) + "|",
    ]
    for kind in ORDER:
        cells = []
        for name in names:
            row = found.get((name, kind), {})
            cells += [f"{row['fvd']:.1f}", f"{row['kvd']:.3f}"] if "fvd" in row else ["", ""]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return lines
