"""Content distances by hand, and of clips through an embedder of anybody's."""

import math

import numpy as np
import pytest
import torch

from vidgan.errors import VidganError
from vidgan.metrics.content import acd_c, acd_i, content

NOBODY = [math.nan, math.nan]


def test_acd_c_is_the_mean_over_all_pairs():
    assert acd_c(torch.tensor([[0.0, 0], [3, 4], [0, 0]])) == pytest.approx((5 + 0 + 5) / 3)
    assert acd_c(torch.tensor([[0.0, 0], [3, 4], [6, 8], [0, 0]])) == pytest.approx((5 + 10 + 0 + 5 + 5 + 10) / 6)
    assert acd_c(torch.ones(5, 3)) == 0


def test_acd_i_is_the_mean_over_the_frames():
    assert acd_i(torch.tensor([[0.0, 0], [3, 4], [6, 8]]), torch.tensor([0.0, 0])) == pytest.approx((0 + 5 + 10) / 3)
    assert acd_i(torch.tensor([[1.0, 1]]), torch.tensor([4.0, 5])) == 5


def test_frames_without_anybody_are_left_out():
    vectors = torch.tensor([[0.0, 0], NOBODY, [3, 4]])
    assert acd_c(vectors) == 5
    assert acd_i(vectors, torch.tensor([0.0, 0])) == 2.5
    assert math.isnan(acd_c(vectors[:2]))
    assert math.isnan(acd_i(vectors, torch.tensor(NOBODY)))
    assert math.isnan(acd_i(vectors[1:2], torch.tensor([0.0, 0])))


class Colours:
    """The mean red and green of a frame; nobody is in a black one."""

    name = "colours-1"

    def embed(self, frames):
        means = torch.as_tensor(frames).float().mean((1, 2))
        means[means.sum(1) == 0] = math.nan
        return means[:, :2]


def test_clips_are_measured_by_any_embedder_and_what_it_missed_is_counted():
    frames = np.zeros((3, 3, 8, 8, 3), np.uint8)
    image = np.zeros((3, 8, 8, 3), np.uint8)
    frames[0, 0, ..., 0], frames[0, 1, ..., 1] = 3, 4  # vectors (3, 0), (0, 4), none
    frames[1, :, ..., 0] = 10
    image[0, ..., 0], image[1, ..., 1] = 3, 10  # and none for the third
    found = content(frames, image, Colours())
    apart, given = found.values["acd_c_colours-1_3f8"], found.values["acd_i_colours-1_3f8"]
    assert apart[:2].tolist() == [5, 0] and apart[2].isnan()
    assert given[:2].tolist() == pytest.approx([2.5, 200**0.5]) and given[2].isnan()
    assert found.counts == {
        "undetected_frames": 4,
        "undetected_inputs": 1,
        "clips_without_acd_c": 1,
        "clips_without_acd_i": 1,
    }


def test_pictures_that_do_not_fit_the_clips_are_refused():
    with pytest.raises(VidganError, match=r"\[2, 3, 8, 8, 3\] and \[1, 8, 8, 3\]"):
        content(np.zeros((2, 3, 8, 8, 3), np.uint8), np.zeros((1, 8, 8, 3), np.uint8), Colours())
