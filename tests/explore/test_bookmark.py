"""A link brings back the same numbers and so the same frames; anything else in it is refused in one sentence."""

import base64
import shlex

import numpy as np
import pytest
import torch

from tests.animator import make_animator
from tests.picture_files import noise, scene
from vidgan import Condition, VidganError, cli, hub, pictures, video
from vidgan.explore.animate import animate
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.parse import parse_seed

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
    bookmark = Bookmark.draw(generator, SEEDS, label="fear=0.3,happiness=0.7", **options)
    return bookmark.moved(generator, bookmark.latents.add("appearance", torch.eye(128)[3], 1.2345678))


def test_a_drawn_point_is_its_seeds(generator, find):
    bookmark = Bookmark.draw(generator, SEEDS, label="happiness", frames=24)
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
    assert back.label == "fear=0.3,happiness=0.7"
    assert back.edited(generator, "appearance") and not back.edited(generator, "motion")


def test_truncated_seeds_are_drawn_as_the_latent_space_draws_them(generator, find):
    truncation = {"appearance": 0.7, "motion": 0.33}
    bookmark = Bookmark.draw(generator, SEEDS, truncation=truncation, frames=24)
    wanted = generator.latent_space.sample(1, 0, steps=3, seeds=SEEDS, truncation=truncation)
    assert bookmark.latents.equal(wanted) and not wanted.quantise().equal(wanted)
    text = bookmark.to_query(generator)
    assert "truncation.appearance=0.7&truncation.motion=0.33&frames=24" in text and "&z=" not in text
    assert Bookmark.from_query(text, find) == bookmark


@pytest.mark.parametrize("truncation", [{}, {"appearance": 0.7}])
def test_moving_back_to_the_seeds_gives_the_short_link_again(generator, truncation):
    start = Bookmark.draw(generator, SEEDS, truncation=truncation)
    away = edited(generator, truncation=truncation)
    back = away.moved(generator, away.latents.replace(appearance=start.latents["appearance"]))
    assert not away.is_drawn(generator) and back.is_drawn(generator) and back.latents.equal(start.latents)


def test_any_class_name_and_the_even_blend_survive_a_link(own_checkpoints, make_release):
    names = ("a,b", "a", "b=2", "c:0.5", "fear&frames=48", "50% + #1", "-n")
    generator = hub.load(make_release(own_checkpoints / "odd", labels=names))

    def find(name):
        return name, generator

    blend = Condition.of_label({name: 1 + i for i, name in enumerate(names)}, names).label_text(names)
    for label in (*names, blend, ""):
        bookmark = Bookmark.draw(generator, SEEDS, label=label)
        back = Bookmark.from_query(bookmark.to_query(generator), find)
        assert back == bookmark and back.latents.steps == 1
        told = generator.check(back.latents, back.condition(generator))
        wanted = Condition.parse(label, names) if label else Condition.of_label([1] * len(names), names)
        assert torch.equal(told.label, wanted.label)
        words = shlex.split(bookmark.to_cli(generator))
        assert (cli.parse(words[1:]).label or "") == label


@pytest.mark.parametrize(
    "make",
    [
        edited,
        lambda generator: Bookmark.draw(generator, SEEDS, frames=20),
        lambda generator: Bookmark.draw(generator, SEEDS, truncation={"appearance": 0.7, "motion": 0.7}),
    ],
)
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
        ("image=UklGRg", "takes no picture"),
        ("fusion=1,1,1,0", "no appearance skips"),
        ("then=fear", "nothing can follow"),
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
        ("label=happiness=-1", "negative"),
        ("label=happiness=nan", "finite"),
        ("label=happiness=lots", "number"),
        ("label=happiness=0", "zero"),
        ("label=fear=1,fear=2", "given twice"),
        ("label=" + "x" * 5000, "at most 4000 characters"),
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
    bad = np.array([1, 1], "<u2").tobytes() + np.full(138, np.inf, "<f2").tobytes()
    with pytest.raises(VidganError, match="NaN or infinite"):
        Bookmark.from_query(f"z={base64.urlsafe_b64encode(bad).decode()}", find)


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


# ------------------------------------------------------------------------------------------------ animated pictures


@pytest.fixture(scope="module")
def animators(tmp_path_factory):
    """A checkpoints folder with `mover`, which animates pictures."""
    folder = tmp_path_factory.mktemp("animators")
    make_animator(folder / "mover", folder, steps=0)
    (folder / "familiar.safetensors").unlink()
    return folder


@pytest.fixture
def mover(animators, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(animators))
    return hub.load("mover")


PICTURE = pictures.pack(scene(64, 64))


def animated(generator, **options) -> Bookmark:
    return Bookmark.draw(generator, {"noise": 3}, **{"label": "happiness", "image": PICTURE, **options})


MOVING = [
    {},
    {"label": ""},
    {"fusion": (1, 1, 0.5, 0)},
    {"label": "happiness=0.7,fear=0.3", "then": ("fear", "anger=0.25,disgust=0.75")},
    {"then": ("fear",), "fusion": (0.125, 0.9, 0, 1)},
]


def test_a_link_holds_the_picture_the_strengths_and_the_parts(mover):
    text = animated(mover, fusion=(1, 1, 0.5, 0), then=("fear", "anger")).to_query(mover)
    assert text == f"release=mover&label=happiness&seed.noise=3&fusion=1,1,0.5,0&then=fear&then=anger&image={PICTURE}"
    assert "fusion" not in animated(mover, fusion=(1, 1, 1, 1)).to_query(mover)


@pytest.mark.parametrize("options", MOVING)
def test_a_link_brings_the_animated_picture_back(mover, options):
    bookmark = animated(mover, **options)
    back = Bookmark.from_query(bookmark.to_query(mover), lambda name: (name, mover))
    assert back == bookmark and back.latents.equal(mover.latent_space.sample(1 + len(back.then), 3))
    told, before = back.condition(mover), bookmark.condition(mover)
    assert np.array_equal(pictures.from_image(told.image), scene(64, 64))
    assert torch.equal(told.label, before.label) and len(told.label) == back.latents.batch
    assert (told.fusion is None) == (not options.get("fusion"))


@pytest.mark.parametrize("options", MOVING)
def test_python_and_the_command_animate_as_the_link_does(mover, options, tmp_path, monkeypatch):
    bookmark = animated(mover, **options)
    wanted = animate(mover, bookmark.latents, bookmark.condition(mover))
    monkeypatch.chdir(tmp_path)
    exec(bookmark.to_python(mover).replace("clip.mp4", "python.npz"), {})
    assert np.array_equal(np.load("python.npz")["frames"], wanted)
    words = shlex.split(bookmark.to_cli(mover).replace("clip.mp4", "command.npz"))
    assert words[0] == "vidgan" and cli.main(words[1:]) == 0
    assert np.array_equal(np.load("command.npz")["frames"], wanted)


@pytest.mark.parametrize(
    "text, why",
    [
        ("image=" + "A" * 100, "no WebP"),
        ("image=%3Cscript%3E", "cut short"),
        (f"image={PICTURE[:-40]}", "damaged|cut short"),
        (f"image={pictures.pack(noise(32, 32))}", "64 pixels a side"),
        ("image=" + "A" * 310_000, "300000 at most"),
        ("image=" + "A" * 330_000, "too long"),
        (f"image={PICTURE}&a=" + "b" * 30_000, "too long"),
        ("fusion=1,1,1", "4 numbers from 0 to 1"),
        ("fusion=1,1,1,1,1", "4 numbers from 0 to 1"),
        ("fusion=1,1,1,x", "4 numbers from 0 to 1"),
        ("fusion=1,1,1,-1", "4 numbers from 0 to 1"),
        ("fusion=1,1,1,inf", "4 numbers from 0 to 1"),
        ("then=joy", "There is no label 'joy'"),
        ("&".join(["then=fear"] * 8), "1 to 8 parts, not 9"),
        ("seed.noise=x", "whole number"),
        ("frames=32", "cannot have 32 frames"),
        ("z=AAAA", "neither z nor truncation"),
        ("truncation.noise=0.5", "neither z nor truncation"),
    ],
)
def test_garbage_about_an_animated_picture_is_named(mover, text, why):
    with pytest.raises(VidganError, match=why) as caught:
        Bookmark.from_query(text, lambda name: ("mover", mover))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
