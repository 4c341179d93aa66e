"""Train and measure the rows of suites; every result is a line of JSON, and what is there is not done again.

A run of every row and seed lies in `runs/`; of seed 0 there is a sample sheet in `sheets/`, too.
"""

import json
import sys
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import VidganError, unknown
from ..metrics.registry import METRICS, Told
from ..training.evaluate import open_split
from ..training.log import read_log
from ..training.sheet import save_sheet, sheet_frames
from ..training.state import ema_generator, load_state, unpack_shown
from ..training.trainer import train
from .suites import SCALES, Row, Suite, budgeted

RESULTS = "results.jsonl"
CURVE = "curve"  #: the line of results that holds what was measured in training, not one of the registry's metrics
POINTS = 4  #: how often that is, a training
#: what data sets are told: faces whose heads stay still, which small networks learn soonest
DATA_OPTIONS = {"expressions": ("bank=4096", "turns=false")}


@dataclass(frozen=True)
class Budget:
    """What every row gets. clips: training clips shown; seeds: trainings of each row, of seeds first, first + 1, ...;
    measured: clips on each side of a distance; batch: clips a step (0: the preset's own)."""

    clips: int = 30_000
    seeds: int = 3
    measured: int = 512
    scale: str = "narrow"
    batch: int = 16
    threads: int = 0
    device: str = "auto"
    first: int = 0

    def __post_init__(self):
        if self.clips < 1 or self.seeds < 1 or self.measured < 2 or min(self.batch, self.first) < 0:
            raise VidganError(
                "A benchmark needs at least 1 clip, 1 seed and 2 measured clips; batch and first seed are not negative."
            )
        if self.scale not in SCALES:
            raise unknown("scale", self.scale, SCALES)


def options_of(row: Row, data: str, seed: int, budget: Budget, folder: Path):
    """The whole training of one row."""
    options = row.options(budget.scale)
    options = replace(
        options, data=data, data_options=DATA_OPTIONS.get(data, ()),
        seed=seed, run=folder, batch=budget.batch or options.batch, threads=budget.threads, device=budget.device,
        precision="bf16", sheet_every=0,
    )  # fmt: skip
    options = budgeted(options, budget.clips)
    return replace(options, evaluate_every=max(1, options.steps // POINTS), evaluate_clips=budget.measured).check()


def slug(suite: str, row: str, data: str, scale: str, budget: int) -> str:
    """What the files of a row are called."""
    plain = "".join(letter if letter.isalnum() else "-" for letter in row.lower())
    return f"{suite}-{plain}-{data}-{scale}-{budget}"


def run(
    suites: list[Suite],
    data: list[str],
    budget: Budget,
    out: Path,
    say: Callable[[str], None] = lambda line: None,
    rows: Collection[str] = (),
) -> list[dict]:
    """All results of these suites on these data sets, as JSON, those of earlier runs in `out` among them.

    out: folder for runs and results.jsonl; a run that was stopped goes on. say: told what begins, a line each time.
    rows: names of those that are trained and measured; none are all. VidganError for one that is in none of the suites.
    """
    known = [row.name for suite in suites for row in suite.rows]
    for name in rows:
        if name not in known:
            raise unknown("row", name, known)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VidganError(f"{out} cannot be made: {error.strerror or error}.") from error
    for suite in suites:
        for name in data:
            for seed in range(budget.first, budget.first + budget.seeds):
                for row in (row for row in suite.rows if not rows or row.name in rows):
                    _row(suite, row, name, seed, budget, out, say)
    return results(out)


def results(out: Path) -> list[dict]:
    """What has been measured so far in a benchmark's folder."""
    try:
        lines = (out / RESULTS).read_text("utf-8").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(json.loads(line))
        except ValueError:  # the line that a kill cut short
            continue
    return found


def _keep(out: Path, line: dict) -> None:
    """One more line, on a line of its own even where the last one was cut short."""
    place = out / RESULTS
    text = place.read_text("utf-8") if place.is_file() else ""
    with place.open("a", encoding="utf-8") as file:
        file.write(("\n" if text and not text.endswith("\n") else "") + json.dumps(line) + "\n")


def _row(suite: Suite, row: Row, data: str, seed: int, budget: Budget, out: Path, say: Callable[[str], None]) -> None:
    """One row of one seed: trained as far as it is not, measured by what has not been."""
    which = {"suite": suite.name, "row": row.name, "data": data, "seed": seed, "budget": budget.clips,
             "scale": budget.scale, "measured": budget.measured}  # fmt: skip
    done = {line["metric"] for line in results(out) if which.items() <= line.items()}
    missing = [name for name in (CURVE, *suite.metrics) if name not in done]
    name = slug(suite.name, row.name, data, budget.scale, budget.clips)
    sheet = out / "sheets" / f"{name}.webp" if seed == 0 else None
    if not missing and (sheet is None or sheet.is_file()):
        return
    folder = out / "runs" / f"{name}-{seed}"
    state = load_state(folder)
    if not missing and state is None:  # measured elsewhere: only the lines came
        return
    options = options_of(row, data, seed, budget, folder)
    if state is None or state[1]["step"] < options.steps:
        say(f"{suite.name}: training {row.name} on {data}, seed {seed}, {options.steps} steps")
        with redirect_stdout(sys.stderr):  # what is printed here is the report alone
            train(options)
        state = load_state(folder)
        if state[1]["step"] < options.steps:
            raise VidganError(f"{folder} was stopped at step {state[1]['step']}; the same command goes on.")
    generator = ema_generator(folder).eval().requires_grad_(False)
    if sheet is not None:
        save_sheet(sheet_frames(generator, rows=2, shown=unpack_shown(state[0]), pictures=False), sheet)
    sources = {}
    for metric in missing:
        say(f"{suite.name}: {metric} of {row.name} on {data}, seed {seed}")
        result = curve(folder) if metric == CURVE else _measured(metric, generator, options, sources, budget)
        line = which | {"metric": metric, "steps": options.steps, "batch": options.batch,
                        "parameters": generator.parameter_count,
                        "train_seconds": round(state[1]["seconds"], 1), "result": result}  # fmt: skip
        _keep(out, line)


def curve(run: Path) -> dict[str, list]:
    """{metric: [[step, value], ...]}: what a run measured on held-out clips while it trained."""
    found: dict[str, list] = {}
    for line in read_log(run, "metrics"):
        for key, value in line.items():
            if key.startswith("test_"):
                found.setdefault(key.removeprefix("test_"), []).append([line["step"], value])
    return found


def _measured(metric: str, generator, options, sources: dict, budget: Budget) -> dict:
    """One metric of the registry; sources: the splits that are open already."""
    for split in METRICS[metric].splits:
        if split not in sources:
            sources[split] = open_split(options, split, generator)
    told = Told(
        clips=budget.measured,
        seed=options.seed,
        videos=max(1, budget.measured // 10),
        points=max(2, budget.measured // 4),
    )
    return METRICS[metric].measure(generator, sources, told).result
