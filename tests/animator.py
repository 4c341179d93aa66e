"""A small release that animates pictures, trained for seconds, for the tests of the page."""

from pathlib import Path

import torch

from vidgan import Condition, hub
from vidgan.data import open_source
from vidgan.metrics.novelty import FILE, Familiar
from vidgan.models import ReleaseInfo, build
from vidgan.training.ema import recalibrate


def make_animator(folder: Path, scratch: Path, steps: int = 32) -> Path:
    """`folder`, a release: an ImaGINator two channels wide, of 16 frames, that has learnt to give drawn faces back and
    to move them a little, and that knows what pictures it has learnt from."""
    torch.manual_seed(0)
    source = open_source("expressions", frames=16, size=64, bank=0)
    seen = source.batch(24, 0)
    generator = build("imaginator", width=2, classes=len(source.labels), frames=16)
    weights = list(generator.parameters())
    squares = [torch.zeros_like(weight) for weight in weights]
    told = Condition(Condition.of_classes(seen.label, len(source.labels)).label, seen.clip[:, :, 0])

    def rows(step: int):
        start = 4 * step % 24
        condition = told.each(lambda value: value[start : start + 4])
        return generator.latent_space.sample(4, step), condition, seen.clip[start : start + 4]

    for step in range(steps):
        latents, condition, clip = rows(step)
        loss = (generator(latents, condition) - clip).abs().mean()
        slopes = torch.autograd.grad(loss, weights)
        with torch.no_grad():  # RMSprop; importing torch.optim costs more than all of this
            for weight, square, slope in zip(weights, squares, slopes, strict=True):
                square.mul_(0.9).addcmul_(slope, slope, value=0.1)
                weight.addcdiv_(slope, square.sqrt().add_(1e-8), value=-3e-3)
    recalibrate(generator, (rows(step)[:2] for step in range(6)))
    splits = (open_source("expressions", frames=1, split=split, bank=0) for split in ("train", "test"))
    extra = {FILE: Familiar.fit(*splits, 100).save(scratch / FILE).read_bytes()}
    info = ReleaseInfo(folder.name, "imaginator", data="expressions", labels=source.labels, step=steps)
    return hub.save_release(folder, generator.requires_grad_(False), info, card=f"# {folder.name}\n", extra=extra)
