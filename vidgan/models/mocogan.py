"""MoCoGAN: Decomposing Motion and Content for Video Generation (Tulyakov, Liu, Yang, Kautz; CVPR 2018).

z_C stays the same in all frames, z_M(t) is the state of a GRU that is fed with noise (Section 3, Figures 2 and 3); an
image generator draws each frame from [z_C, z_M(t), label]. D_I sees single frames, D_V whole clips, and tells the class
of them where there are classes (Section 3.2). Layers follow the released code:

    G     66 -> 512 x 4x4 -> 256 -> 128 -> 64 x 32x32 -> 3 x 64x64, tanh; no biases
    D_V   3 -> 64 x 13 x 32x32 -> 128 x 10 -> 256 x 7 -> 512 x 4 x 4x4 -> 1 + classes
    D_I   3 -> 64 x 32x32 -> 128 -> 256 x 8x8 -> a map of 4x4 logits, as its recipe has it; or -> 512 -> 1

The image-conditional form (Section 4.4) is told in words only: z_C comes from the image. Its encoder, DCGAN's, is ours.
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import MAX_STEPS, Latents, LatentSpace, Subspace
from .base import Generator
from .layers import dcgan_init

JUDGES = ("full", "patch")


@dataclass(frozen=True)
class MoCoGANConfig:
    """The default is the released network: with 6 classes G 3,298,836, D_V 11,253,504, D_I 663,296 (2,765,568 full)."""

    frames: ClassVar[int] = 16  # length of the clips that it learns from; any other, up to 64, can be drawn
    size: ClassVar[int] = 64  # and their height and width

    classes: int = 0  # labels; 0 for the unconditional model
    width: int = 64  # channels of the last hidden layer; all other widths are multiples of it
    content: int = 50  # dimensions of z_C
    motion: int = 10  # of z_M, and of the noise that the GRU is fed
    image: bool = False  # animate an image: z_C is what an encoder makes of it
    video_discriminator: str = "full"  # D_V: full, one logit for a clip; patch, one for each of many parts
    image_discriminator: str = "patch"  # D_I: full or patch, the released recipe's
    noise: float = 0.1  # standard deviation of the noise before every convolution of D_V and D_I, in training

    def __post_init__(self):
        for name in ("video_discriminator", "image_discriminator"):
            if getattr(self, name) not in JUDGES:
                raise unknown(name.replace("_", " "), getattr(self, name), JUDGES)
        if self.classes and self.video_discriminator == "patch":
            raise VidganError("The patch discriminator tells no classes: with labels, D_V must be full.")
        if self.classes == 1:
            raise VidganError("A classifier of one class has nothing to tell apart: train with --no-conditional.")
        if min(self.width, self.content, self.motion) < 1 or self.classes < 0 or self.noise < 0:
            raise VidganError("width, content and motion must be at least 1, classes and noise not negative.")


class MoCoGAN(Generator):
    """The generator. z_C [B, 50] (or an image), a start [B, 10] and noise [B, T, 10] -> clip [B, 3, T, 64, 64].

    `start` is the GRU's first state, `motion` what it is fed with, a vector for each frame: a clip can have any length,
    and a longer one begins as the shorter one does.
    """

    architecture = "mocogan"

    def __init__(self, config: MoCoGANConfig):
        subspaces = [
            Subspace("start", config.motion, role="motion"),
            Subspace("motion", config.motion, role="motion", sequence=True),
        ]
        if not config.image:
            subspaces.insert(0, Subspace("content", config.content, role="content"))
        super().__init__(config, LatentSpace(subspaces))
        self.gru = nn.GRUCell(config.motion, config.motion)
        widths = [multiple * config.width for multiple in (8, 4, 2, 1)]
        if config.image:
            self.encoder = nn.Sequential(*_downs(nn.Conv2d, list(reversed(widths)), 4, 2, 1, 0.0),
                                         nn.Conv2d(widths[0], config.content, 4))  # fmt: skip
        layers: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise([config.content + config.motion + config.classes, *widths]):
            kernel = (4, 2, 1) if layers else (4, 1, 0)
            layers += [nn.ConvTranspose2d(inputs, outputs, *kernel, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(True)]
        self.image = nn.Sequential(*layers, nn.ConvTranspose2d(widths[-1], 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(dcgan_init)

    def frames_of(self, steps: int) -> int:
        return steps

    @property
    def frame_options(self) -> tuple[int, ...]:
        return tuple(min(MAX_STEPS, self.frames * halves // 2) for halves in (2, 3, 4, 6))

    def codes(self, latents: Latents) -> Tensor:
        """z_M [B, T, 10]: the GRU's states."""
        state, codes = latents["start"], []
        for noise in latents["motion"].unbind(1):
            state = self.gru(noise, state)
            codes.append(state)
        return torch.stack(codes, dim=1)

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        motion = self.codes(latents)
        content = self.encoder(condition.image).flatten(1) if self.config.image else latents["content"]
        parts = [content, *([condition.label] if self.config.classes else [])]
        still, moving = torch.cat([part.to(motion.dtype) for part in parts], dim=1), motion
        told = torch.cat([still[:, None].expand(-1, motion.shape[1], -1), moving], dim=2)  # B, T, 66
        frames = self.image(told.flatten(0, 1)[:, :, None, None])
        return frames.unflatten(0, motion.shape[:2]).transpose(1, 2)


class Noise(nn.Module):
    """While it trains, adds noise of standard deviation `sigma`."""

    def __init__(self, sigma: float):
        super().__init__()
        self.sigma = sigma

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and self.sigma):
            return x
        return x + self.sigma * torch.randn(x.shape, dtype=x.dtype, device=x.device)  # randn_like: 7 x in channels_last


def _downs(conv: type, widths: list[int], kernel, stride, padding, noise: float) -> list[nn.Module]:
    """Convolutions from 3 channels on through `widths`, batch norm after all but the first, leaky ReLU 0.2."""
    norm = nn.BatchNorm3d if conv is nn.Conv3d else nn.BatchNorm2d
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise([3, *widths]):
        normed = [norm(outputs)] if layers else []
        layers += [Noise(noise), conv(inputs, outputs, kernel, stride, padding, bias=False), *normed]
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return layers


class VideoDiscriminator(nn.Module):
    """D_V: clip [B, 3, 16, 64, 64] -> [B, 1 + classes], real or not and the logits of the classes; 11,253,504
    parameters for 6 classes. "patch": [B, 1, places], 2,650,880 parameters."""

    def __init__(self, config: MoCoGANConfig):
        super().__init__()
        whole = config.video_discriminator == "full"
        widths = [multiple * config.width for multiple in ((1, 2, 4, 8) if whole else (1, 2, 4))]
        down = {"kernel": 4, "stride": (1, 2, 2), "padding": (0, 1, 1)}
        self.stages = nn.Sequential(*_downs(nn.Conv3d, widths, **down, noise=config.noise))
        last = (4, (1, 1, 1), 0) if whole else (4, (1, 2, 2), (0, 1, 1))
        self.score = nn.Conv3d(widths[-1], 1 + config.classes, *last, bias=False)
        self.apply(dcgan_init)

    def forward(self, clip: Tensor) -> Tensor:
        if clip.shape[2:] != (16, 64, 64):
            raise VidganError(f"MoCoGAN's D_V takes 16 frames of 64x64, not {list(clip.shape[2:])}.")
        return self.score(self.stages(clip)).flatten(2).squeeze(2)


class ImageDiscriminator(nn.Module):
    """D_I: frames [N, 3, 64, 64] -> logits [N, 1] (2,765,568 parameters), or, "patch", [N, 16] (663,296)."""

    def __init__(self, config: MoCoGANConfig):
        super().__init__()
        whole = config.image_discriminator == "full"
        widths = [multiple * config.width for multiple in ((1, 2, 4, 8) if whole else (1, 2, 4))]
        self.stages = nn.Sequential(*_downs(nn.Conv2d, widths, 4, 2, 1, config.noise))
        self.score = nn.Conv2d(widths[-1], 1, 4, *((1, 0) if whole else (2, 1)), bias=False)
        self.apply(dcgan_init)

    def forward(self, frames: Tensor) -> Tensor:
        return self.score(self.stages(frames)).flatten(1)


def discriminators(config: MoCoGANConfig) -> dict[str, nn.Module]:
    """D_V and D_I, by the names that training logs use."""
    return {"video": VideoDiscriminator(config), "image": ImageDiscriminator(config)}
