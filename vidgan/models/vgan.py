"""VGAN: Generating Videos with Scene Dynamics (Vondrick, Pirsiavash, Torralba; NIPS 2016).

Two streams from one z (Section 2.2, Figure 1): a background that stands still, and a foreground that moves, laid over
it by a mask: m * f + (1 - m) * b. One discriminator of 3D convolutions. Layers follow the released code:

    background   100 ->      512 x 4x4 -> 256 x 8x8 -> 128 x 16x16 -> 64 x 32x32 -> 3 x 64x64, tanh
    foreground   100 -> 512 x  2 x 4x4 -> 256 -> 128 -> 64 x 16 x 32x32 -> 3 x 32 x 64x64, tanh; a mask alike, sigmoid
    D            3 -> 64 x 16 x 32x32 -> 128 -> 256 -> 512 x 2 x 4x4 -> 2 logits

For 16 frames the foreground's first kernel spans one frame instead of two, and D's last one too (our adaptation: the
paper has 32). Conditional on an image (Section 4.3), an encoder takes the place of z, and everything is twice as wide.
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

MULTIPLES = (8, 4, 2, 1)  #: channels at 4, 8, 16 and 32 pixels, in units of the width
VIEWS = ("foreground", "mask", "background")


@dataclass(frozen=True)
class VGANConfig:
    """The default is the released network for 16 frames: G 15,426,183; with 32 frames G 16,245,383, D 11,057,858."""

    size: ClassVar[int] = 64  # height and width of its clips

    classes: int = 0  # none: it takes no label
    frames: int = 16  # length of its clips: 32 in the paper, or 16
    width: int = 64  # channels of the last hidden layers; all others are multiples of it
    noise: int = 100  # dimensions of z
    image: bool = False  # animate an image instead of drawing from z (Section 4.3)

    def __post_init__(self):
        if self.classes:
            raise VidganError("VGAN takes no label: train it without (--no-conditional).")
        if self.frames not in (16, 32):
            raise VidganError(f"VGAN makes clips of 16 or 32 frames, not {self.frames}.")
        if min(self.width, self.noise) < 1:
            raise VidganError("width and noise must be at least 1.")

    @property
    def widths(self) -> list[int]:
        """Channels at 4, 8, 16 and 32 pixels: of the streams, and of D from its last to its first."""
        return [multiple * self.width * (2 if self.image else 1) for multiple in MULTIPLES]

    @property
    def shortest(self) -> int:
        """Frames at 4x4 pixels."""
        return self.frames // 16


def started(conv: nn.Module) -> nn.Module:
    """The initialisation of the released code: N(0, 0.01), no bias."""
    nn.init.normal_(conv.weight, 0.0, 0.01)
    nn.init.zeros_(conv.bias)
    return conv


def normed(conv: nn.Module, activation: nn.Module, eps: float = 1e-5) -> nn.Sequential:
    """A convolution, batch norm N(1, 0.02) and what follows."""
    kind = nn.BatchNorm3d if isinstance(conv, nn.Conv3d | nn.ConvTranspose3d) else nn.BatchNorm2d
    norm = kind(conv.out_channels, eps=eps)
    nn.init.normal_(norm.weight, 1.0, 0.02)
    return nn.Sequential(started(conv), norm, activation)


class ImageEncoder(nn.Module):
    """Image [B, 3, 64, 64] -> maps [B, 1024, 4, 4] that stand where z would (four convolutions; the paper's text says
    five layers, the released code has these)."""

    def __init__(self, widths: list[int]):
        super().__init__()
        first, *others = [3, *reversed(widths)][1:]
        self.first = started(nn.Conv2d(3, first, 4, 2, 1))
        self.stages = nn.ModuleList(
            normed(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.ReLU(inplace=True), 1e-3)
            for inputs, outputs in itertools.pairwise([first, *others])
        )

    def forward(self, image: Tensor) -> Tensor:
        x = torch.relu(self.first(image))
        for stage in self.stages:
            x = stage(x)
        return x


class VGAN(Generator):
    """The generator. z [B, 100] -> clip [B, 3, T, 64, 64]; or image [B, 3, 64, 64] -> clip, where nothing is drawn at
    random: z is there, but changes nothing.

    `condition.view` shows one part alone: the foreground [-1, 1], the mask, white where the foreground is seen, or the
    background, the same in every frame.
    """

    architecture = "vgan"
    views = VIEWS
    last_mask: Tensor | None = None  #: [B, 1, T, 64, 64] in [0, 1], of the clips drawn last with a gradient

    def __init__(self, config: VGANConfig):
        super().__init__(config, LatentSpace([Subspace("noise", config.noise, role="noise")]))
        widths, relu = config.widths, nn.ReLU(inplace=True)
        still, moving = [], []
        if config.image:
            self.encoder = ImageEncoder(widths)
            if config.shortest > 1:
                moving.append(normed(nn.ConvTranspose3d(widths[0], widths[0], (config.shortest, 1, 1)), relu))
        else:
            still.append(normed(nn.ConvTranspose2d(config.noise, widths[0], 4), relu))
            moving.append(normed(nn.ConvTranspose3d(config.noise, widths[0], (config.shortest, 4, 4)), relu))
        for inputs, outputs in itertools.pairwise(widths):
            still.append(normed(nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), relu))
            moving.append(normed(nn.ConvTranspose3d(inputs, outputs, 4, 2, 1), relu))
        self.still = nn.Sequential(*still, started(nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1)))
        self.moving = nn.Sequential(*moving)
        self.foreground = started(nn.ConvTranspose3d(widths[-1], 3, 4, 2, 1))
        self.mask = started(nn.ConvTranspose3d(widths[-1], 1, 4, 2, 1))

    def parts(self, latents: Latents, condition: Condition | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """foreground [B, 3, T, 64, 64] and background [B, 3, 1, 64, 64] in [-1, 1], mask [B, 1, T, 64, 64] in [0, 1]
        between them."""
        z = self.encoder(condition.image) if self.config.image else latents["noise"][:, :, None, None]
        background = torch.tanh(self.still(z))[:, :, None]
        x = self.moving(z[:, :, None])
        return torch.tanh(self.foreground(x)), torch.sigmoid(self.mask(x)), background

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        foreground, mask, background = self.parts(latents, condition)
        self.last_mask = mask if mask.requires_grad else None
        view = condition.view if condition else None
        if view is None:
            return torch.lerp(background.expand_as(foreground), foreground, mask)  # m * f + (1 - m) * b
        chosen = {"foreground": foreground, "mask": 2 * mask - 1, "background": background}[view]
        return chosen.expand_as(foreground)


class VideoDiscriminator(nn.Module):
    """D: clip [B, 3, T, 64, 64] -> logits [B]; 11,057,858 parameters for 32 frames.

    It has two outputs, real and generated, under a softmax; the logit is their difference, whose logistic loss is the
    softmax's cross-entropy.
    """

    def __init__(self, config: VGANConfig):
        super().__init__()
        self.config = config
        first, *others = reversed(config.widths)
        act = nn.LeakyReLU(0.2, inplace=True)
        self.first = nn.Sequential(started(nn.Conv3d(3, first, 4, 2, 1)), act)
        self.stages = nn.ModuleList(
            normed(nn.Conv3d(inputs, outputs, 4, 2, 1), act, 1e-3)
            for inputs, outputs in itertools.pairwise([first, *others])
        )
        self.score = started(nn.Conv3d(config.widths[0], 2, (config.shortest, 4, 4)))

    def forward(self, clip: Tensor) -> Tensor:
        if clip.shape[2:] != (self.config.frames, 64, 64):
            raise VidganError(f"D takes {self.config.frames} frames of 64x64, not {list(clip.shape[2:])}.")
        x = self.first(clip)
        for stage in self.stages:
            x = stage(x)
        real, made = self.score(x).flatten(1).unbind(1)
        return real - made


def discriminators(config: VGANConfig) -> dict[str, nn.Module]:
    """D, by the name that training logs use."""
    return {"video": VideoDiscriminator(config)}
