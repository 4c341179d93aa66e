"""What a benchmark found: a table for each suite, and each claim confirmed, refuted or left open, with its figures.

A row's number is the mean over seeds. Of two rows, one is better where the 95% interval of the difference of their
means (Welch's, as rows differ in how much seeds vary) lies on its side of 0; a claim is confirmed where this holds for
all of its pairs (where the paper says "no worse": where the other way round is not found), refuted where a pair is the
other way round, and open otherwise. One seed decides nothing.
"""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, variance

from .. import hub
from ..files import write_atomic
from .plot import line_chart
from .run import CURVE, RESULTS, slug
from .suites import SUITES, Suite

#: two-sided 95% quantiles of Student's t for 1, 2, ... degrees of freedom; beyond them, the last
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131)


@dataclass(frozen=True)
class Cell:
    """A metric of a row: its values over the seeds."""

    values: tuple[float, ...]

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95% interval of the mean (Student's); None of a single seed."""
        if len(self.values) < 2:
            return None
        freedom = len(self.values) - 1
        reach = STUDENT[min(len(STUDENT), freedom) - 1] * math.sqrt(variance(self.values) / len(self.values))
        return mean(self.values) - reach, mean(self.values) + reach

    @property
    def text(self) -> str:
        between = " ({:.3g} to {:.3g})".format(*self.interval) if self.interval else ""
        return f"{mean(self.values):.3g}{between}"


def difference(one: Cell, other: Cell) -> tuple[float, float] | None:
    """The 95% interval of mean(one) - mean(other); None where either has a single seed."""
    if min(len(one.values), len(other.values)) < 2:
        return None
    parts = [variance(cell.values) / len(cell.values) for cell in (one, other)]
    middle, total = mean(one.values) - mean(other.values), sum(parts)
    if total == 0:
        return middle, middle
    freedom = total**2 / sum(part**2 / (len(cell.values) - 1) for part, cell in zip(parts, (one, other), strict=True))
    reach = STUDENT[min(len(STUDENT), max(1, int(freedom))) - 1] * math.sqrt(total)
    return middle - reach, middle + reach


def verdict(suite: Suite, cells: dict[str, Cell]) -> str:
    """ "confirmed", "refuted" or "open", of the suite's claim; cells: its metric by row."""
    seen = []
    for better, worse in suite.pairs():
        if better not in cells or worse not in cells:
            return "open"
        interval = difference(cells[worse], cells[better])
        if interval is None:
            return "open"
        low, high = interval if suite.lower else (-interval[1], -interval[0])
        may_tie = worse in suite.ties
        seen.append("wrong" if high < 0 else "right" if low > 0 or may_tie else "open")
    if "wrong" in seen:
        return "refuted"
    return "confirmed" if all(one == "right" for one in seen) else "open"


def summary(lines: list[dict]) -> list[dict]:
    """The results by suite, data and budget, as JSON: rows with their metrics (values over seeds, their mean and its
    interval) and the curve of the one that decides, the claim and its verdict."""
    groups: dict[tuple, list[dict]] = {}
    for line in lines:
        groups.setdefault(tuple(line[name] for name in WHOLE), []).append(line)
    found = []
    for whole, members in groups.items():
        suite = SUITES[whole[0]]
        rows = {row.name: [line for line in members if line["row"] == row.name] for row in suite.rows}
        facts = {name: _facts(suite, mine) for name, mine in rows.items() if mine}
        cells = {
            row: Cell(tuple(scores["values"]))
            for row, told in facts.items()
            for metric, scores in told["metrics"].items()
            if _decides(suite.metric, metric)
        }
        found.append(
            dict(zip(WHOLE, whole, strict=True))
            | {"source": suite.source, "claim": suite.claim, "rows": facts, "decided_by": suite.metric}
            | {"lower": suite.lower, "verdict": verdict(suite, cells)}
        )
    return found


#: what results have in common that stand in one table
WHOLE = ("suite", "data", "budget", "scale", "measured")


def _decides(start: str, metric: str) -> bool:
    return metric.startswith(start) and "moving" not in metric


def _facts(suite: Suite, lines: list[dict]) -> dict:
    """A row's, from its results."""
    values: dict[str, list[float]] = {}
    curves: dict[int, list[float]] = {}  # step -> values over the seeds
    for line in lines:
        if line["metric"] == CURVE:
            for step, value in next((line["result"][key] for key in line["result"] if _decides(suite.metric, key)), ()):
                curves.setdefault(step, []).append(value)
            continue
        for metric, value in line["result"].items():
            if _is_score(metric, value):
                values.setdefault(metric, []).append(value)
    first, seconds = lines[0], {line["seed"]: line["train_seconds"] for line in lines}
    metrics = {metric: Cell(tuple(scores)) for metric, scores in values.items()}
    return {
        "parameters": first["parameters"], "steps": first["steps"], "batch": first["batch"],
        "train_seconds": round(mean(seconds.values()), 1), "seeds": len(seconds),
        "metrics": {
            metric: {"values": list(cell.values), "mean": mean(cell.values), "interval": cell.interval}
            for metric, cell in metrics.items()
        },
        "curve": [[step, mean(scores)] for step, scores in sorted(curves.items()) if len(scores) == len(seconds)],
    }  # fmt: skip


#: what counts as a score among the entries of a result
SCORES = ("fvd_", "kvd_", "s3_", "is_", "memorisation_", "ppl_all", "ssim_", "psnr_", "acd_")


def _is_score(name: str, value: object) -> bool:
    return name.startswith(SCORES) and isinstance(value, int | float) and not isinstance(value, bool)


HEAD = """# Benchmark

The papers' tables on equal terms: the rows of a table see as many training clips, in batches of one size, and their
generators have about as many parameters. Numbers are means over seeds, of training and of measuring alike, with the 95%
interval of the mean (Student's, over seeds) where there is more than one; metrics and their protocols are those of
[metrics.md](metrics.md). A claim is *confirmed* where the 95% interval of every difference that it names (Welch's, over
seeds) is on its side of 0, *refuted* where one is on the other, *open* otherwise."""

PICTURES = "benchmark"  #: the folder of charts and sheets, beside the page


def markdown(found: list[dict], command: str, pictures: Path | None = None) -> str:
    """The page docs/benchmark.md. pictures: the folder of charts and sheets; those that are there are shown."""
    lines = [*HEAD.splitlines(), "", "```bash", command, "```"]
    for one in found:
        lines += ["", f"## {one['source']}, on {one['data']}", "", f"{one['claim']}: **{one['verdict']}**.", ""]
        metrics = list(dict.fromkeys(name for row in one["rows"].values() for name in row["metrics"]))
        lines += [
            f"{one['budget']:,} training clips for each row, {one['scale']} scale.",
            "",
            f"| | parameters of G | steps | minutes | seeds | {' | '.join(f'`{name}`' for name in metrics)} |",
            "|---" * (5 + len(metrics)) + "|",
        ]
        for name, row in one["rows"].items():
            cells = [
                Cell(tuple(row["metrics"][key]["values"])).text if key in row["metrics"] else "" for key in metrics
            ]
            minutes = row["train_seconds"] / 60
            lines.append(
                f"| {name} | {row['parameters']:,} | {row['steps']:,} of {row['batch']} | {minutes:.1f} "
                f"| {row['seeds']} | {' | '.join(cells)} |"
            )
        if pictures is not None:
            lines += _pictures(one, pictures)
    return "\n".join([*lines, ""])


def _pictures(one: dict, folder: Path) -> list[str]:
    """The lines that show a table's chart and its sheets, of those that are in the folder."""
    lines, chart = [], f"{_table(one)}.svg"
    if (folder / chart).is_file():
        lines += ["", f"![`{_deciding(one)}` of held-out clips over the steps]({PICTURES}/{chart})"]
    sheets = {name: f"{slug(*_row_of(one, name))}.webp" for name in one["rows"]}
    sheets = {name: sheet for name, sheet in sheets.items() if (folder / sheet).is_file()}
    if sheets:
        lines += ["", "What seed 0 draws:", "", "| | |", "|---|---|"]
        lines += [f"| {name} | ![clips of {name}]({PICTURES}/{sheet}) |" for name, sheet in sheets.items()]
    return lines


def _deciding(one: dict) -> str:
    """The metric that decides a table, with its protocol where a row has been measured by it."""
    names = (name for row in one["rows"].values() for name in row["metrics"])
    return next((name for name in names if _decides(one["decided_by"], name)), one["decided_by"])


def _table(one: dict) -> str:
    return f"{one['suite']}-{one['data']}-{one['scale']}-{one['budget']}"


def _row_of(one: dict, row: str) -> tuple:
    return one["suite"], row, one["data"], one["scale"], one["budget"]


def write(lines: list[dict], out: Path) -> list[dict]:
    """benchmark.json in `out`; returns what it holds."""
    found = summary(lines)
    write_atomic(out / hub.BENCHMARK, (json.dumps(found, indent=1) + "\n").encode())
    return found


def publish(found: list[dict], out: Path, command: str) -> None:
    """docs/benchmark.md, with charts and the results and sheets of `out` in docs/benchmark/, beside the folder of
    releases; and benchmark.json among them, for the page."""
    folder = hub.checkpoints().parent / "docs" / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for one in found:
        curves = {name: row["curve"] for name, row in one["rows"].items() if row["curve"]}
        if curves:
            chart = line_chart(curves, "steps", _deciding(one))
            write_atomic(folder / f"{_table(one)}.svg", chart.encode())
        for name in one["rows"]:
            sheet = out / "sheets" / f"{slug(*_row_of(one, name))}.webp"
            if sheet.is_file():
                write_atomic(folder / sheet.name, sheet.read_bytes())
    if (out / RESULTS).is_file():
        write_atomic(folder / RESULTS, (out / RESULTS).read_bytes())
    write_atomic(folder.parent / "benchmark.md", markdown(found, command, folder).encode())
    write_atomic(hub.checkpoints() / hub.BENCHMARK, (out / hub.BENCHMARK).read_bytes())
