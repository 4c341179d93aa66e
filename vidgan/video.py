"""Clips to files and bytes, and back. The only place that encodes or decodes.

Inside the program a clip is a float tensor [B, 3, T, H, W] in [-1, 1]; here it becomes `frames`, uint8 numpy
[T, H, W, 3] (a batch: [B, T, H, W, 3]), and `frames` become mp4, webp, gif, png (a strip) or npz. The same frames give
the same bytes. mp4 and all decoding of foreign video need PyAV (`pip install "vidgan[video]"`), imported when needed.
"""

import io
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, PngImagePlugin
from torch import Tensor

from .errors import VidganError, unknown

FORMATS = ("mp4", "webp", "gif", "png", "npz")
MIME = {"mp4": "video/mp4", "webp": "image/webp", "gif": "image/gif", "png": "image/png", "npz": "application/zip"}
FPS = 12.0
#: yuv420p keeps one colour per 2x2 pixels, so small clips are enlarged to about this many pixels before mp4
_MP4_SIDE = 256
#: containers that we open: none that may point to other files or addresses (a playlist from a stranger could)
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,h264,hevc,flv,ogg,asf,m4v,mxf,nut,dv,apng,y4m"
)


def to_uint8(clip: Tensor) -> np.ndarray:
    """Clip [B, 3, T, H, W] in [-1, 1] -> uint8 numpy [B, T, H, W, 3] (without B: [3, T, H, W] -> [T, H, W, 3]).

    round((x + 1) * 127.5), clamped to 0..255. Raises VidganError for another shape and for NaN.
    """
    if clip.ndim not in (4, 5) or clip.shape[-4] != 3:
        raise VidganError(f"A clip is [batch, 3, frames, height, width]; this one is {tuple(clip.shape)}.")
    clip = clip.detach().float()
    if clip.isnan().any():
        raise VidganError("The clip holds NaN instead of pixels.")
    frames = clip.add(1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return frames.movedim(-4, -1).contiguous().cpu().numpy()


def to_clip(frames: np.ndarray | Tensor) -> Tensor:
    """uint8 [B, T, H, W, 3] (or [T, H, W, 3]) -> float32 clip [B, 3, T, H, W] (or [3, T, H, W]) in [-1, 1].

    Inverse of `to_uint8`, exactly. Raises VidganError for another shape or dtype.
    """
    frames = frames if isinstance(frames, Tensor) else torch.as_tensor(np.ascontiguousarray(frames))
    if frames.dtype != torch.uint8 or frames.ndim not in (4, 5) or frames.shape[-1] != 3:
        raise VidganError(
            f"Frames are uint8 [frames, height, width, 3]; these are {frames.dtype} {tuple(frames.shape)}."
        )
    return frames.movedim(-1, -4).contiguous().div(127.5).sub_(1)


# ------------------------------------------------------------------------------------------------ writing


def encode(
    frames: np.ndarray, format: str = "mp4", fps: float = FPS, scale: int | None = None, quality: int = 85
) -> bytes:
    """One clip, uint8 [T, H, W, 3], as bytes of a file.

    format: "mp4" (H.264, yuv420p, plays everywhere; odd sizes gain one pixel), "webp" and "gif" (animated, looping for
    ever), "png" (all frames side by side), "npz" (`frames`, exact). fps: frames per second, exact (gif and webp keep
    whole hundredths and thousandths of a second, so they spread the rounding over the frames; gif stops at 50).
    scale: enlarge every pixel to scale x scale; None enlarges for mp4 alone, to 256 pixels or a little less.
    quality: 1..100, of webp.
    Raises VidganError for frames of another shape or dtype, an unknown format, fps or scale out of range.
    """
    frames = check(frames)
    if format not in FORMATS:
        raise unknown("video format", format, FORMATS)
    if not 0.1 <= fps <= 1000:
        raise VidganError(f"fps is {fps}; it can be 0.1 to 1000.")
    if scale is None:
        scale = max(1, _MP4_SIDE // max(frames.shape[1:3])) if format == "mp4" else 1
    if not 1 <= scale <= 64:
        raise VidganError(f"scale is {scale}; it can be 1 to 64.")
    if scale > 1 and format != "npz":
        frames = frames.repeat(scale, axis=1).repeat(scale, axis=2)
    if format == "mp4":
        return _encode_mp4(frames, fps)
    out = io.BytesIO()
    if format == "npz":
        np.savez_compressed(out, frames=frames)
    elif format == "png":
        note = PngImagePlugin.PngInfo()
        note.add_text("frames", str(len(frames)))  # so that `read` can cut the strip again
        note.add_text("fps", f"{fps:g}")
        Image.fromarray(filmstrip(frames)).save(out, "png", pnginfo=note)
    else:
        images = [Image.fromarray(frame) for frame in frames]
        if format == "gif":
            images = [image.quantize(256, method=Image.Quantize.FASTOCTREE) for image in images]
            options = {"duration": _durations(len(frames), min(fps, 50), 10), "disposal": 1}
        else:
            options = {"duration": _durations(len(frames), fps, 1), "quality": quality, "method": 0}
        images[0].save(out, format, save_all=True, append_images=images[1:], loop=0, **options)
    return out.getvalue()


def save(
    path: str | Path,
    frames: np.ndarray,
    fps: float = FPS,
    latents=None,
    *,
    scale: int | None = None,
    quality: int = 85,
) -> Path:
    """Write one clip, uint8 [T, H, W, 3], in the format that the suffix of `path` names; folders are made.

    latents: of batch 1; an npz then holds each subspace by its name, float32 [1, dim] or [1, steps, dim], beside
    `frames`. The other formats have no place for them. The file appears whole or not at all. Raises VidganError as
    `encode` does, and when the file cannot be written.
    """
    path = Path(path)
    format = path.suffix.lower().lstrip(".")
    if format not in FORMATS:
        raise unknown("video format", format or path.name, FORMATS)
    if format == "npz" and latents is not None:
        values = {name: latents[name].detach().float().cpu().numpy() for name in latents.names}
        if any(len(value) != 1 for value in values.values()):
            raise VidganError(f"One clip goes with latents of batch 1; these are of batch {latents.batch}.")
        out = io.BytesIO()
        np.savez_compressed(out, frames=check(frames), **values)
        return write_atomic(path, out.getvalue())
    return write_atomic(path, encode(frames, format, fps, scale, quality))


def write_atomic(path: str | Path, data: bytes) -> Path:
    """Write `data` to `path` so that a reader sees the old file or the new one, never a part. Makes folders.

    Raises VidganError when the disk is full or the place cannot be written; the old file then stands.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name[:80]}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
    except OSError as error:
        raise VidganError(f"Could not write {path}: {error.strerror or error}.") from error
    return path


def _encode_mp4(frames: np.ndarray, fps: float) -> bytes:
    av = _av()
    planes = _yuv420(frames)
    rate = Fraction(fps).limit_denominator(1001)
    out, options = io.BytesIO(), {"movflags": "+faststart", "fflags": "+bitexact"}

    def reopen(url, flags, options) -> io.BytesIO:  # faststart moves the index to the front by reading what it wrote
        return io.BytesIO(out.getvalue())

    with av.open(out, "w", format="mp4", options=options, io_open=reopen) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = planes.shape[2], planes.shape[1] * 2 // 3, "yuv420p"
        context = stream.codec_context
        context.thread_count = 1  # the same bytes on every machine
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1  # bt709
        for picture in planes:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


def _yuv420(frames: np.ndarray) -> np.ndarray:
    """uint8 RGB [T, H, W, 3] -> the planes of yuv420p below one another, uint8 [T, 3 H / 2, W], of even H and W.

    BT.709, studio range, rounded to the nearest (swscale truncates, which darkens every picture by two levels).
    """
    count, height, width, _ = frames.shape
    frames = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge").astype(np.float32)
    height, width = frames.shape[1:3]
    luma = frames @ np.float32([0.2126, 0.7152, 0.0722])
    colour = frames.reshape(count, height // 2, 2, width // 2, 2, 3).mean((2, 4))
    base = colour @ np.float32([0.2126, 0.7152, 0.0722])
    blue, red = (colour[..., 2] - base) / 1.8556, (colour[..., 0] - base) / 1.5748
    planes = np.empty((count, height * width * 3 // 2), np.float32)
    area = height * width
    planes[:, :area] = luma.reshape(count, -1) * (219 / 255) + 16
    planes[:, area : area * 5 // 4] = blue.reshape(count, -1) * (224 / 255) + 128
    planes[:, area * 5 // 4 :] = red.reshape(count, -1) * (224 / 255) + 128
    return np.rint(planes).astype(np.uint8).reshape(count, height * 3 // 2, width)


def _durations(count: int, fps: float, grain: int) -> list[int]:
    """Milliseconds that each frame is shown, multiples of `grain` whose sum stays nearest to the exact time."""
    times = [round(index * 1000 / fps / grain) * grain for index in range(count + 1)]
    return [max(grain, after - before) for before, after in pairwise(times)]


# ------------------------------------------------------------------------------------------------ arranging


def check(frames: np.ndarray) -> np.ndarray:
    """`frames` itself if it is one clip, uint8 [T, H, W, 3] with at least one frame; else VidganError."""
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise VidganError(
            f"Frames are uint8 [frames, height, width, 3], at least one; these are {frames.dtype} {frames.shape}."
        )
    return frames


def filmstrip(frames: np.ndarray) -> np.ndarray:
    """All frames side by side: uint8 [T, H, W, 3] -> [H, T * W, 3]."""
    count, height, width, _ = check(frames).shape
    return frames.transpose(1, 0, 2, 3).reshape(height, count * width, 3)


def grid(
    rows: Sequence[Sequence[np.ndarray]], gap: int = 2, background: tuple[int, int, int] = (255, 255, 255)
) -> np.ndarray:
    """Clips of one shape [T, H, W, 3], in rows, as one clip [T, rows * (H + gap) - gap, columns * (W + gap) - gap, 3].

    Short rows end in `background` (R, G, B), which also fills the gaps. Raises VidganError when nothing is given or
    shapes differ.
    """
    cells = [[check(cell) for cell in row] for row in rows]
    shapes = {cell.shape for row in cells for cell in row}
    if len(shapes) != 1:
        raise VidganError(f"A grid needs clips of one shape; these are {sorted(shapes) or 'none at all'}.")
    count, height, width, _ = shapes.pop()
    columns = max(len(row) for row in cells)
    size = (count, len(cells) * (height + gap) - gap, columns * (width + gap) - gap, 3)
    sheet = np.empty(size, np.uint8)
    sheet[:] = background
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            top, left = y * (height + gap), x * (width + gap)
            sheet[:, top : top + height, left : left + width] = cell
    return sheet


def sprite(frames: np.ndarray, quality: int = 90, lossless: bool = False) -> tuple[bytes, str]:
    """All frames side by side as one picture for the page's canvas: (bytes, mime type).

    JPEG of `quality` 1..100 without colour subsampling, or WebP without any loss. Raises VidganError when the strip is
    wider than the format allows (65535 pixels, 16383 for WebP).
    """
    strip, out = filmstrip(frames), io.BytesIO()
    limit = 16383 if lossless else 65535
    if max(strip.shape[:2]) > limit:
        raise VidganError(f"A strip of {strip.shape[1]} pixels is too wide; the picture can be {limit} wide.")
    if lossless:
        Image.fromarray(strip).save(out, "webp", lossless=True, quality=0, method=0)
        return out.getvalue(), "image/webp"
    Image.fromarray(strip).save(out, "jpeg", quality=quality, subsampling=0)
    return out.getvalue(), "image/jpeg"


# ------------------------------------------------------------------------------------------------ reading


@dataclass(frozen=True)
class VideoInfo:
    """What `probe` found: size in pixels as shown (rotation applied), frames per second, number of frames, codec."""

    width: int
    height: int
    fps: float
    frames: int
    codec: str

    @property
    def seconds(self) -> float:
        return self.frames / self.fps


def read(
    source: str | Path | bytes,
    *,
    size: int | None = None,
    crop: str = "center",
    stride: int = 1,
    max_frames: int | None = None,
) -> tuple[np.ndarray, float]:
    """Decode a video, a path or the bytes of one -> (uint8 [T, H, W, 3], frames per second of what is returned).

    mp4, mov, mkv, webm, avi and others by PyAV, rotation applied; gif, webp, png strips of ours and single pictures by
    Pillow; npz of ours. size: H = W in pixels, None keeps the file's own; crop: "center" cuts the middle square, "none"
    squashes the whole picture into the square; stride: keep every n-th frame; max_frames: stop after so many.
    Raises VidganError naming the file when it is missing, empty, damaged or no video.
    """
    if max_frames is not None and max_frames < 1:
        raise VidganError(f"max_frames is {max_frames}; it must be at least 1.")
    frames, fps = stream(source, size=size, crop=crop, stride=stride)
    collected = list(islice(frames, max_frames))
    if len({frame.shape for frame in collected}) > 1:
        raise VidganError(f"The picture size changes inside {_name(source)}; say which size to read it at.")
    return np.stack(collected), fps


def stream(
    source: str | Path | bytes, *, size: int | None = None, crop: str = "center", stride: int = 1
) -> tuple[Iterator[np.ndarray], float]:
    """As `read`, but one frame [H, W, 3] at a time, so that a long video never lies in memory whole.

    Returns (iterator of at least one frame, fps). The iterator raises VidganError where the file turns out damaged.
    """
    if crop not in CROPS:
        raise unknown("crop", crop, CROPS)
    if stride < 1 or (size is not None and size < 1):
        raise VidganError(f"stride and size are at least 1; they are {stride} and {size}.")
    frames = _frames(source, size, crop, stride)
    fps = next(frames)  # the first thing that the decoder tells
    first = next(frames, None)
    if first is None:
        raise VidganError(f"There is not one frame in {_name(source)}.")

    def chain() -> Iterator[np.ndarray]:
        yield first
        yield from frames

    return chain(), fps / stride


def probe(source: str | Path | bytes) -> VideoInfo:
    """Size, frame rate and number of frames (counted where the file does not say). Raises VidganError like `read`."""
    data, kind = _open(source)
    if kind != "video":
        data.close()
        frames, fps = read(source)
        return VideoInfo(frames.shape[2], frames.shape[1], fps, len(frames), kind)
    with _decoding(source, data), _av().open(data, options={"format_whitelist": _CONTAINERS}) as container:
        video = _video_stream(source, container)
        fps, count, codec = _fps(video), video.frames, video.codec_context.name
        first = next(container.decode(video))
        count = count or 1 + sum(1 for _ in container.decode(video))
        width, height = _shown(first)
        if getattr(first, "rotation", 0) % 180:
            width, height = height, width
        return VideoInfo(width, height, fps, count, codec)


CROPS = ("center", "none")


def fit(image: Image.Image, size: int | None, crop: str = "center") -> np.ndarray:
    """A Pillow image as uint8 [size, size, 3], the middle square of it ("center") or all of it squashed ("none")."""
    image = image.convert("RGB")
    if size is not None and image.size != (size, size):
        if crop == "center":
            image = ImageOps.fit(image, (size, size), Image.Resampling.BOX if min(image.size) > size else 2)
        else:
            image = image.resize((size, size), Image.Resampling.BOX if min(image.size) > size else 2)
    return np.asarray(image)


def _frames(source, size: int | None, crop: str, stride: int) -> Iterator:
    """First the frames per second, then every stride-th frame."""
    data, kind = _open(source)
    if kind == "npz":
        frames = _npz(source, data)
        yield FPS
        for frame in frames[::stride]:
            yield fit(Image.fromarray(frame), size, crop)
    elif kind == "image":
        with _decoding(source, data), Image.open(data) as image:
            cut = _strip_count(image)
            if cut:
                yield float(image.text.get("fps", FPS))
                width = image.width // cut
                for left in range(0, image.width, width * stride):
                    yield fit(image.crop((left, 0, left + width, image.height)), size, crop)
                return
            count = getattr(image, "n_frames", 1)
            durations = []
            for index in range(count):
                image.seek(index)
                image.load()
                durations.append(image.info.get("duration", 0))
            yield 1000 * count / sum(durations) if sum(durations) else FPS
            for index in range(0, count, stride):
                image.seek(index)
                yield fit(image, size, crop)
    else:
        with _decoding(source, data), _av().open(data, options={"format_whitelist": _CONTAINERS}) as container:
            video = _video_stream(source, container)
            yield _fps(video)
            for frame in islice(container.decode(video), 0, None, stride):
                if frame.is_corrupt:
                    raise VidganError(f"Could not read {_name(source)}: the video is damaged.")
                yield _picture(frame, size, crop)


def _picture(frame, size: int | None, crop: str) -> np.ndarray:
    """A decoded frame as uint8 [H, W, 3], upright; scaled by swscale, which is much faster than we could."""
    width, height = _shown(frame)
    if size is not None:
        shrink = size / min(width, height) if crop == "center" else None
        wide = (round(width * shrink), round(height * shrink)) if shrink else (size, size)
        width, height = max(size, wide[0]), max(size, wide[1])
    if (width, height) != (frame.width, frame.height) or frame.format.name != "rgb24":
        smaller = width * height < frame.width * frame.height
        frame_rgb = frame.reformat(width, height, "rgb24", interpolation="AREA" if smaller else "BILINEAR")
    else:
        frame_rgb = frame
    array = frame_rgb.to_ndarray()
    if size is not None:
        top, left = (height - size) // 2, (width - size) // 2
        array = array[top : top + size, left : left + size]
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(array, turns) if turns else array)


def _shown(frame) -> tuple[int, int]:
    """Width and height with square pixels, before rotation."""
    ratio = getattr(frame, "sample_aspect_ratio", None) or 1
    return (max(1, round(frame.width * ratio)), frame.height) if 0 < ratio < 20 else (frame.width, frame.height)


def _fps(video) -> float:
    return float(video.average_rate or video.guessed_rate or FPS)


def _strip_count(image: Image.Image) -> int:
    """How many frames a png strip of ours holds; 0 for any other picture."""
    text = getattr(image, "text", {}) if image.format == "PNG" else {}
    count = text.get("frames", "")
    return int(count) if count.isdigit() and int(count) and image.width % int(count) == 0 else 0


def _open(source: str | Path | bytes) -> tuple[io.IOBase, str]:
    """A binary file and what it is by its first bytes: "npz", "image" (what Pillow animates or shows) or "video"."""
    if isinstance(source, bytes):
        data = io.BytesIO(source)
    else:
        try:
            data = open(source, "rb")  # noqa: SIM115 - closed by _decoding, or by _npz
        except (OSError, ValueError) as error:
            raise VidganError(f"Could not open {_name(source)}: {getattr(error, 'strerror', error)}.") from error
    head = data.read(16)
    data.seek(0)
    if not head:
        data.close()
        raise VidganError(f"{_name(source)} is empty.")
    if head.startswith(b"PK\x03\x04"):
        return data, "npz"
    if head.startswith((b"GIF8", b"\x89PNG", b"\xff\xd8\xff", b"BM")) or head[:4] + head[8:12] == b"RIFFWEBP":
        return data, "image"
    return data, "video"


def _npz(source, data) -> np.ndarray:
    try:
        with data, np.load(data, allow_pickle=False) as arrays:
            return check(arrays["frames"])
    except Exception as error:
        raise VidganError(f"{_name(source)} is not an npz of ours: it needs `frames`, uint8 [T, H, W, 3].") from error


class _decoding:
    """While decoding: any failure becomes a VidganError that names the file; the file is closed in the end."""

    def __init__(self, source, data):
        self.source, self.data = source, data

    def __enter__(self):
        return self.data

    def __exit__(self, kind, error, trace):
        self.data.close()
        if isinstance(error, StopIteration):
            raise VidganError(f"There is not one frame in {_name(self.source)}.") from error
        if isinstance(error, Exception) and not isinstance(error, VidganError | GeneratorExit):
            reason = str(getattr(error, "strerror", None) or error).rstrip(".") or kind.__name__
            raise VidganError(f"Could not read {_name(self.source)} as a video: {reason}.") from error


def _video_stream(source, container):
    if not container.streams.video:
        raise VidganError(f"There is no picture in {_name(source)}, only {container.format.long_name}.")
    video = container.streams.video[0]
    video.thread_type = "AUTO"
    return video


def _name(source: str | Path | bytes) -> str:
    return f"the video of {len(source)} bytes" if isinstance(source, bytes) else str(source)


def _av():
    """PyAV, imported when first needed."""
    try:
        import av
    except ImportError as error:
        raise VidganError(f'Video files need PyAV ({error}): pip install "vidgan[video]"') from error
    return av
