"""Clips to files and back, and what happens with files that are none."""

import io
import os
import stat
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vidgan import video
from vidgan.errors import VidganError
from vidgan.latents import Latents


def moving(frames=8, height=32, width=48, seed=0):
    """A coloured square that wanders over a smooth background, uint8 [T, H, W, 3]."""
    y, x = np.mgrid[:height, :width]
    clip = np.stack([np.stack([x * 3, y * 4, 90 + 0 * x], -1)] * frames).astype(np.uint8)
    for t in range(frames):
        clip[t, 6:16, 2 + 3 * t + seed : 12 + 3 * t + seed] = (220, 60, 40 + 10 * t)
    return clip


def psnr(a, b):
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return 10 * np.log10(255**2 / max(error, 1e-9))


# ------------------------------------------------------------------------------------------------ tensors


def test_every_pixel_value_survives_the_way_through_a_clip():
    frames = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 1, 16, 16, 3)
    clip = video.to_clip(frames)
    assert clip.shape == (1, 3, 1, 16, 16) and clip.dtype == torch.float32 and clip.is_contiguous()
    assert clip.min() == -1 and clip.max() == 1
    assert np.array_equal(video.to_uint8(clip), frames)
    assert np.array_equal(video.to_uint8(clip[0]), frames[0])


def test_to_uint8_rounds_and_clamps():
    clip = torch.tensor([-3.0, -1.0, 0.0, 0.5, 1.0, 3.0]).expand(1, 3, 1, 1, 6)
    assert video.to_uint8(clip)[0, 0, 0, :, 0].tolist() == [0, 0, 128, 191, 255, 255]
    assert video.to_uint8(clip.bfloat16()).dtype == np.uint8


@pytest.mark.parametrize(
    "clip", [torch.zeros(1, 4, 2, 8, 8), torch.zeros(3, 8, 8), torch.full((1, 3, 1, 2, 2), torch.nan)]
)
def test_to_uint8_refuses(clip):
    with pytest.raises(VidganError, match="clip"):
        video.to_uint8(clip)


@pytest.mark.parametrize(
    "frames", [np.zeros((2, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8), np.zeros((2, 4, 4, 1), np.uint8)]
)
def test_to_clip_refuses(frames):
    with pytest.raises(VidganError, match="uint8"):
        video.to_clip(frames)


# ------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize("format, least", [("mp4", 34), ("webp", 30), ("gif", 30), ("png", 99), ("npz", 99)])
def test_what_is_saved_can_be_read(tmp_path, format, least):
    frames = moving()
    path = video.save(tmp_path / "deep" / "er" / f"größe ø 動.{format}", frames, fps=10)
    back, fps = video.read(path)
    if format == "mp4":
        assert back.shape == (8, 32 * 5, 48 * 5, 3)  # enlarged so that colours survive
        back = back[:, 2::5, 2::5]
    assert back.shape == frames.shape and back.dtype == np.uint8
    assert psnr(back, frames) > least
    assert abs(back.astype(float).mean() - frames.mean()) < 0.6  # no darker and no lighter
    assert fps == pytest.approx(12 if format == "npz" else 10)
    assert video.read(path.read_bytes())[0].shape[0] == 8
    info = video.probe(path)
    assert (info.frames, info.fps) == (8, pytest.approx(fps)) and info.seconds == pytest.approx(8 / fps)
    assert (info.width, info.height) == ((240, 160) if format == "mp4" else (48, 32))
    assert os.listdir(path.parent) == [path.name]  # nothing temporary stays


@pytest.mark.parametrize("format", video.FORMATS)
def test_the_same_frames_give_the_same_bytes(format):
    assert (
        video.encode(moving(), format) == video.encode(moving().copy(), format) != video.encode(moving(seed=1), format)
    )


@pytest.mark.parametrize("fps", [1, 12, 12.5, 23.976, 29.97, 30, 60])
def test_mp4_frame_rate_is_exact(fps):
    assert video.probe(video.encode(moving(3), "mp4", fps=fps)).fps == pytest.approx(fps, rel=1e-6)


@pytest.mark.parametrize("format, grain", [("webp", 1), ("gif", 10)])
def test_animations_last_as_long_as_they_should_and_loop(format, grain):
    with Image.open(io.BytesIO(video.encode(moving(16), format, fps=12))) as image:
        assert image.n_frames == 16 and image.info["loop"] == 0
        shown = []
        for index in range(16):
            image.seek(index)
            image.load()
            shown.append(image.info["duration"])
    assert sum(shown) == pytest.approx(16 / 12 * 1000, abs=grain) and max(shown) - min(shown) <= grain


@pytest.mark.parametrize("format", video.FORMATS)
def test_frames_that_look_alike_are_not_lost(format):
    frames = np.full((9, 16, 16, 3), 80, np.uint8)
    frames[6:] = 200
    back, fps = video.read(video.encode(frames, format, fps=12, scale=1))
    assert back.shape == frames.shape and fps == pytest.approx(12, rel=0.01)
    assert np.abs(back.astype(int) - frames).max() < 8
    assert len(video.read(video.encode(frames[:1], format))[0]) == 1


def test_mp4_is_what_browsers_want():
    import av

    data = video.encode(moving(), "mp4")
    assert data.index(b"moov") < data.index(b"mdat")  # starts before it is all there
    with av.open(io.BytesIO(data)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.format.name) == ("h264", "yuv420p")


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("height, width", [(15, 21), (16, 22)])
def test_mp4_sizes_are_even_and_colours_right(scale, height, width):
    frames = np.zeros((2, height, width, 3), np.uint8)
    frames[:] = (200, 60, 40)
    back, _ = video.read(video.encode(frames, "mp4", scale=scale))
    assert back.shape[1:3] == (height * scale + height * scale % 2, width * scale + width * scale % 2)
    assert np.abs(back.astype(int) - (200, 60, 40)).max() <= 2


def test_enlarging_keeps_what_chroma_subsampling_would_lose():
    stripes = np.zeros((4, 32, 32, 3), np.uint8)
    stripes[:, :, ::2, 0] = 255
    stripes[:, :, 1::2, 2] = 255
    small = video.read(video.encode(stripes, "mp4", scale=1))[0]
    large = video.read(video.encode(stripes, "mp4", scale=4))[0][:, 1::4, 1::4]
    assert psnr(large, stripes) > psnr(small, stripes) + 10


def test_npz_holds_the_latents(tmp_path):
    latents = Latents({"appearance": torch.randn(1, 6), "motion": torch.randn(1, 2, 3).double().float()})
    path = video.save(tmp_path / "clip.npz", moving(), latents=latents)
    with np.load(path, allow_pickle=False) as arrays:
        assert set(arrays) == {"frames", "appearance", "motion"}
        assert np.array_equal(arrays["frames"], moving())
        assert arrays["motion"].dtype == np.float32
        assert np.array_equal(arrays["appearance"], latents["appearance"].numpy())
    parts = Latents({"noise": torch.randn(2, 6)})
    with np.load(video.save(tmp_path / "two.npz", moving(), latents=parts), allow_pickle=False) as arrays:
        assert np.array_equal(arrays["noise"], parts["noise"].numpy())
    assert sorted(os.listdir(tmp_path)) == ["clip.npz", "two.npz"]


def test_save_leaves_the_old_file_when_it_cannot_write(tmp_path, monkeypatch):
    path = video.save(tmp_path / "clip.gif", moving())
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(VidganError, match=r"clip\.gif: No space left on device"):
        video.save(path, moving(seed=1))
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["clip.gif"]


def test_save_into_a_file_that_is_no_folder(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(VidganError, match="Could not write"):
        video.save(tmp_path / "file" / "clip.gif", moving())


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((0, 8, 8, 3), np.uint8),
        np.zeros((2, 8, 8, 3), np.float32),
        np.zeros((2, 8, 8, 4), np.uint8),
        np.zeros((1, 2, 8, 8, 3), np.uint8),
    ],
)
@pytest.mark.parametrize("format", video.FORMATS)
def test_encode_refuses_what_is_no_clip(frames, format):
    with pytest.raises(VidganError, match="Frames are uint8"):
        video.encode(frames, format)


def test_encode_refuses_other_nonsense(tmp_path):
    with pytest.raises(VidganError, match="did you mean webp"):
        video.save(tmp_path / "a.web", moving())
    with pytest.raises(VidganError, match="video format"):
        video.save(tmp_path / "no_suffix", moving())
    for wrong in ({"fps": 0}, {"fps": float("nan")}, {"scale": 0}, {"scale": 1000}):
        with pytest.raises(VidganError, match=next(iter(wrong))):
            video.encode(moving(), "gif", **wrong)


# ------------------------------------------------------------------------------------------------ arranging


def test_filmstrip_and_sprite():
    frames = moving()
    strip = video.filmstrip(frames)
    assert strip.shape == (32, 8 * 48, 3)
    assert np.array_equal(strip[:, 48 * 3 : 48 * 4], frames[3])
    data, mime = video.sprite(frames, lossless=True)
    assert mime == "image/webp" and np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), strip)
    data, mime = video.sprite(frames)
    assert mime == "image/jpeg" and psnr(np.asarray(Image.open(io.BytesIO(data))), strip) > 30
    assert len(video.sprite(frames, quality=30)[0]) < len(data)
    with pytest.raises(VidganError, match="too wide"):
        video.sprite(np.zeros((300, 8, 64, 3), np.uint8), lossless=True)


def test_grid_places_clips_and_fills_the_rest():
    a, b, c = moving(), moving(seed=3), moving(seed=6)
    sheet = video.grid([[a, b], [c]], gap=4, background=(1, 2, 3))
    assert sheet.shape == (8, 32 * 2 + 4, 48 * 2 + 4, 3)
    assert np.array_equal(sheet[:, :32, 52:], b) and np.array_equal(sheet[:, 36:, :48], c)
    assert (sheet[:, 36:, 48:] == (1, 2, 3)).all() and (sheet[:, 32:36] == (1, 2, 3)).all()
    for wrong in ([], [[]], [[a, moving(frames=5)]]):
        with pytest.raises(VidganError, match="one shape"):
            video.grid(wrong)


# ------------------------------------------------------------------------------------------------ reading


def test_read_crops_squashes_strides_and_stops(tmp_path):
    frames = np.zeros((9, 32, 64, 3), np.uint8)
    frames[:, :, 16:48] = 255  # the middle square is white
    frames[4:] //= 2
    path = video.save(tmp_path / "wide.mp4", frames, fps=12, scale=2)
    middle, fps = video.read(path, size=16)
    assert middle.shape == (9, 16, 16, 3) and fps == 12
    assert middle[0].min() > 240 and 115 < middle[8].mean() < 140
    squashed, _ = video.read(path, size=16, crop="none")
    assert squashed[0, :, :3].max() < 15 and squashed[0, :, 5:11].min() > 240
    some, fps = video.read(path, stride=4, max_frames=2)
    assert some.shape == (2, 64, 128, 3) and fps == 3 and some[1].max() < 140
    for wrong in ({"crop": "centre"}, {"stride": 0}, {"size": 0}, {"max_frames": 0}):
        with pytest.raises(VidganError):
            video.read(path, **wrong)


@pytest.mark.parametrize("format", ["gif", "webp", "png", "npz"])
def test_read_takes_the_same_options_for_every_format(format):
    back, _ = video.read(video.encode(moving(9), format), size=16, stride=2, max_frames=3)
    assert back.shape == (3, 16, 16, 3)


def test_pictures_are_clips_of_one_frame_upright_and_on_black():
    picture = Image.new("RGB", (40, 20), (255, 0, 0))
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # a phone held upright
    picture.save(out, "jpeg", exif=exif)
    assert video.read(out.getvalue())[0].shape == (1, 40, 20, 3)
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(out, "png")
    assert video.read(out.getvalue())[0].max() == 0


def test_rotation_of_phones_is_applied():
    frames = np.zeros((3, 32, 48, 3), np.uint8)
    frames[:, :8] = (255, 0, 0)  # red above
    data = bytearray(video.encode(frames, "mp4", scale=1))
    matrix = data.index(b"tkhd") + 4 + 4 + 20 + 16  # of the track header: version, times, reserved, then nine numbers
    assert struct.unpack_from(">9i", data, matrix) == (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30)
    struct.pack_into(">9i", data, matrix, 0, 65536, 0, -65536, 0, 0, 0, 0, 1 << 30)  # shown a quarter turn clockwise
    back, _ = video.read(bytes(data))
    assert back.shape == (3, 48, 32, 3)
    assert back[0, :, -1, 0].min() > 200 and back[0, :, 0, 0].max() < 30  # red at the right
    assert (video.probe(bytes(data)).width, video.probe(bytes(data)).height) == (32, 48)
    assert video.read(bytes(data), size=16)[0][0, :, -1, 0].min() > 200


def test_variable_frame_rate(tmp_path):
    import av

    path = tmp_path / "variable.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.time_base = stream.time_base = 1 / Fraction(1000)
        for time, array in zip((0, 33, 200, 210, 500), moving(5)):
            frame = av.VideoFrame.from_ndarray(array)
            frame.pts, frame.time_base = time, 1 / Fraction(1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert video.read(path)[0].shape == (5, 32, 48, 3)
    assert video.probe(path).frames == 5


GOOD = video.encode(moving(16), "mp4", scale=1)
BROKEN = {
    "empty": b"",
    "text": b"this is a letter, not a video\n" * 40,
    "no_index": GOOD[:60],
    "no_pictures": GOOD[: GOOD.index(b"mdat") + 4],
    "cut": GOOD[: GOOD.index(b"mdat") + 400],
    "noise": bytes(range(256)) * 8,
    "playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n/etc/hostname\n#EXT-X-ENDLIST\n",
    "list": b"ffconcat version 1.0\nfile clip.mp4\n",
    "half_gif": video.encode(moving(), "gif")[:40],
    "half_webp": video.encode(moving(), "webp")[:200],
    "half_png": video.encode(moving(), "png")[:300],
    "zip": b"PK\x03\x04 and nothing else",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused_by_name(tmp_path, name):
    path = tmp_path / f"ünlesbar {name}.mp4"
    path.write_bytes(BROKEN[name])
    for reading in (video.read, video.probe):
        with pytest.raises(VidganError) as caught:
            reading(path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value) and " at 0x" not in str(caught.value)
    with pytest.raises(VidganError, match=f"{len(BROKEN[name])} bytes"):
        video.read(BROKEN[name])


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(VidganError, match="No such file"):
        video.read(tmp_path / "missing.mp4")
    with pytest.raises(VidganError, match="directory"):
        video.read(tmp_path)
    with pytest.raises(VidganError, match="No such file"):
        video.read("http://127.0.0.1:9/clip.mp4")  # a path, never an address
    with pytest.raises(VidganError, match="null"):
        video.read("a\0b.mp4")


def test_a_foreign_npz(tmp_path):
    np.savez(tmp_path / "other.npz", images=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", frames=np.array([{"a": 1}], dtype=object))
    for name in ("other.npz", "pickled.npz"):
        with pytest.raises(VidganError, match=f"{name}.*frames"):
            video.read(tmp_path / name)


def test_sound_alone_is_no_video(tmp_path):
    import av

    path = tmp_path / "sound.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    with pytest.raises(VidganError, match="no picture"):
        video.read(path)


def test_import_is_light_and_a_missing_pyav_is_explained(tmp_path):
    code = """
import sys
import vidgan.video as video
heavy = {"av", "torchvision", "gradio", "plotly", "accelerate"} & set(sys.modules)
assert not heavy, heavy
sys.modules["av"] = None  # as if it were not installed
import numpy as np
frames = np.zeros((2, 8, 8, 3), np.uint8)
video.read(video.encode(frames, "gif"))
try:
    video.encode(frames, "mp4")
except video.VidganError as error:
    assert 'pip install "vidgan[video]"' in str(error), error
else:
    raise SystemExit("no error")
"""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_saved_files_have_ordinary_rights(tmp_path):
    old = os.umask(0o022)
    try:
        path = video.save(tmp_path / "clip.gif", moving())
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
