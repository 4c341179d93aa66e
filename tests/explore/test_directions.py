"""Directions find what a generator really answers to, rank it, and are kept only for the weights they belong to."""

from dataclasses import dataclass

import pytest
import torch

from vidgan import LatentSpace, Subspace, VidganError, hub
from vidgan.explore import directions
from vidgan.models import Generator


@dataclass(frozen=True)
class PlainConfig:
    classes: int = 0


class Plain(Generator):
    """A generator whose answer is known: along `first` the picture turns brighter, along `second` a third as much;
    motion coordinate 2 alone makes it flicker."""

    architecture, frames, size = "plain", 16, 16

    def __init__(self):
        who = Subspace("appearance", 8, std=2.0, role="appearance")
        super().__init__(PlainConfig(), LatentSpace([who, Subspace("motion", 4, role="motion", sequence=True)]))
        basis = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(0)))[0]
        self.first, self.second = torch.nn.Parameter(basis[0]), torch.nn.Parameter(basis[1])

    def forward(self, latents, condition=None):
        z_a, z_m = latents["appearance"], latents["motion"][:, 0]
        clip = torch.zeros(len(z_a), 3, 16, 16, 16)
        clip[:, 0] += 0.03 * (z_a @ self.first)[:, None, None, None]
        clip[:, 1] += 0.01 * (z_a @ self.second)[:, None, None, None]
        wave = torch.tensor([1.0, -1.0] * 8)[None, None, :, None, None]
        return clip + 0.1 * z_m[:, 2].reshape(-1, 1, 1, 1, 1) * wave


def test_finds_the_directions_that_are_there_in_their_order():
    generator = Plain()
    found = directions.discover(generator, "appearance")
    assert torch.allclose(found.vectors @ found.vectors.T, torch.eye(8), atol=1e-5)
    assert (found.vectors[0] @ generator.first).abs() > 0.999
    assert (found.vectors[1] @ generator.second).abs() > 0.999
    assert found.share[:3].tolist() == pytest.approx([0.9, 0.1, 0.0], abs=1e-3)


def test_motion_is_what_differs_from_frame_to_frame():
    found = directions.discover(Plain(), "motion")
    assert found.vectors[0].abs().tolist() == pytest.approx([0, 0, 1, 0], abs=1e-4)
    assert found.share[0] > 0.999


def test_coordinates_are_in_standard_deviations():
    generator = Plain()
    found = directions.discover(generator, "appearance")
    point = torch.zeros(1, 8) + 2.0 * 1.5 * found.vectors[1]
    assert found.coordinates(point, 2.0)[0, :3].tolist() == pytest.approx([0, 1.5, 0], abs=1e-5)
    steps = torch.stack([torch.zeros(4), torch.eye(4)[2]])[None]
    motion = directions.discover(generator, "motion")
    assert motion.coordinates(steps).abs()[0, 0] == pytest.approx(0.5, abs=1e-4)


def test_the_same_every_time_and_progress_reaches_the_end(checkpoints):
    generator, seen = hub.load("g3an-weizmann"), []
    first = directions.discover(generator, "motion", anchors=2, progress=lambda done, total: seen.append((done, total)))
    again = directions.discover(generator, "motion", anchors=2)
    assert torch.equal(first.vectors, again.vectors) and torch.equal(first.share, again.share)
    assert seen[-1] == (40, 40) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert (first.share.diff() <= 0).all() and 0 < first.share[0] <= 1
    with pytest.raises(VidganError, match="did you mean motion"):
        directions.discover(generator, "motoin")


def test_kept_beside_the_weights_they_belong_to(tmp_path, make_release, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(tmp_path))
    monkeypatch.setattr(directions, "_anchors", lambda dim: 1)
    make_release(tmp_path / "one", attention_after=None)
    made = directions.directions_of(hub.load("one"))
    assert (tmp_path / "one" / directions.FILE).is_file()
    monkeypatch.setattr(directions, "discover", None)  # from here on they are read, not found
    read = directions.directions_of(hub.load("one"))
    assert all(torch.equal(read[name].vectors, made[name].vectors) for name in ("appearance", "motion"))

    other = make_release(tmp_path / "two", seed=5, attention_after=None)
    (other / directions.FILE).write_bytes((tmp_path / "one" / directions.FILE).read_bytes())
    assert directions.load(other, hub.load("two")) is None, "directions of other weights"
    (tmp_path / "one" / directions.FILE).write_bytes(b"garbage")
    assert directions.load(tmp_path / "one", hub.load("one")) is None
