"""Points of a generator that grows: links, commands and Python say how far, and draw the same."""

import dataclasses
import itertools
import json

import numpy as np
import pytest
import torch

from vidgan import VidganError, hub, video
from vidgan.cli import main
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.growth import figure
from vidgan.explore.interpolate import Walk, columns
from vidgan.explore.resample import shares
from vidgan.models import ReleaseInfo, build
from vidgan.ui.point import change
from vidgan.ui.point import point as shown
from vidgan.video import to_uint8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    generator = build("progressive", size=16, width=4, latent=8)
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    hub.save_release(
        checkpoints / "tree", generator, ReleaseInfo("tree", "progressive", frames=8, size=16), card="# tree\n"
    )
    return checkpoints


@pytest.fixture
def generator(folder, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(folder))
    return hub.load("tree")


def find(generator):
    return lambda name: ("tree", generator)


def drawn(generator, point: Bookmark) -> np.ndarray:
    return to_uint8(generator.generate(point.latents, point.condition(generator)))[0]


def test_a_stage_is_kept_in_links_of_drawn_and_of_moved_points(generator):
    point = Bookmark.draw(generator, {"z": 5}, stage=1.4)
    moved = point.moved(generator, point.latents.add("z", torch.ones(8)))
    for one in (point, moved):
        assert "stage=1.4" in one.to_query(generator)
        assert Bookmark.from_query(one.to_query(generator), find(generator)) == one
        assert drawn(generator, one).shape == (8, 16, 16, 3)
    whole = Bookmark.draw(generator, {"z": 5}, stage=2)
    assert whole.stage is None and "stage" not in whole.to_query(generator)


@pytest.mark.parametrize("moved", [False, True])
def test_python_and_command_line_draw_the_links_frames(generator, moved, tmp_path, monkeypatch, capsys):
    point = Bookmark.draw(generator, {"z": 5}, truncation={"z": 0.7}, stage=0.5)
    if moved:
        point = point.moved(generator, point.latents.add("z", torch.ones(8)))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(point.to_python(generator), names)
    assert main([*point.to_cli(generator).split()[1:], "--format", "npz"]) == 0
    (made,) = capsys.readouterr().out.split()
    expected = drawn(generator, point)
    assert expected.shape == (8, 8, 8, 3)
    assert np.array_equal(to_uint8(names["clip"])[0], expected)
    with np.load(made) as arrays:
        assert np.array_equal(arrays["frames"], expected)


def test_every_stage_is_a_file_of_its_own(generator, tmp_path, capsys):
    for stage in ("0", "1.4", "2"):
        assert main(["sample", "tree", "--seed", "5", "--out", str(tmp_path), "--stage", stage, "--format", "npz"]) == 0
    assert main(["sample", "tree", "--seed", "5", "--out", str(tmp_path), "--format", "npz"]) == 0
    names = [f"tree-seed5{stage}-0.npz" for stage in ("", "-stage0", "-stage1.4", "-stage2")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names)
    sizes = []
    for name in names:
        with np.load(tmp_path / name) as arrays:
            sizes.append(arrays["frames"].shape[:2])
    assert sizes == [(8, 16), (4, 4), (8, 16), (8, 16)]


def test_all_stages_are_drawn_side_by_side(generator, tmp_path, capsys):
    line = ["sample", "tree", "--seed", "5", "--out", str(tmp_path), "--stage", "all", "--format", "npz", "--json"]
    assert main(line) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["stage"] == "all" and told["files"] == [str(tmp_path / "tree-seed5-stageall-0.npz")]
    with np.load(told["files"][0]) as arrays:
        assert np.array_equal(arrays["frames"], figure(generator, Bookmark.draw(generator, {"z": 5})))


def test_sheets_of_variants_and_of_seeds_are_drawn_at_a_stage(generator, tmp_path, capsys):
    """Played as fast as their clips; a grid of what has no motion of its own has a seed in every cell."""
    line = ["resample", "tree", "--seed", "5", "--redraw", "z", "-n", "2", "--stage", "0", "--json"]
    assert main([*line, "--out", str(tmp_path / "variants.gif")]) == 0
    told = json.loads(capsys.readouterr().out)
    points = [Bookmark.from_query(link, find(generator)) for link in (told["original"], *told["variants"])]
    assert [point.stage for point in points] == [0, 0, 0]
    frames, fps = video.read(tmp_path / "variants.gif")
    assert frames.shape == (4, 4, 3 * 4 + 2 * 2, 3) and fps == pytest.approx(generator.fps / 2, rel=0.05)
    line = ["grid", "tree", "--seed", "5", "--appearances", "2", "--motions", "3", "--stage", "1"]
    assert main([*line, "--out", str(tmp_path / "grid.webp")]) == 0
    frames, _ = video.read(tmp_path / "grid.webp")
    assert frames.shape == (8, 2 * 8 + 2, 3 * 8 + 2 * 2, 3)
    cells = {
        frames[:, 10 * row : 10 * row + 8, 10 * column : 10 * column + 8].tobytes()
        for row in (0, 1)
        for column in range(3)
    }
    assert len(cells) == 6
    for command in (["resample", "tree", "--redraw", "z", "--out", "x.gif"], ["grid", "tree", "--out", "x.gif"]):
        assert main([*command, "--stage", "3"]) == 2
        assert "stages go from 0 to 2" in capsys.readouterr().err


def test_the_page_changes_the_stage(generator):
    release = dataclasses.make_dataclass("Release", ["generator", "directions"])(generator, {})
    point = Bookmark.draw(generator, {"z": 5})
    assert shown(release, point)["stage"] == 2
    grown = change(release, point, {"kind": "stage", "stage": 0.25})
    assert grown.stage == 0.25 and shown(release, grown)["stage"] == 0.25
    assert change(release, grown, {"kind": "stage", "stage": 2}) == point
    with pytest.raises(VidganError, match="go from 0 to 2"):
        change(release, point, {"kind": "stage", "stage": 3})


@pytest.mark.parametrize("text", ["-1", "2.5", "nan", "two", "1,4", "1e999"])
def test_stages_that_do_not_exist_are_one_sentence(generator, text, capsys):
    with pytest.raises(VidganError, match="stages go from 0 to 2"):
        Bookmark.from_query(f"release=tree&seed.z=1&stage={text}", find(generator))
    assert main(["sample", "tree", f"--stage={text}"]) == 2
    told = capsys.readouterr().err
    assert "stages go from 0 to 2" in told and (text in told or text == "1e999")


def test_walks_go_through_whole_clips(generator):
    with pytest.raises(VidganError, match="Keyframe 2 has not grown"):
        Walk([Bookmark.draw(generator, {"z": 1}), Bookmark.draw(generator, {"z": 2}, stage=1)])


def test_walks_lead_from_one_clip_to_another(generator):
    """The paper's appendix B: points on the way between two, in full size."""
    ends = [Bookmark.draw(generator, {"z": seed}) for seed in (1, 2)]
    made = columns(generator, Walk(ends), 5)
    assert made.shape == (5, 8, 16, 16, 3)
    assert np.array_equal(made[0], drawn(generator, ends[0])) and np.array_equal(made[-1], drawn(generator, ends[1]))
    steps = [np.abs(one.astype(int) - other).mean() for one, other in itertools.pairwise(made)]
    assert 0 < max(steps) < np.abs(made[0].astype(int) - made[-1]).mean()


def test_subspaces_are_measured_at_any_stage(generator):
    found = shares(generator, Bookmark.draw(generator, {"z": 1}, stage=1.5), draws=2)
    assert found["z"].appearance + found["z"].motion == pytest.approx(1)


def test_what_does_not_grow_has_no_stage(root, monkeypatch, capsys):
    monkeypatch.delenv("VIDGAN_CHECKPOINTS", raising=False)
    assert main(["sample", "g3an-expressions", "--stage", "1"]) == 2
    assert "do not grow" in capsys.readouterr().err


def test_a_clip_of_any_stage_can_be_saved(generator, tmp_path):
    for kind in ("mp4", "gif", "webp"):
        path = video.save(tmp_path / f"clip.{kind}", drawn(generator, Bookmark.draw(generator, {"z": 1}, stage=0)), 12)
        assert path.stat().st_size > 50
