"""SSIM, PSNR and L1 against independent implementations; what moves; and what is said of many clips together."""

import math
import sys

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from vidgan.errors import VidganError
from vidgan.metrics.fidelity import CAP, MOVED, fidelity, moving
from vidgan.metrics.scores import Scores, by_video, interval, summary
from vidgan.video import to_uint8


@pytest.fixture(scope="module")
def pair(faces):
    """Two drawn people as uint8 [2, 16, 64, 64, 3], and the same with noise and a shift."""
    real = to_uint8(faces.batch(2, 0).clip)
    noise = np.random.default_rng(0).normal(0, 12, real.shape)
    made = (np.roll(real, 1, 3) * 0.9 + noise).round().clip(0, 255).astype(np.uint8)
    return real, made


@pytest.fixture(scope="module")
def scores(pair):
    return fidelity(*pair)


def similar(real: np.ndarray, made: np.ndarray) -> tuple[float, np.ndarray]:
    """scikit-image with the window of Wang et al.: (SSIM inside the picture, its map [H, W, 3])."""
    return structural_similarity(
        real, made, data_range=255, channel_axis=-1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        full=True,
    )  # fmt: skip


def test_ssim_is_scikit_images_averaged_over_frames(pair, scores):
    for clip, (real, made) in enumerate(zip(*pair)):
        expected = np.mean([similar(a, b)[0] for a, b in zip(real, made)])
        assert scores.values["ssim_16f64"][clip].item() == pytest.approx(expected, abs=1e-4)
    assert scores.values["ssim_16f64"].dtype == torch.float64


def test_psnr_and_l1_are_numpys_averaged_over_frames(pair, scores):
    real, made = (frames.astype(np.float64) for frames in pair)
    error = np.square(real - made).mean((2, 3, 4))
    assert scores.values["psnr_16f64"].numpy() == pytest.approx((10 * np.log10(255**2 / error)).mean(1), abs=1e-4)
    assert scores.values["l1_16f64"].numpy() == pytest.approx(np.abs(real - made).mean((1, 2, 3, 4)) / 255, abs=1e-6)
    assert scores.counts == {"psnr_capped_frames": 0, "still_clips": 0}


def test_the_moving_region_is_measured_alone(random):
    real = np.full((1, 8, 32, 40, 3), 90, np.uint8)
    real[0, 3:, 14:18, 15:23] = np.random.default_rng(1).integers(120, 255, (5, 4, 8, 3))
    made = real.copy()
    made[0, :, :8] = 0  # wrong where nothing moves: no matter
    made[0, 2:, 15:17, 16:20] = 200
    moves = moving(torch.from_numpy(real))[0].numpy()
    assert moves.sum() == 32 and moves[14:18, 15:23].all()
    found = fidelity(real, made).values
    ssim, psnr = [], []
    for a, b in zip(real[0], made[0]):
        ssim.append(similar(a, b)[1][moves].mean())
        error = np.square(a[moves].astype(float) - b[moves]).mean()
        psnr.append(min(CAP, 10 * math.log10(255**2 / error)) if error else CAP)
    assert found["ssim_moving16_8f32x40"].item() == pytest.approx(np.mean(ssim), abs=1e-4)
    assert found["psnr_moving16_8f32x40"].item() == pytest.approx(np.mean(psnr), abs=1e-3)
    assert found["ssim_8f32x40"] < 0.9


def test_a_pixel_moves_when_any_colour_leaves_the_first_frame_by_more_than_the_threshold():
    real = torch.full((1, 3, 16, 16, 3), 100, dtype=torch.uint8)
    real[0, 1, 2, 3, 1] += MOVED
    real[0, 1, 5, 6, 2] -= MOVED + 1  # in one frame and one colour only
    assert moving(real).nonzero().tolist() == [[0, 5, 6]]


def test_frames_that_are_the_same_are_capped_and_still_clips_left_out(pair):
    real, _ = pair
    found = fidelity(real[:, :1].repeat(4, 1), real[:, :1].repeat(4, 1))
    assert found.counts == {"psnr_capped_frames": 8, "still_clips": 2}
    assert found.values["psnr_4f64"].tolist() == [CAP, CAP] and pytest.approx(48.1308, abs=1e-4) == CAP
    assert found.values["ssim_4f64"].tolist() == pytest.approx([1, 1], abs=1e-4)
    assert found.values["ssim_moving16_4f64"].isnan().all() and found.values["psnr_moving16_4f64"].isnan().all()
    off = real[:, :2] ^ 1  # one level off everywhere: exactly the cap, and not beyond it
    assert fidelity(real[:, :2], off).values["psnr_2f64"].tolist() == pytest.approx([CAP, CAP], abs=1e-3)


def test_what_cannot_be_compared_is_refused(pair):
    real, made = pair
    with pytest.raises(VidganError, match="cannot be compared"):
        fidelity(real, made[:, :8])
    with pytest.raises(VidganError, match="float32"):
        fidelity(real.astype(np.float32), made)
    with pytest.raises(VidganError, match=r"\[16, 64, 64, 3\]"):
        fidelity(real[0], made[0])
    with pytest.raises(VidganError, match="11 x 11"):
        fidelity(real[:, :, :8], made[:, :, :8])


def test_without_torchmetrics_one_sentence_says_what_to_install(pair, monkeypatch):
    for name in ("torchmetrics", "torchmetrics.functional"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(VidganError, match=r'pip install "vidgan\[metrics\]"'):
        fidelity(*pair)


# ------------------------------------------------------------------------------------------------ many clips together


def test_means_are_over_videos_and_unknown_values_are_left_out():
    values = torch.tensor([1.0, 3.0, math.nan, 8.0, math.nan])
    video = torch.tensor([4, 4, 4, 7, 9])
    assert by_video(values, video).tolist() == [2, 8]
    mean, between = summary(values, video)
    assert mean == 5 and between == [2, 8]  # two videos: the interval reaches from one to the other
    assert summary(values[2:3], video[2:3]) == (None, None)
    assert summary(values[:2], video[:2]) == (2, None)


def test_the_interval_is_that_of_the_mean():
    means = torch.randn(400, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 3 + 10
    low, high = interval(means)
    mean = means.mean().item()
    error = 1.96 * means.std().item() / 20
    assert low == pytest.approx(mean - error, abs=0.06) and high == pytest.approx(mean + error, abs=0.06)
    assert interval(means) == [low, high] != interval(means, seed=1)


def test_scores_are_joined_clip_by_clip():
    one = Scores({"a": torch.tensor([1.0])}, {"left": 1}) | Scores({"b": torch.tensor([2.0])}, {"out": 0})
    both = Scores.join([one, one])
    assert {name: value.tolist() for name, value in both.values.items()} == {"a": [1, 1], "b": [2, 2]}
    assert both.counts == {"left": 2, "out": 0}
