"""A name becomes a generator, and a generator a release: a folder that can be read, moved, published and trusted.

    config.json         architecture, its options, labels, data, frames, size, fps, licence, hash of the weights
    model.safetensors   EMA weights with spectral norms folded in; matrices float16, vectors float32
    README.md           the model card        preview.webp   a moving picture        metrics.json   what was measured
    sheet.webp, curve.json, directions.safetensors, familiar.safetensors, examples.webp   where there are any

The first two are the layout of `PyTorchModelHubMixin`, so that a release is a model repository as it stands. Nothing
is ever unpickled. Every file is checked before a weight is loaded; what does not fit is refused by name.
"""

import dataclasses
import hashlib
import json
import math
import os
import re
import typing
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from . import __version__, files
from .errors import VidganError, unknown
from .models import ARCHITECTURES, Generator, ReleaseInfo, make_config
from .models.blueprint import no_draws, plain_options
from .models.layers import plain_weights

DEFAULT = "g3an-expressions"  #: the release that the page opens with
CONFIG, WEIGHTS, METRICS = "config.json", "model.safetensors", "metrics.json"
#: what a release may hold; nothing else is pulled, copied or published
FILES = (
    *(CONFIG, WEIGHTS, METRICS, "README.md", "preview.webp", "sheet.webp", "curve.json"),
    *("directions.safetensors", "familiar.safetensors", "examples.webp"),
)
BENCHMARK = "benchmark.json"  #: beside the releases: what a benchmark found, for the page
MAX_OPTION = 65536  #: no whole number in a configuration may be larger; widths, classes and sizes are far below
MAX_JSON = 1 << 20  #: bytes

_ROOT = Path(__file__).resolve().parent.parent
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
#: owner/name, or owner/name@revision, on the Hugging Face Hub
REPOSITORY = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")


# ------------------------------------------------------------------------------------------------ finding


def checkpoints() -> Path:
    """The folder of local releases: `VIDGAN_CHECKPOINTS`, or `checkpoints/` beside the package."""
    return Path(os.environ.get("VIDGAN_CHECKPOINTS") or _ROOT / "checkpoints").expanduser()


def release_folders() -> list[Path]:
    """The folders in `checkpoints()` with a config.json that is a generator's or damaged; the default first."""
    folders = []
    for path in checkpoints().glob(f"*/{CONFIG}"):
        try:
            other = _read_json(path).get("kind", "generator") != "generator"
        except VidganError:
            other = False
        if not other and not path.parent.name.startswith("."):
            folders.append(path.parent)
    return sorted(folders, key=lambda folder: (folder.name != DEFAULT, folder.name))


def releases() -> list[ReleaseInfo]:
    """The releases in `checkpoints()`, the default first, without reading any weights.

    A folder whose config.json is damaged is left out; `vidgan doctor` names it, and so does `load`.
    """
    found = []
    for folder in release_folders():
        try:
            found.append(read_info(folder))
        except VidganError:
            continue
    return found


def load(name: str | Path, device: str | torch.device = "cpu") -> Generator:
    """The generator of a release, in evaluation mode, its `info` filled in.

    name: a release in `checkpoints()`, a run in `runs/` (its release/ folder, or else the EMA weights of its last
    training state), the path of either, or `owner/name` with an optional `@revision` on the Hugging Face Hub, looked
    up in this order; `HF_HUB_OFFLINE=1` keeps to what has been pulled before.
    Raises VidganError for names that lead nowhere and for files that are missing, damaged, foreign or do not fit.
    """
    device = _device(device)
    folder = find(name)
    if is_run(folder):
        from .training.state import ema_generator  # training imports this module

        generator = ema_generator(folder)
    else:
        generator = _load_release(folder)
    return generator.to(device).eval().requires_grad_(False).fuse()


def find(name: str | Path) -> Path:
    """The release folder or run folder that `name` means (see `load`), pulled from the Hub where need be."""
    text = str(name)
    if isinstance(name, str) and _NAME.fullmatch(text):
        if (checkpoints() / text / CONFIG).is_file():
            return checkpoints() / text
        for root in (Path("runs"), _ROOT / "runs"):
            if is_run(root / text):
                return _inside(root / text)
    path = Path(text).expanduser()
    if _exists(path):
        if path.name in (CONFIG, WEIGHTS):
            path = path.parent
        if path.is_dir() and (is_run(path) or (path / CONFIG).is_file()):
            return _inside(path)
        if path.is_dir() and (path / WEIGHTS).is_file():
            raise VidganError(f"{path / CONFIG} is missing.")
        raise VidganError(f"{path} is neither a release (a folder with {CONFIG} and {WEIGHTS}) nor a run.")
    repository = REPOSITORY.fullmatch(text) if isinstance(name, str) else None
    if repository and not text.startswith(("runs/", "checkpoints/")):
        from .remote import Absent, download  # which imports huggingface_hub

        try:
            return download(repository[1], repository[2])
        except Absent as error:
            raise VidganError(f"There is no folder {text!r} here, and on the Hub: {error}") from error
    if isinstance(name, Path) or "/" in text or "\\" in text:
        raise VidganError(f"There is no release and no run at {text!r}.")
    raise unknown("release", text, [folder.name for folder in release_folders()])


def is_run(folder: Path) -> bool:
    """True for the folder of a training run."""
    return (folder / "options.json").is_file() and not (folder / CONFIG).exists()


def find_run(name: str | Path) -> Path:
    """The folder of a training run: a path, or a name in `runs/`; VidganError with the nearest names for others."""
    for folder in (Path(name).expanduser(), Path("runs") / name, _ROOT / "runs" / name):
        if _exists(folder) and is_run(folder):
            return folder
    places = {path.parent for root in (Path("runs"), _ROOT / "runs") for path in root.glob("*/options.json")}
    raise unknown("training run", name, {path.name for path in places})


def keep_result(folder: Path, metric: str, result: Mapping) -> None:
    """One more result into a release's metrics.json, under `more` by the metric's name, where the page finds it.

    VidganError for a folder that is no release, and where it cannot be written.
    """
    if not (folder / CONFIG).is_file():
        raise VidganError(f"{folder} is no release, so that there is nowhere to keep what was measured.")
    metrics = _read_json(folder / METRICS) if (folder / METRICS).is_file() else {}
    more = metrics.get("more")
    metrics["more"] = (more if isinstance(more, dict) else {}) | {metric: dict(result)}
    files.write_atomic(folder / METRICS, (json.dumps(metrics, indent=2) + "\n").encode())


def check_name(name: str) -> str:
    """`name` itself, if a release can be called that."""
    if not _NAME.fullmatch(name):
        raise VidganError(_bad_name(name))
    return name


def _bad_name(name: str) -> str:
    return f"A release is called by letters, digits, '.', '-' and '_', 96 at most, not {name[:96]!r}."


def _inside(folder: Path) -> Path:
    """The release that was exported into a run folder, or `folder` itself."""
    return folder / "release" if (folder / "release" / CONFIG).is_file() else folder


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a path can be, or with a zero byte
        return False


def _device(device: str | torch.device) -> torch.device:
    try:
        device = torch.device(device)
        torch.empty(1, device=device).tolist()  # which a device without memory, such as meta, does not survive
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise VidganError(f"There is no device {str(device)!r} here; cpu always works.") from error
    return device


# ------------------------------------------------------------------------------------------------ reading


def read_info(folder: str | Path) -> ReleaseInfo:
    """What a release folder says of itself; reads config.json and metrics.json, checks both, loads nothing."""
    return _read_config(Path(folder))[0]


def _read_config(folder: Path) -> tuple[ReleaseInfo, object, dict]:
    """(info, the architecture's own config, the whole of config.json)."""
    path = folder / CONFIG
    data = _read_json(path)

    def field(name: str, kind: type, default=None):
        value = data.get(name, default)
        if not _fits(value, kind, 2**53):
            raise VidganError(f"{path} must give {name!r} as {_noun(kind)}, not {_short(value)}.")
        return value

    if data.get("kind", "generator") != "generator":
        raise VidganError(f"{folder} holds {_short(data['kind'])}, not a generator.")
    architecture, options = field("architecture", str), field("config", dict)
    if architecture not in ARCHITECTURES:
        raise VidganError(f"{path} is not for this version: {unknown('architecture', architecture, ARCHITECTURES)}")
    hints = typing.get_type_hints(ARCHITECTURES[architecture].config)
    for name, value in options.items():
        if name in hints and not _fits(value, hints[name]):
            raise VidganError(f"{path} must give option {name!r} as {_noun(hints[name])}, not {_short(value)}.")
    for name in plain_options(ARCHITECTURES[architecture].config):
        if options.get(name) is not False:
            raise VidganError(f"{path} must give option {name!r} as false: a release has its norms folded in.")
    try:
        config = make_config(architecture, **options)
    except VidganError as error:
        raise VidganError(f"{path} cannot be used: {error}") from error
    labels = field("labels", list, [])
    if not all(isinstance(label, str) and label for label in labels) or len(set(labels)) != len(labels):
        raise VidganError(f"{path} must give 'labels' as different words, not {_short(labels)}.")
    if labels and len(labels) != config.classes:
        raise VidganError(f"{path} names {len(labels)} labels for {config.classes} classes.")
    frames, size, fps = field("frames", int, 16), field("size", int, 64), field("fps", float, 12.0)
    if not (1 <= frames <= 4096 and 1 <= size <= 4096 and 0.1 <= fps <= 1000):
        raise VidganError(f"{path} asks for {frames} frames of {size} pixels at {fps} a second, which is out of range.")
    data_options = field("data_options", list, [])
    if len(data_options) > 32 or not all(isinstance(item, str) and len(item) <= 200 for item in data_options):
        raise VidganError(f"{path} must give 'data_options' as a few words, not {_short(data_options)}.")
    name = field("name", str, folder.resolve().name)
    if "name" in data and not _NAME.fullmatch(name):  # names become names of files
        raise VidganError(f"{path} cannot be used: {_bad_name(name)}")
    metrics = _read_json(folder / METRICS) if (folder / METRICS).is_file() else {}
    info = ReleaseInfo(
        name=folder.name if folder.parent == checkpoints() else name,
        architecture=architecture,
        data=field("data", str, ""),
        labels=tuple(labels),
        frames=frames,
        size=size,
        fps=float(fps),
        license=field("license", str, "apache-2.0"),
        step=field("step", int, 0),
        path=folder,
        data_options=tuple(data_options),
        takes_image=ARCHITECTURES[architecture].generator.animates(config),
        metrics=metrics,
    )
    return info, config, data


def _read_json(path: Path) -> dict:
    try:
        if path.stat().st_size > MAX_JSON:
            raise VidganError(f"{path} is {path.stat().st_size} bytes long; such a file has at most {MAX_JSON}.")
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise VidganError(f"{path} is missing.") from error
    except OSError as error:
        raise VidganError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, VidganError):
            raise
        raise VidganError(f"{path} is damaged: it is not JSON.") from error
    if not isinstance(data, dict):
        raise VidganError(f"{path} must hold a JSON object, not {_short(data)}.")
    return data


def _fits(value: object, kind, limit: int = MAX_OPTION) -> bool:
    """True where a JSON value is of that type (or union): a bool is no number, and numbers are of a sane size."""
    kinds = typing.get_args(kind) or (kind,)
    if type(value) is int:
        return (int in kinds or float in kinds) and abs(value) <= limit
    if type(value) is float:
        return float in kinds and math.isfinite(value)
    return type(value) in kinds


def _noun(kind) -> str:
    words = {int: f"a whole number up to {MAX_OPTION}", float: "a number", str: "text", bool: "true or false",
             dict: "an object", list: "a list", type(None): "null"}  # fmt: skip
    return " or ".join(words.get(part, str(part)) for part in typing.get_args(kind) or (kind,))


def _short(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def check_release(folder: str | Path) -> ReleaseInfo:
    """`read_info`, after everything that loading would check has been checked."""
    return _load_release(Path(folder)).info


def _load_release(folder: Path) -> Generator:
    info, config, data = _read_config(folder)
    planned = _plan(folder, info, config)
    state = _read_weights(folder / WEIGHTS, info.architecture, planned.state_dict(), data.get("sha256"))
    with no_draws():
        generator = ARCHITECTURES[info.architecture].generator(config)
    generator.load_state_dict(state, strict=True)
    generator.info = info
    return generator


def _plan(folder: Path, info: ReleaseInfo, config) -> Generator:
    """The network without memory, so that a configuration can never ask for more than its file holds."""
    try:
        with torch.device("meta"), no_draws():
            generator = ARCHITECTURES[info.architecture].generator(config)
    except (RuntimeError, TypeError, OverflowError) as error:
        raise VidganError(f"{folder / CONFIG} asks for a network too large to exist.") from error
    if (info.frames, info.size) != (generator.frames, generator.size):
        raise VidganError(
            f"{folder / CONFIG} promises {info.frames} frames of {info.size} pixels, but its {info.architecture} makes "
            f"{generator.frames} of {generator.size}."
        )
    return generator


def _read_weights(path: Path, architecture: str, wanted: dict[str, Tensor], sha256: str | None) -> dict[str, Tensor]:
    """All weights, float32, after names, shapes, kinds, hash and values have been found right, in this order."""
    with _weights_file(path) as file:
        have = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118 - no mapping
        for key, value in wanted.items():
            if key not in have:
                raise VidganError(f"{path} lacks {key!r}, which the {architecture} of its {CONFIG} needs.")
            if have[key] != tuple(value.shape):
                raise VidganError(
                    f"{path} holds {key!r} as {list(have[key])}, but the {architecture} of its {CONFIG} "
                    f"needs {list(value.shape)}."
                )
        for key in have.keys() - wanted.keys():
            raise VidganError(f"{path} holds {key!r}, which the {architecture} of its {CONFIG} does not have.")
        if sha256 is not None and _sha256(path) != sha256:
            raise VidganError(f"{path} is damaged: its SHA-256 is not the one that its {CONFIG} names.")
        state = {}
        for key, value in wanted.items():
            tensor = file.get_tensor(key)
            if tensor.is_floating_point() != value.is_floating_point():
                raise VidganError(f"{path} holds {key!r} as {tensor.dtype}, which cannot become {value.dtype}.")
            if not torch.isfinite(tensor.float()).all():
                raise VidganError(f"{path} holds NaN or infinite values in {key!r}.")
            state[key] = tensor.to(value.dtype)
    return state


@contextmanager
def _weights_file(path: Path) -> Iterator[safe_open]:
    try:
        with open(path, "rb") as file:
            if file.read(40).startswith(b"version https://git-lfs"):
                raise VidganError(f"{path} is only a Git LFS pointer; run `git lfs pull` to get the weights.")
        with safe_open(path, framework="pt") as weights:
            yield weights
    except FileNotFoundError as error:
        raise VidganError(f"{path} is missing.") from error
    except (OSError, SafetensorError) as error:
        raise VidganError(f"{path} is damaged, cut short or no safetensors file ({error}).") from error


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# ------------------------------------------------------------------------------------------------ writing


def save_release(
    folder: str | Path,
    generator: Generator,
    info: ReleaseInfo,
    *,
    card: str,
    preview: bytes | None = None,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a release folder, whole or not at all, and give its path. An older one of that name is replaced.

    generator: with EMA weights; spectral norms are folded into the weights they normalise. info: its path and
    architecture are taken from folder and generator, and in `checkpoints()` a release has the name of its folder.
    card: README.md; preview: an animated WebP; extra: further files of `FILES` by name. Raises VidganError for weights
    that are not finite, for other files, and when the disk is full; what stood there before then still stands.
    """
    folder = Path(folder)
    extra = dict(extra or {})
    for name in extra:
        if name not in FILES or name in (CONFIG, WEIGHTS, METRICS):
            raise unknown("file of a release", name, set(FILES) - {CONFIG, WEIGHTS, METRICS})
    options = dataclasses.asdict(generator.config) | plain_options(type(generator.config))
    with new_folder(folder) as new:
        save_file(_released_weights(generator), new / WEIGHTS, metadata={"format": "pt"})
        config = {
            "name": check_name(info.name),
            "architecture": generator.architecture,
            "config": options,
            "labels": list(info.labels),
            "data": info.data,
            "data_options": list(info.data_options),
            "frames": info.frames,
            "size": info.size,
            "fps": info.fps,
            "license": info.license,
            "step": info.step,
            "sha256": _sha256(new / WEIGHTS),
            "vidgan_version": __version__,
            "library_name": "vidgan",
        }
        (new / CONFIG).write_text(json.dumps(config, indent=2) + "\n", "utf-8")
        (new / METRICS).write_text(json.dumps(info.metrics, indent=2) + "\n", "utf-8")
        (new / "README.md").write_text(card, "utf-8")
        for name, data in {**({"preview.webp": preview} if preview else {}), **extra}.items():
            (new / name).write_bytes(data)
        check_release(new)  # what we cannot load ourselves is never put in place
    return folder


def _released_weights(generator: Generator) -> dict[str, Tensor]:
    weights = {}
    for key, value in plain_weights(generator).items():
        if not torch.isfinite(value.float()).all():
            raise VidganError(f"These weights cannot be released: {key!r} holds NaN or infinite values.")
        half = value.is_floating_point() and value.dim() > 1 and float(value.abs().amax()) < 65504
        weights[key] = value.cpu().to(torch.float16 if half else value.dtype).contiguous().clone()
    return weights


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """`files.new_folder`, for a place that is empty or holds an older release; VidganError for any other."""
    if folder.exists() and not (folder / CONFIG).is_file() and (not folder.is_dir() or any(folder.iterdir())):
        raise VidganError(f"{folder} is no release, so it is not replaced by one; name another place.")
    try:
        with files.new_folder(folder) as new:
            yield new
    except SafetensorError as error:
        raise VidganError(f"Could not write {folder}: {error}.") from error
