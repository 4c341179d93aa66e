"""Where the small networks of the metrics are found, and how their weights are read.

They lie in folders of `checkpoints/` that hold no generator. Nothing is ever unpickled, and weights that are not those
that config.json names are refused.
"""

import hashlib
import json
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from ..errors import VidganError

_ROOT = Path(__file__).resolve().parents[2]


def find_weights(name: str) -> Path:
    """The folder `name` in `VIDGAN_CHECKPOINTS`, or in `checkpoints/` beside the package; VidganError where there is
    none."""
    places = [_ROOT / "checkpoints" / name]
    if os.environ.get("VIDGAN_CHECKPOINTS"):
        places.insert(0, Path(os.environ["VIDGAN_CHECKPOINTS"]).expanduser() / name)
    for place in places:
        if (place / "config.json").is_file():
            return place
    raise VidganError(f"There are no {name} weights in {places[-1]}; recipes/{name}.sh trains them.")


def load_weights(folder: str | Path, build: Callable[[dict], nn.Module], device: str | torch.device) -> nn.Module:
    """The network `build(config)` with the weights of a folder, in evaluation mode; read once a process.

    config.json holds `config`, what `build` takes, and `hash`, which the network's own `hash` has to be.
    Raises VidganError where the folder is missing, damaged or foreign.
    """
    folder = Path(folder)
    try:
        changed = (folder / "model.safetensors").stat().st_mtime_ns
    except OSError as error:
        raise VidganError(f"{folder / 'model.safetensors'} is missing; recipes/ has what trains it.") from error
    return _load(folder.resolve(), changed, build, str(torch.device(device)))


@lru_cache(maxsize=4)
def _load(folder: Path, changed: int, build: Callable[[dict], nn.Module], device: str) -> nn.Module:
    try:
        facts = json.loads((folder / "config.json").read_text("utf-8"))
        with torch.random.fork_rng(devices=[]):  # the global random state belongs to whoever trains
            network = build(dict(facts["config"]))
        network.load_state_dict({key: value.float() for key, value in load_file(folder / "model.safetensors").items()})
        wanted = facts["hash"]
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise VidganError(f"The weights in {folder} cannot be used: {reason}.") from error
    network.eval().requires_grad_(False)
    if network.hash != wanted:
        raise VidganError(f"The weights in {folder} hash to {network.hash}, but config.json names {wanted}.")
    return network.to(device)


def weights_hash(network: nn.Module, *decides: object, without: str = "") -> str:
    """8 hexadecimal digits of all weights (but those whose names begin with `without`) and of what else decides a
    network's numbers."""
    digest = hashlib.sha256(json.dumps(decides).encode())
    for name, value in sorted(network.state_dict().items()):
        if not name.endswith("num_batches_tracked") and not (without and name.startswith(without)):
            digest.update(name.encode() + value.detach().float().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:8]
