"""How G3AN is trained (Sections 3.3 and 4.1; the released code where the paper is silent).

One step: D_V on whole clips and D_I on single frames of them, then G against both, on the same generated batch.
L = L_V + L_I (Eq. 2), each the logistic loss, non-saturating for G; real and generated terms are added, not halved.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ...conditions import Condition
from ...errors import VidganError, unknown
from ...models.g3an import G3ANConfig
from ..augment import POLICIES, augment
from ..losses import ADVERSARIAL, r1_penalty
from ..options import TrainOptions, check_adam, smoke
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe


@dataclass(frozen=True)
class G3ANRecipe(Recipe):
    """How G3AN learns; the defaults are the paper's, but for `ema` (its weights are the last ones: 0)."""

    loss: Literal["logistic", "hinge"] = "logistic"  # adversarial loss; the paper's is logistic
    lr_generator: float = 2e-4  # learning rate of Adam for G
    lr_discriminator: float = 2e-4  # and for D_V and D_I
    betas: tuple[float, float] = (0.5, 0.999)  # Adam's decay rates
    frames_to_image: int = 1  # frames of each clip for D_I: one at a random time (paper), or n evenly spaced
    r1: float = 0.0  # weight of the R1 penalty on real clips and frames; 0: none
    r1_every: int = 16  # steps between R1 penalties, each that much heavier
    augment: tuple[str, ...] = ()  # differentiable augmentation: flip, colour, translation, cutout
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if self.loss not in ADVERSARIAL:
            raise unknown("loss", self.loss, ADVERSARIAL)
        for name in self.augment:
            if name not in POLICIES:
                raise unknown("augmentation", name, POLICIES)
        if self.frames_to_image < 1 or self.r1 < 0 or self.r1_every < 1 or not 0 <= self.ema < 1:
            raise VidganError("frames_to_image and r1_every must be at least 1, r1 not negative, ema in [0, 1).")
        check_adam(self.learning_rates(), self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr_generator, "video": self.lr_discriminator, "image": self.lr_discriminator}

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are, always the same three."""
        return (Phase(("video", "image"), self.discriminators), Phase(("generator",), self.generator))

    def discriminators(self, networks: Networks, micro: Micro) -> Losses:
        loss, _ = ADVERSARIAL[self.loss]
        real = augment(micro.batch.clip, self.augment, micro.random)
        fake = augment(networks.fake(micro, grad=False).detach(), self.augment, micro.random)
        label = micro.condition.label
        both = Condition(None if label is None else label.repeat(2, 1))
        video = networks["video"](torch.cat([real, fake]), both).float().chunk(2)
        image = networks["image"](torch.cat([self._frames(real, micro), self._frames(fake, micro)])).float().chunk(2)
        losses = {"d_video": loss(*video), "d_image": loss(*image)}
        if self.r1 and micro.step % self.r1_every == 0:
            losses["r1"] = self.r1 * self.r1_every * self._r1(networks, real, micro)
        return losses

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        _, loss = ADVERSARIAL[self.loss]
        fake = augment(networks.fake(micro, grad=True), self.augment, micro.random)
        video, image = networks.plain["video"], networks.plain["image"]
        with networks.frozen("video", "image"):
            return {
                "g_video": loss(video(fake, micro.condition).float()),
                "g_image": loss(image(self._frames(fake, micro)).float()),
            }

    def _r1(self, networks: Networks, real: Tensor, micro: Micro) -> Tensor:
        with torch.autocast(real.device.type, enabled=False):
            real = real.detach().float().requires_grad_()
            video = networks.plain["video"](real, micro.condition)
            image = networks.plain["image"](self._frames(real, micro))
            return r1_penalty(video, real) + r1_penalty(image, real)

    def _frames(self, clip: Tensor, micro: Micro) -> Tensor:
        """clip [B, 3, T, H, W] -> frames [n * B, 3, H, W] for D_I, those of one time side by side."""
        spacing = clip.shape[2] / self.frames_to_image
        first = torch.rand((), generator=micro.random).item() * spacing
        times = [int(first + index * spacing) for index in range(self.frames_to_image)]
        return clip[:, :, times].permute(2, 0, 1, 3, 4).flatten(0, 1)


@dataclass(frozen=True)
class G3ANOptions(TrainOptions):
    """Train G3AN (Wang et al., CVPR 2020). The same command again resumes the run."""

    architecture: ClassVar[str] = "g3an"

    model: G3ANConfig = field(default_factory=G3ANConfig)
    recipe: G3ANRecipe = field(default_factory=G3ANRecipe)


PAPER = G3ANOptions(batch=96, recipe=G3ANRecipe(ema=0.0))

#: What learned several times faster in our trials at small widths: the label enters D_V by projection instead of as a
#: map, the generator has no spectral norm, learning rates are doubled, D_I sees four frames, weights are averaged.
PROJECTION = replace(
    PAPER,
    model=G3ANConfig(label_in_video="projection", spectral_norm=False),
    recipe=G3ANRecipe(lr_generator=4e-4, lr_discriminator=4e-4, frames_to_image=4),
)

PRESETS = {
    "paper": PAPER,
    "paper-ema": replace(PAPER, recipe=G3ANRecipe()),
    "projection-ema": replace(PROJECTION, batch=64, precision="bf16"),
    "cpu-projection-ema": replace(
        PROJECTION,
        model=replace(PROJECTION.model, width=16, attention_after=2),
        batch=16,
        precision="bf16",
    ),
    "r1-augment-ema": replace(
        PROJECTION,
        recipe=replace(PROJECTION.recipe, r1=1.0, augment=("colour", "translation")),
        batch=64,
        precision="bf16",
    ),
    "smoke": smoke(PROJECTION, replace(PROJECTION.model, width=4, attention_after=2)),
}
#: short names for the command line
ALIASES = {"cpu": "cpu-projection-ema", "gpu": "projection-ema"}
