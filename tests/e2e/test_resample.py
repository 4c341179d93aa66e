"""The tab Resample in a browser: what is kept stays, what is redrawn is what Python draws, a link restores both."""

import numpy as np
import pytest

from vidgan import video

ORIGINAL = "release=g3an-expressions&label=happiness&seed.appearance=32&seed.motion=4&frames=16"


#: the server measures as slowly as a large network would
SLOWLY = """() => {
  const { server } = window.vidgan.stores.drawn, { shares } = server;
  server.shares = (request) => new Promise((done) => setTimeout(() => done(shares(request)), 400));
}"""


def cell(index: int) -> str:
    return f"#vr-variants figure:nth-child({1 + index})"


def press(one, part: str, what: str) -> None:
    one.page.get_by_role("button", name=f"{part}: {what}").click()
    one.rest()


def test_opens_with_six_other_people_who_move_alike(resampling, drawn):
    one = resampling()
    assert one.point == ORIGINAL and one.page.locator("#vr-variants .vg-cell").count() == 7
    assert one.page.get_attribute(f"{cell(0)} button", "aria-pressed") == "true"
    seed = int(one.page.inner_text(f"{cell(1)} span"))
    assert f"&tab=resample&redraw=appearance&draws={seed}" in one.link
    one.pixels(3)  # stops there
    for index in (1, 6):
        frames = drawn(ORIGINAL.replace("appearance=32", f"appearance={seed + index - 1}"))
        shown = one.canvas(f"{cell(index)} canvas").astype(int)
        assert np.abs(shown - frames[3]).mean() < 8, "small clips lose a little to JPEG"
    before = one.page.get_attribute("#vr-player", "data-frame")
    one.page.click("#vr-play")
    one.page.wait_for_function(f"document.getElementById('vr-player').dataset.frame !== '{before}'")
    assert not np.array_equal(one.canvas(f"{cell(1)} canvas"), shown)


def test_a_variant_becomes_the_point_that_all_tabs_share(resampling, drawn):
    one = resampling()
    seed = one.page.inner_text(f"{cell(3)} span")
    one.page.click(f"{cell(3)} button")
    one.rest()
    became = ORIGINAL.replace("appearance=32", f"appearance={seed}")
    assert one.point == became and np.array_equal(one.pixels(5), drawn(became)[5])
    assert one.page.get_attribute(f"{cell(3)} button", "aria-pressed") == "true", "the row stays as it was"
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    assert one.query == became and one.page.input_value("[data-space=appearance] .vg-seed") == seed
    one.page.keyboard.press("z")
    one.page.wait_for_function("!location.search.includes('seed.appearance=" + seed + "')")
    assert one.query == ORIGINAL
    one.page.keyboard.press("Shift+Z")
    one.page.wait_for_function("location.search.includes('seed.appearance=" + seed + "')")
    one.turn("Resample")
    one.rest()
    assert one.point == became and one.page.inner_text(f"{cell(3)} span") == seed, "and nothing was drawn anew"


def test_what_explore_finds_is_the_next_original(resampling):
    one = resampling()
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    one.page.keyboard.press("5")
    one.page.wait_for_function("location.search.includes('label=sadness')")
    one.turn("Resample")
    one.rest()
    assert "label=sadness" in one.point and "original" not in one.link
    assert one.page.get_attribute(f"{cell(0)} button", "aria-pressed") == "true"


def test_keep_and_redraw(resampling):
    one = resampling()
    press(one, "Moves", "redraw")
    assert "redraw=appearance,motion&" in one.link.replace("%2C", ",")
    press(one, "Who", "keep")
    assert "redraw=motion&" in one.link
    assert one.page.get_by_role("button", name="Who: keep").get_attribute("aria-pressed") == "true"
    shown, link = one.canvas(f"{cell(1)} canvas"), one.link
    one.page.get_by_role("button", name="Moves: keep").click()
    assert "One part at least has to be redrawn" in one.error("Keep or redraw")
    assert one.link == link
    one.page.keyboard.press("r")
    one.rest()
    assert one.link != link and not np.array_equal(one.canvas(f"{cell(1)} canvas"), shown)
    assert one.error("Keep or redraw") == "", "what no longer holds is not said any more"
    link = one.link
    one.page.click("#vr-again")
    one.rest()
    assert one.link != link and one.point == ORIGINAL


def test_the_bars_say_what_python_measures(resampling, drawn):
    from vidgan import hub
    from vidgan.explore.bookmark import Bookmark
    from vidgan.explore.resample import shares

    drawn(ORIGINAL)
    one = resampling()
    assert one.page.inner_text("#vr-draws") == "measured in 8 draws"
    generator = hub.load("g3an-expressions")
    measured = shares(generator, Bookmark.from_query(ORIGINAL, lambda name: (name, generator)), 8)
    for title, share in zip(("Who", "Moves"), measured.values(), strict=True):
        label = one.page.get_attribute(f"[role=img][aria-label^='{title}: appearance']", "aria-label")
        numbers = [float(word.strip("%,")) for word in label.split() if word[0].isdigit()]
        told = [100 * value for value in (share.appearance, share.motion, share.total)]
        assert numbers == pytest.approx(told, abs=0.6)
    one.page.click("text=How is this measured?")
    assert "orthogonal" in one.page.inner_text("[aria-label='Keep or redraw']")
    one.page.click("#vr-resample >> text=How does this work?")
    assert "Figure 12" in one.page.inner_text("#vr-resample .vg-help")


def test_a_measurement_that_was_left_is_gone_on_with(resampling):
    one = resampling()
    one.page.evaluate(SLOWLY)
    one.page.select_option("#vg-release", "g3an-plain")
    one.page.wait_for_selector("#vr-draws:has-text('measured in 2 draws')")
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    one.page.wait_for_timeout(1500)
    assert "8" not in one.page.evaluate("document.getElementById('vr-draws').textContent"), "out of sight it rests"
    one.turn("Resample")
    one.rest()
    assert one.page.inner_text("#vr-draws") == "measured in 8 draws"


def test_a_link_brings_everything_back_after_a_restart(resampling, server):
    one = resampling()
    press(one, "Moves", "redraw")
    press(one, "Who", "keep")
    one.page.click(f"{cell(2)} button")
    one.rest()
    link, shown = one.link, one.pixels(7)
    captions = one.page.locator("#vr-variants span").all_inner_texts()
    assert "&original=" in link
    server.stop()
    server.start()
    two = resampling(link)
    assert two.link == link and np.array_equal(two.pixels(7), shown)
    assert two.page.locator("#vr-variants span").all_inner_texts() == captions
    assert two.page.get_attribute(f"{cell(2)} button", "aria-pressed") == "true"
    two.page.click(f"{cell(0)} button")
    two.rest()
    assert two.point == ORIGINAL and "original=" not in two.link


def test_the_row_as_file_link_command_and_python(resampling, tmp_path):
    one = resampling(permissions=["clipboard-read", "clipboard-write"])
    for kind in ("mp4", "webp", "gif"):
        with one.page.expect_download() as download:
            one.page.click(f"#vr-row-save [data-save={kind}]")
        download.value.save_as(tmp_path / f"row.{kind}")
        frames, _ = video.read(tmp_path / f"row.{kind}")
        assert len(frames) == 16 and frames.shape[2] > 6 * frames.shape[1]
    one.page.click("#vg-link")
    one.page.wait_for_selector("#vg-link:has-text('Copied')")
    assert one.page.evaluate("navigator.clipboard.readText()") == f"{one.server.url}/{one.link}"
    one.page.click("#vg-copy summary")
    for kind, words in (("cli", "vidgan resample g3an-expressions"), ("python", "variants(point, generator")):
        one.page.click(f"[data-copy={kind}]")
        one.page.wait_for_selector(f"[data-copy={kind}]:has-text('Copied')")
        assert words in one.page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(
    "query, panel, why",
    [
        ("?tab=resample&redraw=nosuch&draws=5", "Keep or redraw", "no subspace 'nosuch'"),
        ("?tab=resample&redraw=&draws=5", "Keep or redraw", "no subspace"),
        ("?tab=resample&redraw=motion&draws=-1", "Keep or redraw", "whole number"),
        ("?tab=resample&original=z%3D%3Cscript%3E", "Keep or redraw", "damaged"),
        ("?tab=resample&release=nosuch&seed.motion=3", "Player", "no release 'nosuch'"),
    ],
)
def test_a_bad_link_is_explained_and_something_is_there(resampling, query, panel, why):
    one = resampling(query)
    text = one.error(panel)
    assert why in text and one.pixels().std() > 20 and one.page.locator("#vr-variants .vg-cell").count() == 7
    assert "&tab=resample&redraw=appearance&draws=" in one.link


def test_another_release_draws_its_own_row(resampling):
    one = resampling()
    one.page.select_option("#vg-release", "g3an-plain")
    one.page.wait_for_function("location.search.includes('release=g3an-plain')")
    one.rest()
    assert one.point.startswith("release=g3an-plain&") and "label" not in one.point
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    assert one.query == one.point and one.page.input_value("#vg-release") == "g3an-plain"


@pytest.mark.parametrize("width, height", [(390, 844), (768, 1024), (1280, 800), (1920, 1080)])
def test_nothing_overflows_and_every_control_has_a_name(resampling, width, height):
    one = resampling(width=width, height=height, color_scheme="dark", reduced_motion="reduce")
    one.fits(width)
    before = one.page.get_attribute("#vr-player", "data-frame")
    one.page.wait_for_timeout(400)
    assert one.page.get_attribute("#vr-player", "data-frame") == before, "it stands still for those who ask for it"


def test_three_subspaces_are_kept_and_redrawn_each_on_its_own(resampling, drawn):
    people = "release=mvtgan-people&label=run&seed.z_a=1&seed.z_b=2&seed.z_c=3&frames=16"
    one = resampling(f"?{people}&tab=resample")
    assert one.point == people and "redraw=z_a&" in one.link
    press(one, "Who z_a", "keep")  # the last one that is redrawn stays so
    press(one, "Who z_c", "redraw")
    press(one, "Who z_a", "keep")
    assert "redraw=z_c&" in one.link
    seed = one.page.inner_text(f"{cell(2)} span")
    one.page.click(f"{cell(2)} button")
    one.rest()
    became = people.replace("z_c=3", f"z_c={seed}")
    assert one.point == became and np.array_equal(one.pixels(15), drawn(became)[15])
