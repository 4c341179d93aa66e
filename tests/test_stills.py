"""Every honest kind of PNG, JPEG and WebP gives its pixels."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.picture_files import chunk, exif, memory, noise, parts_of, png, refused, riff, saved, scene, vp8x, with_chunk
from vidgan import pictures


def test_the_three_formats_give_their_pixels():
    picture = scene()
    for data in (saved(picture, "png"), saved(picture, "webp", lossless=True)):
        read = pictures.read(data)
        assert read.dtype == np.uint8 and read.flags.c_contiguous and read.flags.writeable
        assert np.array_equal(read, picture)
    smooth = np.asarray(Image.fromarray(picture[:, :, [0, 1, 1]]))
    for data in (saved(smooth, "jpeg", quality=95, subsampling=0), saved(smooth, "jpeg", quality=95, progressive=True)):
        assert np.abs(pictures.read(data).astype(int) - smooth).mean() < 3
        assert np.array_equal(pictures.read(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))
    lossy = saved(smooth, "webp", quality=90)
    assert np.abs(pictures.read(lossy).astype(int) - smooth).mean() < 4


def test_large_pictures_are_whole_across_the_strips_in_which_they_are_converted():
    picture = noise(700, 90)
    assert np.array_equal(pictures.read(saved(picture, "png", compress_level=1)), picture)
    turned = with_chunk(saved(picture, "png", compress_level=1), chunk(b"eXIf", exif(6)))
    assert np.array_equal(pictures.read(turned), np.rot90(picture, -1))


def test_grey_of_every_depth():
    for depth in (1, 2, 4, 8):
        count = 2**depth
        values = np.arange(8 * 16).reshape(16, 8) % count
        bits = np.stack([values >> bit & 1 for bit in reversed(range(depth))], -1).astype(np.uint8)
        read = pictures.read(png(8, 16, depth, 0, np.packbits(bits.reshape(16, -1), axis=1).tobytes()))
        assert np.array_equal(read, np.repeat(values[..., None] * 255 // (count - 1), 3, -1)), depth
    deep = (np.arange(12 * 7).reshape(12, 7) * 780).astype(">u2")
    assert np.array_equal(pictures.read(png(7, 12, 16, 0, deep.tobytes()))[..., 1], deep >> 8)
    grey = saved(Image.fromarray(scene()[..., 2]), "jpeg", quality=95)
    read = pictures.read(grey)
    assert read.shape == (24, 40, 3) and np.array_equal(
        read, np.repeat(np.array(Image.open(io.BytesIO(grey)))[..., None], 3, -1)
    )


def over_white(values, alpha, full=255):
    """In exact arithmetic, rounded once."""
    values, alpha = np.broadcast_arrays(np.asarray(values, int), np.asarray(alpha, int))
    return (values * alpha * 2 + 255 * (full - alpha) * 2 + full) // (2 * full)


def test_alpha_lies_over_white():
    rgb, alpha = scene(), (np.arange(24 * 40).reshape(24, 40, 1) * 3 % 256).astype(np.uint8)
    expected = over_white(rgb, alpha)
    rgba = np.concatenate([rgb, alpha], -1)
    assert np.array_equal(pictures.read(saved(rgba, "png")), expected)
    assert np.array_equal(pictures.read(saved(rgba, "webp", lossless=True, exact=True)), expected)
    la = Image.merge("LA", [Image.fromarray(rgba[..., channel]) for channel in (2, 3)])
    assert np.array_equal(pictures.read(saved(la, "png")), over_white(rgb[..., 2:], alpha).repeat(3, -1))
    lossy = pictures.read(saved(np.concatenate([rgb, alpha * 0], -1), "webp", quality=50))
    assert (lossy == 255).all()


def test_sixteen_bits_keep_the_upper_eight():
    rng = np.random.default_rng(1)
    for colour, channels in ((2, 3), (4, 2), (6, 4)):
        deep = rng.integers(0, 65536, (9, 11, channels)).astype(">u2")
        high = (deep >> 8).astype(np.uint8)
        expected = high if channels == 3 else over_white(high[..., :-1], high[..., -1:])
        read = pictures.read(png(11, 9, 16, colour, deep.tobytes()))
        assert np.array_equal(read, np.broadcast_to(expected, read.shape)), colour


def test_palettes_with_and_without_transparency():
    colours = noise(1, 5)[0]
    index = (np.arange(60).reshape(6, 10) % 5).astype(np.uint8)
    plte = chunk(b"PLTE", colours.tobytes())
    assert np.array_equal(pictures.read(png(10, 6, 8, 3, index.tobytes(), plte)), colours[index])
    for alphas in ([0, 255, 128], [255, 0], [7, 90, 200, 255, 1], [255] * 5):
        whole = np.array([*alphas, *[255] * (5 - len(alphas))])[:, None]
        read = pictures.read(png(10, 6, 8, 3, index.tobytes(), plte, chunk(b"tRNS", bytes(alphas))))
        assert np.array_equal(read, over_white(colours, whole)[index])
    packed = np.packbits((index % 2).reshape(6, 10), axis=1).tobytes()
    assert np.array_equal(pictures.read(png(10, 6, 1, 3, packed, plte)), colours[index % 2])
    beyond = pictures.read(png(10, 6, 8, 3, (index + 3).tobytes(), plte))  # an index without a colour is black
    assert np.array_equal(beyond, np.concatenate([colours, colours * 0])[index + 3])
    photo = Image.fromarray(scene()).quantize(200)
    assert np.array_equal(pictures.read(saved(photo, "png")), np.asarray(photo.convert("RGB")))
    refused(png(10, 6, 8, 3, index.tobytes()), "damaged")  # a palette picture without a palette


def test_one_transparent_colour_becomes_white():
    picture = scene()
    key = picture[3, 5]
    expected = np.where((picture == key).all(-1, keepdims=True), 255, picture)
    assert (expected[3, 5] == 255).all() and not np.array_equal(expected, picture)
    trns = chunk(b"tRNS", struct.pack(">HHH", *map(int, key)))
    assert np.array_equal(pictures.read(with_chunk(saved(picture, "png"), trns)), expected)
    nibbles = np.arange(32, dtype=np.uint8).reshape(4, 8) % 16
    packed = (nibbles[:, ::2] << 4 | nibbles[:, 1::2]).tobytes()
    read = pictures.read(png(8, 4, 4, 0, packed, chunk(b"tRNS", struct.pack(">H", 6))))
    assert np.array_equal(read[..., 0], np.where(nibbles == 6, 255, nibbles * 17))
    deep = np.array([[0, 256, 257, 65535]], ">u2")
    read = pictures.read(png(4, 1, 16, 0, deep.tobytes(), chunk(b"tRNS", struct.pack(">H", 257))))
    assert read[0, :, 0].tolist() == [0, 1, 255, 255]  # 256 has the same upper bits, and stays
    bits = pictures.read(png(8, 1, 1, 0, b"\x0f", chunk(b"tRNS", b"\0\0")))
    assert (bits == 255).all()
    refused(png(1, 1, 16, 2, bytes(6), chunk(b"tRNS", bytes(6))), "16 bits")


def test_interlaced_png():
    small = png(1, 1, 8, 2, bytes([9, 8, 7]), interlace=1)
    assert pictures.read(small).tolist() == [[[9, 8, 7]]]
    # Adam7 of 2 x 2: the first pixel alone, then (from pass 6) its right neighbour, then the second row
    passes = [b"\0" + bytes([1, 2, 3]), b"\0" + bytes([4, 5, 6]), b"\0" + bytes([7, 8, 9, 10, 11, 12])]
    data = png(2, 2, 8, 2, interlace=1, pixels=zlib.compress(b"".join(passes)))
    assert pictures.read(data).ravel().tolist() == list(range(1, 13))


def flat_cmyk(c, m, y, k) -> bytes:
    return saved(Image.new("CMYK", (16, 16), (c, m, y, k)), "jpeg", quality=100)


def test_cmyk_and_ycck_jpeg_as_adobe_writes_them():
    ink, black = np.array([200, 30, 60]), 40
    expected = (255 - ink) * (255 - black) / 255
    cmyk = flat_cmyk(*ink, black)
    assert b"Adobe" in cmyk
    assert np.abs(pictures.read(cmyk) - expected).max() <= 3
    red, green, blue = ink / 1.0  # the same ink as YCCK: the three inks turned to luma and chroma like light
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = [128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402]
    data = flat_cmyk(*(255 - round(value) for value in (luma, *chroma)), black)
    transform = data.index(b"Adobe") + 11
    assert data[transform] == 0
    ycck = data[:transform] + b"\2" + data[transform + 1 :]
    assert np.abs(pictures.read(ycck) - expected).max() <= 4


def test_animations_give_their_first_picture():
    frames = [Image.fromarray(np.roll(scene(), 9 * t, axis=1)) for t in range(4)]
    for format, options in (("png", {}), ("webp", {"lossless": True})):
        data = saved(frames[0], format, save_all=True, append_images=frames[1:], duration=50, **options)
        assert Image.open(io.BytesIO(data)).n_frames == 4
        assert np.array_equal(pictures.read(data), scene())
    data = saved(frames[2], "png", save_all=True, append_images=frames[:2], duration=50, default_image=True)
    assert np.array_equal(pictures.read(data), np.asarray(frames[2]))
    # a first frame that covers a part of the canvas: white around it
    small = dict(parts_of(saved(scene(8, 10), "webp", lossless=True)))[b"VP8L"]
    place = bytes([3, 0, 0, 2, 0, 0, 9, 0, 0, 7, 0, 0, 50, 0, 0, 0])  # at x = 6, y = 4; 10 x 8; 50 ms
    frame = place + b"VP8L" + struct.pack("<I", len(small)) + small + b"\0" * (len(small) % 2)
    read = pictures.read(riff(vp8x(40, 24, 0x12), (b"ANIM", bytes(6)), (b"ANMF", frame), (b"ANMF", frame)))
    expected = np.full((24, 40, 3), 255)
    expected[4:12, 6:16] = scene(8, 10)
    assert np.array_equal(read, expected)


#: where the first row and the first column of what is stored lie when the picture is upright (Exif 2.32, table 4)
LIES = [
    "",
    "top left",
    "top right",
    "bottom right",
    "bottom left",
    "left top",
    "right top",
    "right bottom",
    "left bottom",
]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_set_upright(orientation):
    stored = scene(16, 32)
    stored[:8, :8], stored[:8, -8:], stored[-8:, :8] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    row, column = LIES[orientation].split()
    end = {"top": 0, "left": 0, "bottom": -1, "right": -1}
    along = orientation < 5  # the first row stays horizontal
    y, x = (end[row], end[column]) if along else (end[column], end[row])
    corners = {
        "red": (y, x),
        "green": (y, -1 - x) if along else (-1 - y, x),
        "blue": (-1 - y, x) if along else (y, -1 - x),
    }
    image, note = Image.fromarray(stored), exif(orientation, "<>"[orientation % 2])
    files = {
        "png": with_chunk(saved(image, "png"), chunk(b"eXIf", note)),
        "webp": saved(image, "webp", lossless=True, exif=note),
        "webp of other writers": saved(image, "webp", lossless=True, exif=b"Exif\0\0" + note),
        "jpeg": saved(image, "jpeg", quality=100, subsampling=0, exif=b"Exif\0\0" + note),
    }
    for kind, data in files.items():
        read = pictures.read(data).astype(int)
        assert read.shape == ((16, 32, 3) if along else (32, 16, 3)), kind
        for (top, left), colour in zip(corners.values(), ((255, 0, 0), (0, 255, 0), (0, 0, 255))):
            assert np.abs(read[top, left] - colour).max() < 8, kind
        with Image.open(io.BytesIO(data)) as opened:
            upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
        assert np.array_equal(read, upright), kind


def test_corrupt_exif_is_ignored():
    good = exif(6)
    wrong_type = good.replace(struct.pack("<HHI", 0x0112, 3, 1), struct.pack("<HHI", 0x0112, 2, 1))
    assert wrong_type != good
    far = good[:4] + struct.pack("<I", 2**32 - 1) + good[8:]
    many = good[:8] + b"\xff\xff" + good[10:22] + b"\0" * 12
    notes = [b"", b"I", b"junk" * 9, good[:8], good[:25], exif(0), exif(9), exif(60000), wrong_type, far, many]
    for note in notes:
        for data in (
            with_chunk(saved(scene(), "png"), chunk(b"eXIf", note)),
            saved(scene(), "webp", lossless=True, exif=note or b"\0"),
        ):
            assert np.array_equal(pictures.read(data), scene()), note
        jpeg = saved(scene(), "jpeg")
        segment = b"\xff\xe1" + struct.pack(">H", 8 + len(note)) + b"Exif\0\0" + note
        assert np.array_equal(pictures.read(jpeg[:2] + segment + jpeg[2:]), pictures.read(jpeg))


def test_what_makes_no_pixels_is_never_parsed():
    picture = scene()
    bomb = zlib.compress(bytes(64 * 2**20), 9)
    text = chunk(b"zTXt", b"Comment\0\0" + bomb), chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + bomb)
    profile = chunk(b"iCCP", b"profile\0\0" + bomb)
    frames = chunk(b"acTL", bytes(8)), chunk(b"fcTL", b"nonsense"), chunk(b"acTL", b"")
    began = time.thread_time()
    with memory(60):
        for extra in ([text[0]] * 20, [text[1]] * 20, [profile], frames, [chunk(b"tEXt", b"a\0" + b"b" * 10**7)]):
            assert np.array_equal(pictures.read(with_chunk(saved(picture, "png"), *extra)), picture)
        jpeg = saved(picture, "jpeg", quality=95)
        plain = pictures.read(jpeg)
        for segment in (
            b"\xff\xe2\xff\xffICC_PROFILE\0\1\2" + bytes(65519),
            b"\xff\xe2\x00\x08MPF\0xx",
            b"\xff\xed\x00\x03x",
        ):
            assert np.array_equal(pictures.read(jpeg[:2] + segment * 30 + jpeg[2:]), plain)
    assert np.array_equal(pictures.read(jpeg + b"<script>" * 1000), plain)  # and whatever follows the end
    assert np.array_equal(pictures.read(saved(picture, "png") + jpeg), picture)
    junk = riff((b"ICCP", b"x" * 999), *parts_of(saved(picture, "webp", lossless=True)), (b"XMP ", b"<x" * 9))
    assert np.array_equal(pictures.read(junk), picture)
    assert time.thread_time() - began < 2


@pytest.mark.parametrize("size", [(1, 1), (1, 20), (2000, 100), (4096, 2), (3, 4096)])
def test_pictures_of_any_shape_are_cut_and_fitted(size):
    width, height = size
    picture = pictures.read(saved(scene(height, width), "png"))
    assert picture.shape == (height, width, 3)
    square = pictures.crop(picture)
    side = min(size)
    assert np.array_equal(square, scene(height, width)[(height - side) // 2 :, (width - side) // 2 :][:side, :side])
    assert pictures.fit(square, 64).shape == (64, 64, 3)
    if size == (1, 1):
        assert (pictures.fit(square, 64) == picture).all()
