"""How far apart two sets of feature vectors are: the Fréchet distance, and the unbiased kernel distance.

Fréchet (Heusel et al. 2017; for video, Unterthiner et al. 2018) takes both sets for Gaussians; with few clips it is
biased upwards, so that only values of equal counts compare. The kernel distance (Binkowski et al. 2018) has no such
bias, at any count. All arithmetic is float64 on the CPU.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import VidganError


@dataclass(frozen=True)
class Gaussian:
    """mean [D] and covariance [D, D] (unbiased) of `count` feature vectors, float64."""

    mean: Tensor
    covariance: Tensor
    count: int

    @property
    def rank_deficient(self) -> bool:
        """True where so few vectors cannot fill the space: the Fréchet distance then says little; use the kernel's."""
        return self.count <= len(self.mean)


def gaussian(features: Tensor) -> Gaussian:
    """The Gaussian of feature vectors [N, D]. Raises VidganError for another shape, fewer than 2 of them, and NaN."""
    features = _checked(features)
    mean = features.mean(0)
    centred = features - mean
    return Gaussian(mean, centred.T @ centred / (len(features) - 1), len(features))


def frechet_distance(a: Gaussian | Tensor, b: Gaussian | Tensor) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)), never negative; of Gaussians or of features [N, D].

    The trace of the root is the sum of the square roots of the eigenvalues of S1^(1/2) S2 S1^(1/2), which is symmetric.
    """
    a, b = (value if isinstance(value, Gaussian) else gaussian(value) for value in (a, b))
    if a.mean.shape != b.mean.shape:
        raise VidganError(f"Features of {len(a.mean)} and of {len(b.mean)} numbers cannot be compared.")
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    spread = a.covariance.trace() + b.covariance.trace() - 2 * between
    return max(0.0, ((a.mean - b.mean).square().sum() + spread).item())


def kernel_distance(a: Tensor, b: Tensor) -> float:
    """The unbiased estimate of MMD^2 between features [N, D] and [M, D] under the kernel (x.y / D + 1)^3.

    Around 0, and as often below it as above, where both come from one distribution.
    """
    a, b = _checked(a), _checked(b)
    if a.shape[1] != b.shape[1]:
        raise VidganError(f"Features of {a.shape[1]} and of {b.shape[1]} numbers cannot be compared.")
    within = sum(_off_diagonal_mean(_kernel(x, x)) for x in (a, b))
    return (within - 2 * _kernel(a, b).mean()).item()


def intervals(a: Tensor, b: Tensor, draws: int = 200, seed: int = 0) -> tuple[list[float], list[float]]:
    """95% intervals of the Fréchet and of the kernel distance between features [N, D] and [M, D]: the basic bootstrap
    over clips, [2 d - q97.5, 2 d - q2.5] of what `draws` sets drawn with replacement from both sides give. It takes off
    the bias that drawing twice adds; the bias of few clips, which is the Fréchet distance's own, stays.

    Clips are taken for independent: windows of one video make the intervals too narrow.
    """
    a, b = _checked(a), _checked(b)
    random = torch.Generator().manual_seed(seed)
    within_a, within_b, between = _kernel(a, a), _kernel(b, b), _kernel(a, b)
    frechet, kernel = [], []
    for _ in range(draws):
        one, two = (torch.randint(len(x), (len(x),), generator=random) for x in (a, b))
        frechet.append(frechet_distance(gaussian(a[one]), gaussian(b[two])))
        u, v = (torch.bincount(drawn, minlength=len(x)).double() for drawn, x in ((one, a), (two, b)))
        kernel.append((_pairs(within_a, u) + _pairs(within_b, v) - 2 * (u @ between @ v) / (len(a) * len(b))).item())
    return _basic(frechet_distance(a, b), frechet), _basic(kernel_distance(a, b), kernel)


def _pairs(kernel: Tensor, times: Tensor) -> Tensor:
    """Mean of a kernel [N, N] over pairs of different clips, each taken `times` [N]: a clip is no pair with itself."""
    within = times @ kernel @ times - times.square() @ kernel.diagonal()
    return within / (times.sum() ** 2 - times.square().sum())


def _basic(found: float, drawn: list[float]) -> list[float]:
    low, high = torch.quantile(torch.tensor(drawn, dtype=torch.double), torch.tensor([0.025, 0.975]).double()).tolist()
    return [2 * found - high, 2 * found - low]


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    return (x @ y.T / x.shape[1] + 1) ** 3


def _off_diagonal_mean(matrix: Tensor) -> Tensor:
    count = len(matrix)
    return (matrix.sum() - matrix.trace()) / (count * (count - 1))


def _checked(features: Tensor) -> Tensor:
    features = torch.as_tensor(features)
    if features.ndim != 2:
        raise VidganError(f"Features are [clips, numbers]; these are {tuple(features.shape)}.")
    if len(features) < 2:
        raise VidganError(f"A distance needs at least 2 clips on each side; this one has {len(features)}.")
    features = features.detach().double().cpu()
    if not torch.isfinite(features).all():
        bad = (~torch.isfinite(features).all(1)).nonzero()[:8, 0].tolist()
        raise VidganError(f"Features hold NaN or infinite numbers, in rows {', '.join(map(str, bad))}.")
    return features
