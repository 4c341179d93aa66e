"""Which latent directions change the video most: principal components of the generator's own response.

For a subspace with d dimensions, the generator is asked, at several anchor points, how its answer y changes when one
latent coordinate moves to both sides, D_j = y(z + r e_j) - y(z - r e_j). The matrix C = mean over anchors of D D^T
([d, d]) then says how much the answer changes along any direction u: u^T C u. Its eigenvectors are the directions,
orthonormal and ranked, and eigenvalue / trace is the share of all change that a direction is responsible for (what
Constantine 2015 calls active subspaces, with wide differences instead of gradients).

The answer is the part of the clip that the subspace is there for: the mean picture for appearance, what differs from
the mean picture, frame by frame, for motion; both at a quarter of the size.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from ..conditions import Condition
from ..errors import VidganError
from ..files import write_atomic
from ..models.base import Generator

FILE = "directions.safetensors"
METHOD = "wide differences, 1"  #: part of the hash, so that files made another way are made again
REACH = 1.0  #: how far an anchor's coordinates are moved to either side, in standard deviations
BATCH = 4  #: clips drawn at once; small, so that a visitor's own clip never waits long behind it
KEPT = 16  #: directions kept of each subspace


@dataclass(frozen=True)
class Directions:
    """vectors: [k, dim], orthonormal, strongest first, in units of the subspace's standard deviation;
    share: [k], the part of the subspace's whole effect that each is responsible for, 0..1."""

    vectors: Tensor
    share: Tensor

    def coordinates(self, value: Tensor, std: float = 1.0) -> Tensor:
        """Where the points `value` [B, dim] (or [B, steps, dim]: their mean over the steps) lie along each: [B, k]."""
        value = value.mean(1) if value.dim() == 3 else value
        return value @ self.vectors.T / std


def discover(
    generator: Generator,
    name: str,
    *,
    anchors: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Directions:
    """The strongest directions of subspace `name`; the same for the same weights and seed.

    anchors: points of the prior around which the response is measured; None takes 4 to 16, fewer for more dimensions.
    progress(done, total), in clips, is called after every few clips; what it raises stops the search.
    Raises VidganError for an unknown subspace.
    """
    subspace = generator.latent_space[name]
    dim = subspace.dim
    anchors = anchors or _anchors(dim)
    labels = generator.config.classes
    points = generator.sample(anchors, seed)
    moves = torch.cat([torch.eye(dim), -torch.eye(dim)]) * (REACH * subspace.std)  # [2 dim, dim]
    if subspace.sequence:
        moves = moves[:, None]
    gram, done, total = torch.zeros(dim, dim, dtype=torch.float64), 0, anchors * 2 * dim
    for index in range(anchors):
        anchor = points.row(index)
        condition = Condition.of_label(index % labels, generator.labels, BATCH) if labels else None
        answers = []
        for start in range(0, 2 * dim, BATCH):
            moved = anchor.repeat(len(moves[start : start + BATCH]))
            moved = moved.add(name, moves[start : start + BATCH])
            told = condition and condition.each(lambda value, count=moved.batch: value[:count])
            answers.append(_response(generator.generate(moved, told, batch_size=BATCH), subspace.role))
            done += moved.batch
            if progress:
                progress(done, total)
        answers = torch.cat(answers)
        change = (answers[:dim] - answers[dim:]).double()
        gram += change @ change.T / anchors
    values, vectors = torch.linalg.eigh(gram)
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1).T[:KEPT]
    largest = vectors.abs().argmax(1, keepdim=True)  # an eigenvector has no sign of its own: give it one
    vectors = vectors * vectors.gather(1, largest).sign()
    share = values / values.sum().clamp_min(1e-12)
    return Directions(vectors.float().contiguous(), share[:KEPT].float().contiguous())


def _anchors(dim: int) -> int:
    return max(4, min(16, 512 // dim))


def _response(clip: Tensor, role: str) -> Tensor:
    """What counts as change: [B, 3, T, H, W] -> [B, values]."""
    small = F.avg_pool3d(clip, (1, 4, 4))
    mean = small.mean(2, keepdim=True)
    return (small - mean if role == "motion" else mean).flatten(1)


def fingerprint(generator: Generator) -> str:
    """A hash of the weights and of the method, so that directions of other weights are not mistaken for these."""
    digest = hashlib.sha256(METHOD.encode())
    for name, value in sorted(generator.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def discover_all(generator: Generator, progress: Callable[[int, int], None] | None = None) -> dict[str, Directions]:
    """`discover` for every subspace, by name; `progress` counts the clips of all of them."""
    spaces = list(generator.latent_space)
    counts = [2 * space.dim * _anchors(space.dim) for space in spaces]
    found = {}
    for index, space in enumerate(spaces):
        before = sum(counts[:index])
        told = progress and (lambda done, _, before=before: progress(before + done, sum(counts)))
        found[space.name] = discover(generator, space.name, progress=told)
    return found


def to_bytes(found: dict[str, Directions], mark: str) -> bytes:
    """The contents of directions.safetensors for a generator whose `fingerprint` is `mark`."""
    tensors = {}
    for name, directions in found.items():
        tensors[f"{name}.vectors"], tensors[f"{name}.share"] = directions.vectors, directions.share
    return save(tensors, {"fingerprint": mark, "method": METHOD})


def load(folder: Path | None, generator: Generator, mark: str | None = None) -> dict[str, Directions] | None:
    """The directions kept in a release folder; None where there are none, or where they belong to other weights."""
    if folder is None or not (Path(folder) / FILE).is_file():
        return None
    try:
        with safe_open(Path(folder) / FILE, "pt") as file:
            if (file.metadata() or {}).get("fingerprint") != (mark or fingerprint(generator)):
                return None
            found = {
                space.name: Directions(file.get_tensor(f"{space.name}.vectors"), file.get_tensor(f"{space.name}.share"))
                for space in generator.latent_space
            }
    except Exception:  # a damaged file is as good as none: it is made again
        return None
    fits = all(found[space.name].vectors.shape[1] == space.dim for space in generator.latent_space)
    return found if fits else None


def directions_of(generator: Generator, progress: Callable[[int, int], None] | None = None) -> dict[str, Directions]:
    """The directions of a release: those in its folder, else found now and kept there (where it can be written)."""
    folder = generator.info.path if generator.info else None
    mark = fingerprint(generator)
    found = load(folder, generator, mark)
    if found is None:
        found = discover_all(generator, progress)
        if folder is not None and Path(folder).is_dir():
            with suppress(VidganError):  # a read-only folder: they are found again the next time
                write_atomic(Path(folder) / FILE, to_bytes(found, mark))
    return found
