"""Pictures that people bring: from the bytes of a file to what a network sees, and back into a link.

A picture is uint8 numpy [H, W, 3], an image what a network sees of it: float [1, 3, S, S] in [-1, 1]. The bytes come
from strangers. So the format is told by content, the size by the header before anything is decoded, and Pillow is
handed nothing but the parts of the file that make pixels (`vidgan.stills`).
"""

import base64
import io
import math
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from .errors import VidganError
from .stills import Still, sniff, still
from .video import to_clip, to_uint8

MAX_BYTES = 20 * 2**20  #: of a file
MAX_SIDE = 4096  #: pixels, of a picture's width and of its height
SIDES = (16, 256)  #: pixels, the smallest and the largest square that a network sees
MAX_TEXT = 300_000  #: characters of a packed picture; noise of 256 x 256 pixels needs 263 thousand

_STRIP = 256  #: rows that are converted at once


# ------------------------------------------------------------------------------------------------ reading


def read(data: bytes, *, name: str = "The picture") -> np.ndarray:
    """The bytes of a PNG, JPEG or WebP -> picture, uint8 [H, W, 3], upright as its EXIF says.

    What is transparent lies over white; 16 bits keep their upper eight; grey, palette and CMYK (inverted, as Adobe
    writes it) become RGB, without colour profiles. Of an animated WebP it is the first frame, of an animated PNG the
    picture that shows where nothing moves. `name` begins the sentence of an error.

    Raises VidganError for anything else by content, for more than 20 MB, for a side of more than 4096 pixels (before
    anything is decoded), and for a file that is cut short or damaged. Corrupt EXIF is ignored.
    """
    return _read(data, name, MAX_SIDE)


def load(path: str | Path) -> np.ndarray:
    """`read` for a file. Raises VidganError also when it is missing, a folder, no plain file, or not to be opened."""
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            what = "a folder" if stat.S_ISDIR(mode) else "no plain file"
            raise VidganError(f"{path} is {what}; a picture is a PNG, JPEG or WebP file.")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except VidganError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a path that cannot be one
        raise VidganError(f"Could not open {path}: {getattr(error, 'strerror', None) or error}.") from error
    return read(data, name=str(path))


def _read(data: bytes, name: str, limit: int) -> np.ndarray:
    if len(data) > MAX_BYTES:
        raise VidganError(f"{name} is larger than {MAX_BYTES >> 20} MB; a smaller copy of it will do.")
    if not data:
        raise VidganError(f"{name} is empty; it should be a PNG, JPEG or WebP.")
    format = sniff(data, name)
    try:
        return _draw(still(data, name, limit))
    except VidganError:
        raise
    except Exception as error:  # whatever a decoder finds to raise about bytes from a stranger, MemoryError included
        raise VidganError(f"{name} is a {format} that is damaged or cut short; save it anew and try again.") from error


def _draw(source: Still) -> np.ndarray:
    """Decoded, upright and RGB, strip by strip, so that no copy of a large picture is made on the way."""
    with Image.open(io.BytesIO(source.file), formats=[source.format]) as image:
        image.load()
        turn = Image.Transpose
        methods = [turn.FLIP_LEFT_RIGHT, turn.ROTATE_180, turn.FLIP_TOP_BOTTOM, turn.TRANSPOSE, turn.ROTATE_270]
        methods += [turn.TRANSVERSE, turn.ROTATE_90]  # of the orientations 2 to 8
        upright = image.transpose(methods[source.orientation - 2]) if source.orientation > 1 else image
    palette = None if source.palette is None else _over_white(Image.fromarray(source.palette[None]))[0]
    picture = np.empty((upright.height, upright.width, 3), np.uint8)
    for top in range(0, upright.height, _STRIP):
        rows = picture[top : top + _STRIP]
        rows[:] = _rgb(upright.crop((0, top, upright.width, top + len(rows))), palette, source.clear)
    return picture


def _rgb(image: Image.Image, palette: np.ndarray | None, clear: tuple[int, ...] | None) -> np.ndarray:
    """uint8 [H, W, 3], or [H, W, 1] where all three are the same."""
    if image.mode == "P":
        return palette[np.asarray(image)]
    if "A" in image.mode:
        return _over_white(image)
    deep = image.mode.startswith("I")
    samples = np.asarray(image if deep or image.mode == "L" else image.convert("L" if image.mode == "1" else "RGB"))
    samples = samples[..., None] if samples.ndim == 2 else samples
    values = (samples >> 8).astype(np.uint8) if deep else samples
    return values if clear is None else np.where((samples == clear).all(-1, keepdims=True), np.uint8(255), values)


def _over_white(image: Image.Image) -> np.ndarray:
    """round((value * alpha + 255 * (255 - alpha)) / 255): uint8 [H, W, 3]."""
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return np.asarray(paper)


# ------------------------------------------------------------------------------------------------ what a network sees


def crop(picture: np.ndarray, box: Sequence[float] | None = None) -> np.ndarray:
    """A square of a picture: uint8 [H, W, 3] -> uint8 [S, S, 3], a copy.

    box: (x, y, side) in pixels of the picture, x and y of the upper left corner, rounded to whole pixels. It may reach
    beyond the picture, whose edge is then repeated. None is the largest square around the middle, of any picture: one
    of 1 x 1 gives itself, one of 20:1 a twentieth of it. S is the side; above 4096 pixels the picture is first made
    smaller by a whole number, so that S is 4096 at most.
    Raises VidganError for a box that is not three finite numbers, or whose side is less than one pixel or more than
    four times the longer side of the picture.
    """
    picture = _check(picture)
    height, width = picture.shape[:2]
    if box is None:
        side = min(height, width)
        box = ((width - side) // 2, (height - side) // 2, side)
    try:
        x, y, side = (float(value) for value in box)
    except (TypeError, ValueError) as error:
        raise VidganError(f"A box is three numbers, x, y and side in pixels; this one is {box!r}.") from error
    if not all(map(math.isfinite, (x, y, side))):
        raise VidganError(f"A box is three finite numbers, x, y and side in pixels; this one is {box!r}.")
    largest = 4 * max(height, width)
    if not 1 <= side <= largest:
        raise VidganError(f"The side of the box is {side:g} pixels; for this picture it can be 1 to {largest}.")
    shrink = math.ceil(side / MAX_SIDE)
    if shrink > 1:
        picture = np.asarray(Image.fromarray(picture).reduce(shrink))
        x, y, side = x / shrink, y / shrink, side / shrink
    side = math.floor(side + 0.5)
    height, width = picture.shape[:2]
    top, left = (math.floor(min(max(corner, -side), length) + 0.5) for corner, length in ((y, height), (x, width)))
    if 0 <= top <= height - side and 0 <= left <= width - side:  # inside: no need to look for each pixel
        return picture[top : top + side, left : left + side].copy()
    rows, columns = (
        np.clip(np.arange(side) + corner, 0, length - 1) for corner, length in ((top, height), (left, width))
    )
    return picture[rows][:, columns]


def fit(picture: np.ndarray, size: int) -> np.ndarray:
    """A square picture, uint8 [S, S, 3], as a network sees it: uint8 [size, size, 3].

    To make it smaller each pixel is the mean of the area that it covers; to make it larger, bilinear (pixel centres,
    edges repeated). All in whole numbers, rounded once: the same on every machine, and of the same size the same.
    Raises VidganError for a picture that is not square, and for a size outside 16..256.
    """
    picture = _square(picture)
    if not SIDES[0] <= size <= SIDES[1]:
        raise VidganError(f"The size is {size}; a network sees pictures of {SIDES[0]} to {SIDES[1]} pixels.")
    if len(picture) == size:
        return picture.copy()
    once, total = _resample(picture, size)
    twice, _ = _resample(once.swapaxes(0, 1), size)
    sums, total = twice.swapaxes(0, 1).astype(np.int64), total**2
    return np.ascontiguousarray((2 * sums + total) // (2 * total), np.uint8)


def _resample(values: np.ndarray, size: int) -> tuple[np.ndarray, int]:
    """[n, ...] -> ([size, ...], total): weighted sums over the first axis whose weights are integers of sum `total`.

    float64 holds them exactly, in whatever order they are added.
    """
    count = len(values)
    result = np.empty((size, *values.shape[1:]))
    for index in range(size):
        if count >= size:  # an input pixel is `size` units long, an output pixel `count` units
            first, last = index * count, (index + 1) * count
            low, high = first // size, -(-last // size)
            edges = np.clip(np.arange(low, high + 1) * size, first, last)
            weights, rows = np.diff(edges), values[low:high]
        else:  # in units of half an output pixel
            low, rest = divmod((2 * index + 1) * count - size, 2 * size)
            weights, rows = np.array([2 * size - rest, rest]), values[np.clip([low, low + 1], 0, count - 1)]
        result[index] = np.tensordot(weights.astype(np.float64), rows.astype(np.float64), 1)
    return result, count if count >= size else 2 * size


def to_image(picture: np.ndarray) -> Tensor:
    """A square picture, uint8 [S, S, 3] -> float32 [1, 3, S, S] in [-1, 1], as `video.to_clip` does it for frames.

    Raises VidganError for a picture of another shape or dtype.
    """
    return to_clip(_square(picture)[None]).movedim(1, 0).contiguous()


def from_image(image: Tensor) -> np.ndarray:
    """float [1, 3, S, S] in [-1, 1] -> picture, uint8 [S, S, 3]: the inverse of `to_image`, exactly.

    Rounded and clamped as `video.to_uint8` does it. Raises VidganError for another shape and for NaN.
    """
    if image.ndim != 4 or image.shape[:2] != (1, 3) or image.shape[2] != image.shape[3]:
        raise VidganError(f"An image is [1, 3, size, size]; this one is {tuple(image.shape)}.")
    return to_uint8(image.movedim(0, 1))[0]


# ------------------------------------------------------------------------------------------------ links


def pack(picture: np.ndarray) -> str:
    """A square picture of 16 to 256 pixels as text for a link: base64url, without padding, of a lossless WebP.

    Raises VidganError for another shape, size or dtype.
    """
    picture = _square(picture)
    if not SIDES[0] <= len(picture) <= SIDES[1]:
        raise VidganError(f"The picture has {len(picture)} pixels a side; a link holds {SIDES[0]} to {SIDES[1]}.")
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "webp", lossless=True, quality=90, method=6, exact=True)
    return base64.urlsafe_b64encode(out.getvalue()).decode("ascii").rstrip("=")


def unpack(text: str) -> np.ndarray:
    """The picture that `pack` made `text` of, to the bit: uint8 [S, S, 3].

    Raises VidganError for anything that is not base64url of a whole WebP, for a picture that is not a square of 16 to
    256 pixels (before it is decoded), and for a longer text than any such picture needs.
    """
    if len(text) > MAX_TEXT:
        raise VidganError(f"The picture in the link has {len(text)} characters; it can have {MAX_TEXT} at most.")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", text) or len(text) % 4 == 1:
        raise VidganError("The picture in the link is not what we write there; the link may be cut short.")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if not data.startswith(b"RIFF"):
        raise VidganError("The picture in the link is no WebP, which is what we write there.")
    picture = _square(_read(data, "The picture in the link", SIDES[1]))
    if len(picture) < SIDES[0]:
        raise VidganError(f"The picture in the link has {len(picture)} pixels a side; the smallest has {SIDES[0]}.")
    return picture


def _check(picture: np.ndarray) -> np.ndarray:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[-1] != 3 or 0 in picture.shape:
        raise VidganError(f"A picture is uint8 [height, width, 3]; this one is {picture.dtype} {picture.shape}.")
    return picture


def _square(picture: np.ndarray) -> np.ndarray:
    picture = _check(picture)
    if picture.shape[0] != picture.shape[1]:
        raise VidganError(f"The picture has {picture.shape[1]} x {picture.shape[0]} pixels; crop it to a square.")
    return picture
