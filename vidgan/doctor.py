"""What `vidgan doctor` looks at: is this installation whole, and what to do where it is not."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from . import __version__
from .errors import VidganError
from .files import cache_folder
from .vision import trouble

#: package -> (what needs it, how to get it)
OPTIONAL = {
    "av": ("mp4 files and other people's videos", 'pip install "vidgan[video]"'),
    "gradio": ("the page", 'pip install "vidgan[demo]"'),
    "accelerate": ("training", 'pip install "vidgan[train]"'),
    "tyro": ("training", 'pip install "vidgan[train]"'),
    "tensorboard": ("training logs", 'pip install "vidgan[train]"'),
    "torchmetrics": ("vidgan evaluate of animated pictures", 'pip install "vidgan[metrics]"'),
}


@dataclass(frozen=True)
class Finding:
    """One line of the report. level: "ok", "warn" (something will not work) or "fail" (nothing will)."""

    level: str
    subject: str
    detail: str
    advice: str = ""

    def line(self) -> str:
        return f"{self.level:5}{self.subject:16}{self.detail}" + (f"\n{'':21}{self.advice}" if self.advice else "")


def examine() -> list[Finding]:
    """All findings, in the order in which to read them."""
    checks = (_machine, _packages, _torchvision, _ffmpeg, _folders, _releases, _chromium)
    return [finding for check in checks for finding in check()]


def _machine() -> Iterator[Finding]:
    import torch

    yield Finding("ok", "vidgan", f"{__version__}, Python {platform.python_version()}, {platform.system()}")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield Finding("ok", "torch", f"{torch.__version__}, {cores} cores, {torch.get_num_threads()} threads")
    if torch.cuda.is_available():
        name, bf16 = torch.cuda.get_device_name(0), torch.cuda.is_bf16_supported()
        yield Finding("ok", "GPU", f"{torch.cuda.device_count()} x {name}, bfloat16 {'yes' if bf16 else 'no'}")
    else:
        fast = torch.ops.mkldnn._is_mkldnn_bf16_supported() if torch.backends.mkldnn.is_available() else False
        yield Finding("ok", "GPU", f"none, so all runs on the CPU; bfloat16 there: {'fast' if fast else 'slow'}")


def _packages() -> Iterator[Finding]:
    for name in ("numpy", "safetensors", "huggingface-hub", "pillow", "tqdm"):
        version = _version(name)
        if version is None:
            yield Finding("fail", name, "not installed", "pip install vidgan")
        else:
            yield Finding("ok", name, version)
    for name, (needed_by, how) in OPTIONAL.items():
        version = _version(name)
        if version is None:
            yield Finding("warn", name, f"not installed; {needed_by} needs it", how)
        else:
            yield Finding("ok", name, version)


def _torchvision() -> Iterator[Finding]:
    version = _version("torchvision")
    if version is None:
        yield Finding("ok", "torchvision", "not installed; only RAFT and its video classifiers need it")
    elif reason := trouble().split(":")[0]:
        yield Finding("ok", "torchvision", f"{version}, built for another torch ({reason}); what we use of it works")
    else:
        yield Finding("ok", "torchvision", version)


def _ffmpeg() -> Iterator[Finding]:
    if shutil.which("ffmpeg") and not shutil.which("ffprobe"):
        yield Finding(
            "warn", "ffmpeg", "ffmpeg without ffprobe breaks video uploads on the page", "install ffprobe too"
        )


def _folders() -> Iterator[Finding]:
    from . import hub

    for subject, folder, variable in (
        ("cache", cache_folder(), "VIDGAN_CACHE"),
        ("checkpoints", hub.checkpoints(), "VIDGAN_CHECKPOINTS"),
    ):
        problem = _unwritable(folder)
        if problem:
            yield Finding("warn", subject, f"{folder} {problem}", f"set {variable} to a folder that can be written")
        else:
            free = shutil.disk_usage(_existing(folder)).free / 2**30
            level = "ok" if free >= 1 else "warn"
            yield Finding(level, subject, f"{folder}, {free:.1f} GiB free", "" if free >= 1 else "make room")
    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
    yield Finding("ok", "Hub", "offline, by HF_HUB_OFFLINE" if offline else "asked only for names like owner/name")


def _releases() -> Iterator[Finding]:
    from . import hub

    folders = hub.release_folders()
    for folder in folders:
        try:
            info = hub.check_release(folder)
            shape = f"{info.frames} frames of {info.size}x{info.size}"
            yield Finding("ok", "release", f"{folder.name}: {info.architecture} on {info.data}, {shape}")
        except VidganError as error:
            yield Finding("warn", "release", f"{folder.name}: {error}", "export or pull it again")
    if not folders:
        advice = "train one with train.py and `vidgan release`, or `vidgan hub pull OWNER/NAME`"
        yield Finding("warn", "release", f"none in {hub.checkpoints()}", advice)


def _chromium() -> Iterator[Finding]:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found:
        yield Finding("ok", "chromium", found)
    else:
        yield Finding("warn", "chromium", "none; the browser tests will be skipped", "apt-get install chromium")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _unwritable(folder: Path) -> str:
    """Why nothing can be written there; empty where it can. Leaves nothing behind."""
    place = _existing(folder)
    if not place.is_dir():
        return f"cannot be made: {place} is a file"
    try:
        with tempfile.TemporaryFile(dir=place):
            return ""
    except OSError as error:
        return f"cannot be written ({error.strerror})"
