"""Pictures that visitors bring, kept in memory alone, for a little while, so that a crop can follow the hand."""

import base64
import binascii
import math
import secrets
import threading
import time
from collections import OrderedDict

import numpy as np
from PIL import Image

from .. import pictures, video
from ..errors import VidganError
from .releases import data_url

MAX_MB = 256  #: of decoded pictures, all visitors together; the oldest make room
KEPT = 900  #: seconds after which a picture that nobody has touched is forgotten
PATIENCE = 20  #: seconds that an upload waits for the one before it
_STAGE_PIXELS = 800_000  #: of the copy that the page shows to crop from


class Uploads:
    """token -> picture, uint8 [H, W, 3]. Thread-safe. What is forgotten here, the page brings again."""

    def __init__(self, max_mb: float = MAX_MB, kept: float = KEPT):
        self.limit, self.kept = int(max_mb * 2**20), kept
        self._pictures: OrderedDict[str, tuple[float, np.ndarray]] = OrderedDict()
        self._guard = threading.Lock()
        self._decoding = threading.Lock()  # one at a time, so that memory stays bounded
        self._timer: threading.Timer | None = None

    def read(self, data: object) -> dict | None:
        """The base64 text of a file -> {token, width, height, stage: a copy to show}, or None where others come first.

        VidganError for what is no picture that we read, as in `pictures.read`.
        """
        if not isinstance(data, str):
            raise VidganError("A picture travels as text, base64.")
        if len(data) > 4 * math.ceil(pictures.MAX_BYTES / 3):
            raise VidganError(
                f"The picture is larger than {pictures.MAX_BYTES >> 20} MB; a smaller copy of it will do."
            )
        if not self._decoding.acquire(timeout=PATIENCE):
            return None
        try:
            picture = pictures.read(base64.b64decode(data, validate=True))
        except binascii.Error as error:
            raise VidganError("The picture did not arrive whole; please try again.") from error
        finally:
            self._decoding.release()
        height, width = picture.shape[:2]
        return {"token": self.keep(picture), "width": width, "height": height, "stage": _stage(picture)}

    def keep(self, picture: np.ndarray) -> str:
        """Remember a picture and give its token, which nobody can guess."""
        token = secrets.token_urlsafe(18)
        with self._guard:
            self._pictures[token] = (time.monotonic(), picture)
            while sum(one.nbytes for _, one in self._pictures.values()) > self.limit and len(self._pictures) > 1:
                self._pictures.popitem(last=False)
            idle = self._timer is None
        if idle:
            self._sweep()
        return token

    def get(self, token: object) -> np.ndarray | None:
        """The picture of a token, or None where it has been forgotten."""
        with self._guard:
            self._forget()
            if not isinstance(token, str) or token not in self._pictures:
                return None
            _, picture = self._pictures.pop(token)
            self._pictures[token] = (time.monotonic(), picture)
            return picture

    def __len__(self) -> int:
        return len(self._pictures)

    def _forget(self) -> None:
        """Forget what has been left alone for too long; they lie in the order in which they were last touched."""
        while self._pictures and next(iter(self._pictures.values()))[0] <= time.monotonic() - self.kept:
            self._pictures.popitem(last=False)

    def _sweep(self) -> None:
        """Do so on time, whether anybody comes or not."""
        with self._guard:
            self._forget()
            self._timer = None
            if self._pictures:
                first = next(iter(self._pictures.values()))[0]
                self._timer = threading.Timer(first + self.kept - time.monotonic() + 0.01, self._sweep)
                self._timer.daemon = True
                self._timer.start()


def _stage(picture: np.ndarray) -> str:
    """A copy of a picture, small enough to travel, without loss where the picture is small itself."""
    shrink = math.ceil(math.sqrt(picture.shape[0] * picture.shape[1] / _STAGE_PIXELS))
    if shrink > 1:
        picture = np.asarray(Image.fromarray(picture).reduce(shrink))
    small = picture.shape[0] * picture.shape[1] <= 256 * 256
    return data_url(*video.sprite(picture[None], quality=90, lossless=small))
