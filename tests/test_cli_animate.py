"""`vidgan animate`: what it makes of a picture, and what it refuses."""

import numpy as np
import pytest
import torch
from PIL import Image

import vidgan
from vidgan import Condition, cli, hub, pictures, video
from vidgan.explore.animate import animate
from vidgan.models import ReleaseInfo, build
from vidgan.training.ema import calibrate

LABELS = ("anger", "happiness")


@pytest.fixture(scope="module")
def animator(tmp_path_factory):
    """A checkpoints folder with `mover`, an ImaGINator whose batch norms have seen pictures."""
    torch.manual_seed(0)
    shown = Condition(Condition.of_classes(torch.arange(16) % 2, 2).label, torch.rand(16, 3, 64, 64) * 2 - 1)
    generator = calibrate(build("imaginator", width=2, classes=2, frames=16), shown, batches=1)
    folder = tmp_path_factory.mktemp("animators")
    info = ReleaseInfo("mover", "imaginator", data="expressions", labels=LABELS)
    hub.save_release(folder / "mover", generator, info, card="# mover\n")
    return folder


@pytest.fixture
def run(animator, capsys, tmp_path, monkeypatch):
    """run("...") -> (status, stdout, stderr), in a folder that holds face.png, 90 pixels wide and 70 high."""
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(animator))
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    Image.fromarray(pixels).save("face.png")

    def call(line: str):
        status = cli.main(line.split())
        return status, *capsys.readouterr()

    return call


def frames(path: str) -> np.ndarray:
    with np.load(path) as arrays:
        return arrays["frames"]


def test_a_file_becomes_the_frames_that_python_makes(run):
    assert run("animate mover face.png --label happiness --seed 3 --out clip.npz") == (0, "clip.npz\n", "")
    generator = vidgan.load("mover")
    image = pictures.to_image(pictures.fit(pictures.crop(pictures.load("face.png")), 64))
    condition = Condition(Condition.of_label("happiness", LABELS).label, image)
    made = generator.generate(generator.latent_space.sample(1, 3), condition)
    assert np.array_equal(frames("clip.npz"), video.to_uint8(made)[0])


def test_a_packed_picture_is_the_picture(run):
    packed = pictures.pack(pictures.fit(pictures.crop(pictures.load("face.png")), 64))
    run("animate mover face.png --label anger --out a.npz")
    assert run(f"animate mover picture:{packed} --label anger --out b.npz")[0] == 0
    assert np.array_equal(frames("a.npz"), frames("b.npz"))
    status, _, told = run(f"animate mover picture:{packed} --crop 0,0,9 --out c.npz")
    assert status == 2 and "already cropped" in told


def test_crop_fusion_and_seed_change_the_clip(run):
    made = {}
    for name, options in {"plain": "", "crop": "--crop 0,0,40", "flat": "--fusion 0,0,0,0", "seed": "--seed 9"}.items():
        assert run(f"animate mover face.png {options} --out {name}.npz")[0] == 0
        made[name] = frames(f"{name}.npz")
    for name in ("crop", "flat", "seed"):
        assert not np.array_equal(made[name], made["plain"]), name


def test_parts_go_on_from_the_last_frame(run):
    line = "animate mover face.png --label anger --then happiness --then anger=1,happiness=1 --out long.npz"
    assert run(line) == (0, "long.npz\n", "")
    generator = vidgan.load("mover")
    rows = [Condition.parse(text, LABELS).label for text in ("anger", "happiness", "anger=1,happiness=1")]
    image = pictures.to_image(pictures.fit(pictures.crop(pictures.load("face.png")), 64))
    wanted = animate(generator, generator.latent_space.sample(3, 0), Condition(torch.cat(rows), image))
    assert len(wanted) == 16 + 15 + 15
    assert np.array_equal(frames("long.npz"), wanted)


def test_variations_and_labels_make_one_sheet(run):
    assert run("animate mover face.png --variations 3 --label anger --all-labels --out sheet.webp")[0] == 0
    with Image.open("sheet.webp") as sheet:
        assert sheet.n_frames == 16
        assert sheet.width > 2 * 64 and sheet.height > 3 * 64 and sheet.width < sheet.height


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mover nothing.png --out a.mp4", "nothing.png"),
        ("mover . --out a.mp4", "folder"),
        ("mover text.png --out a.mp4", "PNG, JPEG or WebP"),
        ("mover face.png --out a.txt", "format"),
        ("mover face.png --variations 2 --out a.npz", "sheet of several videos"),
        ("mover face.png --seed 18446744073709551615 --variations 2 --out a.mp4", "beyond the last seed"),
        ("mover face.png --label angr --out a.mp4", "did you mean anger"),
        ("mover face.png --then angr --out a.mp4", "did you mean anger"),
        ("mover face.png --fusion 1,1 --out a.mp4", "four numbers"),
        ("mover face.png --fusion 1,1,x,1 --out a.mp4", "four numbers"),
        ("mover face.png --crop 1,2 --out a.mp4", "three numbers"),
        ("mover face.png --crop nan,0,9 --out a.mp4", "nan"),
        ("mover picture:!!! --out a.mp4", "not what we write"),
        ("mover face.png" + " --then anger" * 8 + " --out a.mp4", "1 to 8 parts"),
        ("moven face.png --out a.mp4", "did you mean mover"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(run, line, message):
    with open("text.png", "w") as file:
        file.write("<svg/>")
    status, out, told = run(f"animate {line}")
    assert status == 2 and not out
    assert message in told and told.count("\n") == 1 and told.startswith("vidgan: ")


def test_sample_and_grid_say_what_to_use_instead(run):
    for line in ("sample mover", "grid mover --out a.webp"):
        status, _, told = run(line)
        assert status == 2 and "vidgan animate mover IMAGE" in told


def test_a_release_that_takes_no_image_says_what_to_use(run, animator, make_release, tmp_path, monkeypatch):
    make_release(tmp_path / "there" / "faces")
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(tmp_path / "there"))
    status, _, told = run("animate faces face.png --out a.mp4")
    assert status == 2 and "vidgan sample faces" in told
