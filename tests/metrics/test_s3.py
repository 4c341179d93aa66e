"""The Symmetric Similarity Score: the paper's own numbers, and generators whose score is known beforehand."""

import json
import math

import pytest
import torch

from tests.metrics.squares import Draws, Squares
from vidgan.data import open_source
from vidgan.errors import VidganError
from vidgan.metrics.classifier import ClassifierOptions
from vidgan.metrics.clips import generated_clips, real_clips
from vidgan.metrics.s3 import s3, similarity, table
from vidgan.models import build

QUICK = ClassifierOptions(steps=30, shift=2)
NAME = "s3_small-resnet_64x8f32"
TABLE_2 = [  # MVT-GAN: SeR, ReS, ReR in percent, and S3 as printed
    (61.11, 32.83, 95.83, 0.47),
    (80.31, 62.53, 95.83, 0.73),  # 0.7395: cut off, where all others are rounded
    (86.11, 63.84, 95.83, 0.77),
    (88.30, 64.29, 95.83, 0.79),
    (88.10, 71.43, 95.83, 0.83),
    (45.5, 46.8, 85.9, 0.54),
    (48.55, 54.91, 85.9, 0.60),
    (15.85, 13.86, 91.4, 0.16),
]


@pytest.mark.parametrize(("ser", "res", "rer", "printed"), TABLE_2)
def test_the_papers_table(ser, res, rer, printed):
    found = s3(ser / 100, res / 100, rer / 100)
    assert printed in (round(found, 2), math.floor(100 * found) / 100)
    assert abs(found - printed) < 0.01


def test_what_the_formula_says():
    assert s3(0.8, 0.8, 0.8) == pytest.approx(1) and s3(0, 1, 1) == 0 and s3(1, 1, 0.5) == 2
    assert s3(0.2, 0.7, 0.9) == s3(0.7, 0.2, 0.9)
    for values in ((1.1, 0.5, 0.5), (0.5, -0.1, 0.5), (0.5, 0.5, float("nan"))):
        with pytest.raises(VidganError, match="between 0 and 1"):
            s3(*values)
    with pytest.raises(VidganError, match="ReR is 0"):
        s3(0.5, 0.5, 0)


@pytest.fixture(scope="module")
def measure(own_cache):
    """measure(generator, **told): S3 of a generator of squares."""

    def of(generator, clips=64, **told):
        return similarity(generator, Squares(), Squares("test"), clips, **{"classifier": QUICK, **told})

    return of


@pytest.fixture(scope="module")
def perfect(measure):
    return measure(Draws(), classifiers=2)


def test_a_generator_that_draws_as_the_data_does_scores_one(perfect):
    assert perfect["rer"] > 0.9 and perfect[NAME] == pytest.approx(1, abs=0.12)
    (low, high) = perfect["intervals"][NAME]
    assert low <= perfect[NAME] <= high


def test_one_that_moves_the_wrong_way_scores_nothing(measure):
    found = measure(Draws(turn=1))
    assert found["rer"] > 0.9 and found["ser"] < 0.1 and found["res"] < 0.1 and found[NAME] < 0.1
    assert found["spread"] == dict.fromkeys(("s3", "ser", "res", "rer")) and found["runs"][0]["s3"] == found[NAME]


def test_one_that_always_draws_the_same_is_recognised_but_teaches_little(measure):
    """ReS tells whether clips are realistic; it takes SeR to tell that there is only one of each label."""
    clips = Squares().batch(64, 7)
    first = [int((clips.label == label).nonzero()[0]) for label in (2, 1, 0)]

    class Same(Draws):
        def forward(self, latents, condition=None):
            return clips.clip[torch.tensor(first)[condition.label.argmax(1)]]

    found = measure(Same())
    assert found["res"] > 0.9 and found["ser"] < found["res"] - 0.1 and found[NAME] < 0.96


def test_the_result_names_its_protocol_and_repeats(perfect, measure):
    assert json.loads(json.dumps(perfect)) == perfect
    expected = {"data": "squares", "split": "test", "clips": 64, "real_clips": 64, "train_clips": 64, "classes": 3,
                "generated_clips": 64, "frames": 8, "size": 32, "seed": 0, "generator": "drawn"}  # fmt: skip
    assert expected.items() <= perfect.items()
    assert perfect["classifier"]["network"] == "small-resnet" and perfect["classifier"]["steps"] == 30
    assert [run["seed"] for run in perfect["runs"]] == [0, 1]
    assert perfect[NAME] == pytest.approx(sum(run["s3"] for run in perfect["runs"]) / 2)
    assert perfect["spread"]["s3"] == pytest.approx(abs(perfect["runs"][0]["s3"] - perfect["runs"][1]["s3"]) / 2**0.5)
    before = torch.get_rng_state()
    again = measure(Draws())
    assert torch.equal(torch.get_rng_state(), before)
    assert again["runs"] == perfect["runs"][:1]
    assert f"| {perfect[NAME]:.3f} (" in table(perfect)[2]


def test_generated_clips_keep_the_labels_that_they_were_told():
    source = Squares()
    real = real_clips(source, 40, 0)
    made = generated_clips(Draws(), source, real.label, 40, 0)
    assert made.frames.shape == (40, 8, 32, 32, 3) and made.frames.dtype == torch.uint8
    moved = (made.frames[:, -1].float() - made.frames[:, 0].float()).abs().mean(-1)
    bare = [moved[row].amax(axis) > 0 for row in range(40) for axis in (0, 1)]
    for row, label in enumerate(made.label.tolist()):
        across, down = (int(bare[2 * row + axis].sum()) for axis in (0, 1))
        assert (across > down, down > across, across == down)[label]
    assert set(made.label.tolist()) == {0, 1, 2}


def test_a_classifier_that_learnt_nothing_is_flagged(measure):
    found = measure(Draws(), clips=8, classifier=ClassifierOptions(steps=1, batch=2, rate=1e-9))
    assert "says nothing" in found["note"] and found["rer"] <= 0.75


def test_few_clips_of_a_class_are_flagged(measure):
    for clips, flagged in ((8, True), (30, False)):
        found = measure(Draws(), clips=clips, classifier=ClassifierOptions(steps=1, batch=2))
        assert ("are few for 3 classes" in found.get("note", "")) == flagged


def test_a_generator_without_labels_is_refused_before_anything_is_drawn():
    class Never(Squares):
        def batch(self, size, step):
            raise AssertionError("clips were drawn")

    with pytest.raises(VidganError, match="takes no label"):
        similarity(Draws(classes=0), Never(), Never("test"), 8)


def test_a_source_that_runs_dry_is_flagged():
    found = similarity(Draws(), Squares(count=6), Squares("test", count=5), 12, classifier=ClassifierOptions(steps=1))
    assert (found["real_clips"], found["train_clips"], found["generated_clips"]) == (5, 6, 12)
    assert "only 5 distinct" in found["note"] and "train split gives only 6" in found["note"]


def test_a_label_without_train_clips_is_flagged(measure):
    class Two(Squares):
        def batch(self, size, step):
            batch = super().batch(4 * size, step)
            kept = (batch.label < 2).nonzero()[:size, 0]
            return type(batch)(batch.clip[kept], batch.label[kept])

    found = similarity(Draws(), Two(), Squares("test"), 8, classifier=ClassifierOptions(steps=1))
    assert "No train clip is away." in found["note"]


def test_what_does_not_fit_is_refused(measure, faces):
    with pytest.raises(VidganError, match="takes no label"):
        measure(Draws(classes=0))
    with pytest.raises(VidganError, match="1 was asked for"):
        measure(Draws(), clips=1)
    with pytest.raises(VidganError, match="At least 1 classifier"):
        measure(Draws(), classifiers=0)
    with pytest.raises(VidganError, match="both are 'test'"):
        similarity(Draws(), Squares("test"), Squares("test"), 4)
    with pytest.raises(VidganError, match="same frames"):
        similarity(Draws(), Squares(), faces, 4)
    small = open_source("expressions", size=32, bank=8)
    with pytest.raises(VidganError, match="same size"):
        similarity(build("g3an", width=2, classes=6), small, faces, 4)
    with pytest.raises(VidganError, match="animates pictures"):
        similarity(build("imaginator", width=2, classes=3), Squares(), Squares("test"), 4)


def test_clips_that_hold_nan_are_refused(measure):
    class Broken(Draws):
        def forward(self, latents, condition=None):
            return super().forward(latents, condition) * float("nan")

    with pytest.raises(VidganError, match="NaN"):
        measure(Broken())
