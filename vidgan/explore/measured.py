"""What has been measured of several releases, side by side: numbers of one protocol in one row, never of two.

A metric's key names its protocol in short (`fvd_vidgan-d0fe21d9_512x16f64`); the rest of it, the split, the strides and
seeds and the options of the data, stands beside it in a release's metrics.json. Only where all of this is the same do
two numbers stand in one row.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..models import ReleaseInfo

#: options of a data set that leave its held-out clips what they are
TRAINING_ONLY = ("vary", "flip", "bank")
#: what a metric's key begins with -> (name, what is better, what it says)
METRICS = {
    "fvd": ("Fréchet distance", "low", "How far the clips are from real ones, all together."),
    "kvd": (
        "Kernel distance",
        "low",
        "The same by another measure, which does not depend on how many clips there are.",
    ),
    "is": ("Inception Score", "high", "Whether clips are surely of one class, and all classes as frequent."),
    "s3": ("S3", "high", "Whether a classifier learns from generated clips what it learns from real ones."),
    "ppl": ("Path length", "low", "How unevenly clips change along short steps through the latents."),
    "memorisation": (
        "Memorisation",
        "",
        "1 for copies of training clips; 0.5: as near to them as unseen real clips are.",
    ),
    "memorisation_pixels": (
        "Memorisation in pixels",
        "",
        "The same, of clips compared pixel by pixel.",
    ),
    "ssim_moving16": (
        "SSIM where it moves",
        "high",
        "Likeness to the real clip of the same picture, where that moves.",
    ),
    "ssim": ("SSIM", "high", "Likeness to the real clip of the same picture."),
    "psnr_moving16": ("PSNR where it moves", "high", "Likeness to the real clip, in decibels, where that moves."),
    "psnr": ("PSNR", "high", "Likeness to the real clip of the same picture, in decibels."),
    "l1": ("L1 difference", "low", "Mean difference from the real clip of the same picture."),
    "acd_c": ("ACD-C", "real", "Whether it is one person throughout the clip: best as in real clips."),
    "acd_i": ("ACD-I", "real", "Whether it is the person of the picture: best as in real clips."),
}
BETTER = {"low": "lower is better", "high": "higher is better", "real": "best as in real clips"}
#: what stands in metrics.json beside a release's own numbers -> what it was measured of
SCALES = {
    "floor": "other real clips",
    "frozen": "real, frozen",
    "shuffled": "real, shuffled",
    "repeat": "picture, frozen",
    "real": "real clips",
}
_FORM = re.compile(r"(?:_(?:(\d+)(?:of(\d+))?x)?(\d+)f(\d+))$")


@dataclass(frozen=True)
class Row:
    """Numbers of one metric and one protocol. values: one for each release, None where it was not measured like that;
    intervals: their 95% intervals; best: the index of the best of several; scales: what was measured in the same way of
    real clips and the like, name -> (lowest, highest) over the releases; protocol: in words."""

    key: str
    name: str
    better: str
    meaning: str
    protocol: tuple[str, ...]
    values: tuple[float | None, ...]
    intervals: tuple[tuple[float, float] | None, ...]
    best: int | None = None
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)


def table(infos: Sequence[ReleaseInfo]) -> list[Row]:
    """A row for each metric and protocol: those that more releases share first, each kind in the order of METRICS."""
    found: dict[tuple, list[Mapping | None]] = {}
    for index, info in enumerate(infos):
        for metrics in (info.metrics, *filter(_is_mapping, _part(info.metrics, "more").values())):
            for key in metrics:
                if number(metrics[key]) is not None and form(key):
                    whole = (key, info.takes_image, *_beside(metrics))  # given a real picture, it is another task
                    found.setdefault(whole, [None] * len(infos))[index] = metrics
    order = list(METRICS)
    rows = [_row(whole[0], told) for whole, told in found.items()]

    def place(row: Row) -> tuple:
        name = start(row.key)
        missing = [value is None for value in row.values]
        return sum(missing), order.index(name) if name in order else len(order), missing.index(False), row.key

    return sorted(rows, key=place)


def start(key: str) -> str:
    """What a metric is called in METRICS; what comes before the protocol for one that is not there."""
    known = [name for name in METRICS if key.startswith(f"{name}_")]
    return max(known, key=len) if known else key[: -len(_FORM.search(key)[0])] if _FORM.search(key) else key


def form(key: str) -> str:
    """The end of a key in words, `512x16f64`: 512 clips of 16 frames, 64×64 pixels. Empty for one without."""
    match = _FORM.search(key)
    if not match:
        return ""
    clips, videos, frames, size = match.groups()
    first = f"{int(clips):,} clips of " if clips else ""
    searched = start(key).startswith("memorisation")
    others = "training clips, to find the nearest of" if searched else "videos, to take them from"
    return f"{first}{frames} frames, {size}×{size}{f', {videos} {others}' if videos else ''}"


def number(value: object) -> float | None:
    """A finite number, itself; None for anything else that JSON may hold."""
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if fits else None


def _beside(metrics: Mapping) -> tuple:
    """What a protocol is besides its key."""
    names = ("data", "split", "stride", "seed", "source_seed", "resize")
    options = metrics.get("data_options")
    options = options if isinstance(options, list) else []
    kept = [str(option) for option in options if str(option).partition("=")[0] not in TRAINING_ONLY]
    return (*(str(metrics.get(name, "")) for name in names), tuple(sorted(kept)))


def _row(key: str, told: Sequence[Mapping | None]) -> Row:
    name, better, meaning = METRICS.get(start(key), (start(key), "", ""))
    what = key[len(start(key)) + 1 :].split("_")[:-2]  # before the features and the form: of what, as ppl has it
    name += f" ({', '.join(what)})" if what else ""
    values = tuple(None if metrics is None else number(metrics[key]) for metrics in told)
    scales: dict[str, tuple[float, float]] = {}
    for metrics in filter(None, told):
        for what, words in SCALES.items():
            for group in (_part(metrics, "controls"), _part(metrics, "baselines"), metrics):
                value = number(_part(group, what).get(key))
                if value is not None:
                    low, high = scales.get(words, (value, value))
                    scales[words] = (min(low, value), max(high, value))
    intervals = tuple(_interval(metrics, key) if metrics else None for metrics in told)
    first = next(metrics for metrics in told if metrics is not None)
    best = _best(values, better, scales.get(SCALES["real"]))
    return Row(key, name, better, meaning, _words(key, first), values, intervals, best, scales)


def _part(metrics: Mapping, name: str) -> Mapping:
    value = metrics.get(name)
    return value if isinstance(value, dict) else {}


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _interval(metrics: Mapping, key: str) -> tuple[float, float] | None:
    pair = _part(metrics, "intervals").get(key)
    pair = [number(value) for value in pair] if isinstance(pair, list) and len(pair) == 2 else [None]
    return None if None in pair else tuple(pair)


def _best(values: Sequence[float | None], better: str, real: tuple[float, float] | None) -> int | None:
    """The index of the best of two or more different numbers; None where nothing can be said."""
    known = {index: value for index, value in enumerate(values) if value is not None}
    if len(set(known.values())) < 2:
        return None
    if better == "real" and real:
        return min(known, key=lambda index: abs(known[index] - real[0]))
    if better in ("low", "high"):
        return (min if better == "low" else max)(known, key=known.get)
    return None


def _words(key: str, metrics: Mapping) -> tuple[str, ...]:
    """The whole protocol, a few words each."""
    better = METRICS.get(start(key), ("", "", ""))[1]
    words = [key, *([BETTER[better]] if better else []), form(key)]
    if "real_clips" in metrics:
        videos = f" of {metrics['real_videos']} videos" if "real_videos" in metrics else ""
        words.append(f"against {metrics['real_clips']} real clips{videos}")
    if "videos" in metrics:
        starts = f", {metrics['starts']} starts in each" if "starts" in metrics else ""
        words.append(f"pictures of {metrics['videos']} videos{starts}")
    split = metrics.get("split")
    words.append("held-out split (test)" if split == "test" else f"split {split}" if split else "split not told")
    words += [
        f"{name.replace('_', ' ')} {metrics[name]}" for name in ("stride", "seed", "source_seed") if name in metrics
    ]
    options = [option for option in _beside(metrics)[-1] if option]
    words += [f"data with {', '.join(options)}"] if options else []
    if metrics.get("rank_deficient") and key.startswith("fvd_"):
        words.append("fewer clips than features: this says little")
    if isinstance(metrics.get("note"), str):
        words.append(metrics["note"])
    return tuple(str(word)[:300] for word in words)
