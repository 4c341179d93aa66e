"""How MVT-GAN is trained (Sections 4 and 6.2; the released code where the paper is silent).

One step: twice, on clips of their own, D_image learns from some frames and D_video from whole clips; then G against
both, on the second batch of generated clips. Hinge losses, the label told by projection.

Equation 2 as printed cannot be minimised: its term for real clips has lost the minus sign. What it means, and the
released code does, is max(0, 1 - D(x, y)) + max(0, 1 + D(G(z), y)). The released weights began with networks
pre-trained on ImageNet, which the paper does not say; training begins from nothing here.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from ...conditions import Condition
from ...errors import VidganError, unknown
from ...models.mvtgan import MVTGANConfig
from ..augment import POLICIES, augment
from ..flow import FLOWS, Flow, clip_flow, open_flow
from ..losses import ADVERSARIAL
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe

#: pixels a frame: what moves less counts as less alike, so that a clip that stands still gets a sane gradient
STILL = 0.01


@dataclass(frozen=True)
class MVTGANRecipe(Recipe):
    """How MVT-GAN learns; the defaults are the paper's, but for `ema` (its weights are the last ones: 0)."""

    lr_generator: float = 5e-5  # learning rate of Adam for G, its GRU included
    lr_discriminator: float = 2e-4  # and for D_video and D_image
    betas: tuple[float, float] = (0.0, 0.9)  # Adam's decay rates
    loss: str = "hinge"  # hinge (paper) or logistic
    discriminator_steps: int = 2  # steps of D for one of G, each on clips of its own
    frames_to_image: int = 8  # N, frames of each clip for D_image: 8 for UCF-101, 4 for Weizmann and Jester
    frames_again: bool = False  # draw these frames with replacement, as the released code does
    labels: Literal["data", "uniform"] = "data"  # of generated clips: those of the real ones (paper), or any (released)
    motion: float = 0.0  # alpha of Eq. 6, weight of the motion constraint; 1 in MVT-MC
    flow: str = "lucas-kanade"  # what it measures motion with: lucas-kanade, raft-small or raft-large
    flow_weights: str = ""  # file with the weights of RAFT
    variety: float = 0.0  # weight of a loss that wants generated clips of one label to differ as real ones do
    augment: tuple[str, ...] = ()  # differentiable augmentation: flip, colour, translation, cutout
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        for kind, name, known in (("loss", self.loss, ADVERSARIAL), ("optical flow", self.flow, FLOWS)):
            if name not in known:
                raise unknown(kind, name, known)
        for name in self.augment:
            if name not in POLICIES:
                raise unknown("augmentation", name, POLICIES)
        if (
            min(self.discriminator_steps, self.frames_to_image) < 1
            or min(self.motion, self.variety) < 0
            or not 0 <= self.ema < 1
        ):
            raise VidganError(
                "discriminator_steps and frames_to_image must be at least 1, motion and variety not negative, ema in "
                "[0, 1)."
            )
        check_adam(self.learning_rates(), self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator, "image": self.lr_discriminator}

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are, always the same three."""
        critics = [Phase(("video", "image"), self.discriminators, draw) for draw in range(self.discriminator_steps)]
        return (*critics, Phase(("generator",), self.generator, self.discriminator_steps - 1))

    def discriminators(self, networks: Networks, micro: Micro) -> Losses:
        loss, _ = ADVERSARIAL[self.loss]
        real, told = augment(micro.batch.clip, self.augment, micro.random), micro.condition.label
        if self.labels == "uniform" and told is not None:
            micro.condition = _any_labels(told, micro.random)
        fake = augment(networks.fake(micro, grad=False).detach(), self.augment, micro.random)
        both = (real, told), (fake, micro.condition.label)
        video = [networks["video"](clip, label).float() for clip, label in both]
        image = [networks["image"](self._frames(clip, micro), self._each(label)).float() for clip, label in both]
        return {"d_video": loss(*video), "d_image": loss(*image)}

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        _, loss = ADVERSARIAL[self.loss]
        clip = networks.fake(micro, grad=True)
        fake, label = augment(clip, self.augment, micro.random), micro.condition.label
        with networks.frozen("video", "image"):
            image = networks.plain["image"](self._frames(fake, micro), self._each(label))
            losses = {
                "g_video": loss(networks.plain["video"](fake, label).float()),
                "g_image": loss(image.float()),
            }
        if self.motion:
            with torch.autocast(clip.device.type, enabled=False):
                flow = _opened(self.flow, self.flow_weights, clip.device)
                likeness = motion_likeness(flow, micro, clip.float())
            if likeness is not None:
                losses["g_motion"] = self.motion * (1 - likeness)
        if self.variety:
            missing = lack_of_variety(micro, clip)
            if missing is not None:
                losses["g_variety"] = self.variety * missing
        return losses

    def _frames(self, clip: Tensor, micro: Micro) -> Tensor:
        """clip [B, 3, T, H, W] -> frames [n * B, 3, H, W] for D_image, at the same n random times for all clips."""
        count = clip.shape[2]
        if self.frames_again:
            times = torch.randint(count, (self.frames_to_image,), generator=micro.random)
        else:
            times = torch.randperm(count, generator=micro.random)[: self.frames_to_image]
        return clip[:, :, times].permute(2, 0, 1, 3, 4).flatten(0, 1)

    def _each(self, label: Tensor | None) -> Tensor | None:
        """Labels [B, classes] -> those of the frames that `_frames` gives."""
        return None if label is None else label.repeat(self.frames_to_image, 1)


@lru_cache(maxsize=1)
def _opened(name: str, weights: str, device: torch.device) -> Flow:
    return open_flow(name, weights, device)


def _any_labels(label: Tensor, random: torch.Generator) -> Condition:
    """As many labels, all classes alike likely."""
    classes = label.shape[1]
    return Condition.of_classes(torch.randint(classes, (len(label),), generator=random).to(label.device), classes)


def lack_of_variety(micro: Micro, fake: Tensor) -> Tensor | None:
    """How much less two generated clips of one label differ than two real ones do, 0 to 1: max(0, 1 - mean distance of
    generated pairs / mean distance of real pairs); clips [B, 3, T, H, W]. None where the batch has no pair, or where
    real clips of a label do not differ.

    The distance is the mean difference of colours, averaged over blocks of a quarter of the time and an eighth of
    height and width, so that noise does not count as variety. Not in the paper: against one clip for each label, as
    Yang et al. (2019, diversity-sensitive GANs) and Mao et al. (2019, mode seeking), with real clips for a measure.
    """
    made = micro.condition.label
    labels = (None, None) if made is None else (micro.batch.label, made.argmax(1))  # without labels, all are one
    distances = []
    for clip, label in zip((micro.batch.clip, fake), labels, strict=True):
        frames, size = max(1, clip.shape[2] // 4), max(1, clip.shape[3] // 8)
        blocks = F.avg_pool3d(clip.float(), (frames, size, size)).flatten(1)
        pairs = torch.ones(len(clip), len(clip), dtype=torch.bool, device=clip.device).triu(1)
        if label is not None:
            pairs &= label[:, None] == label[None]
        if not pairs.any():
            return None
        one, other = pairs.nonzero(as_tuple=True)
        distances.append((blocks[one] - blocks[other]).abs().mean())
    wanted, found = distances
    return F.relu(1 - found / wanted) if wanted > 0 else None


def motion_likeness(flow: Flow, micro: Micro, fake: Tensor) -> Tensor | None:
    """L_M of Eq. 5: cosine between the flow of each generated clip and of each real clip of its class, the mean over
    all such pairs; clips [B, 3, T, H, W]. None where no pair has a class in common. Without labels, all
    are one class."""
    made = micro.condition.label
    labels = micro.batch.label if made is not None else None
    pairs = torch.ones(len(fake), len(fake), dtype=torch.bool, device=fake.device)
    if labels is not None:
        pairs = made.argmax(1)[:, None] == labels[None]
    if not pairs.any():
        return None
    with torch.no_grad():
        real = clip_flow(flow, micro.batch.clip.float()).flatten(1)
    moved = clip_flow(flow, fake).flatten(1)
    least = STILL * moved.shape[1] ** 0.5
    cosine = F.normalize(moved, dim=1, eps=least) @ F.normalize(real, dim=1, eps=least).T
    return cosine[pairs].mean()


@dataclass(frozen=True)
class MVTGANOptions(TrainOptions):
    """Train MVT-GAN (Munoz et al. 2020). The same command again resumes the run."""

    architecture: ClassVar[str] = "mvtgan"

    model: MVTGANConfig = field(default_factory=MVTGANConfig)
    recipe: MVTGANRecipe = field(default_factory=MVTGANRecipe)

    def check(self) -> "MVTGANOptions":
        if self.recipe.frames_to_image > self.model.frames and not self.recipe.frames_again:
            raise VidganError(
                f"These options do not go together: recipe.frames_to_image {self.recipe.frames_to_image} of clips of "
                f"{self.model.frames} frames."
            )
        if self.recipe.motion:
            open_flow(self.recipe.flow, self.recipe.flow_weights)
        return super().check()


#: MVT-TSA as trained for UCF-101: 128 pixels, eight frames for D_image.
PAPER = MVTGANOptions(batch=64, recipe=MVTGANRecipe(ema=0.0))

#: The rows of Table 2 on Weizmann: 96 pixels, four frames for D_image, batches of 40.
TSA = replace(
    PAPER, model=MVTGANConfig(size=96), data="weizmann", batch=40, recipe=replace(PAPER.recipe, frames_to_image=4)
)
VAR = replace(TSA, model=replace(TSA.model, shifted_blocks=0))
MVT = replace(VAR, model=replace(VAR.model, deviation_a=1.0, deviation_c=1.0))

#: The authors' code, but for its ImageNet start.
RELEASED = replace(
    PAPER,
    model=MVTGANConfig(shift_divisor=3, shift_placement="block", normalised_codes=True),
    batch=48,
    micro_batches=8,
    recipe=replace(PAPER.recipe, frames_again=True, labels="uniform"),
)

#: What we train with, at 64 pixels: averaged weights, four frames for D_image, higher learning rates at small widths.
SMALL = replace(
    PAPER,
    model=MVTGANConfig(size=64, width=64, hidden=512),
    batch=64,
    precision="bf16",
    recipe=MVTGANRecipe(frames_to_image=4),
)

PRESETS = {
    "paper": PAPER,
    "mvt": MVT,
    "mvt-mc": replace(MVT, recipe=replace(MVT.recipe, motion=1.0)),
    "mvt-var": VAR,
    "mvt-tsa": TSA,
    "released": RELEASED,
    "tsa-ema": SMALL,
    "cpu-tsa-ema": replace(
        SMALL,
        model=replace(
            SMALL.model,
            width=8,
            hidden=256,
            spectral_norm=False,
            gru_input="z",
            normalised_codes=True,
            minibatch_std=True,
        ),
        batch=16,
        recipe=replace(SMALL.recipe, loss="logistic", lr_generator=4e-4, discriminator_steps=1, variety=5.0, ema=0.99),
    ),
    "smoke": smoke(SMALL, replace(SMALL.model, width=4, hidden=16, embedding=8)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-tsa-ema", "gpu": "tsa-ema"}
