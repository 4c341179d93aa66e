"""G3AN: Disentangling Appearance and Motion for Video Generation (Wang, Bilinski, Bremond, Dantcheva; CVPR 2020).

A generator of three streams. G_S makes appearance features that no frame changes, G_T motion features that no pixel
changes, and G_V, the main stream, is fused with both after every level (Section 3.1, Figures 1-3). Two
discriminators: D_V sees the clip, D_I single frames (Section 3.2).

Widths, kernels and parameter counts follow the released code where the paper's text leaves them to a supplement:

    module   in S/V/T        out  spatial k,s,p  temporal k,s,p   fused V
    G3_0     128/138/10      512  4,1,0          4,1,0            1024 x  4 x  4 x  4
    G3_1     512/1024/512    512  4,2,1          4,2,1            1024 x  8 x  8 x  8
    G3_2     512/1024/512    256  4,2,1          4,2,1             512 x 16 x 16 x 16
    G3_3     256/512/256     128  4,2,1          1,1,0             256 x 16 x 32 x 32
    F-SA     on the fused V of G3_3
    G3_4     128/256/128      64  4,2,1          1,1,0             128 x 16 x 64 x 64
    RGB      128               3  3,1,1          1,1,0               3 x 16 x 64 x 64, tanh

Where paper and released code differ: see the docstrings below and docs/papers.md.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import Latents, LatentSpace, Subspace
from .base import Generator
from .discriminators import ImageDiscriminator, down, label_planes, started
from .layers import FactorisedSelfAttention, dcgan_init, maybe_spectral, with_batch_spread

CONVOLUTIONS = ("1p2d", "2p1d", "3d")
#: output channels of the five modules in units of `width`, and their temporal kernel, stride, padding
LEVELS = ((8, (4, 1, 0)), (8, (4, 2, 1)), (4, (4, 2, 1)), (2, (1, 1, 0)), (1, (1, 1, 0)))


@dataclass(frozen=True)
class G3ANConfig:
    """The shape of G3AN's networks; the defaults are the released ones."""

    frames: ClassVar[int] = 16  # length of the clips that it learns from
    size: ClassVar[int] = 64  # and their height and width

    classes: int = 0  # labels; 0 for the unconditional model
    width: int = 64  # channels of the last module, 64 in the paper; all other widths are multiples of it
    appearance: int = 128  # dimensions of z_a
    motion: int = 10  # dimensions of z_m
    convolution: str = "1p2d"  # how G_V up-samples (Table 4): 1p2d is the paper's (1+2)D; 2p1d and 3d the others
    attention_after: int | None = 3  # F-SA follows this G3 module, 0 to 4 (Table 5; the paper's is 3); None: no F-SA
    spatial_stream: bool = True  # False removes G_S (Table 3)
    temporal_stream: bool = True  # False removes G_T (Table 3)
    spectral_norm: bool = True  # on every convolution of G, as released
    video_discriminator: str = "2p1d"  # D_V's convolutions: 2p1d as released, or 3d, which the paper's numbers used
    label_in_video: str = "map"  # how D_V sees the label: map (planes after its first stage) or projection
    spectral_discriminators: bool = True  # spectral norm in D_V and D_I, as released; without it, use R1
    minibatch_std: bool = False  # show D_V and D_I how much a batch differs (Karras et al. 2018), against collapse

    def __post_init__(self):
        if self.convolution not in CONVOLUTIONS:
            raise unknown("convolution", self.convolution, CONVOLUTIONS)
        if self.video_discriminator not in ("2p1d", "3d"):
            raise unknown("video discriminator", self.video_discriminator, ("2p1d", "3d"))
        if self.label_in_video not in ("map", "projection"):
            raise unknown("way to show D_V the label", self.label_in_video, ("map", "projection"))
        if self.attention_after is not None and self.attention_after not in range(5):
            raise VidganError(f"F-SA can follow module 0 to 4, not {self.attention_after}.")
        if self.classes and not self.temporal_stream:
            raise VidganError("The label enters through G_T alone: with classes, temporal_stream must stay on.")
        if min(self.width, self.appearance, self.motion) < 1 or self.classes < 0:
            raise VidganError("width, appearance and motion must be at least 1, and classes at least 0.")


def _up(inputs: int, outputs: int, time: tuple[int, int, int], space: tuple[int, int, int], norm: bool) -> nn.Module:
    """Transposed convolution with (kernel, stride, padding) in time and space, batch norm, ReLU."""
    kernel, stride, padding = ((t, s, s) for t, s in zip(time, space, strict=True))
    deconv = nn.ConvTranspose3d(inputs, outputs, kernel, stride, padding)
    batch_norm = nn.BatchNorm3d(outputs)
    dcgan_init(batch_norm)
    return nn.Sequential(maybe_spectral(deconv, norm), batch_norm, nn.ReLU(inplace=True))


STILL = (1, 1, 0)  #: kernel, stride, padding of the axis that a factorised convolution leaves alone


class G3Module(nn.Module):
    """One level of the hierarchy (Figure 2): three streams, then spatio-temporal fusion (Figure 3).

    Fusion adds T, repeated over the pixels, to V, then stacks S, repeated over the frames, in front of the channels.
    Without G_T nothing is added, without G_S nothing is stacked, so that V keeps `outputs` channels (the paper does
    not say how its ablations were wired; this is the least that removes a stream).
    """

    def __init__(self, inputs: tuple[int, int, int], outputs: int, time, space, config: G3ANConfig):
        super().__init__()
        norm = config.spectral_norm
        s, v, t = inputs
        self.spatial = _up(s, outputs, STILL, space, norm) if config.spatial_stream else None
        self.temporal = _up(t, outputs, time, STILL, norm) if config.temporal_stream else None
        if config.convolution == "3d":
            self.video = _up(v, outputs, time, space, norm)
        else:
            halves = [(time, STILL), (STILL, space)]
            first, second = halves if config.convolution == "1p2d" else halves[::-1]
            self.video = nn.Sequential(_up(v, outputs, *first, norm), _up(outputs, outputs, *second, norm))

    def forward(self, s: Tensor | None, v: Tensor, t: Tensor | None) -> tuple[Tensor | None, Tensor, Tensor | None]:
        v = self.video(v)  # B, C, T, H, W
        if self.temporal is not None:
            t = self.temporal(t)  # B, C, T, 1, 1
            v = v + t
        if self.spatial is not None:
            s = self.spatial(s)  # B, C, 1, H, W
            v = _stack(s.expand(-1, -1, v.shape[2], -1, -1), v)
        return s, v, t


def _stack(s: Tensor, v: Tensor) -> Tensor:
    """Channels of s in front of those of v, channels-last where v lies so: it spares the next layer a copy."""
    if v.is_contiguous(memory_format=torch.channels_last_3d):
        return torch.cat([s.movedim(1, -1), v.movedim(1, -1)], dim=-1).movedim(-1, 1)
    return torch.cat([s, v], dim=1)


class G3AN(Generator):
    """The generator. z_a [B, 128] and z_m [B, t, 10] -> clip [B, 3, 4(t + 3), 64, 64]; t = 1 gives 16 frames.

    With classes, the label weights are appended to z_m and fed to G_T alone, while G_S and G_V keep the inputs of
    the unconditional model (Section 4.3.2). The conditional code was never released, so what the discriminators see
    is a choice: D_V gets the label (`label_in_video`), D_I does not.
    """

    architecture = "g3an"

    def __init__(self, config: G3ANConfig):
        super().__init__(
            config,
            LatentSpace(
                [
                    Subspace("appearance", config.appearance, role="appearance"),
                    Subspace("motion", config.motion, role="motion", sequence=True),
                ]
            ),
        )
        inputs = (config.appearance, config.appearance + config.motion, config.motion + config.classes)
        modules = []
        for level, (multiple, time) in enumerate(LEVELS):
            outputs = multiple * config.width
            modules.append(G3Module(inputs, outputs, time, (4, 2, 1) if level else (4, 1, 0), config))
            inputs = (outputs, outputs * (2 if config.spatial_stream else 1), outputs)
            if level == config.attention_after:
                self.attention = FactorisedSelfAttention(inputs[1], config.spectral_norm)
        self.g3 = nn.ModuleList(modules)
        self.rgb = nn.Conv3d(inputs[1], 3, (1, 3, 3), padding=(0, 1, 1))
        dcgan_init(self.rgb)

    def frames_of(self, steps: int) -> int:
        return 4 * (steps + 3)

    def fuse(self) -> "G3AN":
        if self.config.convolution == "1p2d" and not self.config.spectral_norm and self.device.type == "cpu":
            from .g3an_fused import FusedG3AN

            self.fused = FusedG3AN(self)
        return self

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        z_a = latents["appearance"][:, :, None, None, None]  # B, 128, 1, 1, 1
        z_m = latents["motion"].transpose(1, 2)[..., None, None]  # B, 10, t, 1, 1
        steps = z_m.shape[2]
        v = torch.cat([z_a.expand(-1, -1, steps, -1, -1), z_m], dim=1)
        t = z_m
        if self.config.classes:
            label = condition.label.to(z_m.dtype)[:, :, None, None, None]
            t = torch.cat([z_m, label.expand(-1, -1, steps, -1, -1)], dim=1)
        s = z_a
        for level, module in enumerate(self.g3):
            s, v, t = module(s, v, t)
            if level == self.config.attention_after:
                v = self.attention(v)
        return torch.tanh(self.rgb(v))


class VideoDiscriminator(nn.Module):
    """D_V: clip [B, 3, 16, 64, 64] (and label weights) -> logits [B].

    "2p1d", as released: four stages of a spatial convolution (stride 2) and a temporal one (no padding, so that
    16 frames become 13, 10, 7, 4), then one more pair down to a single number; 8,347,009 parameters at width 64.
    "3d": four 4x4x4 convolutions of stride 2 and a last one over what is left, the form of the authors' other
    video discriminators, since the paper's own table stands in a supplement that is not public.
    All with spectral norm, leaky ReLU 0.2, no batch norm.
    """

    def __init__(self, config: G3ANConfig):
        super().__init__()
        self.config = config
        widths = [3, *(config.width * multiple for multiple in (1, 2, 4, 8))]
        norm = config.spectral_discriminators
        extra = config.classes if config.label_in_video == "map" else 0
        stages = []
        for level in range(4):
            inputs, outputs = widths[level] + (extra if level == 1 else 0), widths[level + 1]
            if config.video_discriminator == "2p1d":
                layers = [
                    down(inputs, outputs, norm, (1, 4, 4), (1, 2, 2), (0, 1, 1)),
                    down(outputs, outputs, norm, (4, 1, 1)),
                ]
            else:
                layers = [down(inputs, outputs, norm, (4, 4, 4), (2, 2, 2), (1, 1, 1))]
            stages.append(nn.Sequential(*layers))
        self.stages = nn.ModuleList(stages)
        last, spread = widths[-1], int(config.minibatch_std)
        if config.video_discriminator == "2p1d":
            self.features = down(last + spread, last, norm, (1, 4, 4))
            self.score = started(nn.Conv3d(last, 1, (4, 1, 1)), norm)
        else:
            self.features = nn.Identity()
            self.score = started(nn.Conv3d(last + spread, 1, (1, 4, 4)), norm)
        if config.classes and config.label_in_video == "projection":
            seen = last + (spread if config.video_discriminator == "3d" else 0)
            self.projection = maybe_spectral(nn.Linear(config.classes, seen, bias=False), norm)

    def forward(self, clip: Tensor, condition: Condition | None = None) -> Tensor:
        if clip.shape[2:] != (16, 64, 64):
            raise VidganError(f"G3AN's video discriminator takes 16 frames of 64x64, not {list(clip.shape[2:])}.")
        x = clip
        for level, stage in enumerate(self.stages):
            if level == 1 and self.config.classes and self.config.label_in_video == "map":
                x = torch.cat([x, label_planes(condition.label, x)], dim=1)
            x = stage(x)
        if self.config.minibatch_std:
            x = with_batch_spread(x)
        x = self.features(x)
        logits = self.score(x).flatten()
        if self.config.classes and self.config.label_in_video == "projection":
            logits = logits + (self.projection(condition.label) * x.sum(dim=(2, 3, 4))).sum(1)
        return logits


def discriminators(config: G3ANConfig) -> dict[str, nn.Module]:
    """D_V and D_I, by the names that training logs use."""
    image = ImageDiscriminator(config.width, config.spectral_discriminators, config.minibatch_std)
    return {"video": VideoDiscriminator(config), "image": image}
