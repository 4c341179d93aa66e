"""A generator against a data set: Fréchet and kernel distance between features of as many clips of each.

Both sides travel one path: float clip -> uint8 frames, exactly as shown and saved -> float clip -> features. No codec,
no resizing but the feature network's own. Features of real clips are kept on disk, under a hash of all that decides
them.
"""

import hashlib
import json
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from ..conditions import Condition
from ..data.base import ClipSource, step_generator
from ..errors import VidganError
from ..files import cache_folder, replaced
from ..models import Generator
from ..video import to_clip, to_uint8
from .corruptions import CORRUPTIONS
from .embedders import Features
from .features import load_features
from .frechet import frechet_distance, gaussian, intervals, kernel_distance
from .recorded import Recorded

BATCH = 16  #: real clips drawn at a time; part of the protocol, as it decides which clips are drawn
IDLE = 16  #: draws in a row that bring nothing new, after which a source counts as exhausted
#: what `controls=True` measures in the same run
CONTROLS = ("floor", "frozen", "shuffled")


@dataclass(frozen=True)
class RealSet:
    """Distinct real clips, embedded: features [N, count]; label int64 [N], or None; digests uint8 [N, 16] of pixels."""

    features: Tensor
    label: Tensor | None
    digests: Tensor


def distance(
    generator: Generator | Recorded,
    source: ClipSource,
    clips: int = 512,
    seed: int = 0,
    *,
    batch_size: int = 16,
    controls: bool = False,
    features: Features | None = None,
    progress: bool = False,
) -> dict:
    """How far clips of `generator` are from those of `source`, as JSON: two distances and all that repeats them.

    The first `clips` distinct clips that the source draws for `seed`, against as many generated ones: latents of
    `seed`, labels as often as among the real clips, the length and size of the source. Keys `fvd_vidgan-HASH_512x16f64`
    and `kvd_...` name the features, the number of clips, frames and pixels. `controls`: adds the same distances, from
    the same real clips, to a second draw without any of them (`floor`: what a perfect generator would get), and to
    themselves frozen on the first frame and with frames shuffled (what every fair generator should beat; `note` says
    where frozen clips are nearer), and `intervals`, 95%, of both distances.
    Raises VidganError where generator and source do not fit each other, and for fewer than 2 clips.
    """
    features = features or load_features()
    if clips < 2:
        raise VidganError(f"A distance needs at least 2 clips on each side; {clips} was asked for.")
    real = real_features(source, clips, seed, features, progress=progress)
    if len(real.features) < 2:
        raise VidganError(
            f"{source.name} ({source.split}) gives only {len(real.features)} clip; at least 2 are needed."
        )
    made = generated_features(generator, source, real.label, clips, seed, features, batch_size, progress)
    result = between(source, real, made, clips, seed, features, controls=controls, progress=progress)
    result["generator"] = generator.info.name if generator.info else generator.architecture
    return result


def scored(generator: Generator | Recorded, source: ClipSource, clips: int = 512, seed: int = 0, **options) -> dict:
    """`distance` beside its controls, as every score should stand."""
    return distance(generator, source, clips, seed, controls=True, **options)


def between(
    source: ClipSource,
    real: RealSet,
    made: Tensor,
    clips: int,
    seed: int,
    features: Features,
    *,
    controls: bool = False,
    progress: bool = False,
) -> dict:
    """What `distance` reports, of the features [N, count] of clips that were made anyhow."""
    found = compare(real.features, made, protocol(source, clips, features))
    result = found | report(source, real, clips, seed, features)
    if controls:
        keys = [key for key in found if key.startswith(("fvd_", "kvd_"))]
        result["intervals"] = dict(zip(keys, intervals(real.features, made, seed=seed % 2**63), strict=True))
        result["controls"] = {
            name: control(source, real, clips, seed, features, name, progress=progress) for name in CONTROLS
        }
        frozen = result["controls"]["frozen"]
        beaten = [key.split("_")[0] for key in keys if frozen.get(key, math.inf) <= found[key]]
        if beaten:
            flag = f"Real clips frozen on their first frame score better ({', '.join(beaten)})."
            result["note"] = f"{result['note']} {flag}" if "note" in result else flag
    return result


#: what the controls are called in a table
CONTROL_NAMES = {
    "floor": "other real clips (the best there is)",
    "frozen": "real clips, frozen on their first frame",
    "shuffled": "real clips, frames shuffled",
}


def table(result: dict) -> list[str]:
    """What `distance` found as a Markdown table: this generator and its controls, a row each."""
    names = [name for name in result if name.startswith(("fvd_", "kvd_"))]
    lines = [f"| clips | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for name, row in {"this release": result, **result.get("controls", {})}.items():
        values = [_with_interval(row, key) if key in row else "" for key in names]
        lines.append(f"| {CONTROL_NAMES.get(name, name)} | {' | '.join(values)} |")
    if result["rank_deficient"]:
        lines.append("Fewer clips than features: the Fréchet distances say little; read the kernel distances.")
    return lines + ([result["note"]] if "note" in result else [])


def _with_interval(row: dict, key: str) -> str:
    low, high = row.get("intervals", {}).get(key, (None, None))
    return f"{row[key]:.3g}" if low is None else f"{row[key]:.3g} ({low:.3g} to {high:.3g})"


def protocol(source: ClipSource, clips: int, features: Features) -> str:
    """What a metric's name says after `fvd_` or `kvd_`."""
    return f"{features.title}_{clips}x{source.frames}f{source.size}"


def compare(real: Tensor, other: Tensor, protocol: str) -> dict:
    """Both distances between two sets of features, by name, and whether there are too few for the first."""
    a, b = gaussian(real), gaussian(other)
    return {
        f"fvd_{protocol}": frechet_distance(a, b),
        f"kvd_{protocol}": kernel_distance(real, other),
        "rank_deficient": a.rank_deficient or b.rank_deficient,
    }


def report(source: ClipSource, real: RealSet, clips: int, seed: int, features: Features) -> dict:
    """Everything that is needed to repeat a measurement, and what weakens it."""
    resized = {"resize": features.resize(source.size), "features": features.hash}
    return facts(source, len(real.features), clips, seed) | resized


def facts(source: ClipSource, found: int, clips: int, seed: int) -> dict:
    """Where real clips came from: `clips` were asked for, `found` were there; `note` is what weakens them."""
    told = {
        "data": source.name, "split": source.split, "clips": clips, "real_clips": found,
        "real_videos": _videos(source), "frames": source.frames, "size": source.size, "stride": _stride(source),
        "seed": seed, "source_seed": source.seed,
    }  # fmt: skip
    notes = []
    if told["real_videos"] and told["real_videos"] < found:
        flips = ", mirrored in half of the draws" if getattr(source, "flip", False) else ""
        notes.append(
            f"The {found} real clips are windows of {told['real_videos']} videos that overlap in time "
            f"(strides {told['stride']}{flips}): less varied than their number says."
        )
    if found < clips:
        notes.append(f"The split gives only {found} distinct clips.")
    return told | ({"note": " ".join(notes)} if notes else {})


def _videos(source: ClipSource) -> int | None:
    bank = getattr(source, "bank", None)
    if bank is not None:
        return len(bank)
    return len(source) if hasattr(source, "__len__") else None


def _stride(source: ClipSource) -> str:
    low, high = getattr(source, "stride", (1, 1))
    return str(low) if low == high else f"{low}-{high}"


# ------------------------------------------------------------------------------------------------ generated clips


def generated_features(
    generator: Generator,
    source: ClipSource,
    label: Tensor | None,
    clips: int,
    seed: int,
    features: Features,
    batch_size: int = 16,
    progress: bool = False,
) -> Tensor:
    """Features [clips, count] of what the generator draws for latents of `seed`."""
    drawn = generated(generator, source, label, clips, seed, batch_size, progress)
    return torch.cat([features.embed(clip) for clip, _ in drawn])


def generated(
    generator: Generator | Recorded,
    source: ClipSource,
    label: Tensor | None,
    clips: int,
    seed: int,
    batch_size: int = 16,
    progress: bool = False,
) -> Iterator[tuple[Tensor, Condition | None]]:
    """What the generator draws for latents of `seed`, `batch_size` clips at a time, as shown; and what it was told (see
    `conditions`). Recorded clips are what they are."""
    if isinstance(generator, Recorded):
        return ((clip, None) for clip in generator.drawn(source, clips, batch_size))
    return _generated(generator, source, label, clips, seed, batch_size, progress)


def _generated(generator: Generator, source: ClipSource, label, clips: int, seed: int, batch_size: int, progress: bool):
    if generator.size != source.size:
        raise VidganError(
            f"The generator draws {generator.size} pixels, but {source.name} was opened at {source.size}."
        )
    latents = generator.latent_space.sample(clips, seed, steps=generator.steps_for(source.frames))
    condition = generator.told_length(source.frames, conditions(generator, source, label, clips, seed))
    for start in tqdm(range(0, clips, batch_size), desc="generated clips", disable=not progress):
        chosen = slice(start, start + batch_size)
        rows = condition and condition.each(lambda value, chosen=chosen: value[chosen])
        clip = generator.generate(latents.slice(start, start + batch_size), rows, batch_size=batch_size)
        yield as_shown(clip), rows


def conditions(
    generator: Generator, source: ClipSource, real: Tensor | None, clips: int, seed: int
) -> Condition | None:
    """What each generated clip is told: a label, drawn as often as it is found among the labels int64 [N] of `real`
    clips; or, where the generator takes an image, the first frame and the label of each real clip in turn. None for a
    generator that takes neither. Raises VidganError where the data does not have the generator's labels."""
    classes = generator.config.classes
    names = labels_of(generator, source)
    image, label = None, None
    if generator.takes_image:
        image = to_clip(torch.cat([frames[:, :1] for frames, *_ in distinct(source, clips, seed, set(), False)]))
        turn = torch.arange(clips) % len(image)
        image, label = image[turn, :, 0], real[turn] if classes else None
    elif classes:
        counts = torch.bincount(real, minlength=classes).float()
        label = torch.multinomial(counts, clips, replacement=True, generator=step_generator(seed, 0, 0))
    if label is None:
        return None if image is None else Condition(image=image)
    label = torch.tensor(names)[label]
    return Condition(Condition.of_classes(label, classes).label, image)


def labels_of(generator: Generator, source: ClipSource) -> list[int] | None:
    """The generator's index of each of the source's labels, by name where it knows names, as they may stand in another
    order; None for a generator that takes no label. Raises VidganError where the data lacks the generator's labels."""
    classes = generator.config.classes
    if not classes:
        return None
    if len(source.labels) != classes:
        raise VidganError(
            f"The generator takes {classes} labels, but {source.name} has {len(source.labels) or 'none'}."
        )
    if not (generator.info and generator.info.labels):
        return list(range(classes))
    missing = [name for name in source.labels if name not in generator.labels]
    if missing:
        raise VidganError(f"The generator does not know the data's label {missing[0]!r}.")
    return [generator.labels.index(name) for name in source.labels]


def as_shown(clip: Tensor) -> Tensor:
    """The clip after it has been uint8 frames, as everybody gets to see it."""
    return to_clip(to_uint8(clip))


# ------------------------------------------------------------------------------------------------ real clips


def real_features(
    source: ClipSource, clips: int, seed: int, features: Features, *, spoil: str = "", progress: bool = False
) -> RealSet:
    """The first `clips` distinct clips that the source draws for `seed`: fewer where draws stop bringing new ones.

    spoil: "" or "NAME" or "NAME STRENGTH" of `corruptions.CORRUPTIONS`, done to the clips before they are embedded.
    """
    key = {"kind": spoil or "real", "clips": clips, "seed": seed}
    return _cached(source, features, key, lambda: _embed(source, clips, seed, features, spoil=spoil, progress=progress))


def floor_features(
    source: ClipSource, real: RealSet, clips: int, seed: int, features: Features, *, progress: bool = False
) -> RealSet:
    """A second draw of real clips, with none of the first: fewer where the source does not have as many."""
    without = hashlib.sha256(real.digests.numpy().tobytes()).hexdigest()[:16]
    key = {"kind": "floor", "clips": clips, "seed": seed, "without": without}
    seen = {bytes(row.tolist()) for row in real.digests}
    return _cached(
        source, features, key, lambda: _embed(source, clips, seed, features, seen, second=True, progress=progress)
    )


def control(
    source: ClipSource, real: RealSet, clips: int, seed: int, features: Features, kind: str, *, progress=False
) -> dict:
    """The distances from real clips to a control: "floor", or a corruption as `real_features` takes it."""
    if kind == "floor":
        other = floor_features(source, real, clips, seed, features, progress=progress)
    else:
        other = real_features(source, clips, seed, features, spoil=kind, progress=progress)
    if len(other.features) < 2:
        return {"clips": len(other.features)}
    return {**compare(real.features, other.features, protocol(source, clips, features)), "clips": len(other.features)}


def _embed(
    source: ClipSource,
    clips: int,
    seed: int,
    features: Features,
    seen: set[bytes] | None = None,
    *,
    spoil: str = "",
    second: bool = False,
    progress: bool = False,
) -> RealSet:
    parts, labels, digests = [], [], []
    name, _, strength = spoil.partition(" ")
    with tqdm(total=clips, desc=f"{source.name} {spoil or 'clips'}", disable=not progress) as bar:
        for index, (clip, label, digest) in enumerate(distinct(source, clips, seed, seen or set(), second)):
            clip = to_clip(clip)
            if spoil:
                random = step_generator(seed, 1, index)
                clip = as_shown(CORRUPTIONS[name](clip, float(strength or 1), random))
            parts.append(features.embed(clip))
            labels.append(label)
            digests.append(digest)
            bar.update(len(clip))
    if not parts:
        return RealSet(torch.empty(0, features.count), None, torch.empty(0, 16, dtype=torch.uint8))
    label = None if labels[0] is None else torch.cat(labels)
    return RealSet(torch.cat(parts), label, torch.cat(digests))


def distinct(
    source: ClipSource, clips: int, seed: int, seen: set[bytes], second: bool
) -> Iterator[tuple[Tensor, Tensor | None, Tensor]]:
    """Up to `clips` clips whose pixels are not in `seen` and not drawn twice: uint8 [b, T, H, W, 3], label, digest.

    The draws have nothing to do with those of training. Ends early where draws keep bringing nothing new.
    """
    step = (2 * seed + second + 1) << 32
    found, idle = 0, 0
    while found < clips and idle < IDLE:
        batch = source.batch(BATCH, step)
        frames = torch.from_numpy(to_uint8(batch.clip))
        fresh, digests = [], []
        for row, clip in enumerate(frames):
            digest = hashlib.blake2b(clip.numpy().tobytes(), digest_size=16).digest()
            if digest not in seen and found + len(fresh) < clips:
                seen.add(digest)
                fresh.append(row)
                digests.append(list(digest))
        step, found = step + 1, found + len(fresh)
        idle = 0 if fresh else idle + 1
        if fresh:
            label = None if batch.label is None else batch.label.cpu()[fresh]
            yield frames[fresh], label, torch.tensor(digests, dtype=torch.uint8)


# ------------------------------------------------------------------------------------------------ kept on disk


def _cached(source: ClipSource, features: Features, key: dict, compute: Callable[[], RealSet]) -> RealSet:
    """`compute()`, or what it gave when everything that decides it was the same."""
    key = {"version": 1, "features": features.title, "batch": BATCH, **key}
    found = kept("features", source, key, lambda: vars(compute()))
    return RealSet(found["features"], found.get("label"), found["digests"])


def kept(
    kind: str, source: ClipSource, key: dict, compute: Callable[[], dict[str, Tensor | None]]
) -> dict[str, Tensor]:
    """The tensors of `compute()`, or those that it gave when source and `key` were the same, from the folder `kind` of
    the cache. A cache that cannot be read or written is done without."""
    decides = {"source": fingerprint(source), **key}
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True, default=str).encode()).hexdigest()[:16]
    path = cache_folder() / kind / f"{source.name}-{source.split}-{digest}.safetensors"
    with suppress(OSError, SafetensorError):
        return load_file(path)
    computed = {name: value.contiguous() for name, value in compute().items() if value is not None}
    with suppress(OSError, SafetensorError), replaced(path) as draft:
        save_file(computed, draft)
    return computed


def fingerprint(source: ClipSource) -> dict:
    """All that decides a source's clips: its plain attributes, its file's size and time, and the pixels of a batch."""
    plain = {
        name: value
        for name, value in vars(source).items()
        if name != "device" and isinstance(value, str | int | float | bool | tuple | list | dict) and _is_json(value)
    }
    path = getattr(source, "path", None)
    file = [path.stat().st_size, path.stat().st_mtime_ns] if isinstance(path, Path) and path.is_file() else None
    probe = hashlib.sha256(to_uint8(source.batch(4, 0).clip).tobytes()).hexdigest()
    return {"type": type(source).__name__, "name": source.name, "plain": plain, "videos": _videos(source), "file": file,
            "probe": probe}  # fmt: skip


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True
