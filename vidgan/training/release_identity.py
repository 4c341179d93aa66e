"""The identity embedder's release: how well it tells people apart whom it has not seen, and the folder."""

from pathlib import Path

import torch
from torch import Tensor

from ..data import open_source
from ..data.base import step_generator
from ..data.expressions import draw, sample_factors
from ..data.expressions.factors import FIRST_TEST_IDENTITY, TEST_IDENTITIES, identity_factors
from ..data.sprites import PERIOD
from ..metrics.identity import IdentityNetwork, describe, load_identity
from .identity import FACE, IdentityOptions, IdentityTrainer, moments, relatives
from .small import write_release

PEOPLE = 256  #: held-out people of the drawn data sets that are told apart
EACH = 4  #: frames of each, from clips of their own
SHOTS = 12  #: frames of each filmed clip, evenly spaced


def held_out(options: IdentityOptions) -> dict[str, tuple[Tensor, Tensor, Tensor]]:
    """Name of a set -> frames uint8 [N, 64, 64, 3] of people of a test split, who they are, and which clip they are
    from (int64 [N] each). Pairs within one clip are never asked about.
    """
    random = step_generator(options.seed, 3, 0)
    sets = {}

    identity = FIRST_TEST_IDENTITY + torch.randperm(TEST_IDENTITIES, generator=random)[:PEOPLE]
    who = torch.arange(PEOPLE).repeat_interleave(EACH)
    factors = sample_factors(len(who), random, "test") | identity_factors(identity[who])
    chosen = torch.randint(16, (len(who),), generator=random)
    sets["expressions"] = _frames(draw(factors, 16, 64), chosen), who, torch.arange(len(who))

    dressed = {name: factors[name] for name in FACE} | moments(len(who), random)
    sets["expressions, other clothes"] = _frames(draw(dressed, 1, 64)), who, torch.arange(len(who))

    person = relatives(identity_factors(identity), random)
    near = {name: value.repeat_interleave(EACH) for name, value in person.items()} | moments(len(who), random)
    sets["expressions, relatives"] = _frames(draw(near, 1, 64)), who, torch.arange(len(who))

    sprites = open_source("sprites", split="test", frames=1, root=options.data_root)
    number = sprites.characters[torch.randperm(len(sprites.characters), generator=random)[:PEOPLE]]
    motion = torch.randint(len(sprites.labels), who.shape, generator=random)
    phase = torch.randint(PERIOD, who.shape, generator=random)
    sets["sprites"] = _frames(sprites.render(number[who], motion, phase)), who, torch.arange(len(who))

    filmed = open_source("weizmann", split="test", frames=1, root=options.data_root)
    clip = torch.arange(len(filmed)).repeat_interleave(SHOTS)
    moment = (torch.arange(SHOTS).repeat(len(filmed)) + 0.5) / SHOTS
    index = (moment * filmed.lengths[clip]).long()[:, None]
    sets["weizmann"] = filmed.pixels_of(clip, index)[:, 0].movedim(1, -1), filmed.known["subject"][clip], clip
    return sets


def _frames(clip: Tensor, chosen: Tensor | None = None) -> Tensor:
    """One frame of each clip [B, 3, T, H, W], uint8 [B, H, W, 3]."""
    frames = clip[:, :, 0] if chosen is None else clip[torch.arange(len(clip)), :, chosen]
    return frames.add(1).mul(127.5).round().to(torch.uint8).movedim(1, -1)


def verify(vectors: Tensor, who: Tensor, clip: Tensor) -> dict[str, float]:
    """Two frames: one person or two? Of vectors [N, d], over all pairs from different clips.

    auc: the share of (same, different) pairs that their distances put in the right order; rank1: how often the nearest
    other frame is of the same person; same, different: mean distances.
    """
    distance = torch.cdist(vectors.double(), vectors.double())
    apart = clip != clip[:, None]
    alike = who == who[:, None]
    upper = torch.ones_like(apart).triu(1)
    same, different = distance[alike & apart & upper], distance[~alike & apart & upper]
    ordered = different.sort().values
    above = len(ordered) - torch.searchsorted(ordered, same, right=True)
    ties = torch.searchsorted(ordered, same, right=True) - torch.searchsorted(ordered, same)
    nearest = distance.masked_fill(~apart, float("inf")).argmin(1)
    return {
        "auc": round(((above + 0.5 * ties).double().mean() / len(ordered)).item(), 4),
        "rank1": round((who[nearest] == who).float().mean().item(), 4),
        "same": round(same.mean().item(), 4),
        "different": round(different.mean().item(), 4),
        "people": len(who.unique()),
        "frames": len(who),
        "pairs": len(same) + len(different),
    }


def measure(network: IdentityNetwork, options: IdentityOptions) -> dict[str, dict]:
    """Every held-out set -> `verify` of the network's vectors, and under `pixels` of the frames as they are."""
    told = {}
    for name, (frames, who, clip) in held_out(options).items():
        plain = verify(frames.flatten(1).float() / 255, who, clip)
        told[name] = verify(network.embed(frames), who, clip)
        told[name]["pixels"] = {key: plain[key] for key in ("auc", "rank1")}
    return told


def release(trainer: IdentityTrainer) -> Path:
    """Measure the network as it will be released, and write `options.release`."""
    facts = {"kind": "identity", "data": list(trainer.crowds), "size": 64}

    def measured(network: IdentityNetwork) -> dict:
        return {"held_out": measure(network, trainer.options)}

    return write_release(trainer, facts, describe, load_identity, measured, card)


def table(told: dict[str, dict]) -> list[str]:
    """What `measure` found as a Markdown table."""
    lines = [
        "| people not seen in training | frames | AUC | nearest is the same | same / different | pixels: AUC |",
        "|---|---|---|---|---|---|",
    ]
    for name, score in told.items():
        lines.append(
            f"| {name}: {score['people']} | {score['frames']} | {score['auc']:.3f} | {score['rank1']:.1%} | "
            f"{score['same']:.2f} / {score['different']:.2f} | {score['pixels']['auc']:.3f} |"
        )
    return lines


def card(config: dict, metrics: dict, network: IdentityNetwork) -> str:
    """The model card."""
    return CARD.format(
        hash=config["hash"],
        size=f"{sum(value.numel() for value in network.parameters()):,}",
        features=config["config"]["features"],
        steps=config["step"],
        minutes=round(metrics["training_minutes"]),
        table="\n".join(table(metrics["held_out"])),
        people=PEOPLE,
        each=EACH,
        shots=SHOTS,
    )


CARD = """---
license: apache-2.0
library_name: vidgan
tags: [identity, metrics]
---
# The identity embedder of vidgan's metrics ({hash})

A convolutional network of {size} parameters that turns a frame, seen at 64x64, into a vector of {features} numbers and
length 1: near for frames of one person, far for two. `acd_c_vidgan-{hash}_...` and `acd_i_vidgan-{hash}_...` are
distances between such vectors; they compare with each other and with nothing in the papers, which use OpenFace.

It looks at whole frames and searches for no face, so it never reports that nobody was found.

Trained by `recipes/identity.sh`: {steps} steps of 168 frames, {minutes} minutes on part of one core; supervised
contrastive loss over three frames each of 32 drawn faces (any expression, moment and turn of the head; shirt and
background drawn anew for each frame, as they are not the face), 16 sprites and 8 filmed people of training splits.
Every second drawn person is the relative of another, with all but three features the same.

## How well it tells people apart whom it has not seen

{table}

Pairs of frames from different clips, same person or not: AUC is the share of (same, different) pairs that the distances
put in the right order; 0.5 is guessing. `expressions`: {each} clips each of {people} held-out people, a random frame of
each clip; `other clothes`: shirt and background drawn anew in every frame; `relatives`: so too, and every second person
shares all but three of ten features with another. `sprites`: held-out characters, {each} drawings of any motion.
`weizmann`: {shots} frames of each of the 12 test clips of three subjects, who wear other clothes in some of them; three
people are few, and six to learn from are too. `same / different`: mean distances. `pixels`: AUC of the distances of the
frames as they are.

Licence: Apache-2.0.
"""
