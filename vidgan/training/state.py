"""Training state on disk: everything that resume needs, written so that a kill at any moment loses nothing.

A state is a folder `RUN/state/step-00001234/` of safetensors and JSON. It is written under another name, flushed to
disk and renamed, so that a folder of that name is always whole.
"""

import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from ..conditions import Condition
from ..errors import VidganError
from ..models import ARCHITECTURES, Generator, ReleaseInfo, build
from ..models.blueprint import plain_options
from ..video import to_clip, to_uint8
from .ema import calibrate


class Lock:
    """Held while a run is trained, so that two processes never write to one folder. Where the system cannot lock files
    (not POSIX), or the run has several processes on purpose, nothing is held."""

    def __init__(self, run: Path):
        self.run = run
        self._file = None

    def __enter__(self) -> "Lock":
        if fcntl and os.environ.get("LOCAL_RANK", "0") == "0":
            self.run.mkdir(parents=True, exist_ok=True)
            self._file = open(self.run / ".lock", "a")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                self._file.close()
                raise VidganError(
                    f"{self.run} is being trained by another process: stop it, or name another --run."
                ) from error
        return self

    def __exit__(self, *_error) -> None:
        if self._file:
            self._file.close()


def save_state(run: Path, step: int, tensors: dict[str, Tensor], facts: dict, keep: int = 2) -> Path:
    """Write `RUN/state/step-N`, then drop all but the newest `keep`. The folder's path is returned.

    tensors: name -> any tensor; facts: JSON. Raises VidganError where the disk is full: earlier states stand.
    """
    states = run / "state"
    states.mkdir(parents=True, exist_ok=True)
    final = states / f"step-{step:08d}"
    draft = states / f"step-{step:08d}.{os.getpid()}.tmp"
    try:
        for stale in states.glob("*.tmp"):
            shutil.rmtree(stale, ignore_errors=True)
        draft.mkdir()
        held = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
        save_file(held, draft / "tensors.safetensors")
        (draft / "facts.json").write_text(json.dumps({"step": step, **facts}))
        for path in [*draft.iterdir(), draft]:
            _flush(path)
        shutil.rmtree(final, ignore_errors=True)
        draft.rename(final)
        _flush(states)
    except (OSError, SafetensorError) as error:
        shutil.rmtree(draft, ignore_errors=True)
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
        reason = "The disk is full" if full else f"Writing failed ({error})"
        raise VidganError(f"{reason}: step {step} was not saved to {states}; earlier states stand.") from error
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
    """The newest readable state as (tensors, facts), or None where a run has none yet; facts hold `step` and `options`.

    A state that cannot be read (a damaged disk; a kill cannot cause it) is passed over for the one before it; where
    none of them can be read, VidganError.
    """
    folders = state_folders(run)
    for folder in reversed(folders):
        try:
            tensors, facts = load_file(folder / "tensors.safetensors"), json.loads((folder / "facts.json").read_text())
        except (OSError, ValueError, SafetensorError):
            continue
        if isinstance(facts, dict) and isinstance(facts.get("step"), int) and isinstance(facts.get("options"), dict):
            return tensors, facts
    if folders:
        raise VidganError(f"No state in {run / 'state'} can be read; move the folder away to start over.")
    return None


@contextmanager
def fitting(run: Path) -> Iterator[None]:
    """A state that is whole but not of this program's making is refused in one sentence."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        if isinstance(error, VidganError):
            raise
        raise VidganError(f"The state in {run / 'state'} does not fit: it was made by something else.") from error


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
    with fitting(run):
        labels = tuple(facts["labels"]) if options["conditional"] else ()
        kind = ARCHITECTURES[options["architecture"]].config
        model = {**options["model"], "classes": len(labels), **plain_options(kind)}
        generator = build(options["architecture"], **model)
        generator.load_state_dict({name[4:]: value for name, value in tensors.items() if name.startswith("ema.")})
    generator.grown = facts.get("grown")
    generator.info = ReleaseInfo(
        name=run.name,
        architecture=options["architecture"],
        data=options["data"],
        labels=labels,
        frames=generator.frames,
        size=generator.size,
        step=facts["step"],
        path=run,
        data_options=tuple(item for item in options["data_options"] if not item.startswith("bank=")),
        takes_image=generator.takes_image,
    )
    return calibrate(generator, unpack_shown(tensors))


def pack_shown(shown: Condition | None) -> dict[str, Tensor]:
    """`ema.first_frames` as tensors of a state, so that a run is sampled where its data is not."""
    if shown is None:
        return {}
    images = torch.from_numpy(to_uint8(shown.image[:, :, None])[:, 0])
    return {"shown.image": images} | ({} if shown.label is None else {"shown.label": shown.label})


def unpack_shown(tensors: dict[str, Tensor]) -> Condition | None:
    """What `pack_shown` packed; None where there was nothing."""
    if "shown.image" not in tensors:
        return None
    return Condition(tensors.get("shown.label"), to_clip(tensors["shown.image"][:, None])[:, :, 0])
