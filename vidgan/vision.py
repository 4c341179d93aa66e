"""torchvision, where it is installed, imported so that its networks work beside any torch.

Its Linux wheel is linked against one build of torch; beside another its library does not load, and importing it fails
for want of two operators' names. With these declared everything written in Python works, which is all that we use.
"""

import ctypes
import importlib
import importlib.util
from pathlib import Path
from types import ModuleType

from torch import library

from .errors import VidganError

#: the operators that importing torchvision asks for
OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[library.Library] = []  # kept alive: with the object go the operators


def torchvision(module: str) -> ModuleType:
    """`torchvision.MODULE`; VidganError where torchvision is not installed or cannot be imported at all."""
    mend()
    try:
        return importlib.import_module(f"torchvision.{module}")
    except Exception as error:
        raise VidganError(f"This needs torchvision ({error}): pip install 'vidgan[vision]'.") from error


def mend() -> None:
    """Declare what is missing, so that everybody can import torchvision; nothing where it is whole, or not there."""
    if not _declared and trouble():
        operators = library.Library("torchvision", "FRAGMENT")
        for schema in OPERATORS:
            operators.define(schema)
        _declared.append(operators)


def trouble() -> str:
    """Why the library of the installed torchvision does not load; empty where it does, or where there is none."""
    spec = importlib.util.find_spec("torchvision")
    linked = spec and spec.origin and next(Path(spec.origin).parent.glob("_C*.so"), None)
    if not linked:
        return ""
    try:
        ctypes.CDLL(str(linked))
    except OSError as error:
        return str(error)
    return ""
