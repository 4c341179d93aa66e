"""When a network grows: which stage each step of a training is at."""

from dataclasses import dataclass

from ..errors import VidganError


@dataclass(frozen=True)
class Moment:
    """What a step is told. stage: how far the clips have grown, or None where they do not grow; batch: clips on each
    process; fresh: optimisers forget what they remember, as what they train has changed; rate: times every learning
    rate."""

    batch: int
    stage: float | None = None
    fresh: bool = False
    rate: float = 1.0


@dataclass(frozen=True)
class Growth:
    """Each level is first faded in, then trained as it is (the first one only trained), for so many clips shown; the
    last one for as long as there are steps."""

    stable: int = 600_000  # clips shown at each level
    fade: int = 600_000  # clips shown on the way to it; 0: at once
    batches: tuple[int, ...] = (8, 8, 4, 4, 2, 2, 1)  # batch sizes, relative to each other, at 4, 8, ... 256 pixels
    first: int = 0  # the level to begin with, for networks that have grown so far already (--init)

    def __post_init__(self):
        if self.stable < 1 or min(self.fade, self.first) < 0:
            raise VidganError("growth.stable must be at least 1, growth.fade and growth.first not negative.")
        if not self.batches or any(batch < 1 for batch in self.batches):
            raise VidganError(f"growth.batches are numbers from 1 on, not {self.batches}.")

    def batch(self, size: int, last: int, batch: int) -> int:
        """Clips a step at `size` pixels, where there are `batch` of them at the last size."""
        here, end = (self.batches[min(size.bit_length() - 3, len(self.batches) - 1)] for size in (size, last))
        if batch * here % end:
            raise VidganError(
                f"A batch of {batch} at {last} pixels is none at {size}: growth.batches are {self.batches}."
            )
        return batch * here // end

    def moment(self, step: int, sizes: list[int], batch: int, world: int = 1) -> Moment:
        """sizes: pixels at each level; batch: clips on each of `world` processes at the last of them."""
        level, begun = self._first(sizes), 0
        while True:
            here = self.batch(sizes[level], sizes[-1], batch)
            fading = -(-self.fade // (here * world)) if level > self.first else 0
            if step < begun + fading:
                return Moment(here, level - 1 + (step - begun) / fading, fresh=step == begun)
            begun += fading
            if level == len(sizes) - 1 or step < begun + -(-self.stable // (here * world)):
                return Moment(here, float(level), fresh=step == begun > 0)
            begun += -(-self.stable // (here * world))
            level += 1

    def steps(self, sizes: list[int], batch: int, world: int = 1) -> int:
        """How many steps the whole schedule takes, the last level's `stable` clips included."""
        total = 0
        for level, size in list(enumerate(sizes))[self._first(sizes) :]:
            clips = self.batch(size, sizes[-1], batch) * world
            total += -(-self.stable // clips) + (-(-self.fade // clips) if level > self.first else 0)
        return total

    def _first(self, sizes: list[int]) -> int:
        if self.first >= len(sizes):
            raise VidganError(f"growth.first is level {self.first}, but the last one is {len(sizes) - 1}.")
        return self.first
