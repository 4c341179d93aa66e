"""Perceptual path length (Karras et al. 2019, Section 4.1), for each subspace of a video GAN on its own.

How far a clip moves in features when its point moves a little: E |f(G(z(t))) - f(G(z(t + e)))|^2 / e^2, z on the great
circle between two points of the prior, t even in [0, 1]. Even steps that change a clip evenly make it small; leaps and
detours make it large. A generator that ignores a subspace has 0 there, so that it says nothing alone: read it beside
the distances. Clips are float here, not 8-bit frames: a step of one hundredth is less than a level for most pixels.
"""

import torch
from torch import Tensor
from tqdm import tqdm

from ..conditions import Condition
from ..data.base import step_generator
from ..errors import VidganError
from ..latents import Latents
from ..models import Generator
from .embedders import Features
from .features import load_features
from .scores import interval

STEP = 1e-2  #: e


def path_lengths(
    generator: Generator,
    points: int = 128,
    seed: int = 0,
    *,
    features: Features | None = None,
    batch_size: int = 16,
    progress: bool = False,
) -> dict:
    """The path length of each subspace, the others standing still, and of all together, as JSON.

    Keys `ppl_SUBSPACE_vidgan-HASH_128x16f64` and `ppl_all_...`; `intervals`: 95%, bootstrap over the paths. Path i goes
    from point i of `seed` to point i of `seed` + 1, labels in turn. VidganError for fewer than 2 points and for a
    generator that animates pictures.
    """
    features = features or load_features()
    if generator.takes_image:
        raise VidganError("Path lengths are of generators that draw from latents alone; this one animates pictures.")
    if points < 2:
        raise VidganError(f"At least 2 paths are needed; {points} was asked for.")
    ends = [generator.sample(points, (seed + number) % 2**64) for number in (0, 1)]
    time = torch.rand(points, generator=step_generator(seed % 2**63, 2, 0))
    classes = generator.config.classes
    condition = Condition.of_classes(torch.arange(points) % classes, classes) if classes else None
    names = generator.latent_space.names
    ways = {name: (name,) for name in names if len(names) > 1} | {"all": names}
    shown = f"{features.title}_{points}x{generator.frames}f{generator.size}"
    result, intervals = {}, {}
    for way, chosen in ways.items():
        told = {"condition": condition, "features": features, "batch_size": batch_size}
        bar = tqdm(total=points, desc=f"paths in {way}", disable=not progress)
        lengths = _lengths(generator, _walk(*ends, time, chosen), _walk(*ends, time + STEP, chosen), bar=bar, **told)
        result[f"ppl_{way}_{shown}"] = lengths.mean().item()
        intervals[f"ppl_{way}_{shown}"] = interval(lengths, seed % 2**63)
    return result | {
        "intervals": intervals, "points": points, "step": STEP, "seed": seed, "features": features.hash,
        "frames": generator.frames, "size": generator.size,
        "generator": generator.info.name if generator.info else generator.architecture,
    }  # fmt: skip


def table(result: dict) -> list[str]:
    """What `path_lengths` found as a Markdown table."""
    lines = ["| path in | length | 95% |", "|---|---|---|"]
    for name, (low, high) in result["intervals"].items():
        way, *protocol = name.removeprefix("ppl_").rsplit("_", 2)
        lines.append(f"| {way} | {result[name]:.3g} | {low:.3g} to {high:.3g} |")
    return [*lines, "", f"`ppl_..._{'_'.join(protocol)}`, steps of {result['step']:g}."]


def _walk(start: Latents, end: Latents, time: Tensor, names: tuple[str, ...]) -> Latents:
    """Row i at time[i] of its path in the named subspaces, at its start in all others."""
    rows = zip(range(start.batch), time.tolist(), strict=True)
    return Latents.stack(start.row(row).slerp(end.row(row), at, names) for row, at in rows)


def _lengths(generator, here: Latents, there: Latents, condition, features: Features, batch_size: int, bar) -> Tensor:
    """|f(G(here)) - f(G(there))|^2 / e^2 of each row, float64 [N]."""
    found = []
    with bar:
        for first in range(0, here.batch, batch_size):
            rows = condition and condition.each(lambda value, first=first: value[first : first + batch_size])
            a, b = (
                features.embed(generator.generate(side.slice(first, first + batch_size), rows)).double()
                for side in (here, there)
            )
            found.append((a - b).square().sum(1) / STEP**2)
            bar.update(len(a))
    return torch.cat(found)
