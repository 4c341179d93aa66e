"""Files and bytes to frames: the reading half of `vidgan.video`, which is where its names are used from."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .errors import VidganError, unknown

FPS = 12.0
CROPS = ("center", "none")
_DESCRIPTION = 0x010E  # the EXIF field for words about a picture
#: containers that we open: none that may point to other files or addresses (a playlist from a stranger could)
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf"


def check(frames: np.ndarray) -> np.ndarray:
    """`frames` itself if it is one clip, uint8 [T, H, W, 3] with at least one frame; else VidganError."""
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[-1] != 3 or 0 in frames.shape:
        raise VidganError(
            f"Frames are uint8 [frames, height, width, 3], at least one; these are {frames.dtype} {frames.shape}."
        )
    return frames


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
    Pillow (a frame that stays longer is repeated); npz of ours. size: H = W in pixels, None keeps the file's own; crop:
    "center" cuts the middle square, "none" squashes the whole picture into the square; stride: keep every n-th frame;
    max_frames: stop after so many.
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
    with _decoding(source, data), load_av().open(data, options={"format_whitelist": _CONTAINERS}) as container:
        video = _video_stream(source, container)
        fps, count, codec = _fps(video), video.frames, video.codec_context.name
        first = next(container.decode(video))
        count = count or 1 + sum(1 for _ in container.decode(video))
        width, height = _shown(first)
        if getattr(first, "rotation", 0) % 180:
            width, height = height, width
        return VideoInfo(width, height, fps, count, codec)


def times(source: str | Path | bytes) -> list[float]:
    """The seconds at which the frames of a video are shown, ascending, read without decoding them; empty for what
    Pillow animates, for npz, and where the file does not say. Raises VidganError like `read`."""
    data, kind = _open(source)
    if kind != "video":
        data.close()
        return []
    with _decoding(source, data), load_av().open(data, options={"format_whitelist": _CONTAINERS}) as container:
        stream = _video_stream(source, container)
        packets = container.demux(stream)
        return sorted(float(packet.pts * packet.time_base) for packet in packets if packet.pts is not None)


def fit(image: Image.Image, size: int | None, crop: str = "center") -> np.ndarray:
    """A Pillow image as uint8 [size, size, 3], the middle square of it ("center") or all of it squashed ("none").

    size None keeps the picture as large as it is. Turned upright as its EXIF says; what is transparent becomes black.
    """
    image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image.convert("RGBA"))
    image = image.convert("RGB")
    if size is not None and image.size != (size, size):
        how = Image.Resampling.BOX if min(image.size) > size else Image.Resampling.BILINEAR
        image = ImageOps.fit(image, (size, size), how) if crop == "center" else image.resize((size, size), how)
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
            shown = _repeats(image)
            yield next(shown)
            for index in islice(shown, 0, None, stride):
                image.seek(index)
                yield fit(image, size, crop)
    else:
        with _decoding(source, data), load_av().open(data, options={"format_whitelist": _CONTAINERS}) as container:
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
    array = frame.reformat(width, height, "rgb24", interpolation=_scaling(width < frame.width)).to_ndarray()
    if size is not None:
        top, left = (height - size) // 2, (width - size) // 2
        array = array[top : top + size, left : left + size]
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(array, turns) if turns else array)


def _scaling(smaller: bool) -> int:
    """How swscale interpolates: it would truncate colours, a bias of two levels, unless told to round."""
    flags = load_av().video.reformatter.Interpolation
    exact = (int(getattr(flags, name, 0)) for name in ("ACCURATE_RND", "FULL_CHR_H_INT"))
    return sum(exact, int(flags.AREA if smaller else flags.BILINEAR))


def _shown(frame) -> tuple[int, int]:
    """Width and height with square pixels, before rotation."""
    ratio = getattr(frame, "sample_aspect_ratio", None) or 1
    return (max(1, round(frame.width * ratio)), frame.height) if 0 < ratio < 20 else (frame.width, frame.height)


def _fps(video) -> float:
    return float(video.average_rate or video.guessed_rate or FPS)


def _repeats(image: Image.Image) -> Iterator:
    """First the frames per second of an animation, then the frame to show at each tick.

    The writers of gif and webp merge frames that look alike into one that stays longer; here it is several again. Ours
    say how many frames there were; of others, the shortest stay is a tick.
    """
    stays = []  # of each frame, in milliseconds
    for index in range(getattr(image, "n_frames", 1)):
        image.seek(index)
        image.load()
        stays.append(image.info.get("duration", 0))
    total, count = sum(stays), frames_note(image)
    tick = total / count if count >= len(stays) else max(20, min(stays))
    repeats = [min(1000, max(1, round(stay / tick))) if tick else 1 for stay in stays]
    yield 1000 * sum(repeats) / total if total else FPS
    for index, repeat in enumerate(repeats):
        yield from [index] * repeat


def frames_note(image: Image.Image) -> int:
    """How many frames went into a gif, webp or png of ours, as `note_frames` wrote it down; 0 where nothing is said."""
    if image.format == "GIF":
        note = image.info.get("comment", b"").decode("ascii", "replace")
    elif image.format == "PNG":
        note = getattr(image, "text", {}).get("frames", "")
    else:
        note = str(image.getexif().get(_DESCRIPTION, ""))
    found = re.fullmatch(r"(\d{1,6})( frames)?", note)
    return int(found[1]) if found else 0


def note_frames(format: str, count: int) -> dict:
    """What Pillow must be told so that `frames_note` finds `count` in the file."""
    if format == "gif":
        return {"comment": b"%d frames" % count}
    exif = Image.Exif()
    exif[_DESCRIPTION] = f"{count} frames"
    return {"exif": exif}


def _strip_count(image: Image.Image) -> int:
    """How many frames a png strip of ours holds; 0 for any other picture."""
    count = frames_note(image) if image.format == "PNG" else 0
    return count if count and image.width % count == 0 else 0


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
        if isinstance(error, Exception) and not isinstance(error, VidganError):
            reason = str(getattr(error, "strerror", None) or error).rstrip(".") or kind.__name__
            if isinstance(error, UnidentifiedImageError):
                reason = "its picture is cut short or damaged"
            raise VidganError(f"Could not read {_name(self.source)} as a video: {reason}.") from error


def _video_stream(source, container):
    if not container.streams.video:
        raise VidganError(f"There is no picture in {_name(source)}, only {container.format.long_name}.")
    video = container.streams.video[0]
    video.thread_type = "AUTO"
    return video


def _name(source: str | Path | bytes) -> str:
    return f"the video of {len(source)} bytes" if isinstance(source, bytes) else str(source)


def load_av():
    """PyAV, imported when first needed."""
    try:
        import av
    except ImportError as error:
        raise VidganError(f'Video files need PyAV ({error}): pip install "vidgan[video]"') from error
    return av
