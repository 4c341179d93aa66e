"""`vidgan evaluate`, and what an exported release of an animating model holds."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import torch

import vidgan
from train import parse
from vidgan import Condition, cli, hub, pictures, video
from vidgan.explore.measured import table
from vidgan.metrics.classifier import ClassifierOptions
from vidgan.metrics.novelty import Familiar
from vidgan.models import ReleaseInfo, build
from vidgan.training.ema import calibrate
from vidgan.training.export import export
from vidgan.training.options import changed, preset
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import train

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


@pytest.fixture
def run(capsys):
    def call(line: str):
        return cli.main(line.split()), *capsys.readouterr()

    return call


@pytest.fixture
def mover(own_checkpoints):
    torch.manual_seed(0)
    shown = Condition(Condition.of_classes(torch.arange(16) % 6, 6).label, torch.rand(16, 3, 64, 64) * 2 - 1)
    generator = calibrate(build("imaginator", width=2, classes=6, frames=16), shown, batches=1)
    info = ReleaseInfo("mover", "imaginator", data="expressions", labels=LABELS)
    return hub.save_release(own_checkpoints / "mover", generator, info, card="# mover\n")


def test_an_animating_release_is_measured_beside_its_baseline(run, mover):
    status, out, _ = run("evaluate mover --videos 2 --starts 3 --json")
    assert status == 0
    found = json.loads(out)
    assert (found["videos"], found["starts"], found["clips"], found["split"]) == (2, 3, 6, "test")
    for name in ("ssim_", "psnr_", "l1_", "acd_c_", "acd_i_", "fvd_"):
        (key,) = [key for key in found if key.startswith(name) and "moving" not in key]
        assert np.isfinite([found[key], found["baselines"]["repeat"][key]]).all()
    (ssim,) = [key for key in found if key.startswith("ssim_") and "moving" not in key]
    assert found["baselines"]["repeat"][ssim] > found[ssim]  # an untrained network is worse than its own input
    status, out, _ = run("evaluate mover --videos 2 --starts 1")
    assert status == 0 and out.startswith("| | mover | repeats its input | real clips |") and ssim[:5] in out


def test_a_release_is_measured_on_clips_like_those_it_learnt_from(run, mover):
    config = json.loads((mover / "config.json").read_text())
    (mover / "config.json").write_text(json.dumps(config | {"data_options": ["turns=false"]}))
    still, turning, asked = (
        json.loads(run(f"evaluate mover --videos 1 --starts 1 --json {more}")[1])
        for more in ("", "--set turns=true", "--set turns=false")
    )
    assert still == asked | {"data_options": ["turns=false"]}
    assert still["baselines"] != turning["baselines"] and turning["data_options"] == ["turns=false", "turns=true"]


def test_any_other_release_is_measured_beside_its_controls(run, checkpoints):
    status, out, _ = run("evaluate g3an-expressions --clips 8 --json")
    found = json.loads(out)
    assert status == 0 and found["clips"] == 8 and set(found["controls"]) == {"floor", "frozen", "shuffled"}
    status, out, _ = run("evaluate g3an-expressions --clips 8")
    assert status == 0 and "frozen on their first frame" in out and "Fewer clips than features" in out
    status, _, told = run("evaluate g3an-expressions --videos 3")
    assert status == 2 and "--videos goes with --metric animation, not with distance" in told


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Banks, features and classifiers of nobody else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def few(monkeypatch, cache):
    """Classifiers of one step: what they tell is tested elsewhere."""
    monkeypatch.setattr(ClassifierOptions.__init__, "__defaults__", ("small-resnet", 1, 4, 1e-3, 0.0, 4, "cosine"))


def test_several_metrics_are_measured_in_one_run(run, checkpoints, few, tmp_path):
    line = "evaluate g3an-expressions --set bank=72 --clips 8 --train-clips 20 --repeats 1 --splits 2 --classifiers 2"
    sheet = tmp_path / "sheet.webp"
    status, out, _ = run(f"{line} --metric s3,inception,retrieval --sheet {sheet} --json")
    found = json.loads(out)
    assert status == 0 and list(found) == ["s3", "inception", "retrieval"] and sheet.read_bytes()[:4] == b"RIFF"
    assert "s3_small-resnet_8x16f64" in found["s3"] and len(found["s3"]["runs"]) == 2
    assert (found["inception"]["repeats"], found["inception"]["splits"]) == (1, 2)
    assert found["inception"]["train_clips"] == 8
    assert found["s3"]["classifier"]["hash"] == found["inception"]["classifier"]["hash"]  # the classifier of ReR
    assert found["retrieval"]["memorisation_pixels_8of20x16f64"] <= 1
    status, out, _ = run("evaluate g3an-expressions --set bank=72 --clips 8 --metric distance,retrieval")
    assert status == 0 and "frozen on their first frame" in out and "memorisation_pixels_8of32x16f64" in out


def test_one_metric_is_its_own_result(run, checkpoints, cache):
    line = "evaluate g3an-expressions --set bank=72 --clips 8 --json"
    plain, named = (json.loads(run(f"{line}{more}")[1]) for more in ("", " --metric distance"))
    assert plain == named and "controls" in plain
    assert json.loads(run(f"{line} --metric retrieval")[1])["k"] == 3


def test_results_can_be_kept_with_the_release(run, checkpoints, cache, tmp_path):
    copy = shutil.copytree(checkpoints / "g3an-expressions", tmp_path / "faces")
    before = json.loads((copy / "metrics.json").read_text()) if (copy / "metrics.json").is_file() else {}
    line = f"evaluate {copy} --set bank=72 --clips 8 --json --keep --metric"
    for metric in ("acd", "retrieval", "acd"):
        status, out, _ = run(f"{line} {metric}")
        assert status == 0
        kept = json.loads((copy / "metrics.json").read_text())
        assert kept["more"][metric] == json.loads(out) and {**kept, "more": 0} == {**before, "more": 0}
    assert list(kept["more"]) == ["acd", "retrieval"]
    names = [row.name for row in table([hub.load(copy).info])]
    assert "ACD-C" in names and "Memorisation" in names


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--metric s4", "did you mean s3"),
        ("--metric s3,", "no metric ''"),
        ("--metric s3 --classifier resnet", "did you mean small-resnet"),
        ("--metric s3 --repeats 2", "--repeats goes with --metric inception"),
        ("--metric s3 --splits 2", "--splits goes with --metric inception"),
        ("--sheet sheet.webp", "--sheet goes with --metric retrieval"),
        ("--metric retrieval --sheet sheet.txt", "format for a sheet '.txt'"),
        ("--metric inception --split train", "need both splits"),
        ("--metric s3 --classifiers 0", "--classifiers"),
        ("--metric retrieval --train-clips 2", "--train-clips"),
        ("--metric s3 --starts 2", "--starts goes with --metric animation, not with s3"),
    ],
)
def test_mistakes_about_metrics_are_one_sentence(run, checkpoints, cache, line, message):
    status, out, told = run(f"evaluate g3an-expressions --clips 4 --set bank=16 {line}")
    assert status == 2 and not out and message in told and told.count("\n") == 1


def test_a_release_without_labels_has_no_s3(run, checkpoints, cache):
    status, out, told = run("evaluate g3an-weizmann --data expressions --set bank=16 --clips 4 --metric s3 --json")
    assert status == 2 and not out and "takes no label" in told
    status, out, told = run(
        "evaluate g3an-weizmann --data expressions --set bank=16 --clips 4 --metric distance,s3 --json"
    )
    assert status == 2 and list(json.loads(out)) == ["distance"] and "takes no label" in told  # what was measured stays


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mover --data expresions", "did you mean expressions"),
        ("mover --split tset", "did you mean test"),
        ("mover --data sprites --root nowhere", "sprites"),
        ("mover --starts 0", "--starts"),
        (
            "mover --clips 9",
            "--clips goes with --metric distance or s3 or inception or retrieval or acd, not with anim",
        ),
        ("mover --metric s3", "this one animates pictures"),
        ("mover --set strid=2", "option of expressions"),
        ("mver", "did you mean mover"),
    ],
)
def test_mistakes_are_one_sentence_and_status_2(run, mover, line, message):
    status, out, told = run(f"evaluate {line}")
    assert status == 2 and not out and message in told and told.count("\n") == 1


def test_pictures_that_are_not_ours_stay_out_of_a_release(tmp_path, own_checkpoints):
    """A data set of one colour a clip, which nobody's network has drawn: no pixel of it is in the release."""
    for index in range(6):
        frames = np.full((16, 64, 64, 3), 40 * index + 20, np.uint8)
        for split in ("train", "test"):
            video.save(tmp_path / "data" / split / "walk" / f"{index}.mp4", frames)
    options = preset("imaginator", "smoke", RECIPES)
    options = dataclasses.replace(
        options, model=dataclasses.replace(options.model, width=2), run=tmp_path / "run", steps=1, sheet_every=0,
        data="folder", data_root=str(tmp_path / "data" / "train"), data_options=(),
    )  # fmt: skip
    folder = export(train(options), "mover", clips=0)
    generator = vidgan.load("mover")
    strip = pictures.read((folder / "examples.webp").read_bytes())
    assert strip.shape == (64, 8 * 64, 3)
    sheet = video.read(folder / "sheet.webp")[0]
    columns = len(generator.labels) or 6
    assert sheet.shape[2] == 66 * columns - 2  # no column for the picture itself
    card = (folder / "README.md").read_text()
    assert "clips made from one picture a row" in card and "the picture, then" not in card
    for row in np.split(strip, 8, axis=1):
        assert row.std() > 1  # what an untrained network draws, not one colour


def test_a_run_becomes_a_release_that_knows_its_pictures(tmp_path, own_checkpoints):
    options = preset("imaginator", "smoke", RECIPES)
    options = dataclasses.replace(
        options, model=dataclasses.replace(options.model, width=2), run=tmp_path / "run", steps=1, sheet_every=0
    )
    folder = export(train(options), "mover", clips=20)
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "model.safetensors", "metrics.json", "README.md", "preview.webp", "sheet.webp", "curve.json"),
        "familiar.safetensors",
    }
    generator = vidgan.load("mover")
    assert generator.takes_image and generator.info.metrics["starts"] == 10
    card = (folder / "README.md").read_text()
    (line,) = [line for line in card.splitlines() if line.startswith("python train.py")]
    said = parse([*line.split()[2:], "--run", str(tmp_path / "run")])  # the command trains the same weights
    assert not changed(said.to_json(), options.to_json()) and "--model.width 2" in line
    assert "repeats its input" in card and "pictures.load" in card and "never saw" in card
    familiar = Familiar.load(folder / "familiar.safetensors")
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert familiar.note(noise) and familiar.percentile(noise) >= 99
