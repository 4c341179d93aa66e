"""The two distances against analytic values and independent computations."""

import numpy as np
import pytest
import torch
from scipy import linalg

from vidgan.errors import VidganError
from vidgan.metrics.frechet import Gaussian, frechet_distance, gaussian, intervals, kernel_distance


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


# ------------------------------------------------------------------------------------------------ intervals


def test_intervals_hold_the_distance_and_narrow_with_more_clips():
    random = torch.Generator().manual_seed(3)
    widths = []
    for count in (40, 640):
        a = torch.randn(count, 6, generator=random)
        b = torch.randn(count, 6, generator=random) + 1.0
        (low, high), (below, above) = intervals(a, b)
        assert below < kernel_distance(a, b) < above
        assert low < frechet_distance(a, b) < high
        widths.append((high - low, above - below))
    assert widths[1][0] < widths[0][0] / 2 and widths[1][1] < widths[0][1] / 2


def test_intervals_cover_what_is_true_about_as_often_as_they_say():
    """Two Gaussians of 4 dimensions whose means are 1 apart: the Fréchet distance of large sets is 1."""
    random = torch.Generator().manual_seed(0)
    shift = torch.tensor([1.0, 0, 0, 0])
    covered = 0
    for trial in range(40):
        a = torch.randn(400, 4, generator=random)
        b = torch.randn(400, 4, generator=random) + shift
        (low, high), _ = intervals(a, b, draws=100, seed=trial)
        covered += low < 1 < high
    assert covered >= 32


def test_a_clip_that_is_drawn_twice_is_no_pair_with_itself():
    """Equal sets: the unbiased estimate stays around 0 under the bootstrap, on both sides of it."""
    a = torch.randn(60, 5, generator=torch.Generator().manual_seed(1))
    b = torch.randn(60, 5, generator=torch.Generator().manual_seed(2))
    _, (low, high) = intervals(a, b)
    assert low < 0 < high


def test_intervals_repeat():
    a, b = (torch.randn(20, 3, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    assert intervals(a, b, seed=5) == intervals(a, b, seed=5) != intervals(a, b, seed=6)
