"""A visitor's hand on the page: every control does what it says, and what it shows is what Python makes."""

import io
import itertools

import numpy as np
import pytest


def test_opens_moving_and_shows_what_python_makes(visit, drawn):
    one = visit()
    before = one.page.get_attribute("#vg-player", "data-frame")
    one.page.wait_for_function(f"document.getElementById('vg-player').dataset.frame !== '{before}'")
    frames = drawn(one.query)
    assert frames.std() > 20
    for frame in (0, 7, 15):
        assert np.array_equal(one.pixels(frame), frames[frame])
    status = one.page.inner_text("#vg-status")
    assert "model" in status or "from memory" in status
    assert "ms picture" in status and "fp32" in status
    assert "64×64 · 16 frames · trained on drawn faces" in one.page.inner_text("#vg-facts")


def test_the_picture_follows_a_drag_and_undo_brings_it_back(visit, drawn):
    one = visit()
    before, query = one.pixels(3), one.query
    slider = one.slider("appearance", "direction 1")
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    value = float(slider.input_value())
    x = box["x"] + box["width"] * (value + 3) / 6
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    data_url = "document.getElementById('vg-player').toDataURL()"
    seen, shown = [before], one.page.evaluate(data_url)
    for step in range(1, 6):
        one.page.mouse.move(x - np.sign(value + 0.01) * step * box["width"] / 12, y)
        one.page.wait_for_function("before => document.getElementById('vg-player').toDataURL() !== before", arg=shown)
        shown = one.page.evaluate(data_url)
        seen.append(one.pixels())
    different = sum(not np.array_equal(a, b) for a, b in itertools.pairwise(seen))
    assert different >= 4, "the picture should change while the slider is still held"
    assert one.query == query, "the link is written when the hand lets go"
    one.page.mouse.up()
    one.rest()
    moved = one.query
    assert "&z=" in moved and np.array_equal(one.pixels(), drawn(moved)[3])
    assert "moved by hand" in one.page.inner_text("[data-space=appearance]")

    one.page.click("#vg-undo")
    one.rest()
    assert one.query == query and np.array_equal(one.pixels(), before)
    one.page.keyboard.press("Shift+Z")
    one.rest()
    assert one.query == moved and np.array_equal(one.pixels(), drawn(moved)[3])


def test_arrows_move_a_slider_and_a_double_click_resets_it(visit):
    one = visit()
    query = one.query
    slider = one.slider("motion", "direction 2")
    before = float(slider.input_value())
    slider.focus()
    for _ in range(5):
        one.page.keyboard.press("ArrowRight")
    one.rest()
    assert float(slider.input_value()) == pytest.approx(before + 0.1, abs=0.03)
    assert one.query != query
    slider.dblclick()
    one.rest()
    assert float(slider.input_value()) == pytest.approx(before, abs=0.011)


def test_raw_dimensions_are_one_click_away(visit, drawn):
    one = visit()
    one.page.click("[data-space=motion] >> text=All 10 dimensions")
    slider = one.page.locator("[data-space=motion] .vg-raw input").nth(9)
    slider.focus()
    one.page.keyboard.press("End")
    one.rest()
    assert float(slider.input_value()) == 3
    assert np.array_equal(one.pixels(2), drawn(one.query)[2])


def test_a_lock_holds_one_half(visit):
    one = visit()
    who, moves = one.seed("appearance"), one.seed("motion")
    one.page.click("[data-space=appearance] .vg-lock")
    one.page.keyboard.press("r")
    one.rest()
    assert one.seed("appearance") == who and one.seed("motion") != moves
    moves = one.seed("motion")
    one.page.locator(".vg-cell").nth(10).click()
    one.rest()
    assert one.seed("appearance") == who and one.seed("motion") != moves
    one.page.click("[data-space=motion] .vg-lock")
    one.page.click("#vg-redraw")
    assert "locked" in one.page.inner_text("#vg-error")


def test_a_cell_of_the_matrix_becomes_the_clip(visit, drawn):
    one = visit()
    assert one.page.locator(".vg-cell").count() == 24
    assert one.page.locator(".vg-cell").first.get_attribute("aria-pressed") == "true"
    cell = one.page.locator(".vg-cell").nth(2 * 6 + 3)
    name = cell.get_attribute("aria-label")
    cell.click()
    one.rest()
    assert f"Appearance {one.seed('appearance')}, motion" in name and name.endswith(one.seed("motion"))
    assert cell.get_attribute("aria-pressed") == "true"
    assert np.array_equal(one.pixels(5), drawn(one.query)[5])
    who = one.seed("appearance")
    one.page.locator(".vg-heading").nth(0).click()
    one.rest()
    assert (one.seed("appearance"), one.seed("motion")) == (who, "4")


def test_labels_by_chip_by_key_and_blended(visit, drawn):
    one = visit()
    assert "label=happiness" in one.query
    one.page.keyboard.press("3")
    one.rest()
    assert "label=fear&" in one.query
    one.page.click("text=surprise")
    one.rest()
    assert one.page.get_attribute(".vg-chip:has-text('surprise')", "aria-pressed") == "true"
    one.page.click("text=Blend")
    weight = one.page.get_by_label("Weight of anger")
    weight.focus()
    for _ in range(3):
        one.page.keyboard.press("PageUp")
    one.rest()
    assert float(weight.input_value()) > 0.25, "the slider stays where the hand has put it"
    assert "label=anger=0." in one.query and ",surprise=0." in one.query
    assert np.array_equal(one.pixels(9), drawn(one.query)[9])


def test_longer_clips_begin_as_the_short_one_is_seeded(visit, drawn):
    one = visit()
    one.page.select_option("#vg-length", "32")
    one.rest()
    assert one.query.endswith("frames=32") and one.page.get_attribute("#vg-film", "aria-valuemax") == "32"
    assert np.array_equal(one.pixels(31), drawn(one.query)[31])


def test_files_hold_the_clip(visit, tmp_path):
    from vidgan import video

    one = visit()
    shown = one.pixels(4)
    for kind in ("mp4", "webp", "gif", "npz"):
        with one.page.expect_download() as download:
            one.page.click(f"[data-save={kind}]")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == f"g3an-expressions-32-4.{kind}"
        frames, fps = video.read(path)
        assert len(frames) == 16 and fps == pytest.approx(12, abs=0.1)
    held = np.load(io.BytesIO(path.read_bytes()))
    assert np.array_equal(held["frames"][4], shown)
    assert held["appearance"].shape == (1, 128) and held["motion"].shape == (1, 1, 10)


def test_another_release_and_back(visit):
    one = visit()
    first, shown = one.query, one.pixels(1)
    one.page.select_option("#vg-release", "g3an-plain")
    one.page.wait_for_function("!document.querySelector('.vg-chip')")
    one.rest()
    assert one.query.startswith("release=g3an-plain&") and "label" not in one.query
    assert not np.array_equal(one.pixels(1), shown)
    one.page.keyboard.press("z")
    one.page.wait_for_selector(".vg-chip")
    one.rest()
    assert one.query == first and np.array_equal(one.pixels(1), shown)
    assert one.page.input_value("#vg-release") == "g3an-expressions"


def test_mistakes_are_told_where_the_hand_is(visit):
    one = visit()
    shown = one.pixels(0)
    seed = one.page.locator("[data-space=motion] .vg-seed")
    seed.fill(str(2**64))
    seed.press("Enter")
    error = one.page.locator("[data-space=motion] > .vg-error")
    error.wait_for(state="visible")
    assert "whole number from 0 to 2^64 - 1" in error.inner_text()
    assert np.array_equal(one.pixels(), shown), "what was there stays"
    seed.fill(str(2**64 - 1))
    seed.press("Enter")
    error.wait_for(state="hidden")
    one.rest()
    assert f"seed.motion={2**64 - 1}" in one.query


def test_labels_stand_once_where_two_subspaces_move(visit, drawn):
    one = visit("?release=mocogan-people&label=walk&seed.content=1&seed.start=2&seed.motion=3")
    assert one.page.locator("#vg-explore [data-space]").count() == 3
    assert one.page.locator("#vg-explore .vg-labels").count() == 1
    one.page.get_by_role("button", name="run", exact=True).click()
    one.page.wait_for_function("location.search.includes('label=run')")
    assert np.array_equal(one.pixels(3), drawn(one.query)[3])
