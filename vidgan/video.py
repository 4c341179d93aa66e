"""Clips to files and bytes, and back. The only place that encodes or decodes.

Inside the program a clip is a float tensor [B, 3, T, H, W] in [-1, 1]; here it becomes `frames`, uint8 numpy
[T, H, W, 3] (a batch: [B, T, H, W, 3]), and `frames` become mp4, webp, gif, png (a strip) or npz. The same frames give
the same bytes. mp4 and all decoding of foreign video need PyAV (`pip install "vidgan[video]"`), imported when needed.
"""

import io
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor

from .decode import CROPS, FPS, VideoInfo, check, fit, load_av, note_frames, probe, read, stream
from .errors import VidganError, unknown
from .files import write_atomic

__all__ = [
    "CROPS",
    "FORMATS",
    "FPS",
    "MIME",
    "VideoInfo",
    "check",
    "encode",
    "filmstrip",
    "fit",
    "grid",
    "probe",
    "read",
    "save",
    "sprite",
    "stream",
    "to_clip",
    "to_uint8",
    "write_atomic",
]

FORMATS = ("mp4", "webp", "gif", "png", "npz")
MIME = {"mp4": "video/mp4", "webp": "image/webp", "gif": "image/gif", "png": "image/png", "npz": "application/zip"}
#: yuv420p keeps one colour per 2x2 pixels, so small clips are enlarged to about this many pixels before mp4
_MP4_SIDE = 256


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
    if format == "mp4":
        return _encode_mp4(frames, scale, fps)
    if format != "npz":
        frames = _enlarge(frames, scale)
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
        images[0].save(
            out, format, save_all=True, append_images=images[1:], loop=0, **options, **note_frames(format, len(frames))
        )
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

    latents: one point, or one for each part that the clip was made in; an npz then holds each subspace by its name,
    float32 [parts, dim] or [parts, steps, dim], beside `frames`. The other formats have no place for them. The file
    appears whole or not at all. Raises VidganError as `encode` does, and when the file cannot be written.
    """
    path = Path(path)
    format = path.suffix.lower().lstrip(".")
    if format not in FORMATS:
        raise unknown("video format", format or path.name, FORMATS)
    if format == "npz" and latents is not None:
        values = {name: latents[name].detach().float().cpu().numpy() for name in latents.names}
        out = io.BytesIO()
        np.savez_compressed(out, frames=check(frames), **values)
        return write_atomic(path, out.getvalue())
    return write_atomic(path, encode(frames, format, fps, scale, quality))


def _encode_mp4(frames: np.ndarray, scale: int, fps: float) -> bytes:
    av = load_av()
    rate = Fraction(fps).limit_denominator(1001)
    out, options = io.BytesIO(), {"movflags": "+faststart", "fflags": "+bitexact"}

    def reopen(url, flags, options) -> io.BytesIO:  # faststart moves the index to the front by reading what it wrote
        return io.BytesIO(out.getvalue())

    with av.open(out, "w", format="mp4", options=options, io_open=reopen) as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "18", "preset": "veryfast"})
        height, width = (side * scale + side * scale % 2 for side in frames.shape[1:3])
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.thread_count = 1  # the same bytes on every machine
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1  # bt709
        for start in range(0, len(frames), 32):  # a few at a time: the planes take ten times the room of a frame
            for picture in _yuv420(frames[start : start + 32], scale):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode())
    return out.getvalue()


#: BT.709 in studio range: RGB 0..255 -> luma 16..235, blue and red difference 16..240
_LUMA = np.float32([0.2126, 0.7152, 0.0722])
_YCC = np.stack([_LUMA * 219 / 255, ([0, 0, 1] - _LUMA) / 1.8556 * 224 / 255, ([1, 0, 0] - _LUMA) / 1.5748 * 224 / 255])


def _yuv420(frames: np.ndarray, scale: int) -> np.ndarray:
    """RGB [T, H, W, 3] -> enlarged planes of yuv420p below one another, uint8 [T, 3 H / 2, W], H and W made even.

    Rounded to the nearest, where swscale would truncate: two levels darker everywhere.
    """
    ycc = frames.astype(np.float32) @ _YCC.T.astype(np.float32) + np.float32([16, 128, 128])
    odd = ((0, 0), (0, len(ycc[0]) * scale % 2), (0, len(ycc[0, 0]) * scale % 2), (0, 0))
    luma = np.pad(_enlarge(np.rint(ycc[..., :1]).astype(np.uint8), scale), odd, mode="edge")
    if scale % 2:
        colour = np.pad(_enlarge(ycc[..., 1:], scale), odd, mode="edge")
        colour = (colour[:, ::2] + colour[:, 1::2]) / 2
        colour = np.rint((colour[:, :, ::2] + colour[:, :, 1::2]) / 2).astype(np.uint8)
    else:
        colour = _enlarge(np.rint(ycc[..., 1:]).astype(np.uint8), scale // 2)
    count, height, width, _ = luma.shape
    parts = [luma.reshape(count, -1), colour[..., 0].reshape(count, -1), colour[..., 1].reshape(count, -1)]
    return np.concatenate(parts, axis=1).reshape(count, height * 3 // 2, width)


def _enlarge(frames: np.ndarray, scale: int) -> np.ndarray:
    return frames.repeat(scale, axis=1).repeat(scale, axis=2) if scale > 1 else frames


def _durations(count: int, fps: float, grain: int) -> list[int]:
    """Milliseconds that each frame is shown, multiples of `grain` whose sum stays nearest to the exact time."""
    times = [round(index * 1000 / fps / grain) * grain for index in range(count + 1)]
    return [max(grain, after - before) for before, after in pairwise(times)]


# ------------------------------------------------------------------------------------------------ arranging


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
