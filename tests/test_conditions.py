"""Conditions: every way to name a label gives the same weights, and impossible ones are refused."""

import math
from types import MappingProxyType

import pytest
import torch

from vidgan import Condition, VidganError
from vidgan.models import build

LABELS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


def test_every_way_to_say_happiness():
    by_name = Condition.of_label("happiness", LABELS, batch=3)
    assert by_name.label.tolist() == [[0, 0, 0, 1, 0, 0]] * 3 and by_name.label.dtype == torch.float32
    for label in (3, {"happiness": 1.0}, {"happiness": 0.2, "fear": 0}, [0, 0, 0, 5, 0, 0], torch.eye(6)[3]):
        assert torch.equal(Condition.of_label(label, LABELS, batch=3).label, by_name.label)
    assert torch.equal(Condition.of_classes(torch.tensor([3, 3, 3]), 6).label, by_name.label)


def test_blends_are_normalised_whatever_their_scale():
    wanted = torch.tensor([[0, 0, 0.3, 0.7, 0, 0]])
    for scale in (1, 10, 1e-6, 1e6):
        blend = MappingProxyType({"fear": 0.3 * scale, "happiness": 0.7 * scale})
        assert torch.allclose(Condition.of_label(blend, LABELS).label, wanted)
        assert torch.allclose(Condition.of_label([0, 0, 0.3 * scale, 0.7 * scale, 0, 0], LABELS).label, wanted)


@pytest.mark.parametrize("seed", range(20))
def test_any_legal_weights_sum_to_one(seed):
    weights = torch.rand(6, generator=torch.Generator().manual_seed(seed)) ** 8
    condition = Condition.of_label(weights.tolist(), LABELS, batch=2)
    assert torch.allclose(condition.label.sum(1), torch.ones(2)) and (condition.label >= 0).all()
    assert torch.allclose(condition.label[0] * weights.sum(), weights, atol=1e-6)


@pytest.mark.parametrize(
    "label, message",
    [
        ("hapiness", "no label 'hapiness'; did you mean happiness"),
        ("", "no label ''"),
        ("zzz", "there are anger, disgust, fear"),
        ({"happiness": 1, "joy": 1}, "no label 'joy'"),
        (6, "no label number 6; there are 6"),
        (-1, "no label number -1"),
        ([1, 2, 3], "There are 6 labels"),
        ([], "There are 6 labels"),
        ({}, "not all zero"),
        ([0] * 6, "not all zero"),
        ({"fear": -0.1, "anger": 1}, "not negative"),
        ({"fear": math.nan}, "finite"),
        ([0, 0, math.inf, 0, 0, 0], "finite"),
        ({"fear": 1e39}, r"at most 1e\+30, not 1e\+39"),
        ({"fear": 3e38, "anger": 3e38}, "at most"),
        ([10**400] * 6, "is a number"),
    ],
)
def test_impossible_labels_are_refused(label, message):
    with pytest.raises(VidganError, match=message):
        Condition.of_label(label, LABELS)


def test_a_release_without_labels_refuses_all_of_them():
    for label in ("happiness", 0, [1.0]):
        with pytest.raises(VidganError, match="no labels"):
            Condition.of_label(label, ())


def test_rows_and_repeats_keep_label_and_image_together():
    condition = Condition(label=torch.eye(4), image=torch.arange(4.0).reshape(4, 1, 1, 1).expand(4, 3, 8, 8))
    assert condition.batch == 4
    for index in range(4):
        row = condition.row(index)
        assert row.batch == 1 and row.label[0, index] == 1 and (row.image == index).all()
    twice = condition.repeat(2)
    assert twice.batch == 8 and torch.equal(twice.label[4:], condition.label)
    assert torch.equal(twice.image[:4], condition.image)
    assert Condition().batch is None and Condition().row(0) == Condition() and Condition().repeat(3) == Condition()
    assert Condition(image=condition.image).row(2).label is None
    with pytest.raises(AttributeError):
        condition.label = None


def test_a_batch_of_labels_does_not_share_memory():
    condition = Condition.of_label("fear", LABELS, batch=2)
    condition.label[0, 0] = 9
    assert condition.label[1, 0] == 0


def test_generators_check_what_they_are_told():
    torch.manual_seed(0)  # some draws of so few channels are dead, and answer to nothing
    conditional, plain = build("g3an", width=4, classes=6), build("g3an", width=4)
    latents = plain.latent_space.sample(2, 0)
    with pytest.raises(VidganError, match="takes no label"):
        plain.generate(latents, Condition.of_label("fear", LABELS, batch=2))
    for wrong in (torch.eye(6), torch.ones(2, 5)):
        with pytest.raises(VidganError, match=r"must be \[2, 6\]"):
            conditional.generate(latents, Condition(label=wrong))
    with pytest.raises(VidganError, match="must be finite"):
        conditional.generate(latents, Condition(label=torch.full((2, 6), 3e38)))
    even = Condition.of_label([1] * 6, LABELS, batch=2)
    assert torch.equal(conditional.generate(latents), conditional.generate(latents, even))
    for name in ("fear", "anger"):
        told = conditional.generate(latents, Condition.of_label(name, LABELS, batch=2))
        assert told.shape == (2, 3, 16, 64, 64) and not torch.equal(told, conditional.generate(latents, even))


def test_label_text_brings_the_same_weights_back():
    labels = ("a,b", "c:d", "e=f&g", "100%", "x")
    generator = torch.Generator().manual_seed(0)
    for row in torch.rand(300, 5, generator=generator).pow(3):
        drawn = Condition.of_label((row * (row > 0.05)).tolist(), labels) if (row > 0.05).any() else None
        if drawn is not None:
            assert torch.equal(Condition.parse(drawn.label_text(labels), labels).label, drawn.label)
    for name in labels:
        assert Condition.of_label(name, labels).label_text(labels) == name
        assert torch.equal(Condition.parse(name, labels).label, Condition.of_label(name, labels).label)


def test_labels_that_come_twice_or_not_at_all_are_refused():
    with pytest.raises(VidganError, match="given twice"):
        Condition.parse("x=1,x=2", ("x", "y"))
    with pytest.raises(VidganError, match="has no labels"):
        Condition.parse("x", ())
