"""Folders of anyone's videos in a generator's place: what is left out and flagged, and that scores are the same."""

import json

import numpy as np
import pytest
import torch

from vidgan import VidganError, cli, video
from vidgan.metrics.distance import distance, distinct
from vidgan.metrics.recorded import is_folder_of_videos, read_recorded
from vidgan.metrics.registry import METRICS, Told
from vidgan.models import build


def noise(seed: int, frames: int = 16, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, size, size, 3), dtype=np.uint8)


def put(folder, name: str, frames: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".npy":
        np.save(path, frames)
    else:
        video.save(path, frames)


@pytest.fixture
def odd(tmp_path):
    """A folder with everything that can be wrong."""
    folder = tmp_path / "samples"
    put(folder, "a.npz", noise(0))
    put(folder, "long.npz", np.concatenate([noise(7, 4), noise(1), noise(8, 4)]))
    put(folder, "short.npz", noise(2, 9))
    put(folder, "large.npz", noise(3, size=96))
    put(folder, "twin.npz", noise(0))
    put(folder, "black.npz", np.zeros((16, 64, 64, 3), np.uint8))
    put(folder, "still.npz", np.repeat(noise(4, 1), 16, 0))
    put(folder, "float.npy", noise(5).astype(np.float32) / 127.5 - 1)
    put(folder, "nan.npy", np.full((16, 64, 64, 3), np.nan, np.float32))
    put(folder, "bright.npy", np.full((16, 64, 64, 3), 200.0))
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("not a clip")
    put(folder, ".hidden/b.npz", noise(6))
    return folder


def test_each_file_is_used_flagged_or_left_out(odd):
    found = read_recorded(odd, 16, 64)
    assert found.files == ("a.npz", "black.npz", "float.npy", "large.npz", "long.npz", "still.npz", "twin.npz")
    assert found.frames.shape == (7, 16, 64, 64, 3) and found.frames.dtype == torch.uint8
    assert np.array_equal(found.frames[4], noise(1))  # the middle of a long one
    assert np.array_equal(found.frames[2], noise(5))
    assert found.flagged == {
        "black.npz": "one colour throughout",
        "large.npz": "resized from 96x96",
        "still.npz": "stands still",
        "twin.npz": "the same as a.npz",
    }
    assert set(found.left_out) == {"short.npz", "nan.npy", "bright.npy", "broken.mp4"}
    assert found.left_out["short.npz"] == "9 frames of 16"
    assert "NaN" in found.left_out["nan.npy"] and "-1 to 1" in found.left_out["bright.npy"]
    note = found.report()["note"]
    assert "broken.mp4" in note and "black.npz (one colour throughout)" in note


def test_a_folder_with_a_single_clip_is_refused(tmp_path):
    put(tmp_path, "one.npz", noise(0))
    put(tmp_path, "two.npz", noise(0, 3))
    with pytest.raises(VidganError, match=r"1 clip of 16 frames; at least 2 are needed. Left out: two.npz"):
        read_recorded(tmp_path, 16, 64)


def test_what_counts_as_a_folder_of_videos(tmp_path, odd):
    assert is_folder_of_videos(str(odd)) and not is_folder_of_videos(str(tmp_path / "nowhere"))
    (tmp_path / "empty").mkdir()
    assert not is_folder_of_videos(str(tmp_path / "empty"))


def test_real_clips_from_files_score_as_they_do_from_the_source(tmp_path, faces, shipped):
    """The distance of real clips to themselves is 0, by whichever way they come."""
    clips = torch.cat([frames for frames, *_ in distinct(faces, 12, 0, set(), False)])
    for index, clip in enumerate(clips):
        put(tmp_path, f"{index:02d}.npz", clip.numpy())
    recorded = read_recorded(tmp_path, 16, 64)
    result = distance(recorded, faces, 12, features=shipped)
    assert result[f"fvd_vidgan-{shipped.hash}_12x16f64"] == pytest.approx(0, abs=1e-3)
    assert result["generator"] == tmp_path.name
    with pytest.raises(VidganError, match="12 clips that can be used; 13 were asked for"):
        distance(recorded, faces, 13, features=shipped)


def test_labels_are_the_names_of_folders(tmp_path, faces):
    for index, label in enumerate(faces.labels[:3]):
        put(tmp_path, f"{label}/{index}.npz", noise(index))
    recorded = read_recorded(tmp_path, 16, 64)
    named = dict(zip(recorded.files, recorded.labels(faces.labels).tolist(), strict=True))
    assert named == {f"{label}/{index}.npz": index for index, label in enumerate(faces.labels[:3])}
    put(tmp_path, "elsewhere.npz", noise(9))
    with pytest.raises(VidganError, match=r"elsewhere\.npz does not"):
        read_recorded(tmp_path, 16, 64).labels(faces.labels)


def test_metrics_refuse_what_they_are_not_of(tmp_path, faces):
    for index in range(2):
        put(tmp_path, f"{index}.npz", noise(index))
    recorded = read_recorded(tmp_path, 16, 64)
    with pytest.raises(VidganError, match="not a folder of videos"):
        METRICS["ppl"].measure(recorded, {}, Told())
    with pytest.raises(VidganError, match="animate pictures; this is none"):
        METRICS["animation"].measure(recorded, {"test": faces}, Told())
    with pytest.raises(VidganError, match="--repeats 1"):
        METRICS["inception"].measure(recorded, {}, Told(repeats=3))
    with pytest.raises(VidganError, match="this one animates pictures"):
        METRICS["distance"].check(build("imaginator", width=2, frames=16))
    with pytest.raises(VidganError, match="did you mean distance"):
        METRICS["distances"]


# ------------------------------------------------------------------------------------------------ the command


def test_the_command_measures_a_folder_and_keeps_every_line(odd, tmp_path, capsys):
    lines = tmp_path / "results.jsonl"
    line = (
        f"evaluate {odd} --data expressions --set bank=24 --metrics distance,retrieval --train-clips 8 --jsonl {lines}"
    )
    for _ in range(2):
        assert cli.main([*line.split(), "--train-clips", "8", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.split("\n}\n{")[0] + "\n}")
    kept = [json.loads(text) for text in lines.read_text().splitlines()]
    assert [one["metric"] for one in kept] == ["distance", "retrieval"] * 2 and kept[:2] == kept[2:]
    first = kept[0]
    assert {key: value for key, value in first.items() if key != "metric"} == shown["distance"]
    assert first["clips"] == 7 and first["recorded"]["files"] == 7 and "broken.mp4" in first["recorded"]["left_out"]
    low, high = next(iter(first["intervals"].values()))
    assert low < high
    assert "frozen on their first frame score better" in first["note"]  # noise is further away than anything


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "name the data set to compare with, by --data"),
        ("--data expressions --metric ppl", "not a folder of videos"),
        ("--data expressions --metric s3 --set bank=24", "named like its label"),
        ("--data expressions --features i3d", "needs i3d_torchscript.pt"),
        ("--data expressions --jsonl nowhere/results.jsonl --clips 2 --set bank=24", "cannot be written"),
    ],
)
def test_mistakes_about_folders_are_one_sentence(odd, more, said, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_FEATURES", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert cli.main(["evaluate", str(odd), *more.split()]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert said in told
