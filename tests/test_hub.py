"""Releases: written whole, read only where everything fits, found by name, pulled from and pushed to a Hub."""

import errno
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

import vidgan
from tests.local_hub import Hub
from vidgan import VidganError, hub
from vidgan.models import ReleaseInfo, build
from vidgan.models.blueprint import describe

EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")
FILES = ["README.md", "config.json", "metrics.json", "model.safetensors", "preview.webp"]


def rewrite_config(folder: Path, changes: dict | None = None, **options) -> None:
    data = json.loads((folder / "config.json").read_text())
    data["config"].update(options)
    data.update(changes or {})
    (folder / "config.json").write_text(json.dumps(data))


def rewrite_weights(folder: Path, change) -> None:
    """Exchange the weights, hash included, so that only what `change(state)` did is wrong."""
    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors")
    rewrite_config(folder, {"sha256": hub._sha256(folder / "model.safetensors")})


@pytest.fixture
def release(make_release, own_checkpoints) -> Path:
    """A release of its own for one test to spoil."""
    return make_release(own_checkpoints / "faces")


# ---------------------------------------------------------------------------------------------- there and back


def test_a_release_draws_what_its_generator_drew(own_checkpoints):
    torch.manual_seed(3)
    generator = build("g3an", width=2, classes=6, spectral_norm=True)
    info = ReleaseInfo("x", "g3an", "expressions", EXPRESSIONS, fps=10.0, step=77, metrics={"fid": 2.5})
    folder = hub.save_release(own_checkpoints / "faces", generator, info, card="# hello\n", preview=b"RIFF")
    assert folder == own_checkpoints / "faces"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    assert [path.name for path in own_checkpoints.iterdir()] == ["faces"]  # nothing was left beside it

    loaded = vidgan.load("faces")
    assert not loaded.training and not any(p.requires_grad for p in loaded.parameters())
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert loaded.config.spectral_norm is False and loaded.config.width == 2
    assert loaded.parameter_count == generator.parameter_count
    assert loaded.info.path == folder and loaded.info.name == "faces" and loaded.info.metrics == {"fid": 2.5}
    assert (loaded.labels, loaded.fps, loaded.info.step) == (EXPRESSIONS, 10.0, 77)
    latents = generator.latent_space.sample(2, 7, steps=2)
    difference = (loaded.generate(latents) - generator.generate(latents)).abs().max()
    assert difference < 2e-3  # float16 on disk
    assert torch.equal(loaded.generate(latents), vidgan.load(folder).generate(latents))


def test_loading_leaves_the_random_state_alone(checkpoints):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    vidgan.load("g3an-expressions")
    describe("g3an")
    assert torch.equal(torch.get_rng_state(), before)


def test_weights_beyond_float16_stay_float32(own_checkpoints):
    generator = build("g3an", width=2, spectral_norm=False)
    with torch.no_grad():
        generator.rgb.weight[0, 0, 0, 0, 0] = 1e6
    hub.save_release(own_checkpoints / "big", generator, ReleaseInfo("big", "g3an"), card="")
    assert vidgan.load("big").rgb.weight[0, 0, 0, 0, 0] == 1e6


def test_a_new_release_replaces_the_old_one_and_its_directions(make_release, release):
    first = vidgan.load("faces").rgb.weight
    (release / "directions.safetensors").write_bytes(b"of the old weights")
    make_release(release, seed=9)
    assert not torch.equal(vidgan.load("faces").rgb.weight, first)
    assert not (release / "directions.safetensors").exists()


def test_a_full_disk_leaves_the_old_release_standing(make_release, release, monkeypatch):
    before = {path.name: path.read_bytes() for path in release.iterdir()}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VidganError, match="No space left"):
        make_release(release, seed=9)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in release.iterdir()} == before
    assert [path.name for path in release.parent.iterdir()] == ["faces"]


def test_what_cannot_be_loaded_is_not_released(own_checkpoints):
    generator = build("g3an", width=2, spectral_norm=False)
    with torch.no_grad():
        generator.rgb.bias[0] = float("nan")
    with pytest.raises(VidganError, match=r"'rgb\.bias' holds NaN"):
        hub.save_release(own_checkpoints / "bad", generator, ReleaseInfo("bad", "g3an"), card="")
    good = build("g3an", width=2)
    with pytest.raises(VidganError, match="names 2 labels for 0 classes"):
        hub.save_release(own_checkpoints / "bad", good, ReleaseInfo("bad", "g3an", labels=("a", "b")), card="")
    with pytest.raises(VidganError, match=r"no file of a release 'evil\.py'"):
        hub.save_release(own_checkpoints / "bad", good, ReleaseInfo("bad", "g3an"), card="", extra={"evil.py": b""})
    assert not list(own_checkpoints.iterdir())


def test_a_folder_that_is_no_release_is_never_replaced(make_release, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(VidganError, match="no release, so it is not replaced"):
        make_release(tmp_path / "photos")
    assert (tmp_path / "photos" / "holiday.jpg").read_bytes() == b"precious"


# ---------------------------------------------------------------------------------------------- names


def test_releases_are_listed_default_first_without_reading_weights(make_release, own_checkpoints):
    assert hub.releases() == []
    for name in ("zebra", "g3an-expressions", "ant"):
        make_release(own_checkpoints / name)
        (own_checkpoints / name / "model.safetensors").write_bytes(b"")
    (own_checkpoints / "broken").mkdir()
    (own_checkpoints / "broken" / "config.json").write_text("{")
    (own_checkpoints / "empty").mkdir()
    (own_checkpoints / "features").mkdir()
    (own_checkpoints / "features" / "config.json").write_text('{"kind": "features"}')
    assert [info.name for info in vidgan.releases()] == ["g3an-expressions", "ant", "zebra"]
    assert hub.releases()[0].labels == EXPRESSIONS
    assert [folder.name for folder in hub.release_folders()] == ["g3an-expressions", "ant", "broken", "zebra"]
    with pytest.raises(VidganError, match='holds "features", not a generator'):
        vidgan.load("features")


def test_where_names_lead(release, tmp_path, monkeypatch, make_release):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "mine"
    run.mkdir(parents=True)
    (run / "options.json").write_text("{}")
    make_release(run / "release", seed=4)
    elsewhere = make_release(tmp_path / "elsewhere", seed=5)
    assert hub.find("faces") == release
    assert hub.find("mine").resolve() == hub.find("runs/mine").resolve() == run / "release"
    for name in (elsewhere, str(elsewhere), "elsewhere", elsewhere / "model.safetensors", "./elsewhere/config.json"):
        assert hub.find(name).resolve() == elsewhere
    (tmp_path / "faces").mkdir()  # a folder of the same name here does not come before the release
    assert hub.find("faces") == release


@pytest.mark.parametrize(
    "name, message",
    [
        ("face", "no release 'face'; did you mean faces"),
        ("g3an-nothing", "no release 'g3an-nothing'"),
        ("", "neither a release"),
        ("..", "neither a release"),
        ("../../nowhere", "no release and no run at"),
        ("/etc", "neither a release"),
        ("runs/nothing", "no release and no run at 'runs/nothing'"),
        ("a/b/c", "no release and no run"),
        ("faces\0", "no release"),
        ("x" * 5000, "no release"),
        ("https://example.org/x", "no release and no run"),
        (Path("nowhere"), "no release and no run"),
    ],
)
def test_names_that_lead_nowhere(release, name, message):
    with pytest.raises(VidganError, match=message):
        vidgan.load(name)


def test_a_device_that_is_not_there(release):
    for device in ("tpu9", "cuda:77", "xpu", "meta"):
        with pytest.raises(VidganError, match=f"no device '{device}'"):
            vidgan.load("faces", device)


# ---------------------------------------------------------------------------------------------- foreign files

CONFIGS = {
    "wide as the sea": ({}, {"width": 10**9}, "'width' as a whole number up to 65536, not 1000000000"),
    "a little too wide": ({}, {"width": 65536}, "holds '.*' as"),
    "text for a number": ({}, {"width": "4"}, "'width' as a whole number"),
    "truth for a number": ({}, {"width": True}, "'width' as a whole number"),
    "a broken number": ({}, {"motion": 10.5}, "'motion' as a whole number"),
    "negative": ({}, {"width": -2}, "must be at least 1"),
    "unknown option": ({}, {"wdth": 2}, "no g3an option 'wdth'; did you mean width"),
    "unknown value": ({}, {"convolution": "4d"}, "no convolution '4d'"),
    "list for an option": ({}, {"attention_after": [3]}, "'attention_after' as a whole number up to 65536 or null"),
    "unknown architecture": ({"architecture": "g3ann"}, {}, "no architecture 'g3ann'; did you mean g3an"),
    "architecture a list": ({"architecture": ["g3an"]}, {}, "'architecture' as text"),
    "no options": ({"config": None}, {}, "'config' as an object"),
    "labels text": ({"labels": "abcdef"}, {}, "'labels' as a list"),
    "labels numbers": ({"labels": [1, 2, 3, 4, 5, 6]}, {}, "'labels' as different words"),
    "labels twice": ({"labels": ["a"] * 6}, {}, "'labels' as different words"),
    "data options text": ({"data_options": "turns=false"}, {}, "'data_options' as a list"),
    "data options numbers": ({"data_options": [1]}, {}, "'data_options' as a few words"),
    "data options long": ({"data_options": ["a" * 201]}, {}, "'data_options' as a few words"),
    "too few labels": ({"labels": ["a"]}, {}, "1 labels for 6 classes"),
    "a name that leads out": ({"name": "../../pwned"}, {}, r"A release is called by .* not '\.\./\.\./pwned'"),
    "a name that leads home": ({"name": "/etc/passwd"}, {}, "A release is called by"),
    "no name at all": ({"name": ""}, {}, "A release is called by"),
    "a name of two lines": ({"name": "a\nb"}, {}, "A release is called by"),
    "a list for a name": ({"name": ["faces"]}, {}, "'name' as text"),
    "frames for ever": ({"frames": 10**7}, {}, "out of range"),
    "frames that the network does not make": ({"frames": 5}, {}, "promises 5 frames of 64 pixels, but its g3an makes"),
    "a size that it does not make": ({"size": 128}, {}, "promises 16 frames of 128 pixels, but .* makes 16 of 64"),
    "frames text": ({"frames": "16"}, {}, "'frames' as a whole number"),
    "fps not finite": ({"fps": float("inf")}, {}, "'fps' as a number"),
    "licence missing a word": ({"license": 7}, {}, "'license' as text"),
    "other hash": ({"sha256": "0" * 64}, {}, "damaged: its SHA-256"),
    "another network": ({}, {"width": 3}, r"holds '.*' as \[.*\], but the g3an of its config.json needs"),
    "a part more": ({}, {"attention_after": None}, "does not have"),
    "a part less": ({}, {"spatial_stream": False}, "config.json"),
    "parametrised": ({}, {"spectral_norm": True}, "'spectral_norm' as false"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_foreign_configurations_are_refused_by_name(release, case):
    changes, options, message = CONFIGS[case]
    rewrite_config(release, changes, **options)
    with pytest.raises(VidganError, match=message) as caught:
        vidgan.load("faces")
    assert str(release) in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"null", b"\xff\0", b"[" * 99_999, b'{"a": 1}', b" " * (2 << 20)])
def test_damaged_config_json(release, text):
    (release / "config.json").write_bytes(text)
    with pytest.raises(VidganError, match=re.escape(str(release / "config.json"))) as caught:
        vidgan.load("faces")
    assert "\n" not in str(caught.value)


def test_damaged_metrics_are_named_too(release):
    (release / "metrics.json").write_text("{")
    with pytest.raises(VidganError, match=r"metrics\.json is damaged"):
        vidgan.load("faces")


def spoil(data: bytes, how: str) -> bytes:
    header = int.from_bytes(data[:8], "little")
    return {
        "empty": b"",
        "a few bytes": data[:5],
        "header cut": data[: header // 2],
        "tensors cut": data[: len(data) - 100],
        "one byte short": data[:-1],
        "more behind": data + b"\0" * 64,
        "header length": (2**62).to_bytes(8, "little") + data[8:],
        "a pickle": b"\x80\x04\x95" + b"\0" * 4000,
        "a zip": b"PK\x03\x04" + b"\0" * 4000,
        "text": b"version 1 of something else\n" * 40,
        "a flipped bit": data[:-1000] + bytes([data[-1000] ^ 1]) + data[-999:],
    }[how]


@pytest.mark.parametrize(
    "how",
    ["empty", "a few bytes", "header cut", "tensors cut", "one byte short", "more behind", "header length", "a pickle",
     "a zip", "text", "a flipped bit"],
)  # fmt: skip
def test_damaged_weights_are_refused_by_name(release, how):
    path = release / "model.safetensors"
    path.write_bytes(spoil(path.read_bytes(), how))
    with pytest.raises(VidganError, match=re.escape(str(path))) as caught:
        vidgan.load("faces")
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(release):
    weights = release / "model.safetensors"
    weights.unlink()
    with pytest.raises(VidganError, match=r"model\.safetensors is missing"):
        vidgan.load("faces")
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(VidganError, match="git lfs pull"):
        vidgan.load("faces")
    (release / "config.json").unlink()
    with pytest.raises(VidganError, match="no release 'faces'"):
        vidgan.load("faces")
    with pytest.raises(VidganError, match=r"config\.json is missing"):
        vidgan.load(release)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda state: state.pop("rgb.bias"), "lacks 'rgb.bias'"),
        (lambda state: state.update(extra=torch.zeros(1)), "holds 'extra'"),
        (lambda state: state.update({"rgb.bias": torch.zeros(4)}), r"'rgb.bias' as \[4\].* needs \[3\]"),
        (lambda state: state["rgb.bias"].fill_(float("nan")), "NaN or infinite values in 'rgb.bias'"),
        (lambda state: state["rgb.weight"].fill_(float("inf")), "NaN or infinite values in 'rgb.weight'"),
        (lambda state: state.update({"rgb.bias": torch.zeros(3, dtype=torch.int64)}), "as torch.int64"),
    ],
)
def test_weights_that_do_not_fit_are_refused(release, change, message):
    rewrite_weights(release, change)
    with pytest.raises(VidganError, match=message) as caught:
        vidgan.load("faces")
    assert str(release / "model.safetensors") in str(caught.value)


def test_other_kinds_of_float_are_welcome(release):
    latents = vidgan.load("faces").latent_space.sample(1, 0)
    clip = vidgan.load("faces").generate(latents)
    rewrite_weights(release, lambda s: s.update({k: v.double() for k, v in s.items() if v.is_floating_point()}))
    assert torch.equal(vidgan.load("faces").generate(latents), clip)


# ---------------------------------------------------------------------------------------------- the Hub

CLIENT = """
import json, os, sys, time
import vidgan
from vidgan import VidganError, hub, remote
results = {}
for name in json.loads(sys.argv[1]):
    start = time.monotonic()
    try:
        generator = vidgan.load(name)
        clip = generator.generate(generator.latent_space.sample(1, 7))
        results[name] = {"name": generator.info.name, "sum": clip.double().sum().item(), "labels": generator.labels,
                         "files": sorted(os.listdir(generator.info.path))}
    except VidganError as error:
        results[name] = {"error": str(error)}
    results[name]["seconds"] = time.monotonic() - start
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def server(make_release, tmp_path_factory):
    root = tmp_path_factory.mktemp("hub")
    make_release(root / "someone" / "faces", seed=7)
    (root / "someone" / "faces" / "evil.py").write_text("raise SystemExit")
    for name in ("weights-only", "foreign", "cut"):
        make_release(root / "someone" / name)
    (root / "someone" / "weights-only" / "config.json").unlink()
    (root / "someone" / "foreign" / "config.json").write_text('{"model_type": "bert"}')
    weights = root / "someone" / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    server = Hub(root)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture(scope="module")
def client(server, root, tmp_path_factory):
    """client(names, **environment): load each in another process that knows only the local Hub."""
    home = tmp_path_factory.mktemp("home")

    def run(code: str, *arguments: str, **environment) -> subprocess.CompletedProcess:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
            "HF_ENDPOINT": server.address,
            "HF_HOME": str(home),
            "VIDGAN_CHECKPOINTS": str(home / "checkpoints"),
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "PYTHONPATH": str(root),
            **environment,
        }
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, env=environment, cwd=home, capture_output=True, text=True, timeout=180)

    def load(names: list[str], **environment) -> dict:
        done = run(CLIENT, json.dumps(names), **environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    load.run, load.home = run, home
    return load


def test_pulling_from_a_hub_and_working_offline_afterwards(server, client, make_release, tmp_path):
    commit = server.commit("someone/faces")
    good = ["someone/faces", "someone/faces@v1", f"someone/faces@{commit}"]
    bad = ["someone/nothing", "someone/faces@v9", "someone/weights-only", "someone/foreign", "someone/cut"]
    online = client([*good, *bad])
    local = vidgan.load(make_release(tmp_path / "faces", seed=7))
    expected = local.generate(local.latent_space.sample(1, 7)).double().sum().item()
    for name in good:
        assert online[name]["sum"] == pytest.approx(expected, abs=1e-6), online[name]
        assert online[name]["name"] == "faces" and tuple(online[name]["labels"]) == EXPRESSIONS
        assert online[name]["files"] == FILES
    assert not [path for _, path in server.requests if "evil.py" in path]
    assert not [path for _, path in server.requests if "foreign/resolve" in path and "model.safetensors" in path]
    for name, message in zip(
        bad,
        ["no model 'someone/nothing' on the Hub", "no revision .*'someone/faces@v9'", "has no config.json",
         "is no release that can be used: .*'architecture' as text", "model.safetensors is damaged, cut short"],
    ):  # fmt: skip
        assert re.search(message, online[name]["error"]), online[name]

    asked = len(server.requests)
    offline = client(["someone/faces", "someone/other"], HF_HUB_OFFLINE="1")
    assert offline["someone/faces"]["sum"] == online["someone/faces"]["sum"]
    assert "HF_HUB_OFFLINE" in offline["someone/other"]["error"] and offline["someone/other"]["seconds"] < 5
    assert len(server.requests) == asked


COMMANDS = """
import contextlib, io, json, os, sys
from vidgan.cli import main
for token, *arguments in json.loads(sys.argv[1]):
    os.environ["HF_TOKEN"] = token
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        status = main(arguments)
    print(json.dumps([status, out.getvalue(), err.getvalue()]))
"""


def test_pushing_and_pulling_by_command(server, client, make_release):
    folder = make_release(client.home / "checkpoints" / "faces", seed=8)
    (folder / "notes.txt").write_text("private")
    lines = [
        ["hf_wrong", "hub", "push", "faces", "me/refused"],
        [Hub.TOKEN, "hub", "push", "faces", "me/faces"],
        [Hub.TOKEN, "hub", "push", "faces", "faces"],
        [Hub.TOKEN, "hub", "push", "fases", "me/faces"],
        ["", "hub", "pull", "me/faces@main", "--out", "copy"],
        ["", "hub", "pull", "faces"],
    ]
    done = client.run(COMMANDS, json.dumps(lines))
    assert done.returncode == 0, done.stderr
    refused, pushed, no_owner, unknown, pulled, no_owner_either = map(json.loads, done.stdout.splitlines())
    assert refused[0] == 2 and "hf auth login" in refused[2] and "me/refused" not in server.repositories
    assert no_owner[0] == no_owner_either[0] == 2 and "owner/name" in no_owner[2] and "owner/name" in no_owner_either[2]
    assert unknown[0] == 2 and "did you mean faces" in unknown[2]
    assert pushed[:2] == [0, f"{server.address}/me/faces/commit/{server.commit('me/faces')}\n"]
    local = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert local.pop("notes.txt") and server.repositories["me/faces"] == local
    assert pulled[:2] == [0, "copy\n"]
    copy = client.home / "copy"
    assert {path.name: path.read_bytes() for path in copy.iterdir()} == local
    assert not any(path.is_symlink() for path in copy.iterdir())


MIXIN = """
import torch, vidgan
from huggingface_hub import PyTorchModelHubMixin
from vidgan.models.g3an import G3AN, G3ANConfig
class Hosted(G3AN, PyTorchModelHubMixin):
    def __init__(self, config: dict, **rest):
        super().__init__(G3ANConfig(**config))
        self.kept = rest
hosted = Hosted.from_pretrained("someone/faces", strict=True).eval()
ours = vidgan.load("someone/faces")
latents = ours.latent_space.sample(2, 3)
assert torch.equal(hosted.fuse().generate(latents), ours.generate(latents))
print("same")
"""


def test_the_layout_is_that_of_the_hubs_own_mixin(client):
    done = client.run(MIXIN)
    assert done.stdout.split() == ["same"], done.stderr


def test_no_hub_at_all_is_said_in_one_sentence(client):
    with_nobody = client(["someone/other"], HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_ETAG_TIMEOUT="1")
    assert "cannot be reached" in with_nobody["someone/other"]["error"]
