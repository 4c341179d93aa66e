"""Optical flow that gradients pass through, for MVT-GAN's motion constraint.

The paper's PWC-Net is exchanged for two that need no other package: a pyramid of Lucas and Kanade, which has no weights
and is the default, and torchvision's RAFT with weights of the user's own.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import VidganError, unknown
from ..vision import torchvision

FLOWS = ("lucas-kanade", "raft-small", "raft-large")
WINDOW = 7  #: pixels a side over which flow is taken to be the same
RAFT_SIZE = 128  #: RAFT takes no smaller picture

#: frames [N, 3, H, W] in [-1, 1] and those that follow them -> flow [N, 2, H, W] in pixels, (x, y)
Flow = Callable[[Tensor, Tensor], Tensor]


def open_flow(name: str, weights: str = "", device: str | torch.device = "cpu") -> Flow:
    """A flow by name. weights: for RAFT, torchvision's file (.pth) or the same tensors as safetensors.

    Raises VidganError for an unknown name, and for RAFT without weights that fit it.
    """
    if name not in FLOWS:
        raise unknown("optical flow", name, FLOWS)
    if name == "lucas-kanade":
        return lucas_kanade
    return _Raft(_raft(name, weights).to(device))


def clip_flow(flow: Flow, clip: Tensor) -> Tensor:
    """Flow between the neighbouring frames of clips [B, 3, T, H, W] -> [B, T - 1, 2, H, W] in pixels."""
    frames = clip.transpose(1, 2)
    pairs = flow(frames[:, :-1].flatten(0, 1), frames[:, 1:].flatten(0, 1))
    return pairs.unflatten(0, (len(clip), -1))


def lucas_kanade(first: Tensor, second: Tensor, levels: int = 3, rounds: int = 3) -> Tensor:
    """Flow [N, 2, H, W] of frames [N, 3, H, W], from coarse to fine (Lucas and Kanade 1981; Bouguet 2000).

    At each of `levels` resolutions, `rounds` times: the second frame is fetched back along the flow so far, and the
    least-squares step over windows of 7x7 pixels is added. Differentiable in both frames. Finds what moves less than
    about 2 ** levels pixels; where nothing has an edge it finds nothing, and says 0.
    """
    pyramid = [(first.mean(1, keepdim=True), second.mean(1, keepdim=True))]
    while len(pyramid) < levels and min(first.shape[2:]) >> len(pyramid) >= 2 * WINDOW:
        pyramid.append(tuple(F.avg_pool2d(frame, 2) for frame in pyramid[-1]))
    flow = torch.zeros_like(pyramid[-1][0]).expand(-1, 2, -1, -1)
    for level, (here, there) in enumerate(reversed(pyramid)):
        if level:
            flow = 2 * F.interpolate(flow, here.shape[2:], mode="bilinear")
        for _ in range(rounds):
            flow = _smooth(flow + _least_squares(here, warp(there, flow)))  # unsmoothed, more rounds make it worse
    return flow


def warp(frame: Tensor, flow: Tensor) -> Tensor:
    """What stands in `frame` [N, C, H, W] at each place moved by `flow` [N, 2, H, W], in pixels; edges are held."""
    _, _, height, width = frame.shape
    rows, columns = torch.meshgrid(
        torch.arange(height, device=frame.device, dtype=frame.dtype),
        torch.arange(width, device=frame.device, dtype=frame.dtype),
        indexing="ij",
    )
    x = 2 * (columns + flow[:, 0]) / max(1, width - 1) - 1
    y = 2 * (rows + flow[:, 1]) / max(1, height - 1) - 1
    return F.grid_sample(frame, torch.stack([x, y], dim=-1), padding_mode="border", align_corners=True)


def _least_squares(here: Tensor, there: Tensor) -> Tensor:
    """The small flow from one grey frame to another that explains their difference best around each pixel."""
    padded = F.pad((here + there) / 2, (1, 1, 1, 1), mode="replicate")
    dx = (padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]) / 2
    dy = (padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]) / 2
    dt = there - here
    sums = _smooth(torch.cat([dx * dx, dx * dy, dy * dy, dx * dt, dy * dt], dim=1))
    xx, xy, yy, xt, yt = sums.split(1, dim=1)
    xx, yy = xx + 1e-4, yy + 1e-4  # where no edge is, no motion
    determinant = xx * yy - xy * xy
    step = torch.cat([xy * yt - yy * xt, xy * xt - xx * yt], dim=1) / determinant
    return step.clamp(-2, 2)


def _smooth(x: Tensor) -> Tensor:
    """The mean over the window around each place, as far as it lies inside."""
    return F.avg_pool2d(x, WINDOW, 1, WINDOW // 2, count_include_pad=False)


class _Raft(nn.Module):
    """RAFT (Teed and Deng 2020), frozen; smaller frames are enlarged to what it takes, its flow is made small again."""

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network.eval().requires_grad_(False)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        height, width = first.shape[2:]
        size = [max(RAFT_SIZE, side + -side % 8) for side in (height, width)]
        large = [F.interpolate(frame, size, mode="bilinear") for frame in (first, second)]
        flow = self.network(*large, num_flow_updates=6)[-1]
        scale = flow.new_tensor([width / size[1], height / size[0]])[None, :, None, None]
        return F.interpolate(flow, (height, width), mode="bilinear") * scale


def _raft(name: str, weights: str) -> nn.Module:
    if not weights:
        raise VidganError(f"{name} needs --recipe.flow-weights FILE: torchvision's weights, which you have fetched.")
    optical_flow = torchvision("models.optical_flow")
    network = getattr(optical_flow, name.replace("-", "_"))(weights=None)
    try:
        path = Path(weights)
        tensors = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
        network.load_state_dict(tensors)
    except Exception as error:  # whatever a file holds that is none of ours
        raise VidganError(f"{weights} holds no weights of {name} ({type(error).__name__}).") from error
    return network
