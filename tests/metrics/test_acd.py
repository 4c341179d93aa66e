"""ACD-C of any clips: by hand numbers, beside real clips and strangers."""

import pytest
import torch

from vidgan import VidganError
from vidgan.metrics.acd import _mixed, consistency, table
from vidgan.metrics.distance import distinct
from vidgan.metrics.recorded import Recorded
from vidgan.metrics.registry import METRICS, Told


class Red:
    """The mean red of a frame; nobody is in one without any."""

    name = "red-1"

    def embed(self, frames):
        means = torch.as_tensor(frames)[..., :1].float().mean((1, 2))
        return torch.where(means > 0, means, torch.nan)


def recorded(*clips: list[int]) -> Recorded:
    """Clips of 16 frames of one colour each, whose reds are given, the last one to the end."""
    frames = torch.zeros(len(clips), 16, 64, 64, 3, dtype=torch.uint8)
    for clip, reds in zip(frames, clips, strict=True):
        reds = torch.tensor([*reds, *[reds[-1]] * (16 - len(reds))], dtype=torch.uint8)
        clip[..., 0] = reds[:, None, None]
    return Recorded("made", frames, tuple(f"{index}.npz" for index in range(len(clips))))


def test_the_mean_over_clips_of_the_mean_over_pairs(faces):
    result = consistency(recorded([100], [100, 116]), faces, 2, embedder=Red())
    name = "acd_c_red-1_2x16f64"
    apart = 16 * 15 / 120  # one frame of 16 differs from the 15 others by 16
    assert result[name] == pytest.approx(apart / 2)
    low, high = result["intervals"][name]
    assert low == pytest.approx(0) and high == pytest.approx(apart)
    assert result["generator"] == "made" and result["clips"] == 2


def test_real_clips_score_as_themselves_and_strangers_are_further_apart(faces):
    frames = torch.cat([part for part, *_ in distinct(faces, 24, 0, set(), False)])
    copies = Recorded("copies", frames, tuple(f"{index}.npz" for index in range(24)))
    measured = METRICS["acd"].measure(copies, {"test": faces}, Told(clips=24))
    (name,) = [key for key in measured.result if key.startswith("acd_c_")]
    own, real, strangers = (row[name] for row in (measured.result, *map(measured.result.get, ("real", "strangers"))))
    assert name.endswith("_24x16f64") and own == real and 0 < 3 * real < strangers
    rows = METRICS["acd"].table(measured.result)
    assert len(rows) == 5 and "real clips" in rows[3] and f"{strangers:.3f}" in rows[4]


def test_strangers_are_of_different_clips():
    vectors = torch.arange(20 * 16.0).view(20, 16, 1)
    mixed = _mixed(vectors)[..., 0]
    assert torch.equal(mixed % 16, torch.arange(16.0).expand(20, 16)), "each frame stays in its place"
    assert all(len(set(row)) == 16 for row in (mixed // 16).int().tolist())


def test_too_few_clips_are_refused(faces):
    with pytest.raises(VidganError, match="at least 2 clips; 1 was asked for"):
        consistency(recorded([1], [2]), faces, 1, embedder=Red())
    with pytest.raises(VidganError, match="2 clips that can be used; 3"):
        consistency(recorded([1], [2]), faces, 3, embedder=Red())


def test_nobody_found_is_no_number(faces):
    result = consistency(recorded([0], [0]), faces, 2, embedder=Red())
    assert result["acd_c_red-1_2x16f64"] is None and result["counts"]["clips_without_acd_c"] == 2
    assert any("nobody found" in line for line in table(result))
