"""Small banks of drawn faces, and the network that ships, shared by the tests of metrics."""

import os
from pathlib import Path

import pytest
import torch

from vidgan.data import open_source
from vidgan.metrics.features import load_features


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Neither drawn banks nor kept features of anybody else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIDGAN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def skip_without(root):
    """skip_without(folder, file): skips where licensed data is not on this machine, and for no other reason."""
    places = [Path(os.environ["VIDGAN_DATA"])] if os.environ.get("VIDGAN_DATA") else []
    places.append(root.parent / "shared" / "data")

    def check(folder: str, file: str) -> None:
        if not any((place / folder / file).is_file() for place in places):
            pytest.skip(f"{folder}/{file} is neither in VIDGAN_DATA nor in shared/data.")

    return check


@pytest.fixture(scope="session")
def faces(own_cache):
    """Unseen people: 72 clips drawn once."""
    return open_source("expressions", split="test", bank=72)


@pytest.fixture(scope="session")
def shipped():
    """The network of checkpoints/features."""
    return load_features()


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)
