"""The tab Growth in a browser: every size, the slider between them, and what a release that grows is elsewhere."""

import io

import numpy as np
from PIL import Image

POINT = "release=progressive-faces&seed.z=0"


def caption(one, index: int) -> str:
    return one.page.inner_text(f"#vw-levels figure:nth-child({1 + index}) span")


def at(one, value: float) -> None:
    """The slider at a stage."""
    one.page.locator("#vw-place input").evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value
    )
    one.rest()


def test_shows_every_size(growing, drawn):
    one = growing()
    assert [caption(one, index) for index in range(4)] == [
        "4×4, 4 frames",
        "8×8, 8 frames",
        "16×16, 8 frames",
        "32×32, 8 frames",
    ]
    assert one.page.get_attribute("#vw-levels figure:nth-child(4) button", "aria-pressed") == "true"
    assert one.page.inner_text("#vw-form") == "8 frames of 32×32"
    one.pixels(0)
    for index, size in enumerate((4, 8, 16, 32)):
        shown = one.canvas(f"#vw-levels figure:nth-child({1 + index}) canvas").astype(int)
        assert shown.shape == (size, size, 3)
        frames = drawn(f"{POINT}&stage={index}&frames=8")
        assert np.abs(shown - frames[0]).mean() < 12, "small clips lose a little to JPEG"


def test_a_click_and_the_slider_change_the_stage_and_a_link_restores_it(growing, drawn):
    one = growing()
    one.page.click("#vw-levels figure:nth-child(2) button")
    one.rest()
    assert "stage=1&" in one.link and one.page.inner_text("#vw-form") == "8 frames of 8×8"
    assert np.array_equal(one.pixels(2), drawn(f"{POINT}&stage=1&frames=8")[2])
    at(one, 2.4)
    assert "stage=2.4&" in one.link and one.page.inner_text("#vw-form") == "40% of the way to 8 frames of 32×32"
    assert np.array_equal(one.pixels(5), drawn(f"{POINT}&stage=2.4&frames=8")[5])
    again = growing(one.link)
    assert np.array_equal(again.pixels(5), one.pixels(5))
    one.page.keyboard.press("z")
    one.rest()
    assert "stage=1&" in one.link


def test_short_clips_take_as_long(growing):
    """Each of the first size's 4 frames is there for two ticks of the clock that 8 frames share."""
    one = growing()
    one.page.click("#vw-levels figure:nth-child(1) button")
    one.rest()
    held = one.page.evaluate("window.vidgan.tabs.growth.player.hold")
    assert held == 2 and one.page.get_attribute("#vw-film", "aria-valuemax") == "4"
    one.pixels(3)


def test_watch_it_grow(growing):
    one = growing()
    one.page.click("#vw-grow")
    one.page.wait_for_function("document.querySelector('#vw-form').textContent.includes('way to 8 frames of 16')")
    one.page.wait_for_function("document.querySelector('#vw-form').textContent == '8 frames of 32×32'", timeout=60_000)
    one.rest()
    assert "stage=" not in one.link


def test_redraw_makes_another_clip_at_the_same_stage(growing):
    one = growing(f"?{POINT}&stage=2&tab=growth")
    before = one.canvas("#vw-levels figure:nth-child(4) canvas")
    one.page.click("#vw-redraw")
    one.page.wait_for_function("!location.search.includes('seed.z=0&')")
    one.rest()
    assert "stage=2" in one.link
    assert not np.array_equal(one.canvas("#vw-levels figure:nth-child(4) canvas"), before)


def test_all_sizes_are_saved_side_by_side(growing):
    one = growing()
    with one.page.expect_download() as saved:
        one.page.click("#vw-row-save [data-save=webp]")
    assert saved.value.suggested_filename == "progressive-faces-growth.webp"
    picture = Image.open(saved.value.path())
    assert picture.n_frames == 8 and picture.size == (4 * 32 + 3 * 2, 32)


def step(index: int) -> str:
    return f"#vw-steps figure:nth-child({1 + index})"


def test_the_way_to_another_clip_is_there_and_can_be_walked_and_saved(growing, drawn):
    one = growing(f"?{POINT}&stage=1&tab=growth")
    captions = one.page.locator("#vw-steps span").all_inner_texts()
    assert captions == ["this one", "17%", "33%", "50%", "67%", "83%", "another"]
    looks = [one.canvas(f"{step(index)} canvas").astype(int) for index in range(7)]
    one.pixels(0)
    assert np.abs(one.canvas(f"{step(0)} canvas") - drawn(f"{POINT}&frames=8")[0].astype(int)).mean() < 12
    assert len({look.tobytes() for look in looks}) == 7
    one.page.click(f"{step(3)} button")
    one.rest()
    assert "stage=" not in one.link and "seed.z=" not in one.link, "a clip of its own, in full size"
    assert one.page.get_attribute(f"{step(3)} button", "aria-pressed") == "true"
    assert one.page.locator("#vw-steps span").first.inner_text() == "this one", "the way stays while it is walked"
    end = one.canvas(f"{step(6)} canvas")
    one.page.click("#vw-end")
    one.rest()
    assert not np.array_equal(one.canvas(f"{step(6)} canvas"), end)
    with one.page.expect_download() as saved:
        one.page.click("#vw-way-save [data-save=webp]")
    assert saved.value.suggested_filename == "progressive-faces-walk-figure.webp"
    assert Image.open(saved.value.path()).size == (7 * 32 + 6 * 2, 32)


def test_a_release_that_does_not_grow_says_so(growing):
    one = growing()
    one.page.select_option("#vg-release", "g3an-expressions")
    one.page.wait_for_selector("#vw-none", state="visible")
    assert not one.page.is_visible("#vw-some") and not one.page.is_visible("#vw-way")
    assert "draws whole clips at once" in one.page.inner_text("#vw-none")
    one.page.click("#vw-other")
    one.rest()
    assert one.page.is_visible("#vw-some") and "release=progressive-faces" in one.link


def test_explore_mixes_whole_clips_where_there_are_no_halves(visit):
    one = visit(f"?{POINT}&frames=8")
    assert one.page.inner_text("[data-space=z] h2") == "What"
    assert one.page.locator("#vg-grid .vg-heading").count() == 0
    cells = one.page.locator("#vg-grid .vg-cell").count()
    looks = {one.canvas(f"#vg-grid .vg-cell:nth-child({1 + i}) canvas").tobytes() for i in range(cells)}
    assert cells == 24 and len(looks) == 24, "a seed for every clip"
    one.page.click("#vg-grid .vg-cell:nth-child(9)")
    one.page.wait_for_function("!location.search.includes('seed.z=0')")


def test_growth_fits_a_phone_in_the_dark(growing):
    one = growing(width=390, height=844, color_scheme="dark")
    one.fits(390)
    shot = Image.open(io.BytesIO(one.page.screenshot()))
    assert np.asarray(shot.convert("L")).mean() < 110


def test_bad_stages_in_links_are_told(visit):
    one = visit(f"?{POINT}&stage=9")
    assert "stages go from 0 to 3" in one.page.inner_text("#vg-error")
