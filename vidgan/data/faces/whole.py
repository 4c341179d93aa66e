"""Whether a video file is all there, by the lengths that its container states."""

import os
from pathlib import Path
from typing import BinaryIO

EBML, SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"  #: what Matroska and WebM begin with, and what follows
BOXES = b"ftyp styp moov moof mdat mfra sidx free skip wide uuid meta udta pnot".split()  #: the outer ones of mp4, mov
MOST = 100_000  #: boxes and chunks that are looked at; a day of fragments has fewer


def lacking(path: str | Path) -> float | None:
    """The share of a file that is missing at its end, 0 to 1; None where its container does not say how long it is, as
    that of a stream, or of a recording that was never closed. mp4, mov, mkv, webm and avi do."""
    try:
        with open(path, "rb") as file:
            length, end = file.seek(0, os.SEEK_END), _end(file)
    except OSError:
        return None
    return None if end is None else max(0, end - length) / max(1, end)


def _end(file: BinaryIO) -> int | None:
    """Where a file should end."""
    head = _read(file, 0, 16)
    if head.startswith(EBML):
        return _matroska(file, head)
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return _avi(file)
    return _boxes(file)


def _boxes(file: BinaryIO) -> int | None:
    """Where the last box of an mp4 ends."""
    place = 0
    for _ in range(MOST):
        head = _read(file, place, 16)
        if len(head) < 8:
            return place + 8 if head else place
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:], "big") if size == 1 else size
        if head[4:8] not in BOXES or size < 8:  # 0 is "to the end, wherever that is"
            return None
        place += size
    return None


def _avi(file: BinaryIO) -> int | None:
    """Where the last RIFF chunk ends: a long file has several."""
    place = 0
    for _ in range(MOST):
        head = _read(file, place, 8)
        if not head.startswith(b"RIFF"):
            return place
        size = int.from_bytes(head[4:], "little")
        if size in (0, 0xFFFFFFFF):
            return None
        place += 8 + size
    return None


def _matroska(file: BinaryIO, head: bytes) -> int | None:
    """Where the segment ends, which is all that follows the header."""
    size, width = _number(head[4:])
    place = 4 + width + size
    head = _read(file, place, 12)
    size, width = _number(head[4:])
    if not head.startswith(SEGMENT) or size == (1 << 7 * width) - 1:  # all ones is "not known"
        return None
    return place + 4 + width + size


def _number(data: bytes) -> tuple[int, int]:
    """The number that EBML `data` begin with, and how many bytes it takes: one more for each zero before its first."""
    width = 9 - data[:1].ljust(1)[0].bit_length()
    return int.from_bytes(data[:width], "big") & ((1 << 7 * width) - 1), width


def _read(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(min(place, 2**43))  # whatever a container states, no file is that long
    return file.read(count)
