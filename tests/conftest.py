"""What all tests share: no network, one thread, and small releases that take milliseconds to make."""

import os
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # before huggingface_hub is imported by anything
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the processes that tests start

import pytest
import torch

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parent.parent
EXPRESSIONS = ("anger", "disgust", "fear", "happiness", "sadness", "surprise")


def _make_release(folder: Path, *, seed: int = 0, labels: tuple[str, ...] = EXPRESSIONS, **options) -> Path:
    """A whole release of a G3AN two channels wide, with weights large enough for its videos to move visibly."""
    from vidgan import hub
    from vidgan.models import ReleaseInfo, build

    torch.manual_seed(seed)
    generator = build("g3an", **{"width": 2, "classes": len(labels), "spectral_norm": False, **options})
    for name, parameter in generator.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=(0.3 if "rgb" in name else 2.0) * parameter[0].numel() ** -0.5)
    data = "expressions" if labels else "weizmann"
    info = ReleaseInfo(folder.name, "g3an", data=data, labels=labels, step=1234, metrics={"fid": 1.5})
    return hub.save_release(folder, generator, info, card=f"# {folder.name}\n", preview=b"RIFF")


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def make_release():
    """make_release(folder, seed=0, labels=EXPRESSIONS, **options of G3AN) -> folder"""
    return _make_release


@pytest.fixture(scope="session")
def small_checkpoints(tmp_path_factory) -> Path:
    """A checkpoints folder with g3an-expressions (six labels) and g3an-weizmann (none). Not to be written to."""
    folder = tmp_path_factory.mktemp("checkpoints")
    _make_release(folder / "g3an-expressions")
    _make_release(folder / "g3an-weizmann", seed=1, labels=())
    return folder


@pytest.fixture
def checkpoints(small_checkpoints, monkeypatch) -> Path:
    """`small_checkpoints`, as the place where releases are looked for."""
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(small_checkpoints))
    return small_checkpoints


@pytest.fixture
def own_checkpoints(tmp_path, monkeypatch) -> Path:
    """An empty checkpoints folder, to write to."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(folder))
    return folder
