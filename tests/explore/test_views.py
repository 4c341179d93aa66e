"""Parts of clips that are laid over each other: links, commands, Python and the page show the same one alone."""

import dataclasses

import numpy as np
import pytest
import torch

from vidgan import VidganError, hub
from vidgan.cli import main
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.interpolate import Walk
from vidgan.models import ReleaseInfo, build
from vidgan.ui.point import change
from vidgan.ui.point import point as shown
from vidgan.video import to_uint8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    torch.manual_seed(0)
    checkpoints = tmp_path_factory.mktemp("checkpoints")
    info = ReleaseInfo("layers", "vgan", frames=16, size=64)
    hub.save_release(checkpoints / "layers", build("vgan", width=2, noise=8).eval(), info, card="# layers\n")
    return checkpoints


@pytest.fixture
def generator(folder, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(folder))
    return hub.load("layers")


def find(generator):
    return lambda name: ("layers", generator)


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize("view", ["foreground", "mask", "background"])
def test_links_python_and_the_command_line_draw_the_same_part(generator, view, moved, tmp_path, monkeypatch, capsys):
    point = Bookmark.draw(generator, {"noise": 5}, view=view)
    if moved:
        point = point.moved(generator, point.latents.add("noise", torch.ones(8)))
    query = point.to_query(generator)
    assert f"view={view}" in query and Bookmark.from_query(query, find(generator)) == point
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(point.to_python(generator), names)
    assert main([*point.to_cli(generator).split()[1:], "--format", "npz"]) == 0
    (made,) = capsys.readouterr().out.split()
    foreground, mask, background = generator.parts(point.latents)
    part = {"foreground": foreground, "mask": 2 * mask - 1, "background": background.expand_as(foreground)}[view]
    assert np.array_equal(to_uint8(names["clip"])[0], to_uint8(part.expand_as(foreground))[0])
    with np.load(made) as arrays:
        assert np.array_equal(arrays["frames"], to_uint8(names["clip"])[0])


def test_the_page_shows_a_part_and_the_whole_again(generator):
    release = dataclasses.make_dataclass("Release", ["generator", "directions"])(generator, {})
    point = Bookmark.draw(generator, {"noise": 5})
    masked = change(release, point, {"kind": "view", "view": "mask"})
    assert shown(release, point)["view"] == "" and shown(release, masked)["view"] == "mask"
    assert change(release, masked, {"kind": "view", "view": ""}) == point


def test_parts_that_do_not_exist_are_one_sentence(generator, root, monkeypatch, capsys):
    release = dataclasses.make_dataclass("Release", ["generator", "directions"])(generator, {})
    for bad in ("masc", ["mask"], 7):
        with pytest.raises(VidganError, match="There is no part of this release's clips"):
            change(release, Bookmark.draw(generator, {"noise": 5}), {"kind": "view", "view": bad})
    assert main(["sample", "layers", "--view", "masc"]) == 2
    assert "did you mean mask" in capsys.readouterr().err
    monkeypatch.delenv("VIDGAN_CHECKPOINTS")
    assert main(["sample", "g3an-expressions", "--view", "mask"]) == 2
    assert "they have no parts to see alone" in capsys.readouterr().err


def test_walks_go_through_whole_clips(generator):
    with pytest.raises(VidganError, match="Keyframe 2 shows the mask alone"):
        Walk([Bookmark.draw(generator, {"noise": 1}), Bookmark.draw(generator, {"noise": 2}, view="mask")])
