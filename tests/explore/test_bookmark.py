"""A link brings back the same numbers and so the same frames; anything else in it is refused in one sentence."""

import shlex

import numpy as np
import pytest
import torch

from vidgan import VidganError, cli, hub, video
from vidgan.explore.bookmark import Bookmark, parse_seed

SEEDS = {"appearance": 1289, "motion": 2**64 - 1}


@pytest.fixture
def generator(checkpoints):
    return hub.load("g3an-expressions")


@pytest.fixture
def find(generator):
    def found(name):
        return name or "g3an-expressions", generator

    return found


def edited(generator, **options):
    bookmark = Bookmark.draw(generator, SEEDS, label={"fear": 0.3, "happiness": 0.7}, **options)
    return bookmark.moved(generator, bookmark.latents.add("appearance", torch.eye(128)[3], 1.2345678))


def test_a_drawn_point_is_its_seeds(generator, find):
    bookmark = Bookmark.draw(generator, SEEDS, label={"happiness": 1}, frames=24)
    text = bookmark.to_query(generator)
    assert text == (
        "release=g3an-expressions&label=happiness&seed.appearance=1289&seed.motion=18446744073709551615&frames=24"
    )
    back = Bookmark.from_query("?" + text, find)
    assert back == bookmark
    assert back.latents.equal(generator.latent_space.sample(1, 0, steps=3, seeds=SEEDS)), "full precision"


@pytest.mark.parametrize("options", [{}, {"frames": 48}, {"truncation": {"appearance": 0.7}}])
def test_any_other_point_is_its_numbers(generator, find, options):
    bookmark = edited(generator, **options)
    text = bookmark.to_query(generator)
    assert "&z=" in text and len(text) < 1000
    back = Bookmark.from_query(text, find)
    assert back == bookmark and back.to_query(generator) == text
    assert back.label == {**dict.fromkeys(generator.labels, 0.0), "fear": 0.3, "happiness": 0.7}
    assert back.edited(generator, "appearance") and not back.edited(generator, "motion")


def test_moving_back_to_the_seeds_gives_the_short_link_again(generator):
    bookmark = edited(generator)
    assert bookmark.moved(generator, bookmark.origin(generator)).is_drawn(generator)


@pytest.mark.parametrize("make", [edited, lambda generator: Bookmark.draw(generator, SEEDS, frames=20)])
def test_the_python_lines_and_the_command_make_the_frames_of_the_link(generator, make, tmp_path, monkeypatch):
    bookmark = make(generator)
    wanted = video.to_uint8(generator.generate(bookmark.latents, bookmark.condition(generator)))[0]
    monkeypatch.chdir(tmp_path)
    lines = bookmark.to_python(generator).replace("clip.mp4", "clip.npz")
    exec(lines, {})
    assert np.array_equal(np.load("clip.npz")["frames"], wanted)
    words = shlex.split(bookmark.to_cli(generator))
    assert words[0] == "vidgan"
    assert cli.main([*words[1:], "--format", "npz"]) == 0
    (made,) = (tmp_path / "clips").glob("*.npz")
    assert np.array_equal(np.load(made)["frames"], wanted)


@pytest.mark.parametrize(
    "text, why",
    [
        ("release=g3an-expressions&z=AAAA", "does not fit|damaged"),
        ("release=g3an-expressions&z=%00%ff!", "damaged"),
        ("z=" + "A" * 600, "does not fit|damaged"),
        ("seed.appearance=-1", "whole number"),
        ("seed.appearance=" + "9" * 30, "2\\^64"),
        ("seed.motion=1e3", "whole number"),
        ("seed.motion=²", "whole number"),
        ("frames=17", "17 frames here; it can have 16, 20"),
        ("frames=1000000", "frames here"),
        ("label=hapiness", "did you mean happiness"),
        ("label=happiness:-1", "negative"),
        ("label=happiness:nan", "finite"),
        ("label=happiness:lots", "number"),
        ("label=happiness:0.00000001", "zero"),
        ("truncation.motion=9", "goes from 0 to 2"),
        ("truncation.motion=much", "goes from 0 to 2"),
        ("a=" + "b" * 30000, "too long"),
    ],
)
def test_garbage_is_named(find, text, why):
    with pytest.raises(VidganError, match=why) as caught:
        Bookmark.from_query(text, find)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_link_holds_one_point_without_nan(generator, find):
    two = generator.latent_space.sample(2, 0).quantise()
    with pytest.raises(VidganError, match="one point, not 2"):
        Bookmark.from_query(f"z={two.pack()}", find)
    bad = two.row(0).replace(appearance=torch.full((1, 128), float("inf")))
    with pytest.raises(VidganError, match="NaN or infinite"):
        Bookmark.from_query(f"z={bad.pack()}", find)


def test_keys_of_others_are_left_alone(find):
    plain = Bookmark.from_query("seed.appearance=3", find)
    assert Bookmark.from_query("__theme=dark&utm_source=x&seed.appearance=3", find) == plain


@pytest.mark.parametrize("value", ["0", 7, "18446744073709551615", " 12 "])
def test_seeds(value):
    assert parse_seed(value) == int(value)


@pytest.mark.parametrize("value", ["", "x", "1.5", "-3", 2**64, None, True])
def test_no_seeds(value):
    with pytest.raises(VidganError, match="A seed is a whole number"):
        parse_seed(value)
