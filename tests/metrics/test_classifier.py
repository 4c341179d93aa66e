"""Classifiers that are trained in the run: that they learn, repeat, and refuse what cannot be learnt."""

import pytest
import torch

from tests.metrics.squares import LABELS, Squares
from vidgan.errors import VidganError
from vidgan.metrics import classifier as module
from vidgan.metrics.classifier import (
    NETWORKS,
    ClassifierOptions,
    accuracy,
    build,
    describe,
    fit,
    probabilities,
    real_classifier,
    shifted,
)
from vidgan.metrics.clips import Clips, real_clips

QUICK = ClassifierOptions(steps=30, shift=2)


@pytest.fixture(scope="module")
def clips():
    return real_clips(Squares(), 96, 0)


@pytest.fixture(scope="module")
def unseen():
    return real_clips(Squares("test"), 96, 0)


@pytest.fixture(scope="module")
def learnt(clips):
    return fit(clips, len(LABELS), QUICK)


def test_it_learns_which_way_squares_move(learnt, unseen):
    assert accuracy(learnt, unseen) > 0.9  # by chance, a third
    told = probabilities(learnt, unseen.frames)
    assert told.dtype == torch.float64 and torch.allclose(told.sum(1), torch.ones(96, dtype=torch.float64))
    backwards = Clips(unseen.frames[:, :1].expand(-1, 8, -1, -1, -1), unseen.label)
    assert accuracy(learnt, backwards) < 0.75  # still pictures, of which only the place says a little


def test_the_same_seed_gives_the_same_network_and_leaves_the_random_state_alone(clips):
    short = ClassifierOptions(steps=3, batch=4, dropout=0.5)
    before = torch.get_rng_state()
    one, same, other = (fit(clips, 3, short, seed) for seed in (5, 5, 6))
    assert torch.equal(torch.get_rng_state(), before)
    hashes = [describe(network, short)["hash"] for network in (one, same, other)]
    assert hashes[0] == hashes[1] != hashes[2]
    assert not one.training and not any(value.requires_grad for value in one.parameters())


def test_answers_do_not_depend_on_what_else_is_asked(learnt, unseen):
    whole = probabilities(learnt, unseen.frames[:9])
    parts = torch.cat([probabilities(learnt, part) for part in unseen.frames[:9].split(4)])
    assert (whole - parts).abs().max() < 1e-5


def test_the_rate_drops_after_four_evaluations_without_a_better_one(clips, unseen, monkeypatch):
    rates, scores = [], iter([0.5, 0.6, 0.6, 0.6, 0.6, 0.6, 0.7, 0.7])
    step = torch.optim.Adam.step

    def noted(self, *args, **kwargs):
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **kwargs)

    monkeypatch.setattr(torch.optim.Adam, "step", noted)
    monkeypatch.setattr(module, "accuracy", lambda network, clips: next(scores))
    few = Clips(clips.frames[:8], clips.label[:8])  # two steps a pass
    fit(few, 3, ClassifierOptions(steps=16, batch=4, schedule="plateau"), test=unseen)
    assert rates == pytest.approx([1e-3] * 12 + [1e-4] * 4)  # the best was the second; the sixth is the fourth without


def test_clips_are_moved_whole_and_by_no_more_than_asked(clips):
    random = torch.Generator().manual_seed(0)
    frames = torch.arange(2 * 3 * 9 * 9 * 3).reshape(2, 3, 9, 9, 3).remainder(251).to(torch.uint8)
    moved = shifted(frames, 2, random)
    for before, after in zip(frames, moved):
        places = [
            (y, x) for y in range(-2, 3) for x in range(-2, 3) if torch.equal(after[:, 4, 4], before[:, 4 + y, 4 + x])
        ]
        (place,) = places
        y, x = place
        assert torch.equal(after[:, 2:-2, 2:-2], before[:, 2 + y : 7 + y, 2 + x : 7 + x])
    assert torch.equal(shifted(frames, 0, random), frames)


def test_that_of_real_clips_is_kept_on_disk(clips, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))
    short = ClassifierOptions(steps=2, batch=4)
    told = {"clips": 12, "seed": 3, "options": short}
    first = real_classifier(Squares(), Squares("test"), **told)
    (file,) = (tmp_path / "classifiers").iterdir()
    changed = file.stat().st_mtime_ns
    again = real_classifier(Squares(), Squares("test"), **told)
    trained = fit(real_clips(Squares(), 12, 3), 3, short)
    assert len({describe(network, short)["hash"] for network in (first, again, trained)}) == 1
    assert file.stat().st_mtime_ns == changed
    for change in (
        {"clips": 13},
        {"seed": 4},
        {"classifier_seed": 1},
        {"options": ClassifierOptions(steps=1, batch=4)},
    ):
        real_classifier(Squares(), Squares("test"), **{**told, **change})
    assert len(list((tmp_path / "classifiers").iterdir())) == 5


def test_the_small_network_looks_at_any_size():
    network = build(ClassifierOptions(), 5).eval()
    assert sum(parameter.numel() for parameter in network.parameters()) < 1e6
    for shape in ((1, 16, 16), (8, 32, 48), (16, 128, 128)):
        assert network(torch.zeros(2, 3, *shape)).shape == (2, 5)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS[1:])
def test_torchvisions_networks_learn_too(name, clips):
    few = Clips(clips.frames[:4], torch.tensor([0, 1, 0, 1]))
    network = fit(few, 3, ClassifierOptions(name, steps=1, batch=2, dropout=0.6))
    assert probabilities(network, few.frames).shape == (4, 3) and describe(network, QUICK)["parameters"] > 1e7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"network": "r3d18"}, "did you mean r3d_18"),
        ({"schedule": "cosin"}, "did you mean cosine"),
        ({"steps": 0}, "at least 1 step"),
        ({"batch": 1}, "2 clips"),
        ({"shift": -1}, "-1"),
        ({"rate": float("nan")}, "rate must lie"),
        ({"dropout": 1.0}, "dropout in"),
    ],
)
def test_options_that_cannot_be_are_refused(options, message):
    with pytest.raises(VidganError, match=message):
        ClassifierOptions(**options)


def test_what_cannot_be_learnt_or_told_is_refused(clips, unseen):
    with pytest.raises(VidganError, match="at least 2 labels"):
        fit(Clips(clips.frames[:4], torch.zeros(4, dtype=torch.long)), 3, QUICK)
    with pytest.raises(VidganError, match="plateau schedule needs test clips"):
        fit(clips, 3, ClassifierOptions(schedule="plateau"))
    broken = build(QUICK, 3).eval()
    broken.head[1].weight.data[0, 0] = float("nan")
    with pytest.raises(VidganError, match="answers NaN"):
        probabilities(broken, unseen.frames[:2])


class _Single(Squares):
    labels = ("right",)


def test_data_without_two_labels_is_refused():
    single = _Single()
    with pytest.raises(VidganError, match="squares has 1"):
        real_clips(single, 4, 0)
    single.labels = ()
    with pytest.raises(VidganError, match="squares has none"):
        real_classifier(single, single, 4)
    same = Squares(count=1)
    with pytest.raises(VidganError, match="All 1 clips of squares"):
        real_clips(same, 4, 0)
    with pytest.raises(VidganError, match="1 was asked for"):
        real_clips(Squares(), 1, 0)
