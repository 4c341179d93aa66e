"""From a file to what a network sees, and into a link and back; test_stills.py tells which files are read."""

import base64
import os
import time
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from tests.picture_files import PNG, memory, noise, riff, saved, scene, sentence, vp8x
from vidgan import pictures, video
from vidgan.errors import VidganError

# ------------------------------------------------------------------------------------------------ files


def test_load_reads_a_file_whatever_its_name(tmp_path):
    path = tmp_path / "picture.txt"
    path.write_bytes(saved(scene(), "webp", lossless=True))
    assert np.array_equal(pictures.load(path), scene())
    assert np.array_equal(pictures.load(str(path)), scene())


def test_load_says_in_one_sentence_what_is_wrong(tmp_path):
    def fails(path, *words):
        with pytest.raises(VidganError) as caught:
            pictures.load(path)
        text = sentence(caught.value).replace(str(tmp_path), "")
        assert all(word in text for word in words), text

    fails(tmp_path / "none.png", "none.png", "No such file")
    fails(tmp_path, "a folder")
    fails("nul\0l.png", "null")
    os.mkfifo(tmp_path / "pipe.png")
    fails(tmp_path / "pipe.png", "no plain file")  # and does not wait for someone to write into it
    fails("/dev/zero", "no plain file")
    (tmp_path / "cat.png").write_bytes(b"%PDF-1.4")
    fails(tmp_path / "cat.png", "cat.png is a PDF")
    (tmp_path / "empty.png").touch()
    fails(tmp_path / "empty.png", "empty.png is empty")
    (tmp_path / "half.jpg").write_bytes(saved(scene(), "jpeg")[:300])
    fails(tmp_path / "half.jpg", "half.jpg is a JPEG that is damaged")
    with open(tmp_path / "large.png", "wb") as file:
        file.write(PNG)
        file.truncate(10 * 2**30)
    tracemalloc.start()
    fails(tmp_path / "large.png", "larger than 20 MB")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50 * 2**20
    if os.geteuid():
        (tmp_path / "closed.png").touch(mode=0)
        fails(tmp_path / "closed.png", "Permission denied")


# ------------------------------------------------------------------------------------------------ crop and fit


def test_crop_takes_the_middle_square_or_the_box():
    picture = scene(30, 50)
    assert np.array_equal(pictures.crop(picture), picture[:, 10:40])
    assert np.array_equal(pictures.crop(picture, (3, 4, 20)), picture[4:24, 3:23])
    assert np.array_equal(pictures.crop(picture, (2.6, 4.4, 19.5)), picture[4:24, 3:23])
    assert np.array_equal(pictures.crop(picture, np.array([49, 29, 1])), picture[29:, 49:])
    whole = pictures.crop(picture, (0, 0, 30))
    whole[:] = 0
    assert picture.any()  # a copy


def test_crop_repeats_the_edge_beyond_the_picture():
    picture = scene(6, 9)
    padded = np.pad(picture, ((40, 40), (40, 40), (0, 0)), mode="edge")
    for x, y, side in ((-3, -2, 12), (5, 1, 8), (-13.5, -14, 36), (20, 30, 5), (-30, 2, 7)):
        left, top = int(np.floor(x + 0.5)) + 40, int(y) + 40
        assert np.array_equal(pictures.crop(picture, (x, y, side)), padded[top : top + side, left : left + side])
    far = pictures.crop(picture, (1e300, -1e300, 4))
    assert (far == picture[0, -1]).all()


def test_crop_beyond_4096_pixels_makes_the_picture_smaller_first():
    picture = np.zeros((1200, 1200, 3), np.uint8)
    picture[:, 600:] = 200
    with memory(150):
        square = pictures.crop(picture, (-1800, -1800, 4800))
    assert square.shape == (2400, 2400, 3)
    assert (square[:, :1200] == 0).all() and (square[:, 1200:] == 200).all()


@pytest.mark.parametrize(
    "box",
    [
        *[(0, 0, 0), (0, 0, 0.99), (0, 0, -5), (0, 0, 201), (np.nan, 0, 5), (0, np.inf, 5), (0, 0, np.nan)],
        *[(1, 2), (1, 2, 3, 4), "abc", 7, ("x", 0, 5), (None, 0, 5)],
    ],
)
def test_crop_refuses_a_box_that_is_none(box):
    with pytest.raises(VidganError) as caught:
        pictures.crop(scene(30, 50), box)
    sentence(caught.value)


def exact_area(picture, size):
    """The mean over the area of each pixel, in fractions."""
    count = len(picture)
    result = np.empty((size, size, 3), int)
    for y in range(size):
        for x in range(size):
            total = [Fraction(0)] * 3
            for row in range(count):
                high = max(
                    Fraction(0), min(Fraction((y + 1) * count, size), row + 1) - max(Fraction(y * count, size), row)
                )
                for column in range(count) if high else ():
                    wide = min(Fraction((x + 1) * count, size), column + 1) - max(Fraction(x * count, size), column)
                    if wide > 0:
                        total = [t + high * wide * int(v) for t, v in zip(total, picture[row, column])]
            result[y, x] = [int(t * size**2 / count**2 + Fraction(1, 2)) for t in total]
    return result


@pytest.mark.parametrize("count", [17, 23, 40])
def test_fit_to_a_smaller_size_is_the_exact_mean_of_the_area(count):
    picture = noise(count, count)
    assert np.array_equal(pictures.fit(picture, 16), exact_area(picture, 16))


def test_fit_by_a_whole_number_is_the_mean_of_blocks():
    picture = noise(192, 192)
    blocks = picture.reshape(64, 3, 64, 3, 3).sum((1, 3), dtype=int)
    fitted = pictures.fit(picture, 64)
    assert fitted.dtype == np.uint8 and fitted.flags.c_contiguous
    assert np.array_equal(fitted, (2 * blocks + 9) // 18)


def test_fit_to_a_larger_size_is_bilinear():
    picture = noise(24, 24)
    expected = np.asarray(Image.fromarray(picture).resize((64, 64), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(pictures.fit(picture, 64) - expected).max() <= 1
    values = torch.as_tensor(picture).permute(2, 0, 1)[None].double()
    exact = torch.nn.functional.interpolate(values, size=64, mode="bilinear", align_corners=False)[0].permute(1, 2, 0)
    assert np.abs(pictures.fit(picture, 64) - exact.numpy()).max() <= 0.5 + 1e-9


def test_fit_keeps_what_fits_and_what_is_plain():
    picture = noise(64, 64)
    assert np.array_equal(pictures.fit(picture, 64), picture) and pictures.fit(picture, 64) is not picture
    for colour in (0, 1, 128, 255):
        for count in (1, 5, 63, 65, 100, 1000):
            assert (pictures.fit(np.full((count, count, 3), colour, np.uint8), 64) == colour).all()
    assert np.array_equal(pictures.fit(np.full((4096, 4096, 3), 255, np.uint8), 16), np.full((16, 16, 3), 255))


def test_fit_refuses_what_no_network_sees():
    for size in (0, 15, 257, 10**9):
        with pytest.raises(VidganError, match="16 to 256"):
            pictures.fit(noise(32, 32), size)
    with pytest.raises(VidganError, match="square"):
        pictures.fit(noise(32, 33), 64)
    for wrong in (noise(8, 8)[..., 0], noise(8, 8).astype(float), noise(8, 8)[:0], np.zeros((4, 4, 4), np.uint8)):
        with pytest.raises(VidganError, match="A picture is uint8"):
            pictures.fit(wrong, 64)
        with pytest.raises(VidganError, match="A picture is uint8"):
            pictures.crop(wrong)


# ------------------------------------------------------------------------------------------------ images and links


def test_an_image_is_what_a_frame_would_be():
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    picture[..., 1] = picture[::-1, :, 1]
    image = pictures.to_image(picture)
    assert image.shape == (1, 3, 16, 16) and image.dtype == torch.float32 and image.is_contiguous()
    assert torch.equal(image, video.to_clip(picture[None, None])[:, :, 0])
    assert image.min() == -1 and image.max() == 1
    assert np.array_equal(pictures.from_image(image), picture)
    odd = torch.tensor([-3.0, 0.0, 0.5, 3.0]).expand(1, 3, 4, 4)
    assert pictures.from_image(odd)[0, :, 0].tolist() == [0, 128, 191, 255]
    for wrong in (image[0], image[:, :2], image[..., :5], torch.cat([image, image]), image * torch.nan):
        with pytest.raises(VidganError):
            pictures.from_image(wrong)
    with pytest.raises(VidganError, match="square"):
        pictures.to_image(scene())


@pytest.mark.parametrize("size", [16, 64, 255, 256])
def test_packed_pictures_come_back_to_the_bit(size):
    for picture in (noise(size, size), scene(size, size), np.zeros((size, size, 3), np.uint8)):
        text = pictures.pack(picture)
        assert text.isascii() and not set(text) & set("+/= ?&#") and len(text) < pictures.MAX_TEXT
        assert np.array_equal(pictures.unpack(text), picture)


def test_pack_refuses_what_a_link_cannot_hold():
    for wrong in (noise(15, 15), noise(257, 257), noise(32, 40), noise(32, 32).astype(np.float32)):
        with pytest.raises(VidganError) as caught:
            pictures.pack(wrong)
        sentence(caught.value)


def test_unpack_refuses_everything_else():
    good = pictures.pack(scene(32, 32))

    def text_of(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    moving = {"save_all": True, "append_images": [Image.new("RGB", (8, 8))] * 3}
    wrong = [
        "",
        "A",
        "====",
        good + "=",
        good + "\n",
        " " + good,
        good[:-9],
        good[: len(good) // 2],
        "é" * 40,
        "UklGRg",
    ]
    wrong += [good[:40] + "!" + good[41:], "A" * 5000, "A" * 10**6, text_of(saved(scene(32, 32), "png"))]
    wrong += [text_of(saved(scene(*size), "webp")) for size in ((15, 15), (257, 257), (32, 33), (1, 1))]
    wrong += [text_of(saved(Image.new("RGB", (8, 8), "red"), "webp", **moving))]
    wrong += [
        text_of(riff(vp8x(2**24, 2**24), (b"VP8L", b"/" + bytes(40)))),
        text_of(riff((b"VP8L", b"/" + b"\xff" * 9))),
    ]
    began = time.thread_time()
    with memory(24):
        for text in wrong:
            with pytest.raises(VidganError) as caught:
                pictures.unpack(text)
            assert "link" in sentence(caught.value) or "square" in str(caught.value)
    assert time.thread_time() - began < 1
