"""The Weizmann reader, on the real clips where they are, and on a small file of the same layout."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vidgan.data import open_source
from vidgan.data.arrays import parse_stride, resize, varied, windows
from vidgan.errors import VidganError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
DATA = Path(os.environ.get("VIDGAN_DATA") or SHARED)
needs_data = pytest.mark.skipif(
    not (DATA / "weizmann64" / "weizmann64.npz").is_file(),
    reason="weizmann64 is neither in VIDGAN_DATA nor shared/data",
)
LENGTHS = (20, 31, 26, 20)


@pytest.fixture
def made(tmp_path):
    """Four clips in which every pixel says where it is: red = clip, green = frame, blue = column."""
    clips = []
    for clip, length in enumerate(LENGTHS):
        frames = np.zeros((length, 64, 64, 3), np.uint8)
        frames[..., 0] = clip * 50
        frames[..., 1] = np.arange(length)[:, None, None]
        frames[..., 2] = np.arange(64)
        clips.append(frames)
    (tmp_path / "weizmann64").mkdir()
    np.savez(
        tmp_path / "weizmann64" / "weizmann64.npz",
        frames=np.concatenate(clips),
        offsets=np.cumsum([0, *LENGTHS]),
        action=np.array([0, 1, 0, 1]),
        subject=np.array([0, 0, 1, 2]),
        is_test=np.array([False, False, True, False]),
        action_names=np.array(["bend", "jack"]),
        subject_names=np.array(["ann", "bob", "cid"]),
    )
    return tmp_path


def levels(batch):
    return ((batch.clip + 1) * 127.5).round().long()  # [B, 3, T, H, W]


def test_windows_are_where_the_factors_say(made):
    source = open_source("weizmann", root=str(made), frames=8, stride=(1, 2), seed=5)
    batch = source.batch(64, 3)
    assert batch.clip.shape == (64, 3, 8, 64, 64) and batch.clip.dtype == torch.float32
    pixels, factors = levels(batch), batch.factors
    assert set(factors) == {"action", "subject", "start", "stride", "flip"}
    expected = factors["start"][:, None] + factors["stride"][:, None] * torch.arange(8)
    assert torch.equal(pixels[:, 1, :, 0, 0], expected)
    clip = pixels[:, 0, 0, 0, 0] // 50
    assert set(clip.tolist()) == {0, 1, 3}  # never the clip of the held-out subject
    assert torch.equal(batch.label, torch.tensor([0, 1, 0, 1])[clip])
    assert torch.equal(factors["subject"], torch.tensor([0, 0, 1, 2])[clip])
    assert (expected[:, -1] < torch.tensor(LENGTHS)[clip]).all()
    columns = torch.arange(64)
    for row, flipped in enumerate(factors["flip"]):
        assert torch.equal(pixels[row, 2, 0, 0], columns.flip(0) if flipped else columns)
    assert 0 < factors["flip"].sum() < 64 and set(factors["stride"].tolist()) == {1, 2}


def test_colours_and_places_vary_only_in_training_and_alike_in_all_frames(made):
    told = {"root": str(made), "frames": 8, "stride": 1, "flip": False}
    plain, varied = (open_source("weizmann", vary=vary, **told).batch(64, 0) for vary in (0, 0.8))
    assert torch.equal(plain.factors["start"], varied.factors["start"]) and torch.equal(plain.label, varied.label)
    assert (plain.clip - varied.clip).abs().mean() > 0.05 and varied.clip.abs().max() <= 1
    same = open_source("weizmann", vary=0.8, **told).batch(64, 0)
    assert torch.equal(same.clip, varied.clip)
    test = [open_source("weizmann", split="test", vary=vary, **told).batch(8, 0).clip for vary in (0, 0.8)]
    assert torch.equal(*test)
    with pytest.raises(VidganError, match="vary goes from 0 to 1"):
        open_source("weizmann", vary=2, **told)


def test_variation_is_within_its_bounds():
    clip = torch.rand(32, 3, 4, 16, 16) * 0.6 - 0.3
    clip[:, :, 1:] = clip[:, :, :1]  # still
    made = varied(clip, 0.5, torch.Generator().manual_seed(0))
    assert torch.allclose(made[:, :, 0], made[:, :, 3])
    seen = []
    for before, after in zip(clip[:, :, 0], made[:, :, 0], strict=True):
        fits = []
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                inside = before.roll((-down, -right), (1, 2))[:, 2:-2, 2:-2].flatten(1)
                found = after[:, 2:-2, 2:-2].flatten(1)
                gain = (inside * found).mean(1) - inside.mean(1) * found.mean(1)
                gain = gain / inside.var(1, unbiased=False)
                light = found.mean(1) - gain * inside.mean(1)
                left = (found - gain[:, None] * inside - light[:, None]).abs().max()
                fits.append((left.item(), down, right, gain, light))
        left, down, right, gain, light = min(fits, key=lambda fit: fit[0])
        assert left < 1e-4 and (gain > 0.75 * 0.875 - 1e-3).all() and (gain < 1.25 * 1.125 + 1e-3).all()
        assert light.std() < 1e-4 and light.abs().max() < 0.126
        seen.append((down, right))
    assert len(set(seen)) > 5


def test_flips_only_in_training(made):
    source = open_source("weizmann", root=str(made), split="test", frames=8)
    assert not source.batch(64, 0).factors["flip"].any()
    assert not open_source("weizmann", root=str(made), flip=False).batch(64, 0).factors["flip"].any()


def test_a_stride_is_shortened_where_a_clip_is_short(made):
    source = open_source("weizmann", root=str(made), frames=10, stride=(1, 4))
    factors = source.batch(256, 0).factors
    longest = {int(s): factors["stride"][factors["action"] == s].max().item() for s in (0, 1)}
    assert longest == {0: 2, 1: 3}  # 20 frames hold 10 at stride 2, 31 at stride 3
    assert open_source("weizmann", root=str(made), frames=10).stride == (1, 2)  # so that it fits into every clip
    assert open_source("weizmann", root=str(made), frames=20).stride == (1, 1)
    with pytest.raises(VidganError, match="21 frames with stride 1 do not fit: the shortest weizmann clip has 20"):
        open_source("weizmann", root=str(made), frames=21)
    with pytest.raises(VidganError, match="stride 3"):
        open_source("weizmann", root=str(made), frames=16, stride=3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_same(made):
    here, there = (open_source("weizmann", root=str(made), device=device).batch(8, 1) for device in ("cpu", "cuda"))
    assert there.clip.is_cuda and there.label.is_cuda and there.factors["flip"].is_cuda
    assert torch.equal(there.clip.cpu(), here.clip) and torch.equal(there.label.cpu(), here.label)


@pytest.mark.parametrize("size", [32, 48, 96])
def test_other_sizes(made, size):
    batch = open_source("weizmann", root=str(made), size=size, flip=False).batch(2, 0)
    assert batch.clip.shape[-2:] == (size, size)
    row = levels(batch)[0, 2, 0, 0].float()
    assert (row.diff() >= 0).all() and abs(row.mean() - 31.5) < 0.6


def test_missing_damaged_and_wrong(tmp_path, monkeypatch):
    with pytest.raises(VidganError, match=r"weizmann64\.npz in .*mocogan.*VIDGAN_DATA"):
        open_source("weizmann", root=str(tmp_path))
    folder = tmp_path / "weizmann64"
    folder.mkdir()
    (folder / "weizmann64.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(VidganError, match=r"Could not read .*weizmann64\.npz"):
        open_source("weizmann", root=str(folder))
    monkeypatch.setenv("VIDGAN_DATA", str(tmp_path))
    with pytest.raises(VidganError, match=r"Could not read .*weizmann64\.npz"):
        open_source("weizmann")
    np.savez(folder / "weizmann64.npz", frames=np.zeros(3))
    with pytest.raises(VidganError, match="offsets"):
        open_source("weizmann")
    for wrong in ({"stride": "fast"}, {"stride": (4, 1)}, {"stride": 0}, {"frames": 0}, {"size": 4}, {"colour": 1}):
        with pytest.raises(VidganError):
            open_source("weizmann", **wrong)


@needs_data
def test_the_real_clips():
    train, test = (open_source("weizmann", root=str(DATA), split=split, stride=(1, 4)) for split in ("train", "test"))
    assert train.labels == ("bend", "jack", "wave1", "wave2") and (len(train), len(test)) == (24, 12)
    assert train.label_counts() == dict.fromkeys(train.labels, 6)
    assert set(train.known["subject"].tolist()).isdisjoint(test.known["subject"].tolist())
    assert {test.subjects[i] for i in set(test.known["subject"].tolist())} == {"ira", "lyova", "shahar"}
    assert open_source("weizmann", root=str(DATA)).stride == (1, 3)
    seen = train.batch(64, 0)
    assert set(seen.label.tolist()) == {0, 1, 2, 3} and set(seen.factors["stride"].tolist()) == {1, 2, 3, 4}


@needs_data
def test_a_batch_depends_on_seed_rank_and_step_alone():
    source, again = (open_source("weizmann", root=str(DATA), seed=3, rank=1) for _ in range(2))
    first = source.batch(4, 7)
    again.batch(9, 1)  # what was asked before does not matter
    torch.manual_seed(99)
    same = again.batch(4, 7)
    assert torch.equal(first.clip, same.clip) and torch.equal(first.label, same.label)
    assert not torch.equal(source.batch(4, 8).clip, first.clip)
    for name, value in (("seed", 4), ("rank", 0)):
        setattr(again, name, value)
        assert not torch.equal(again.batch(4, 7).clip, first.clip)


def test_windows_reach_every_place():
    lengths = torch.full((4000,), 9)
    index, start, stride = windows(lengths, 3, (1, 4), torch.Generator().manual_seed(0))
    assert set(stride.tolist()) == {1, 2, 3, 4} and index.min() == 0 and index.max() == 8
    assert set(start[stride == 4].tolist()) == {0} and set(start[stride == 1].tolist()) == set(range(7))
    index, _, _ = windows(torch.tensor([1, 5]), 1, (1, 4), torch.Generator().manual_seed(0))
    assert index.shape == (2, 1) and index[0] == 0
    with pytest.raises(VidganError, match="do not fit into 4"):
        windows(torch.tensor([4]), 5, (1, 4), torch.Generator())


def test_strides_are_read_from_the_command_line():
    assert [parse_stride(s) for s in (2, "2", (1, 4), "1,4", "1-4", [3])] == [
        (2, 2),
        (2, 2),
        (1, 4),
        (1, 4),
        (1, 4),
        (3, 3),
    ]
    for wrong in ("", "a", "4,1", 0, (1, 2, 3), None, 1.5):
        with pytest.raises(VidganError, match="stride"):
            parse_stride(wrong)


def test_resize_averages_and_keeps_the_size_it_has():
    pixels = torch.randint(256, (300, 3, 16, 16), dtype=torch.uint8)
    assert resize(pixels, 16) is pixels
    small = resize(pixels, 8)
    assert small.dtype == torch.uint8
    mean = pixels.float().unflatten(2, (8, 2)).unflatten(4, (8, 2)).mean((3, 5))
    assert (small.float() - mean).abs().max() <= 0.5
