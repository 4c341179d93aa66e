"""What `vidgan data inspect` tells and draws."""

import json

import numpy as np
import pytest
from PIL import Image

from vidgan import video
from vidgan.data import open_source
from vidgan.data.inspect import contact_sheet, inspect, text
from vidgan.errors import VidganError


@pytest.fixture
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "videos"
    for group, grey in (("calm", 60), ("wild", 200)):
        for length in (10, 11, 15):
            frames = np.full((length, 24, 24, 3), grey, np.uint8)
            frames[:, :, :, 0] += np.arange(length, dtype=np.uint8)[:, None, None]
            video.save(root / group / f"{length}.gif", frames)
    (root / "wild" / "broken.mp4").write_text("no")
    return root


def test_numbers(root):
    found = inspect("folder", root=str(root), frames=8, size=16, held_out=0.01)
    assert found["labels"] == ["calm", "wild"] and found["frames"] == 8 and found["size"] == 16
    train, test = found["splits"]["train"], found["splits"]["test"]
    assert train["clips"] == 4 and train["labels"] == {"calm": 2, "wild": 2}
    assert test["clips"] == 2 and test["labels"] == {"calm": 1, "wild": 1}
    assert 10 <= train["lengths"]["min"] <= train["lengths"]["median"] <= train["lengths"]["max"] <= 15
    assert list(found["skipped"]) == ["wild/broken.mp4"] and found["sheet"] is None
    assert json.loads(json.dumps(found)) == found
    told = text(found)
    for part in ("4 clips", "calm 2, wild 2", "1 skipped", "wild/broken.mp4", "frames"):
        assert part in told


def test_a_split_that_is_empty_has_no_clips(root):
    found = inspect("folder", root=str(root), frames=8, size=16, held_out=0)
    assert found["splits"]["test"]["clips"] == 0 and found["splits"]["train"]["clips"] == 6
    assert "0 clips" in text(found) and "10 to 15 frames, median 11" in text(found)


@pytest.mark.parametrize("suffix", ["png", "webp", "gif", "mp4"])
def test_sheets(root, tmp_path, suffix):
    out = tmp_path / "sheets" / f"sheet.{suffix}"
    found = inspect("folder", out, root=str(root), frames=8, size=16, rows=2, columns=3)
    assert found["sheet"] == str(out) and str(out) in text(found)
    if suffix == "png":
        with Image.open(out) as image:
            assert image.size == (8 * 18 - 2, 2 * 18 - 2)  # two strips of eight frames
    else:
        frames, _ = video.read(out)
        assert frames.shape == (8, 2 * 18 - 2, 3 * 18 - 2, 3)


def test_sheet_shows_the_clips_of_the_first_step(root, tmp_path):
    source = open_source("folder", root=str(root), frames=8, size=16)
    sheet, _ = video.read(contact_sheet(source, tmp_path / "sheet.npz", rows=2, columns=2))
    frames = video.to_uint8(source.batch(4, 0).clip)
    assert np.array_equal(sheet[:, :16, :16], frames[0]) and np.array_equal(sheet[:, 18:, 18:], frames[3])


def test_drawn_data_has_no_end():
    found = inspect("expressions", frames=4, size=32)
    assert found["splits"]["train"]["clips"] is None and found["labels"][0] == "anger"
    assert "drawn without end" in text(found) and "surprise" in text(found)


def test_what_is_wrong_is_said(root, tmp_path):
    with pytest.raises(VidganError, match="did you mean weizmann"):
        inspect("weizman")
    with pytest.raises(VidganError, match="jpg"):
        inspect("folder", tmp_path / "sheet.jpg", root=str(root), frames=8, size=16)
    with pytest.raises(VidganError, match=r"no option of folder .colour.; there are cache"):
        inspect("folder", root=str(root), colour="blue")
