"""The tab Compare in a browser: columns from one seed, numbers by protocol, curves, and a blind test."""

import csv
import json

import numpy as np
import pytest

TWO = "?tab=compare&compare=g3an-expressions,vgan-expressions&seed=5&label=fear"
WITH_MOVER = "?tab=compare&compare=g3an-expressions,imaginator-expressions,vgan-expressions&seed=5&label=fear"


def column(index: int) -> str:
    return f"#vc-columns figure:nth-child({1 + index})"


def stopped(one) -> int:
    """The frame that all columns have stopped at."""
    if one.page.get_attribute("#vc-play", "aria-label") == "Pause":
        one.page.click("#vc-play")
    return int(one.page.get_attribute(f"{column(0)} canvas", "data-frame"))


def test_columns_are_what_python_draws_of_the_seed_and_they_keep_step(comparing, drawn):
    one = comparing(WITH_MOVER)
    assert one.page.inner_text("#vg-facts") == "3 releases trained on drawn faces"
    assert not one.page.is_visible("#vg-release")
    frame = stopped(one)
    for index in range(3):
        address = one.page.get_attribute(f"{column(index)} a", "href").partition("/?")[2].replace("#", "&")
        assert "=5" in address and one.page.get_attribute(f"{column(index)} canvas", "data-frame") == str(frame)
        assert np.array_equal(one.canvas(f"{column(index)} canvas"), drawn(address)[frame])
    words = [one.page.inner_text(f"{column(index)} small") for index in range(3)]
    assert "G3AN · " in words[0] and "animates this picture" in words[1] and "takes no label" in words[2]
    assert one.page.locator(f"{column(1)} img").count() == 1


def test_another_seed_another_label_and_a_link(comparing):
    one = comparing(TWO)
    assert one.link.replace("%2C", ",") == TWO
    before = one.canvas(f"{column(1)} canvas")
    one.page.keyboard.press("r")
    one.page.wait_for_function("!location.search.includes('seed=5&')")
    one.rest()
    assert not np.array_equal(one.canvas(f"{column(1)} canvas"), before)
    one.page.fill("#vc-seed", "7")
    one.page.keyboard.press("Enter")
    one.rest()
    one.page.get_by_role("button", name="anger").click()
    one.page.wait_for_function("location.search.includes('seed=7&label=anger')")
    one.rest()
    stopped(one)
    again = comparing(one.link)
    assert again.link == one.link and again.page.input_value("#vc-seed") == "7"
    one.page.fill("#vc-seed", "many")
    one.page.keyboard.press("Enter")
    one.page.wait_for_selector("#vc-compare [aria-label='Same seed'] > .vg-error", state="visible")
    assert "whole number" in one.error("Same seed") and one.page.input_value("#vc-seed") == "7"


def test_releases_are_chosen_by_chips(comparing):
    one = comparing(TWO)
    one.page.locator("#vc-releases").get_by_role("button", name="imaginator-expressions").click()
    one.page.wait_for_function("document.querySelectorAll('#vc-columns figure').length == 3")
    one.rest()
    assert "label=fear" in one.link
    for name in ("imaginator-expressions", "vgan-expressions"):
        one.page.locator("#vc-releases").get_by_role("button", name=name).click()
        one.page.wait_for_timeout(300)
        one.rest()
    assert "2 to 4 releases can be compared, not 1" in one.error("What to compare")
    assert one.page.locator("#vc-columns figure").count() == 2, "all stays as it was"


def test_the_table_tells_how_each_number_was_measured(comparing):
    one = comparing(WITH_MOVER)
    cells = one.page.locator("#vc-table tbody tr:first-child td")
    assert [cells.nth(index).inner_text().split("\n")[0] for index in range(3)] == ["20.0", "—", "30.0"]
    assert cells.nth(0).get_attribute("class") == "vc-best" and "the best" in cells.nth(0).inner_text()
    assert cells.nth(1).get_attribute("title") == "imaginator-expressions was not measured in this way"
    name = one.page.get_by_role("button", name="Fréchet distance")
    assert "fvd_vidgan-0a_512x16f64" in name.get_attribute("title")
    assert "other real clips 1.50 · real, frozen 50.0" in one.page.inner_text("#vc-table tbody tr:first-child")
    name.focus()
    one.page.keyboard.press("Enter")
    told = one.page.inner_text("#vc-table .vc-how")
    assert "512 clips of 16 frames" in told and "not measured in this way: imaginator-expressions" in told


def test_the_papers_claims_stand_below_with_their_verdicts(comparing):
    one = comparing(TWO)
    told = one.page.inner_text("#vc-claims")
    assert "G3AN < VGAN in FID confirmed" in told and "8,000 training clips each" in told
    rows = one.page.locator("#vc-claims tbody tr")
    assert [rows.nth(index).inner_text().split() for index in range(2)] == [
        ["G3AN", "2.0", "M", "parameters", "20.0", "19.0", "to", "21.0"],
        ["VGAN", "2.0", "M", "parameters", "30.0", "29.0", "to", "31.0"],
    ]


def test_curves_are_plotted_once_they_are_in_sight(comparing):
    one = comparing(TWO, height=500)
    asked = []
    one.page.on("request", lambda request: asked.append(request.url))
    assert not one.page.locator(".js-plotly-plot").count()
    one.page.evaluate("document.querySelector('#vc-training').scrollIntoView()")
    one.page.wait_for_selector("#vc-plot .js-plotly-plot .xy .trace")
    assert any("Plotly" in url for url in asked), "its script is fetched no sooner"
    lines = "document.querySelector('#vc-plot .js-plotly-plot').data.map(({ name, y }) => [name, y[2]])"
    assert one.page.evaluate(lines) == [
        ["g3an-expressions, held-out clips", pytest.approx(23.333)],
        ["vgan-expressions, held-out clips", pytest.approx(33.333)],
    ]
    one.page.select_option("#vc-curve", "losses")
    one.page.wait_for_function("document.querySelectorAll('#vc-plot .js-plotly-plot .trace').length == 4")
    assert "cannot be compared" in one.page.inner_text("#vc-curves-note")


def test_votes_stay_in_the_browser_until_they_are_cleared(comparing):
    one = comparing(TWO)
    one.blind()
    assert "Real ones are among them" in one.page.inner_text("#vc-blind") and not one.page.is_visible("#vc-tally")
    one.page.click(".vc-choice[data-side=right]")
    one.page.wait_for_function("document.querySelector('#vc-votes').textContent == '1 vote'")
    one.blind()
    one.page.keyboard.down("ArrowLeft")
    one.page.keyboard.down("ArrowLeft")  # a key that is held votes once
    one.page.keyboard.up("ArrowLeft")
    one.page.wait_for_function("document.querySelector('#vc-votes').textContent == '2 votes'")
    one.blind()
    one.page.keyboard.press("s")
    one.blind()
    first, second = one.votes
    assert first["chosen"] == first["right"] and second["chosen"] == second["left"]
    assert set(first) == {"time", "data", "left", "right", "chosen", "seeds", "label"}
    assert "chosen" not in one.page.inner_text("#vc-blind"), "the tally is shown when it is asked for"
    one.page.reload()
    one.page.wait_for_selector("#vc-compare.vc-there", state="visible")
    one.blind()
    assert one.page.inner_text("#vc-votes") == "2 votes" and one.votes == [first, second]
    one.page.click("#vc-tally summary")
    assert first["chosen"] in one.page.inner_text("#vc-tallied")
    with one.page.expect_download() as saved:
        one.page.click("#vc-ballots [data-save=json]")
    assert json.loads(saved.value.path().read_text()) == [first, second]
    with one.page.expect_download() as saved:
        one.page.click("#vc-ballots [data-save=csv]")
    rows = list(csv.DictReader(saved.value.path().read_text().splitlines()))
    assert [row["chosen"] for row in rows] == [first["chosen"], second["chosen"]]
    assert rows[0]["seed_left"] == first["seeds"]["left"] and rows[0]["label"] == first["label"]
    one.page.click("#vc-clear")
    assert len(one.votes) == 2, "not without asking"
    one.page.click("#vc-clear")
    assert one.votes == [] and one.page.inner_text("#vc-votes") == ""


def test_a_pair_that_the_server_has_forgotten_is_told_and_another_comes(comparing):
    one = comparing(TWO)
    one.blind()
    one.page.evaluate("window.vidgan.tabs.compare.blind.pair.token = 'forged'")
    one.page.click(".vc-choice[data-side=left]")
    one.page.wait_for_function("document.querySelector('#vc-blind > .vg-error').textContent.includes('had its vote')")
    one.blind()
    assert one.votes == []
    one.page.click(".vc-choice[data-side=left]")
    one.page.wait_for_function("document.querySelector('#vc-votes').textContent == '1 vote'")
    assert one.error("Blind test") == ""


def test_a_tally_of_many_votes(comparing):
    one = comparing(TWO)
    vote = {"time": "t", "data": "expressions", "seeds": {"left": "1", "right": "2"}, "label": "fear"}
    made = [{**vote, "left": "a", "right": "b", "chosen": "a"}] * 3 + [
        {**vote, "left": "b", "right": "a", "chosen": "b"}
    ]
    elsewhere = {**vote, "data": "weizmann", "left": "a", "right": "c", "chosen": "c"}
    one.page.evaluate("(text) => localStorage.setItem('vidgan.votes', text)", json.dumps([*made, elsewhere, 3, None]))
    one.page.reload()
    one.page.wait_for_selector("#vc-compare.vc-there", state="visible")
    one.page.click("#vc-tally summary")
    rows = one.page.locator("#vc-tallied tbody tr")
    assert [rows.nth(index).inner_text().split("\t") for index in range(2)] == [
        ["a", "75% of 4", "", "75% of 4"],
        ["b", "25% of 4", "25% of 4", ""],
    ]


def test_takes_it_home(comparing):
    one = comparing(TWO, permissions=["clipboard-read", "clipboard-write"])
    with one.page.expect_download() as saved:
        one.page.click("#vc-save [data-save=webp]")
    assert saved.value.suggested_filename == "expressions-5.webp"
    one.page.click("#vg-copy summary")
    one.page.click("[data-copy=cli]")
    one.page.wait_for_selector("[data-copy=cli]:has-text('Copied')")
    lines = one.page.evaluate("navigator.clipboard.readText()").splitlines()
    assert [line.split()[2] for line in lines] == ["g3an-expressions", "vgan-expressions"]
    assert "--appearance-seed 5 --motion-seed 5 --label fear" in lines[0] and "--seeds noise=5" in lines[1]


def test_a_bad_link_is_explained_and_something_is_there(comparing):
    one = comparing("?tab=compare&compare=g3an-expressions,g3an-plain")
    assert "the same data" in one.error("What to compare") and "Here are others instead." in one.error(
        "What to compare"
    )
    assert one.page.locator("#vc-columns figure").count() == 2


def test_other_tabs_get_their_header_back(comparing):
    one = comparing(TWO)
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    assert one.page.is_visible("#vg-release") and "16 frames" in one.page.inner_text("#vg-facts")
    assert one.query.startswith("release=g3an-expressions&")
    one.turn("Compare")
    one.page.wait_for_function("location.search.includes('compare=')")
    assert one.link.replace("%2C", ",") == TWO


@pytest.mark.parametrize("width, height", [(390, 844), (768, 1024)])
def test_compare_fits_narrow_windows_in_the_dark(comparing, width, height):
    one = comparing(TWO, width=width, height=height, color_scheme="dark")
    one.blind()
    one.fits(width)


def test_explore_shows_the_layers_of_a_clip(visit, drawn):
    one = visit("?release=vgan-expressions&seed.noise=5&frames=16")
    one.page.wait_for_selector("#vg-views figure:nth-child(4) button:not(:disabled)")
    captions = [one.page.inner_text(f"#vg-views figure:nth-child({1 + i}) span") for i in range(4)]
    assert captions == ["all of it", "foreground", "mask", "background"]
    one.page.click("#vg-views figure:nth-child(3) button")
    one.page.wait_for_function("location.search.includes('view=mask')")
    one.rest()
    assert np.array_equal(one.pixels(4), drawn("release=vgan-expressions&seed.noise=5&view=mask&frames=16")[4])
    one.page.click("#vg-views figure:nth-child(1) button")
    one.page.wait_for_function("!location.search.includes('view=')")
    one.page.select_option("#vg-release", "g3an-expressions")
    one.page.wait_for_selector("#vg-layers", state="hidden")
