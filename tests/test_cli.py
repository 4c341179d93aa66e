"""The command line: what it makes, what it says, and the status it leaves with."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import vidgan
from vidgan import Condition, cli, video


@pytest.fixture
def run(capsys, checkpoints, tmp_path, monkeypatch):
    """run("sample ...") in an empty folder -> (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(line: str | list[str]):
        try:
            status = cli.main(line.split() if isinstance(line, str) else line)
        except SystemExit as stop:  # --help and --version
            status = stop.code
        return status, *capsys.readouterr()

    return call


def process(line: str, checkpoints, root, **options) -> subprocess.Popen:
    environment = {**os.environ, "VIDGAN_CHECKPOINTS": str(checkpoints), "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "vidgan.cli", *line.split()]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, preexec_fn=_hears_ctrl_c, **pipes, **options)


def _hears_ctrl_c() -> None:
    """Jobs that a shell starts in the background ignore it, and so would what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# ---------------------------------------------------------------------------------------------- models


def test_models_tells_programs_everything(run):
    status, out, _ = run("models --json")
    found = json.loads(out)
    assert status == 0
    g3an = next(item for item in found["architectures"] if item["name"] == "g3an")
    assert g3an["parameters"] == {
        "generator": 23_090_437, "video_discriminator": 8_347_009, "image_discriminator": 2_764_737
    }  # fmt: skip
    assert [(s["name"], s["dim"], s["std"], s["role"]) for s in g3an["latent_space"]] == [
        ("appearance", 128, 1.0, "appearance"),
        ("motion", 10, 1.0, "motion"),
    ]
    assert found["releases"][0] == {
        "name": "g3an-expressions",
        "architecture": "g3an",
        "data": "expressions",
        "frames": 16,
        "size": 64,
        "labels": ["anger", "disgust", "fear", "happiness", "sadness", "surprise"],
        "default": True,
    }
    assert [release["name"] for release in found["releases"]] == ["g3an-expressions", "g3an-weizmann"]


def test_models_tells_people_too(run, monkeypatch, tmp_path):
    status, out, _ = run("models")
    assert status == 0 and "generator 23,090,437" in out and "g3an-weizmann" in out and "happiness" in out
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(tmp_path / "none"))
    assert "none in" in run("models")[1]


# ---------------------------------------------------------------------------------------------- sample


def test_a_sample_is_what_python_makes_of_the_same_seed(run, tmp_path):
    status, out, err = run("sample g3an-expressions --seed 7 -n 3 --out some --format npz --label happiness")
    names = [f"some/g3an-expressions-seed7-{index}.npz" for index in range(3)]
    assert (status, out.split(), err) == (0, names, "")
    generator = vidgan.load("g3an-expressions")
    latents = generator.latent_space.sample(3, 7)
    clip = generator.generate(latents, Condition.of_label("happiness", generator.labels, batch=3))
    for index, name in enumerate(names):
        with np.load(tmp_path / name, allow_pickle=False) as arrays:
            assert sorted(arrays) == ["appearance", "frames", "motion"]
            assert arrays["frames"].dtype == np.uint8 and arrays["frames"].shape == (16, 64, 64, 3)
            assert np.array_equal(arrays["frames"], video.to_uint8(clip)[index])
            for subspace in ("appearance", "motion"):
                assert np.array_equal(arrays[subspace], latents.row(index)[subspace].numpy())


@pytest.mark.parametrize("format", video.FORMATS)
def test_every_format_can_be_read_again(run, format):
    status, out, _ = run(f"sample g3an-weizmann --seed 1 --format {format}")
    assert status == 0
    frames, _ = video.read(out.strip())
    assert out.strip() == f"g3an-weizmann-seed1-0.{format}" and len(frames) == 16


def frames_of(run, line: str) -> np.ndarray:
    status, out, err = run(f"sample {line} --format npz")
    assert status == 0, err
    with np.load(out.split()[-1]) as arrays:
        return {name: arrays[name] for name in arrays}


def test_seeds_labels_length_and_truncation(run):
    base = frames_of(run, "g3an-expressions --seed 7 --label fear")
    motion = frames_of(run, "g3an-expressions --seed 7 --label fear --motion-seed 9")
    assert np.array_equal(motion["appearance"], base["appearance"])
    assert not np.array_equal(motion["motion"], base["motion"])
    who = frames_of(run, "g3an-expressions --seed 9 --label fear --appearance-seed 7")
    assert np.array_equal(who["frames"], motion["frames"])
    half = frames_of(run, "g3an-expressions --seed 7 --label fear --truncation 0.5")
    assert np.allclose(half["motion"], base["motion"] / 2)
    longer = frames_of(run, "g3an-expressions --seed 7 --label fear --frames 32")
    assert longer["frames"].shape[0] == 32 and np.array_equal(longer["motion"][:, :1], base["motion"])
    blend = frames_of(run, "g3an-expressions --seed 7 --label happiness=0.7,fear=0.3")
    more = frames_of(run, "g3an-expressions --seed 7 --label fear=3,happiness=7")
    assert np.array_equal(blend["frames"], more["frames"]) and not np.array_equal(blend["frames"], base["frames"])
    even = frames_of(run, "g3an-expressions --seed 7")
    spelled = ",".join(f"{name}=1" for name in vidgan.load("g3an-expressions").labels)
    assert np.array_equal(frames_of(run, f"g3an-expressions --seed 7 --label {spelled}")["frames"], even["frames"])


def test_points_come_back_from_text_and_files(run, tmp_path):
    space = vidgan.load("g3an-weizmann").latent_space
    point = space.sample(2, 5, steps=2).quantise()
    (tmp_path / "point.json").write_text(point.to_json())
    np.savez(tmp_path / "point.npz", **{name: value.numpy() for name, value in point.items()})
    made = []
    for given in (point.pack(), "point.json", "point.npz"):
        status, out, err = run(["sample", "g3an-weizmann", "--latents", given, "--format", "npz", "--out", "it"])
        assert (status, err) == (0, "")
        assert out.split() == [f"it/g3an-weizmann-latents-{index}.npz" for index in range(2)]
        made.append([np.load(name)["frames"] for name in out.split()])
    assert np.array_equal(made[0], made[1]) and np.array_equal(made[0], made[2]) and made[0][0].shape[0] == 20
    one = frames_of(run, "g3an-weizmann --seed 3 --out first")  # what `sample` wrote, it also reads
    again = frames_of(run, "g3an-weizmann --latents first/g3an-weizmann-seed3-0.npz --out second")
    assert np.array_equal(one["frames"], again["frames"])


def test_a_release_from_elsewhere_writes_nowhere_else(run, make_release, tmp_path):
    folder = make_release(tmp_path / "theirs")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"name": "../../pwned"}))
    (tmp_path / "a" / "b").mkdir(parents=True)
    status, _, err = run(["sample", str(folder), "--out", "a/b"])
    assert status == 2 and "'../../pwned'" in err and err.count("\n") == 1
    assert not [path for path in tmp_path.rglob("*") if "pwned" in path.name]


@pytest.mark.parametrize(
    "line",
    [
        "--seed 7 -n 2 --label fear=1,anger=3",
        "--motion-seed 5 --truncation 0.3",
        "--motion-seed 2 --truncation appearance=0.7,motion=0.3",
    ],
)
def test_json_tells_how_to_make_each_again(run, tmp_path, line):
    status, out, _ = run(f"sample g3an-expressions {line} --format npz --json")
    told = json.loads(out)
    assert status == 0
    assert told["release"] == "g3an-expressions" and told["frames"] == 16 and told["fps"] == 12
    if "--label" in line:
        assert told["seed"] == 7 and told["label"] == {"anger": 0.75, "fear": 0.25}
    else:  # the even blend, which was drawn
        assert told["seed"] == 0 and set(told["label"].values()) == {float(np.float32(1 / 6))}
    label = ",".join(f"{name}={weight}" for name, weight in told["label"].items())
    for file, latents in zip(told["files"], told["latents"], strict=True):
        (tmp_path / "point.json").write_text(json.dumps(latents))
        again = frames_of(run, f"g3an-expressions --latents point.json --label {label} --out again")
        with np.load(file) as first:
            assert sorted(again) == sorted(first)
            assert all(np.array_equal(again[name], first[name]) for name in again)  # to the bit


def test_a_class_may_be_called_anything(run, make_release, own_checkpoints, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(own_checkpoints))
    labels = ("a,b", "c=d", "7%", "e: f & g")
    make_release(own_checkpoints / "odd", labels=labels)
    generator = vidgan.load("odd")
    point = generator.latent_space.sample(1, 0)
    for label in (*labels, {"a,b": 0.25, "c=d": 0.5, "7%": 0.25}):
        condition = Condition.of_label(label, labels)
        line = ["sample", "odd", "--format", "npz", "--label", condition.label_text(labels)]
        status, out, err = run(line)
        assert status == 0, err
        with np.load(out.strip()) as arrays:
            assert np.array_equal(arrays["frames"], video.to_uint8(generator.generate(point, condition))[0])


def test_a_grid_shares_appearance_along_rows_and_motion_along_columns(run):
    status, out, _ = run("grid g3an-expressions --appearances 2 --motions 3 --seed 4 --out sheets/grid.webp")
    frames, fps = video.read(out.strip())
    assert status == 0 and frames.shape == (16, 2 * 66 - 2, 3 * 66 - 2, 3) and round(fps) == 12
    generator = vidgan.load("g3an-expressions")
    points = generator.latent_space.sample(3, 4)
    cells = frames[:, : 2 * 66].astype(float)
    for row in range(2):
        for column in range(3):
            cell = cells[:, row * 66 : row * 66 + 64, column * 66 : column * 66 + 64]
            errors = {}
            for who in range(2):
                for how in range(3):
                    point = points.row(who).replace(motion=points.row(how)["motion"])
                    errors[who, how] = np.abs(video.to_uint8(generator.generate(point))[0] - cell).mean()
            assert min(errors, key=errors.get) == (row, column)


def test_data_sets_are_listed_and_inspected(run, tmp_path):
    status, out, _ = run("data list --json")
    names = {item["name"] for item in json.loads(out)}
    assert status == 0 and {"expressions", "weizmann", "sprites", "folder"} <= names
    listed = run("data list")[1]
    assert re.search(r"^expressions +Drawn faces", listed) and "`" not in listed.splitlines()[0]
    rng = np.random.default_rng(0)
    for name in ("a", "b", "c"):
        for index in range(2):
            clip = rng.integers(0, 255, (20, 32, 32, 3), dtype=np.uint8)
            video.save(tmp_path / "mine" / name / f"{index}.mp4", clip)
    (tmp_path / "mine" / "a" / "broken.mp4").write_bytes(b"nothing")
    environment = "data inspect folder --root mine --size 32 --frames 8 --out sheet.png --set cache=cache"
    status, out, err = run(environment + " --json")
    assert status == 0, err
    found = json.loads(out)
    assert found["labels"] == ["a", "b", "c"] and list(found["skipped"]) == ["a/broken.mp4"]
    assert found["splits"]["train"]["clips"] + found["splits"]["test"]["clips"] == 6
    assert video.read("sheet.png")[0].size
    assert "a/broken.mp4" in run(environment)[1]


# ---------------------------------------------------------------------------------------------- mistakes

MISTAKES = {
    "": "required: COMMAND; see `vidgan --help`",
    "sampel x": "no command 'sampel'; did you mean sample",
    "--versoin": "required: COMMAND",
    "data": "required: COMMAND; see `vidgan data --help`",
    "data inspct x": "no command 'inspct'; did you mean inspect",
    "data inspect expresions": "no data set 'expresions'; did you mean expressions",
    "data inspect folder --root nowhere": "nowhere is no folder",
    "data inspect expressions --set hair": "OPTION=VALUE",
    "data inspect expressions --set foo=1": "no option of expressions 'foo'; there are bank, identities, simple",
    "data inspect expressions --set simpel=true": "no option of expressions 'simpel'; did you mean simple?",
    "data inspect weizmann --set split=test": "no option of weizmann 'split'",
    "data inspect folder --set out=x.mp4": "no option of folder 'out'",
    "sample": "required: NAME",
    "sample g3an-expresions": "no release 'g3an-expresions'; did you mean g3an-expressions",
    "sample nosuch/dir": "no folder 'nosuch/dir' here, and on the Hub: nosuch/dir has not been pulled before",
    "hub pull nosuch/dir": "vidgan: nosuch/dir has not been pulled before",
    "hub pull name/..": "owner/name or owner/name@revision, not 'name/..'",
    "sample nowhere/../here": "no release and no run",
    "sample g3an-weizmann --seeed 3": "vidgan sample takes no option '--seeed'; did you mean --seed",
    "sample g3an-weizmann --labl=x": "takes no option '--labl=x'; did you mean --label",
    "sample g3an-weizmann extra": "takes no argument 'extra'",
    "sample g3an-weizmann --seed": "--seed: expected one argument",
    "sample g3an-weizmann --seed -1": "0 to 2^64 - 1 (20 digits at most), not -1",
    "sample g3an-weizmann --seed 18446744073709551616": "not 18446744073709551616",
    "sample g3an-weizmann --seed 1.5": "not 1.5",
    "sample g3an-weizmann -n 0": "-n takes a whole number from 1",
    "sample g3an-weizmann -n many": "not 'many'",
    "sample g3an-weizmann --format mp5": "no format 'mp5'; did you mean mp4",
    "sample g3an-weizmann --frames 17": "cannot make 17 frames; it makes 16, 20",
    "sample g3an-weizmann --frames 400": "cannot make 400 frames",
    "sample g3an-weizmann --truncation nan": "from 0 to 10, not 'nan'",
    "sample g3an-weizmann --truncation much": "not 'much'",
    "sample g3an-weizmann --truncation appearence=0.7": "did you mean appearance",
    "sample g3an-weizmann --label happiness": "has no labels, so 'happiness' cannot be asked for",
    "sample g3an-expressions --label hapiness": "no label 'hapiness'; did you mean happiness",
    "sample g3an-expressions --label hapiness=1,fear=1": "no label 'hapiness'; did you mean happiness",
    "sample g3an-expressions --label fear=much": "a number, not 'much'",
    "sample g3an-expressions --label fear=-1": "not negative",
    "sample g3an-expressions --label fear=nan": "finite",
    "sample g3an-expressions --label 6": "no label '6'; there are anger",
    "sample g3an-expressions --label fear=1,fear=2": "'fear' is given twice",
    "sample g3an-weizmann --device tpu": "no device 'tpu'",
    "sample g3an-weizmann --latents AQABAA": "damaged|does not fit",
    "sample g3an-weizmann --latents none.json": "no file 'none.json'",
    "sample g3an-weizmann --latents none.npz": "no file 'none.npz'",
    "sample g3an-weizmann --latents AAAA --seed 3": "--seed and --latents contradict",
    "sample g3an-weizmann --latents AAAA -n 3": "-n and --latents contradict",
    "sample g3an-weizmann --out /dev/null/x": "Could not write",
    "grid g3an-weizmann": "required: --out",
    "grid g3an-weizmann --out x.mp4 --motions 0": "--motions takes a whole number from 1 to 64",
    "grid g3an-weizmann --out x.avi": "no format for a grid '.avi'",
    "grid g3an-weizmann --out x.png": "no format for a grid '.png'",
    "models x": "vidgan models takes no argument 'x'",
    "release nothing name --clips abc": "--clips takes a whole number from 0",
    "release nothing name --clips -5": "--clips takes a whole number from 0 to 1000000, not '-5'",
    "release nothing name --clips 1": "--clips takes 0, to measure nothing, or at least 2, not '1'",
    "release nothing name --clips 2": "no training run 'nothing'",
    "release nothing name": "no training run 'nothing'",
    "hub push g3an-weizmann name": "owner/name",
    "hub pull name": "owner/name",
    "hub pul name": "did you mean pull",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_one_sentence_and_status_2(run, line):
    status, out, err = run(line)
    assert status == 2 and out == ""
    assert re.fullmatch(r"vidgan: [^\n]+[.?]\n", err), err
    assert re.search(MISTAKES[line] if "|" in MISTAKES[line] else re.escape(MISTAKES[line]), err), err


def test_files_that_hold_no_latents(run, tmp_path):
    good = vidgan.load("g3an-weizmann").latent_space.sample(1, 0)
    (tmp_path / "a.json").write_text("{")
    (tmp_path / "b.json").write_text(json.dumps({"appearance": [[1.0]]}))
    (tmp_path / "c.npz").write_bytes(b"PK\x03\x04 not really")
    np.savez(tmp_path / "d.npz", frames=np.zeros(3))
    np.savez(tmp_path / "e.npz", appearance=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "f.npz", appearance=good["appearance"].numpy(), motion=np.full((1, 1, 10), np.nan))
    (tmp_path / "g.npz").mkdir()
    for name in ("a.json", "b.json", "c.npz", "d.npz", "e.npz", "f.npz", "g.npz"):
        status, _, err = run(f"sample g3an-weizmann --latents {name}")
        assert status == 2 and name in err and err.count("\n") == 1, err


COMMANDS = "models, sample, grid, data, data inspect, data list, release, hub, hub push, hub pull, doctor"


@pytest.mark.parametrize("line", ["", *COMMANDS.split(", ")])
def test_help_reads_well(run, line):
    status, out, err = run(f"{line} --help")
    assert (status, err) == (0, "") and out.startswith(f"usage: vidgan {line}".rstrip())
    assert not re.search(r"\bNone\b|==SUPPRESS==|object at", out)
    assert run("--version")[1].startswith("vidgan ")


def test_doctor_names_a_broken_release(run, own_checkpoints, make_release, monkeypatch):
    make_release(own_checkpoints / "whole")
    make_release(own_checkpoints / "cut")
    with open(own_checkpoints / "cut" / "model.safetensors", "r+b") as file:
        file.truncate(1000)
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(own_checkpoints))
    monkeypatch.setenv("VIDGAN_CACHE", "/dev/null/cache")
    status, out, _ = run("doctor")
    assert status == 0
    assert re.search(r"^ok +release +whole: g3an on expressions, 16 frames of 64x64$", out, re.M)
    assert re.search(r"^warn +release +cut: .*model\.safetensors is damaged", out, re.M)
    assert re.search(r"^warn +cache .*\n +set VIDGAN_CACHE", out, re.M)
    for subject in ("vidgan", "torch", "GPU", "numpy", "av", "gradio", "torchvision", "checkpoints", "Hub", "chromium"):
        assert re.search(rf"^(ok|warn) +{subject} ", out, re.M), subject
    assert {"level", "subject", "detail", "advice"} == set(json.loads(run("doctor --json")[1])[0])


# ---------------------------------------------------------------------------------------------- as a process


def test_another_process_makes_the_same_frames(run, checkpoints, root, tmp_path):
    line = "sample g3an-expressions --seed 7 --label fear --format npz --out there"
    there = process(line, checkpoints, root, cwd=tmp_path)
    out, err = there.communicate(timeout=180)
    assert (there.returncode, out, err) == (0, "there/g3an-expressions-seed7-0.npz\n", "")
    here = frames_of(run, "g3an-expressions --seed 7 --label fear")
    with np.load(tmp_path / out.strip()) as arrays:
        assert np.array_equal(arrays["frames"], here["frames"])


def test_ctrl_c_is_quiet_and_keeps_what_was_made(checkpoints, root, tmp_path):
    endless = process("sample g3an-weizmann -n 100000 --format png", checkpoints, root, cwd=tmp_path)
    first = endless.stdout.readline().strip()
    endless.send_signal(signal.SIGINT)
    out, err = endless.communicate(timeout=180)
    assert endless.returncode == 130 and err == ""
    made = [first, *out.split()]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".png")[0] and len(made) < 100_000
    for name in made:
        assert len(video.read(tmp_path / name)[0]) == 16
    assert not list(tmp_path.glob(".*"))


def test_a_closed_pipe_is_quiet(checkpoints, root, tmp_path):
    endless = process("sample g3an-weizmann -n 100000 --format png", checkpoints, root, cwd=tmp_path)
    endless.stdout.readline()
    endless.stdout.close()
    assert endless.wait(timeout=180) == 141
    assert endless.stderr.read() == ""
    endless.stderr.close()


@pytest.mark.parametrize(
    ("words", "port", "said"),
    [
        (["--prot", "3"], None, "unrecognized arguments: --prot 3"),
        (["--port", "70000"], None, "a number from 1 to 65535, not '70000'"),
        ([], "http", "a number from 1 to 65535, not 'http'"),
    ],
)
def test_the_page_refuses_what_it_does_not_know(words, port, said):
    environment = {name: value for name, value in os.environ.items() if name not in ("PORT", "GRADIO_SERVER_PORT")}
    command = [sys.executable, str(Path(__file__).parents[1] / "app.py"), *words]
    done = subprocess.run(
        command, env=environment | ({"PORT": port} if port else {}), capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
