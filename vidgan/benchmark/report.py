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

from ..files import write_atomic
from .suites import SUITES, Suite

#: two-sided 95% quantiles of Student's t for 1, 2, ... degrees of freedom; beyond them, the last
STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131)


@dataclass(frozen=True)
class Cell:
    """A metric of a row: its values over the seeds."""

    values: tuple[float, ...]

    @property
    def text(self) -> str:
        spread = f" ± {math.sqrt(variance(self.values)):.2g}" if len(self.values) > 1 else ""
        return f"{mean(self.values):.3g}{spread}"


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
    """The results by suite, data and budget, as JSON: rows with their metrics (values over seeds, and their mean),
    the claim and its verdict."""
    groups: dict[tuple, list[dict]] = {}
    for line in lines:
        groups.setdefault((line["suite"], line["data"], line["budget"], line["scale"], line["measured"]), []).append(
            line
        )
    found = []
    for (name, data, budget, scale, _), members in groups.items():
        suite = SUITES[name]
        rows = {}
        for row in suite.rows:
            mine = [line for line in members if line["row"] == row.name]
            if not mine:
                continue
            values: dict[str, list[float]] = {}
            for line in mine:
                for metric, value in line["result"].items():
                    if _is_score(metric, value):
                        values.setdefault(metric, []).append(value)
            first = mine[0]
            rows[row.name] = {
                "parameters": first["parameters"], "steps": first["steps"], "batch": first["batch"],
                "train_seconds": round(mean({line["seed"]: line["train_seconds"] for line in mine}.values()), 1),
                "seeds": len({line["seed"] for line in mine}),
                "metrics": {metric: {"values": scores, "mean": mean(scores)} for metric, scores in values.items()},
            }  # fmt: skip
        cells = {
            row: Cell(tuple(scores["values"]))
            for row, facts in rows.items()
            for metric, scores in facts["metrics"].items()
            if metric.startswith(suite.metric) and "moving" not in metric
        }
        found.append({
            "suite": name, "source": suite.source, "claim": suite.claim, "data": data, "budget": budget,
            "scale": scale, "rows": rows, "decided_by": suite.metric, "verdict": verdict(suite, cells),
        })  # fmt: skip
    return found


#: what counts as a score among the entries of a result
SCORES = ("fvd_", "kvd_", "s3_", "is_", "memorisation_", "ppl_all", "ssim_", "psnr_", "acd_")


def _is_score(name: str, value: object) -> bool:
    return name.startswith(SCORES) and isinstance(value, int | float) and not isinstance(value, bool)


HEAD = """# Benchmark

The papers' tables on equal terms: the rows of a table see as many training clips, in batches of one size, and their
generators have about as many parameters. Numbers are means over seeds, of training and of measuring alike, ± the
standard deviation over seeds; metrics and their protocols are those of [metrics.md](metrics.md). A claim is *confirmed*
where the 95% interval of every difference that it names (Welch's, over seeds) is on its side of 0, *refuted* where one
is on the other, *open* otherwise."""


def markdown(found: list[dict], command: str) -> str:
    """The page docs/benchmark.md."""
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
            scores = row["metrics"]
            cells = [Cell(tuple(scores[key]["values"])).text if key in scores else "" for key in metrics]
            minutes = row["train_seconds"] / 60
            lines.append(
                f"| {name} | {row['parameters']:,} | {row['steps']:,} of {row['batch']} | {minutes:.1f} "
                f"| {row['seeds']} | {' | '.join(cells)} |"
            )
    return "\n".join([*lines, ""])


def write(lines: list[dict], out: Path, page: Path | None, command: str) -> list[dict]:
    """benchmark.json in `out`, and the page where one is wanted; returns what benchmark.json holds."""
    found = summary(lines)
    write_atomic(out / "benchmark.json", (json.dumps(found, indent=2) + "\n").encode())
    if page is not None:
        write_atomic(page, markdown(found, command).encode())
    return found
