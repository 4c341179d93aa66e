"""Files of pictures, honest and made by hand, and what a refusal has to look like, for the tests of pictures."""

import ctypes
import gc
import io
import struct
import time
import zlib
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidgan import pictures
from vidgan.errors import VidganError

PNG = b"\x89PNG\r\n\x1a\n"


def scene(height=24, width=40) -> np.ndarray:
    """Colours that tell every direction apart, uint8 [H, W, 3]."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, (x * 7 + y * 13) % 256], -1).astype(np.uint8)


def noise(height, width, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def saved(picture, format, **options) -> bytes:
    out = io.BytesIO()
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    image.save(out, format, **options)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, colour, rows=b"", *chunks: bytes, interlace=0, pixels=None) -> bytes:
    """A PNG by hand: `rows` are packed samples, each row unfiltered; `chunks` come before the data."""
    stride = len(rows) // max(height, 1)
    lines = b"".join(b"\0" + rows[at : at + stride] for at in range(0, len(rows), stride)) if rows else b""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    data = zlib.compress(lines) if pixels is None else pixels
    return PNG + header + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_chunk(data: bytes, *chunks: bytes) -> bytes:
    """A PNG with further chunks behind its header."""
    return data[:33] + b"".join(chunks) + data[33:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def vp8x(width, height, flags=0) -> tuple[bytes, bytes]:
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def parts_of(webp: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], 12
    while at < len(webp):
        kind, length = struct.unpack_from("<4sI", webp, at)
        found.append((kind, webp[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def exif(orientation, order="<") -> bytes:
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    other = struct.pack(order + "HHII", 0x0100, 4, 1, 99)
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "I", 8)
    return head + struct.pack(order + "H", 2) + other + entry + struct.pack(order + "I", 0)


def sentence(error) -> str:
    """The message, if it is one sentence that a person can read."""
    text = str(error)
    assert text.endswith(".") and "\n" not in text and len(text) < 200, text
    assert not any(mark + " " in text for mark in ".!?"), text
    assert not any(word in text for word in ("Error", "Traceback", "struct", "0x", "object at")), text
    return text


def refused(data: bytes, *words: str, seconds: float = 1.0) -> str:
    """The sentence with which `data` is refused, which holds `words`, within a second of this thread's time."""
    began = time.thread_time()
    with pytest.raises(VidganError) as caught:
        pictures.read(data)
    assert time.thread_time() - began < seconds
    text = sentence(caught.value)
    assert all(word in text for word in words), text
    return text


@contextmanager
def memory(megabytes: float):
    """No more than this is held at once, beyond what is held already, of all memory of the process."""
    status = Path("/proc/self/status")
    gc.collect()  # so that nothing older is given back, or used again, while we look
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
        before = high_water(status)
    except (OSError, IndexError):
        pytest.skip("this system does not tell the peak of a process's memory")
    yield
    assert high_water(status) - before < megabytes * 1024


def high_water(status: Path) -> int:
    return int(status.read_text().split("VmHWM:")[1].split()[0])
