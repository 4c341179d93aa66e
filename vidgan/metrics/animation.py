"""Image-to-video as the paper measures it (ImaGINator, section 4.3): 10 initial frames of each test video.

From each initial frame and the video's label the generator makes one clip, which is compared with the real one that
follows. In the same run, on the same pictures, stands the honest baseline that repeats its input.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from tqdm import tqdm

from ..conditions import Condition
from ..data.arrays import Windows, pixels_to_clip
from ..data.base import ClipSource, step_generator
from ..data.expressions import Expressions, draw, sample_factors
from ..data.sprites import PERIOD, Sprites
from ..errors import VidganError
from ..models import Generator
from .distance import as_shown, labels_of
from .embedders import Features
from .identity import Embedder
from .pairs import Pairs, table

__all__ = ["SPAN", "STARTS", "animation", "stride_of", "table", "windows_of"]

STARTS = 10  #: initial frames of a video in the paper
SPAN = 14  #: frames of a drawn video that initial frames are taken from: from a neutral face to about the apex

#: a video's clips [S, 3, T, H, W] in [-1, 1], one for each initial frame; its label or None; its number in the source
Windowed = tuple[Tensor, int | None, int]


def animation(
    generator: Generator,
    source: ClipSource,
    videos: int = 50,
    starts: int = STARTS,
    seed: int = 0,
    *,
    batch_size: int = 8,
    embedder: Embedder | None = None,
    features: Features | None = None,
    progress: bool = False,
) -> dict:
    """How well `generator` animates first frames of `source`'s videos, as JSON.

    Of at most `videos` videos, `starts` initial frames each (see `windows_of`): one generated clip for each, from the
    frame, the video's own label and the noise of `seed`, against the real clip that begins there. Both sides are frames
    as shown. SSIM, PSNR and L1 of all frames, the first included, and of the region that moves (fidelity.py); ACD-C and
    ACD-I by `embedder` (default: the one that ships); Fréchet and kernel distance between all real and all generated
    clips, in `features` (default: those that ship). Each name carries its protocol; numbers are means over videos of
    means over their clips, `intervals` their 95% bootstrap intervals over videos, `counts` what was capped, left out or
    not found.

    `baselines` holds the same for `repeat`, the initial frame for as long as the clip lasts, with `difference`: how far
    the generator is above it, and the interval, video by video; and for `real`, the real clips themselves, what speaks
    of content alone. Raises VidganError where generator and source do not fit.
    """
    if generator.size != source.size or generator.frames != source.frames:
        raise VidganError(
            f"The generator makes {generator.frames} frames of {generator.size} pixels, but {source.name} was opened "
            f"at {source.frames} of {source.size}."
        )
    if videos < 1 or starts < 1:
        raise VidganError(f"At least 1 video and 1 initial frame are needed; asked for {videos} and {starts}.")
    names = labels_of(generator, source)
    found = min(videos, len(source)) if hasattr(source, "__len__") else videos
    latents = generator.latent_space.sample(found * starts, seed, steps=generator.steps_for(source.frames))

    pairs, used = Pairs(embedder, features), 0
    for clip, label, number in tqdm(
        windows_of(source, videos, starts, seed), total=found, desc=f"{source.name} videos", disable=not progress
    ):
        real, count = as_shown(clip), len(clip)
        condition = Condition(image=real[:, :, 0])
        if names is not None:
            told = Condition.of_classes(torch.full((count,), names[label]), generator.config.classes)
            condition = Condition(told.label, condition.image)
        made = generator.generate(latents.slice(used, used + count), condition, batch_size=batch_size)
        used += count
        pairs.add(real, as_shown(made), number)
    return pairs.result(seed) | {
        "generator": generator.info.name if generator.info else generator.architecture,
        "data": source.name, "split": source.split, "starts": starts, "frames": source.frames, "size": source.size,
        "stride": stride_of(source), "source_seed": source.seed,
    }  # fmt: skip


# ------------------------------------------------------------------------------------------------ initial frames


def windows_of(source: ClipSource, videos: int, starts: int = STARTS, seed: int = 0) -> Iterator[Windowed]:
    """The clips that begin with `starts` initial frames of each of `videos` videos, video by video.

    `weizmann` and `folder`: the whole test clips, or as many of them as are wanted, chosen by the seed; initial frames
    evenly spaced from a clip's first to the last that has a whole window after it, at the lowest stride of the source;
    fewer where a clip is too short for as many different ones. `expressions`: as many performances as are wanted, drawn
    from the neutral face on and long enough; initial frames evenly spaced over the first SPAN frames. `sprites`:
    characters in motions, chosen by the seed; initial frames evenly spaced over the 8 drawings of the motion, so 8 at
    most. Raises VidganError for any other source.
    """
    for kind, family in ((Windows, _filmed), (Expressions, _drawn), (Sprites, _sprites)):
        if isinstance(source, kind):
            return family(source, videos, starts, seed)
    raise VidganError(f"{source.name} does not say what its videos are; expressions, sprites, weizmann and folder do.")


def stride_of(source: ClipSource) -> int:
    """Frames of the video from one frame of a window to the next."""
    return getattr(source, "stride", (1, 1))[0]


def _filmed(source: Windows, videos: int, starts: int, seed: int) -> Iterator[Windowed]:
    stride = stride_of(source)
    for number in _chosen(len(source), videos, seed):
        last = int(source.lengths[number]) - (source.frames - 1) * stride - 1
        start = _spaced(last + 1, starts)
        index = start[:, None] + stride * torch.arange(source.frames)
        clip = pixels_to_clip(source.pixels_of(torch.full((len(start),), number), index)).cpu()
        yield clip, None if source.label is None else int(source.label[number]), number


def _drawn(source: Expressions, videos: int, starts: int, seed: int) -> Iterator[Windowed]:
    factors = sample_factors(videos, step_generator(seed, 0, 0), **source.options)
    factors["start_phase"] = torch.zeros(videos)
    start, stride = _spaced(SPAN + 1, starts), stride_of(source)
    index = start[:, None] + stride * torch.arange(source.frames)
    for number in range(videos):
        one = {name: value[number : number + 1] for name, value in factors.items()}
        video = draw(one, int(index.max()) + 1, source.size, source.device)[0].cpu()
        yield video[:, index].transpose(0, 1), int(factors["expression"][number]), number


def _sprites(source: Sprites, videos: int, starts: int, seed: int) -> Iterator[Windowed]:
    phase, motions = _spaced(PERIOD, starts), len(source.labels)
    for number in _chosen(len(source), videos, seed):
        character, motion = source.characters[number // motions].expand(len(phase)), number % motions
        yield source.render(character, torch.full((len(phase),), motion), phase).cpu(), motion, number


def _chosen(count: int, wanted: int, seed: int) -> list[int]:
    """All numbers below `count`, or `wanted` of them."""
    if wanted >= count:
        return list(range(count))
    return sorted(torch.randperm(count, generator=step_generator(seed, 0, 0))[:wanted].tolist())


def _spaced(room: int, starts: int) -> Tensor:
    """Up to `starts` different whole numbers from 0 to room - 1, evenly spaced, int64."""
    return torch.linspace(0, room - 1, min(starts, room), dtype=torch.float64).round().long().unique()
