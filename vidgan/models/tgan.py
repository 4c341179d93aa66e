"""TGAN: Temporal Generative Adversarial Nets with Singular Value Clipping (Saito, Matsumoto, Saito; ICCV 2017).

A temporal generator turns z_slow into one z_fast for each frame; an image generator turns (z_slow, z_fast) into the
frame (Section 3, Tables 1 and 2). One discriminator of 3D convolutions whose singular values are clipped, so that it is
1-Lipschitz (Section 4). Layers follow the released code for UCF-101:

    temporal   100 -> 512 x 1 -> 256 x 2 -> 128 x 4 -> 128 x 8 -> 100 x 16, tanh
    image      z_slow, z_fast -> 256 x 4x4 each, side by side -> 256 x 8x8 -> 128 -> 64 -> 32 x 64x64 -> 3, tanh
    D          3 -> 64 x 8 x 32x32 -> 128 -> 256 -> 512 x 1 x 4x4 -> 1
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..conditions import Condition
from ..errors import VidganError
from ..latents import Latents, LatentSpace, Subspace
from .base import Generator
from .discriminators import label_planes

TEMPORAL = (8, 4, 2, 2)  #: channels at 1, 2, 4 and 8 frames, in units of the width
SPATIAL = (8, 4, 2, 1)  #: channels that each of 8, 16, 32 and 64 pixels begins with, in units of the width


@dataclass(frozen=True)
class TGANConfig:
    """The default is the released network: G 4,448,135, D 11,032,385."""

    frames: ClassVar[int] = 16  # length of its clips
    size: ClassVar[int] = 64  # and their height and width

    classes: int = 0  # labels; 0 for the unconditional model
    width: int = 64  # channels of D's first layer; all other widths are multiples of it
    slow: int = 100  # dimensions of z_slow
    fast: int = 100  # and of z_fast

    def __post_init__(self):
        if min(self.width, self.slow, self.fast) < 1 or self.classes < 0:
            raise VidganError("width, slow and fast must be at least 1, and classes at least 0.")


class ScaledNorm(nn.Module):
    """Batch norm with a gain, but without a bias, as everywhere in TGAN but in its image generator."""

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.norm = norm
        self.gain = nn.Parameter(torch.ones(norm.num_features))

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x) * self.gain.to(x.dtype).view(-1, *[1] * (x.dim() - 2))

    @property
    def deviation(self) -> Tensor:
        """Of what comes in, by channel, over the last batches."""
        return self.norm.running_var.sqrt()


class TemporalGenerator(nn.Module):
    """z_slow [B, 100] in [-1, 1] (and label weights) -> z_fast [B, 16, 100] in [-1, 1]."""

    def __init__(self, config: TGANConfig):
        super().__init__()
        widths = [multiple * config.width for multiple in TEMPORAL]
        layers: list[nn.Module] = [nn.ConvTranspose1d(config.slow + config.classes, widths[0], 1)]
        for inputs, outputs in itertools.pairwise([*widths, config.fast]):
            layers += [ScaledNorm(nn.BatchNorm1d(inputs, affine=False)), nn.ReLU()]
            layers.append(nn.ConvTranspose1d(inputs, outputs, 4, 2, 1))
        self.layers = nn.Sequential(*layers)

    def forward(self, slow: Tensor) -> Tensor:
        return torch.tanh(self.layers(slow[:, :, None])).transpose(1, 2)


class ImageGenerator(nn.Module):
    """z_slow [N, 100] and z_fast [N, 100], N frames -> frames [N, 3, 64, 64] in [-1, 1]."""

    def __init__(self, config: TGANConfig):
        super().__init__()
        widths = [multiple * config.width // 2 for multiple in SPATIAL]
        self.slow, self.fast = (
            nn.Sequential(nn.Linear(inputs + config.classes, 16 * widths[0], bias=False),
                          nn.BatchNorm1d(16 * widths[0]), nn.ReLU())
            for inputs in (config.slow, config.fast)
        )  # fmt: skip
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise([2 * widths[0], *widths]):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.layers = nn.Sequential(*layers, nn.Conv2d(widths[-1], 3, 3, padding=1))

    def forward(self, slow: Tensor, fast: Tensor) -> Tensor:
        """slow has a row for each clip, fast one for each frame, those of a clip one after the other."""
        slow = self.slow(slow).repeat_interleave(len(fast) // len(slow), dim=0)
        x = torch.cat([part.unflatten(1, (-1, 4, 4)) for part in (slow, self.fast(fast))], dim=1)
        return torch.tanh(self.layers(x))


class TGAN(Generator):
    """The generator. z [B, 100] -> clip [B, 3, 16, 64, 64].

    z_slow is even in [-1, 1]: it is the distribution function of the normal z, scaled, so that points are drawn,
    blended and truncated here as everywhere. z_fast follows from it; there is nothing else to draw. With classes, as in
    the paper's conditional TGAN, the label weights stand beside both.
    """

    architecture = "tgan"

    def __init__(self, config: TGANConfig):
        super().__init__(config, LatentSpace([Subspace("slow", config.slow, role="noise")]))
        self.temporal = TemporalGenerator(config)
        self.image = ImageGenerator(config)

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        slow = torch.erf(latents["slow"] / 2**0.5)
        told = [condition.label.to(slow.dtype)] if self.config.classes else []
        slow = torch.cat([slow, *told], dim=1)
        fast = self.temporal(slow)
        count = fast.shape[1]
        told = [label[:, None].expand(-1, count, -1).to(fast.dtype) for label in told]
        frames = self.image(slow, torch.cat([fast, *told], dim=2).flatten(0, 1))
        return frames.unflatten(0, (-1, count)).transpose(1, 2)


class VideoDiscriminator(nn.Module):
    """D: clip [B, 3, 16, 64, 64] (and label weights, as planes beside the colours) -> [B], a number without bounds, of
    which the clips' means are compared (WGAN); 11,032,385 parameters."""

    def __init__(self, config: TGANConfig):
        super().__init__()
        self.config = config
        first, *others = [config.width * multiple for multiple in (1, 2, 4, 8)]
        self.first = nn.Conv3d(3 + config.classes, first, 4, 2, 1)
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv3d(inputs, outputs, 4, 2, 1), ScaledNorm(nn.BatchNorm3d(outputs, affine=False)))
            for inputs, outputs in itertools.pairwise([first, *others])
        )
        self.score = nn.Conv2d(others[-1], 1, 4)
        self.activation = nn.LeakyReLU(0.2)

    def forward(self, clip: Tensor, condition: Condition | None = None) -> Tensor:
        if clip.shape[2:] != (16, 64, 64):
            raise VidganError(f"TGAN's discriminator takes 16 frames of 64x64, not {list(clip.shape[2:])}.")
        if self.config.classes:
            clip = torch.cat([clip, label_planes(condition.label, clip)], dim=1)
        x = self.activation(self.first(clip))
        for stage in self.stages:
            x = self.activation(stage(x))
        return self.score(x[:, :, 0]).flatten()


@torch.no_grad()
def clip_singular_values(network: nn.Module) -> None:
    """Make every layer of `network` 1-Lipschitz, in place (Section 4.2): no singular value of a convolution, as a
    matrix of outputs x everything else, is above 1; the gain of a batch norm lies between 0.01 and 1 times the
    deviation of what it divides."""
    for part in network.modules():
        if isinstance(part, nn.Conv3d | nn.Conv2d):
            matrix = part.weight.flatten(1)
            u, values, v = torch.linalg.svd(matrix, full_matrices=False)
            if values[0] > 1:
                part.weight.copy_(((u * values.clamp_max(1)) @ v).view_as(part.weight))
        elif isinstance(part, ScaledNorm):
            part.gain.copy_(part.gain.maximum(0.01 * part.deviation).minimum(part.deviation))


def discriminators(config: TGANConfig) -> dict[str, nn.Module]:
    """D, by the name that training logs use."""
    return {"video": VideoDiscriminator(config)}
