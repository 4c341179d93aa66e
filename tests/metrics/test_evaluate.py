"""What the trainer writes down at intervals, and how the feature network is trained."""

import dataclasses
import json

import pytest
import torch

from vidgan.data import open_source
from vidgan.metrics.distance import distance
from vidgan.models import ReleaseInfo, build
from vidgan.training.evaluate import check_ready, evaluate, open_split
from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES


@pytest.fixture
def options():
    smoke = preset("g3an", "smoke", RECIPES)
    return dataclasses.replace(smoke, data="expressions", data_options=("bank=12",), evaluate_clips=6)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    made = build("g3an", width=2, classes=6).eval()
    made.info = ReleaseInfo("tiny", "g3an", labels=("anger", "disgust", "fear", "happiness", "sadness", "surprise"))
    return made


def test_evaluate_measures_both_splits_and_leaves_training_alone(options, generator, shipped):
    before = torch.get_rng_state()
    values = evaluate(generator, options)
    assert torch.equal(torch.get_rng_state(), before) and not generator.training
    name = f"vidgan-{shipped.hash}_6x16f64"
    distances = {f"{split}_{metric}_{name}" for split in ("train", "test") for metric in ("fvd", "kvd")}
    assert values.keys() == distances | {"clips", "rank_deficient"}
    assert json.loads(json.dumps(values)) == values == evaluate(generator, options)
    assert values["rank_deficient"] == 1
    assert values[f"train_fvd_{name}"] != values[f"test_fvd_{name}"] > 0


def test_a_generator_that_animates_is_compared_with_what_follows_its_pictures(shipped):
    smoke = preset("imaginator", "smoke", RECIPES)
    options = dataclasses.replace(smoke, data_options=("bank=12",), evaluate_clips=20)
    torch.manual_seed(0)
    animator = build("imaginator", width=2, classes=6, frames=16).eval()
    check_ready(animator, options)
    values = evaluate(animator, options)
    kinds = {name.removeprefix("test_").split("_")[0] for name in values if name.startswith("test_")}
    assert kinds == {"fvd", "kvd", "ssim", "psnr", "l1", "acd"}
    assert {name.split("_")[1] for name in values if name.startswith("train_")} == {"fvd", "kvd"}
    assert json.loads(json.dumps(values)) == values


def test_the_test_split_draws_a_small_bank(options):
    large = dataclasses.replace(options, data_options=("bank=8192",))
    assert open_split(options, "test").bank.shape[0] == 12
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vidgan.training.evaluate.TEST_BANK", 6)
        assert open_split(large, "test").bank.shape[0] == 6


def test_windows_of_few_videos_are_said_to_be_that(shipped, skip_without):
    skip_without("weizmann64", "weizmann64.npz")
    source = open_source("weizmann", split="test")
    generator = build("g3an", width=2, classes=4).eval()
    result = distance(generator, source, 14, features=shipped)
    assert result["real_clips"] == 14 and result["real_videos"] == 12 and result["stride"] == "1-3"
    assert "windows of 12 videos" in result["note"] and "mirrored" not in result["note"]
