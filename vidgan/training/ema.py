"""The averaged generator: what is sampled, validated and published."""

import dataclasses
from collections.abc import Iterable

import torch
from torch import nn

from ..conditions import Condition
from ..data.base import ClipSource, step_generator
from ..latents import Latents
from ..models import ARCHITECTURES, Generator
from ..models.blueprint import no_draws, plain_options
from ..models.layers import channels_last, plain_weights
from ..video import to_clip, to_uint8

FAR = 1 << 40  #: a step that no training reaches


class EMA:
    """Exponential moving average of a generator's weights, as a plain network without spectral norm.

    What is averaged are the weights as sampling uses them (normalised where a spectral norm is on); buffers are
    copied. Early on the decay is (1 + step) / (10 + step), so that a random start is forgotten; not so where
    `warm_up` is False, as the start is worth keeping.
    """

    def __init__(self, generator: Generator, decay: float = 0.999, warm_up: bool = True):
        self.decay, self.warm_up = decay, warm_up
        self.generator = plain_copy(generator)

    @torch.no_grad()
    def update(self, generator: Generator, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step)) if self.warm_up else self.decay
        source = plain_weights(generator)
        averaged = dict(self.generator.named_parameters())
        torch._foreach_lerp_(list(averaged.values()), [source[name] for name in averaged], 1 - decay)
        for name, buffer in self.generator.named_buffers():
            buffer.copy_(source[name])


def plain_copy(generator: Generator) -> Generator:
    """The same generator without spectral norm, its weights folded; for sampling, in eval mode."""
    kind = type(generator.config)
    config = dataclasses.replace(generator.config, **plain_options(kind))
    with no_draws():
        plain = channels_last(ARCHITECTURES[generator.architecture].generator(config).to(generator.device))
    plain.load_state_dict(plain_weights(generator))
    plain.info = generator.info
    return plain.eval().requires_grad_(False)


def calibrate(generator: Generator, shown: Condition | None = None, batches: int = 16, size: int = 16) -> Generator:
    """`recalibrate` on a fixed set of latents, all labels evenly: the same weights always give the same statistics.

    shown: labels and images for a generator that takes an image, see `first_frames`.
    """
    random = step_generator(0, 0, 0)
    classes = generator.config.classes
    drawn = []
    for index in range(batches):
        latents = generator.draw_latents(size, random)
        label = torch.randint(0, classes, (size,), generator=random) if classes else None
        condition = Condition.of_classes(label, classes) if classes else None
        if shown is not None:
            condition = shown.each(lambda value, start=index * size: value[start : start + size])
        drawn.append((latents, condition))
    return recalibrate(generator, drawn)


def first_frames(source: ClipSource, classes: int, batches: int = 16, size: int = 16) -> Condition:
    """First frames of clips that `source` draws, image float32 [N, 3, H, W], and their labels: what a generator that
    takes an image is calibrated and looked at with. Always the same ones; float32 values of 8-bit pixels."""
    images, labels = [], []
    for index in range(batches):
        batch = source.batch(size, FAR + index)
        images.append(batch.clip[:, :, :1].cpu())
        labels.append(batch.label)
    image = to_clip(to_uint8(torch.cat(images)))[:, :, 0]
    return Condition(Condition.of_classes(torch.cat(labels).cpu(), classes).label if classes else None, image)


@torch.no_grad()
def recalibrate(generator: Generator, batches: Iterable[tuple[Latents, Condition | None]]) -> Generator:
    """Batch-norm statistics measured anew, as the plain average over `batches`; returns the generator, in eval mode.

    Averaged weights do not fit the statistics of the fast ones: samples come out washed out without this.
    """
    norms = [part for part in generator.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    momenta = [part.momentum for part in norms]
    for part in norms:
        part.reset_running_stats()
        part.momentum = None  # cumulative average
        part.train()
    for latents, condition in batches:
        generator(latents.to(generator.device), condition and condition.to(generator.device))
    for part, momentum in zip(norms, momenta, strict=True):
        part.momentum = momentum
    return generator.eval()
