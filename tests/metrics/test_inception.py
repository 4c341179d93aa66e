"""The Inception Score: cases that can be worked out by hand, and generators of squares."""

import json

import pytest
import torch

from tests.metrics.squares import Draws, Squares
from vidgan.errors import VidganError
from vidgan.metrics.classifier import ClassifierOptions
from vidgan.metrics.inception import inception, inception_score, score_interval, split_scores, table

QUICK = ClassifierOptions(steps=30, shift=2)
NAME = "is_small-resnet_32x8f32"


@pytest.mark.parametrize("classes", [2, 5, 101])
def test_sure_and_even_scores_the_number_of_classes(classes):
    assert inception_score(torch.eye(classes).repeat(3, 1)) == pytest.approx(classes)


def test_what_is_always_the_same_scores_one():
    assert inception_score(torch.tensor([[0.2, 0.5, 0.3]]).repeat(7, 1)) == pytest.approx(1)
    assert inception_score(torch.eye(4)[[2, 2, 2]]) == pytest.approx(1)
    assert inception_score(torch.tensor([[0.3, 0.7]])) == pytest.approx(1)  # a single clip


def test_a_case_by_hand():
    told = torch.tensor([[0.9, 0.1], [0.3, 0.7]], dtype=torch.float64)  # on average 0.6 and 0.4
    first = 0.9 * torch.log(torch.tensor(1.5)) + 0.1 * torch.log(torch.tensor(0.25))
    second = 0.3 * torch.log(torch.tensor(0.5)) + 0.7 * torch.log(torch.tensor(1.75))
    assert inception_score(told) == pytest.approx(((first + second) / 2).exp().item(), rel=1e-6)


def test_the_interval_is_that_of_clips_drawn_again():
    sure = torch.eye(2).repeat(50, 1)
    assert score_interval([sure[::2], sure[::2]]) == [1, 1]  # all of one class, whichever are drawn
    low, high = score_interval([sure])
    draws = torch.distributions.Binomial(100, 0.5).sample((4000,)) / 100  # of one class among 100 drawn clips
    entropy = -(draws.xlogy(draws) + (1 - draws).xlogy(1 - draws))
    expected = entropy.exp().quantile(torch.tensor([0.025, 0.975]))
    assert [low, high] == pytest.approx(expected.tolist(), abs=0.005)
    assert score_interval([sure], seed=3) == score_interval([sure], seed=3)


def test_splits_are_equal_parts_in_order():
    told = torch.cat([torch.eye(2), torch.eye(2)[[0, 0]], torch.eye(2)[[1]]])
    assert split_scores(told, 2) == pytest.approx([2, 1]) and len(split_scores(told)) == 1
    for splits in (0, 3):
        with pytest.raises(VidganError, match="5 clips cannot be split"):
            split_scores(told, splits)


@pytest.mark.parametrize(
    "told",
    [
        torch.rand(3),
        torch.empty(0, 3),
        torch.ones(4, 1),
        torch.tensor([[0.5, 0.6]]),
        torch.tensor([[1.5, -0.5]]),
        torch.tensor([[float("nan"), 1.0]]),
    ],
)
def test_what_is_no_probability_is_refused(told):
    with pytest.raises(VidganError, match="Probabilities"):
        inception_score(told)


@pytest.fixture(scope="module")
def measure(own_cache):
    def of(generator, clips=32, **told):
        told = {"classifier": QUICK, "train_clips": 64, "repeats": 2, **told}
        return inception(generator, Squares(), Squares("test"), clips, **told)

    return of


@pytest.fixture(scope="module")
def perfect(measure):
    return measure(Draws())


def test_squares_as_in_the_data_score_as_the_data_does(perfect):
    assert perfect["test_accuracy"] > 0.9
    assert perfect["real"][NAME] > 1.8 and perfect[NAME] == pytest.approx(perfect["real"][NAME], abs=0.4)
    assert perfect["real"][NAME] <= 3 and len(perfect["scores"]) == 2
    low, high = perfect["intervals"][NAME]
    assert low < high <= 3 and low <= perfect[NAME] + 0.05 and high - low < 1
    assert perfect["std"] == pytest.approx(torch.tensor(perfect["scores"]).std().item(), rel=1e-4)


def test_one_that_always_draws_the_same_scores_one_and_the_wrong_way_is_not_noticed(measure, perfect):
    same = measure(Draws(copies=Squares().batch(1, 0)), repeats=1)
    assert same[NAME] == pytest.approx(1, abs=1e-6) and same["std"] is None
    turned = measure(Draws(turn=1), repeats=1)
    assert turned[NAME] > 1.6  # what this score cannot see, and S3 does


def test_a_generator_without_labels_is_measured_too(measure, perfect):
    assert measure(Draws(classes=0), repeats=1)[NAME] == pytest.approx(perfect[NAME], abs=0.6)


def test_the_result_names_its_protocol_and_repeats(perfect, measure):
    assert json.loads(json.dumps(perfect)) == perfect
    expected = {"data": "squares", "clips": 32, "real_clips": 32, "repeats": 2, "splits": 1, "train_clips": 64,
                "classes": 3, "generator": "drawn"}  # fmt: skip
    assert expected.items() <= perfect.items() and perfect["classifier"]["steps"] == 30
    assert measure(Draws()) == perfect
    lines = table(perfect)
    assert lines[0] == f"| clips | {NAME} |" and f"| {perfect[NAME]:.3f} ± " in lines[2] and "ceiling" in lines[3]


def test_few_clips_are_flagged_and_nothing_is_refused(measure):
    halves = measure(Draws(), repeats=1, splits=2)
    assert "16 clips a score are few for 3 classes" in halves["note"]
    assert any(key.startswith("is_") and key.endswith("_in2") for key in halves)
    with pytest.raises(VidganError, match="asked for 0 of 32"):
        measure(Draws(), repeats=0)
    with pytest.raises(VidganError, match="1 repeat of 2 clips"):
        measure(Draws(), clips=1)
    with pytest.raises(VidganError, match="cannot be split"):
        measure(Draws(), splits=20)
    bare = Squares()
    bare.labels = ()
    other = Squares("test")
    other.labels = ()
    with pytest.raises(VidganError, match="squares has none"):
        inception(Draws(classes=0), bare, other, 4)
