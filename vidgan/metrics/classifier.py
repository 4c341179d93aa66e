"""Classifiers of videos, trained in the run, for the metrics that ask one (s3.py, inception.py).

The default is a small 3D ResNet of our own (after Hara et al. 2017), which two cores train in a minute or two. The same
clips, options and seed give the same network on one machine; the global random state is left as it was.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from ..data.base import ClipSource, step_generator
from ..errors import VidganError, unknown
from ..models.layers import channels_last
from ..video import to_clip
from ..vision import torchvision
from .clips import Clips, check_classes, real_clips
from .distance import BATCH, fingerprint, kept
from .weights import weights_hash

TORCHVISION = ("r3d_18", "mc3_18", "r2plus1d_18")
NETWORKS = ("small-resnet", *TORCHVISION)
SCHEDULES = ("cosine", "plateau")
PATIENCE = 4  #: evaluations without a better accuracy after which the plateau schedule acts (MVT-GAN, appendix B.1)
CHUNK = 32  #: clips that are classified at a time


@dataclass(frozen=True)
class ClassifierOptions:
    """How a classifier is trained.

    network: a name of NETWORKS; steps of `batch` clips by Adam at `rate`; dropout: before the last layer; shift: each
    clip is moved by up to so many pixels. schedule: "cosine", down half a cosine to 0; or "plateau", a tenth of the
    rate whenever 4 evaluations in a row bring no better accuracy on the test clips, one evaluation for each pass over
    the clips, as the paper has it (MVT-GAN, appendix B.1; its 3D ResNet-18: batch 32, rate 1e-3, dropout 0.6).
    """

    network: str = "small-resnet"
    steps: int = 300
    batch: int = 16
    rate: float = 1e-3
    dropout: float = 0.0
    shift: int = 4
    schedule: str = "cosine"

    def __post_init__(self):
        for kind, value, known in (("classifier", self.network, NETWORKS), ("schedule", self.schedule, SCHEDULES)):
            if value not in known:
                raise unknown(kind, value, known)
        if self.steps < 1 or self.batch < 2 or self.shift < 0:
            raise VidganError(
                f"A classifier takes at least 1 step of 2 clips, shifted by 0 pixels or more; asked for "
                f"{self.steps}, {self.batch} and {self.shift}."
            )
        if not (0 < self.rate < 1 and 0 <= self.dropout < 1):
            raise VidganError(f"rate must lie in (0, 1) and dropout in [0, 1), not {self.rate} and {self.dropout}.")


class SmallResNet(nn.Module):
    """clip [B, 3, T, H, W] in [-1, 1] -> logits [B, classes]: three residual blocks of 3 x 3 x 3 convolutions."""

    def __init__(self, classes: int, dropout: float = 0.0, width: int = 16):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv3d(3, width, (3, 5, 5), 2, (1, 2, 2), bias=False),  # width x T/2 x H/2 x W/2
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            Residual(width, 2 * width, (1, 2, 2)),
            Residual(2 * width, 4 * width, (2, 2, 2)),
            Residual(4 * width, 8 * width, (2, 2, 2)),  # 8 width x T/8 x H/16 x W/16
        )
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(8 * width, classes))

    def forward(self, clip: Tensor) -> Tensor:
        return self.head(self.trunk(clip).mean((2, 3, 4)))


class Residual(nn.Module):
    """relu(two convolutions + a 1 x 1 x 1 shortcut), each with batch norm; the first steps by `stride`."""

    def __init__(self, inputs: int, outputs: int, stride: tuple[int, int, int]):
        super().__init__()
        self.path = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv3d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm3d(outputs),
        )
        self.shortcut = nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm3d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.path(x) + self.shortcut(x))


def build(options: ClassifierOptions, classes: int) -> nn.Module:
    """The network that the options name, with random weights. VidganError where it needs torchvision and there is
    none."""
    if options.network == "small-resnet":
        return SmallResNet(classes, options.dropout)
    network = getattr(torchvision("models.video"), options.network)(weights=None)
    network.fc = nn.Sequential(nn.Dropout(options.dropout), nn.Linear(network.fc.in_features, classes))
    return network


# ------------------------------------------------------------------------------------------------ training


def fit(
    train: Clips,
    classes: int,
    options: ClassifierOptions | None = None,
    seed: int = 0,
    *,
    test: Clips | None = None,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> nn.Module:
    """A classifier of `train`, in evaluation mode. test: what the plateau schedule looks at.

    Raises VidganError for clips of fewer than 2 labels, and for a plateau schedule without test clips.
    """
    options, device = options or ClassifierOptions(), torch.device(device)
    if len(train.label.unique()) < 2:
        raise VidganError("A classifier needs clips of at least 2 labels to learn from.")
    if options.schedule == "plateau" and test is None:
        raise VidganError("The plateau schedule needs test clips to evaluate on.")
    with (
        torch.random.fork_rng([device] if device.type == "cuda" else []),
        torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
    ):
        torch.manual_seed(seed)  # of weights and dropout
        network = channels_last(build(options, classes)).to(device).train()
        _optimise(network, train, test, options, seed, progress)
    return network.eval().requires_grad_(False)


def _optimise(network: nn.Module, train: Clips, test: Clips | None, options: ClassifierOptions, seed: int, progress):
    optimiser = torch.optim.Adam(network.parameters(), options.rate)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, options.steps)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, "max", 0.1, PATIENCE - 1, threshold=0)
    random = step_generator(seed, 0, 0)
    passes = -(-options.steps * options.batch // len(train))
    order = torch.cat([torch.randperm(len(train), generator=random) for _ in range(passes)])
    every = -(-len(train) // options.batch)  # steps in a pass
    for step in tqdm(range(options.steps), desc="classifier", disable=not progress):
        rows = order[step * options.batch : (step + 1) * options.batch]
        told = _logits(network, shifted(train.frames[rows], options.shift, random))
        loss = F.cross_entropy(told, train.label[rows].to(told.device))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if options.schedule == "cosine":
            cosine.step()
        elif (step + 1) % every == 0:
            plateau.step(accuracy(network.eval(), test))
            network.train()


def shifted(frames: Tensor, pixels: int, random: torch.Generator) -> Tensor:
    """Clips uint8 [B, T, H, W, 3], each moved by up to `pixels` down and across; the edge is repeated."""
    height, width = frames.shape[2:4]
    rows, columns = torch.arange(height), torch.arange(width)
    moves = torch.randint(-pixels, pixels + 1, (len(frames), 2), generator=random).tolist()
    moved = [
        clip[:, (rows + down).clamp(0, height - 1)][:, :, (columns + across).clamp(0, width - 1)]
        for clip, (down, across) in zip(frames, moves, strict=True)
    ]
    return torch.stack(moved)


def real_classifier(
    train: ClipSource,
    test: ClipSource,
    clips: int,
    seed: int = 0,
    options: ClassifierOptions | None = None,
    classifier_seed: int = 0,
    *,
    device: str | torch.device = "cpu",
    progress: bool = False,
) -> nn.Module:
    """The classifier that learnt from the first `clips` distinct clips of `train` for `seed`: trained, or read from the
    cache where all that decides it was the same. test: what the plateau schedule looks at clips of."""
    options, classes = options or ClassifierOptions(), check_classes(train)

    def trained() -> dict[str, Tensor]:
        judge = real_clips(test, clips, seed) if options.schedule == "plateau" else None
        learnt = real_clips(train, clips, seed)
        return fit(learnt, classes, options, classifier_seed, test=judge, device=device, progress=progress).state_dict()

    key = {
        "version": 1, "clips": clips, "seed": seed, "batch": BATCH, "test": fingerprint(test), "device": str(device),
        "torch": torch.__version__, "classifier_seed": classifier_seed, "options": asdict(options),
    }  # fmt: skip
    weights = kept("classifiers", train, key, trained)
    with torch.random.fork_rng([]):
        network = build(options, classes)
    network.load_state_dict(weights)
    return channels_last(network).to(device).eval().requires_grad_(False)


# ------------------------------------------------------------------------------------------------ asking


@torch.no_grad()
def probabilities(network: nn.Module, frames: Tensor) -> Tensor:
    """What a classifier in evaluation mode thinks of clips uint8 [N, T, H, W, 3]: float64 [N, classes], rows of sum 1.

    Raises VidganError where its training has gone astray and it answers NaN.
    """
    told = torch.cat([_logits(network, part).cpu() for part in frames.split(CHUNK)]).double()
    if not torch.isfinite(told).all():
        raise VidganError("The classifier answers NaN: its training diverged; a lower rate may help.")
    return told.softmax(1)


def hits(network: nn.Module, clips: Clips) -> Tensor:
    """Which clips the classifier names rightly, bool [N]."""
    return probabilities(network, clips.frames).argmax(1) == clips.label


def accuracy(network: nn.Module, clips: Clips) -> float:
    """The share of clips, 0 to 1, that the classifier names rightly."""
    return hits(network, clips).double().mean().item()


def _logits(network: nn.Module, frames: Tensor) -> Tensor:
    """[B, classes] for clips uint8 [B, T, H, W, 3]."""
    device = next(network.parameters()).device
    return network(to_clip(frames).to(device, memory_format=torch.channels_last_3d))


def describe(network: nn.Module, options: ClassifierOptions) -> dict:
    """What repeats a classifier, as JSON; hash: 8 digits of the weights that came of it."""
    count = sum(parameter.numel() for parameter in network.parameters())
    return {**asdict(options), "optimiser": "adam", "parameters": count, "hash": weights_hash(network)}
