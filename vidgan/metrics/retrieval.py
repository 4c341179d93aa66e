"""Nearest training clips of generated ones (MVT-GAN, Figure 6), and whether they are nearer than they should be.

Two ways to be near: Euclidean distance between feature vectors (features.py), and root mean square difference of
pixels, in levels of 255. The memorisation score compares how near generated and held-out clips come to the training
clips: the Mann-Whitney statistic of Meehan et al. 2020 ("A Non-Parametric Test to Detect Data-Copying in Generative
Models"), over all of the data at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from ..data.base import ClipSource
from ..errors import VidganError, unknown
from ..models import Generator
from ..video import grid, to_uint8
from .clips import check_pair
from .distance import distinct, facts, floor_features, generated, real_features
from .embedders import Features
from .features import load_features
from .scores import DRAWS

BLOCK, PART = 128, 32  #: keys and queries that are compared at a time: clips of 16 x 64 x 64 take 200 and 50 MB


@dataclass(frozen=True)
class Neighbours:
    """The k nearest keys of each of N queries, nearest first. index: int64 [N, k]; distance: float64 [N, k]."""

    index: Tensor
    distance: Tensor


def nearest(queries: Tensor, keys: Tensor, k: int = 3) -> Neighbours:
    """The `k` nearest of `keys` [M, ...] to each of `queries` [N, ...], Euclidean; of equals, the first comes first.

    In float64, where whole numbers such as uint8 pixels are exact. Raises VidganError for fewer than k keys, no query,
    another shape, and NaN or infinite numbers.
    """
    return search(queries, keys.split(BLOCK), k)


def search(queries: Tensor, blocks: Iterator[Tensor], k: int = 3) -> Neighbours:
    """As `nearest`, of keys that come in `blocks` [m, ...] and need not fit into memory together."""
    if k < 1 or not len(queries):
        raise VidganError(f"At least 1 neighbour of 1 clip is looked for; asked for {k} of {len(queries)}.")
    lengths = torch.cat([_double(part).square().sum(1) for part in queries.split(PART)])
    squared = torch.full((len(queries), 0), torch.inf, dtype=torch.float64)
    index, seen = torch.empty(len(queries), 0, dtype=torch.long), 0
    for keys in blocks:
        if keys.shape[1:] != queries.shape[1:]:
            raise VidganError(f"Clips of {list(queries.shape[1:])} and of {list(keys.shape[1:])} cannot be compared.")
        apart = _squared(queries, lengths, keys)
        if not torch.isfinite(apart).all():
            raise VidganError("Distances are NaN or infinite: the clips hold numbers that are.")
        numbers = torch.arange(seen, seen + len(keys)).expand(len(queries), -1)
        squared, order = torch.cat([squared, apart], 1).sort(dim=1, stable=True)
        squared, index = squared[:, :k], torch.cat([index, numbers], 1).gather(1, order[:, :k])
        seen += len(keys)
    if seen < k:
        raise VidganError(f"{k} nearest clips were asked for, but there are only {seen}.")
    return Neighbours(index, squared.sqrt())


def _squared(queries: Tensor, lengths: Tensor, keys: Tensor) -> Tensor:
    """Squared distances float64 [N, m]; lengths: squared, of the queries, float64 [N]."""
    keys = _double(keys)
    products = torch.cat([_double(part) @ keys.T for part in queries.split(PART)])
    return (lengths[:, None] + keys.square().sum(1) - 2 * products).clamp_(min=0)


def _double(vectors: Tensor) -> Tensor:
    return vectors.flatten(1).double()


# ------------------------------------------------------------------------------------------------ the score


def memorisation(made: Tensor, held: Tensor) -> float:
    """How often a generated clip is nearer to its nearest training clip than a held-out clip is to its own, over all
    pairs, equal ones counting half; of those distances [N] and [M].

    About 1 for a generator that copies training clips, 0.5 for one whose clips are as near as unseen real ones, 0 for
    one whose clips are far from all. Raises VidganError for no clips on a side, and NaN.
    """
    made, held = torch.as_tensor(made).double().contiguous(), torch.as_tensor(held).double().sort().values
    if made.ndim != 1 or held.ndim != 1 or not len(made) or not len(held):
        raise VidganError(f"Distances are needed on both sides; there are {list(made.shape)} and {list(held.shape)}.")
    if made.isnan().any() or held.isnan().any():
        raise VidganError("Distances to training clips hold NaN.")
    nearer = torch.searchsorted(held, made)
    not_farther = torch.searchsorted(held, made, right=True)
    return 1 - ((nearer + not_farther).double().mean() / (2 * len(held))).item()


def memorisation_interval(made: Tensor, held: Tensor, seed: int = 0) -> list[float]:
    """The bootstrap's 95% interval of `memorisation`: clips of both sides drawn with replacement."""
    random = torch.Generator().manual_seed(seed)
    scores = []
    for _ in range(DRAWS):
        rows, others = (torch.randint(len(side), (len(side),), generator=random) for side in (made, held))
        scores.append(memorisation(made[rows], held[others]))
    return torch.quantile(torch.tensor(scores), torch.tensor([0.025, 0.975])).tolist()


# ------------------------------------------------------------------------------------------------ a generator


@dataclass(frozen=True)
class Retrieval:
    """What `retrieve` found. result: as JSON; generated: uint8 [N, T, H, W, 3]; neighbours: "features" and "pixels" ->
    the nearest training clips of each, numbered in the order that the train split draws them."""

    result: dict
    generated: Tensor
    neighbours: dict[str, Neighbours]


def retrieve(
    generator: Generator,
    train: ClipSource,
    test: ClipSource,
    clips: int = 512,
    seed: int = 0,
    *,
    train_clips: int | None = None,
    k: int = 3,
    batch_size: int = 16,
    features: Features | None = None,
    progress: bool = False,
) -> Retrieval:
    """The `k` nearest training clips of each generated one, and the memorisation score, in features and in pixels.

    `clips` generated clips (latents of `seed`, labels as often as among the training clips) and as many distinct test
    clips, against the first `train_clips` (default: four times as many) distinct clips of the train split. The result
    holds `memorisation_vidgan-HASH_512of2048x16f64` and `memorisation_pixels_...` with `intervals` (95%), medians of
    the distance to the nearest training clip as `nearest`, and in `controls` the same for other clips of the train
    split: what a generator that draws new clips of the very training videos or people would get.
    Raises VidganError where generator and splits do not fit, and for fewer than 2 clips or k training clips.
    """
    check_pair(generator, train, test)
    train_clips = 4 * clips if train_clips is None else train_clips
    if clips < 2 or train_clips < k:
        raise VidganError(f"At least 2 clips and {k} training clips are needed; asked for {clips} and {train_clips}.")
    features = features or load_features()
    known = real_features(train, train_clips, seed, features, progress=progress)
    held = real_features(test, clips, seed, features, progress=progress)
    other = floor_features(train, known, clips, seed, features, progress=progress)
    drawn = list(generated(generator, train, known.label, clips, seed, batch_size, progress))
    seen = {bytes(row.tolist()) for row in known.digests}
    vectors = [torch.cat([features.embed(clip) for clip, _ in drawn]), held.features, other.features]
    frames = [
        torch.cat([torch.from_numpy(to_uint8(clip)) for clip, _ in drawn]),
        _frames(distinct(test, clips, seed, set(), False)),
        _frames(distinct(train, clips, seed, seen, True)),
    ]
    del drawn
    blocks = tqdm(_blocks(distinct(train, train_clips, seed, set(), False)), desc="pixels", disable=not progress)
    pixels = search(torch.cat([part for part in frames if len(part)]), blocks, k)
    found = {
        "features": nearest(torch.cat(vectors), known.features, k),
        "pixels": Neighbours(pixels.index, pixels.distance / frames[0][0].numel() ** 0.5),
    }
    sizes = [len(part) for part in vectors]
    protocol = f"{clips}of{train_clips}x{train.frames}f{train.size}"
    result = _scores({features.title: found["features"], "pixels": found["pixels"]}, protocol, sizes, seed)
    result |= facts(test, len(held.features), clips, seed) | {
        "train_clips": len(known.features), "k": k, "features": features.hash,
        "generator": generator.info.name if generator.info else generator.architecture,
    }  # fmt: skip
    notes = [result["note"]] if "note" in result else []
    if len(known.features) < train_clips:
        notes.append(f"The train split gives only {len(known.features)} distinct clips.")
    if min(clips, len(held.features)) < features.count:
        notes.append(f"Fewer clips on a side than features ({features.count}): read the intervals, not the scores.")
    if notes:
        result["note"] = " ".join(notes)
    near = {space: Neighbours(all.index[:clips], all.distance[:clips]) for space, all in found.items()}
    return Retrieval(result, frames[0], near)


def _scores(found: dict[str, Neighbours], protocol: str, sizes: list[int], seed: int) -> dict:
    """Both scores, of the nearest neighbours of generated, held-out and other training clips, `sizes` of each."""
    result = {"intervals": {}, "nearest": {}, "controls": {"training": {"clips": sizes[2]}}}
    for space, neighbours in found.items():
        name = f"memorisation_{space}_{protocol}"
        made, held, other = neighbours.distance[:, 0].split(sizes)
        result[name] = memorisation(made, held)
        result["intervals"][name] = memorisation_interval(made, held, seed)
        result["nearest"][name] = {"generated": made.median().item(), "held_out": held.median().item()}
        if len(other):
            result["controls"]["training"][name] = memorisation(other, held)
            result["nearest"][name]["training"] = other.median().item()
    return result


def table(result: dict) -> list[str]:
    """What `retrieve` found as a Markdown table."""
    lines = [
        "| | score | other clips of the train split | median distance: generated | held out |",
        "|---|---|---|---|---|",
    ]
    for name, (low, high) in result["intervals"].items():
        control, medians = result["controls"]["training"].get(name), result["nearest"][name]
        lines.append(
            f"| {name} | {result[name]:.3f} ({low:.3f} to {high:.3f}) | {'' if control is None else f'{control:.3f}'} "
            f"| {medians['generated']:.3g} | {medians['held_out']:.3g} |"
        )
    return lines + ([result["note"]] if "note" in result else [])


def sheet(found: Retrieval, train: ClipSource, rows: int = 8, space: str = "features") -> np.ndarray:
    """Figure 6: the first `rows` generated clips, each followed by its nearest training clips, as one clip uint8
    [T, height, width, 3]. VidganError for an unknown space."""
    if space not in found.neighbours:
        raise unknown("space", space, found.neighbours)
    index = found.neighbours[space].index[:rows]
    wanted, frames, start = set(index.flatten().tolist()), {}, 0
    for part, *_ in distinct(train, found.result["train_clips"], found.result["seed"], set(), False):
        frames |= {start + row: clip.numpy() for row, clip in enumerate(part) if start + row in wanted}
        start += len(part)
    pairs = zip(found.generated, index.tolist())
    return grid([[clip.numpy(), *(frames[number] for number in near)] for clip, near in pairs])


def _frames(clips: Iterator[tuple]) -> Tensor:
    """uint8 [N, T, H, W, 3] of what `distinct` draws; nothing where that is nothing."""
    parts = [frames for frames, *_ in clips]
    return torch.cat(parts) if parts else torch.empty(0)


def _blocks(clips: Iterator[tuple]) -> Iterator[Tensor]:
    """What `distinct` draws in larger parts, as each part is compared with all queries."""
    waiting = []
    for frames, *_ in clips:
        waiting.append(frames)
        if sum(map(len, waiting)) >= BLOCK:
            yield torch.cat(waiting)
            waiting = []
    if waiting:
        yield torch.cat(waiting)
