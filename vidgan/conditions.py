"""What a generator is told besides its latents: a label, as weights over classes, and an image."""

import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, unquote

import numpy as np
import torch
from torch import Tensor

from .errors import VidganError, unknown

MAX_WEIGHT = 1e30  #: of a label, before weights are made to sum to 1: sums of float32 stay finite


@dataclass(frozen=True)
class Condition:
    """label: float32 [B, classes], non-negative weights that sum to 1 (a one-hot row is one class, anything between
    is a blend); image: float32 [B, 3, H, W] in [-1, 1], for image-to-video models; fusion: float32 [B, levels], how
    strongly an image-to-video model lets the image's features in at each level of its decoder, coarse to fine, 1
    being all; frames: how many to make, for models whose clips can have any length, all alike; stage: how far to grow
    them, for models that grow, all alike; view: the one part of the clips to show, for models that lay several over
    each other. Each may be None.
    """

    label: Tensor | None = None
    image: Tensor | None = None
    fusion: Tensor | None = None
    frames: int | None = None
    stage: float | None = None
    view: str | None = None

    @staticmethod
    def of_label(
        label: str | int | Mapping[str, float] | Sequence[float], labels: Sequence[str], batch: int = 1
    ) -> "Condition":
        """The condition for a class name, a class index, named weights, or one weight for each class.

        Weights are normalised to sum 1. Raises VidganError for unknown classes, for the wrong number of weights and
        for weights that are no numbers, negative, not finite or all zero.
        """
        if not labels:
            raise VidganError(f"This release has no labels, so {label!r} cannot be asked for.")
        weights = torch.zeros(len(labels))
        if isinstance(label, str):
            label = {label: 1.0}
        if isinstance(label, Mapping):
            for name, weight in label.items():
                if name not in labels:
                    raise unknown("label", name, labels)
                weights[list(labels).index(name)] = _weight(weight)
        elif isinstance(label, Sequence | Tensor | np.ndarray) and len(label) == len(labels):
            weights = torch.tensor([_weight(weight) for weight in label])
        elif isinstance(label, Sequence | Tensor | np.ndarray):
            raise VidganError(f"There are {len(labels)} labels ({', '.join(labels)}), not {len(label)}.")
        else:
            try:
                index = operator.index(label)
            except TypeError as error:
                raise VidganError(f"{label!r} is no label; there are {', '.join(labels)}.") from error
            if not 0 <= index < len(labels):
                raise VidganError(f"There is no label number {index}; there are {len(labels)}: {', '.join(labels)}.")
            weights[index] = 1.0
        total = check_weights(weights).sum()
        if (total - 1).abs() > 1e-6:  # weights that are shares already stay what they are, to the bit
            weights = weights / total
        return Condition(label=weights.expand(batch, -1).clone())

    @staticmethod
    def parse(text: str, labels: Sequence[str], batch: int = 1) -> "Condition":
        """What `label_text` writes, and what people type: a class name, or `name=weight,name=weight`.

        Text that is a class name as it stands is that class, whatever signs it holds. In a list, names are percent-
        encoded where they hold `,`, `=` or `%`, and no name may come twice. VidganError as in `of_label`.
        """
        if text in labels or not labels:
            return Condition.of_label(text, labels, batch)
        weights: dict[str, float] = {}
        for part in text.split(","):
            name, given, weight = part.rpartition("=")
            name = unquote(name if given else part).strip()
            if name not in labels:
                raise unknown("label", name, labels)
            if name in weights:
                raise VidganError(f"Label {name!r} is given twice in {text!r}.")
            weights[name] = _weight(weight) if given else 1.0
        return Condition.of_label(weights, labels, batch)

    def label_text(self, labels: Sequence[str], row: int = 0) -> str:
        """One row's label as short text for links and command lines: `happiness`, or `happiness=0.7,fear=0.3`.

        `parse` brings the same float32 weights back.
        """
        weights = self.label[row].tolist()
        present = [(name, weight) for name, weight in zip(labels, weights, strict=True) if weight]
        if len(present) == 1:
            return present[0][0]
        return ",".join(f"{quote(name, safe=' ')}={np.float32(weight)!s}" for name, weight in present)

    @staticmethod
    def of_classes(classes: Tensor, count: int) -> "Condition":
        """One-hot weights for class indices int64 [B]."""
        return Condition(label=torch.nn.functional.one_hot(classes, count).float())

    @property
    def batch(self) -> int | None:
        return next((value.shape[0] for value in self._parts() if value is not None), None)

    def row(self, index: int) -> "Condition":
        """Row `index` as a batch of one."""
        return self.each(lambda value: value[index : index + 1])

    def repeat(self, times: int) -> "Condition":
        """The whole batch, `times` times over."""
        return self.each(lambda value: value.repeat(times, *[1] * (value.dim() - 1)))

    def to(self, device: str | torch.device) -> "Condition":
        return self.each(lambda value: value.to(device))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Condition":
        """`change` applied to whatever tensors are there."""
        label, image, fusion = (None if value is None else change(value) for value in self._parts())
        return replace(self, label=label, image=image, fusion=fusion)

    def _parts(self) -> tuple[Tensor | None, ...]:
        return self.label, self.image, self.fusion


def check_weights(weights: Tensor) -> Tensor:
    """Label weights [..., classes] themselves, if they are finite, as is their sum, not negative and not all zero; else
    VidganError."""
    total = weights.sum(-1)
    if not torch.isfinite(total).all() or (weights < 0).any() or (total <= 0).any():
        raise VidganError(f"Label weights must be finite, not negative, and not all zero: {weights.tolist()}.")
    return weights


def _weight(value: object) -> float:
    try:
        weight = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise VidganError(f"A label's weight is a number, not {str(value)[:60]!r}.") from error
    if MAX_WEIGHT < abs(weight) < math.inf:
        raise VidganError(f"A label's weight is at most {MAX_WEIGHT:g}, not {weight:g}.")
    return weight
