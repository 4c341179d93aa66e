"""Feature networks of the papers' protocols, from files that you bring: none of them may be handed on with this code.

    r3d          torchvision's R3D-18 (Tran et al. 2018), Kinetics-400: 512 numbers
    i3d          I3D (Carreira and Zisserman 2017), Kinetics-400, the FVD of Unterthiner et al. 2018: 400 numbers
    resnext101   3D ResNeXt-101 (Hara et al. 2018), Kinetics-400, the video FID of G3AN and ImaGINator: 2048 numbers
    c3d          C3D, Sports-1M, then UCF-101 (TGANv2's), the Inception Score of TGAN, MVT-GAN and others: 101 classes

`vidgan` stands for our own (features.py), which needs no file. All give numbers of their own scale: only distances with
the same features compare.
"""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import VidganError, unknown
from ..files import cache_folder
from ..vision import torchvision
from .features import check_clip, in_chunks, load_features
from .resnext import ResNeXt3D

SIDE = 112  #: H = W that R3D-18 and ResNeXt-101 look at
MIDDLE = 16  #: frames that ResNeXt-101 looks at


class Features(Protocol):
    """What embeds clips."""

    title: str  #: name and hash, as they stand in the name of a metric
    hash: str  #: 8 hexadecimal digits of all that decides a feature
    count: int  #: length of the vector

    def embed(self, clip: Tensor) -> Tensor:
        """Clip float [B, 3, T, H, W] in [-1, 1] -> float32 [B, count] on the CPU, the same whatever the batch."""

    def resize(self, size: int) -> str:
        """What happens to clips of `size` pixels, in words."""


def check_kind(features: Features | None, classifies: bool) -> None:
    """VidganError for a classifier where features are wanted, or the other way round."""
    if features is None or getattr(features, "classifies", False) == classifies:
        return
    names = ", ".join(name for name, kind in BORROWED.items() if kind.classifies == classifies)
    if classifies:
        raise VidganError(f"The Inception Score asks a classifier, not {features.title}: --features {names}, or none.")
    raise VidganError(f"{features.title} tells classes: features are those of vidgan, {names}.")


@dataclass(frozen=True)
class Borrowed:
    """A network from a file. digest: how the file's SHA-256 begins, "" where nobody says; origin: who hands it on;
    resized: what becomes of a clip, in words; build(path) -> network; prepare(clip in [-1, 1]) -> what the network
    takes; classifies: it gives probabilities of `count` classes, not features."""

    file: str
    count: int
    frames: int
    digest: str
    origin: str
    resized: str
    build: Callable[[Path], nn.Module]
    prepare: Callable[[Tensor], Tensor]
    classifies: bool = False


def open_features(name: str = "vidgan", file: str | Path | None = None, device: str | torch.device = "cpu") -> Features:
    """The features of that name, in evaluation mode, read once a process.

    file: where the network's file is; by default it is looked for under its usual name in $VIDGAN_FEATURES, else in
    ~/.cache/vidgan/networks. VidganError says what is missing and where to get it, and refuses a file that is another.
    """
    if name == "vidgan":
        if file is not None:
            raise VidganError("The features named vidgan come with the package: they take no file.")
        return load_features(device=device)
    if name not in BORROWED:
        raise unknown("feature network", name, ("vidgan", *BORROWED))
    kind = BORROWED[name]
    folder = Path(os.environ.get("VIDGAN_FEATURES") or cache_folder() / "networks").expanduser()
    path = Path(file).expanduser() if file is not None else folder / kind.file
    if not path.is_file():
        raise VidganError(
            f"{name} needs {kind.file}, which {kind.origin}: it is not at {path}. Put it there, or name it with "
            f"--features-file; --features vidgan needs no file."
        )
    return _open(name, path.resolve(), path.stat().st_mtime_ns, str(torch.device(device)))


@lru_cache(maxsize=2)
def _open(name: str, path: Path, changed: int, device: str) -> "BorrowedFeatures":
    kind = BORROWED[name]
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if not digest.startswith(kind.digest):
        raise VidganError(f"{path} is not {kind.file}: its SHA-256 begins with {digest[:8]}, not with {kind.digest}.")
    try:
        with torch.random.fork_rng(devices=[]):
            network = kind.build(path)
    except Exception as error:  # a foreign file can fail in any way
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise VidganError(f"{path} cannot be used as {kind.file}: {reason}.") from error
    return BorrowedFeatures(name, digest[:8], network.eval().requires_grad_(False).to(device))


class BorrowedFeatures:
    """`Features` of a network that came from a file."""

    def __init__(self, name: str, hash: str, network: nn.Module):
        self.kind, self.network, self.hash = BORROWED[name], network, hash
        self.title, self.count = f"{name}-{hash}", self.kind.count
        self.classifies = self.kind.classifies

    def resize(self, size: int) -> str:
        return self.kind.resized

    @torch.no_grad()
    def embed(self, clip: Tensor) -> Tensor:
        check_clip(clip, self.kind.frames)
        device = next(self.network.parameters()).device
        return in_chunks(lambda part: self.network(self.kind.prepare(part)), clip, device, self.count)


# ------------------------------------------------------------------------------------------------ the networks


def _resized(clip: Tensor, side: int) -> Tensor:
    """Clips at side x side, bilinear with antialiasing."""
    frames = clip.transpose(1, 2).flatten(0, 1)
    frames = F.interpolate(frames, (side, side), mode="bilinear", antialias=True, align_corners=False)
    return frames.unflatten(0, (clip.shape[0], -1)).transpose(1, 2)


def _normalised(clip: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    mean, std = (torch.tensor(values, device=clip.device).view(3, 1, 1, 1) for values in (mean, std))
    return (clip - mean) / std


def _r3d(path: Path) -> nn.Module:
    network = torchvision("models.video").r3d_18(weights=None)
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    network.fc = nn.Identity()
    return network


def _to_r3d(clip: Tensor) -> Tensor:
    shown = (_resized(clip, SIDE) + 1) / 2
    return _normalised(shown, (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))


class Script(nn.Module):
    """A TorchScript file, called with clips [B, 3, T, H, W] of levels 0 to 255 and what else it has to be told."""

    def __init__(self, path: Path, **told: bool):
        super().__init__()
        self.script, self.told = torch.jit.load(str(path), map_location="cpu"), told

    def forward(self, levels: Tensor) -> Tensor:
        return self.script(levels, **self.told)


def _i3d(path: Path) -> nn.Module:
    """Asked for what comes before its softmax; it resizes to 224 pixels itself."""
    return Script(path, rescale=True, resize=True, return_features=True)


def _to_c3d(clip: Tensor) -> Tensor:
    return _to_levels(_middle(clip))


def _middle(clip: Tensor) -> Tensor:
    """The 16 middle frames."""
    first = (clip.shape[2] - MIDDLE) // 2
    return clip[:, :, first : first + MIDDLE]


def _to_levels(clip: Tensor) -> Tensor:
    return (clip + 1) * 127.5


def _resnext(path: Path) -> nn.Module:
    network = ResNeXt3D()
    state = torch.load(path, map_location="cpu", weights_only=True)
    state = {name.removeprefix("module."): value for name, value in state.get("state_dict", state).items()}
    network.load_state_dict({name: value for name, value in state.items() if not name.startswith("fc.")})
    return network


def _to_resnext(clip: Tensor) -> Tensor:
    levels = _to_levels(_resized(_middle(clip), SIDE))
    return _normalised(levels, (114.7748, 107.7354, 99.4750), (1.0, 1.0, 1.0))


BORROWED = {
    "r3d": Borrowed(
        "r3d_18-b3b3357e.pth", 512, 8, "b3b3357e",
        "torchvision hands on (R3D_18_Weights.KINETICS400_V1)",
        "bilinear antialias to 112", _r3d, _to_r3d,
    ),
    "i3d": Borrowed(
        "i3d_torchscript.pt", 400, 10, "",
        "the authors of StyleGAN-V hand on (github.com/universome/fvd-comparison)",
        "bilinear to 224, by the network itself", _i3d, _to_levels,
    ),
    "resnext101": Borrowed(
        "resnext-101-kinetics.pth", 2048, MIDDLE, "",
        "Hara et al. hand on (github.com/kenshohara/3D-ResNets-PyTorch)",
        "bilinear antialias to 112, the 16 middle frames", _resnext, _to_resnext,
    ),
    "c3d": Borrowed(
        "c3d_ucf101.pt", 101, MIDDLE, "",
        "the authors of StyleGAN-V hand on (github.com/universome/stylegan-v)",
        "by the network itself, the 16 middle frames", Script, _to_c3d, classifies=True,
    ),
}  # fmt: skip
