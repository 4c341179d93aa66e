"""What a recipe is made of: phases, each of which updates some networks on the micro-batches of a step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..conditions import Condition
from ..data import Batch
from ..latents import Latents

Losses = dict[str, Tensor]


@dataclass
class Micro:
    """One micro-batch: clips, latents, condition. The phases of one draw see the same ones.

    random: CPU generator for everything else that a phase draws; fake: generated clips that a phase may leave, graph
    and all, for the next one to use (only where a step has a single micro-batch: with more, memory is what
    accumulation is there to save).
    """

    batch: Batch
    latents: Latents
    condition: Condition
    random: torch.Generator
    step: int
    keep_fake: bool
    fake: Tensor | None = None


@dataclass(frozen=True)
class Phase:
    """updates: names of the networks whose optimisers step; losses: their sum is what is minimised; draw: which of the
    step's batches it learns from, counted from 0."""

    updates: tuple[str, ...]
    losses: Callable[["Networks", Micro], Losses]
    draw: int = 0


class Networks:
    """The networks of a run: `networks["video"]` as trained (distributed where there are several processes, for the
    phase that updates it), `networks.plain["video"]` the module itself."""

    def __init__(self, plain: dict[str, nn.Module], prepared: dict[str, nn.Module] | None = None):
        self.plain = plain
        self.prepared = prepared or plain

    def __getitem__(self, name: str) -> nn.Module:
        return self.prepared[name]

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """No gradients for the weights of these networks; gradients still pass through them."""
        for name in names:
            self.plain[name].requires_grad_(False)
        try:
            yield
        finally:
            for name in names:
                self.plain[name].requires_grad_(True)

    def fake(self, micro: Micro, grad: bool) -> Tensor:
        """Generated clips for a micro-batch: those that are there already, or fresh ones."""
        if micro.fake is not None:
            return micro.fake
        if not grad and not micro.keep_fake:
            with torch.no_grad():
                return self.plain["generator"](micro.latents, micro.condition)
        fake = self["generator"](micro.latents, micro.condition)
        if micro.keep_fake:
            micro.fake = fake
        return fake
