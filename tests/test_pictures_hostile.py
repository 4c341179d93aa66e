"""Every hostile or damaged file is refused in one sentence, soon and in little memory, or does no harm."""

import os
import struct
import tempfile
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageFile

from tests.picture_files import (
    PNG,
    chunk,
    exif,
    memory,
    noise,
    parts_of,
    png,
    refused,
    riff,
    saved,
    scene,
    sentence,
    vp8x,
)
from vidgan import pictures
from vidgan.errors import VidganError


def test_the_measure_of_memory_measures():
    with pytest.raises(AssertionError), memory(30):
        assert len(bytearray(os.urandom(1)) * (60 * 2**20))


def test_what_is_no_picture_of_ours_is_refused_by_content():
    svg = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    refused(svg, "SVG")
    refused(b"\xef\xbb\xbf \n<SVG/>", "SVG")
    refused(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "PDF")
    refused(b"<!DOCTYPE html><html><body><img src=x onerror=alert(1)></body></html>", "web page")
    refused(b"\x7fELF\2\1\1" + bytes(60), "program")
    refused(b"MZ\x90\0" + bytes(200), "program")
    refused(b"#!/bin/sh\nrm -rf /tmp/nothing\n", "program")
    refused(b"PK\3\4" + bytes(40), "ZIP")
    refused(b"\0\0\0\x18ftypheic" + bytes(40), "HEIC")
    refused(b"\0\0\0\x18ftypisom" + bytes(40), "video")
    refused(b"", "empty")
    refused(b"hello\n", "do not know")
    refused(bytes(1000), "do not know")
    for format, word in (
        ("gif", "GIF"),
        ("bmp", "BMP"),
        ("tiff", "TIFF"),
        ("ppm", "do not know"),
        ("ico", "do not know"),
    ):
        refused(saved(scene(), format), word)
    for start in (
        PNG,
        b"\xff\xd8\xff",
        b"RIFF....WEBP",
        b"RIFF\x40\0\0\0WEBPVP8 ",
    ):  # dressed up by the first bytes alone
        for rest in (b"", svg, b"%PDF", b"<html>" * 100, bytes(5000), b"\xff" * 5000):
            refused(start + rest, "damaged")


def test_large_files_and_large_pictures_are_refused():
    whole = saved(scene(), "png")
    at_limit = whole + bytes(pictures.MAX_BYTES - len(whole))
    assert np.array_equal(pictures.read(at_limit), scene())
    refused(at_limit + b"\0", "20 MB")
    with memory(24):
        refused(png(60000, 60000, 8, 2), "60000 x 60000", "4096 x 4096")
        refused(png(4097, 1, 8, 2, bytes(4097 * 3)), "4097 x 1")
        refused(png(1, 4097, 1, 0, bytes(4097)), "1 x 4097")
        refused(png(2**31 - 1, 2**31 - 1, 16, 6))
        refused(png(0, 5, 8, 2), "damaged")
        jpeg = saved(scene(), "jpeg")
        frame = jpeg.index(b"\xff\xc0") + 5
        refused(jpeg[:frame] + struct.pack(">HH", 65535, 65535) + jpeg[frame + 4 :], "65535 x 65535")
        refused(jpeg[:frame] + struct.pack(">HH", 0, 40) + jpeg[frame + 4 :], "damaged")
        webp = parts_of(saved(scene(), "webp", lossless=True))[0][1]
        huge = webp[:1] + struct.pack("<I", 0x0FFFFFFF) + webp[5:]
        refused(riff((b"VP8L", huge)), "16384 x 16384")
        refused(riff(vp8x(2**24, 2**24), (b"VP8L", webp)), "16777216 x 16777216")
        refused(riff(vp8x(40, 24), (b"VP8L", huge)), "16384 x 16384")
        refused(riff(vp8x(41, 24), (b"VP8L", webp)), "damaged")
        lossy = parts_of(saved(scene(), "webp"))[0][1]
        refused(riff((b"VP8 ", lossy[:6] + b"\xff\x3f\xff\x3f" + lossy[10:])), "16383 x 16383")
    assert pictures.read(saved(Image.new("1", (4096, 4096)), "png")).shape == (4096, 4096, 3)


def test_a_bomb_of_pixels_is_not_unpacked():
    deflate = zlib.compressobj(9, wbits=-15)
    block = deflate.compress(bytes(2**24)) + deflate.flush(zlib.Z_FULL_FLUSH)
    gigabyte = b"\x78\xda" + block * 64 + b"\3\0" + bytes(4)
    assert len(gigabyte) < 2 * 2**20
    assert len(zlib.decompressobj().decompress(b"\x78\xda" + block * 2)) == 2**25
    began = time.thread_time()
    with memory(30):
        read = pictures.read(png(64, 64, 8, 2, pixels=gigabyte))  # more data than the picture has room for
    assert (read == 0).all() and time.thread_time() - began < 1
    with memory(150):
        refused(png(4096, 4096, 8, 2, pixels=zlib.compress(bytes(999))), "cut short")  # and less


def test_the_largest_pictures_take_bounded_time_and_memory():
    picture = Image.new("RGBA", (4096, 4096), (200, 100, 50, 128))
    for format, options in (("webp", {"lossless": True, "quality": 0, "method": 0}), ("png", {"compress_level": 1})):
        data = saved(picture, format, **options)
        began = time.thread_time()
        with memory(420):  # 64 MB of RGBA, three times inside the WebP decoder, 48 MB of RGB, 20 MB of file
            read = pictures.read(data)
        assert time.thread_time() - began < 1.5
        assert read.shape == (4096, 4096, 3) and read[::500, ::500].reshape(-1, 3).tolist() == [[227, 177, 152]] * 81


def test_an_animation_of_thousands_of_large_frames_is_not_decoded_whole():
    frames = [Image.new("RGB", (1024, 1024), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "webp", save_all=True, append_images=frames[1:], lossless=True, quality=0, method=0)
    head, anim, first, second = parts_of(data)
    long = riff(head, anim, first, *[second] * 20_000)
    began = time.thread_time()
    with memory(60):
        read = pictures.read(long)
    assert (read == (255, 0, 0)).all() and time.thread_time() - began < 1


def test_many_parts_cost_no_time():
    refused(PNG + chunk(b"tEXt", b"") * 1_600_000, "damaged")
    whole = saved(scene(), "png")
    refused(whole[:33] + chunk(b"IDAT", b"") * 1_600_000 + whole[33:], "damaged")
    jpeg = saved(scene(), "jpeg")
    refused(jpeg[:2] + b"\xff\xfe\0\2" * 5_000_000 + jpeg[2:], "damaged")
    refused(jpeg[:2] + b"\xff" * 20_000_000, "damaged")
    refused(jpeg[:20] + b"\0" * 20_000_000, "damaged")
    refused(jpeg[:-2] + b"\xff\0" * 10_000_000, "damaged")
    refused(jpeg[:-2] + b"\xff\xd0" * 10_000_000, "damaged")
    tables = jpeg[jpeg.index(b"\xff\xdb") :][:69]
    refused(jpeg[:2] + tables * 30_000 + jpeg[2:], "damaged")
    began = time.thread_time()
    webp = riff(*[(b"JUNK", b"")] * 2_000_000, *parts_of(saved(scene(), "webp")))
    refused(webp, "damaged")
    refused(riff((b"ALPH", b"")) + b"ALPH\0\0\0\0" * 1000, "damaged")
    assert time.thread_time() - began < 2


def test_a_progressive_jpeg_with_endless_scans_is_refused():
    data = saved(noise(512, 512) // 8, "jpeg", progressive=True, quality=90)
    scan = data[data.rindex(b"\xff\xda") : -2]
    assert pictures.read(data).shape == (512, 512, 3)
    refused(data[:-2] + scan * (pictures.MAX_BYTES // len(scan) // 2) + b"\xff\xd9", "damaged")


def test_rare_jpegs_are_refused_by_name():
    data = saved(scene(), "jpeg")
    frame = data.index(b"\xff\xc0")
    for code in (0xC3, 0xC9, 0xCA):  # lossless, arithmetic, arithmetic and progressive
        refused(data[:frame] + bytes([0xFF, code]) + data[frame + 2 :], "rare kind")
    refused(data[: frame + 4] + b"\x0c" + data[frame + 5 :], "rare kind")  # 12 bits
    length = struct.unpack_from(">H", data, frame + 2)[0]
    refused(data[:frame] + data[frame : frame + 2 + length] * 2 + data[frame + 2 + length :], "damaged")


@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive jpeg", "webp", "lossless webp", "animated webp", "apng"])
def test_truncated_files_are_refused_wherever_they_end(kind):
    picture = noise(40, 50) // 3
    if kind in ("apng", "animated webp"):
        options = {"save_all": True, "append_images": [Image.fromarray(255 - picture)], "duration": 9}
        data = saved(picture, "png" if kind == "apng" else "webp", **options)
    else:
        options = {"progressive": True} if kind[:4] == "prog" else {"lossless": True} if kind[:4] == "loss" else {}
        data = saved(picture, kind.split()[-1], **options)
    assert pictures.read(data).shape == (40, 50, 3)
    ends = {*range(1, 60), *(len(data) * share // 23 for share in range(1, 23)), *range(len(data) - 20, len(data))}
    for end in sorted(ends):
        refused(data[:end])


def test_a_flipped_bit_of_a_png_is_noticed():
    data = bytearray(saved(scene(), "png"))
    for at in range(40, len(data) - 16, 7):
        data[at] ^= 4
        refused(bytes(data), "damaged")
        data[at] ^= 4
    assert np.array_equal(pictures.read(bytes(data)), scene())


def resealed(data: bytes) -> bytes:
    """A PNG whose checksums are right again, as far as its chunks can be followed."""
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        out.append(chunk(kind, data[at + 8 : at + 8 + min(length, len(data))]))
        at += 12 + length
    return b"".join(out)


def test_fuzzed_files_are_read_or_refused_in_one_sentence():
    rng = np.random.default_rng(7)
    picture = scene(20, 20)
    rgba = np.concatenate([picture, picture[..., :1]], -1)
    moving = {"save_all": True, "append_images": [Image.fromarray(255 - rgba)], "duration": 9}
    seeds = [
        saved(picture, "png"),
        saved(Image.fromarray(picture).quantize(9), "png"),
        saved(rgba, "png", **moving),
        saved(picture, "jpeg", exif=b"Exif\0\0" + exif(3)),
        saved(picture, "jpeg", progressive=True),
        saved(Image.fromarray(picture).convert("CMYK"), "jpeg"),
        saved(rgba, "webp", exif=exif(3)),
        saved(picture, "webp", lossless=True),
        saved(rgba, "webp", **moving),
    ]
    outcomes = []
    for seed in seeds:
        for _ in range(120):
            data = bytearray(seed)
            for _ in range(rng.integers(1, 6)):
                at = int(rng.integers(8, len(data)))
                how = rng.integers(4)
                if how == 0:
                    data[at] = rng.integers(256)
                elif how == 1:
                    data[at : at + 4] = rng.choice(
                        [b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\x10\0"]
                    )
                elif how == 2:
                    del data[at : at + int(rng.integers(1, 30))]
                else:
                    data[at:at] = data[int(rng.integers(len(data))) :][: int(rng.integers(1, 30))]
                if len(data) < 20:
                    break
            try:
                read = pictures.read(resealed(bytes(data)) if data[:4] == PNG[:4] else bytes(data))
                assert read.dtype == np.uint8 and read.ndim == 3 and read.shape[2] == 3
                outcomes.append(True)
            except VidganError as error:
                sentence(error)
                outcomes.append(False)
    assert 50 < sum(outcomes) < len(outcomes) - 50  # both ways were walked


def test_errors_of_the_decoder_become_ours(monkeypatch):
    data = saved(scene(), "png")
    for error in (
        MemoryError(),
        RecursionError("x"),
        struct.error("y"),
        SyntaxError("z"),
        Image.DecompressionBombError(),
    ):

        def fails(*_, error=error):
            raise error

        with monkeypatch.context() as patch:
            patch.setattr(ImageFile.ImageFile, "load", fails)
            refused(data, "damaged")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    refused(data, "damaged")


def test_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = (sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []), Image.MAX_IMAGE_PIXELS
    for format in ("png", "jpeg", "webp"):
        data = saved(scene(), format)
        pictures.read(data)
        refused(data[: len(data) // 2])
    after = (sorted(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else []), Image.MAX_IMAGE_PIXELS
    assert before == after and not list(tmp_path.iterdir()) and not ImageFile.LOAD_TRUNCATED_IMAGES
