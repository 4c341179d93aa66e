"""Train the embedder of identities: python -m vidgan.training.identity --run runs/identity

Frames of one person shall lie close together and those of others far apart (supervised contrastive loss, Khosla et al.
2020, the sum outside the logarithm), for drawn faces, sprites and filmed people alike. Half of the drawn people have a
relative in the batch, who shares most of their features, so that no single feature will do. The same command again
resumes; at the end, what the network tells of unseen people is measured, and it is released.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from ..data import open_source
from ..data.base import step_generator
from ..data.expressions import FACTORS, draw
from ..data.expressions.factors import FIRST_TEST_IDENTITY, identity_factors
from ..data.sprites import PERIOD, Sprites, factors_of
from ..data.weizmann import Weizmann
from ..metrics.corruptions import blur, noise
from ..metrics.identity import IdentityConfig, IdentityNetwork
from ..models.layers import channels_last
from .augment import augment
from .small import SmallOptions, SmallTrainer, command

#: data set -> people in a batch
PEOPLE = {"expressions": 32, "sprites": 16, "weizmann": 8}
#: what a drawn face keeps from frame to frame; shirt and background are drawn anew, as they are not the face
FACE = tuple(f.name for f in FACTORS if f.role == "appearance" and f.name not in ("shirt_colour", "background"))
#: features in which a relative differs
CHANGED = 3
#: orders of red, green and blue: filmed people, recoloured, count as other people, as there are only six
ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))

#: (random, people) -> image [people * each, 3, 64, 64] in [-1, 1]; `each` frames of one person stand together
Crowd = Callable[[torch.Generator, int], Tensor]


@dataclass(frozen=True)
class IdentityOptions(SmallOptions):
    """each: frames of each person in a batch; temperature: of the loss; features: length of the vector; all else as in
    `SmallOptions`."""

    run: Path = Path("runs/identity")
    release: Path = Path("checkpoints/identity")
    steps: int = 2000
    weight_decay: float = 0.02
    each: int = 3
    temperature: float = 0.1
    features: int = 64

    DECIDE: ClassVar[tuple[str, ...]] = ("each", "temperature", "features", *SmallOptions.DECIDE)


def open_crowds(options: IdentityOptions) -> dict[str, Crowd]:
    """A crowd of each data set's training people."""
    shared = {"split": "train", "frames": 1, "root": options.data_root}
    sprites, weizmann = open_source("sprites", **shared), open_source("weizmann", **shared)
    return {
        "expressions": lambda random, people: faces(random, people, options.each),
        "sprites": lambda random, people: characters(sprites, random, people, options.each),
        "weizmann": lambda random, people: subjects(weizmann, random, people, options.each),
    }


def faces(random: torch.Generator, people: int, each: int) -> Tensor:
    """Drawn people of the training numbers, in any expression at any moment of it, in any clothes; every second one is
    the relative of the one before."""
    identity = torch.randint(FIRST_TEST_IDENTITY, (people,), generator=random)
    person = identity_factors(identity)
    person = relatives({name: person[name] for name in FACE}, random)
    person = {name: value.repeat_interleave(each, 0) for name, value in person.items()}
    return draw(person | moments(people * each, random), 1, 64)[:, :, 0]


def relatives(person: dict[str, Tensor], random: torch.Generator) -> dict[str, Tensor]:
    """The same people, but every second one has all but CHANGED features of the one before."""
    people = len(person[FACE[0]])
    own = torch.rand(people, len(FACE), generator=random).argsort(1) < CHANGED  # features that a relative has alone
    own[::2] = True
    first = torch.arange(people) // 2 * 2
    return {name: torch.where(own[:, i], person[name], person[name][first]) for i, name in enumerate(FACE)}


def moments(count: int, random: torch.Generator) -> dict[str, Tensor]:
    """What differs between frames of one drawn person: clothes, background, expression and its moment, the turn of
    the head."""

    def even(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=random)

    still = {name: torch.zeros(count) for name in ("onset", "yaw_swing", "nod")}
    return still | {
        "shirt_colour": even(0, 1),
        "background": even(0, 1),
        "expression": torch.randint(6, (count,), generator=random),
        "intensity": even(0.7, 1),
        "speed": torch.ones(count),
        "start_phase": even(0, 1.7),
        "yaw_start": even(-0.3, 0.3),
        "blink": even(0, 2),
    }


def characters(source: Sprites, random: torch.Generator, people: int, each: int) -> Tensor:
    """Sprites of the training characters, in any drawing of any motion; every second one differs from the one before in
    a single layer."""
    number = source.characters[torch.randperm(len(source.characters), generator=random)[:people]]
    layers = torch.stack(factors_of(source.characters), 1)  # [characters, 4]
    for one in range(1, people, 2):
        differ = (layers != torch.stack(factors_of(number[one - 1]))).sum(1)
        near = source.characters[differ == 1]
        if len(near):
            number[one] = near[torch.randint(len(near), (), generator=random)]
    number = number.repeat_interleave(each)
    motion = torch.randint(len(source.labels), number.shape, generator=random)
    phase = torch.randint(PERIOD, number.shape, generator=random)
    return source.render(number, motion, phase)[:, :, 0]


def subjects(source: Weizmann, random: torch.Generator, people: int, each: int) -> Tensor:
    """Filmed people, in any frame of any of their clips, mirrored or not; recoloured, one of them is another."""
    known = source.known["subject"].unique()
    pair = torch.randperm(len(known) * len(ORDERS), generator=random)[:people].repeat_interleave(each)
    wanted, order = known[pair // len(ORDERS)], torch.tensor(ORDERS)[pair % len(ORDERS)]
    same = source.known["subject"] == wanted[:, None]  # [frames, clips]
    clip = torch.multinomial(same.float(), 1, generator=random)
    index = (torch.rand(clip.shape, generator=random) * source.lengths[clip]).long()
    image = source.pixels_of(clip[:, 0], index)[:, 0].float().div_(127.5).sub_(1).cpu()
    image = image.gather(1, order[:, :, None, None].expand_as(image))
    mirrored = torch.rand(len(image), 1, 1, 1, generator=random) < 0.5
    return torch.where(mirrored, image.flip(-1), image)


def worn(image: Tensor, random: torch.Generator) -> Tensor:
    """Frames [B, 3, H, W] as cameras and generators give them: shifted, a little brighter or darker, and a quarter of
    them blurred or noisy."""
    clip = augment(image[:, :, None], ("translation",), random)
    light, contrast = torch.rand(2, len(clip), 1, 1, 1, 1, generator=random)
    clip = (clip * (0.85 + 0.3 * contrast) + 0.2 * (light - 0.5)).clamp_(-1, 1)
    share, strength = torch.rand(len(clip), generator=random), torch.rand(2, generator=random)
    clip[share < 0.125] = blur(clip[share < 0.125], 0.4 * strength[0].item())
    clip[share > 0.875] = noise(clip[share > 0.875], 0.3 * strength[1].item(), random)
    return clip[:, :, 0]


def contrastive(vectors: Tensor, each: int, temperature: float) -> Tensor:
    """The supervised contrastive loss of unit vectors [people * each, d], `each` of one person standing together: for
    every pair of one person's, -log of its share among all pairs with the first (Khosla et al. 2020, eq. 2)."""
    count = len(vectors)
    who = torch.arange(count, device=vectors.device) // each
    near = (vectors @ vectors.T / temperature).masked_fill(torch.eye(count, device=vectors.device).bool(), -1e9)
    pairs = (who == who[:, None]) & ~torch.eye(count, device=vectors.device).bool()
    return -near.log_softmax(1)[pairs].mean()


class IdentityTrainer(SmallTrainer):
    """Network, optimiser, crowds of one run. `run()` trains; the parts are there for tests."""

    def __init__(self, options: IdentityOptions, crowds: dict[str, Crowd] | None = None):
        if options.threads:
            torch.set_num_threads(options.threads)
        self.crowds = crowds or open_crowds(options)
        torch.manual_seed(options.seed)
        config = IdentityConfig(width=options.width, features=options.features)
        super().__init__(options, channels_last(IdentityNetwork(config).to(options.device)))

    def batch(self, step: int) -> dict[str, Tensor]:
        """Data set -> frames [people * each, 3, 64, 64]; a pure function of (seed, step)."""
        random = step_generator(self.options.seed + 1, 0, step)
        return {data: worn(crowd(random, PEOPLE[data]), random) for data, crowd in self.crowds.items()}

    def train_step(self) -> dict[str, float]:
        """One step; the loss of each data set."""
        options = self.options
        batch = self.batch(self.step)
        image = torch.cat(list(batch.values())).to(options.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(torch.device(options.device).type, torch.bfloat16, enabled=options.precision == "bf16"):
            vectors = self.network.train()(image)
        parts = vectors.float().split([len(part) for part in batch.values()])
        losses = [contrastive(part, options.each, options.temperature) for part in parts]
        self.optimize(sum(losses))
        return {data: loss.item() for data, loss in zip(batch, losses)}


def _release(trainer: IdentityTrainer) -> Path:
    from .release_identity import release  # which imports this module

    return release(trainer)


def main(arguments: list[str] | None = None) -> int:
    return command("vidgan.training.identity", IdentityOptions, IdentityTrainer, arguments, _release)


if __name__ == "__main__":
    sys.exit(main())
