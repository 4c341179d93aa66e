"""Trainings that begin with weights that are there already."""

import dataclasses
import json
import shutil

import pytest
import torch

import vidgan
from vidgan import VidganError
from vidgan.training.export import export
from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import Trainer, train


def small(folder, **changes):
    options = preset("g3an", "smoke", RECIPES)
    model = dataclasses.replace(options.model, width=2)
    return dataclasses.replace(options, model=model, run=folder, steps=2, sheet_every=0, device="cpu", **changes)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(small(tmp_path_factory.mktemp("first") / "run"))


def weights(trainer, name):
    return {key: value.clone() for key, value in trainer.networks.plain[name].state_dict().items()}


def test_a_run_gives_all_its_networks_and_nothing_else(run, tmp_path):
    before = Trainer(small(run))
    after = Trainer(small(tmp_path / "second", init=str(run)))
    for name in ("generator", "video", "image"):
        there, here = weights(before, name), weights(after, name)
        assert all(torch.equal(there[key], here[key]) for key in there), name
    averaged = before.ema.generator.state_dict()
    assert all(torch.equal(value, averaged[key]) for key, value in after.ema.generator.state_dict().items())
    assert (before.step, after.step) == (2, 0)
    assert not any(optimizer.state for optimizer in after.optimizers.values())
    for trainer in (before, after):
        trainer.close()


def test_resuming_goes_on_from_the_state_and_not_from_the_beginning(run, tmp_path):
    options = small(tmp_path / "second", init=str(run))
    train(options)
    again = Trainer(options)
    again.close()
    assert again.step == 2
    with pytest.raises(VidganError, match="begun with other options \\(init\\)"):
        Trainer(dataclasses.replace(options, init=None))


def test_a_release_gives_the_generator_alone(run, tmp_path, own_checkpoints):
    export(run, "faces", clips=0)
    trainer, fresh = Trainer(small(tmp_path / "a", init="faces")), Trainer(small(tmp_path / "b"))
    released = trainer.ema.generator.state_dict()
    assert all(torch.equal(value, released[key]) for key, value in weights(trainer, "generator").items())
    assert not torch.equal(weights(fresh, "generator")["rgb.weight"], released["rgb.weight"])
    assert torch.equal(weights(fresh, "video")["score.parametrizations.weight.original"],
                       weights(trainer, "video")["score.parametrizations.weight.original"])  # fmt: skip
    trainer.train_step()
    name = "rgb.weight"
    moved = (weights(trainer, "generator")[name] - vidgan.load("faces").state_dict()[name]).abs().max()
    drifted = (trainer.ema.generator.state_dict()[name] - vidgan.load("faces").state_dict()[name]).abs().max()
    assert 0 < drifted < 0.01 * moved  # the average was worth keeping
    trainer.close()
    fresh.close()


def test_statistics_that_were_not_there_begin_as_new(tmp_path):
    """MVT-GAN's codes, when they are normalised from now on; the other way round, statistics fit nowhere."""
    options = preset("mvtgan", "smoke", RECIPES)
    runs = []
    for normalised in (False, True):
        model = dataclasses.replace(options.model, normalised_codes=normalised)
        changes = {"run": tmp_path / str(normalised), "sheet_every": 0, "device": "cpu", "steps": 1}
        runs.append(dataclasses.replace(options, model=model, data_options=("bank=16", "identities=8"), **changes))
    plain, normal = runs
    train(plain)
    trainer, before = Trainer(dataclasses.replace(normal, init=str(plain.run))), Trainer(plain)
    there, here = weights(before, "generator"), weights(trainer, "generator")
    assert all(torch.equal(there[key], here[key]) for key in there) and len(here) > len(there)
    assert all(value.item() == 0 for key, value in here.items() if key not in there and "batches" in key)
    trainer.train_step()
    for one in (trainer, before):
        one.close()
    train(normal)
    with pytest.raises(VidganError, match="does not fit"):
        Trainer(dataclasses.replace(plain, run=tmp_path / "third", init=str(normal.run)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"init": "nothing-there"}, "nothing-there"),
        ({"conditional": False}, "does not fit"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(run, tmp_path, change, message):
    with pytest.raises(VidganError, match=message):
        Trainer(small(tmp_path / "second", **{"init": str(run), **change}))
    assert not (tmp_path / "second").exists()


def test_another_architecture_is_refused(run, tmp_path):
    options = preset("imaginator", "smoke", RECIPES)
    model = dataclasses.replace(options.model, width=2)
    with pytest.raises(VidganError, match="does not fit"):
        Trainer(dataclasses.replace(options, model=model, run=tmp_path / "second", init=str(run), device="cpu"))


def test_a_release_has_the_curve_of_all_runs_it_came_through(run, tmp_path, own_checkpoints):
    second = train(small(tmp_path / "second", init=str(run), evaluate_every=2, evaluate_clips=4))
    third = train(dataclasses.replace(small(tmp_path / "third", init=str(second)), steps=3))
    curve = json.loads((export(third, "faces", clips=0) / "curve.json").read_text())
    assert [line["step"] for line in curve["train"]] == [2, 4, 7]
    assert [line["step"] for line in curve["metrics"]] == [4]
    shutil.rmtree(second)  # the run in the middle is gone: what came before it is not known any more
    curve = json.loads((export(third, "again", clips=0) / "curve.json").read_text())
    assert [line["step"] for line in curve["train"]] == [3]
