"""What every recipe is to the trainer."""

from collections.abc import Iterable

import torch
from torch import Tensor

from .phases import Networks, Phase


class Recipe:
    """Base of all recipes: frozen dataclasses of a paper's options, with `ema` and, for Adam, `betas` among them."""

    ema: float
    betas: tuple[float, float]

    def learning_rates(self) -> dict[str, float]:
        """Of each network, by name."""
        raise TypeError(f"{type(self).__name__} does not say how fast it learns")

    def phases(self, names: tuple[str, ...]) -> tuple[Phase, ...]:
        """What a step consists of, where there are networks of these names."""
        raise TypeError(f"{type(self).__name__} does not say what it minimises")

    def optimizer(self, parameters: Iterable[Tensor], rate: float) -> torch.optim.Optimizer:
        """Of one network, with its learning rate."""
        return torch.optim.Adam(parameters, lr=rate, betas=self.betas)

    def constrain(self, networks: Networks, updated: tuple[str, ...], step: int) -> None:
        """What has to hold for the weights of the networks that a phase of step number `step` has updated; most need
        nothing."""
