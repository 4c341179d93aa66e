"""The Inception Score with a classifier of the data set (MVT-GAN, Eq. 7; for video, TGAN): exp E KL(p(y|x) || p(y)).

From 1, where all clips are taken for the same, to the number of classes, where every clip is surely of one class and
all classes are as frequent. Papers ask networks trained on UCF-101; ours is trained in the run on real train clips, so
that only scores of the same data set, classifier and number of clips compare.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ..data.base import ClipSource
from ..errors import VidganError
from ..latents import MAX_SEED
from ..models import Generator
from ..video import to_clip, to_uint8
from .classifier import ClassifierOptions, accuracy, describe, probabilities, real_classifier
from .clips import FEW, check_classes, check_pair, real_clips
from .distance import distinct, facts, generated
from .embedders import Features, check_kind

DRAWS = 500  #: bootstrap draws of an interval


def inception_score(told: Tensor) -> float:
    """exp(mean over clips of KL(p(y|x) || p(y))), p(y) being the mean over clips; told: probabilities [N, classes].

    Raises VidganError for another shape, no clip, fewer than 2 classes, and rows that are no probabilities.
    """
    if told.ndim != 2 or not len(told) or told.shape[1] < 2:
        raise VidganError(f"Probabilities are [clips, classes] with at least 2 classes; these are {list(told.shape)}.")
    told = told.detach().double().cpu()
    if not torch.isfinite(told).all() or (told < 0).any() or ((told.sum(1) - 1).abs() > 1e-4).any():
        raise VidganError("Probabilities must be finite, not negative, and of sum 1 for each clip.")
    marginal = told.mean(0)
    return (told.xlogy(told) - told.xlogy(marginal)).sum(1).mean().exp().item()


def split_scores(told: Tensor, splits: int = 1) -> list[float]:
    """The scores of `splits` equal parts of the clips (Salimans et al. 2016 take 10), in order; what is left over is
    not used. VidganError for less than 1 split, and fewer than 2 clips in each."""
    if splits < 1 or len(told) < 2 * splits:
        raise VidganError(f"{len(told)} clips cannot be split into {splits} parts of at least 2 clips.")
    size = len(told) // splits
    return [inception_score(told[part * size : (part + 1) * size]) for part in range(splits)]


def score_interval(told: list[Tensor], splits: int = 1, seed: int = 0) -> list[float]:
    """The bootstrap's 95% interval of the mean score of several draws of clips, probabilities [N, classes] each: the
    clips of every draw drawn with replacement."""
    random = torch.Generator().manual_seed(seed)
    means = []
    for _ in range(DRAWS):
        rows = [torch.randint(len(one), (len(one),), generator=random) for one in told]
        scores = [score for one, row in zip(told, rows, strict=True) for score in split_scores(one[row], splits)]
        means.append(sum(scores) / len(scores))
    return torch.quantile(torch.tensor(means, dtype=torch.float64), torch.tensor([0.025, 0.975]).double()).tolist()


def inception(
    generator: Generator,
    train: ClipSource,
    test: ClipSource,
    clips: int = 512,
    seed: int = 0,
    *,
    repeats: int = 3,
    splits: int = 1,
    train_clips: int | None = None,
    classifier: ClassifierOptions | None = None,
    features: Features | None = None,
    batch_size: int = 16,
    progress: bool = False,
) -> dict:
    """The Inception Score of `generator`, as JSON, beside that of real test clips, the ceiling.

    The classifier learns from `train_clips` clips (default: `clips`) of the train split, as for ReR in s3.py. For each
    repeat, `clips` generated clips (latents of seed, seed + 1, ...; labels as often as among the real ones) and the
    first `clips` distinct test clips for the same seed. Key `is_CLASSIFIER_512x16f64`, with `_in10` for 10 splits: the
    mean over repeats and splits; `std`: their standard deviation (n - 1), None for a single score; `intervals`: 95%,
    bootstrap over clips; `real`: the same of test clips. The paper's numbers are clips 10000, repeats 10, splits 1.
    Raises VidganError where generator and splits do not fit and for fewer than 2 labels. features: a network from a
    file that tells classes itself (C3D, see embedders.py), in the classifier's place; then no clip need have a label.
    """
    classifier = classifier or ClassifierOptions()
    train_clips = train_clips or clips
    check_pair(generator, train, test)
    check_kind(features, classifies=True)
    if features is None:
        check_classes(train)
    if repeats < 1 or clips < 2:
        raise VidganError(f"At least 1 repeat of 2 clips is needed; asked for {repeats} of {clips}.")
    if features is not None:
        about, name, network, classes = {}, features.title, features.embed, features.count
    else:
        told = {"device": generator.device, "progress": progress}
        trained = real_classifier(train, test, train_clips, seed, classifier, seed, **told)
        name, network, classes = classifier.network, partial(_told, trained), len(train.labels)
        about = {"train_clips": train_clips, "test_accuracy": accuracy(trained, real_clips(test, clips, seed)),
                 "classifier": describe(trained, classifier)}  # fmt: skip
    made, real, every, found = [], [], [], clips
    for number in range(repeats):
        chosen = (seed + number) % (MAX_SEED + 1)
        told, label = _real(network, test, clips, chosen)
        found = min(found, len(told))
        real += split_scores(told, splits)
        drawn = generated(generator, test, label, clips, chosen, batch_size, progress)
        every.append(torch.cat([network(clip) for clip, _ in drawn]))
        made += split_scores(every[-1], splits)
    parts = "" if splits == 1 else f"_in{splits}"
    name = f"is_{name}_{clips}x{test.frames}f{test.size}{parts}"
    result = {
        **_summary(name, made),
        "intervals": {name: score_interval(every, splits, seed % 2**63)},
        "real": _summary(name, real),
        "scores": made,
        "repeats": repeats,
        "splits": splits,
        "classes": classes,
        **facts(test, found, clips, seed),
        **about,
        "generator": generator.info.name if generator.info else generator.architecture,
    }
    return result | _notes(result)


def table(result: dict) -> list[str]:
    """What `inception` found as a Markdown table."""
    (name,) = [key for key in result if key.startswith("is_")]
    lines = [f"| clips | {name} |", "|---|---|"]
    for who, row in (("this release", result), ("real test clips (the ceiling)", result["real"])):
        spread = "" if row["std"] is None else f" ± {row['std']:.3f}"
        if name in row.get("intervals", {}):
            spread += " ({:.3f} to {:.3f})".format(*row["intervals"][name])
        lines.append(f"| {who} | {row[name]:.3f}{spread} |")
    return lines + ([result["note"]] if "note" in result else [])


def _told(network: torch.nn.Module, clip: Tensor) -> Tensor:
    """Probabilities [B, classes] of clips float [B, 3, T, H, W]."""
    return probabilities(network, torch.from_numpy(to_uint8(clip)))


def _real(network: Callable[[Tensor], Tensor], test: ClipSource, clips: int, seed: int) -> tuple[Tensor, Tensor | None]:
    """Probabilities [N, classes] and labels [N], where there are any, of the first distinct test clips: drawn and
    forgotten, 16 at a time."""
    parts = [(network(to_clip(frames)), label) for frames, label, _ in distinct(test, clips, seed, set(), False)]
    told, label = zip(*parts, strict=True)
    return torch.cat(told), None if label[0] is None else torch.cat(label)


def _summary(name: str, scores: list[float]) -> dict:
    values = torch.tensor(scores, dtype=torch.float64)
    return {name: values.mean().item(), "std": values.std().item() if len(values) > 1 else None}


def _notes(result: dict) -> dict:
    """What weakens the score, as `note`; nothing where nothing does."""
    notes = [result["note"]] if "note" in result else []
    share = result["clips"] // result["splits"]
    if share < FEW * result["classes"]:
        notes.append(
            f"{share} clips a score are few for {result['classes']} classes: the score comes out low, the ceiling too."
        )
    return {"note": " ".join(notes)} if notes else {}
