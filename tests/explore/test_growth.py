"""The figure of a clip at every level."""

import numpy as np
import pytest
import torch

from vidgan import VidganError
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.growth import enlarged, figure, stages
from vidgan.models import build


def test_all_levels_stand_side_by_side():
    torch.manual_seed(0)
    generator = build("progressive", size=16, width=4, latent=8)
    point = Bookmark.draw(generator, {"z": 3}, stage=0.5)
    assert [one.stage for one in stages(generator, point)] == [0, 1, None]
    made = figure(generator, point)
    assert made.shape == (8, 16, 3 * 16 + 2 * 2, 3)
    small = ((generator.draw(point.latents["z"], 0)[0].clamp(-1, 1) + 1) * 127.5).round().permute(1, 2, 3, 0)
    assert np.abs(made[5, 6, 9].astype(int) - small[2, 1, 2].detach().numpy()).max() <= 1


def test_frames_and_pixels_are_repeated():
    clip = np.arange(2 * 2 * 2 * 3, dtype=np.uint8).reshape(2, 2, 2, 3)
    large = enlarged(clip, 4, 4)
    assert large.shape == (4, 4, 4, 3) and np.array_equal(large[::2, ::2, ::2], clip)
    assert np.array_equal(large[1::2, 1::2, 1::2], clip)


def test_what_does_not_grow_has_no_figure():
    other = build("g3an", width=2, attention_after=None)
    point = Bookmark.draw(other, {"appearance": 1, "motion": 2})
    with pytest.raises(VidganError, match="do not grow"):
        figure(other, point)
