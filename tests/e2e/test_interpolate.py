"""The tab Interpolate in a real browser: the figure, the hand, the keyframes and the film show what Python makes."""

import numpy as np
import pytest

from vidgan import hub, video
from vidgan.explore.interpolate import Walk, frames

START = "release=g3an-expressions&label=happiness&seed.appearance=32&seed.motion=4&frames=16"


def column(index: int) -> str:
    return f"#vi-columns figure:nth-child({1 + index})"


def key(index: int) -> str:
    return f"#vi-keys figure:nth-child({1 + index})"


def choose(one, text: str) -> None:
    one.page.locator("#vi-tools").get_by_text(text, exact=True).click()
    one.rest()


#: the server answers as slowly as a large network would
SLOWLY = """() => {
  const { server } = window.vidgan.stores.drawn, { slice } = server;
  server.slice = (request) => new Promise((done) => setTimeout(() => done(slice(request)), 400));
}"""


@pytest.fixture
def found(page_releases, monkeypatch):
    """found(visitor) -> (generator, the walk in its address)"""
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(page_releases))

    def walk(one):
        generator = hub.load("g3an-expressions")
        return generator, Walk.from_query(one.walk, lambda name: (name, generator))

    return walk


def test_opens_with_a_way_to_somebody_else(walking, drawn, found):
    one = walking()
    generator, walk = found(one)
    assert one.point == START and len(walk.points) == 2 and walk.points[0].to_query(generator) == START
    assert walk.points[1].label != "happiness" and walk.what == "all"
    assert one.page.locator("#vi-columns span").all_inner_texts() == ["A", "17%", "33%", "50%", "67%", "83%", "B"]
    one.pixels(4)  # stops there
    for index in (0, 3, 6):
        wanted = drawn(walk.at(generator, index / 6).to_query(generator))[4]
        assert np.abs(one.canvas(f"{column(index)} canvas").astype(int) - wanted).mean() < 8
    assert one.canvas("#vi-screen").std() > 20, "before the film there is a sketch of it"


def test_a_column_becomes_the_point_that_all_tabs_share(walking, drawn, found):
    one = walking()
    generator, walk = found(one)
    one.page.click(f"{column(2)} button")
    one.rest()
    wanted = walk.at(generator, 2 / 6).to_query(generator)
    assert one.point == wanted and np.array_equal(one.pixels(9), drawn(wanted)[9])
    assert one.page.get_attribute(f"{column(2)} button", "aria-pressed") == "true"
    one.turn("Explore")
    one.page.wait_for_selector("#vg-explore .vg-cell:not(:disabled)")
    assert one.query == wanted
    one.page.keyboard.press("z")
    one.page.wait_for_function("location.search.includes('seed.appearance=32')")
    assert one.query == START


def test_the_clip_follows_the_hand_along_the_way(walking, drawn, found):
    one = walking()
    generator, walk = found(one)
    one.pixels(6)
    slider = one.page.get_by_label("Place on the way")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    y = box["y"] + box["height"] / 2
    one.page.mouse.move(box["x"] + 8, y)
    one.page.mouse.down()
    data_url = "document.getElementById('vi-player').toDataURL()"
    shown, link = one.page.evaluate(data_url), one.link
    for step in range(1, 6):
        one.page.mouse.move(box["x"] + 8 + step * (box["width"] - 16) / 6, y)
        one.page.wait_for_function("before => document.getElementById('vi-player').toDataURL() !== before", arg=shown)
        shown = one.page.evaluate(data_url)
    assert one.link == link, "the link is written when the hand lets go"
    one.page.mouse.up()
    one.rest()
    t = float(slider.input_value())
    assert t == pytest.approx(5 / 6, abs=0.02)
    wanted = walk.at(generator, t).to_query(generator)
    assert one.point == wanted and np.array_equal(one.pixels(6), drawn(wanted)[6])
    slider.focus()
    one.page.keyboard.press("End")
    one.rest()
    assert one.point == walk.points[1].to_query(generator), "the arrows and their like move it, too"
    assert slider.get_attribute("aria-valuetext") == "B"


def test_what_moves_and_how(walking, found):
    one = walking()
    for chip, what in (("Within the class", "latents"), ("Between labels", "label"), ("Motion only", "motion")):
        one.page.click(f"#vi-what >> text={chip}")
        one.rest()
        generator, walk = found(one)
        assert walk.what == what
        assert one.page.get_attribute(f"#vi-what >> text={chip}", "aria-pressed") == "true"
    middle = walk.at(generator, 0.5)
    assert middle.latents["appearance"].equal(walk.points[0].latents.quantise()["appearance"])
    assert not middle.latents["motion"].equal(walk.points[0].latents.quantise()["motion"])
    one.page.get_by_label("Who by").select_option("lerp")
    one.page.get_by_label("Easing").select_option("rest")
    one.page.get_by_label("From one to the next").select_option("0.5")
    one.page.get_by_label("seamless loop").check()
    one.rest()
    _, walk = found(one)
    assert (walk.methods, walk.easing, walk.loop) == ({"appearance": "lerp"}, "rest", True) and "pace=0.5" in one.link
    assert "30 frames" in one.page.inner_text("#vi-duration"), "a loop holds whole periods of its clips"


def test_where_nothing_moves_it_says_so(walking):
    one = walking()
    one.page.get_by_label("Label of the keyframe").select_option("happiness")
    one.rest()
    one.page.click("#vi-what >> text=Between labels")
    one.rest()
    assert "their labels are the same" in one.page.inner_text("#vi-note")
    one.page.get_by_label("Label of the keyframe").select_option("fear")
    one.rest()
    assert one.page.is_hidden("#vi-note")


def test_keyframes_are_added_moved_exchanged_and_removed(walking, found):
    one = walking()
    one.page.click(f"{column(3)} button")
    one.rest()
    middle = one.point
    one.page.click("#vi-add")
    one.rest()
    generator, walk = found(one)
    links = [point.to_query(generator) for point in walk.points]
    assert links[2] == middle and len(links) == 3
    one.page.click(f"{key(2)} button")
    assert one.page.get_attribute(f"{key(2)} button", "aria-pressed") == "true"
    assert one.page.inner_text("#vi-tools strong") == "C" and one.page.is_disabled("[aria-label='Later on the way']")
    one.page.click("[aria-label='Earlier on the way']")
    one.rest()
    moved = [point.to_query(generator) for point in found(one)[1].points]
    assert moved == [links[0], links[2], links[1]]
    assert one.page.inner_text("#vi-tools strong") == "B", "what was chosen stays chosen"
    choose(one, "Random")
    other = found(one)[1].points[1].to_query(generator)
    assert other not in links
    one.page.keyboard.press("r")
    one.rest()
    assert found(one)[1].points[1].to_query(generator) not in (*links, other)
    choose(one, "Current clip")
    assert found(one)[1].points[1].to_query(generator) == middle
    one.page.click("text=A bookmark: one from before, or a link")
    one.page.locator(".vi-places button").last.click()
    one.rest()
    assert found(one)[1].points[1].to_query(generator) == START
    one.page.get_by_label("Link of a clip").fill(f"{one.server.url}/?{links[1]}&tab=resample")
    one.page.keyboard.press("Enter")
    one.rest()
    assert found(one)[1].points[1].to_query(generator) == links[1]
    choose(one, "Remove")
    assert len(found(one)[1].points) == 2 and one.page.get_by_role("button", name="Remove").is_disabled()


def test_mistakes_are_told_where_the_hand_is(walking):
    one = walking()
    walk = one.walk
    one.page.click("text=A bookmark: one from before, or a link")
    field = one.page.get_by_label("Link of a clip")
    for text, why in (
        ("?release=g3an-plain&seed.motion=1", "stays in one release"),
        ("?frames=20", "same length"),
        ("?z=AAAA", "damaged"),
        ("?release=nosuch", "no release 'nosuch'"),
    ):
        field.fill(text)
        one.page.keyboard.press("Enter")
        one.rest()
        assert why in one.error("Keyframes") and one.walk == walk
    one.page.click("#vi-add")
    one.rest()
    assert one.error("Keyframes") == "" and one.walk != walk


def test_seventeen_keyframes_are_one_too_many(walking):
    one = walking()
    for _ in range(15):
        one.page.click("#vi-add")
        one.rest()
    assert one.page.locator("#vi-keys .vg-cell").count() == 16
    assert "2 to 16 keyframes, not 17" in one.error("Keyframes")


def test_a_film_is_made_stopped_gone_on_with_and_saved(walking, found, tmp_path):
    one = walking()
    one.page.get_by_label("From one to the next").select_option("4")
    one.rest()
    generator, walk = found(one)
    one.page.evaluate(SLOWLY)
    one.page.click("#vi-make")
    one.page.wait_for_function("document.getElementById('vi-progress').value > 0")
    assert one.page.inner_text("#vi-make") == "Stop"
    one.page.click("#vi-make")
    words = one.page.inner_text("#vi-made")
    assert "Stopped after" in words
    some = int(words.split()[2])
    one.page.wait_for_timeout(600)
    assert one.page.inner_text("#vi-made") == words and 0 < some < 48
    wanted = frames(generator, walk, 4)
    assert len(wanted) == 48
    with one.page.expect_download() as download:
        one.page.click("#vi-film-save [data-save=gif]")
    download.value.save_as(tmp_path / "some.gif")
    assert len(video.read(tmp_path / "some.gif")[0]) == some, "what there is can be had"
    one.page.click("#vi-make")
    one.page.wait_for_selector("#vi-made:has-text('All frames are there')", timeout=120_000)
    for kind in ("mp4", "webp", "gif"):
        with one.page.expect_download() as download:
            one.page.click(f"#vi-film-save [data-save={kind}]")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.name == f"g3an-expressions-walk.{kind}"
        assert path.read_bytes() == video.encode(wanted, kind, generator.fps)
    one.pixels(10)
    assert np.array_equal(one.canvas("#vi-screen"), wanted[10])
    one.page.click("#vi-what >> text=Motion only")
    one.rest()
    assert one.page.inner_text("#vi-make") == "Make the film", "another walk is another film"


def test_the_figure_as_file_link_command_and_python(walking, tmp_path):
    one = walking(permissions=["clipboard-read", "clipboard-write"])
    with one.page.expect_download() as download:
        one.page.click("#vi-figure-save [data-save=webp]")
    download.value.save_as(tmp_path / "figure.webp")
    shown, _ = video.read(tmp_path / "figure.webp")
    assert len(shown) == 16 and shown.shape[1:3] == (64, 7 * 66 - 2)
    one.page.click("#vg-copy summary")
    for kind, words in (("cli", "vidgan interpolate g3an-expressions --walk"), ("python", "walk = Walk(points")):
        one.page.click(f"[data-copy={kind}]")
        one.page.wait_for_selector(f"[data-copy={kind}]:has-text('Copied')")
        assert words in one.page.evaluate("navigator.clipboard.readText()")
    one.page.click("[data-copy=link]")
    one.page.wait_for_selector("[data-copy=link]:has-text('Copied')")
    assert one.page.evaluate("navigator.clipboard.readText()") == f"{one.server.url}/{one.link}"


def test_a_link_brings_everything_back_after_a_restart(walking, server):
    one = walking()
    one.page.click("#vi-add")
    one.rest()
    one.page.click("#vi-what >> text=Appearance only")
    one.page.get_by_label("seamless loop").check()
    one.page.get_by_label("From one to the next").select_option("1")
    one.rest()
    one.page.click(f"{column(4)} button")
    one.rest()
    link, shown = one.link, one.pixels(7)
    captions = one.page.locator("#vi-keys span, #vi-columns span").all_inner_texts()
    assert "&tab=interpolate&pace=1#walk=" in link
    server.stop()
    server.start()
    two = walking(link)
    assert two.link == link and np.array_equal(two.pixels(7), shown)
    assert two.page.locator("#vi-keys span, #vi-columns span").all_inner_texts() == captions
    assert two.page.get_by_label("seamless loop").is_checked()
    assert two.page.get_attribute("#vi-what >> text=Appearance only", "aria-pressed") == "true"
    assert two.page.get_attribute(f"{column(4)} button", "aria-pressed") == "true"


@pytest.mark.parametrize(
    "query, panel, why",
    [
        ("?tab=interpolate#walk=x", "Keyframes", "2 to 16 keyframes, not 0"),
        ("?tab=interpolate#walk=point%3Dlabel%253Djoy%26point%3D", "Keyframes", "Keyframe 1"),
        ("?tab=interpolate#walk=release%3Dg3an-plain%26point%3D%26point%3D", "Keyframes", "not of g3an-expressions"),
        ("?tab=interpolate&release=nosuch&seed.motion=3", "Player", "no release 'nosuch'"),
    ],
)
def test_a_bad_link_is_explained_and_something_is_there(walking, query, panel, why):
    one = walking(query)
    assert why in one.error(panel) and one.pixels().std() > 20
    assert one.page.locator("#vi-columns .vg-cell").count() == 7 and "#walk=release%3Dg3an-expressions" in one.link


def test_a_link_for_pictures_turns_to_their_tab(visit, server):
    one = visit("?release=imaginator-expressions&tab=interpolate")
    one.page.wait_for_selector("#va-gallery .vg-cell:not(:disabled)")
    assert one.page.is_hidden("#vi-interpolate") and one.page.input_value("#vg-release") == "imaginator-expressions"


@pytest.mark.parametrize("width, height", [(390, 844), (768, 1024), (1280, 800), (1920, 1080)])
def test_nothing_overflows_and_every_control_has_a_name(walking, width, height):
    one = walking(width=width, height=height, color_scheme="dark", reduced_motion="reduce")
    one.fits(width)
    before = one.page.get_attribute("#vi-player", "data-frame")
    one.page.wait_for_timeout(400)
    assert one.page.get_attribute("#vi-player", "data-frame") == before, "it stands still for those who ask for it"


def test_three_subspaces_go_their_own_ways(walking, drawn, page_releases, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(page_releases))
    generator = hub.load("mvtgan-people")
    point = "release=mvtgan-people&label=run&seed.z_a=1&seed.z_b=2&seed.z_c=3&frames=24"
    one = walking(f"?{point}&tab=interpolate")
    one.page.get_by_role("button", name="Motion only").click()
    one.rest()
    walk = Walk.from_query(one.walk, lambda name: (name, generator))
    assert walk.what == "motion" and walk.points[0].to_query(generator) == point
    last = walk.at(generator, 1)
    assert all(last.latents[name].equal(walk.points[0].latents[name]) for name in ("z_a", "z_c"))
    assert last.latents["z_b"].equal(walk.points[1].latents["z_b"])
    frame = one.pixels(20).shape
    assert frame == (64, 64, 3)
    shown, wanted = one.canvas(f"{column(6)} canvas").astype(int), drawn(last.to_query(generator))
    assert len(wanted) == 24 and np.abs(shown - wanted[20]).mean() < 8
