"""What the page shows of a benchmark is what the benchmark wrote, and a damaged file shows nothing."""

import json
from pathlib import Path

import pytest

from vidgan.benchmark.report import summary
from vidgan.benchmark.suites import SUITES
from vidgan.explore import claims

KEY = "fvd_vidgan-0a_512x16f64"


def results(values: dict[str, tuple[float, ...]], data: str = "expressions") -> list[dict]:
    """Lines of results.jsonl: a Fréchet distance of each row of `baselines`, for each seed."""
    same = {"suite": "baselines", "data": data, "budget": 800, "scale": "narrow", "measured": 512, "steps": 50}
    return [
        same | {"row": row, "seed": seed, "metric": "distance", "batch": 16, "parameters": 2_000_000,
                "train_seconds": 60.0, "result": {KEY: value, "real_clips": 512, "rank_deficient": False}}
        for row, scores in values.items() for seed, value in enumerate(scores)
    ]  # fmt: skip


VALUES = {"G3AN": (10, 11, 12), "MoCoGAN": (20, 21, 22), "TGAN": (30, 31, 32), "VGAN": (40, 41, 42)}


def written(folder, found) -> Path:
    place = folder / "benchmark.json"
    place.write_text(json.dumps(found))
    return place


def test_a_claim_is_read_as_it_was_found(tmp_path):
    place = written(tmp_path, summary(results(VALUES) + results(VALUES, "weizmann")))
    (claim,) = claims.read(place, "expressions")
    suite = SUITES["baselines"]
    assert (claim.source, claim.claim, claim.verdict) == (suite.source, suite.claim, "confirmed")
    assert (claim.better, claim.budget, claim.seeds) == ("low", 800, 3)
    assert claim.metrics == ((KEY, "Fréchet distance", "512 clips of 16 frames, 64×64"),)
    assert [(name, scores[0].mean) for name, _, scores in claim.rows] == [
        ("G3AN", 11), ("MoCoGAN", 21), ("TGAN", 31), ("VGAN", 41)
    ]  # fmt: skip
    low, high = claim.rows[0][2][0].interval
    assert low == pytest.approx(11 - 4.303 / 3**0.5, abs=1e-3) and low + high == 22
    assert claims.read(place, "sprites") == []


def test_a_single_seed_has_no_interval(tmp_path):
    place = written(tmp_path, summary(results({name: scores[:1] for name, scores in VALUES.items()})))
    (claim,) = claims.read(place, "expressions")
    assert claim.verdict == "open" and claim.seeds == 1 and claim.rows[0][2][0].interval is None


DAMAGED = ("", "{", "[" * 9000, "3", '{"data": "expressions"}', '[null, 3, {"data": "expressions"}]')


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_files_show_nothing(tmp_path, text):
    (tmp_path / "benchmark.json").write_text(text)
    assert claims.read(tmp_path / "benchmark.json", "expressions") == []


def test_a_damaged_table_leaves_the_others(tmp_path):
    good, *_ = summary(results(VALUES))
    broken = [good | {"verdict": "<b>"}, good | {"rows": {"G3AN": 3}}, good | {"rows": {}}]
    assert len(claims.read(written(tmp_path, [*broken, good]), "expressions")) == 1
    assert claims.read(tmp_path / "nowhere", "expressions") == []
