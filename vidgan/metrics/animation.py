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
from ..video import to_uint8
from .content import content
from .corruptions import frozen
from .distance import as_shown, compare, labels_of
from .embedders import Features
from .features import load_features
from .fidelity import fidelity
from .identity import Embedder, load_identity
from .scores import Scores, by_video, interval, summary

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
    embedder, features = embedder or load_identity(), features or load_features()
    found = min(videos, len(source)) if hasattr(source, "__len__") else videos
    latents = generator.latent_space.sample(found * starts, seed, steps=generator.steps_for(source.frames))

    parts: dict[str, list[Scores]] = {"generator": [], "repeat": [], "real": []}
    embedded: dict[str, list[Tensor]] = {"generator": [], "repeat": [], "real": []}
    video, used = [], 0
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
        video += [number] * count
        for name, one in {"generator": as_shown(made), "repeat": frozen(real), "real": real}.items():
            parts[name].append(_scores(name, real, one, embedder))
            embedded[name].append(features.embed(one))

    scores = {name: Scores.join(rows) for name, rows in parts.items()}
    clips = {name: torch.cat(rows) for name, rows in embedded.items()}
    video = torch.tensor(video)
    shown = f"{features.title}_{len(video)}of{len(video.unique())}x{source.frames}f{source.size}"
    result = _distances(clips["real"], clips["generator"], shown) | _report(scores["generator"], video, seed)
    repeat = _distances(clips["real"], clips["repeat"], shown) | _report(scores["repeat"], video, seed)
    repeat["difference"] = _difference(scores["generator"], scores["repeat"], video, seed)
    result["baselines"] = {"repeat": repeat, "real": _report(scores["real"], video, seed)}
    return result | {
        "generator": generator.info.name if generator.info else generator.architecture,
        "data": source.name, "split": source.split, "videos": len(video.unique()), "starts": starts,
        "clips": len(video), "frames": source.frames, "size": source.size, "stride": stride_of(source), "seed": seed,
        "source_seed": source.seed, "embedder": embedder.name, "features": features.hash,
    }  # fmt: skip


def table(result: dict) -> list[str]:
    """What `animation` found as a Markdown table: a row for each number, with its interval, and the baselines."""
    baselines = result["baselines"]
    rows = {"repeats its input": baselines["repeat"], "real clips": baselines["real"]}
    lines = [f"| | {result['generator']} | {' | '.join(rows)} |", "|---|---|---|---|"]
    for name in result:
        if name.startswith(("ssim_", "psnr_", "l1_", "acd_", "fvd_", "kvd_")):
            lines.append(f"| {name} | {' | '.join(_cell(row, name) for row in (result, *rows.values()))} |")
    return lines


def _cell(row: dict, name: str) -> str:
    if row.get(name) is None:
        return ""
    low, high = row.get("intervals", {}).get(name, (None, None))
    return f"{row[name]:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None else "")


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


# ------------------------------------------------------------------------------------------------ numbers


def _scores(name: str, real: Tensor, clip: Tensor, embedder: Embedder) -> Scores:
    """The numbers of clips [S, 3, T, H, W] that begin with the first frame of `real`."""
    frames, wanted = to_uint8(clip), to_uint8(real)
    told = content(frames, wanted[:, 0], embedder)
    return told if name == "real" else fidelity(wanted, frames) | told


def _report(scores: Scores, video: Tensor, seed: int) -> dict:
    told = {name: summary(values, video, seed) for name, values in scores.values.items()}
    values = {name: mean for name, (mean, _) in told.items()}
    return values | {
        "intervals": {name: between for name, (_, between) in told.items() if between},
        "counts": scores.counts,
    }


def _difference(scores: Scores, baseline: Scores, video: Tensor, seed: int) -> dict:
    """Metric -> how far above the baseline, on average over videos, and the interval. Pairs say more than two
    intervals: what is hard about a video is hard for both."""
    differences = {}
    for name, values in scores.values.items():
        means = by_video(values - baseline.values[name], video)
        if len(means):
            differences[name] = {"mean": means.mean().item(), "interval": interval(means, seed)}
    return differences


def _distances(real: Tensor, other: Tensor, protocol: str) -> dict:
    """Both distances of all clips; none for a single clip."""
    return compare(real, other, protocol) if len(real) > 1 else {}
