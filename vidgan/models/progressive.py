"""Progressive Video GAN (Acharya et al. 2018, "Towards High Resolution Video Generation with Progressive Growing of
Sliced Wasserstein GANs"): clips that grow in space and time, from 4 frames of 4x4 pixels on.

Tables A.1 and A.2 give the layers. Where paper and released code disagree, the paper is followed unless said otherwise:

- Frames at 32 and at 128 pixels: 8 and 16 in Table A.1, 16 and 32 in the code; `schedule` chooses.
- The last 1x1x1 convolution: leaky ReLU in Table A.1, linear in the code; linear here, or no pixel could be dark.
- D's 128 features: linear in Table A.2, leaky ReLU in the code and here; z is pixel-normalised, as the code has it.
- Equalised learning rates: the code's up-sampling convolutions count k^2 inputs where k^3 come in; k^3 here.
- Table A.2 lists D's shapes in the order of G's, with slips between k and m; its parameters are what counts.

How far a clip has grown is a number, its *stage*: 3 is level 3, 3.4 is 40% of the way from there to level 4.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal
from torch.utils.checkpoint import checkpoint

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import Latents, LatentSpace, Subspace
from .base import Generator
from .convolution import convolve
from .layers import with_batch_spread

SIZES = (4, 8, 16, 32, 64, 128, 256)
#: frames at each of these sizes: Table A.1, and the released code
FRAMES = {"paper": (4, 8, 8, 8, 16, 16, 32), "released": (4, 8, 8, 16, 16, 32, 32)}
SCHEDULES = (*FRAMES, "separate")  #: separate: the paper's, but where both double, space does first and then time
CRITICS = ("features", "score")
SLOPE = 0.2  #: of leaky ReLU


@dataclass(frozen=True)
class ProgressiveConfig:
    """The default is Table A.1 up to 64 pixels: G 3,676,195 parameters, D 3,679,905 with a score."""

    classes: int = 0  # none: it takes no label
    size: int = 64  # height and width at the last level: 4, 8, ... 256
    width: int = 128  # most channels of a level; 16 * width / size where that is less
    latent: int = 128  # dimensions of z
    schedule: str = "paper"  # frames by level: paper, released or separate
    critic: str = "features"  # what D gives: features for the sliced distance, or one score (WGAN-GP)
    orthonormal: bool = True  # the directions of the sliced distance are (Eq. 5.2); the released code lets them drift
    recompute: int = 0  # from this size on, activations are computed again on the way back, which saves memory; 0: none

    def __post_init__(self):
        if self.classes:
            raise VidganError("Progressive Video GAN takes no label: train it without (--no-conditional).")
        if self.size not in SIZES:
            raise VidganError(f"Progressive Video GAN makes {', '.join(map(str, SIZES))} pixels, not {self.size}.")
        for kind, name, known in [("schedule", self.schedule, SCHEDULES), ("critic", self.critic, CRITICS)]:
            if name not in known:
                raise unknown(kind, name, known)
        if min(self.width, self.latent) < 1 or self.recompute < 0:
            raise VidganError("width and latent must be at least 1, recompute not negative.")

    @property
    def levels(self) -> list[tuple[int, int]]:
        """(frames, size) of each level."""
        sizes = SIZES[: SIZES.index(self.size) + 1]
        levels = list(zip(FRAMES.get(self.schedule, FRAMES["paper"]), sizes, strict=False))
        if self.schedule != "separate":
            return levels
        apart = levels[:1]
        for frames, size in levels[1:]:
            if frames != apart[-1][0]:
                apart.append((apart[-1][0], size))
            apart.append((frames, size))
        return apart

    @property
    def frames(self) -> int:
        """At the last level."""
        return self.levels[-1][0]

    @property
    def widths(self) -> list[int]:
        """Channels at each level."""
        return [max(1, min(self.width, 16 * self.width // size)) for _, size in self.levels]

    def split(self, stage: float) -> tuple[int, float]:
        """A stage as (level, alpha): how much of that level's own picture there is, the rest being the level before."""
        level = math.ceil(stage)
        return level, 1.0 - (level - stage)

    def factors(self, level: int) -> tuple[int, int, int]:
        """How many times larger `level` is than the one before: (frames, height, width)."""
        (frames, size), (less, smaller) = self.levels[level], self.levels[level - 1]
        return frames // less, size // smaller, size // smaller


class Equalised(nn.Module):
    """A convolution or a linear layer with weights of unit variance, scaled by gain / sqrt(inputs) when it runs, so
    that Adam moves all layers alike (Karras et al. 2018, Section 4.1). The convolution keeps the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 0, gain: float = math.sqrt(2)):
        super().__init__()
        shape = (outputs, inputs, *[kernel] * 3) if kernel else (outputs, inputs)
        self.weight = nn.Parameter(torch.randn(shape))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs * max(1, kernel) ** 3)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        return (F.linear if weight.dim() == 2 else convolve)(x, weight, self.bias)


def pixel_norm(x: Tensor) -> Tensor:
    """Features [B, C, ...] of unit mean square at each place of space and time (Eq. 4.1)."""
    return x * torch.rsqrt(x.float().square().mean(dim=1, keepdim=True) + 1e-8).to(x.dtype)


def enlarge(x: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """Nearest neighbours: [B, C, T, H, W] -> [B, C, fT, gH, hW]."""
    return F.interpolate(x, scale_factor=[float(factor) for factor in factors], mode="nearest")


def shrink(x: Tensor, factors: tuple[int, int, int]) -> Tensor:
    """Means of blocks of so many frames, rows and columns of [B, C, T, H, W]: first in each frame and then over time,
    which in channels_last_3d takes half of what avg_pool3d does: it copies x to float32 and another order."""
    time, *space = factors
    x = x.transpose(1, 2)  # B, T, C, H, W
    x = F.avg_pool2d(x.flatten(0, 1), space).unflatten(0, x.shape[:2])
    return x.unflatten(1, (-1, time)).mean(2).transpose(1, 2)


def fade_clip(clip: Tensor, config: ProgressiveConfig, stage: float) -> Tensor:
    """Real clips of the last level as they look at `stage`: [B, 3, T, H, W] averaged over blocks down to its level,
    and mixed with the level before as generated ones are (the released code blurs time even where it does not grow).
    """
    level, alpha = config.split(stage)
    (frames, size), (most, largest) = config.levels[level], config.levels[-1]
    clip = shrink(clip, (most // frames, largest // size, largest // size))
    if alpha == 1:
        return clip
    factors = config.factors(level)
    return torch.lerp(enlarge(shrink(clip, factors), factors), clip, alpha)


class Level(nn.Module):
    """G's layers of one level: [B, in, T, H, W], already enlarged -> [B, out, T, H, W]."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.convolutions = nn.ModuleList([Equalised(inputs, outputs, 3), Equalised(outputs, outputs, 3)])

    def forward(self, x: Tensor) -> Tensor:
        for convolution in self.convolutions:
            x = pixel_norm(F.leaky_relu(convolution(x), SLOPE))
        return x


class Progressive(Generator):
    """The generator: z [B, 128] -> clip [B, 3, T, size, size], or, where the condition names a stage, a clip of the
    form that it has there. 3,702,091 parameters take part at 256 pixels (Table A.1); each level has one more output
    convolution. Values beyond [-1, 1] can come out: it is linear at the end.
    Until the last stage is reached, the clips of one that is still growing are those of the stage it is at, enlarged.
    """

    architecture = "progressive"
    grows = True

    def __init__(self, config: ProgressiveConfig):
        super().__init__(config, LatentSpace([Subspace("z", config.latent, 1.0, "content")]))
        widths = config.widths
        self.begin = Equalised(config.latent, widths[0] * 64, gain=math.sqrt(2) / 4)
        self.begin.bias = nn.Parameter(torch.zeros(widths[0]))  # one for each channel, after the places are there
        self.first = Equalised(widths[0], widths[0], 3)
        self.levels = nn.ModuleList(Level(*pair) for pair in itertools.pairwise(widths))
        self.rgb = nn.ModuleList(Equalised(width, 3, 1, gain=1.0) for width in widths)

    @property
    def last_stage(self) -> int:
        return len(self.config.levels) - 1

    def fps_of(self, condition: Condition | None = None) -> float:
        if condition is None or condition.stage is None:
            return self.fps
        frames, _ = self.config.levels[self.config.split(condition.stage)[0]]
        return self.fps * frames / self.frames

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        if condition is not None and condition.stage is not None:
            return self.draw(latents["z"], *self.config.split(condition.stage))
        if self.grown is None:
            return self.draw(latents["z"], self.last_stage)
        clip = self.draw(latents["z"], *self.config.split(self.grown))
        whole = (self.frames, self.size, self.size)
        return enlarge(clip, tuple(most // here for most, here in zip(whole, clip.shape[2:], strict=True)))

    def draw(self, z: Tensor, level: int, alpha: float = 1.0) -> Tensor:
        """The clip of `level`, mixed with that of the level before where alpha is below 1 (Section 4.1)."""
        before = x = None
        for reached, x in enumerate(self.maps(z, level)):
            before = x if reached < level else before
        clip = self.rgb[level](x)
        if alpha < 1 and level:
            clip = torch.lerp(enlarge(self.rgb[level - 1](before), self.config.factors(level)), clip, alpha)
        return clip

    def maps(self, z: Tensor, level: int) -> Iterator[Tensor]:
        """What each level up to `level` hands on: [B, C, T, H, W] from 4x4x4 on."""
        z = pixel_norm(z)
        x = F.linear(z, self.begin.weight * self.begin.scale).unflatten(1, (-1, 4, 4, 4))
        x = pixel_norm(F.leaky_relu(x + self.begin.bias.to(x.dtype)[:, None, None, None], SLOPE))
        x = pixel_norm(F.leaky_relu(self.first(x), SLOPE))
        yield x
        for index in range(1, level + 1):
            x = self._grown(index, x)
            yield x

    @torch.no_grad()
    def fit_stages(self, points: int = 128, batch: int = 8) -> "Progressive":
        """Make the earlier stages fit the last one, in place; returns itself.

        Training leaves the output convolution of a level behind once the next has grown, and its colours run away. Here
        each is fitted anew, by least squares over `points` points of seed 0, to the clips of the last level averaged
        down to its size: what its features tell of the clip that they lead to. The last level stays as it is. Not in
        the paper, whose pictures of early stages (Figure 4.1) are of networks that had grown no further.
        """
        last, sums = self.last_stage, {}
        latents = self.sample(points, 0).to(self.device)
        for start in range(0, points, batch):
            maps = list(self.maps(latents["z"][start : start + batch], last))
            clip = self.rgb[last](maps[last]).float()
            for level, x in enumerate(maps[:-1]):
                factors = [whole // here for whole, here in zip(clip.shape[2:], x.shape[2:], strict=True)]
                wanted = F.avg_pool3d(clip, factors).movedim(1, -1).flatten(0, -2).double()
                told = F.pad(x.movedim(1, -1).flatten(0, -2).double(), (0, 1), value=1.0)  # and a bias
                before = sums.get(level, (0.0, 0.0))
                sums[level] = before[0] + told.T @ told, before[1] + told.T @ wanted
        for level, (gram, aimed) in sums.items():
            ridge = 1e-6 * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
            found = torch.linalg.solve(gram + ridge, aimed).float()  # inputs and bias, colours
            self.rgb[level].weight.copy_((found[:-1].T / self.rgb[level].scale).view_as(self.rgb[level].weight))
            self.rgb[level].bias.copy_(found[-1])
        return self

    def _grown(self, level: int, x: Tensor) -> Tensor:
        def grow(x: Tensor) -> Tensor:
            return self.levels[level - 1](enlarge(x, self.config.factors(level)))

        return _perhaps_again(grow, x, self.config, level)

    def drawing(self, level: int) -> list[nn.Parameter]:
        """The parameters that take part once `level` has grown."""
        return [
            parameter
            for part in (self.begin, self.first, *self.levels[:level], self.rgb[level])
            for parameter in part.parameters()
        ]


class ProgressiveDiscriminator(nn.Module):
    """D, the mirror of G: clip [B, 3, T, H, W] at `stage` -> features [B, width], or with critic "score" [B]: 3,705,801
    parameters take part at 256 pixels (Table A.2)."""

    def __init__(self, config: ProgressiveConfig):
        super().__init__()
        self.config = config
        widths = config.widths
        self.rgb = nn.ModuleList(Equalised(3, width, 1) for width in widths)
        self.levels = nn.ModuleList(
            nn.ModuleList([Equalised(wide, wide, 3), Equalised(wide, narrow, 3)])
            for narrow, wide in itertools.pairwise(widths)
        )
        self.last = Equalised(widths[0] + 1, widths[0], 3)
        self.features = Equalised(widths[0] * 64, widths[0])
        self.score = Equalised(widths[0], 1, gain=1.0) if config.critic == "score" else None

    def forward(self, clip: Tensor, stage: float) -> Tensor:
        level, alpha = self.config.split(stage)
        x = F.leaky_relu(self.rgb[level](clip), SLOPE)
        for index in range(level, 0, -1):
            x = self._shrunk(index, x)
            if index == level and alpha < 1:
                smaller = shrink(clip, self.config.factors(level))
                x = torch.lerp(F.leaky_relu(self.rgb[level - 1](smaller), SLOPE).to(x.dtype), x, alpha)
        x = F.leaky_relu(self.last(with_batch_spread(x)), SLOPE)
        x = F.leaky_relu(self.features(x.flatten(1)), SLOPE)
        return x if self.score is None else self.score(x)[:, 0]

    def _shrunk(self, level: int, x: Tensor) -> Tensor:
        def down(x: Tensor) -> Tensor:
            for convolution in self.levels[level - 1]:
                x = F.leaky_relu(convolution(x), SLOPE)
            return shrink(x, self.config.factors(level))

        return _perhaps_again(down, x, self.config, level)

    def judging(self, level: int) -> list[nn.Parameter]:
        """The parameters that take part once `level` has grown."""
        parts = [self.rgb[level], *self.levels[:level], self.last, self.features]
        return [parameter for part in [*parts, self.score] if part for parameter in part.parameters()]


class SlicedHead(nn.Module):
    """f of Eq. 5.2: features y [B, K] -> the mean over k of leaky_relu(lambda_k <theta_k, y> + b_k), [B].

    theta is orthonormal by construction, at every step, as Eq. 5.2 asks for; the released video code leaves it free.
    """

    def __init__(self, features: int, orthonormal: bool = True):
        super().__init__()
        directions = nn.Linear(features, features, bias=False)
        self.directions = orthogonal(directions) if orthonormal else directions
        if not orthonormal:
            nn.init.normal_(directions.weight)
        self.scale = nn.Parameter(torch.ones(features))
        self.offset = nn.Parameter(torch.zeros(features))

    def along(self, y: Tensor) -> Tensor:
        """[B, K]: lambda_k <theta_k, y> + b_k."""
        with torch.autocast(y.device.type, enabled=False):  # directions stay orthonormal in full precision alone
            return F.linear(y.float(), self.directions.weight) * self.scale + self.offset

    def forward(self, y: Tensor) -> Tensor:
        return F.leaky_relu(self.along(y), SLOPE).mean(dim=1)


def _perhaps_again(run, x: Tensor, config: ProgressiveConfig, level: int) -> Tensor:
    """run(x), its activations kept or, for large levels where the options say so, computed again on the way back."""
    again = config.recompute and config.levels[level][1] >= config.recompute and torch.is_grad_enabled()
    return checkpoint(run, x, use_reentrant=False) if again else run(x)


def discriminators(config: ProgressiveConfig) -> dict[str, nn.Module]:
    """D by the name of what it looks at; with features, the head that makes them the sliced distance."""
    networks: dict[str, nn.Module] = {"video": ProgressiveDiscriminator(config)}
    if config.critic == "features":
        networks["head"] = SlicedHead(config.widths[0], config.orthonormal)
    return networks
