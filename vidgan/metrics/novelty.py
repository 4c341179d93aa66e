"""Is a picture far from what a release was trained on?

Training pictures are seen by the first layers of the identity embedder (`IdentityNetwork.look`: colours, edges in 16
squares), and their cloud is described by its mean, its main axes with the spread along each, and what spread is left
over. A picture's distance is Mahalanobis' in this description (probabilistic PCA, Tipping and Bishop 1999). Those of
held-out pictures are kept with it, so that a new one is judged against them and not by a threshold made up.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ..data.base import ClipSource
from ..errors import VidganError
from ..files import replaced, writing
from ..video import to_uint8
from .identity import IdentityNetwork, load_identity

FILE = "familiar.safetensors"  #: its name in a release's folder
PICTURES = 512  #: of each split, first frames
AXES = 48  #: of the cloud
FAR = 99  #: percentile of held-out pictures beyond which a picture is noted
_DRAWS = 3 << 40  #: the first step of the draws, far from those of training and of other metrics


@dataclass(frozen=True)
class Familiar:
    """What the pictures of one data set look like. All tensors float32.

    mean [D], axes [D, K] (orthonormal), spread [K] (standard deviations along them) and rest [1] (standard deviation
    along any other direction); held_out [101]: percentiles 0..100 of the distances of held-out pictures; data: the
    data set's name; network: the name of what looks at pictures.
    """

    mean: Tensor
    axes: Tensor
    spread: Tensor
    rest: Tensor
    held_out: Tensor
    data: str
    network: str

    @staticmethod
    def fit(
        source: ClipSource,
        test: ClipSource,
        pictures: int = PICTURES,
        seed: int = 0,
        network: IdentityNetwork | None = None,
    ) -> "Familiar":
        """From first frames of `pictures` clips that `source` (the train split) draws for the seed, and as many of
        `test` (the test split); nothing but first frames counts, so sources of one frame will do. Raises VidganError
        for fewer than 100 pictures.
        """
        if pictures < 100:
            raise VidganError(f"To know what is familiar takes at least 100 pictures; {pictures} were asked for.")
        network = network or load_identity()
        seen = network.look(first_frames(source, pictures, seed)).double()
        mean = seen.mean(0)
        _, lengths, axes = torch.linalg.svd(seen - mean, full_matrices=False)
        count = min(AXES, len(lengths) // 2)
        variance = lengths.square() / (len(seen) - 1)
        rest = (variance[count:].sum() / (len(mean) - count)).clamp(min=1e-12).sqrt()
        found = {
            "mean": mean,
            "axes": axes[:count].T.half(),  # as it will be saved
            "spread": variance[:count].sqrt().clamp(min=rest),
            "rest": rest[None],
        }
        found = {name: value.float().contiguous() for name, value in found.items()}
        draft = Familiar(**found, held_out=torch.zeros(101), data=source.name, network=network.name)
        distances = draft.distance(first_frames(test, pictures, seed), network).double()
        held_out = torch.quantile(distances, torch.linspace(0, 1, 101, dtype=torch.float64)).float()
        return Familiar(**found, held_out=held_out, data=source.name, network=network.name)

    def distance(self, pictures: np.ndarray | Tensor, network: IdentityNetwork | None = None) -> Tensor:
        """How far pictures uint8 [N, S, S, 3] are from the training ones, float32 [N]: 0 is their mean.

        Raises VidganError for another shape, and where the network is not the one that this was made with.
        """
        network = network or load_identity()
        if network.name != self.network:
            raise VidganError(f"Familiar pictures were described with {self.network}, but {network.name} is here.")
        away = network.look(pictures) - self.mean
        along = away @ self.axes
        left = (away.square().sum(1) - along.square().sum(1)).clamp(min=0)
        return ((along / self.spread).square().sum(1) + left / self.rest.square()).sqrt()

    def percentile(self, picture: np.ndarray | Tensor) -> float:
        """The share of held-out pictures, 0..100, that are nearer to the training ones than `picture`, uint8
        [S, S, 3]."""
        value, known = self.distance(_one(picture)).item(), self.held_out.numpy()
        return float(np.interp(value, known, np.arange(101.0)))

    def note(self, picture: np.ndarray | Tensor) -> str | None:
        """One sentence for a picture uint8 [S, S, 3] that is farther from the training pictures than 99% of held-out
        ones; None for any other."""
        value, usual = self.distance(_one(picture)).item(), self.held_out[50].item()
        if value <= self.held_out[FAR].item():
            return None
        return (
            f"This picture is {value / usual:.1f} times as far from those that the model learnt from as held-out "
            f"pictures usually are, and farther than {FAR}% of them: expect less of how it moves."
        )

    def save(self, path: str | Path) -> Path:
        """Write it, whole or not at all: half precision where it is large, about 80 KB."""
        path = Path(path)
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        tensors["axes"] = self.axes.half()
        with writing(path), replaced(path) as draft:
            save_file(tensors, draft, metadata={"data": self.data, "network": self.network})
        return path

    @staticmethod
    def load(path: str | Path) -> "Familiar":
        """What `save` wrote. Raises VidganError for a file that is missing, damaged or something else."""
        try:
            with safe_open(path, framework="pt") as file:
                facts = file.metadata() or {}
                tensors = {name: file.get_tensor(name).float() for name in _SHAPES}
            found = Familiar(**tensors, data=facts["data"], network=facts["network"])
        except FileNotFoundError as error:
            raise VidganError(f"{path} is missing; it says what pictures a release was trained on.") from error
        except (OSError, SafetensorError, KeyError, ValueError) as error:
            raise VidganError(f"{path} does not say what pictures a release was trained on: {error}.") from error
        sizes = {"D": len(found.mean), "K": len(found.spread), "1": 1, "101": 101}
        for name, shape in _SHAPES.items():
            if tensors[name].shape != tuple(sizes[axis] for axis in shape) or not tensors[name].isfinite().all():
                raise VidganError(f"{path} is damaged: {name!r} is not what it should be.")
        return found


_SHAPES = {"mean": ("D",), "axes": ("D", "K"), "spread": ("K",), "rest": ("1",), "held_out": ("101",)}


def first_frames(source: ClipSource, count: int, seed: int = 0) -> Tensor:
    """The first frames of `count` clips that the source draws for the seed, uint8 [count, H, W, 3]."""
    parts = []
    for step in range(-(-count // 16)):
        clip = source.batch(16, _DRAWS + (seed << 20) + step).clip
        parts.append(torch.from_numpy(to_uint8(clip[:, :, :1])[:, 0]))
    return torch.cat(parts)[:count]


def _one(picture: np.ndarray | Tensor) -> Tensor:
    picture = picture if isinstance(picture, Tensor) else torch.as_tensor(np.ascontiguousarray(picture))
    if picture.ndim != 3:
        raise VidganError(f"A picture is uint8 [height, width, 3]; this one is {list(picture.shape)}.")
    return picture[None]
