"""The network that embeds clips: what it promises, what it refuses, and what ships."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from vidgan.errors import VidganError
from vidgan.metrics.features import FeatureConfig, FeatureNetwork, load_features
from vidgan.metrics.weights import find_weights


@pytest.fixture
def copy(tmp_path):
    """A copy of the released folder, to spoil."""
    return shutil.copytree(find_weights("features"), tmp_path / "features")


def test_features_do_not_depend_on_the_batch(faces, shipped):
    clip = faces.batch(19, 0).clip
    whole = shipped.embed(clip)
    assert whole.shape == (19, 128) and whole.dtype == torch.float32
    for size in (1, 5, 16):
        parts = torch.cat([shipped.embed(part) for part in clip.split(size)])
        assert (parts - whole).abs().max() <= 1e-6
    assert (shipped.embed(clip.flip(0)).flip(0) - whole).abs().max() <= 1e-6


@pytest.mark.parametrize("shape", [(8, 64, 64), (48, 64, 64), (16, 32, 32), (16, 128, 96)])
def test_any_length_from_8_and_any_size(shape, shipped):
    clip = torch.zeros(2, 3, *shape)
    assert torch.isfinite(shipped.embed(clip)).all()


def test_a_larger_picture_of_the_same_gives_nearly_the_same_features(faces, shipped):
    clip = faces.batch(4, 1).clip
    larger = clip.repeat_interleave(2, -1).repeat_interleave(2, -2)
    same, other = shipped.embed(larger) - shipped.embed(clip), shipped.embed(clip.roll(1, 0)) - shipped.embed(clip)
    assert same.norm(dim=1).max() < 0.7 * other.norm(dim=1).min()


def test_what_is_no_clip_is_refused(shipped):
    with pytest.raises(VidganError, match="at least 8 frames; this clip has 7"):
        shipped.embed(torch.zeros(1, 3, 7, 64, 64))
    with pytest.raises(VidganError, match=r"\(1, 4, 8, 64, 64\)"):
        shipped.embed(torch.zeros(1, 4, 8, 64, 64))
    with pytest.raises(VidganError, match="is float"):
        shipped.embed(torch.zeros(1, 3, 8, 64, 64, dtype=torch.uint8))
    broken = torch.zeros(3, 3, 8, 64, 64)
    broken[1, 0, 0, 0, 0] = float("nan")
    with pytest.raises(VidganError, match="Clips 1 of 3"):
        shipped.embed(broken)
    with pytest.raises(VidganError, match="evaluation mode"):
        FeatureNetwork().train().embed(torch.zeros(1, 3, 8, 64, 64))


def test_the_network_is_read_once_and_leaves_the_random_state_alone(copy):
    before = torch.get_rng_state()
    network = load_features(copy)
    assert torch.equal(torch.get_rng_state(), before)
    assert load_features(copy) is network
    assert not network.training and not any(value.requires_grad for value in network.parameters())


def test_the_hash_is_of_the_weights_that_decide_a_feature(copy):
    network = load_features(copy)
    assert network.hash == json.loads((copy / "config.json").read_text())["hash"]
    other = FeatureNetwork(network.config)
    other.load_state_dict(network.state_dict())
    assert other.hash == network.hash
    other.heads.weight.data += 1
    assert other.hash == network.hash
    other.project.weight.data[0, 0] += 1e-3
    assert other.hash != network.hash


def test_weights_that_are_not_those_named_are_refused(copy):
    path = copy / "model.safetensors"
    weights = load_file(path)
    weights["project.bias"] = weights["project.bias"] + 1
    save_file(weights, path)
    with pytest.raises(VidganError, match=r"hash to .* but config.json names"):
        load_features(copy)


@pytest.mark.parametrize("damage", ["cut", "no weights", "no config", "foreign", "no json"])
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
    else:
        (copy / "config.json").write_text("{")
    with pytest.raises(VidganError, match=r"features"):
        load_features(copy)


def test_features_are_found_beside_other_checkpoints(own_checkpoints, copy):
    assert find_weights("features").parent.name == "checkpoints"  # nothing in VIDGAN_CHECKPOINTS: those that ship
    shutil.copytree(copy, own_checkpoints / "features")
    assert find_weights("features") == own_checkpoints / "features"


def test_heads_read_every_factor():
    network = FeatureNetwork(FeatureConfig(width=2, heads=(("faces.mood", 6), ("faces.age", 0)))).eval()
    told = network.read(network(torch.zeros(3, 3, 8, 64, 64)))
    assert {name: tuple(value.shape) for name, value in told.items()} == {"faces.mood": (3, 6), "faces.age": (3,)}


def test_what_ships_is_small_and_tells_people_apart():
    folder = find_weights("features")
    assert (folder / "model.safetensors").stat().st_size < 3_000_000
    told = json.loads((folder / "metrics.json").read_text())["held_out"]
    assert told["expressions.expression"]["accuracy"] > 2 * told["expressions.expression"]["chance"]
    assert told["sprites.motion"]["accuracy"] > 0.8
    assert told["clip.quality"]["spoilt_or_not"] > 0.8
