"""How Progressive Video GAN is trained (Sections 4 and 5; the released code where the paper is silent).

One step: D, and with it the head of the sliced distance, on real and generated clips at the stage of growth that the
step is at; then G against both. Equation 5.3 with its two penalties, or WGAN-GP (Eq. 2.7).

The released code plays the mirror image of Equation 5.3 (D gives real clips the lower values); so does its preset.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from ...errors import VidganError, unknown
from ...models.progressive import SLOPE, ProgressiveConfig, fade_clip
from ..growth import Growth, Moment
from ..losses import gradient_of
from ..options import TrainOptions, check_adam
from ..phases import Losses, Micro, Networks, Phase
from ..recipe import Recipe

PENALTIES = ("paper", "released")


@dataclass(frozen=True)
class ProgressiveRecipe(Recipe):
    """How Progressive Video GAN learns; the defaults are those of the sliced Wasserstein loss."""

    growth: Growth = field(default_factory=Growth)
    lr: float = 1e-3  # learning rate of Adam, for all networks
    lr_128: float = 1.5e-3  # and from 128 pixels on
    betas: tuple[float, float] = (0.0, 0.99)  # Adam's decay rates
    penalty: str = "paper"  # penalties of Eq. 5.3 as printed, or as the released code has them
    gradient: float = 10.0  # lambda_1: weight of the penalty on D's gradient, with a score that of WGAN-GP
    slope: float = 10.0  # lambda_2: weight of the penalty on the head's
    slope_target: float = 0.01  # k: what the norm of the head's gradient is drawn to
    drift: float = 1e-3  # weight of D(x)^2 for real clips, with a score (WGAN-GP)
    mirror: bool = True  # half of the real clips are mirrored
    ema: float = 0.999  # decay of the averaged generator that is published

    def __post_init__(self):
        if self.penalty not in PENALTIES:
            raise unknown("penalty", self.penalty, PENALTIES)
        if min(self.gradient, self.slope, self.slope_target, self.drift) < 0 or not 0 <= self.ema < 1:
            raise VidganError("gradient, slope, slope_target and drift cannot be negative, ema must lie in [0, 1).")
        check_adam({**self.learning_rates(), "networks from 128 pixels on": self.lr_128}, self.betas)

    def learning_rates(self) -> dict[str, float]:
        return {"generator": self.lr, "video": self.lr, "head": self.lr}

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """names: the networks that there are; with "head", the loss is the sliced distance."""
        critics = tuple(name for name in names if name != "generator")
        critic, generator = (self.sliced, self.sliced_generator) if "head" in names else (self.score, self.generator)
        return (Phase(critics, critic), Phase(("generator",), generator))

    # --- WGAN-GP ---------------------------------------------------------------------------------------------------
    def score(self, networks: Networks, micro: Micro) -> Losses:
        real, fake = self._clips(networks, micro)
        scores = [networks["video"](clip, micro.condition.stage).float() for clip in (real, fake)]
        between, _ = _between(real, fake, micro)
        gradient = gradient_of(networks.plain["video"](between, micro.condition.stage), between)
        return {
            "d_video": scores[1].mean() - scores[0].mean(),
            "gradient": self.gradient * (gradient.norm(dim=1) - 1).square().mean(),
            "drift": self.drift * scores[0].square().mean(),
        }

    def generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        with networks.frozen("video"):
            return {"g_video": -networks.plain["video"](fake, micro.condition.stage).float().mean()}

    # --- the sliced distance -----------------------------------------------------------------------------------------
    def sliced(self, networks: Networks, micro: Micro) -> Losses:
        real, fake = self._clips(networks, micro)
        features = [networks["video"](clip, micro.condition.stage).float() for clip in (real, fake)]
        scores = [networks["head"](one).mean() for one in features]
        between, share = _between(real, fake, micro)
        encoded = networks.plain["video"](between, micro.condition.stage)
        y, apart = _between(*features, micro)
        if self.penalty == "released":  # where E learns from it, too
            y = torch.lerp(*features, apart)
        penalties = self._released if self.penalty == "released" else self._printed
        return {
            "d_video": self._sign * (scores[1] - scores[0]),
            **penalties(networks.plain["head"], between, share, encoded, y, micro),
        }

    def sliced_generator(self, networks: Networks, micro: Micro) -> Losses:
        fake = networks.fake(micro, grad=True)
        with networks.frozen("video", "head"):
            score = networks.plain["head"](networks.plain["video"](fake, micro.condition.stage))
        return {"g_video": -self._sign * score.mean()}

    @property
    def _sign(self) -> int:
        return -1 if self.penalty == "released" else 1

    def _printed(self, head, between: Tensor, share: Tensor, encoded: Tensor, y: Tensor, micro: Micro) -> Losses:
        """Eq. 5.3. The squared norm of E's Jacobian, divided by the number of features, is estimated from one product
        with random signs, whose expectation it is (Hutchinson 1990)."""
        signs = torch.randint(0, 2, encoded.shape, generator=micro.random).to(encoded.device) * 2.0 - 1.0
        jacobian = gradient_of(encoded.float() * signs, between)
        slope = gradient_of(head(y), y).norm(dim=1)
        return {
            "gradient": self.gradient * jacobian.square().sum(1).mean() / encoded.shape[1],
            "slope": self.slope * (slope - self.slope_target).square().mean(),
        }

    def _released(self, head, between: Tensor, share: Tensor, encoded: Tensor, y: Tensor, micro: Micro) -> Losses:
        """The gradient of f(E(x)) instead of E's, times 1 - a; and, where the slope of f was meant, lambda times the
        size of what leaky ReLU gives."""
        gradient = (1 - share.flatten(1)) * gradient_of(head(encoded), between)
        along = F.leaky_relu(head.along(y), SLOPE)
        size = head.scale * (0.1 * (along.abs() - along) + 0.5 * (along.abs() + along))
        return {
            "gradient": self.gradient * gradient.square().sum(1).mean(),
            "slope": self.slope * (size - self.slope_target).square().mean(),
        }

    def _clips(self, networks: Networks, micro: Micro) -> tuple[Tensor, Tensor]:
        """Real clips, some mirrored, and generated ones, both at the stage that the condition names."""
        real = micro.batch.clip
        if self.mirror:
            turned = torch.rand(len(real), generator=micro.random).to(real.device) < 0.5
            real = torch.where(turned[:, None, None, None, None], real.flip(-1), real)
        return real, networks.fake(micro, grad=False).detach().to(real.dtype)


def _between(real: Tensor, fake: Tensor, micro: Micro) -> tuple[Tensor, Tensor]:
    """A random point on the line from each real to a generated one, ready for a gradient, and how far it is along."""
    share = torch.rand(len(real), *[1] * (real.dim() - 1), generator=micro.random).to(real.device)
    return torch.lerp(real.detach(), fake.detach(), share).requires_grad_(), share


@dataclass(frozen=True)
class ProgressiveOptions(TrainOptions):
    """Train Progressive Video GAN (Acharya et al. 2018). The same command again resumes the run.

    --batch is that of the last level; the others have more clips a step, as growth.batches says. --steps 0: as many as
    the whole schedule takes; fewer stop before the clips have grown in full, more train on at the last level.
    """

    architecture: ClassVar[str] = "progressive"
    grows: ClassVar[bool] = True

    conditional: bool = False
    steps: int = 0
    model: ProgressiveConfig = field(default_factory=ProgressiveConfig)
    recipe: ProgressiveRecipe = field(default_factory=ProgressiveRecipe)

    @property
    def sizes(self) -> list[int]:
        return [size for _, size in self.model.levels]

    def check(self) -> "ProgressiveOptions":
        if self.conditional:
            raise VidganError("Progressive Video GAN takes no label: train it with --no-conditional.")
        if self.recipe.growth.first and not self.init:
            raise VidganError("growth.first is for networks that have grown already: name them by --init.")
        for size in self.sizes:
            batch = self.recipe.growth.batch(size, self.model.size, self.batch)
            if batch % self.micro_batches or batch // self.micro_batches < 2:
                raise VidganError(
                    f"These options do not go together: {batch} clips a step at {size} pixels, in micro_batches "
                    f"{self.micro_batches} of at least 2."
                )
        return super().check()

    def settled(self, world: int = 1) -> "ProgressiveOptions":
        return self if self.steps else replace(self, steps=self.whole(world))

    def whole(self, world: int = 1) -> int:
        """Steps of the whole schedule on so many processes."""
        return self.recipe.growth.steps(self.sizes, self.batch, world)

    def moment(self, step: int, world: int = 1) -> Moment:
        found = self.recipe.growth.moment(step, self.sizes, self.batch, world)
        large = found.stage is not None and self.sizes[self.model.split(found.stage)[0]] >= 128
        return replace(found, rate=self.recipe.lr_128 / self.recipe.lr if large and self.recipe.lr else 1.0)

    def at_stage(self, clip: Tensor, stage: float) -> Tensor:
        return fade_clip(clip, self.model, stage)


#: Table A.1 and A.2, up to 256 pixels, with the sliced distance of Eq. 5.3, and with one score
SWGAN = ProgressiveOptions(model=ProgressiveConfig(size=256), batch=4)
WGAN = replace(SWGAN, model=replace(SWGAN.model, critic="score"))
#: The authors' code: its frames by level, its penalties, directions that are left free.
RELEASED = replace(
    SWGAN,
    model=replace(SWGAN.model, schedule="released", orthonormal=False),
    recipe=ProgressiveRecipe(penalty="released", gradient=50.0),
)
#: on a GPU: the same in bf16
FAST = replace(SWGAN, precision="bf16")
#: What we train with on processors: 64 pixels, a third of the channels, a hundredth of the clips; with so few steps at
#: a level the average has to forget sooner.
SMALL = replace(
    SWGAN,
    model=ProgressiveConfig(size=64, width=48),
    batch=8,
    precision="bf16",
    recipe=ProgressiveRecipe(growth=Growth(stable=6000, fade=6000, batches=(4, 4, 2, 2, 1)), mirror=False, ema=0.99),
)

PRESETS = {
    "swgan": SWGAN,
    "wgan-gp": WGAN,
    "released": RELEASED,
    "fast-swgan": FAST,
    "cpu-swgan": SMALL,
    "cpu-wgan-gp": replace(SMALL, model=replace(SMALL.model, critic="score")),
    "smoke": replace(
        SMALL,
        model=ProgressiveConfig(size=32, width=4, latent=8),
        data_options=("bank=48", "identities=16"),
        precision="fp32",
        batch=4,
        recipe=ProgressiveRecipe(growth=Growth(stable=8, fade=8, batches=(1,))),
        sheet_every=4,
    ),
}
#: short names for the command line
ALIASES = {"paper": "swgan", "cpu": "cpu-swgan", "gpu": "fast-swgan"}
