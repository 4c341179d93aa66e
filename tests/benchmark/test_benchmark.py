"""The benchmark: equal terms, verdicts by hand numbers, and a whole run of two small rows."""

import dataclasses
import json
from xml.etree import ElementTree

import pytest
from PIL import Image
from scipy import stats

from vidgan import VidganError, cli
from vidgan.benchmark import report
from vidgan.benchmark.plot import line_chart
from vidgan.benchmark.report import Cell, difference, markdown, summary, verdict
from vidgan.benchmark.run import Budget, options_of, results, run
from vidgan.benchmark.suites import SUITES, Row, Suite, budgeted, find_suites
from vidgan.explore import claims
from vidgan.models import build
from vidgan.training.state import load_state


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One small bank of drawn clips for all tests of a session."""
    folder = tmp_path_factory.getbasetemp() / "vidgan-cache"
    monkeypatch.setenv("VIDGAN_CACHE", str(folder))


ROWS = [(suite, row) for suite in SUITES.values() for row in suite.rows]


@pytest.mark.parametrize(("suite", "row"), ROWS, ids=[f"{suite.name} {row.name}" for suite, row in ROWS])
@pytest.mark.parametrize("scale", ["narrow", "paper"])
def test_every_row_is_a_training_within_the_budget(suite, row, scale, tmp_path):
    budget = Budget(clips=3200, scale=scale, batch=16 if scale == "narrow" else 0)
    options = options_of(row, "expressions", 1, budget, tmp_path)
    shown = sum(options.moment(step).batch for step in range(options.steps))
    parts = 2 * len(options.sizes) - 1 if options.grows else 1
    assert 0 <= 3200 - shown < options.batch or (options.grows and abs(3200 - shown) <= parts * 4 * options.batch)
    assert (options.data, options.seed, options.run) == ("expressions", 1, tmp_path)


def test_generators_of_a_table_are_about_as_large_at_the_narrow_scale():
    for name in ("baselines", "image-to-video"):
        sizes = {}
        for row in SUITES[name].rows:
            options = row.options("narrow")
            classes = 6 if options.conditional else 0
            model = dataclasses.asdict(dataclasses.replace(options.model, classes=classes))
            sizes[row.name] = build(row.architecture, **model).parameter_count
        assert min(sizes.values()) > 1.5e6 and max(sizes.values()) < 2.4e6, sizes


def test_rows_differ_in_nothing_but_what_they_are_named_after():
    whole = SUITES["streams"].rows[0].options("narrow")
    for row in SUITES["streams"].rows[1:]:
        other = row.options("narrow")
        assert other.recipe == whole.recipe
        before, after = (dataclasses.asdict(one.model) for one in (whole, other))
        assert len([key for key in before if before[key] != after[key]]) == 1


def test_the_papers_scale_has_the_papers_widths():
    wide = {suite.name: suite.rows[0].options("paper").model.width for suite in SUITES.values()}
    assert wide["baselines"] == wide["image-to-video"] == 64 and wide["sliced"] == 128
    with pytest.raises(VidganError, match="did you mean paper"):
        Budget(scale="papers")


def test_budgets_that_are_no_step_are_refused():
    with pytest.raises(VidganError, match="less than one batch"):
        budgeted(SUITES["baselines"].rows[0].options("narrow"), 3)
    with pytest.raises(VidganError, match="at least 1 clip"):
        Budget(clips=0)
    with pytest.raises(VidganError, match="first seed"):
        Budget(first=-1)


def test_unknown_suites_suggest_the_right_ones():
    assert find_suites("all") == [*SUITES.values()]
    assert [suite.name for suite in find_suites("streams,baselines,streams")] == ["streams", "baselines"]
    with pytest.raises(VidganError, match="did you mean baselines"):
        find_suites("baseline")


def test_a_claim_is_about_the_rows_of_its_suite():
    with pytest.raises(VidganError, match="not about its rows"):
        dataclasses.replace(SUITES["baselines"], order=(("G3AN",), ("VGAN",)))


# ------------------------------------------------------------------------------------------------ verdicts


def test_differences_are_welchs():
    one, other = (3.1, 2.9, 3.4, 3.0), (2.2, 2.9, 1.8)
    low, high = difference(Cell(one), Cell(other))
    expected = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert low <= expected.low and high >= expected.high  # degrees of freedom are rounded down
    assert (low + high) / 2 == pytest.approx((expected.low + expected.high) / 2)
    assert high - low < 1.5 * (expected.high - expected.low)
    assert difference(Cell((1.0,)), Cell(other)) is None
    assert difference(Cell((1.0, 1.0)), Cell((0.5, 0.5))) == (0.5, 0.5)


def test_a_cell_tells_students_interval():
    values = (3.1, 2.9, 3.4)
    expected = stats.t.interval(0.95, 2, loc=sum(values) / 3, scale=stats.sem(values))
    assert Cell(values).interval == pytest.approx(expected, rel=1e-3)
    assert Cell(values).text == "3.13 (2.51 to 3.76)" and Cell((0.5,)).text == "0.5"


def test_a_chart_has_lines_where_their_values_are():
    text = line_chart({"A < B": [(0, 0.0), (10, 4.0)], "C": [(0, 2.0), (10, 2.0)]}, "steps", "fvd_", [(5, "half")])
    lines = [path.split('"')[1] for path in text.split("<polyline points=")[1:]]
    (left, bottom), (right, top) = (map(float, point.split(",")) for point in lines[0].split())
    middle = [float(point.split(",")[1]) for point in lines[1].split()]
    assert left < right and top < bottom and middle == pytest.approx([(top + bottom) / 2] * 2, abs=0.1)
    assert "A &lt; B 4.0" in text and ">half<" in text and ElementTree.fromstring(text) is not None
    for wrong in ({}, {"empty": []}):
        with pytest.raises(ValueError, match="A chart has"):
            line_chart(wrong, "steps", "fvd_")


def around(value: float) -> Cell:
    return Cell((value - 0.1, value, value + 0.1))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1, 2, 3, 4), "confirmed"),
        ((1, 2, 3, 2.9), "open"),
        ((1, 2, 4, 3), "refuted"),
        ((1, 1.05, 3, 4), "open"),
    ],
)
def test_a_claim_is_confirmed_pair_by_pair(values, expected):
    suite = SUITES["baselines"]
    cells = dict(zip(("G3AN", "MoCoGAN", "TGAN", "VGAN"), map(around, values), strict=True))
    assert verdict(suite, cells) == expected
    turned = dataclasses.replace(suite, lower=False)
    negated = {row: Cell(tuple(-value for value in cell.values)) for row, cell in cells.items()}
    assert verdict(turned, negated) == expected


def test_no_worse_is_confirmed_by_a_tie_and_refuted_by_the_opposite():
    suite = SUITES["sliced"]
    for other, expected in ((2.0, "confirmed"), (1.05, "confirmed"), (0.5, "refuted")):
        assert verdict(suite, {"SWGAN": around(1.0), "WGAN-GP": around(other)}) == expected


def test_rows_of_one_group_are_not_compared():
    cells = {"G3AN": around(1), "without G_S": around(9), "without G_T": around(2), "without F-SA": around(5)}
    assert verdict(SUITES["streams"], cells) == "confirmed"


def test_a_missing_row_or_a_single_seed_leaves_a_claim_open():
    assert verdict(SUITES["sliced"], {"SWGAN": around(1)}) == "open"
    assert verdict(SUITES["sliced"], {"SWGAN": Cell((1.0,)), "WGAN-GP": Cell((2.0,))}) == "open"


# ------------------------------------------------------------------------------------------------ a whole run


@pytest.fixture
def small(monkeypatch):
    """A suite of two rows that takes seconds."""
    thin = (("width", 2),)
    suite = Suite(
        "small", "nobody, Table 0", "MoCoGAN < TGAN in FID",
        (Row("MoCoGAN", "mocogan", "paper-ema", narrow=thin, conditional=False),
         Row("TGAN", "tgan", "fast-ema", narrow=thin, conditional=False)),
        (("MoCoGAN",), ("TGAN",)), "fvd_", ("distance", "ppl"),
    )  # fmt: skip
    monkeypatch.setitem(SUITES, "small", suite)
    return suite


def test_a_benchmark_trains_measures_and_reports(small, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("vidgan.benchmark.run.DATA_OPTIONS", {"expressions": ("bank=48", "identities=16")})
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(tmp_path / "checkpoints"))
    line = f"benchmark --suite small --budget 8 --batch 4 --clips 8 --seeds 2 --threads 1 --out {tmp_path} --publish"
    assert cli.main(line.split()) == 0
    printed = capsys.readouterr().out
    lines = results(tmp_path)
    assert [(one["row"], one["seed"], one["metric"]) for one in lines] == [
        (row, seed, metric) for seed in (0, 1) for row in ("MoCoGAN", "TGAN") for metric in ("curve", "distance", "ppl")
    ]
    assert all(one["steps"] == 2 and one["budget"] == 8 for one in lines)
    (found,) = json.loads((tmp_path / "benchmark.json").read_text())
    assert found["verdict"] in ("confirmed", "refuted", "open") and found["data"] == "expressions"
    row = found["rows"]["TGAN"]
    (fvd,) = [values for name, values in row["metrics"].items() if name.startswith("fvd_")]
    assert len(fvd["values"]) == 2 and row["seeds"] == 2 and row["parameters"] > 0
    (claim,) = claims.read(tmp_path / "checkpoints" / "benchmark.json", "expressions")
    assert (claim.claim, claim.verdict, claim.seeds) == ("MoCoGAN < TGAN in FID", found["verdict"], 2)
    assert claim.metrics[0][0].startswith("fvd_") and [name for name, *_ in claim.rows] == ["MoCoGAN", "TGAN"]
    assert claim.rows[1][2][0].mean == fvd["mean"] == sum(fvd["values"]) / 2
    text = (tmp_path / "docs" / "benchmark.md").read_text()
    pictures = [line for line in text.splitlines() if "](benchmark/" in line]
    shown = {picture.split("](")[1].split(")")[0] for picture in pictures}
    chart, *sheets = sorted(shown, key=lambda name: name.endswith(".webp"))
    assert len(sheets) == 2 and all(Image.open(tmp_path / "docs" / sheet).n_frames == 16 for sheet in sheets)
    assert ElementTree.fromstring((tmp_path / "docs" / chart).read_text()).tag.endswith("svg")
    said = [line for line in text.splitlines() if line.strip() and line not in pictures]
    assert [line for line in printed.splitlines() if line.strip()] == said[:-3]  # "What seed 0 draws:" and its head
    assert [step for step, _ in row["curve"]] == [1, 2] and all(value > 0 for _, value in row["curve"])
    assert f"MoCoGAN < TGAN in FID: **{found['verdict']}**" in text and "--suite small" in text
    trained = {folder.name: load_state(folder)[1]["step"] for folder in (tmp_path / "runs").iterdir()}
    assert len(trained) == 4 and set(trained.values()) == {2}

    before = (tmp_path / "results.jsonl").read_text()
    assert cli.main([*line.split(), "--json"]) == 0  # nothing is done twice
    assert (tmp_path / "results.jsonl").read_text() == before
    assert (tmp_path / "docs" / "benchmark" / "results.jsonl").read_text() == before


def test_a_benchmark_goes_on_elsewhere_from_its_results_alone(small, tmp_path, monkeypatch):
    monkeypatch.setattr("vidgan.benchmark.run.DATA_OPTIONS", {"expressions": ("bank=48", "identities=16")})
    here, there = tmp_path / "here", tmp_path / "there"
    budget = Budget(clips=8, seeds=1, measured=8, batch=4, threads=1)
    run([small], ["expressions"], budget, here)
    there.mkdir()
    (there / "results.jsonl").write_text((here / "results.jsonl").read_text())
    told = []
    second = dataclasses.replace(budget, first=1)
    found = run([small], ["expressions"], second, there, told.append, ["TGAN"])
    assert {line["row"] for line in found if line["seed"] == 1} == {"TGAN"}, "shared out row by row, too"
    assert len(markdown(summary(found), "vidgan benchmark").split("| TGAN |")) == 2
    found = run([small], ["expressions"], second, there, told.append, ["MoCoGAN"])
    with pytest.raises(VidganError, match="did you mean TGAN"):
        run([small], ["expressions"], second, there, told.append, ["TGANN"])
    assert sorted({line["seed"] for line in found}) == [0, 1] and len(found) == 12
    assert not any("seed 0" in line for line in told)
    told.clear()
    run([small], ["expressions"], dataclasses.replace(budget, seeds=2), there, told.append)
    assert told == []  # of seed 0 there is no sheet, and no run either: it is not trained again for a picture


def test_a_line_cut_short_is_measured_again(small, tmp_path, monkeypatch):
    monkeypatch.setattr("vidgan.benchmark.run.DATA_OPTIONS", {"expressions": ("bank=48", "identities=16")})
    budget = Budget(clips=8, seeds=1, measured=8, batch=4, threads=1)
    told = []
    run([small], ["expressions"], budget, tmp_path, told.append)
    place = tmp_path / "results.jsonl"
    place.write_text(place.read_text()[:-40])
    told.clear()
    found = run([small], ["expressions"], budget, tmp_path, told.append)
    assert told == ["small: ppl of TGAN on expressions, seed 0"]
    assert len(found) == 6 and len(summary(found)) == 1
    told.clear()
    again = run([small], ["expressions"], dataclasses.replace(budget, measured=6), tmp_path, told.append)
    assert len(again) == 12 and not any("training" in line for line in told)  # another measurement of the same networks
    assert "| TGAN |" in markdown(report.summary(found), "vidgan benchmark")


def test_the_command_lists_what_there_is(capsys):
    assert cli.main(["benchmark", "--list"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in SUITES)
    assert cli.main(["benchmark", "--suite", "all", "--budget", "1", "--out", "/dev/null/nowhere"]) == 2
