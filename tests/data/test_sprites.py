"""The Sprites reader: layers, splits, loops."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vidgan.data import open_source
from vidgan.data.sprites import LAYERS, characters, factors_of
from vidgan.errors import VidganError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("VIDGAN_DATA") or SHARED)
needs_data = pytest.mark.skipif(
    not (DATA / "sprites64" / "sprites_layers64.npz").is_file(),
    reason="sprites64 is neither in VIDGAN_DATA nor shared/data",
)


@pytest.fixture(scope="module")
def source():
    return open_source("sprites", root=str(DATA), seed=1)


def test_characters_are_divided_for_ever():
    train, test = characters("train"), characters("test")
    assert (len(train), len(test)) == (1000, 296)
    assert sorted(train + test) == list(range(1296))
    assert test[:5] == [19, 24, 37, 41, 45]  # a release's numbers depend on who was held out


def test_a_character_is_four_choices():
    body, bottomwear, topwear, hair = factors_of(torch.arange(1296))
    assert torch.equal(((body * 6 + bottomwear) * 6 + topwear) * 6 + hair, torch.arange(1296))
    assert body.max() == bottomwear.max() == topwear.max() == hair.max() == 5


@needs_data
def test_pixels_are_the_layers_laid_over_one_another(source):
    batch = source.batch(6, 2)
    assert batch.clip.shape == (6, 3, 16, 64, 64)
    ours = ((batch.clip + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 4, 1).numpy()
    with np.load(DATA / "sprites64" / "sprites_layers64.npz") as layers:
        for row in range(6):
            motion, phase = int(batch.factors["motion"][row]), int(batch.factors["phase"][row])
            for time in (0, 5, 11):
                picture = Image.new("RGBA", (64, 64), (0, 0, 0, 255))
                for layer in (*LAYERS, "shoes"):
                    choice = 0 if layer == "shoes" else int(batch.factors[layer][row])
                    part = layers[layer][choice, motion, (phase + time) % 8]
                    picture = Image.alpha_composite(picture, Image.fromarray(part))
                theirs = np.asarray(picture.convert("RGB")).astype(int)
                assert np.abs(ours[row, time] - theirs).max() <= 1  # two roundings where cloth is translucent


@needs_data
def test_labels_factors_and_loops(source):
    assert len(source.labels) == 9 and source.labels[0] == "walk_front" and len(source) == 9000
    batch = source.batch(80, 0)
    assert set(batch.factors) == {*LAYERS, "motion", "character", "phase"}
    assert torch.equal(batch.label, batch.factors["motion"]) and set(batch.label.tolist()) == set(range(9))
    assert set(batch.factors["phase"].tolist()) == set(range(8))
    assert torch.equal(batch.clip[:, :, :8], batch.clip[:, :, 8:])  # 16 frames are the motion twice
    assert set(batch.factors["character"].tolist()) <= set(characters("train"))
    held_out = open_source("sprites", root=str(DATA), split="test")
    assert set(held_out.batch(80, 0).factors["character"].tolist()) <= set(characters("test"))


@needs_data
@pytest.mark.parametrize("frames", [1, 5, 8, 32])
def test_any_length(frames):
    source = open_source("sprites", root=str(DATA), frames=frames, random_phase=False)
    batch = source.batch(2, 0)
    assert batch.clip.shape[2] == frames and not batch.factors["phase"].any()
    long = open_source("sprites", root=str(DATA), frames=40, random_phase=False).batch(2, 0)
    assert torch.equal(batch.clip, long.clip[:, :, :frames])


@needs_data
def test_other_sizes_and_determinism(source):
    shrunk = open_source("sprites", root=str(DATA), seed=1, size=32)
    small = shrunk.batch(2, 2)
    assert (shrunk.native, shrunk.size) == (64, 32)
    assert small.clip.shape == (2, 3, 16, 32, 32)
    full = source.batch(2, 2).clip
    averaged = full.unflatten(3, (32, 2)).unflatten(5, (32, 2)).mean((4, 6))
    assert (small.clip - averaged).abs().max() <= 1.01 / 255
    again = open_source("sprites", root=str(DATA), seed=1)
    torch.manual_seed(3)
    assert torch.equal(again.batch(4, 9).clip, source.batch(4, 9).clip)
    assert not torch.equal(again.batch(4, 9).clip, source.batch(4, 10).clip)
    assert not torch.equal(
        open_source("sprites", root=str(DATA), seed=1, rank=1).batch(4, 9).clip, source.batch(4, 9).clip
    )


def test_missing(tmp_path):
    with pytest.raises(VidganError, match=r"sprites_layers64\.npz in .*YingzhenLi/Sprites"):
        open_source("sprites", root=str(tmp_path))
