"""The page as a whole: links, phones, the dark, strangers' input, programs."""

import numpy as np
import pytest

from tests.picture_files import saved, scene


def test_links_survive_a_restart_of_the_server(visit, animation, server):
    one, mover = visit(), animation()
    slider = one.slider("appearance", "direction 3")
    slider.focus()
    one.page.keyboard.press("Home")
    one.slider("motion", "truncation").focus()
    one.page.keyboard.press("PageDown")
    one.page.keyboard.press("5")
    one.page.select_option("#vg-length", "20")
    one.rest()
    address = one.page.evaluate("location.search")
    assert "&z=" in address and "truncation.motion=" in address
    shown = [one.pixels(frame) for frame in (0, 10, 19)]
    mover.upload(saved(scene(70, 90), "PNG"))
    mover.page.click("text=Continue")
    mover.rest()
    mover.page.get_by_label("Appearance skip 4×4").focus()
    mover.page.keyboard.press("Home")
    mover.rest()
    picture = mover.page.evaluate("location.search + location.hash")
    assert "&fusion=0,1,1,1&then=surprise#image=" in picture
    moved, seen = [mover.pixels(frame) for frame in (0, 14, 30)], mover.seen
    server.stop()
    server.start()
    two = visit(address)
    assert two.query == address.lstrip("?")
    for frame, pixels in zip((0, 10, 19), shown, strict=True):
        assert np.array_equal(two.pixels(frame), pixels)
    again = animation(picture)
    assert again.page.evaluate("location.search + location.hash") == picture and np.array_equal(again.seen, seen)
    for frame, pixels in zip((0, 14, 30), moved, strict=True):
        assert np.array_equal(again.pixels(frame), pixels)
    mover.page.focus("#va-crop")  # the server has forgotten the file of the first visitor, who brings it again
    mover.page.keyboard.press("+")
    mover.rest()
    assert mover.error == "" and not np.array_equal(mover.seen, seen)


def test_copies_the_link_and_the_lines(visit):
    one = visit(permissions=["clipboard-read", "clipboard-write"])
    one.page.click("#vg-link")
    one.page.wait_for_selector("#vg-link:has-text('Copied')")
    assert one.page.evaluate("navigator.clipboard.readText()") == f"{one.server.url}/?{one.query}"
    one.page.click("#vg-copy summary")
    one.page.click("[data-copy=cli]")
    one.page.wait_for_selector("[data-copy=cli]:has-text('Copied')")
    line = one.page.evaluate("navigator.clipboard.readText()")
    assert line == ("vidgan sample g3an-expressions --appearance-seed 32 --motion-seed 4 --label happiness --out clips")
    one.page.click("[data-copy=python]")
    one.page.wait_for_selector("#vg-copy-text:has-text('vidgan.load')")


@pytest.mark.parametrize(
    "query, why",
    [
        ("?release=g3an-expresions&seed.motion=3", "did you mean g3an-expressions"),
        ("?release=../../etc&z=AAAA", "There is no release"),
        ("?z=%3Cscript%3Ealert(1)%3C/script%3E", "damaged"),
        ("?frames=1000", "cannot have 1000 frames"),
    ],
)
def test_a_bad_link_is_explained_and_something_is_there(visit, query, why):
    one = visit(query)
    text = one.page.inner_text("#vg-error")
    assert why in text and "Here is another clip instead." in text
    assert one.pixels().std() > 20
    assert one.query.startswith("release=g3an-expressions&")


@pytest.mark.parametrize("width, height", [(390, 844), (768, 1024), (1280, 800), (1920, 1080)])
def test_nothing_overflows(visit, width, height):
    one = visit(width=width, height=height)
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    outside = one.page.evaluate(
        "() => [...document.querySelectorAll('.vg *, .vg-mast *')].filter(e => e.offsetParent && "
        "!e.closest('.vg-sr') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)"
    )
    assert not outside
    player = one.page.locator("#vg-player").bounding_box()
    assert player["width"] == pytest.approx(player["height"], abs=1) and player["width"] >= 250
    if width == 390:
        slider = one.slider("appearance", "direction 1")
        slider.scroll_into_view_if_needed()
        before, box = one.pixels(2), slider.bounding_box()
        one.page.mouse.click(box["x"] + 4, box["y"] + box["height"] / 2)
        one.rest()
        assert not np.array_equal(one.pixels(2), before)


def test_dark_is_dark_and_light_is_light(visit):
    def paper(one):
        colours = one.page.evaluate(
            "() => ['.vg-panel', 'body'].map(s => getComputedStyle(document.querySelector(s)).backgroundColor)"
        )
        return [sum(map(int, colour.split("(")[1].rstrip(")").split(",")[:3])) for colour in colours]

    assert max(paper(visit(color_scheme="dark"))) < 150
    assert min(paper(visit(color_scheme="light"))) > 600
    assert max(paper(visit("?__theme=dark&seed.motion=9"))) < 150


def test_stands_still_for_those_who_ask_for_it(visit):
    one = visit(reduced_motion="reduce")
    before = one.page.get_attribute("#vg-player", "data-frame")
    one.page.wait_for_timeout(500)
    assert one.page.get_attribute("#vg-player", "data-frame") == before
    one.page.focus("#vg-player")
    one.page.keyboard.press("Space")
    one.page.wait_for_function(f"document.getElementById('vg-player').dataset.frame !== '{before}'")


def test_every_control_has_a_name(visit):
    one = visit()
    nameless = one.page.evaluate(
        "() => [...document.querySelectorAll('.vg button, .vg select, .vg input, .vg-mast button, .vg-mast select')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')))"
        ".map(e => e.outerHTML.slice(0, 90))"
    )
    assert not nameless


def test_the_tour_comes_once(visit):
    one = visit(tour=True)
    for step in range(1, 6):
        assert one.page.inner_text("#vg-tour-count") == f"{step} of 5"
        one.page.click("#vg-tour-next")
    assert one.page.is_hidden("#vg-tour")
    one.page.reload()
    one.open()
    assert one.page.is_hidden("#vg-tour")


def test_programs_get_the_same_clip(visit, server, drawn, tmp_path):
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    one = visit()
    client = Client(server.url, verbose=False, download_files=str(tmp_path))
    path, link = client.predict(
        appearance_seed="32", motion_seed="4", label="happiness", format="npz", api_name="/generate"
    )
    assert link == one.query
    assert np.array_equal(np.load(path)["frames"], drawn(link))
    with pytest.raises(AppError, match="did you mean happiness"):
        client.predict(label="hapiness", api_name="/generate")
    assert [name for name in client.view_api(return_format="dict")["named_endpoints"]] == ["/generate"]
