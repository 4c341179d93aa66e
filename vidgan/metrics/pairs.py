"""Clips beside the real ones that begin with the same picture: what image-to-video is measured by (ImaGINator, 4.2).

The pairs are drawn from a data set (animation.py), or are videos of the same name in two folders, made by anyone.
"""

from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..errors import VidganError
from ..video import to_clip, to_uint8
from .content import content
from .corruptions import frozen
from .distance import compare
from .embedders import Features
from .features import load_features
from .fidelity import check_installed, fidelity
from .identity import Embedder, load_identity
from .recorded import files, listed, read_clip
from .scores import Scores, by_video, interval, summary

WHOSE = ("made", "repeat", "real")


class Pairs:
    """Gathers pairs and says what there is to say of them: SSIM, PSNR, L1, ACD-C, ACD-I, Fréchet and kernel distance,
    beside two baselines: the first real frame for as long as the clip lasts, and the real clips themselves."""

    def __init__(self, embedder: Embedder | None = None, features: Features | None = None):
        self.embedder, self.features = embedder or load_identity(), features or load_features()
        self._scores: dict[str, list[Scores]] = {name: [] for name in WHOSE}
        self._features: dict[str, list[Tensor]] = {name: [] for name in WHOSE}
        self._video: list[int] = []
        self._form = ""

    def add(self, real: Tensor, made: Tensor, video: int) -> None:
        """Clips [S, 3, T, H, W] as shown, all of the video of that number."""
        self._form = f"{real.shape[2]}f{real.shape[3]}"
        wanted = to_uint8(real)
        for name, clip in zip(WHOSE, (made, frozen(real), real), strict=True):
            frames = to_uint8(clip)
            told = content(frames, wanted[:, 0], self.embedder)
            self._scores[name].append(told if name == "real" else fidelity(wanted, frames) | told)
            self._features[name].append(self.features.embed(clip))
        self._video += [video] * len(real)

    def result(self, seed: int = 0) -> dict:
        """JSON: means over videos of means over their clips, `intervals` (95%, bootstrap over videos), `counts` of what
        was capped, left out or not found; `baselines`, with `difference` from the first: how far above it, video by
        video. Each name carries its protocol."""
        video = torch.tensor(self._video)
        clips, videos = len(video), len(video.unique())
        scores = {name: Scores.join(rows) for name, rows in self._scores.items()}
        vectors = {name: torch.cat(rows) for name, rows in self._features.items()}
        shown = f"{self.features.title}_{clips}of{videos}x{self._form}"
        made, repeat = (
            (compare(vectors["real"], vectors[name], shown) if clips > 1 else {}) | _report(scores[name], video, seed)
            for name in ("made", "repeat")
        )
        repeat["difference"] = _difference(scores["made"], scores["repeat"], video, seed)
        made["baselines"] = {"repeat": repeat, "real": _report(scores["real"], video, seed)}
        about = {"embedder": self.embedder.name, "features": self.features.hash, "seed": seed}
        return made | {"videos": videos, "clips": clips} | about


def table(result: dict) -> list[str]:
    """A Markdown table: a row for each number, with its interval, and the baselines."""
    baselines = result["baselines"]
    rows = {"repeats its input": baselines["repeat"], "real clips": baselines["real"]}
    lines = [f"| | {result['generator']} | {' | '.join(rows)} |", "|---|---|---|---|"]
    for name in result:
        if name.startswith(("ssim_", "psnr_", "l1_", "acd_", "fvd_", "kvd_")):
            lines.append(f"| {name} | {' | '.join(_cell(row, name) for row in (result, *rows.values()))} |")
    return lines + ([result["note"]] if "note" in result else [])


def paired(
    made: str | Path,
    real: str | Path,
    seed: int = 0,
    *,
    embedder: Embedder | None = None,
    features: Features | None = None,
    progress: bool = False,
) -> dict:
    """Videos of the folder `made` against those of `real` that have the same names (but for the suffix), as JSON.

    Of each pair, all frames of the made clip and as many of the real one, from its first on: nothing is resized. All
    pairs have the length and size of the first; others, and files without a partner or that cannot be read, are left
    out and told in `left_out` and `note`. Videos that went through a codec are measured as they are. VidganError where
    no pair is left.
    """
    folders = [Path(folder).expanduser() for folder in (made, real)]
    for folder in folders:
        if not folder.is_dir():
            raise VidganError(f"{folder} is no folder.")
    check_installed()
    partners = {str(path.relative_to(folders[1]).with_suffix("")): path for path in files(folders[1])}
    pairs, form, left_out = Pairs(embedder, features), None, {}
    used: list[str] = []
    for path in tqdm(list(files(folders[0])), desc=folders[0].name, disable=not progress):
        name = str(path.relative_to(folders[0]))
        partner = partners.get(str(Path(name).with_suffix("")))
        try:
            if partner is None:
                raise VidganError(f"no video of this name in {folders[1].name}")
            clip, wanted = read_clip(path), read_clip(partner)
            _check(clip.shape, wanted.shape, form)
        except (VidganError, OSError, ValueError) as error:
            left_out[name] = "cannot be read" if isinstance(error, OSError) else str(error).rstrip(".")
            continue
        form = clip.shape
        pairs.add(*(to_clip(frames[None]) for frames in (wanted[: len(clip)], clip)), len(used))
        used.append(name)
    note = listed("Left out", left_out) if left_out else ""
    if not used:
        raise VidganError(f"{folders[0]} and {folders[1]} have no pair of videos in common. {note}".strip())
    return pairs.result(seed) | {
        "generator": folders[0].name or str(folders[0]), "data": folders[1].name or str(folders[1]),
        "frames": form[0], "size": form[1], "left_out": left_out, **({"note": note} if note else {}),
    }  # fmt: skip


def _check(made: tuple, real: tuple, form: tuple | None) -> None:
    """VidganError where a made clip [T, H, W, 3] is not of the real one's size, longer, or unlike those before it."""
    if made[1:] != real[1:] or made[0] > real[0]:
        raise VidganError(f"{_words(made)}, the real one {_words(real)}")
    if form and made != form:
        raise VidganError(f"{_words(made)}, those before it {_words(form)}")
    if made[1] != made[2]:
        raise VidganError(f"{_words(made)}: not square")


def _words(shape: tuple) -> str:
    return f"{shape[0]} frames of {shape[2]}x{shape[1]}"


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


def _cell(row: dict, name: str) -> str:
    if row.get(name) is None:
        return ""
    low, high = row.get("intervals", {}).get(name, (None, None))
    return f"{row[name]:.3f}" + (f" ({low:.3f} to {high:.3f})" if low is not None else "")
