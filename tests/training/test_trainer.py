"""The loop, through the real train.py: files left, exact resume, signals, and what it says when things go wrong."""

import dataclasses
import errno
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from vidgan import VidganError, hub, video
from vidgan.training.export import export
from vidgan.training.log import read_log
from vidgan.training.options import changed, preset
from vidgan.training.recipes import RECIPES
from vidgan.training.state import Lock, ema_generator, load_state, state_folders
from vidgan.training.trainer import Trainer, train


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One small bank of drawn clips for all tests of a session."""
    folder = tmp_path_factory.getbasetemp() / "vidgan-cache"
    monkeypatch.setenv("VIDGAN_CACHE", str(folder))
    return folder


def smoke(run, **changes):
    options = dataclasses.replace(preset("g3an", "smoke", RECIPES), run=run, steps=2, sheet_every=0, threads=1)
    return dataclasses.replace(options, **{"model": dataclasses.replace(options.model, width=2), **changes})


def command(root, run, *more) -> list[str]:
    return [
        *(sys.executable, str(root / "train.py"), "g3an", "--preset", "smoke", "--run", str(run), "--threads", "1"),
        *("--model.width", "2", "--sheet-every", "0", "--log-every", "1", *more),
    ]


def weights(run) -> dict[str, torch.Tensor]:
    return load_file(state_folders(run)[-1] / "tensors.safetensors")


def wait_for(condition, process, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the run ended by itself"
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


@pytest.mark.parametrize("name", [*RECIPES["g3an"].PRESETS])
def test_every_preset_trains_and_leaves_its_files(name, tmp_path):
    options = preset("g3an", name, RECIPES)
    options = dataclasses.replace(
        options,
        model=dataclasses.replace(options.model, width=4),
        data_options=("bank=48", "identities=16"),
        run=tmp_path,
        batch=4,
        steps=2,
        sheet_every=2,
        log_every=1,
        threads=1,
    )
    train(options)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    boards = {path for path in files if path.startswith("tensorboard/events.")}
    assert len(boards) == 1
    assert files - boards == {
        ".lock",
        "options.json",
        "log.jsonl",
        "sheets/step-00000002.webp",
        "state/step-00000002/tensors.safetensors",
        "state/step-00000002/facts.json",
    }
    lines = read_log(tmp_path)
    assert [line["step"] for line in lines] == [1, 2]
    names = {"d_video", "d_image", "g_video", "g_image"} | ({"r1"} if options.recipe.r1 else set())
    assert names <= set(lines[0])
    if options.recipe.ema == 0:  # the paper publishes the last weights
        state = weights(tmp_path)
        assert torch.equal(state["ema.rgb.bias"], state["network.generator.rgb.bias"])


def test_killed_and_resumed_is_the_same_to_the_bit(root, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(root, whole, "--steps", "6"), check=True, capture_output=True)
    arguments = command(root, killed, "--steps", "6", "--save-minutes", "0")
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: state_folders(killed) and state_folders(killed)[-1].name >= "step-00000003", process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    stopped = load_state(killed)[1]["step"]
    assert 3 <= stopped <= 6
    subprocess.run(arguments, check=True, capture_output=True)
    one, two = weights(whole), weights(killed)
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    assert [line["step"] for line in read_log(killed)] == [1, 2, 3, 4, 5, 6]


def test_resumed_in_one_process_is_the_same_to_the_bit(tmp_path):
    train(smoke(tmp_path / "whole", steps=4, recipe=dataclasses.replace(smoke(tmp_path).recipe, r1=1.0, r1_every=2)))
    for steps in (2, 4):
        half = smoke(tmp_path / "half", steps=steps)
        train(dataclasses.replace(half, recipe=dataclasses.replace(half.recipe, r1=1.0, r1_every=2)))
    one, two = weights(tmp_path / "whole"), weights(tmp_path / "half")
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


def test_sigterm_saves_and_exits_with_zero(root, tmp_path):
    arguments = command(root, tmp_path, "--steps", "100000")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    log = tmp_path / "log.jsonl"
    wait_for(lambda: log.exists() and log.read_text().count("\n") >= 2, process)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "SIGTERM" in output and "saved" in output
    assert load_state(tmp_path)[1]["step"] >= 2


def test_max_minutes_stops_and_saves(tmp_path):
    train(smoke(tmp_path, steps=100_000, max_minutes=1e-6))
    assert load_state(tmp_path)[1]["step"] == 1


def test_losses_that_are_not_numbers_stop_the_run_and_keep_the_last_good_state(tmp_path):
    train(smoke(tmp_path, steps=1))
    options = smoke(tmp_path, steps=50, save_minutes=0, log_every=1)
    trainer = Trainer(options)
    with torch.no_grad():
        trainer.networks.plain["video"].score.bias.fill_(float("nan"))
    with pytest.raises(VidganError, match=r"stopped being a number near step 2\. Try lower learning rates"):
        trainer.run()
    trainer.close()
    assert [path.name for path in state_folders(tmp_path)] == ["step-00000001"]


def test_weights_that_are_not_numbers_are_never_saved(tmp_path):
    trainer = Trainer(smoke(tmp_path, save_minutes=0, log_every=100))
    with torch.no_grad():
        trainer.networks.plain["generator"].rgb.bias.fill_(float("inf"))
    with pytest.raises(VidganError, match="stopped being a number"):
        trainer.run()
    trainer.close()
    assert state_folders(tmp_path) == []


def test_out_of_memory_says_what_to_lower(tmp_path, monkeypatch):
    def exhausted(_self):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(Trainer, "train_step", exhausted)
    with pytest.raises(VidganError, match=r"lower --batch \(4\), raise --micro-batches"):
        train(smoke(tmp_path))


def test_a_run_is_not_continued_with_other_options(tmp_path):
    train(smoke(tmp_path, steps=1))
    with pytest.raises(VidganError, match=r"begun with other options \(batch, model\.width\)"):
        train(smoke(tmp_path, batch=6, model=dataclasses.replace(smoke(tmp_path).model, width=3)))


def test_the_average_may_be_another_from_some_step_on(tmp_path):
    """It decides what is published, and nothing that the networks learn."""
    for folder, averages in (("one", [0.9, 0.9]), ("two", [0.9, 0.0])):
        for steps, ema in zip((1, 2), averages, strict=True):
            recipe = dataclasses.replace(smoke(tmp_path).recipe, ema=ema)
            train(smoke(tmp_path / folder, steps=steps, recipe=recipe))
    one, two = (weights(tmp_path / folder) for folder in ("one", "two"))
    learnt = [name for name in one if name.startswith("network.")]
    assert all(torch.equal(one[name], two[name]) for name in learnt)
    last = {name: value for name, value in two.items() if name.startswith("ema.") and name.endswith("weight")}
    assert last and all(torch.equal(value, two[f"network.generator.{name[4:]}"]) for name, value in last.items())
    assert not all(torch.equal(value, one[name]) for name, value in last.items())


def test_contradictions_are_refused_together(root, tmp_path):
    result = subprocess.run(
        command(root, tmp_path, "--batch", "5", "--micro-batches", "2", "--keep", "0", "--threads", "-1"),
        capture_output=True,
        text=True,
    )
    assert result.returncode == 2
    assert "batch 5 must split evenly" in result.stderr
    assert "keep" in result.stderr and "threads" in result.stderr
    assert "Traceback" not in result.stderr
    assert not tmp_path.joinpath("options.json").exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["g3en"], "did you mean g3an"),
        (["g3an", "--preset", "smok"], "did you mean smoke"),
        (["g3an", "--preset", "smoke", "--data", "expresions"], "did you mean expressions"),
        (["g3an", "--preset", "smoke", "--stps", "3"], "Unrecognized options: --stps, 3; did you mean --steps? See"),
        (["g3an", "--steps", "many"], "Error parsing --steps: invalid literal for int() with base 10: 'many'. See"),
        (["g3an", "--precision", "fp8"], "Invalid choice 'fp8' for argument '--precision'. Expected one of ('fp32', "),
    ],
)
def test_wrong_names_suggest_the_right_ones(root, arguments, hint, tmp_path):
    result = subprocess.run(
        [sys.executable, str(root / "train.py"), *arguments], capture_output=True, text=True, cwd=tmp_path
    )
    assert result.returncode == 2
    assert hint in result.stderr and "Traceback" not in result.stderr and result.stderr.count("\n") == 1


def test_dry_run_prints_the_options_and_runs_nothing(root, tmp_path):
    result = subprocess.run(command(root, tmp_path / "run", "--dry-run"), capture_output=True, text=True, check=True)
    options = json.loads(result.stdout)
    assert options["architecture"] == "g3an" and options["model"]["width"] == 2 and options["preset"] == "smoke"
    assert not (tmp_path / "run").exists()


def test_two_processes_give_the_gradients_of_one_on_the_joined_batch(root, tmp_path):
    script = root / "tests" / "training" / "first_gradients.py"
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    alone = [sys.executable, str(script), str(tmp_path / "one"), "2"]
    subprocess.run(alone, check=True, capture_output=True, env=environment)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    subprocess.run(
        [*launcher, str(script), str(tmp_path / "two"), "1"], check=True, capture_output=True, env=environment
    )
    one, two = load_file(tmp_path / "one" / "grads.safetensors"), load_file(tmp_path / "two" / "grads.safetensors")
    assert one.keys() == two.keys() and len(one) > 50
    assert sum(value.abs().sum() for value in one.values()) > 0
    for name, value in one.items():
        assert torch.allclose(value, two[name], rtol=1e-4, atol=1e-7), name


def test_export_makes_a_release_that_loads_and_draws_what_the_run_draws(tmp_path, own_checkpoints):
    train(smoke(tmp_path / "run", steps=2))
    folder = export(tmp_path / "run", "tiny", clips=8)
    assert folder == own_checkpoints / "tiny"
    assert {path.name for path in folder.iterdir()} == {
        *("config.json", "model.safetensors", "metrics.json", "README.md", "preview.webp", "sheet.webp", "curve.json"),
    }
    generator, averaged = hub.load("tiny"), ema_generator(tmp_path / "run")
    assert generator.labels == averaged.labels == hub.load(tmp_path / "run").labels
    assert generator.info.step == 2 and generator.info.data == "expressions"
    latents = generator.latent_space.sample(1, seed=1)
    assert (generator.generate(latents) - averaged.generate(latents)).abs().max() < 0.02  # float16 weights
    (name,) = (key for key in generator.info.metrics if key.startswith("fvd_"))
    assert name.endswith("_8x16f64") and generator.info.metrics["split"] == "test"
    assert set(generator.info.metrics["controls"]) == {"floor", "frozen", "shuffled"}
    card = (folder / "README.md").read_text()
    assert name in card
    assert "recipe.lr_generator 0.0004 (paper: 0.0002)" in card


def test_a_run_without_a_state_cannot_be_exported(tmp_path):
    with pytest.raises(VidganError, match="holds no training state yet"):
        export(tmp_path, "nothing")


def test_data_without_a_held_out_split_is_released_with_the_reason(tmp_path, own_checkpoints):
    rng = np.random.default_rng(0)
    video.save(tmp_path / "clips" / "only.mp4", rng.integers(0, 255, (20, 64, 64, 3), dtype=np.uint8))
    train(smoke(tmp_path / "run", data="folder", data_root=str(tmp_path / "clips"), data_options=(), steps=1))
    folder = export(tmp_path / "run", "one")
    assert "Not measured." in (folder / "README.md").read_text()


def test_a_score_that_cannot_be_is_refused_before_anything_runs(tmp_path):
    with pytest.raises(VidganError, match="evaluate_clips of at least 2, not 1"):
        train(smoke(tmp_path, evaluate_every=2, evaluate_clips=1))
    video.save(tmp_path / "clips" / "only.mp4", np.zeros((20, 64, 64, 3), dtype=np.uint8))
    folder = {"data": "folder", "data_root": str(tmp_path / "clips"), "data_options": ()}
    with pytest.raises(VidganError, match="test split cannot be measured"):
        train(smoke(tmp_path / "run", evaluate_every=2, **folder))
    assert state_folders(tmp_path / "run") == []


def test_scores_and_sheets_come_after_the_save(tmp_path, monkeypatch):
    def broken(*_arguments, **_options):
        raise RuntimeError("a picture that cannot be drawn")

    monkeypatch.setattr("vidgan.training.trainer.sheet_frames", broken)
    with pytest.raises(RuntimeError, match="cannot be drawn"):
        train(smoke(tmp_path, sheet_every=2))
    assert load_state(tmp_path)[1]["step"] == 2


def test_two_processes_do_not_train_one_run(tmp_path):
    with Lock(tmp_path), pytest.raises(VidganError, match="is being trained by another process"):
        train(smoke(tmp_path))
    train(smoke(tmp_path, steps=1))


def test_a_log_on_a_full_disk_is_told_in_one_sentence(tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("vidgan.training.log.write_atomic", full)
    with pytest.raises(VidganError, match=r"Writing to .* failed .*No space left on device"):
        train(smoke(tmp_path))


@pytest.mark.parametrize("facts", ["{}", "[]", '{"step": 1, "options": {}}', '{"step": 1, "options": {"model": 3}}'])
def test_foreign_states_are_refused_in_one_sentence(tmp_path, facts):
    train(smoke(tmp_path, steps=1))
    (state_folders(tmp_path)[-1] / "facts.json").write_text(facts)
    for use in (ema_generator, lambda run: train(smoke(run))):
        with pytest.raises(VidganError, match=r"can be read|does not fit|other options"):
            use(tmp_path)


def test_spoilt_log_lines_are_left_out(tmp_path):
    train(smoke(tmp_path, steps=1, log_every=1))
    log = tmp_path / "log.jsonl"
    log.write_text(log.read_text() + '{"kind": "train", "st\n[1]\n\n')
    assert [line["step"] for line in read_log(tmp_path)] == [1]
    train(smoke(tmp_path, steps=2, log_every=1))
    assert [line["step"] for line in read_log(tmp_path)] == [1, 2]


@pytest.mark.parametrize("item", ["frames=5", "size=32", "seed=1", "device=cuda"])
def test_data_options_do_not_set_what_the_trainer_sets(tmp_path, item):
    with pytest.raises(VidganError, match="follows from the other options"):
        train(smoke(tmp_path, data_options=(item,)))


@pytest.mark.parametrize(("native", "told"), [(32, True), (64, False), (0, False)])
def test_clips_that_are_enlarged_are_told_about(native, told, tmp_path, monkeypatch, capsys):
    """0: clips that are drawn as large as they are asked for."""
    monkeypatch.setattr("vidgan.data.expressions.source.Expressions.native", native)
    Trainer(smoke(tmp_path / "run")).close()
    assert (f"has {native} pixels: clips of 64 are enlarged" in capsys.readouterr().err) == told


def test_recomputed_activations_may_begin_on_the_way(tmp_path):
    """What takes less memory and changes nothing that is learnt is not another run."""
    before = preset("progressive", "smoke", RECIPES)
    after = dataclasses.replace(before, model=dataclasses.replace(before.model, recompute=8))
    assert changed(before.to_json(), after.to_json()) == []
    wider = dataclasses.replace(before, model=dataclasses.replace(before.model, width=5))
    assert changed(before.to_json(), wider.to_json()) == ["model.width"]


def test_a_stop_before_the_first_step_is_no_error(root, tmp_path):
    arguments = command(root, tmp_path / "run", "--data-options", "bank=100000")
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    time.sleep(3)
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and "Traceback" not in output, output
    assert "before the first step" in output
