"""MVT-GAN: Multi-Variate Temporal GAN for Large Scale Video Generation (Munoz, Zolfaghari, Argus, Brox; arXiv
2004.01823, later named Temporal Shift GAN).

Noise of three independent Gaussians becomes a sequence of codes (Eq. 4), each code and the label's embedding a frame.
A ResNet generator draws the frames one by one; with temporal self-attention (TSA, Figures 3 and 4) its first blocks
exchange some features with the frames before and after. D_image judges single frames, D_video the clip, both told the
label by projection.

Layers at width 96 as in the released code (128 pixels, 101 classes), with appendix A where the text disagrees: Section
4.1.3 speaks of four residual blocks, but a base of 4x4 needs five to reach 128 pixels.

    z_a 20, z_b 20, z_c 80 -> linear 120 -> T x (GRU 2048 -> linear 120) -> + embedding 120 = Z_F 240
    linear   1536 x  4 x  4
    block 1  1536 x  8 x  8   shifted in time
    block 2   768 x 16 x 16   shifted in time
    block 3   384 x 32 x 32   then self-attention
    block 4   192 x 64 x 64
    block 5    96 x 128 x 128, batch norm, ReLU, 3x3 convolution to RGB, tanh

Every block is told Z_F by conditional batch norm. 96 pixels begin at 3x3; 64 pixels end after block 4. Where paper and
released code differ: see the docstrings below and docs/papers.md.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..conditions import Condition
from ..errors import VidganError, unknown
from ..latents import Latents, LatentSpace, Subspace
from .base import Generator
from .layers import attend, maybe_spectral, with_label_spread

SUBSPACES = ("z_a", "z_b", "z_c")
DIMENSIONS = (20, 20, 80)  #: d_A, d_B, d_C (Section 6.2); d is their sum
#: clip size -> height and width that the first block takes, and width multiples of the blocks
LADDERS = {128: (4, (16, 16, 8, 4, 2, 1)), 96: (3, (16, 16, 8, 4, 2, 1)), 64: (4, (16, 16, 8, 4, 2))}
ATTENTION_AFTER = 3  #: the block of G that self-attention follows: 32x32, at 96 pixels 24x24
PLACEMENTS = ("residual", "block")
GRU_INPUTS = ("own", "z")


@dataclass(frozen=True)
class MVTGANConfig:
    """The shape of MVT-GAN's networks; the defaults are MVT-TSA's at 128 pixels."""

    classes: int = 0  # labels; 0 for data without any
    frames: int = 16  # length of the clips that it learns from, a multiple of 16; any other can be drawn
    size: int = 128  # height and width: 128, 96 or 64
    width: int = 96  # channels of the last block at 128 pixels; all other widths are multiples of it
    hidden: int = 2048  # state of the GRU
    embedding: int = 120  # dimensions of the label's embedding
    deviation_a: float = 0.5  # standard deviation of Z_A; 1 in MVT
    deviation_b: float = 1.0  # of Z_B
    deviation_c: float = 2.0  # of Z_C; 1 in MVT
    shifted_blocks: int = 2  # blocks of G, from the first, that are shifted in time (TSA); 0: none (MVT)
    shift_divisor: int = 8  # one channel in so many comes from the next frame, as many from the last; 3 as released
    shift_placement: str = "residual"  # residual leaves the shortcut alone; block shifts it too, as released
    gru_input: str = "own"  # what the GRU is fed after the first frame: own, its last code (released); z, Z_fc again
    normalised_codes: bool = False  # batch norm of the codes, without gain or bias, as released
    minibatch_std: bool = False  # show D_image how much clips of a label differ, against collapse
    spectral_norm: bool = True  # on every linear map and convolution of G, as released

    def __post_init__(self):
        if self.size not in LADDERS:
            raise VidganError(f"MVT-GAN draws 64, 96 or 128 pixels, not {self.size}.")
        if self.shift_placement not in PLACEMENTS:
            raise unknown("placement of the shift", self.shift_placement, PLACEMENTS)
        if self.gru_input not in GRU_INPUTS:
            raise unknown("input of the GRU", self.gru_input, GRU_INPUTS)
        if self.frames < 16 or self.frames % 16:
            raise VidganError(f"D_video takes clips of 16, 32, 48 ... frames, not {self.frames}.")
        if not 0 <= self.shifted_blocks <= self.blocks:
            raise VidganError(f"There are {self.blocks} blocks to shift, not {self.shifted_blocks}.")
        if self.shift_divisor < 2:
            raise VidganError(f"At most every second channel can be shifted each way, not one in {self.shift_divisor}.")
        if not all(0 < deviation < 100 for deviation in self.deviations):
            raise VidganError(f"The three deviations must be positive numbers, not {self.deviations}.")
        if min(self.width, self.hidden, self.embedding) < 1 or self.classes < 0:
            raise VidganError("width, hidden and embedding must be at least 1, and classes at least 0.")

    @property
    def deviations(self) -> tuple[float, float, float]:
        return self.deviation_a, self.deviation_b, self.deviation_c

    @property
    def base(self) -> int:
        """Height and width of what the first block takes."""
        return LADDERS[self.size][0]

    @property
    def widths(self) -> list[int]:
        """Channels before the first block and after each."""
        return [multiple * self.width for multiple in LADDERS[self.size][1]]

    @property
    def blocks(self) -> int:
        return len(LADDERS[self.size][1]) - 1


def started(layer: nn.Module, norm: bool = True) -> nn.Module:
    """The initialisation of the released code, Xavier's even one and no bias, then spectral norm where `norm`."""
    nn.init.xavier_uniform_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return maybe_spectral(layer, norm)


class SequenceGenerator(nn.Module):
    """Z_ABC [B, 120] -> Z_gru [B, T, 120] (Section 4.1.2), for any T; 13,592,880 parameters.

    The GRU's first input is Z_fc, the linear map of Z_ABC; each later one its own last code, a linear map of its state,
    as in the released code, or Z_fc again (the paper says only that Z_fc is fed into the GRU): fed with its own codes,
    a small network forgets Z_ABC within a few frames. The state begins at zero. Where codes are normalised, each frame
    has statistics of its own; the last one's hold for what comes after it.
    """

    def __init__(self, config: MVTGANConfig):
        super().__init__()
        total = sum(DIMENSIONS)
        self.own = config.gru_input == "own"
        self.begin = started(nn.Linear(total, total), config.spectral_norm)
        self.cell = nn.GRUCell(total, config.hidden)
        nn.init.xavier_uniform_(self.cell.weight_ih)
        nn.init.xavier_uniform_(self.cell.weight_hh)
        self.code = started(nn.Linear(config.hidden, total), config.spectral_norm)
        steps = config.frames if config.normalised_codes else 0
        self.norms = nn.ModuleList(nn.BatchNorm1d(total, affine=False) for _ in range(steps))

    def forward(self, z: Tensor, frames: int) -> Tensor:
        fed, state, codes = self.begin(z), None, []
        for step in range(frames):
            state = self.cell(fed, state)
            code = self.code(state)
            fed = code if self.own else fed
            codes.append(self.norms[min(step, len(self.norms) - 1)](code) if self.norms else code)
        return torch.stack(codes, dim=1)


class ConditionalBatchNorm(nn.Module):
    """Batch norm of maps [N, C, H, W] whose gain (added to 1) and bias are linear maps of Z_F [N, 240]."""

    def __init__(self, channels: int, told: int, norm: bool):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, momentum=0.001, affine=False)
        self.gain = started(nn.Linear(told, channels), norm)
        self.bias = started(nn.Linear(told, channels), norm)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        gain, bias = self.gain(told)[:, :, None, None], self.bias(told)[:, :, None, None]
        return torch.addcmul(bias, self.norm(x), 1 + gain)


def temporal_shift(x: Tensor, frames: int, divisor: int) -> Tensor:
    """Maps [B * T, C, H, W], the T frames of a clip one after the other -> the same, where the first C // divisor
    channels are those of the next frame, the following C // divisor those of the frame before, zeros at the ends of the
    clip, and the rest their own (Lin et al. 2019, temporal shift module; Figure 4b)."""
    clips = x.unflatten(0, (-1, frames))
    moved = x.shape[1] // divisor
    ahead, behind, still = clips.split([moved, moved, x.shape[1] - 2 * moved], dim=2)
    ahead = F.pad(ahead[:, 1:], (0, 0, 0, 0, 0, 0, 0, 1))
    behind = F.pad(behind[:, :-1], (0, 0, 0, 0, 0, 0, 1, 0))
    return torch.cat([ahead, behind, still], dim=2).flatten(0, 1)


class UpBlock(nn.Module):
    """Residual up-sampling block (Figure 4): maps [B * T, in, H, W], Z_F -> [B * T, out, 2H, 2W].

    The released code shifts in place, so that its shortcut carries shifted features too; the figure, and "residual"
    here, shift the residual branch alone.
    """

    def __init__(self, inputs: int, outputs: int, told: int, config: MVTGANConfig, shifted: bool):
        super().__init__()
        norm = config.spectral_norm
        self.divisor = config.shift_divisor if shifted else 0
        self.leaks = config.shift_placement == "block"
        self.norm1 = ConditionalBatchNorm(inputs, told, norm)
        self.conv1 = started(nn.Conv2d(inputs, outputs, 3, padding=1), norm)
        self.norm2 = ConditionalBatchNorm(outputs, told, norm)
        self.conv2 = started(nn.Conv2d(outputs, outputs, 3, padding=1), norm)
        self.shortcut = started(nn.Conv2d(inputs, outputs, 1), norm)

    def forward(self, x: Tensor, told: Tensor, frames: int) -> Tensor:
        branch = temporal_shift(x, frames, self.divisor) if self.divisor else x
        if self.leaks:
            x = branch
        branch = F.interpolate(F.relu(self.norm1(branch, told)), scale_factor=2.0)
        branch = self.conv2(F.relu(self.norm2(self.conv1(branch), told)))
        return branch + F.interpolate(self.shortcut(x), scale_factor=2.0)  # a 1x1 convolution does not mind the order


class SelfAttention(nn.Module):
    """Self-attention over the places of maps [N, C, H, W] (SAGAN's, in BigGAN's form): keys and values at half the
    resolution, C/8 and C/2 channels, a gate that begins closed."""

    def __init__(self, channels: int, norm: bool = True):
        super().__init__()
        self.query, self.key, self.value = (
            started(nn.Conv2d(channels, max(1, channels // part), 1), norm) for part in (8, 8, 2)
        )
        self.out = started(nn.Conv2d(max(1, channels // 2), channels, 1), norm)
        self.gate = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        maps = self.query(x), F.max_pool2d(self.key(x), 2), F.max_pool2d(self.value(x), 2)
        mixed = attend(*(part.flatten(2).transpose(1, 2) for part in maps))  # N, HW, C/2
        return x + self.gate.to(x.dtype) * self.out(mixed.transpose(1, 2).unflatten(2, x.shape[2:]))


class ImageGenerator(nn.Module):
    """Z_F [B * T, 240] -> frames [B * T, 3, size, size]."""

    def __init__(self, told: int, config: MVTGANConfig):
        super().__init__()
        norm, widths = config.spectral_norm, config.widths
        self.base = config.base
        self.begin = started(nn.Linear(told, widths[0] * self.base**2), norm)
        self.blocks = nn.ModuleList(
            UpBlock(inputs, outputs, told, config, shifted=level < config.shifted_blocks)
            for level, (inputs, outputs) in enumerate(itertools.pairwise(widths))
        )
        self.attention = SelfAttention(widths[ATTENTION_AFTER], norm)
        self.norm = nn.BatchNorm2d(widths[-1], momentum=0.0001)
        self.rgb = started(nn.Conv2d(widths[-1], 3, 3, padding=1), norm)

    def forward(self, told: Tensor, frames: int) -> Tensor:
        x = self.begin(told).unflatten(1, (-1, self.base, self.base))
        for level, block in enumerate(self.blocks, 1):
            x = block(x, told, frames)
            if level == ATTENTION_AFTER:
                x = self.attention(x)
        return torch.tanh(self.rgb(F.relu(self.norm(x))))


class MVTGAN(Generator):
    """The generator: z_a [B, 20], z_b [B, 20], z_c [B, 80] and label weights -> clip [B, 3, T, size, size].

    T is `condition.frames`, by default the length that it was trained on. Without temporal shift, a longer clip begins
    as the shorter one does; with it, the shorter one's last frames differ, as they had nothing behind them.

    The paper gives the subspaces no meaning; the roles here are what its Figure 12 found them to do. The label's
    embedding is linear in the weights of a blend. 90,831,532 parameters with 101 classes: G_image 77,238,652, the
    sequence generator 13,592,880.
    """

    architecture = "mvtgan"
    any_length = True

    def __init__(self, config: MVTGANConfig):
        roles = ("appearance", "motion", "appearance")
        blocks = zip(SUBSPACES, DIMENSIONS, config.deviations, roles, strict=True)
        super().__init__(config, LatentSpace([Subspace(*block) for block in blocks]))
        self.sequence = SequenceGenerator(config)
        told = sum(DIMENSIONS)
        if config.classes:
            self.embedding = started(nn.Linear(config.classes, config.embedding, bias=False), config.spectral_norm)
            told += config.embedding
        self.image = ImageGenerator(told, config)

    def fuse(self) -> "MVTGAN":
        if not self.config.spectral_norm and self.device.type == "cpu":
            from .mvtgan_fused import FusedMVTGAN

            self.fused = FusedMVTGAN(self)
        return self

    def forward(self, latents: Latents, condition: Condition | None = None) -> Tensor:
        told = self.codes(latents, condition)
        frames = told.shape[1]
        return self.image(told.flatten(0, 1), frames).unflatten(0, (-1, frames)).transpose(1, 2)

    def codes(self, latents: Latents, condition: Condition | None) -> Tensor:
        """Z_F [B, T, 240]: what each frame is drawn from."""
        frames = (condition and condition.frames) or self.config.frames
        z = torch.cat([latents[name] for name in SUBSPACES], dim=1)  # B, 120
        codes = self.sequence(z, frames)
        if not self.config.classes:
            return codes
        label = self.embedding(condition.label.to(z.dtype))
        return torch.cat([codes, label[:, None].expand(-1, frames, -1)], dim=2)


class DownBlock(nn.Module):
    """Residual block of D_image: [N, in, H, W] -> [N, out, H/2, W/2], or, last, [N, out, H, W]. The first has no ReLU
    before its convolutions."""

    def __init__(self, inputs: int, outputs: int, first: bool = False, last: bool = False):
        super().__init__()
        self.first = first
        self.conv1 = started(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = started(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.shortcut = started(nn.Conv2d(inputs, outputs, 1))
        self.down = nn.Identity() if last else nn.AvgPool2d(2)

    def forward(self, x: Tensor) -> Tensor:
        branch = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        return self.down(branch) + self.shortcut(self.down(x))


class Projection(nn.Module):
    """Features [N, C] and label weights -> logits [N]: a linear map, plus the product with the label's embedding
    (Miyato and Koyama 2018)."""

    def __init__(self, features: int, classes: int):
        super().__init__()
        self.score = started(nn.Linear(features, 1))
        self.embedding = started(nn.Linear(classes, features, bias=False)) if classes else None

    def forward(self, features: Tensor, label: Tensor | None) -> Tensor:
        logits = self.score(features)[:, 0]
        if self.embedding is None:
            return logits
        return logits + (self.embedding(label.to(features.dtype)) * features).sum(1)


class ImageDiscriminator(nn.Module):
    """D_image: frames [N, 3, size, size], label weights [N, classes] -> logits [N]; 88,997,234 parameters at width 96,
    128 pixels, 101 classes.

    Blocks halve the frame down to 4x4 (3x3 at 96 pixels), self-attention where it is 32x32 (24x24), one more block that
    does not, ReLU, and the sum over all places. The released code holds a 1x1 convolution for the shortcut of that last
    block which it never calls; here it is called.
    """

    def __init__(self, config: MVTGANConfig):
        super().__init__()
        widths = [3, *(config.width * 2**level for level in range(config.blocks))]
        self.blocks = nn.ModuleList(
            DownBlock(inputs, outputs, first=level == 0)
            for level, (inputs, outputs) in enumerate(itertools.pairwise(widths))
        )
        self.attention_after = config.blocks - 4
        self.attention = SelfAttention(widths[self.attention_after + 1])
        self.spread = config.minibatch_std
        self.last = DownBlock(widths[-1] + int(self.spread), 16 * config.width, last=True)
        self.score = Projection(16 * config.width, config.classes)

    def forward(self, frames: Tensor, label: Tensor | None = None) -> Tensor:
        x = frames
        for level, block in enumerate(self.blocks):
            x = block(x)
            if level == self.attention_after:
                x = self.attention(x)
        x = with_label_spread(x, label) if self.spread else x
        return self.score(F.relu(self.last(x)).sum(dim=(2, 3)), label)


class VideoDiscriminator(nn.Module):
    """D_video: clip [B, 3, T, size, size], label weights [B, classes] -> logits [B]; 24,872,065 parameters at width 96
    and 101 classes.

    Four 4x4x4 convolutions of stride 2 with spectral norm and no bias, batch norm on the last three, leaky ReLU 0.2, as
    MoCoGAN's; the sum over what is left. Real and generated clips are normalised by statistics of their own: pass them
    one after the other.
    """

    def __init__(self, config: MVTGANConfig):
        super().__init__()
        self.frames = config.frames
        layers = []
        for level, (inputs, outputs) in enumerate(itertools.pairwise([3, *(config.width * 2**i for i in range(4))])):
            layers.append(started(nn.Conv3d(inputs, outputs, 4, 2, 1, bias=False)))
            layers += [nn.BatchNorm3d(outputs)] if level else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers)
        self.score = Projection(8 * config.width, config.classes)

    def forward(self, clip: Tensor, label: Tensor | None = None) -> Tensor:
        if clip.shape[2] != self.frames:
            raise VidganError(f"D_video takes {self.frames} frames, not {clip.shape[2]}.")
        return self.score(self.layers(clip).sum(dim=(2, 3, 4)), label)


def discriminators(config: MVTGANConfig) -> dict[str, nn.Module]:
    """D_video and D_image, by the names that training logs use."""
    return {"video": VideoDiscriminator(config), "image": ImageDiscriminator(config)}
