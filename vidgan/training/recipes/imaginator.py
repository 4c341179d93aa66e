"""How ImaGINator is trained (Section 3.2, Algorithm 1 and Section 4; the released code where the paper is silent).

One step: G is shown the first frame of each clip, its label and noise; D_V on clips with their labels and D_I on frames
of them learn first, then G against both, on the same generated batch, with the distance to the real clip added.

Algorithm 1 as printed cannot be minimised (its signs are those of maximisation for D and of saturation for G) and puts
the sum of two probabilities into one logarithm. What it means is made explicit here: logistic losses on logits, one
for each discriminator, non-saturating for G, negatives of D_V weighing 0.5 each: generated clips with the right label,
and real clips with a wrong one.
"""

import math
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import VidganError, unknown
from ...models.imaginator import ImaGINatorConfig
from ..losses import l1
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe


@dataclass(frozen=True)
class ImaGINatorRecipe(Recipe):
    """How ImaGINator learns; the defaults are the paper's, but for `ema` (its weights are the last ones: 0).

    `reconstruction` is lambda of Eq. 1, and means nothing without `reduction`. A clip of 32 frames has 393,216 values:
    the paper's 1e-3 on their sum equals 393 on their mean; the released code's 100 on their mean equals 2.5e-4 on their
    sum. On a mean, the paper's 1e-3 would not be felt at all.
    """

    lr_generator: float = 2e-4  # learning rate of Adam for G
    lr_discriminator: float = 5e-5  # and for D_V and D_I
    betas: tuple[float, float] = (0.5, 0.999)  # Adam's decay rates
    adversarial: float = 1.0  # weight of what D_V and D_I tell G; 0 trains on reconstruction alone (B.1)
    reconstruction: float = 1e-3  # lambda, weight of the L1 distance to the real clip; 0: adversarial alone (B.1)
    reduction: Literal["sum", "mean"] = "sum"  # of that distance over the values of a clip
    frames_to_image: int = 16  # N, frames of each clip at random times for D_I
    wrong_labels: bool = True  # real clips with wrong labels are negatives of D_V, where there are labels (Algorithm 1)
    generator_first: bool = False  # G steps before the discriminators, as in the released code
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if self.reduction not in ("sum", "mean"):
            raise unknown("reduction", self.reduction, ("sum", "mean"))
        weights = self.adversarial, self.reconstruction
        if not all(0 <= weight < math.inf for weight in weights) or not any(weights):
            raise VidganError("adversarial and reconstruction are numbers from 0 on, and not both 0.")
        if not 1 <= self.frames_to_image <= 32 or not 0 <= self.ema < 1:
            raise VidganError("frames_to_image must lie between 1 and 32, ema in [0, 1).")
        check_adam(self.learning_rates(), self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator, "image": self.lr_discriminator}

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are; without adversarial losses the discriminators stay as they are."""
        critics = tuple(name for name in names if name != "generator")
        generator = Phase(("generator",), self.generator)
        if not self.adversarial:
            return (generator,)
        order = (Phase(critics, self.discriminators), generator)
        return order[::-1] if self.generator_first else order

    def discriminators(self, networks: Networks, micro: Micro) -> Losses:
        real, fake = micro.batch.clip, networks.fake(micro, grad=False).detach()
        losses = {}
        if networks.plain["video"].config.classifies:
            losses |= self._classifying(networks, micro, real, fake)
        else:
            negatives = [(fake, micro.condition.label)]
            if self.wrong_labels and micro.condition.label is not None:
                negatives.append((real, other_labels(micro.condition.label, micro.random)))
            losses["d_video"] = self._telling(networks, micro, real, negatives)
        if "image" in networks.plain:
            frames = torch.cat([self._frames(real, micro), self._frames(fake, micro)])
            told, untold = networks["image"](frames).float().chunk(2)
            losses["d_image"] = F.softplus(-told).mean() + F.softplus(untold).mean()
        return losses

    def _telling(self, networks: Networks, micro: Micro, real: Tensor, negatives: list) -> Tensor:
        """Algorithm 1, line 7: -log D_V(x, c) - the mean over negatives of log(1 - D_V), in one pass."""
        clips = torch.cat([real, *(clip for clip, _ in negatives)])
        label = micro.condition.label
        labels = None if label is None else torch.cat([label, *(label for _, label in negatives)])
        told, *untold = networks["video"](clips, replace(micro.condition, label=labels)).float().split(len(real))
        return F.softplus(-told).mean() + torch.stack([F.softplus(logits).mean() for logits in untold]).mean()

    def _classifying(self, networks: Networks, micro: Micro, real: Tensor, fake: Tensor) -> Losses:
        """D_V(ac): real or not of both, and the class of real clips (Odena et al. 2017)."""
        told, untold = networks["video"](torch.cat([real, fake])).float().chunk(2)
        return {
            "d_video": F.softplus(-told[:, 0]).mean() + F.softplus(untold[:, 0]).mean(),
            "d_class": F.cross_entropy(told[:, 1:], micro.condition.label),
        }

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        losses = {}
        if self.reconstruction:
            losses["g_l1"] = self.reconstruction * l1(fake.float(), micro.batch.clip, self.reduction)
        if not self.adversarial:
            return losses
        critics = [name for name in networks.plain if name != "generator"]
        with networks.frozen(*critics):
            score = networks.plain["video"](fake, micro.condition).float()
            if networks.plain["video"].config.classifies:
                losses["g_class"] = self.adversarial * F.cross_entropy(score[:, 1:], micro.condition.label)
                score = score[:, 0]
            losses["g_video"] = self.adversarial * F.softplus(-score).mean()
            if "image" in networks.plain:
                score = networks.plain["image"](self._frames(fake, micro)).float()
                losses["g_image"] = self.adversarial * F.softplus(-score).mean()
        return losses

    def _frames(self, clip: Tensor, micro: Micro) -> Tensor:
        """clip [B, 3, T, H, W] -> frames [n * B, 3, H, W] for D_I, at the same n random times for all clips."""
        times = torch.randperm(clip.shape[2], generator=micro.random)[: self.frames_to_image]
        return clip[:, :, times].permute(2, 0, 1, 3, 4).flatten(0, 1)


def other_labels(label: Tensor, random: torch.Generator) -> Tensor:
    """One-hot labels [B, classes] -> for each another class, all others alike likely; a single class has no other, and
    is answered by no class at all."""
    classes = label.shape[1]
    if classes == 1:
        return torch.zeros_like(label)
    step = torch.randint(1, classes, (len(label),), generator=random).to(label.device)
    return F.one_hot((label.argmax(1) + step) % classes, classes).to(label.dtype)


@dataclass(frozen=True)
class ImaGINatorOptions(TrainOptions):
    """Train ImaGINator (Wang et al., WACV 2020). The same command again resumes the run."""

    architecture: ClassVar[str] = "imaginator"

    model: ImaGINatorConfig = field(default_factory=ImaGINatorConfig)
    recipe: ImaGINatorRecipe = field(default_factory=ImaGINatorRecipe)

    def check(self) -> "ImaGINatorOptions":
        wrong = []
        if self.recipe.frames_to_image > self.model.frames and self.model.image_discriminator:
            wrong.append(f"recipe.frames_to_image {self.recipe.frames_to_image} of clips of {self.model.frames} frames")
        if self.recipe.generator_first and self.micro_batches > 1:
            wrong.append("recipe.generator_first with micro_batches: D would see other clips than G was trained on")
        if wrong:
            raise VidganError("These options do not go together: " + "; ".join(wrong) + ".")
        return super().check()


PAPER = ImaGINatorOptions(batch=64, recipe=ImaGINatorRecipe(ema=0.0))

#: The authors' code: equal learning rates, lambda 100 on the mean, one frame for D_I, no wrong labels, G first.
RELEASED = replace(
    PAPER,
    recipe=replace(
        PAPER.recipe,
        lr_discriminator=2e-4,
        reconstruction=100.0,
        reduction="mean",
        frames_to_image=1,
        wrong_labels=False,
        generator_first=True,
    ),
)

#: What we train with: the paper's wrong labels, the authors' lambda and learning rates, four frames for D_I, and
#: averaged weights.
MIXED = replace(
    PAPER,
    recipe=replace(
        PAPER.recipe, lr_discriminator=2e-4, reconstruction=100.0, reduction="mean", frames_to_image=4, ema=0.999
    ),
)

PRESETS = {
    "paper": PAPER,
    "paper-ema": replace(PAPER, recipe=ImaGINatorRecipe()),
    "released": RELEASED,
    "mixed-ema": replace(MIXED, precision="bf16"),
    "cpu-mixed-ema": replace(
        MIXED,
        model=ImaGINatorConfig(width=16),
        recipe=replace(MIXED.recipe, lr_generator=4e-4),
        batch=16,
        precision="bf16",
    ),
    "smoke": smoke(MIXED, ImaGINatorConfig(width=4, frames=16)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-mixed-ema", "gpu": "mixed-ema"}
