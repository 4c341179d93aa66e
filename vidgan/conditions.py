"""What a generator is told besides its latents: a label, as weights over classes, and an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .errors import VidganError, unknown


@dataclass(frozen=True)
class Condition:
    """label: float32 [B, classes], non-negative weights that sum to 1 (a one-hot row is one class, anything between
    is a blend); image: float32 [B, 3, H, W] in [-1, 1], for image-to-video models. Either may be None.
    """

    label: Tensor | None = None
    image: Tensor | None = None

    @staticmethod
    def of_label(
        label: str | int | Mapping[str, float] | Sequence[float], labels: Sequence[str], batch: int = 1
    ) -> "Condition":
        """The condition for a class name, a class index, named weights, or one weight for each class.

        Weights are normalised to sum 1. Raises VidganError for unknown classes, for the wrong number of weights and
        for weights that are negative, not finite or all zero.
        """
        if not labels:
            raise VidganError(f"This release has no labels, so {label!r} cannot be asked for.")
        weights = torch.zeros(len(labels))
        if isinstance(label, str):
            label = {label: 1.0}
        if isinstance(label, int):
            if not 0 <= label < len(labels):
                raise VidganError(f"There is no label number {label}; there are {len(labels)}: {', '.join(labels)}.")
            weights[label] = 1.0
        elif isinstance(label, Mapping):
            for name, weight in label.items():
                if name not in labels:
                    raise unknown("label", name, labels)
                weights[list(labels).index(name)] = float(weight)
        else:
            if len(label) != len(labels):
                raise VidganError(f"There are {len(labels)} labels ({', '.join(labels)}), not {len(label)}.")
            weights = torch.tensor([float(weight) for weight in label])
        if not torch.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
            raise VidganError(f"Label weights must be finite, not negative, and not all zero: {weights.tolist()}.")
        return Condition(label=(weights / weights.sum()).expand(batch, -1).clone())

    @staticmethod
    def of_classes(classes: Tensor, count: int) -> "Condition":
        """One-hot weights for class indices int64 [B]."""
        return Condition(label=torch.nn.functional.one_hot(classes, count).float())

    @property
    def batch(self) -> int | None:
        held = self.label if self.label is not None else self.image
        return None if held is None else held.shape[0]

    def row(self, index: int) -> "Condition":
        """Row `index` as a batch of one."""
        return self._each(lambda value: value[index : index + 1])

    def repeat(self, times: int) -> "Condition":
        """The whole batch, `times` times over."""
        return self._each(lambda value: value.repeat(times, *[1] * (value.dim() - 1)))

    def to(self, device: str | torch.device) -> "Condition":
        return self._each(lambda value: value.to(device))

    def _each(self, change) -> "Condition":
        return Condition(
            None if self.label is None else change(self.label), None if self.image is None else change(self.image)
        )
