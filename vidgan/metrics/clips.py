"""Labelled clips, real and generated, for the metrics that ask a classifier: uint8 frames exactly as shown."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.base import ClipSource
from ..errors import VidganError
from ..models import Generator
from ..video import to_uint8
from .distance import distinct, generated, labels_of
from .recorded import Recorded

FEW = 10  #: clips of each class, below which what a classifier says of them is flagged


@dataclass(frozen=True)
class Clips:
    """frames: uint8 [N, T, H, W, 3]; label: int64 [N], indices into the source's labels."""

    frames: Tensor
    label: Tensor

    def __len__(self) -> int:
        return len(self.frames)


def check_classes(source: ClipSource) -> int:
    """How many labels the source has; VidganError for fewer than two."""
    if len(source.labels) < 2:
        raise VidganError(
            f"A classifier needs data of at least 2 labels, but {source.name} has {len(source.labels) or 'none'}."
        )
    return len(source.labels)


def check_told(generator: Generator | Recorded, source: ClipSource) -> None:
    """VidganError unless it is known what each clip is to be taken for."""
    if isinstance(generator, Recorded):
        generator.labels(source.labels)
    elif labels_of(generator, source) is None:
        raise VidganError("This generator takes no label, so nobody knows what its clips should be taken for.")


def check_pair(generator: Generator, train: ClipSource, test: ClipSource) -> None:
    """VidganError unless the two are splits of one kind of clip and the generator draws from latents alone."""
    for name in ("frames", "size", "labels"):
        a, b = getattr(train, name), getattr(test, name)
        if a != b:
            raise VidganError(f"Both splits must be of the same {name}, not {a} and {b}.")
    if train.split == test.split:
        raise VidganError(f"Two splits are needed, one to train on and one held out; both are {test.split!r}.")
    if generator.takes_image:
        raise VidganError("This metric is of generators that draw from latents alone; this one animates pictures.")


def real_clips(source: ClipSource, clips: int, seed: int) -> Clips:
    """The first `clips` distinct clips that the source draws for `seed`: those that `distance` takes. Fewer where draws
    stop bringing new ones; VidganError where they are fewer than 2 or all of one label."""
    check_classes(source)
    if clips < 2:
        raise VidganError(f"At least 2 clips of each kind are needed; {clips} was asked for.")
    frames, label, _ = zip(*distinct(source, clips, seed, set(), False), strict=True)
    found = Clips(torch.cat(frames), torch.cat(label))
    if len(found.label.unique()) < 2:
        name = source.labels[found.label[0]]
        raise VidganError(
            f"All {len(found)} clips of {source.name} ({source.split}) are {name!r}; at least 2 labels are needed."
        )
    return found


def generated_clips(
    generator: Generator,
    source: ClipSource,
    label: Tensor,
    clips: int,
    seed: int,
    batch_size: int = 16,
    progress: bool = False,
) -> Clips:
    """What the generator draws for latents of `seed`, and the label that each clip was told: as often as among `label`,
    int64 [N]. Recorded clips have the label that their folder is named after. VidganError for a generator without
    labels, and where its labels are not the source's."""
    if isinstance(generator, Recorded):
        drawn = [torch.from_numpy(to_uint8(clip)) for clip in generator.drawn(source, clips, batch_size)]
        return Clips(torch.cat(drawn), generator.labels(source.labels)[:clips])
    check_told(generator, source)
    names = labels_of(generator, source)
    drawn = list(generated(generator, source, label, clips, seed, batch_size, progress))
    frames = torch.cat([torch.from_numpy(to_uint8(clip)) for clip, _ in drawn])
    told = torch.cat([condition.label for _, condition in drawn]).argmax(1)
    index = torch.empty(len(names), dtype=torch.long)
    index[names] = torch.arange(len(names))  # the generator's number of a label -> the source's
    return Clips(frames, index[told])
