"""The README's promises, carried out: its Python, its commands, and the files that it points to."""

import os
import re
import shlex
import subprocess
import sys

import numpy as np
import pytest
import yaml

from vidgan import cli, hub, video


@pytest.fixture(scope="module")
def readme(root) -> str:
    return (root / "README.md").read_text("utf-8")


def blocks(readme: str, section: str, language: str) -> list[str]:
    """The code blocks of one language in one section."""
    text = readme.split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.S)


@pytest.fixture
def place(root, tmp_path, monkeypatch, own_checkpoints):
    """A folder to work in, with the releases and the documents that the README names."""
    for release in (hub.DEFAULT, "imaginator-expressions"):
        (own_checkpoints / release).symlink_to(root / "checkpoints" / release)
    (tmp_path / "docs").symlink_to(root / "docs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_runs(readme, place):
    sampling, animating = blocks(readme, "Python", "python")
    names = {}
    exec(compile(sampling, "README.md", "exec"), names)
    assert names["clip"].shape == (4, 3, 16, 64, 64)
    frames, fps = video.read("smile.mp4")
    assert len(frames) == 16 and round(fps) == 12
    status = cli.main(shlex.split("sample g3an-expressions --seed 7 -n 4 --label happiness --format npz"))
    with np.load(place / "g3an-expressions-seed7-0.npz") as arrays:  # the same seed, the same frames
        assert status == 0 and np.array_equal(arrays["frames"], video.to_uint8(names["clip"])[0])
    exec(compile(animating, "README.md", "exec"), names)
    assert names["clip"].shape == (1, 3, 32, 64, 64)
    assert np.abs(names["picture"].astype(float) - video.to_uint8(names["clip"])[0, 0]).mean() < 25


def test_the_commands_run(readme, place, capsys):
    lines = [line for line in "".join(blocks(readme, "Command line", "bash")).splitlines() if line]
    assert len(lines) >= 5 and all(line.startswith("vidgan ") for line in lines)
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"
    assert len(list((place / "smiles").glob("*.mp4"))) == 4
    for made in ("g3an-expressions-seed7-0.webp", "grid.webp", "faces.webp", "surprised.mp4", "labels.webp"):
        assert video.read(place / made)[0].size


def test_training_on_ones_own_videos_as_written(readme, place, root, monkeypatch, capsys):
    """Every line of the section; the training is only made small and short."""
    rng = np.random.default_rng(0)
    for index in range(6):
        clip = rng.integers(0, 255, (20, 64, 64, 3), dtype=np.uint8)
        video.save(place / "my" / "videos" / "ab"[index % 2] / f"{index}.mp4", clip)
    lines = "".join(blocks(readme, "Train on your own videos", "bash")).splitlines()
    assert [line.split()[0] for line in lines] == ["vidgan", "python", "vidgan", "vidgan"]
    monkeypatch.setenv("VIDGAN_CACHE", str(place / "cache"))
    for line in lines:
        words = shlex.split(line)
        if words[0] == "vidgan":
            assert cli.main(words[1:]) == 0, f"{line}: {capsys.readouterr().err}"
            continue
        small = shlex.split("--steps 2 --batch 4 --model.width 2 --sheet-every 0 --precision fp32")
        command = [sys.executable, str(root / "train.py"), *words[2:], *small]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
        assert done.returncode == 0, f"{line}:\n{done.stderr[-3000:]}"
    assert len(list((place / "mine-samples").glob("mine-seed0-*.mp4"))) == 8
    assert {"config.json", "model.safetensors", "README.md", "preview.webp"} <= {
        path.name for path in (hub.checkpoints() / "mine").iterdir()
    }


def test_a_space_can_read_the_front_matter(readme, root):
    facts = yaml.safe_load(readme.split("---\n")[1])
    assert facts["title"] == "vidgan" and facts["sdk"] == "gradio" and facts["license"] == "apache-2.0"
    assert (root / facts["app_file"]).is_file() and len(facts["short_description"]) <= 60
    pins = dict(line.split("==") for line in (root / "requirements.txt").read_text().splitlines() if "==" in line)
    assert facts["sdk_version"] == pins["gradio"]
    lock = (root / "constraints.txt").read_text()
    for name, version in pins.items():  # a Space runs what the tests ran
        assert re.search(rf"^{re.escape(name)}=={re.escape(version)}\b", lock, re.M), name


def test_links_and_pictures_lead_somewhere(readme, root):
    for target in re.findall(r"\]\(([^)#]+)\)", readme):
        if not target.startswith("http") and not target.startswith("checkpoints/") and target != "docs/page.png":
            assert (root / target).exists(), target
    for preview in (root / "checkpoints").glob("*/preview.webp"):
        assert f"checkpoints/{preview.parent.name}/preview.webp" in readme, f"{preview.parent.name} is not shown"


def test_make_has_the_targets_that_are_named(readme, root):
    makefile = (root / "Makefile").read_text()
    named = set(re.findall(r"`?make (setup|demo|test|\w+) ", readme)) | {"setup", "smoke", "bench", "lint", "lock"}
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.M), target
    listed = subprocess.run(["make", "-n", "-C", str(root), "setup"], capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
