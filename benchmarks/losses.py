"""python -m benchmarks.losses [RUN ...] [--out FILE]: the curves of Progressive Video GAN's two losses, as a picture.

Reads the logs of recipes/progressive-losses.sh; the figure is the Fréchet distance to held-out clips over the training.
"""

import argparse
from pathlib import Path

from vidgan.benchmark.plot import line_chart
from vidgan.training.log import read_log

RUNS = ("runs/progressive-swgan", "runs/progressive-wgan-gp")

Curve = list[tuple[int, float, float]]  #: step, distance, stage


def curve(run: str | Path) -> tuple[str, Curve]:
    """(name of the metric, its curve): what a run measured on held-out clips."""
    stages = {line["step"]: line["stage"] for line in read_log(run)}
    measured = read_log(run, "metrics")
    if not measured:
        raise SystemExit(f"{run} has measured nothing: see recipes/progressive-losses.sh")
    name = next(key for key in measured[0] if key.startswith("test_fvd_"))
    return name.removeprefix("test_"), [(line["step"], line[name], stages[line["step"]]) for line in measured]


def picture(curves: dict[str, Curve], metric: str) -> str:
    """SVG: a line for each, named below by the stages of growth."""
    grown = [(step, stage) for step, _, stage in next(iter(curves.values())) if stage == int(stage)]
    notes = []
    for stage in sorted({stage for _, stage in grown}):
        steps = [step for step, here in grown if here == stage]
        notes.append(((steps[0] + steps[-1]) / 2, f"{4 * 2 ** int(stage)} px"))
    lines = {name: [(step, value) for step, value, _ in points] for name, points in curves.items()}
    return line_chart(lines, "steps", metric, notes)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.losses", description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", default=RUNS, help="SWGAN's and WGAN-GP's (default: those of the recipe)")
    parser.add_argument("--out", default="docs/losses.svg", help="the picture")
    options = parser.parse_args()
    found = dict(zip(("SWGAN", "WGAN-GP"), map(curve, options.runs), strict=True))
    metric = next(name for name, _ in found.values())
    Path(options.out).write_text(picture({name: points for name, (_, points) in found.items()}, metric), "utf-8")
    print(f"| step | stage | {' | '.join(found)} |  {metric}")
    for row in zip(*(points for _, points in found.values()), strict=False):
        print(f"| {row[0][0]} | {row[0][2]:.2f} | {' | '.join(f'{value:.1f}' for _, value, _ in row)} |")


if __name__ == "__main__":
    main()
