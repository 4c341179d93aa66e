"""The Symmetric Similarity Score (MVT-GAN, section 5, Eq. 9): do classifiers carry over between real and generated?

One classifier learns from real clips, one from generated ones, by the same schedule from the same weights. Accuracies:
ReR (learnt from real, tested on real), ReS (learnt from real, tested on generated: are they realistic?) and SeR (learnt
from generated, tested on real: are they realistic and diverse?). S3 = sqrt(SeR ReS) / ReR.
"""

import math

import torch
from torch import Tensor

from ..data.base import ClipSource
from ..errors import VidganError
from ..latents import MAX_SEED
from ..models import Generator
from .classifier import ClassifierOptions, describe, fit, hits, real_classifier
from .clips import FEW, Clips, check_pair, check_told, generated_clips, real_clips
from .distance import facts
from .scores import DRAWS


def s3(ser: float, res: float, rer: float) -> float:
    """sqrt((SeR / ReR) (ReS / ReR)), Eq. 9, of accuracies from 0 to 1: 1 where generated clips serve as well as real
    ones. VidganError for anything else, and where ReR is 0, as nothing can be told from such a classifier."""
    for name, value in (("SeR", ser), ("ReS", res), ("ReR", rer)):
        if not 0 <= value <= 1:
            raise VidganError(f"{name} is {value}; an accuracy lies between 0 and 1.")
    if rer == 0:
        raise VidganError("ReR is 0: a classifier that names no real clip rightly has nothing to say of others.")
    return math.sqrt(ser * res) / rer


def similarity(
    generator: Generator,
    train: ClipSource,
    test: ClipSource,
    clips: int = 512,
    seed: int = 0,
    *,
    classifiers: int = 1,
    classifier: ClassifierOptions | None = None,
    batch_size: int = 16,
    progress: bool = False,
) -> dict:
    """S3 of `generator`, as JSON.

    The first `clips` distinct clips that either split draws for `seed`, and as many generated ones (latents of `seed`,
    labels as often as among the train clips), which one classifier learns from and the other is tested on. Key
    `s3_CLASSIFIER_512x16f64` names the classifier, the number of clips, frames and pixels: the mean over `classifiers`
    seeds of classifiers (seed, seed + 1, ...), with `ser`, `res`, `rer` likewise, `spread` (standard deviation over
    those seeds), `runs` (each of them), `intervals` (95%, bootstrap over clips) and `chance` (the share of the most
    frequent label among the test clips). Where a classifier names no test clip rightly there is no S3: None.
    Raises VidganError where generator and splits do not fit, for fewer than 2 labels and for a generator without any.
    """
    classifier = classifier or ClassifierOptions()
    check_pair(generator, train, test)
    if classifiers < 1:
        raise VidganError(f"At least 1 classifier is needed; {classifiers} was asked for.")
    check_told(generator, train)
    real, held = real_clips(train, clips, seed), real_clips(test, clips, seed)
    made = generated_clips(generator, train, real.label, clips, seed, batch_size, progress)
    if len(made.label.unique()) < 2:
        raise VidganError(f"All {len(made)} generated clips were told one label: a classifier needs two. Take more.")
    runs, networks, right = [], [], {"ser": [], "res": [], "rer": []}
    for number in range(classifiers):
        chosen = (seed + number) % (MAX_SEED + 1)
        told = {"device": generator.device, "progress": progress}
        by_real = real_classifier(train, test, clips, seed, classifier, chosen, **told)
        networks.append(describe(by_real, classifier))
        by_made = fit(made, len(train.labels), classifier, chosen, test=held, **told)
        named = {"ser": hits(by_made, held), "res": hits(by_real, made), "rer": hits(by_real, held)}
        rates = {name: value.double().mean().item() for name, value in named.items()}
        runs.append({"seed": chosen, **rates, "s3": s3(**rates) if rates["rer"] else None})
        for name, value in named.items():
            right[name].append(value)
    name = f"s3_{classifier.network}_{clips}x{train.frames}f{train.size}"
    between = _interval({name: torch.stack(rows).double() for name, rows in right.items()}, seed)
    chance = (held.label.bincount().max() / len(held)).item()
    result = {
        name: _mean(runs, "s3"),
        **{rate: _mean(runs, rate) for rate in right},
        "chance": chance,
        "spread": {rate: _spread(runs, rate) for rate in ("s3", *right)},
        "intervals": {name: between} if between else {},
        "runs": runs,
        **facts(test, len(held), clips, seed),
        "train_clips": len(real), "generated_clips": len(made), "classes": len(train.labels),
        "classifier": networks[0],
        "generator": generator.info.name if generator.info else generator.architecture,
    }  # fmt: skip
    return result | _notes(result, train, real, held)


def table(result: dict) -> list[str]:
    """What `similarity` found as a Markdown table."""
    (name,) = [key for key in result if key.startswith("s3_")]
    score = "none" if result[name] is None else f"{result[name]:.3f}"
    if name in result["intervals"]:
        score += " ({:.3f} to {:.3f})".format(*result["intervals"][name])
    rates = " | ".join(f"{result[key]:.3f}" for key in ("ser", "res", "rer", "chance"))
    lines = [f"| {name} | SeR | ReS | ReR | chance |", "|---|---|---|---|---|", f"| {score} | {rates} |"]
    return lines + ([result["note"]] if "note" in result else [])


def _mean(runs: list[dict], name: str) -> float | None:
    values = [run[name] for run in runs]
    return None if None in values else sum(values) / len(values)


def _spread(runs: list[dict], name: str) -> float | None:
    """Standard deviation over classifiers (n - 1); None for a single one."""
    values = [run[name] for run in runs]
    return None if None in values or len(values) < 2 else torch.tensor(values, dtype=torch.float64).std().item()


def _interval(right: dict[str, Tensor], seed: int) -> list[float] | None:
    """95% interval of the mean S3 over clips drawn with replacement, the same test clips for SeR and ReR; right: which
    clips were named rightly, float64 [classifiers, clips]."""
    random = torch.Generator().manual_seed(seed)
    rows = {name: torch.randint(right[name].shape[1], (DRAWS, right[name].shape[1]), generator=random)
            for name in ("rer", "res")}  # fmt: skip
    rows["ser"] = rows["rer"]
    rates = {name: torch.stack([row[rows[name]].mean(1) for row in value]) for name, value in right.items()}
    scores = ((rates["ser"] * rates["res"]).sqrt() / rates["rer"]).mean(0)
    if not torch.isfinite(scores).all():
        return None
    return torch.quantile(scores, torch.tensor([0.025, 0.975], dtype=scores.dtype)).tolist()


def _notes(result: dict, train: ClipSource, real: Clips, held: Clips) -> dict:
    """What weakens the score, as `note`; nothing where nothing does."""
    notes = [result["note"]] if "note" in result else []
    if len(real) < result["clips"]:
        notes.append(f"The train split gives only {len(real)} distinct clips.")
    absent = set(range(len(train.labels))) - set(real.label.tolist())
    if absent:
        notes.append(f"No train clip is {', '.join(sorted(train.labels[label] for label in absent))}.")
    if len(held) < FEW * len(train.labels):
        notes.append(f"{len(held)} clips are few for {len(train.labels)} classes: this S3 says little.")
    error = math.sqrt(result["chance"] * (1 - result["chance"]) / len(held))
    if result["rer"] < result["chance"] + 2 * error:
        notes.append(
            f"The classifier names {result['rer']:.0%} of real test clips, hardly more than chance "
            f"({result['chance']:.0%}): this S3 says nothing."
        )
    return {"note": " ".join(notes)} if notes else {}
