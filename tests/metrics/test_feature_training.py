"""The loop that trains the feature network: it learns, and what was stopped goes on as if it had not been."""

import dataclasses

import pytest
import torch

from vidgan.errors import VidganError
from vidgan.training.features import KINDS, TASKS, FeatureOptions, FeatureTrainer, open_task, spoil
from vidgan.training.small import rate_at


@pytest.fixture
def options(tmp_path):
    return FeatureOptions(run=tmp_path / "run", bank=8, steps=4, batch=8, width=2, precision="fp32")


@pytest.fixture(scope="module")
def sources(own_cache, skip_without):
    for folder, file in (("weizmann64", "weizmann64.npz"), ("sprites64", "sprites_layers64.npz")):
        skip_without(folder, file)
    return {data: open_task(data, "train", FeatureOptions(bank=8)) for data in TASKS}


def test_two_steps_and_two_more_are_four(options, sources):
    whole = FeatureTrainer(options, sources)
    for _ in range(4):
        losses = whole.train_step()
    assert losses.keys() == {"quality", "expressions", "sprites", "weizmann"}
    first = FeatureTrainer(options, sources)
    first.train_step()
    first.train_step()
    first.save()
    second = FeatureTrainer(options, sources)
    assert second.step == 2 and second.run()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    with pytest.raises(VidganError, match=r"begun with other options .*rate"):
        FeatureTrainer(dataclasses.replace(options, rate=1.0), sources)


def test_a_batch_names_the_factors_of_clips_that_are_whole(options, sources):
    clip, targets, kind = FeatureTrainer(options, sources).batch(0)
    assert clip.shape[1:] == (3, 16, 64, 64) and len(kind) == len(clip)
    labelled = targets["expressions.expression"] >= 0
    assert labelled.any() and (kind[labelled] == 0).all()
    assert torch.equal(labelled, ~targets["expressions.yaw_swing"].isnan())
    assert not (labelled & (targets["sprites.motion"] >= 0)).any()


def test_spoil_names_what_it_did(random):
    clip = torch.rand(64, 3, 8, 16, 16, generator=random) * 2 - 1
    mixed, kind = spoil(clip, random, share=0.5)
    changed = (mixed != clip).flatten(1).any(1)
    assert torch.equal(changed, kind != 0)
    assert 16 < int((kind != 0).sum()) < 48 and int(kind.max()) < len(KINDS)


def test_the_learning_rate_rises_and_falls(options):
    options = dataclasses.replace(options, steps=100, rate=1.0)
    rates = [rate_at(step, options) for step in range(100)]
    assert rates[:5] == sorted(rates[:5]) and rates[4:] == sorted(rates[4:], reverse=True)
    assert max(rates) == 1 and rates[-1] < 0.01
