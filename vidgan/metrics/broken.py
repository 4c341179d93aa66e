"""A torchvision that was built for another torch breaks whoever imports it; torchmetrics does where it finds one."""

import ctypes
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import PathFinder
from pathlib import Path


class _WithoutTorchvision(PathFinder):
    """The path, as if torchvision were not on it."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] == "torchvision" else super().find_spec(name, path, target)

    @classmethod
    def find_distributions(cls, *context):
        if context and context[0].name == "torchvision":
            return iter(())
        return super().find_distributions(*context)


@contextmanager
def without_broken_torchvision() -> Iterator[None]:
    """While open, imports find no torchvision where it cannot be used anyway: its library does not load beside this
    torch. Changes nothing where it works, is not installed or has been imported."""
    if "torchvision" in sys.modules or not _broken():
        yield
        return
    before = sys.meta_path[:]
    sys.meta_path[:] = [_WithoutTorchvision if finder is PathFinder else finder for finder in before]
    try:
        yield
    finally:
        sys.meta_path[:] = before


def _broken() -> bool:
    spec = importlib.util.find_spec("torchvision")
    library = spec and spec.origin and next(Path(spec.origin).parent.glob("_C*.so"), None)
    if not library:
        return False
    try:
        ctypes.CDLL(str(library))
    except OSError:
        return True
    return False
