"""What embeds a clip: a small factorised (2+1)D network of our own, released like a model (`checkpoints/features`).

Its numbers compare with each other, never with the FVD or FID of papers, which embed clips by other networks.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import VidganError
from .weights import find_weights, load_weights, weights_hash

NAME = "features"  #: the folder of the release
SIZE = 64  #: H = W that the network looks at; other clips are resized
MIN_FRAMES = 8
CHUNK = 8  #: clips always go through the network this many at a time: other numbers would take other sums


@dataclass(frozen=True)
class FeatureConfig:
    """width: channels after the first layer; features: length of the vector; heads: what the network was trained to
    tell, as "data set.factor" -> number of choices, or 0 for a continuous factor (standardised).
    """

    width: int = 24
    features: int = 128
    heads: tuple[tuple[str, int], ...] = ()


class FeatureNetwork(nn.Module):
    """clip [B, 3, T, H, W] in [-1, 1] -> features [B, 128], of unit variance over the clips it was trained on.

    Each stage is a spatial and then a temporal convolution, as R(2+1)D (Tran et al. 2018); averages over time and
    space, and one linear map, end it. `heads` reads all factors from a feature vector.
    """

    def __init__(self, config: FeatureConfig | None = None):
        super().__init__()
        self.config = config = config or FeatureConfig()
        width = config.width
        self.trunk = nn.Sequential(
            _conv(3, width, (1, 5, 5), (1, 2, 2)),  # width x T x 32 x 32
            *_stage(width, 2 * width, space=2, time=1),  # 2 width x T x 16 x 16
            *_stage(2 * width, 4 * width, space=2, time=2),  # 4 width x T/2 x 8 x 8
            *_stage(4 * width, 8 * width, space=2, time=2),  # 8 width x T/4 x 4 x 4
            *_stage(8 * width, 8 * width, space=1, time=1),
        )
        self.project = nn.Linear(8 * width, config.features)
        self.scale = nn.BatchNorm1d(config.features, affine=False)
        self.heads = nn.Linear(config.features, sum(max(1, choices) for _, choices in config.heads) or 1)

    def forward(self, clip: Tensor) -> Tensor:
        return self.scale(self.project(self.trunk(_fit(clip)).mean((2, 3, 4))))

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Features [B, 128] -> "data set.factor" -> logits [B, choices], or the standardised value [B]."""
        parts = self.heads(features).split([max(1, choices) for _, choices in self.config.heads], dim=1)
        return {
            name: part if choices else part[:, 0]
            for (name, choices), part in zip(self.config.heads, parts, strict=True)
        }

    @torch.no_grad()
    def embed(self, clip: Tensor) -> Tensor:
        """Features float32 [B, 128] on the CPU, in full precision; the same to 1e-6 whatever the batch.

        Raises VidganError for another shape, fewer than 8 frames, and NaN or infinite pixels (naming the clips).
        """
        check_clip(clip)
        if self.training:
            raise VidganError("Features are taken in evaluation mode: call .eval() first.")
        return in_chunks(self, clip, self.project.weight.device, self.count)

    @property
    def title(self) -> str:
        """As it stands in the name of a metric."""
        return f"vidgan-{self.hash}"

    @property
    def count(self) -> int:
        """Length of the vector."""
        return self.config.features

    def resize(self, size: int) -> str:
        """What happens to clips of `size` pixels, in words."""
        return "none" if size == SIZE else f"bilinear antialias to {SIZE}"

    @property
    def hash(self) -> str:
        """8 hexadecimal digits of all that decides a feature, read off the weights themselves."""
        return weights_hash(self, SIZE, self.config.width, self.config.features, without="heads.")


def _conv(inputs: int, outputs: int, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> nn.Sequential:
    padding = tuple(side // 2 for side in kernel)
    layer = nn.Conv3d(inputs, outputs, kernel, stride, padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True))


def _stage(inputs: int, outputs: int, space: int, time: int) -> tuple[nn.Sequential, nn.Sequential]:
    return (
        _conv(inputs, outputs, (1, 3, 3), (1, space, space)),
        _conv(outputs, outputs, (3, 1, 1), (time, 1, 1)),
    )


def in_chunks(network: Callable[[Tensor], Tensor], clip: Tensor, device: torch.device, count: int) -> Tensor:
    """network(clips) of clips [B, ...] -> float32 [B, count] on the CPU, in full precision, 8 clips at a time."""
    parts = []
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        for part in clip.split(CHUNK):
            index = torch.arange(CHUNK).clamp(max=len(part) - 1)  # the last clip again, where there are fewer
            whole = part[index.to(part.device)].to(device, torch.float32)
            parts.append(network(whole)[: len(part)].float().cpu())
    return torch.cat(parts) if parts else torch.empty(0, count)


def check_clip(clip: Tensor, frames: int = MIN_FRAMES) -> None:
    """VidganError for another shape, fewer frames, and NaN or infinite pixels (naming the clips)."""
    _check_shape(clip, frames)
    broken = [index for index, one in enumerate(clip) if not torch.isfinite(one).all()]
    if broken:
        raise VidganError(f"Clips {', '.join(map(str, broken[:8]))} of {len(clip)} hold NaN or infinite pixels.")


def _check_shape(clip: Tensor, frames: int = MIN_FRAMES) -> None:
    if clip.ndim != 5 or clip.shape[1] != 3 or not clip.is_floating_point():
        raise VidganError(f"A clip is float [batch, 3, frames, height, width]; this one is {tuple(clip.shape)}.")
    if clip.shape[2] < frames:
        raise VidganError(f"Features need at least {frames} frames; this clip has {clip.shape[2]}.")


def _fit(clip: Tensor) -> Tensor:
    """The clip at 64 x 64, bilinear with antialiasing."""
    _check_shape(clip)
    if clip.shape[-2:] == (SIZE, SIZE):
        return clip
    frames = clip.transpose(1, 2).flatten(0, 1)
    frames = F.interpolate(frames, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False)
    return frames.unflatten(0, (clip.shape[0], clip.shape[2])).transpose(1, 2)


# ------------------------------------------------------------------------------------------------ loading


def load_features(folder: str | Path | None = None, device: str | torch.device = "cpu") -> FeatureNetwork:
    """The feature network of a folder (default: `features` among the releases) in evaluation mode, read once a process.

    Raises VidganError where the folder is missing, damaged or does not hold what its config.json names.
    """
    return load_weights(folder if folder is not None else find_weights(NAME), _build, device)


def _build(options: dict) -> FeatureNetwork:
    heads = tuple((str(name), int(choices)) for name, choices in options.pop("heads"))
    return FeatureNetwork(FeatureConfig(**options, heads=heads))


def describe(network: FeatureNetwork) -> dict:
    """config.json's part that `load_features` reads."""
    return {"config": asdict(network.config), "hash": network.hash}
