"""ImaGINator: Conditional Spatio-Temporal GAN for Video Generation (Wang, Bilinski, Bremond, Dantcheva; WACV 2020).

One image, a label and noise become a video (Section 3.1, Figure 2). An encoder reads the image; a decoder unfolds its
code, the noise and the label in time and space, and takes in the encoder's maps and the label again at four levels
(spatio-temporal fusion, Figure 3), so that it is left with the motion alone.

Layers as in Table 1 of the supplement; widths of the encoder 64, 128, 256, 512, of the decoder:

    block  in    temporal k,s,p -> M   spatial k,s,p -> out   clip             fused: + encoder's map, + label
    6      618   2,1,0  4096           4,1,0  512             512 x  2 x  4     1030
    7      1030  4,2,1  3072           4,2,1  256             256 x  4 x  8      518
    8      518   4,2,1  1536           4,2,1  128             128 x  8 x 16      262
    9      262   4,2,1   768           4,2,1   64              64 x 16 x 32      134
    10     134   4,2,1    36           4,2,1    3, tanh         3 x 32 x 64

Where paper and released code differ: see the docstrings below and docs/papers.md.
"""

import itertools
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import Latents, LatentSpace, Subspace
from .base import Generator
from .discriminators import ImageDiscriminator, down, label_planes, started
from .layers import dcgan_init

#: M, the temporal filters of the first four blocks, and their output channels, at width 64
TEMPORAL = (4096, 3072, 1536, 768)
SPATIAL = (512, 256, 128, 64)
#: M of the last block, at every width: each of its places becomes twelve values, which few filters carry ill
LAST = 36
#: levels of spatio-temporal fusion, as the decoder meets them: 4x4, 8x8, 16x16, 32x32
LEVELS = 4


@dataclass(frozen=True)
class ImaGINatorConfig:
    """The shape of ImaGINator's networks; the defaults are the paper's."""

    size: ClassVar[int] = 64  # height and width of image and clip

    classes: int = 0  # labels; 0 for data without any (UvA-NEMO in the paper)
    frames: int = 32  # length of the clip: 32 as in the paper, or 16, without the first doubling in time
    width: int = 64  # channels of the encoder's first layer; all other widths are multiples of it
    noise: int = 512  # dimensions of z
    code: int = 100  # dimensions of p, the encoder's code of the image
    convolution: str = "1p2d"  # the decoder's up-sampling: 1p2d is the paper's (1+2)D; 3d its comparison (Table 2)
    fusion: bool = True  # False takes the encoder's maps out of the decoder (Table 6); the label's stay
    with_noise: bool = True  # False: z is not used (Table 6)
    image_discriminator: bool = True  # False: D_V alone (Table 5)
    label_in_video: str = "map"  # how D_V knows the label: map (planes after its first layer), or classifier (Table 5)

    def __post_init__(self):
        if self.convolution not in ("1p2d", "3d"):
            raise unknown("convolution", self.convolution, ("1p2d", "3d"))
        if self.label_in_video not in ("map", "classifier"):
            raise unknown("way to show D_V the label", self.label_in_video, ("map", "classifier"))
        if self.label_in_video == "classifier" and self.classes == 1:
            raise VidganError("A classifier of one class has nothing to tell apart.")
        if self.frames not in (16, 32):
            raise VidganError(f"ImaGINator makes clips of 16 or 32 frames, not {self.frames}.")
        if min(self.width, self.noise, self.code) < 1 or self.classes < 0:
            raise VidganError("width, noise and code must be at least 1, and classes at least 0.")

    @property
    def classifies(self) -> bool:
        """Whether D_V tells the class instead of being told it: D_V(ac)."""
        return self.label_in_video == "classifier" and self.classes > 0

    def scaled(self, channels: int) -> int:
        """Channels of the paper's table at this width."""
        return max(1, channels * self.width // 64)


class Encoder(nn.Module):
    """Image [B, 3, 64, 64] -> its code p [B, 100] and its maps, coarse to fine: 512 x 4 x 4 ... 64 x 32 x 32.

    The supplement's text puts batch norm and leaky ReLU after every layer but the decoder's last; the released code has
    neither on p, which we follow.
    """

    def __init__(self, config: ImaGINatorConfig):
        super().__init__()
        widths = [3, *(config.scaled(channels) for channels in reversed(SPATIAL))]
        self.stages = nn.ModuleList(
            nn.Sequential(nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2))
            for inputs, outputs in itertools.pairwise(widths)
        )
        self.code = nn.Conv2d(widths[-1], config.code, 4)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                dcgan_init(part)

    def forward(self, image: Tensor) -> tuple[Tensor, list[Tensor]]:
        maps = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        return self.code(image).flatten(1), maps[::-1]


class ImaGINator(Generator):
    """The generator. z [B, 512], label and image [B, 3, 64, 64] -> clip [B, 3, 32, 64, 64].

    The clip begins with the image (frame 0 is reconstructed, too). `condition.fusion` scales the encoder's map at each
    of the four levels, 0 being the supplement's deactivated connections (B.2, Figure 5); p always enters in full.
    """

    architecture = "imaginator"
    takes_image = True

    def __init__(self, config: ImaGINatorConfig):
        super().__init__(config, LatentSpace([Subspace("noise", config.noise, role="motion")]))
        self.encoder = Encoder(config)
        inputs = (config.noise if config.with_noise else 0) + config.classes + config.code
        blocks = []
        time, space = (config.frames // 16, 1, 0), (4, 1, 0)
        for filters, outputs in zip(map(config.scaled, TEMPORAL), map(config.scaled, SPATIAL), strict=True):
            blocks.append(_block(inputs, filters, outputs, time, space, config.convolution))
            inputs = outputs * (2 if config.fusion else 1) + config.classes
            time = space = (4, 2, 1)
        blocks.append(_block(inputs, LAST, 3, time, space, config.convolution, last=True))
        self.decoder = nn.ModuleList(blocks)

    def forward(self, latents: Latents, condition: Condition) -> Tensor:
        p, maps = self.encoder(condition.image)
        parts = [latents["noise"].to(p.dtype)] if self.config.with_noise else []
        if self.config.classes:
            parts.append(condition.label.to(p.dtype))
        x = torch.cat([*parts, p], dim=1)[:, :, None, None, None]  # B, 618, 1, 1, 1
        for level, block in enumerate(self.decoder):
            x = block(x)  # B, C, T, H, W
            if level < LEVELS:
                x = self._fuse(x, maps[level], level, condition)
        return torch.tanh(x)

    def _fuse(self, x: Tensor, appearance: Tensor, level: int, condition: Condition) -> Tensor:
        """Spatio-temporal fusion: the encoder's map, the same at every frame, and the label's planes behind x."""
        parts = [x]
        if self.config.fusion:
            if condition.fusion is not None:
                appearance = appearance * condition.fusion[:, level, None, None, None].to(appearance.dtype)
            parts.append(appearance[:, :, None].expand(-1, -1, x.shape[2], -1, -1))
        if self.config.classes:
            parts.append(label_planes(condition.label, x))
        if x.is_contiguous(memory_format=torch.channels_last_3d):  # stays so, which spares the next layer a copy
            return torch.cat([part.movedim(1, -1) for part in parts], dim=-1).movedim(-1, 1)
        return torch.cat(parts, dim=1)

    def check_image(self, batch: int, condition: Condition) -> None:
        super().check_image(batch, condition)
        fusion = condition.fusion
        if fusion is None:
            return
        if not self.config.fusion:
            raise VidganError("This generator was built without fusion, so that its strength cannot be set.")
        if fusion.shape != (batch, LEVELS) or not ((fusion >= 0) & (fusion <= 1)).all():
            raise VidganError(f"The strength of fusion is [{batch}, {LEVELS}] numbers from 0 to 1.")


def _block(inputs: int, filters: int, outputs: int, time, space, convolution: str, last=False) -> nn.Sequential:
    """Transposed (1+2)D convolution: `filters` temporal ones (M), then spatial ones; or, "3d", both at once. Each is
    followed by batch norm and leaky ReLU 0.2, but for the clip itself. Kernel, stride and padding are (k, s, p)."""
    still = (1, 1, 0)
    if convolution == "3d":
        steps = [(inputs, outputs, time, space)]
    else:
        steps = [(inputs, filters, time, still), (filters, outputs, still, space)]
    layers = []
    for ins, outs, along, across in steps:
        kernel, stride, padding = ((t, s, s) for t, s in zip(along, across, strict=True))
        layers.append(nn.ConvTranspose3d(ins, outs, kernel, stride, padding))
        norm = nn.BatchNorm3d(outs)
        dcgan_init(norm)
        layers += [norm, nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*(layers[:-2] if last else layers))


class VideoDiscriminator(nn.Module):
    """D_V: clip [B, 3, T, 64, 64] (and label weights) -> logits [B]; 11,088,833 parameters for 6 classes.

    With `label_in_video` "classifier", D_V(ac) of Table 5, it is told no label and gives [B, 1 + classes]: real or not,
    and logits of the classes. Five 3D convolutions with spectral norm and leaky ReLU 0.2 (Table 3).
    """

    def __init__(self, config: ImaGINatorConfig):
        super().__init__()
        self.config = config
        widths = [3, *(config.scaled(channels) for channels in (64, 128, 256, 512))]
        planes = config.classes if config.label_in_video == "map" else 0
        self.stages = nn.ModuleList(
            down(inputs + (planes if level == 1 else 0), outputs, True, (4, 4, 4), (2, 2, 2), (1, 1, 1))
            for level, (inputs, outputs) in enumerate(itertools.pairwise(widths))
        )
        told = 1 + (config.classes if config.classifies else 0)
        self.score = started(nn.Conv3d(widths[-1], told, (config.frames // 16, 4, 4)), True)

    def forward(self, clip: Tensor, condition: Condition | None = None) -> Tensor:
        if clip.shape[2:] != (self.config.frames, 64, 64):
            raise VidganError(f"D_V takes {self.config.frames} frames of 64x64, not {list(clip.shape[2:])}.")
        for level, stage in enumerate(self.stages):
            if level == 1 and self.config.classes and self.config.label_in_video == "map":
                clip = torch.cat([clip, label_planes(condition.label, clip)], dim=1)
            clip = stage(clip)
        score = self.score(clip).flatten(1)
        return score if self.config.classifies else score[:, 0]


def discriminators(config: ImaGINatorConfig) -> dict[str, nn.Module]:
    """D_V and, where there is one, D_I, by the names that training logs use."""
    networks: dict[str, nn.Module] = {"video": VideoDiscriminator(config)}
    if config.image_discriminator:
        networks["image"] = ImageDiscriminator(config.width)
    return networks
