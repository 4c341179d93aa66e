"""What is in a PNG, a JPEG or a WebP: the bytes of a stranger's file -> a new file with the parts that make pixels.

Nothing is decoded here. The format is told by content, the size by the header; text, profiles, thumbnails, further
frames and whatever hides behind the end stay outside, so that Pillow never parses them.
"""

import re
import struct
import zlib
from dataclasses import dataclass

import numpy as np

from .errors import VidganError

_MAX_PARTS = 100_000  #: chunks or segments of a file that we look at
_MAX_SCANS = 30  #: passes over a progressive JPEG; writers make about ten, and each costs time
_MAX_TABLES = 2**18  #: bytes of a JPEG that are neither pixels nor left out
_MAX_EXIF = 2**16

_KINDS = {rb"\x89PNG\r\n\x1a\n": "PNG", rb"\xff\xd8\xff": "JPEG", rb"RIFF....WEBP": "WebP"}
#: what a file may be instead of a picture that we read: a pattern of its first bytes -> how we call it
_OTHERS = {
    rb"GIF8": "a GIF",
    rb"BM": "a BMP",
    rb"II\*\0|MM\0\*": "a TIFF",
    rb"....ftyp(hei|hev|mif|msf|avi)": "a HEIC or AVIF picture",
    rb"....ftyp|\x1aE\xdf\xa3|RIFF....AVI ": "a video",
    rb"%PDF": "a PDF",
    rb"PK\x03\x04": "a ZIP archive",
    rb"\x7fELF|MZ|\xca\xfe\xba\xbe|\xcf\xfa\xed\xfe|#!": "a program",
    rb"(\xef\xbb\xbf)?\s*(?i:<\?xml|<!--|<!doctype svg|<svg)": "an SVG or XML text",
    rb"(\xef\xbb\xbf)?\s*(?i:<!doctype html|<html|<head|<body|<script)": "a web page",
}


@dataclass(frozen=True)
class Still:
    """A file that holds one picture and nothing else, with what Pillow shall not decide.

    palette: red, green, blue and alpha, uint8 [256, 4]; clear: the samples of the one colour that is transparent.
    """

    format: str
    file: bytes
    orientation: int = 1
    palette: np.ndarray | None = None
    clear: tuple[int, ...] | None = None


@dataclass(frozen=True)
class _Size:
    """Called with the size that a header tells; raises VidganError where it is more than we read."""

    name: str
    limit: int

    def __call__(self, width: int, height: int) -> tuple[int, int]:
        if not width or not height:
            raise ValueError("no pixels")
        if max(width, height) > self.limit:
            raise VidganError(
                f"{self.name} has {width} x {height} pixels; it can have {self.limit} x {self.limit} at most."
            )
        return width, height


def sniff(data: bytes, name: str) -> str:
    """What the first bytes say: PNG, JPEG or WebP. Raises VidganError for anything else, naming what it seems to be."""
    for magic, found in _KINDS.items():
        if re.match(magic, data, re.DOTALL):
            return found
    seems = (what for magic, what in _OTHERS.items() if re.match(magic, data[:4096], re.DOTALL))
    other = next(seems, "of a kind that we do not know")
    raise VidganError(f"{name} is {other}; it should be a PNG, JPEG or WebP.")


def still(data: bytes, name: str, limit: int) -> Still:
    """The one picture of a file, or the first, of at most limit x limit pixels; `name` begins the sentence of an error.

    Raises VidganError for a picture that is larger, and for what we do not read; where the file is cut short or damaged
    ValueError, KeyError, AttributeError, IndexError or struct.error.
    """
    return {"PNG": _png, "JPEG": _jpeg, "WebP": _webp}[sniff(data, name)](data, _Size(name, limit))


def _png(data: bytes, size: _Size) -> Still:
    """PNG specification, third edition: header, palette, transparency, the data of the picture; checksums must fit."""
    depths = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
    view, position, pixels, found = memoryview(data), 8, [], {}
    for _ in range(_MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, position)
        body, end = view[position + 8 : position + 8 + length], position + 12 + length
        (checksum,) = struct.unpack_from(">I", data, end - 4)
        if kind in (b"IHDR", b"PLTE", b"tRNS", b"IDAT") and zlib.crc32(view[position + 4 : end - 4]) != checksum:
            raise ValueError("wrong checksum")
        if position == 8:
            width, height, depth, colour = struct.unpack(">IIBB3x", body)
            if kind != b"IHDR" or depth not in depths[colour]:
                raise ValueError("wrong header")
            size(width, height)
        if kind == b"IDAT":
            pixels.append(body)
        elif kind in (b"IHDR", b"PLTE", b"tRNS", b"eXIf"):
            if kind in found:
                raise ValueError("said twice")
            found[kind] = bytes(body[:_MAX_EXIF])
        elif kind == b"IEND":
            break
        position = end
    else:
        raise ValueError("too many chunks")
    palette, clear = None, None
    if colour == 3:
        colours = np.frombuffer(found[b"PLTE"], np.uint8).reshape(-1, 3)[:256]
        alphas = np.frombuffer(found.get(b"tRNS", b""), np.uint8)[:256]
        palette = np.zeros((256, 4), np.uint8)
        palette[:, 3] = 255
        palette[: len(colours), :3] = colours
        palette[: len(alphas), 3] = alphas
    elif colour in (0, 2) and b"tRNS" in found:
        clear = struct.unpack(">H" if colour == 0 else ">HHH", found[b"tRNS"])
        if colour == 2 and depth == 16:
            raise VidganError(
                f"{size.name} has 16 bits a channel and one transparent colour; save it with 8 bits and try again."
            )
        scale = 255 // (2**depth - 1) if depth < 8 else 1
        clear = tuple(value * scale for value in clear)
    parts = [(b"IHDR", found[b"IHDR"]), (b"PLTE", found.get(b"PLTE", b"")), (b"IDAT", b"".join(pixels)), (b"IEND", b"")]
    file = [data[:8]]
    for kind, body in parts:
        if kind != b"PLTE" or colour == 3:
            file += [struct.pack(">I", len(body)), kind, body, struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))]
    return Still("PNG", b"".join(file), _orientation(found.get(b"eXIf", b"")), palette, clear)


#: where the next JPEG segment begins: no stuffed or fill byte, and no marker that may stand inside of a scan
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")


def _jpeg(data: bytes, size: _Size) -> Still:
    """ITU-T T.81, annex B: frame, tables and scans of the first picture, and the two segments that tell its colours."""
    file, position, frames, scans, tables, exif = [data[:2]], 2, 0, 0, 0, b""
    for _ in range(_MAX_PARTS):
        marker = _MARKER.search(data, position).start()
        code = data[marker + 1]
        if code == 0xD9:  # end of image
            break
        (length,) = struct.unpack_from(">H", data, marker + 2)
        position = marker + 2 + length
        if length < 2 or position > len(data):
            raise ValueError("cut short")
        segment = data[marker:position]
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            precision, height, width = struct.unpack_from(">BHH", segment, 4)
            size(width, height)
            frames += 1
            if code > 0xC2 or precision != 8:
                raise VidganError(
                    f"{size.name} is a rare kind of JPEG (lossless, arithmetic or 12 bits); save it as an ordinary one."
                )
        elif code == 0xE1 and segment[4:10] == b"Exif\0\0":
            exif = exif or segment[4:]
        if code == 0xDA:  # a scan goes on until the next marker
            position = _MARKER.search(data, position).start()
            file.append(data[marker:position])
            scans += 1
        elif code in (0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD) or segment[4:9] in (b"JFIF\0", b"Adobe"):
            file.append(segment)
            tables += len(segment)
        if frames > 1 or scans > _MAX_SCANS or tables > _MAX_TABLES:
            raise ValueError("more frames, scans or tables than a picture needs")
    else:
        raise ValueError("too many segments")
    return Still("JPEG", b"".join([*file, b"\xff\xd9"]), _orientation(exif))


def _webp(data: bytes, size: _Size) -> Still:
    """RFC 9649, section 2: canvas and bitstream of a still picture, or of the first frame of an animated one."""
    (end,) = struct.unpack_from("<I", data, 4)
    if 8 + end > len(data):
        raise ValueError("cut short")
    position, end, canvas, animated, parts, done, exif = 12, 8 + end, None, False, [], False, b""
    for _ in range(_MAX_PARTS):  # of an animation with more frames than that, the EXIF at its end stays unread
        if position + 8 > end:
            break
        kind, length = struct.unpack_from("<4sI", data, position)
        start, position = position + 8, position + 8 + length + length % 2
        if start + length > end:
            raise ValueError("cut short")
        if kind == b"EXIF":
            exif = exif or data[start : start + min(length, _MAX_EXIF)]
        if done:
            continue
        body = data[start : start + length]
        if kind == b"VP8X" and not parts:
            canvas = size(*(1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7)))
            animated = bool(body[0] & 0x02)
            body = bytes([body[0] & 0x12]) + body[1:]  # alpha and animation; the rest stays behind
        elif kind in (b"VP8 ", b"VP8L") and not animated:
            if kind == b"VP8L":
                bits = int.from_bytes(body[1:5], "little")
                inner = size(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
            else:
                inner = size(*(side & 0x3FFF for side in struct.unpack_from("<HH", body, 6)))
            if canvas not in (None, inner):
                raise ValueError("two sizes")
            done = True
        elif kind == b"ANMF" and animated:
            done = True
        elif kind not in (b"ALPH", b"ANIM"):
            continue
        parts += [kind, struct.pack("<I", length), body, b"\0" * (length % 2)]
    if not done:
        raise ValueError("no picture inside")
    body = b"".join([b"WEBP", *parts])
    return Still("WEBP", b"RIFF" + struct.pack("<I", len(body)) + body, _orientation(exif))


def _orientation(exif: bytes) -> int:
    """1 to 8, how a picture lies (Exif 2.32, tag 0x0112); 1, upright, where nothing or nonsense is said."""
    tiff = exif.removeprefix(b"Exif\0\0")
    try:
        order = {b"II*\0": "<", b"MM\0*": ">"}[tiff[:4]]
        (start,) = struct.unpack_from(order + "I", tiff, 4)
        (count,) = struct.unpack_from(order + "H", tiff, start)
        for index in range(count):
            tag, kind, number, value = struct.unpack_from(order + "HHIH2x", tiff, start + 2 + 12 * index)
            if tag == 0x0112:
                return value if (kind, number) == (3, 1) and 1 <= value <= 8 else 1
    except (KeyError, struct.error):
        pass
    return 1
