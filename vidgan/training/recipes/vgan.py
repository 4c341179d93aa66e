"""How VGAN is trained (Section 3; the released code where the paper is silent).

One step: D on whole clips, then G against it on the same generated ones, which is kept from showing everything as
foreground by an L1 penalty on the mask. Conditional on an image, G is held to the clip's first frame, too.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from ...errors import VidganError
from ...models.vgan import VGANConfig
from ..losses import l1, logistic_discriminator, logistic_generator
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe


@dataclass(frozen=True)
class VGANRecipe(Recipe):
    """How VGAN learns; the defaults are the paper's, but for `ema` (its weights are the last ones: 0)."""

    lr_generator: float = 2e-4  # learning rate of Adam for G
    lr_discriminator: float = 2e-4  # and for D
    betas: tuple[float, float] = (0.5, 0.999)  # Adam's decay rates
    mask: float = 0.1  # lambda: weight of the mask's mean; the image-conditional code has none
    first_frame: float = 10.0  # weight of the L1 distance from the image to the first frame, where there is an image
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if min(self.mask, self.first_frame) < 0 or not 0 <= self.ema < 1:
            raise VidganError("mask and first_frame cannot be negative, ema must lie in [0, 1).")
        check_adam(self.learning_rates(), self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator}

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are, always the same two."""
        return (Phase(("video",), self.discriminator), Phase(("generator",), self.generator))

    def discriminator(self, networks: Networks, micro: Micro) -> Losses:
        real, fake = micro.batch.clip, networks.fake(micro, grad=False).detach()
        return {"d_video": logistic_discriminator(networks["video"](real).float(), networks["video"](fake).float())}

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        with networks.frozen("video"):
            losses = {"g_video": logistic_generator(networks.plain["video"](fake).float())}
        if self.mask:
            losses["g_mask"] = self.mask * networks.plain["generator"].last_mask.float().mean()
        if micro.condition.image is not None:
            losses["g_first"] = self.first_frame * l1(fake[:, :, 0].float(), micro.condition.image)
        return losses


@dataclass(frozen=True)
class VGANOptions(TrainOptions):
    """Train VGAN (Vondrick et al., NIPS 2016). The same command again resumes the run."""

    architecture: ClassVar[str] = "vgan"

    conditional: bool = False
    model: VGANConfig = field(default_factory=VGANConfig)
    recipe: VGANRecipe = field(default_factory=VGANRecipe)

    def check(self) -> "VGANOptions":
        if self.conditional:
            raise VidganError("VGAN takes no label: train it with --no-conditional.")
        return super().check()


#: as published, at 32 frames
PAPER = VGANOptions(model=VGANConfig(frames=32), batch=64, recipe=VGANRecipe(ema=0.0))
#: Section 4.3: an image is animated; no penalty on the mask
IMAGE = replace(PAPER, model=VGANConfig(frames=32, image=True), batch=32, recipe=replace(PAPER.recipe, mask=0.0))
#: What we train with: 16 frames, averaged weights.
SMALL = replace(PAPER, model=VGANConfig(), recipe=VGANRecipe(), precision="bf16")

PRESETS = {
    "paper": PAPER,
    "image": IMAGE,
    "16-frames-ema": SMALL,
    "image-16-frames-ema": replace(IMAGE, model=VGANConfig(image=True), recipe=VGANRecipe(mask=0.0), precision="bf16"),
    "cpu-16-frames-ema": replace(SMALL, model=VGANConfig(width=24), batch=16),
    "cpu-image-16-frames-ema": replace(
        SMALL, model=VGANConfig(width=16, image=True), recipe=VGANRecipe(mask=0.0), batch=16
    ),
    "smoke": smoke(SMALL, VGANConfig(width=4)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-16-frames-ema", "gpu": "16-frames-ema", "cpu-image": "cpu-image-16-frames-ema"}
