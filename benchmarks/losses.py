"""python -m benchmarks.losses [RUN ...] [--out FILE]: the curves of Progressive Video GAN's two losses, as a picture.

Reads the logs of recipes/progressive-losses.sh; the figure is the Fréchet distance to held-out clips over the training.
"""

import argparse
from pathlib import Path

from vidgan.training.log import read_log

RUNS = ("runs/progressive-swgan", "runs/progressive-wgan-gp")
COLOURS = ("#2f6fb5", "#c4572d")
WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 720, 300, 52, 44, 16, 150

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
    """SVG: a line for each, the stages of growth behind them."""
    last = max(step for points in curves.values() for step, _, _ in points)
    top = max(value for points in curves.values() for _, value, _ in points)
    tick = next(size for size in (5, 10, 20, 25, 50, 100, 200, 500) if top / size <= 7)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * step / last

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / (tick * -(-top // tick))

    parts = [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>']
    for value in range(0, int(top + tick), tick):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value}</text>')
    grown = [(step, stage) for step, _, stage in next(iter(curves.values())) if stage == int(stage)]
    for stage in sorted({stage for _, stage in grown}):
        steps = [step for step, here in grown if here == stage]
        middle = x((steps[0] + steps[-1]) / 2)
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 24}" text-anchor="middle">{4 * 2 ** int(stage)} px</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 6}" text-anchor="middle">{last} steps</text>')
    for points, colour in zip(curves.values(), COLOURS, strict=True):
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value, _ in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    free = float("inf")  # names stand one above the other, the larger value higher
    for (name, points), colour in sorted(zip(curves.items(), COLOURS), key=lambda pair: pair[0][1][-1][1]):
        value = points[-1][1]
        free = min(free - 16, y(value) + 4)
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{free:.1f}" fill="{colour}">{name} {value:.1f}</text>')
    parts.append(f"<title>{metric}</title>")
    style = 'font-family="sans-serif" font-size="12" fill="#555"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {style}>{"".join(parts)}</svg>\n'


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
