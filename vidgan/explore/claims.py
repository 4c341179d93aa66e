"""What a benchmark found of the papers' claims, read for the page."""

import json
from dataclasses import dataclass
from pathlib import Path

from .measured import METRICS, form, number, start

MAX_BYTES = 8 << 20
VERDICTS = ("confirmed", "refuted", "open")


@dataclass(frozen=True)
class Score:
    """Mean of a metric over the seeds of a row; interval: its 95% interval, None of a single seed."""

    mean: float
    interval: tuple[float, float] | None


@dataclass(frozen=True)
class Claim:
    """A table of a paper on one data set. better: "low" or "high"; metrics: (key, name, form in words), the one that
    decides first; rows: (name, parameters of G, Score or None for each metric); budget: training clips of each row;
    seeds: the fewest that a row has."""

    source: str
    claim: str
    verdict: str
    better: str
    budget: int
    scale: str
    seeds: int
    metrics: tuple[tuple[str, str, str], ...]
    rows: tuple[tuple[str, int, tuple[Score | None, ...]], ...]


def read(path: Path, data: str) -> list[Claim]:
    """The claims that a benchmark.json tests on this data; none where there is no file, or none to be read."""
    try:
        told = json.loads(path.read_text("utf-8")) if path.stat().st_size <= MAX_BYTES else []
    except (OSError, ValueError, RecursionError):
        return []
    found = []
    for one in told if isinstance(told, list) else []:
        try:
            if one["data"] == data:
                found.append(_claim(one))
        except (KeyError, TypeError, ValueError, AttributeError):  # not as the benchmark writes it
            continue
    return found


def _claim(one: dict) -> Claim:
    if one["verdict"] not in VERDICTS:
        raise ValueError(one["verdict"])
    told = {str(name): facts for name, facts in one["rows"].items()}
    keys = list(dict.fromkeys(key for facts in told.values() for key in facts["metrics"] if start(key) in METRICS))
    keys.sort(key=lambda key: not key.startswith(one["decided_by"]) or "moving" in key)
    rows = tuple(
        (name, int(facts["parameters"]), tuple(_score(facts["metrics"].get(key)) for key in keys))
        for name, facts in told.items()
    )
    return Claim(
        str(one["source"]), str(one["claim"]), one["verdict"], "low" if one["lower"] else "high", int(one["budget"]),
        str(one["scale"]), min(int(facts["seeds"]) for facts in told.values()),
        tuple((key, METRICS[start(key)][0], form(key)) for key in keys), rows,
    )  # fmt: skip


def _score(told: dict | None) -> Score | None:
    mean = None if told is None else number(told["mean"])
    if mean is None:
        return None
    pair = [number(value) for value in told["interval"] or ()]
    return Score(mean, tuple(pair) if len(pair) == 2 and None not in pair else None)
