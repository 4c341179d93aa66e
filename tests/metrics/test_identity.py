"""Who is in a picture: the network that ships, a network of the user's own, and how ours is trained and verified."""

import dataclasses
import json
import shutil
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vidgan import hub
from vidgan.data import open_source
from vidgan.data.sprites import characters as numbers_of
from vidgan.data.sprites import factors_of
from vidgan.errors import VidganError
from vidgan.metrics.identity import FaceEmbedder, IdentityConfig, IdentityNetwork, load_identity
from vidgan.metrics.weights import find_weights
from vidgan.training import identity as training
from vidgan.training.identity import IdentityOptions, IdentityTrainer, contrastive, moments, relatives
from vidgan.training.release_identity import verify
from vidgan.video import to_uint8


@pytest.fixture(scope="module")
def network():
    """The network of checkpoints/identity."""
    return load_identity()


@pytest.fixture(scope="module")
def frames(faces):
    """First and last frame of ten clips of unseen people, uint8 [20, 64, 64, 3]: 0 and 10 are one person."""
    clip = to_uint8(faces.batch(10, 0).clip)
    return np.concatenate([clip[:, 0], clip[:, -1]])


@pytest.fixture
def copy(tmp_path):
    """A copy of the released folder, to spoil."""
    return shutil.copytree(find_weights("identity"), tmp_path / "identity")


# ------------------------------------------------------------------------------------------------ the network


def test_vectors_have_length_1_and_do_not_depend_on_the_batch(network, frames):
    whole = network.embed(frames)
    assert whole.shape == (20, 64) and whole.dtype == torch.float32
    assert whole.norm(dim=1).tolist() == pytest.approx([1] * 20, abs=1e-5)
    parts = torch.cat([network.embed(part) for part in torch.from_numpy(frames).split(7)])
    assert (parts - whole).abs().max() < 1e-5


def test_one_person_is_nearer_than_another(network, frames):
    distance = torch.cdist(network.embed(frames[:10]), network.embed(frames[10:]))
    assert (distance.argmin(1) == torch.arange(10)).float().mean() >= 0.9


def test_a_larger_picture_of_the_same_person_is_near(network, frames):
    larger = frames[:4].repeat(2, 1).repeat(2, 2)
    vectors = network.embed(frames[:4])
    assert (network.embed(larger) - vectors).norm(dim=1).max() < 0.5 * torch.pdist(vectors).min()
    assert network.look(larger).shape == (4, 2 * network.config.width * 16)


def test_what_are_no_frames_is_refused(network):
    with pytest.raises(VidganError, match=r"float32 \[1, 64, 64, 3\]"):
        network.embed(torch.zeros(1, 64, 64, 3))
    with pytest.raises(VidganError, match=r"\[64, 64, 3\]"):
        network.look(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(VidganError, match=r"\[0, 64, 64, 3\]"):
        network.embed(np.zeros((0, 64, 64, 3), np.uint8))
    with pytest.raises(VidganError, match="evaluation mode"):
        IdentityNetwork(IdentityConfig(2)).train().embed(np.zeros((1, 64, 64, 3), np.uint8))


def test_what_ships_is_small_is_no_generator_and_tells_people_apart(network):
    folder = find_weights("identity")
    assert (folder / "model.safetensors").stat().st_size < 2_000_000
    config = json.loads((folder / "config.json").read_text())
    assert config["hash"] == network.hash and network.name == f"vidgan-{network.hash}"
    assert config["kind"] == "identity" and folder not in hub.release_folders()
    told = json.loads((folder / "metrics.json").read_text())["held_out"]
    for name in ("expressions", "expressions, other clothes", "sprites"):
        assert told[name]["auc"] > 0.97 and told[name]["rank1"] > 0.8
    assert told["weizmann"]["auc"] > 0.5


def test_weights_that_are_not_those_named_are_refused(copy):
    assert load_identity(copy) is load_identity(copy)
    weights = load_file(copy / "model.safetensors")
    weights["project.bias"] = weights["project.bias"] + 1
    save_file(weights, copy / "model.safetensors")
    with pytest.raises(VidganError, match=r"hash to .* but config.json names"):
        load_identity(copy)


@pytest.mark.parametrize("damage", ["cut", "no weights", "no config", "foreign", "no json", "other config"])
def test_a_damaged_folder_is_refused_by_name(copy, damage):
    path = copy / "model.safetensors"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif damage == "no weights":
        path.unlink()
    elif damage == "no config":
        (copy / "config.json").unlink()
    elif damage == "foreign":
        save_file({"weight": torch.zeros(3)}, path)
    elif damage == "no json":
        (copy / "config.json").write_text("{")
    else:
        (copy / "config.json").write_text('{"config": {"depth": 3}, "hash": "0"}')
    with pytest.raises(VidganError, match="identity"):
        load_identity(copy)


def test_weights_are_found_beside_other_checkpoints(own_checkpoints, copy):
    assert find_weights("identity").parent.name == "checkpoints"  # nothing in VIDGAN_CHECKPOINTS: those that ship
    shutil.copytree(copy, own_checkpoints / "identity")
    assert find_weights("identity") == own_checkpoints / "identity"
    with pytest.raises(VidganError, match=r"no faces weights .*recipes/faces.sh"):
        find_weights("faces")


# ------------------------------------------------------------------------------------------------ a user's own


def test_a_face_network_says_what_it_needs(tmp_path, monkeypatch):
    detector, recogniser = tmp_path / "yunet.onnx", tmp_path / "sface.onnx"
    with pytest.raises(VidganError, match=r"no face network at .*yunet.onnx"):
        FaceEmbedder(detector, recogniser)
    for path in (detector, recogniser):
        path.write_bytes(b"no network")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(VidganError, match=r'need OpenCV .*pip install "vidgan\[faces\]"'):
        FaceEmbedder(detector, recogniser)


def test_files_that_are_no_face_networks_are_refused(tmp_path):
    pytest.importorskip("cv2", reason="OpenCV, which is optional, is not installed.")
    for name in ("yunet.onnx", "sface.onnx"):
        (tmp_path / name).write_bytes(b"no network")
    with pytest.raises(VidganError, match=r"cannot read yunet.onnx as YuNet"):
        FaceEmbedder(tmp_path / "yunet.onnx", tmp_path / "sface.onnx")


# ------------------------------------------------------------------------------------------------ training


def test_the_loss_is_the_papers(random):
    vectors = torch.nn.functional.normalize(torch.randn(6, 5, generator=random), dim=1)
    terms = []
    for i in range(6):
        others = [k for k in range(6) if k != i]
        total = sum(torch.exp(vectors[i] @ vectors[k] / 0.2) for k in others)
        for p in others:
            if p // 3 == i // 3:
                terms.append(-torch.log(torch.exp(vectors[i] @ vectors[p] / 0.2) / total))
    assert contrastive(vectors, 3, 0.2).item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)


def test_every_second_person_is_a_relative(random):
    person = {name: torch.rand(40, generator=random) for name in training.FACE}
    kin = relatives(person, random)
    assert not {"shirt_colour", "background"} & kin.keys() and not kin.keys() & moments(1, random).keys()
    alike = torch.stack([kin[name][::2] == kin[name][1::2] for name in kin]).sum(0)
    assert (alike == len(training.FACE) - training.CHANGED).all()
    assert all(torch.equal(kin[name][::2], person[name][::2]) for name in kin)


@pytest.fixture(scope="module")
def crowds(skip_without):
    for folder, file in (("weizmann64", "weizmann64.npz"), ("sprites64", "sprites_layers64.npz")):
        skip_without(folder, file)
    return training.open_crowds(IdentityOptions())


@pytest.fixture
def options(tmp_path):
    return IdentityOptions(run=tmp_path / "run", steps=4, width=2, precision="fp32")


def test_two_steps_and_two_more_are_four(options, crowds, monkeypatch):
    monkeypatch.setattr(training, "PEOPLE", {"expressions": 4, "sprites": 2, "weizmann": 2})
    whole = IdentityTrainer(options, crowds)
    for _ in range(4):
        losses = whole.train_step()
    assert losses.keys() == {"expressions", "sprites", "weizmann"}
    first = IdentityTrainer(options, crowds)
    first.train_step()
    first.train_step()
    first.save()
    second = IdentityTrainer(options, crowds)
    assert second.step == 2  # `run` is that of every small network: see test_feature_training.py
    second.train_step()
    second.train_step()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name
    with pytest.raises(VidganError, match=r"begun with other options .*temperature"):
        IdentityTrainer(dataclasses.replace(options, temperature=1.0), crowds)


def test_sprites_are_learnt_from_training_characters_alone(crowds, random, monkeypatch):
    source, drawn = open_source("sprites", split="train", frames=1), []
    render = source.render
    monkeypatch.setattr(source, "render", lambda number, *rest: drawn.append(number) or render(number, *rest))
    assert training.characters(source, random, 6, 3).shape == (18, 3, 64, 64)
    number = drawn[0][::3]
    assert set(number.tolist()) <= set(numbers_of("train"))
    layers = torch.stack(factors_of(number), 1)
    assert ((layers[::2] != layers[1::2]).sum(1) == 1).all()  # every second one is the relative of the one before


def test_frames_of_one_filmed_person_stand_together(crowds, random):
    image = crowds["weizmann"](random, 3)
    assert image.shape == (9, 3, 64, 64) and -1 <= image.amin() < image.amax() <= 1
    tint = image.mean((2, 3)).argsort(1)  # recoloured alike: the order of the channels is one person's
    assert all(len(rows.unique(dim=0)) == 1 for rows in tint.split(3))


def test_verification_counts_pairs_of_different_clips(random):
    vectors, who = torch.randn(14, 3, generator=random), torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3])
    clip = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 8])
    vectors[9] = vectors[8]  # and vectors[10] ties with it
    vectors[10] = vectors[11]
    same, different, right = [], [], 0
    for i in range(14):
        for j in range(i):
            if clip[i] != clip[j]:
                (same if who[i] == who[j] else different).append((vectors[i] - vectors[j]).double().norm().item())
        others = [j for j in range(14) if clip[j] != clip[i]]
        nearest = min(others, key=lambda j: (vectors[i] - vectors[j]).double().norm().item())
        right += bool(who[nearest] == who[i])
    ordered = np.mean([(s < d) + 0.5 * (s == d) for s in same for d in different])
    found = verify(vectors, who, clip)
    assert found["auc"] == pytest.approx(ordered, abs=1e-4) and found["rank1"] == pytest.approx(right / 14, abs=1e-4)
    assert found["same"] == pytest.approx(np.mean(same), abs=1e-4) and found["pairs"] == len(same) + len(different)
