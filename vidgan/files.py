"""What is written appears whole or not at all; and where things are kept that can be made again."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import VidganError


def cache_folder() -> Path:
    """`VIDGAN_CACHE` (a ~ is the home folder), else ~/.cache/vidgan. Nothing is made."""
    return Path(os.environ.get("VIDGAN_CACHE") or Path("~", ".cache", "vidgan")).expanduser()


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """The name of a file to write beside `path`, which takes its place at the end: a reader sees the old file or the
    new one, never a part. Makes folders; on failure nothing has changed. Raises OSError.
    """
    draft = path.with_name(f".{path.name[:80]}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield draft
        _flush(draft)
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def write_atomic(path: str | Path, data: bytes) -> Path:
    """Write `data` to `path` as `replaced` does.

    Raises VidganError when the disk is full or the place cannot be written; the old file then stands.
    """
    path = Path(path)
    with writing(path), replaced(path) as draft:
        draft.write_bytes(data)
    return path


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` to write files into, which takes its place at the end; on failure nothing has changed.

    Raises VidganError when the disk is full or the place cannot be written.
    """
    mark = f"{os.getpid()}-{secrets.token_hex(3)}.tmp"
    new, old = (folder.with_name(f".{folder.name}-{word}-{mark}") for word in ("new", "old"))
    try:
        with writing(folder):
            new.mkdir(parents=True)
            yield new
            for file in new.iterdir():
                _flush(file)
            if folder.exists():
                folder.rename(old)
            try:
                new.rename(folder)
            except BaseException:
                if old.exists():
                    old.rename(folder)
                raise
    finally:
        for path in (new, old):
            shutil.rmtree(path, ignore_errors=True)


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """A system's complaint while writing becomes one sentence."""
    try:
        yield
    except OSError as error:
        raise VidganError(f"Could not write {place}: {error.strerror or error}.") from error


def _flush(file: Path) -> None:
    with open(file, "r+b") as handle:
        os.fsync(handle.fileno())
