"""Path lengths of generators whose answer to a step is known."""

import math
from types import SimpleNamespace

import pytest
import torch

from vidgan import VidganError
from vidgan.latents import LatentSpace, Subspace
from vidgan.metrics.ppl import STEP, path_lengths, table
from vidgan.models import Generator, build


class Values(Generator):
    """Writes its first subspace into the pixels and ignores the second."""

    architecture = "values"

    def __init__(self, scale: float = 1.0):
        super().__init__(
            SimpleNamespace(classes=0, frames=8, size=4), LatentSpace([Subspace("a", 3), Subspace("b", 2)])
        )
        self.scale = torch.nn.Parameter(torch.tensor(scale))

    def forward(self, latents, condition=None):
        return (self.scale * latents["a"] / 10)[:, :, None, None, None].expand(-1, -1, 8, 4, 4)


class Pixels:
    """Features that are the means of the three colours."""

    title, hash, count = "pixels-00000000", "00000000", 3

    def embed(self, clip):
        return clip.mean((2, 3, 4))

    def resize(self, size):
        return "none"


def test_a_straight_answer_has_the_length_of_its_paths():
    """Features are a tenth of the latents: on a circle of radius r through an angle w, (w r / 10)^2 if r stays."""
    found = path_lengths(Values(), points=200, seed=3, features=Pixels())
    generator = Values()
    one, two = generator.sample(200, 3)["a"], generator.sample(200, 4)["a"]
    angle = torch.arccos(torch.cosine_similarity(one, two))
    turn, stretch = angle * (one.norm(dim=1) + two.norm(dim=1)) / 2, two.norm(dim=1) - one.norm(dim=1)
    expected = ((turn.square() + stretch.square()) / 100).mean().item()
    assert found["ppl_a_pixels-00000000_200x8f4"] == pytest.approx(expected, rel=0.1)
    assert found["ppl_b_pixels-00000000_200x8f4"] == 0
    assert found["ppl_all_pixels-00000000_200x8f4"] == pytest.approx(found["ppl_a_pixels-00000000_200x8f4"])
    low, high = found["intervals"]["ppl_a_pixels-00000000_200x8f4"]
    assert low < found["ppl_a_pixels-00000000_200x8f4"] < high
    assert found["step"] == STEP and found["points"] == 200


def test_twice_the_answer_is_four_times_the_length():
    found = [path_lengths(Values(scale), 20, features=Pixels()) for scale in (1.0, 2.0)]
    one, two = (lengths["ppl_a_pixels-00000000_20x8f4"] for lengths in found)
    assert two == pytest.approx(4 * one, rel=1e-4)


def test_the_table_names_every_subspace():
    lines = table(path_lengths(Values(), 4, features=Pixels()))
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["a", "b", "all"]
    assert "ppl_..._pixels-00000000_4x8f4" in lines[-1]


def test_sequences_and_labels_have_paths_too(shipped):
    torch.manual_seed(0)
    found = path_lengths(build("g3an", width=2, classes=3), points=3, features=shipped)
    lengths = [value for name, value in found.items() if name.startswith("ppl_")]
    assert len(lengths) == 3 and all(math.isfinite(value) and value >= 0 for value in lengths)


def test_what_has_no_paths_is_refused():
    with pytest.raises(VidganError, match="At least 2 paths"):
        path_lengths(Values(), points=1)
    with pytest.raises(VidganError, match="animates pictures"):
        path_lengths(build("imaginator", width=2, frames=16))
