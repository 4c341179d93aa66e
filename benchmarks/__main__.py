"""python -m benchmarks [--json] [--only NAME]: one line a figure, median of several runs in one process."""

import argparse
import dataclasses
import json
import platform
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import vidgan
from vidgan import video
from vidgan.data import open_source
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.interpolate import Walk, columns
from vidgan.explore.resample import clip_of
from vidgan.models import Generator, build
from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import Trainer

Figure = tuple[str, float, str]


def median_ms(work: Callable[[], object], runs: int = 7) -> float:
    """Median wall time of `work` in milliseconds, after one run that does not count."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def generators() -> Iterator[Figure]:
    """ms for one clip (G3AN's of 16 frames), fp32, at the paper's width, at others and for each release here."""
    for width, attention in ((64, 3), (64, None), (32, 2), (16, 2)):
        generator = build("g3an", width=width, attention_after=attention, spectral_norm=False)
        latents = generator.sample(1, seed=1)
        place = f"F-SA after G3_{attention}" if attention is not None else "no F-SA"
        yield f"g3an width {width}, {place}", median_ms(lambda g=generator, z=latents: g.generate(z)), "ms/video"
    for width in (64, 16):
        generator = build("imaginator", width=width, classes=6)
        yield f"imaginator width {width}, 32 frames", median_ms(drawing_one(generator)), "ms/video"
    for options in MVT:
        generator = build("mvtgan", classes=10, spectral_norm=False, **options).eval().fuse()
        yield f"mvtgan {options}, 16 frames", median_ms(drawing_one(generator), 3), "ms/video"
    for info in vidgan.releases():
        generator = vidgan.load(info.name)
        for frames in sorted({generator.frames, generator.frame_options[-1]}):
            took = median_ms(drawing_one(generator, frames))
            yield f"release {info.name}, {frames} frames", took, "ms/video"


#: the forms of MVT-GAN that are timed, with random weights: the paper's two sizes, and what two cores train
MVT = ({"size": 128}, {"size": 96}, {"size": 64, "width": 8, "hidden": 256})


def drawing_one(generator: Generator, frames: int | None = None) -> Callable[[], object]:
    """Draws one clip, of a grey picture where the generator takes one."""
    frames = frames or generator.frames
    latents = generator.latent_space.sample(1, seed=1, steps=generator.steps_for(frames))
    image = torch.zeros(1, 3, generator.size, generator.size) if generator.takes_image else None
    condition = generator.told_length(frames, vidgan.Condition(image=image))
    return lambda: generator.generate(latents, condition)


def exploring() -> Iterator[Figure]:
    """ms for one clip, as Resample draws it, and for a walk in seven columns: releases, MVT-GAN with random weights."""
    releases = {f"release {info.name}": vidgan.load(info.name) for info in vidgan.releases()}
    small = {"mvtgan of width 8": build("mvtgan", classes=10, spectral_norm=False, **MVT[-1]).eval().fuse()}
    for name, generator in (small | releases).items():
        if generator.takes_image:
            continue
        points = [Bookmark.draw(generator, dict.fromkeys(generator.latent_space.names, seed)) for seed in (1, 2)]
        made, walk = f"{name}, {generator.frames} frames", Walk(points)
        yield f"{made}: one variant", median_ms(lambda g=generator, p=points[0]: clip_of(g, p)), "ms"
        yield f"{made}: 7 columns", median_ms(lambda g=generator, w=walk: columns(g, w, 7), 5), "ms"


def encoders() -> Iterator[Figure]:
    """ms to encode 16 frames of 64x64."""
    frames = video.to_uint8(open_source("expressions", bank=0).batch(1, 0).clip)[0]
    yield "page's sprite (JPEG)", median_ms(lambda: video.sprite(frames)), "ms"
    for name in ("mp4", "webp", "gif"):
        yield f"download {name}", median_ms(lambda name=name: video.encode(frames, name)), "ms"


def drawing() -> Iterator[Figure]:
    """Clips of 16x64x64 a second that `expressions` draws."""
    for size in (64, 128):
        source = open_source("expressions", bank=0, size=size)
        yield f"expressions drawn at {size}x{size}", 32 / median_ms(lambda s=source: s.batch(32, 0), 5) * 1e3, "clips/s"


def training() -> Iterator[Figure]:
    """Steps a second of whole training steps (G, D_V, D_I), batch 16, bf16, clips from a bank; what the data costs."""
    with tempfile.TemporaryDirectory() as folder:
        options = preset("g3an", "cpu", RECIPES)
        for width in (8, 16):
            trainer = Trainer(
                dataclasses.replace(
                    options,
                    run=Path(folder) / str(width),
                    model=dataclasses.replace(options.model, width=width),
                    data_options=("bank=256",),
                )
            )
            took = median_ms(trainer.train_step, 5)
            yield f"g3an width {width}, preset {options.preset}", 1e3 / took, "steps/s"
            yield "  clips needed for it", 16e3 / took, "clips/s"
            source = trainer.source
            yield "  clips the bank gives", 16e3 / median_ms(lambda s=source: s.batch(16, 1)), "clips/s"
            trainer.close()


GROUPS = {
    "generators": generators,
    "exploring": exploring,
    "encoders": encoders,
    "drawing": drawing,
    "training": training,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--only", choices=GROUPS, help="one group of figures")
    arguments = parser.parse_args()
    facts = {"torch": torch.__version__, "threads": torch.get_num_threads(), "processor": platform.machine()}
    print(json.dumps(facts) if arguments.json else ", ".join(f"{name} {value}" for name, value in facts.items()))
    for name, group in GROUPS.items():
        if arguments.only not in (None, name):
            continue
        if not arguments.json:
            print(f"\n{name}: {group.__doc__}")
        for what, value, unit in group():
            line = {"group": name, "what": what.strip(), "value": round(value, 2), "unit": unit}
            print(json.dumps(line) if arguments.json else f"  {what:<52}{value:>10.1f} {unit}", flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"peak_mib": round(peak)}) if arguments.json else f"\npeak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
