"""How MoCoGAN is trained (Section 3.2 and 4; the released code where the paper is silent).

One step: D_V on whole clips and D_I on one random frame of each, then G against both, on the same generated clips (the
released code draws three times, for D_I, D_V and G). With classes, D_V learns them from real clips, and G is to draw
clips that it takes for the class that they were told (InfoGAN).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import VidganError
from ...models.mocogan import MoCoGANConfig
from ..losses import logistic_discriminator, logistic_generator
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe


@dataclass(frozen=True)
class MoCoGANRecipe(Recipe):
    """How MoCoGAN learns; the defaults are the released code's, but for `ema` (its weights are the last ones: 0)."""

    lr_generator: float = 2e-4  # learning rate of Adam for G
    lr_discriminator: float = 2e-4  # and for D_V and D_I
    betas: tuple[float, float] = (0.5, 0.999)  # Adam's decay rates
    weight_decay: float = 1e-5  # L2 penalty that Adam adds
    classify: float = 1.0  # weight of the classes' cross-entropy, in D_V and in G
    first_frame: float = 10.0  # weight of the squared distance from the image to the first frame, where there is one
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if min(self.weight_decay, self.classify, self.first_frame) < 0 or not 0 <= self.ema < 1:
            raise VidganError("weight_decay, classify and first_frame cannot be negative, ema must lie in [0, 1).")
        check_adam(self.learning_rates(), self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator, "image": self.lr_discriminator}

    def optimizer(self, parameters: Iterable[Tensor], rate: float) -> torch.optim.Optimizer:
        return torch.optim.Adam(parameters, lr=rate, betas=self.betas, weight_decay=self.weight_decay)

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are, always the same three."""
        return (Phase(("video", "image"), self.discriminators), Phase(("generator",), self.generator))

    def discriminators(self, networks: Networks, micro: Micro) -> Losses:
        real, fake = micro.batch.clip, networks.fake(micro, grad=False).detach()
        told, untold = (networks["video"](clip).float() for clip in (real, fake))
        frames = [networks["image"](self._frame(clip, micro)).float() for clip in (real, fake)]
        losses = {
            "d_video": logistic_discriminator(told[:, :1], untold[:, :1]),
            "d_image": logistic_discriminator(*frames),
        }
        if micro.condition.label is not None:
            losses["d_class"] = self.classify * F.cross_entropy(told[:, 1:], micro.condition.label)
        return losses

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        with networks.frozen("video", "image"):
            score = networks.plain["video"](fake).float()
            losses = {
                "g_video": logistic_generator(score[:, :1]),
                "g_image": logistic_generator(networks.plain["image"](self._frame(fake, micro)).float()),
            }
        if micro.condition.label is not None:
            losses["g_class"] = self.classify * F.cross_entropy(score[:, 1:], micro.condition.label)
        if micro.condition.image is not None:
            losses["g_first"] = self.first_frame * F.mse_loss(fake[:, :, 0].float(), micro.condition.image)
        return losses

    def _frame(self, clip: Tensor, micro: Micro) -> Tensor:
        """clip [B, 3, T, H, W] -> a frame of each at a random time of its own, [B, 3, H, W]."""
        times = torch.randint(clip.shape[2], (len(clip),), generator=micro.random).to(clip.device)
        return clip[torch.arange(len(clip), device=clip.device), :, times]


@dataclass(frozen=True)
class MoCoGANOptions(TrainOptions):
    """Train MoCoGAN (Tulyakov et al., CVPR 2018). The same command again resumes the run."""

    architecture: ClassVar[str] = "mocogan"

    model: MoCoGANConfig = field(default_factory=MoCoGANConfig)
    recipe: MoCoGANRecipe = field(default_factory=MoCoGANRecipe)


#: as released: batches of 32
PAPER = MoCoGANOptions(batch=32, recipe=MoCoGANRecipe(ema=0.0))
IMAGE = replace(PAPER, model=MoCoGANConfig(image=True))
SMALL = replace(PAPER, recipe=MoCoGANRecipe(), precision="bf16", batch=64)

PRESETS = {
    "paper": PAPER,
    "image": IMAGE,
    "paper-ema": SMALL,
    "image-ema": replace(SMALL, model=IMAGE.model),
    "cpu-ema": replace(SMALL, model=MoCoGANConfig(width=24), batch=16),
    "cpu-image-ema": replace(SMALL, model=MoCoGANConfig(width=24, image=True), batch=16),
    "smoke": smoke(SMALL, MoCoGANConfig(width=4)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-ema", "gpu": "paper-ema", "cpu-image": "cpu-image-ema"}
