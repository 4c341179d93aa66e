"""The two distances against analytic values and independent computations."""

import numpy as np
import pytest
import torch
from scipy import linalg

from vidgan.errors import VidganError
from vidgan.metrics.frechet import Gaussian, frechet_distance, gaussian, kernel_distance


def _exactly(mean, deviations, count: int, seed: int) -> torch.Tensor:
    """`count` vectors whose sample mean and (unbiased) covariance are exactly those asked for."""
    drawn = torch.randn(count, len(mean), dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    drawn -= drawn.mean(0)
    white, _ = torch.linalg.qr(drawn)  # orthonormal columns, of mean 0
    return white * (count - 1) ** 0.5 * torch.tensor(deviations) + torch.tensor(mean)


def test_frechet_of_axis_parallel_gaussians_is_the_closed_form():
    a = _exactly([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], 50, 0)
    b = _exactly([1.0, 1.0, 0.0], [2.0, 2.0, 0.5], 80, 1)
    means, deviations = 1 + 0 + 4, 1 + 0 + 2.5**2
    assert frechet_distance(a, b) == pytest.approx(means + deviations, abs=1e-9)


def test_frechet_agrees_with_scipys_matrix_root():
    random = np.random.default_rng(0)
    a = random.normal(size=(300, 12)) @ random.normal(size=(12, 12))
    b = random.normal(size=(200, 12)) @ random.normal(size=(12, 12)) + random.normal(size=12)
    one, two = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(one @ two).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(one + two - 2 * root)
    assert frechet_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected, rel=1e-8)


def test_frechet_of_a_set_to_itself_is_zero_and_to_its_shift_the_squared_length():
    a = torch.randn(40, 64, generator=torch.Generator().manual_seed(0))  # fewer clips than dimensions, too
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(a, a + 0.5) == pytest.approx(64 * 0.25, abs=1e-4)


def test_frechet_takes_statistics_as_well():
    a, b = torch.randn(2, 30, 4, generator=torch.Generator().manual_seed(0))
    assert frechet_distance(gaussian(a), b) == frechet_distance(a, gaussian(b)) == frechet_distance(a, b)


def test_too_few_clips_are_flagged():
    features = torch.randn(9, 8, generator=torch.Generator().manual_seed(0))
    assert not gaussian(features).rank_deficient
    assert gaussian(features[:8]).rank_deficient  # 8 points span 7 dimensions around their mean
    assert Gaussian(torch.zeros(4), torch.eye(4), 3).rank_deficient


def test_kernel_distance_is_the_sum_over_pairs():
    random = np.random.default_rng(1)
    a, b = random.normal(size=(7, 5)), random.normal(size=(9, 5)) + 0.3

    def kernel(x, y):
        return (x @ y / 5 + 1) ** 3

    same = [np.mean([kernel(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j]) for s in (a, b)]
    cross = np.mean([kernel(x, y) for x in a for y in b])
    assert kernel_distance(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(sum(same) - 2 * cross, rel=1e-10)


def test_kernel_distance_is_unbiased_where_frechet_is_not():
    draws = torch.randn(40, 2, 24, 16, generator=torch.Generator().manual_seed(0))
    kernel = torch.tensor([kernel_distance(a, b) for a, b in draws])
    assert abs(kernel.mean()) < 3 * kernel.std() / len(draws) ** 0.5
    assert (kernel < 0).any() and (kernel > 0).any()
    assert min(frechet_distance(a, b) for a, b in draws) > 1


@pytest.mark.parametrize("measure", [frechet_distance, kernel_distance])
def test_what_cannot_be_compared_is_refused(measure):
    good = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    broken = good.clone()
    broken[2, 1] = float("nan")
    with pytest.raises(VidganError, match="rows 2"):
        measure(good, broken)
    with pytest.raises(VidganError, match="at least 2"):
        measure(good[:1], good)
    with pytest.raises(VidganError, match="cannot be compared"):
        measure(good, torch.zeros(5, 4))
    with pytest.raises(VidganError, match=r"\[clips, numbers\]"):
        measure(good, torch.zeros(5))
