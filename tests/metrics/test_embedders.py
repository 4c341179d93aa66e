"""Features of the papers' protocols: what a file of the user's has to be, and what its network is shown."""

import dataclasses
import hashlib
import os

import pytest
import torch
from torch import Tensor, nn

from vidgan import VidganError
from vidgan.data import open_source
from vidgan.metrics import embedders
from vidgan.metrics.embedders import BORROWED, open_features
from vidgan.metrics.features import CHUNK
from vidgan.metrics.frechet import frechet_distance
from vidgan.metrics.inception import inception
from vidgan.metrics.registry import METRICS, Told
from vidgan.metrics.resnext import ResNeXt3D
from vidgan.models import build
from vidgan.vision import torchvision


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Where files are looked for, and none that was read before."""
    monkeypatch.setenv("VIDGAN_FEATURES", str(tmp_path))
    embedders._open.cache_clear()
    return tmp_path


class Script(nn.Module):
    """Stands for I3D's file, which is not ours to keep: it answers with what it was shown."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor, rescale: bool = False, resize: bool = False, return_features: bool = False) -> Tensor:
        told = torch.tensor([float(rescale), float(resize), float(return_features)])
        levels = torch.stack([x.flatten(1).amin(1), x.flatten(1).amax(1)], 1)
        return torch.cat([told.expand(len(x), -1), levels, torch.zeros(len(x), 395)], 1) * self.scale


def test_our_own_features_need_no_file(shipped):
    assert open_features() is open_features() and open_features().hash == shipped.hash
    assert shipped.title == f"vidgan-{shipped.hash}" and shipped.count == 128
    with pytest.raises(VidganError, match="take no file"):
        open_features("vidgan", "weights.pth")


@pytest.mark.parametrize("name", [*BORROWED])
def test_a_missing_file_is_named_with_where_to_get_it(name, folder):
    with pytest.raises(VidganError) as error:
        open_features(name)
    for part in (BORROWED[name].file, str(folder), f"{name} needs", "--features vidgan needs no file"):
        assert part in str(error.value)


def test_unknown_features_suggest_the_right_ones():
    with pytest.raises(VidganError, match="did you mean i3d"):
        open_features("i3")


def test_another_file_is_refused(folder):
    (folder / BORROWED["r3d"].file).write_bytes(b"something else")
    digest = hashlib.sha256(b"something else").hexdigest()[:8]
    with pytest.raises(VidganError, match=f"begins with {digest}, not with b3b3357e"):
        open_features("r3d")
    (folder / BORROWED["resnext101"].file).write_bytes(b"something else")
    with pytest.raises(VidganError, match="cannot be used as resnext-101-kinetics"):
        open_features("resnext101")


def test_i3d_is_shown_levels_and_asked_for_features(folder):
    path = folder / BORROWED["i3d"].file
    torch.jit.script(Script()).save(str(path))
    features = open_features("i3d")
    assert features.title == f"i3d-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}"
    clip = torch.linspace(-1, 1, 3 * 12 * 8 * 8).view(1, 3, 12, 8, 8).expand(2, -1, -1, -1, -1)
    vector = features.embed(clip)
    assert vector.shape == (2, 400) and vector[0, :5].tolist() == pytest.approx([1, 1, 1, 0, 255])
    with pytest.raises(VidganError, match="at least 10 frames"):
        features.embed(torch.zeros(1, 3, 9, 8, 8))
    with pytest.raises(VidganError, match="Clips 1 of 2 hold NaN"):
        features.embed(torch.stack([torch.zeros(3, 12, 8, 8), torch.full((3, 12, 8, 8), torch.nan)]))


def test_the_real_i3d_gives_the_published_number():
    """8 clips of zeros against 8 of ones, 30 frames: 151.3 (JunyaoHu, common_metrics_on_video_quality)."""
    path = os.environ.get("VIDGAN_I3D")
    if not path:
        pytest.skip("VIDGAN_I3D does not name i3d_torchscript.pt, which is not ours to keep.")
    features = open_features("i3d", path)
    zeros, ones = (features.embed(torch.full((8, 3, 30, 64, 64), level)) for level in (-1.0, 1.0))
    assert frechet_distance(zeros, ones) == pytest.approx(151.3, abs=0.5)


class Judge(nn.Module):
    """Stands for C3D's file: the darker the middle frames, the surer it is of the first of 101 classes."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x: Tensor) -> Tensor:
        first = 1 - x.flatten(1).mean(1, keepdim=True) / 255 * self.scale
        return torch.cat([first, ((1 - first) / 100).expand(-1, 100)], 1)


def test_c3d_stands_in_the_classifiers_place(folder, faces):
    path = folder / BORROWED["c3d"].file
    torch.jit.script(Judge()).save(str(path))
    judge = open_features("c3d")
    clip = torch.full((1, 3, 20, 8, 8), 1.0)
    clip[:, :, 2:18] = -1.0
    assert judge.embed(clip)[0, 0] == pytest.approx(1.0)
    torch.manual_seed(0)
    generator = build("g3an", width=2, classes=6).eval()
    train = open_source("expressions", split="train", bank=24)
    result = inception(generator, train, faces, 4, repeats=2, features=judge)
    (name,) = [key for key in result if key.startswith("is_")]
    assert name == f"is_{judge.title}_4x16f64" and result["classes"] == 101 and "test_accuracy" not in result
    assert 1 <= result[name] < 1.2 and len(result["scores"]) == 2


def test_features_and_classifiers_are_not_mistaken_for_each_other(folder, shipped):
    torch.jit.script(Judge()).save(str(folder / BORROWED["c3d"].file))
    with pytest.raises(VidganError, match="asks a classifier, not vidgan-"):
        METRICS["inception"].measure(build("g3an", width=2), {}, Told(features=shipped))
    with pytest.raises(VidganError, match="tells classes: features are those of vidgan, r3d, i3d, resnext101"):
        METRICS["distance"].measure(build("g3an", width=2), {}, Told(features=open_features("c3d")))


def test_r3d_is_torchvisions_without_its_last_layer(folder, monkeypatch):
    torch.manual_seed(0)
    network = torchvision("models.video").r3d_18(weights=None).eval()
    path = folder / "r3d.pth"
    torch.save(network.state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    monkeypatch.setitem(BORROWED, "r3d", dataclasses.replace(BORROWED["r3d"], digest=digest))
    features = open_features("r3d", path)
    clip = torch.rand(1, 3, 8, 112, 112) * 2 - 1
    mean, std = torch.tensor([0.43216, 0.394666, 0.37645]), torch.tensor([0.22803, 0.22145, 0.216989])
    shown = ((clip + 1) / 2 - mean.view(3, 1, 1, 1)) / std.view(3, 1, 1, 1)
    with torch.no_grad():
        classes = network.fc(features.embed(clip))
        assert torch.allclose(classes, network(shown), atol=1e-4)


def test_resnext_has_the_published_shape():
    network = ResNeXt3D()
    state = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert state["conv1.weight"] == (64, 3, 7, 7, 7)
    assert state["layer1.0.downsample.0.weight"] == (256, 64, 1, 1, 1)
    assert state["layer3.22.conv2.weight"] == (512, 16, 3, 3, 3)  # 512 channels in 32 groups
    assert state["layer4.2.conv3.weight"] == (2048, 1024, 1, 1, 1)
    convolutions = [name for name, shape in state.items() if len(shape) == 5]
    assert len(convolutions) == 1 + 3 * 33 + 4  # with the last linear layer, 101 of them in a row
    with torch.no_grad():
        assert network.eval()(torch.zeros(1, 3, 16, 112, 112)).shape == (1, 2048)


def test_resnext_sees_the_middle_frames_less_their_mean(folder):
    network = ResNeXt3D()
    path = folder / BORROWED["resnext101"].file
    state = {f"module.{name}": value for name, value in network.state_dict().items()}
    torch.save({"state_dict": state | {"module.fc.weight": torch.zeros(400, 2048)}, "epoch": 3}, path)
    features = open_features("resnext101")
    seen = []
    features.network.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    clip = torch.full((1, 3, 20, 64, 64), -1.0)
    clip[:, :, 2:18] = 1.0
    assert features.embed(clip).shape == (1, 2048)
    means = torch.tensor([114.7748, 107.7354, 99.4750]).view(1, 3, 1, 1, 1)
    assert torch.allclose(seen[0], (255 - means).expand_as(seen[0]), atol=1e-3)
    assert seen[0].shape == (CHUNK, 3, 16, 112, 112)  # whole chunks, so that no neighbour changes a feature
