"""Points of a generator whose clips can have any length: links, commands and Python say how long, and draw the same."""

import numpy as np
import pytest
import torch

from vidgan import VidganError, hub, video
from vidgan.cli import main
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.interpolate import Walk, length
from vidgan.models import ReleaseInfo, build
from vidgan.training.ema import calibrate
from vidgan.ui.point import change
from vidgan.video import to_uint8

SEEDS = {"z_a": 1, "z_b": 2, "z_c": 3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    generator = build("mvtgan", size=64, classes=2, width=2, hidden=8, embedding=4, spectral_norm=False)
    info = ReleaseInfo("mvt", "mvtgan", data="sprites", labels=("walk", "cast"))
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    hub.save_release(checkpoints / "mvt", calibrate(generator, batches=2), info, card="# mvt\n", preview=b"RIFF")
    return checkpoints


@pytest.fixture
def generator(folder, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(folder))
    return hub.load("mvt")


def find(generator):
    return lambda name: ("mvt", generator)


def drawn(generator, point: Bookmark) -> np.ndarray:
    return to_uint8(generator.generate(point.latents, point.condition(generator)))[0]


def test_a_length_is_kept_in_links_of_drawn_and_of_moved_points(generator):
    point = Bookmark.draw(generator, SEEDS, label="walk", frames=24)
    moved = point.moved(generator, point.latents.add("z_b", torch.ones(20)))
    for one in (point, moved):
        back = Bookmark.from_query(one.to_query(generator), find(generator))
        assert back == one and back.length(generator) == 24
        assert len(drawn(generator, back)) == 24
    native = Bookmark.draw(generator, SEEDS)
    assert native.frames is None and native.length(generator) == 16


@pytest.mark.parametrize("moved", [False, True])
def test_python_and_command_line_draw_the_links_frames(generator, moved, tmp_path, monkeypatch, capsys):
    point = Bookmark.draw(generator, SEEDS, label="cast", truncation={"z_a": 0.5}, frames=20)
    if moved:
        point = point.moved(generator, point.latents.add("z_c", torch.ones(80)))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(point.to_python(generator), names)
    assert np.array_equal(to_uint8(names["clip"])[0], drawn(generator, point))
    words = point.to_cli(generator).split()[1:]
    assert main([*words, "--format", "npz"]) == 0
    file = capsys.readouterr().out.strip()
    assert np.array_equal(np.load(file)["frames"], drawn(generator, point))


def test_the_page_changes_the_length_without_a_new_point(generator):
    class Release:
        directions = None

    Release.generator = generator
    point = Bookmark.draw(generator, SEEDS)
    longer = change(Release, point, {"kind": "frames", "frames": 32})
    assert longer.length(generator) == 32 and longer.latents == point.latents
    assert change(Release, longer, {"kind": "frames", "frames": 16}) == point


@pytest.mark.parametrize("frames", ["0", "-4", "4.5", "999", "1e3", ""])
def test_links_with_impossible_lengths_are_refused(generator, frames):
    with pytest.raises(VidganError, match="1 to 512"):
        Bookmark.from_query(f"release=mvt&seed.z_a=1&frames={frames}", find(generator))


def test_a_walk_keeps_to_one_length(generator):
    ends = [Bookmark.draw(generator, dict.fromkeys(SEEDS, seed), frames=24) for seed in (1, 2)]
    walk = Walk(ends, loop=True)
    assert walk.at(generator, 0.3).length(generator) == 24
    long = Walk([Bookmark.draw(generator, dict.fromkeys(SEEDS, seed), frames=64) for seed in (1, 2)])
    assert Walk.from_query(long.to_query(generator), find(generator)) == long
    assert length(generator, walk) % 46 == 0  # to and fro over 24 frames
    assert Walk.from_query(walk.to_query(generator), find(generator)) == walk
    with pytest.raises(VidganError, match="length"):
        Walk([ends[0], Bookmark.draw(generator, SEEDS)])


def test_seeds_of_roles_and_of_subspaces(generator, tmp_path, capsys):
    def files(*words) -> np.ndarray:
        assert main(["sample", "mvt", *words, "--format", "npz", "--out", str(tmp_path)]) == 0
        return dict(np.load(capsys.readouterr().out.strip()))

    by_role = files("--appearance-seed", "5", "--motion-seed", "6", "--frames", "3")
    by_name = files("--seeds", "z_a=5,z_c=5,z_b=6", "--frames", "3")
    assert all(np.array_equal(by_role[name], by_name[name]) for name in (*SEEDS, "frames"))
    assert by_role["frames"].shape == (3, 64, 64, 3)
    for words in (["--seeds", "z_a"], ["--seeds", "z_q=3"], ["--seeds", "z_a=-1"], ["--frames", "0"]):
        assert main(["sample", "mvt", *words, "--out", str(tmp_path)]) == 2
        assert "vidgan:" in capsys.readouterr().err


def test_video_of_any_length_is_written(generator, tmp_path):
    assert video.save(tmp_path / "a.webp", drawn(generator, Bookmark.draw(generator, SEEDS, frames=5)), 12).exists()
