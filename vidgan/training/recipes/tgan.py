"""How TGAN is trained (Sections 4 and 6; the released code where the paper is silent).

A WGAN: D gives numbers whose means over real and generated clips are driven apart, as far as a 1-Lipschitz function
can. What keeps it one is the clipping of its singular values, every few steps. One step: G first, then D on the same
generated clips.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
from torch import Tensor

from ...errors import VidganError
from ...models.tgan import TGANConfig, clip_singular_values
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe


@dataclass(frozen=True)
class TGANRecipe(Recipe):
    """How TGAN learns; the defaults are the released configuration for UCF-101, but for `ema` (its weights are the last
    ones: 0)."""

    lr_generator: float = 5e-5  # learning rate of RMSprop for G
    lr_discriminator: float = 5e-5  # and for D
    smoothing: float = 0.99  # decay of RMSprop's mean of squared gradients
    clip_every: int = 5  # steps between clippings of D's singular values
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if self.clip_every < 1 or not 0 <= self.ema < 1:
            raise VidganError("clip_every must be at least 1, ema must lie in [0, 1).")
        check_adam(self.learning_rates(), (self.smoothing,))

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator}

    def optimizer(self, parameters: Iterable[Tensor], rate: float) -> torch.optim.Optimizer:
        return torch.optim.RMSprop(parameters, lr=rate, alpha=self.smoothing)

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are, always the same two."""
        return (Phase(("generator",), self.generator), Phase(("video",), self.discriminator))

    def constrain(self, networks: Networks, updated: tuple[str, ...], step: int) -> None:
        if "video" in updated and (step + 1) % self.clip_every == 0:
            clip_singular_values(networks.plain["video"])

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        with networks.frozen("video"):
            return {"g_video": -networks.plain["video"](fake, micro.condition).float().mean()}

    def discriminator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=False).detach()
        real, made = (networks["video"](clip, micro.condition).float().mean() for clip in (micro.batch.clip, fake))
        return {"d_video": made - real}


@dataclass(frozen=True)
class TGANOptions(TrainOptions):
    """Train TGAN (Saito et al., ICCV 2017). The same command again resumes the run."""

    architecture: ClassVar[str] = "tgan"

    conditional: bool = False
    model: TGANConfig = field(default_factory=TGANConfig)
    recipe: TGANRecipe = field(default_factory=TGANRecipe)

    def check(self) -> "TGANOptions":
        if self.micro_batches > 1:
            raise VidganError(
                "These options do not go together: micro_batches with tgan: D would see other clips than G was trained "
                "on."
            )
        return super().check()


#: as released for UCF-101
PAPER = TGANOptions(batch=32, recipe=TGANRecipe(ema=0.0))
#: What we train with: averaged weights, RMSprop four times as fast.
SMALL = replace(PAPER, recipe=TGANRecipe(lr_generator=2e-4, lr_discriminator=2e-4), precision="bf16", batch=64)

PRESETS = {
    "paper": PAPER,
    "conditional": replace(PAPER, conditional=True),
    "fast-ema": SMALL,
    "cpu-fast-ema": replace(SMALL, model=TGANConfig(width=32), batch=16),
    "smoke": smoke(SMALL, TGANConfig(width=4)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-fast-ema", "gpu": "fast-ema"}
