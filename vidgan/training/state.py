"""Training state on disk: everything that resume needs, written so that a kill at any moment loses nothing.

A state is a folder `RUN/state/step-00001234/` of safetensors and JSON. It is written under another name, flushed to
disk and renamed, so that a folder of that name is always whole.
"""

import errno
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..errors import VidganError
from ..models import ARCHITECTURES, Generator, ReleaseInfo, build
from ..models.blueprint import plain_options
from .ema import calibrate


def save_state(run: Path, step: int, tensors: dict[str, Tensor], facts: dict, keep: int = 2) -> Path:
    """Write `RUN/state/step-N`, then drop all but the newest `keep`. The folder's path is returned.

    tensors: name -> any tensor; facts: JSON. Raises VidganError where the disk is full: earlier states stand.
    """
    states = run / "state"
    states.mkdir(parents=True, exist_ok=True)
    final = states / f"step-{step:08d}"
    draft = states / f"step-{step:08d}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir()
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, draft / "tensors.safetensors"
        )
        (draft / "facts.json").write_text(json.dumps({"step": step, **facts}))
        for path in [*draft.iterdir(), draft]:
            _flush(path)
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        _flush(states)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(draft, ignore_errors=True)
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
            raise VidganError(
                f"The disk is full: step {step} was not saved to {states}; earlier states stand."
            ) from error
        raise
    for old in state_folders(run)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def state_folders(run: Path) -> list[Path]:
    """Whole states of a run, oldest first."""
    return sorted(path for path in (run / "state").glob("step-*") if path.is_dir() and not path.name.endswith(".tmp"))


def load_state(run: Path) -> tuple[dict[str, Tensor], dict] | None:
    """The newest readable state as (tensors, facts), or None where a run has none yet.

    A state that cannot be read (a damaged disk; a kill cannot cause it) is passed over for the one before it; where
    none of them can be read, VidganError.
    """
    folders = state_folders(run)
    for folder in reversed(folders):
        try:
            return load_file(folder / "tensors.safetensors"), json.loads((folder / "facts.json").read_text())
        except (OSError, ValueError, SafetensorError):
            continue
    if folders:
        raise VidganError(f"No state in {run / 'state'} can be read; move the folder away to start over.")
    return None


def flatten_optimizer(name: str, optimizer: torch.optim.Optimizer) -> tuple[dict[str, Tensor], list[dict]]:
    """An optimiser's state as named tensors and its parameter groups as JSON."""
    state = optimizer.state_dict()
    tensors = {
        f"{name}.{index}.{key}": torch.as_tensor(value)
        for index, slots in state["state"].items()
        for key, value in slots.items()
    }
    return tensors, state["param_groups"]


def restore_optimizer(name: str, optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor], groups: list) -> None:
    """The inverse of `flatten_optimizer`; moments get the memory layout of their parameters."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    prefix = f"{name}."
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, slot = key[len(prefix) :].split(".", 1)
            parameter = parameters[int(index)]
            if value.shape == parameter.shape:
                value = torch.empty_like(parameter, requires_grad=False).copy_(value)
            state.setdefault(int(index), {})[slot] = value
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def ema_generator(run: str | Path) -> Generator:
    """The averaged generator of a run's newest state: batch-norm statistics measured anew, eval mode, `info` set.

    VidganError where the run has no state yet.
    """
    run = Path(run)
    found = load_state(run)
    if found is None:
        raise VidganError(f"{run} holds no training state yet.")
    tensors, facts = found
    options = facts["options"]
    model = {**options["model"], "classes": len(facts["labels"]) if options["conditional"] else 0}
    kind = ARCHITECTURES[options["architecture"]].config
    generator = build(options["architecture"], **{**model, **plain_options(kind)})
    generator.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("ema.")})
    generator.info = ReleaseInfo(
        name=run.name,
        architecture=options["architecture"],
        data=options["data"],
        labels=tuple(facts["labels"]) if options["conditional"] else (),
        frames=generator.frames,
        size=generator.size,
        step=facts["step"],
        path=run,
    )
    return calibrate(generator)
