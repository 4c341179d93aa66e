"""Is a picture far from the training pictures? With the weights that ship, on faces, and on what is no face."""

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vidgan.data import open_source
from vidgan.errors import VidganError
from vidgan.metrics.identity import IdentityNetwork, load_identity
from vidgan.metrics.novelty import Familiar, first_frames


@pytest.fixture(scope="module")
def splits(own_cache):
    """First frames of drawn people are enough: sources of one frame."""
    return [open_source("expressions", split=split, frames=1, bank=320) for split in ("train", "test")]


@pytest.fixture(scope="module")
def familiar(splits):
    return Familiar.fit(*splits, pictures=192)


@pytest.fixture(scope="module")
def unseen(splits):
    """24 unseen people, uint8 [24, 64, 64, 3]."""
    return first_frames(splits[1], 24, seed=7).numpy()


def test_unseen_faces_are_familiar(familiar, unseen):
    notes = [familiar.note(picture) for picture in unseen]
    assert sum(note is not None for note in notes) <= 2
    shares = [familiar.percentile(picture) for picture in unseen]
    assert 25 < np.mean(shares) < 75 and min(shares) < 20 and max(shares) > 80


def strange(kind: str, unseen: np.ndarray) -> np.ndarray:
    random = np.random.default_rng(0)
    if kind == "noise":
        return random.integers(0, 256, (6, 64, 64, 3), np.uint8)
    if kind == "one colour":
        return np.broadcast_to(random.integers(0, 256, (6, 1, 1, 3), np.uint8), (6, 64, 64, 3)).copy()
    if kind == "upside down":
        return unseen[:6, ::-1].copy()
    if kind == "inverted":
        return 255 - unseen[:6]
    return np.stack([frame.repeat(2, 0).repeat(2, 1)[32:96, 32:96] for frame in unseen[:6]])  # much too close


@pytest.mark.parametrize("kind", ["noise", "one colour", "upside down", "inverted", "too close"])
def test_what_is_no_such_face_is_noted(kind, familiar, unseen):
    for picture in strange(kind, unseen):
        note = familiar.note(picture)
        assert note and "times as far" in note and "99%" in note
        assert familiar.percentile(picture) > 99


@pytest.mark.parametrize("data", ["weizmann", "sprites"])
def test_pictures_of_other_data_are_noted(data, familiar, skip_without):
    skip_without(f"{data}64", "weizmann64.npz" if data == "weizmann" else "sprites_layers64.npz")
    pictures = first_frames(open_source(data, split="test", frames=1), 6)
    assert all(familiar.note(picture) for picture in pictures)


def test_the_note_gives_the_distance_in_multiples_of_the_usual_one(familiar, unseen):
    far = familiar.distance(255 - unseen[:1]).item() / familiar.held_out[50].item()
    assert f" {far:.1f} times as far" in familiar.note(255 - unseen[0])


def test_percentiles_rise_with_the_distance(familiar, unseen):
    distance = familiar.distance(unseen)
    shares = torch.tensor([familiar.percentile(picture) for picture in unseen])
    assert torch.equal(distance.argsort(), shares.argsort())
    assert familiar.held_out.diff().min() >= 0 and len(familiar.held_out) == 101


def test_the_distance_is_mahalanobis_with_what_is_left_over(familiar, unseen):
    away = load_identity().look(unseen) - familiar.mean
    rest = torch.eye(len(familiar.mean)) - familiar.axes @ familiar.axes.T
    expected = ((away @ familiar.axes / familiar.spread).square().sum(1)
                + (away @ rest / familiar.rest).square().sum(1)).sqrt()  # fmt: skip
    assert (familiar.distance(unseen) / expected - 1).abs().max() < 0.02


def test_it_is_small_and_comes_back_to_the_bit(familiar, unseen, tmp_path):
    path = familiar.save(tmp_path / "familiar.safetensors")
    assert path.stat().st_size < 100_000
    again = Familiar.load(path)
    assert (again.data, again.network) == ("expressions", familiar.network)
    assert torch.equal(again.distance(unseen), familiar.distance(unseen))


def test_any_size_of_picture_will_do(familiar, unseen):
    larger = unseen[0].repeat(2, 0).repeat(2, 1)
    assert familiar.note(larger) == familiar.note(unseen[0]) is None


def test_what_cannot_be_used_is_refused(familiar, splits, unseen, tmp_path):
    with pytest.raises(VidganError, match="at least 100"):
        Familiar.fit(*splits, pictures=20)
    with pytest.raises(VidganError, match=r"uint8 \[height, width, 3\]"):
        familiar.note(unseen)
    with pytest.raises(VidganError, match="is here"):
        familiar.distance(unseen, IdentityNetwork().eval())
    with pytest.raises(VidganError, match="is missing"):
        Familiar.load(tmp_path / "none.safetensors")
    path = familiar.save(tmp_path / "familiar.safetensors")
    good = load_file(path)
    facts = {"data": "expressions", "network": familiar.network}
    for spoilt in ({"spread": good["spread"][:3]}, {"mean": good["mean"] * float("nan")}):
        save_file(good | spoilt, path, metadata=facts)
        with pytest.raises(VidganError, match="is damaged"):
            Familiar.load(path)
    save_file({"weight": torch.zeros(2)}, path)
    with pytest.raises(VidganError, match="does not say"):
        Familiar.load(path)
    path.write_bytes(b"rubbish")
    with pytest.raises(VidganError, match="does not say"):
        Familiar.load(path)


def test_first_frames_repeat_and_do_not_depend_on_how_many(splits):
    few, many = (first_frames(splits[0], count) for count in (5, 20))
    assert torch.equal(few, many[:5]) and not torch.equal(few, first_frames(splits[0], 5, seed=1))
