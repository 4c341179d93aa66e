"""Videos beside the real ones of the same names: hand numbers, what is left out, and the command."""

import json

import numpy as np
import pytest

from vidgan import VidganError, cli, video
from vidgan.metrics.pairs import paired


def noise(seed: int, frames: int = 16, size: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (frames, size, size, 3), dtype=np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Three pairs: a copy, one that is 51 levels too bright, one that begins a longer video; and what is no pair."""
    made, real = tmp_path / "made", tmp_path / "real"
    for folder in (made / "walk", real / "walk"):
        folder.mkdir(parents=True)
    video.save(made / "copy.npz", noise(0))
    video.save(real / "copy.npz", noise(0))
    video.save(made / "walk" / "bright.npz", noise(1) + 51)
    np.save(real / "walk" / "bright.npy", noise(1))
    video.save(made / "begun.npz", noise(2))
    video.save(real / "begun.npz", np.concatenate([noise(2), noise(3, 4)]))
    video.save(made / "alone.npz", noise(4))
    video.save(made / "large.npz", noise(5, size=96))
    video.save(real / "large.npz", noise(5))
    video.save(made / "long.npz", noise(6, 20))
    video.save(real / "long.npz", noise(6))
    (made / "broken.mp4").write_bytes(b"no video")
    video.save(real / "broken.npz", noise(7))
    return made, real


def test_pairs_of_one_name_are_compared_and_the_rest_is_told(folders):
    result = paired(*folders)
    assert result["psnr_16f64"] == pytest.approx((48.1308 + 48.1308 + 20 * np.log10(5)) / 3, abs=1e-3)
    assert result["l1_16f64"] == pytest.approx(0.2 / 3)
    assert (result["videos"], result["clips"], result["generator"], result["data"]) == (3, 3, "made", "real")
    assert any(key.startswith("fvd_") and key.endswith("_3of3x16f64") for key in result)
    assert result["baselines"]["repeat"]["psnr_16f64"] < 15 and "acd" in str(result["baselines"]["real"])
    assert set(result["left_out"]) == {"alone.npz", "large.npz", "long.npz", "broken.mp4"}
    assert result["left_out"]["alone.npz"] == "no video of this name in real"
    assert result["left_out"]["large.npz"] == "16 frames of 96x96, the real one 16 frames of 64x64"
    assert result["left_out"]["long.npz"] == "20 frames of 64x64, the real one 16 frames of 64x64"
    assert "alone.npz (no video of this name in real)" in result["note"]


def test_pairs_are_of_the_first_ones_form(folders):
    made, real = folders
    for folder in folders:
        video.save(folder / "shorter.npz", noise(8, 8))
    assert paired(made, real)["left_out"]["shorter.npz"] == "8 frames of 64x64, those before it 16 frames of 64x64"


def test_the_command_tells_the_same(folders, tmp_path, capsys):
    made, real = folders
    lines = tmp_path / "results.jsonl"
    assert cli.main(["evaluate", str(made), "--real", str(real), "--json", "--jsonl", str(lines)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads(json.dumps(paired(made, real)))
    assert json.loads(lines.read_text()) == {"metric": "pairs", **shown}
    assert cli.main(["evaluate", str(made), "--real", str(real)]) == 0
    told = capsys.readouterr().out
    assert "| ssim_16f64 |" in told and "repeats its input" in told and "Left out: alone.npz" in told


def test_mistakes_are_one_sentence(folders, tmp_path, capsys):
    made, real = folders
    for line, said in (
        (["--real", str(tmp_path / "nowhere")], "nowhere is no folder"),
        (["--real", str(real), "--metric", "distance"], "does not go with --metric"),
        (["--real", str(real), "--clips", "9"], "does not go with --clips"),
        (["--real", str(real), "--keep"], "--keep is for releases"),
        (["--real", str(tmp_path / "made" / "walk")], "no pair of videos in common"),
    ):
        assert cli.main(["evaluate", str(made), *line]) == 2
        assert said in capsys.readouterr().err.splitlines()[-1]
    with pytest.raises(VidganError, match="g3an-expressions is no folder"):
        paired("g3an-expressions", real)
