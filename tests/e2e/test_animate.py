"""A visitor's hand on Image to video: what is brought is what the network sees, and what moves is what Python makes."""

import base64
import io
import zlib
from urllib.parse import parse_qs

import numpy as np
import pytest
from PIL import Image

from tests.picture_files import noise, png, saved, scene
from vidgan import pictures
from vidgan.ui import faces


def face(number: int, width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A drawn face in the middle of a larger picture."""
    side = min(width, height)
    portrait = Image.fromarray(faces.portrait(faces.factors_of((1 << 20) + number), 64)).resize((side, side))
    picture = Image.new("RGB", (width, height), (120, 160, 90))
    picture.paste(portrait, ((width - side) // 2, (height - side) // 2))
    return picture.convert(mode)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def exif(orientation: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def test_the_tab_opens_with_a_face_that_moves(visit, drawn):
    one = visit()
    explore = one.query
    one.page.click("#vg-tab-animate-button")
    one.page.wait_for_function("document.querySelector('#va-player').dataset.frame > 1")
    one.page.wait_for_function("location.hash.startsWith('#image=')")
    search, image = one.page.evaluate("[location.search, location.hash]")
    assert search == "?release=imaginator-expressions&label=happiness&seed.noise=4", "no picture goes to any server"
    frames = drawn(f"{search}&{image[1:]}")
    first = pictures.unpack(image.removeprefix("#image="))
    assert alike(frames[0], first) > 0.7 and np.array_equal(one.canvas("#va-seen"), first)
    one.prefix = "va"
    for frame in (0, 9, 15):
        assert np.array_equal(one.pixels(frame), frames[frame])
    assert "64×64 · 16 frames · trained on drawn faces" in one.page.inner_text("#vg-facts")
    assert one.page.input_value("#vg-release") == "imaginator-expressions"
    assert one.page.get_attribute("#va-motion .vg-chip:has-text('happiness')", "aria-pressed") == "true"
    one.page.click("#vg-tab-explore-button")
    one.page.wait_for_function("!location.hash")
    assert one.query == explore and one.page.input_value("#vg-release") == "g3an-expressions"


def test_every_kind_of_file_becomes_what_the_network_sees(animation, drawn, server, tmp_path):
    one = animation()
    there = sorted(server.scratch.rglob("*"))
    files = {
        "png": saved(face(0, 150, 120), "PNG"),
        "jpeg": saved(face(1, 90, 160), "JPEG", quality=92),
        "webp": saved(face(2, 200, 200), "WEBP", quality=90),
        "turned": saved(face(3, 150, 120).rotate(90, expand=True), "JPEG", quality=95, exif=exif(6)),
        "rgba": saved(face(4, 130, 130, "RGBA"), "PNG"),
        "cmyk": saved(face(5, 130, 100, "CMYK"), "JPEG", quality=95),
        "palette": saved(face(6, 140, 110).quantize(200), "PNG"),
        "16 bits": png(80, 80, 16, 2, np.repeat(np.asarray(face(7, 80, 80)), 2, axis=2).tobytes()),
        "animated": saved(face(0, 90, 90), "WEBP", save_all=True, append_images=[face(1, 90, 90)], quality=90),
        "long": saved(np.repeat(np.asarray(face(2, 64, 64)), 20, axis=1), "PNG"),
    }
    clear = Image.open(io.BytesIO(files["rgba"]))
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    files["rgba"] = saved(clear, "PNG")
    for kind, data in files.items():
        one.upload(data, "picture." + kind)
        wanted = pictures.fit(pictures.crop(pictures.read(data)), 64)
        assert one.error == "" and np.array_equal(one.seen, wanted), kind
        frames = drawn(one.query)
        assert np.array_equal(one.pixels(0), frames[0]), kind
        assert kind == "long" or alike(frames[0], wanted) > 0.6, kind  # a stripe of a face is no face
    upright = pictures.read(files["turned"])
    assert upright.shape[:2] == (120, 150) and alike(upright, np.asarray(face(3, 150, 120))) > 0.9

    shown, query = one.pixels(), one.query
    for data, why in {
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>": "SVG",
        files["png"][: len(files["png"]) // 2]: "cut short",
        png(5000, 10, 8, 2): "5000 x 10 pixels",
        png(60_000, 60_000, 8, 2, pixels=zlib.compress(bytes(10**6))): "60000 x 60000 pixels",
        b"%PDF-1.7 " + bytes(200): "PDF",
        b"<!doctype html><script>alert(1)</script>": "a web page",
        b"\x7fELF" + bytes(200): "a program",
        b"": "is empty",
        files["jpeg"][:-9] + bytes(9): "damaged",
    }.items():
        one.upload(data)
        assert why in one.error and one.query == query and np.array_equal(one.pixels(), shown)
    large = tmp_path / "large.jpg"
    large.write_bytes(files["jpeg"] + bytes(20 * 2**20))
    one.page.set_input_files("#va-file", large)
    one.rest()
    assert "larger than 20 MB" in one.error
    one.upload(saved(np.full((1, 1, 3), 77, np.uint8), "PNG"))
    assert one.error == "" and (one.seen == 77).all(), "what was wrong before is no longer told"
    assert sorted(server.scratch.rglob("*")) == there, "nothing of it has touched the disk"


def test_the_crop_follows_drag_wheel_slider_and_keys(animation):
    one = animation()
    picture = scene(200, 300)
    one.upload(saved(picture, "PNG"))
    crop = one.page.locator("#va-crop")
    crop.scroll_into_view_if_needed()

    def box() -> list[int]:
        found = [int(number) for number in crop.get_attribute("data-box").split(",")]
        assert np.array_equal(one.seen, pictures.fit(pictures.crop(picture, found), 64))
        assert pictures.pack(one.seen) in one.query
        return found

    assert box() == [50, 0, 200]
    whole, area = one.query, crop.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    one.page.mouse.move(x, y)
    one.page.mouse.down()
    shown = []
    for step in range(1, 5):
        one.page.mouse.move(x + 9 * step, y)
        one.page.wait_for_timeout(120)
        shown.append(one.seen)
    assert len({seen.tobytes() for seen in shown}) > 1, "what the network sees follows while the hand moves"
    one.page.mouse.up()
    one.rest()
    moved = box()
    assert moved[0] < 20 and moved[1:] == [0, 200], "the picture goes right, so the square is left of where it was"
    one.page.mouse.move(x, y)
    one.page.mouse.wheel(0, -240)
    one.rest()
    near = box()
    assert 100 < near[2] < 180 and near[1] > 0
    crop.focus()
    one.page.keyboard.press("Shift+ArrowUp")
    one.page.keyboard.press("ArrowLeft")
    one.rest()
    assert box()[0] > near[0] and box()[1] > near[1]
    one.page.keyboard.press("-")
    one.rest()
    assert box()[2] > near[2]
    one.page.get_by_label("Zoom", exact=True).focus()
    one.page.keyboard.press("End")
    one.rest()
    assert box()[2] == 17
    one.page.click("text=Centre")
    one.rest()
    assert one.query == whole and box() == [50, 0, 200]
    one.page.click("#va-undo")
    one.rest()
    assert box()[2] == 17, "undo knows where the square lay"
    assert one.page.locator("#va-examples [aria-current]").count() == 0


def test_labels_variations_skips_and_parts(animation, drawn):
    one = animation()
    begun = one.query

    def same(frame: int = 5) -> None:
        assert np.array_equal(one.pixels(frame), drawn(one.query)[frame])

    cells = one.page.locator("#va-gallery .vg-cell")
    assert cells.count() == 6 and cells.nth(3).get_attribute("aria-pressed") == "true"
    cells.nth(5).click()
    one.rest()
    assert "label=surprise&" in one.query and cells.nth(5).get_attribute("aria-pressed") == "true"
    shown = [one.canvas(f"#va-gallery figure:nth-child({1 + i}) canvas") for i in (0, 5)]
    assert not np.array_equal(*shown)
    same()
    one.page.keyboard.press("1")
    one.rest()
    assert "label=anger&" in one.query

    one.page.click("text=Six variations")
    one.rest()
    cells.nth(2).click()
    one.rest()
    assert "seed.noise=6&" in one.query and one.page.input_value("#va-motion .vg-seed") == "6"
    same()

    one.page.click("text=Turn off one after the other")
    one.rest()
    assert cells.count() == 5 and cells.nth(0).get_attribute("aria-pressed") == "true"
    cells.nth(2).click()
    one.rest()
    assert "fusion=1,1,0,0" in one.query
    fine = one.page.get_by_label("Appearance skip 32×32")
    assert fine.input_value() == "0"
    fine.focus()
    one.page.keyboard.press("End")
    one.rest()
    assert "fusion=1,1,0,1" in one.query
    same()
    one.page.click("[aria-label='Appearance skips: reset']")
    one.rest()
    assert "fusion" not in one.query

    one.page.select_option("[aria-label='Label of the next part']", "sadness")
    one.page.click("text=Continue")
    one.rest()
    assert one.query.count("&then=sadness") == 1 and one.page.get_attribute("#va-film", "aria-valuemax") == "31"
    one.page.click("#va-motion .vg-labels .vg-chip >> text=fear")
    one.rest()
    assert "label=anger&" in one.query and "&then=fear&" in one.query
    same(30)
    one.page.click("text=Take the last away")
    one.rest()
    assert "then" not in one.query and one.page.get_attribute("#va-film", "aria-valuemax") == "16"
    for _ in range(20):
        if one.query == begun:
            break
        one.page.click("#va-undo")
        one.rest()
    assert one.query == begun
    same()


HAND = """([kind, text]) => {
  const data = new DataTransfer(), bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  if (kind === 'address') data.setData('text/uri-list', text);
  else data.items.add(new File([bytes], 'x.png', { type: 'image/png' }));
  const options = { bubbles: true, cancelable: true, clipboardData: data, dataTransfer: data };
  const event = kind === 'paste' ? new ClipboardEvent('paste', options) : new DragEvent('drop', options);
  document.querySelector('#va-player').dispatchEvent(event);
}"""


def test_paste_drop_and_camera(animation):
    one = animation(permissions=["camera"])
    for kind, number in (("paste", 4), ("drop", 5)):
        data = saved(face(number, 80, 80), "PNG")
        one.page.evaluate(HAND, [kind, base64.b64encode(data).decode()])
        one.rest()
        assert np.array_equal(one.seen, pictures.fit(pictures.read(data), 64)), kind
    one.page.evaluate(HAND, ["address", base64.b64encode(b"https://example.org/x.png").decode()])
    assert "save it as a file first" in one.error
    before = one.seen
    one.page.click("#va-webcam")
    one.page.wait_for_function("document.querySelector('#va-video').videoWidth > 0")
    assert one.error == "" and one.page.is_visible("#va-video")
    one.page.click("#va-shoot")
    one.page.wait_for_selector("#va-video", state="hidden")
    for _ in range(100):  # the picture travels once the camera is off
        one.rest()
        if not np.array_equal(one.seen, before):
            break
    assert not np.array_equal(one.seen, before)
    assert one.page.evaluate("document.querySelector('#va-video').srcObject") is None
    one.page.context.clear_permissions()
    one.page.click("#va-webcam")
    one.page.wait_for_selector("#va-picture > .vg-error", state="visible")
    assert "The camera stays off" in one.error and one.page.is_hidden("#va-video")


def test_faces_drawn_by_hand_examples_and_frames_of_explore(animation, visit, drawn):
    one = animation()
    one.page.click("text=Draw a face")
    one.page.locator("#va-examples button").nth(3).click()
    one.rest()
    person = faces.designer()["people"][3]
    assert np.array_equal(one.seen, faces.portrait(person, 64))
    assert one.page.locator("#va-examples button").nth(3).get_attribute("aria-current") is not None
    one.page.select_option("[aria-label='Face: beard']", "3")
    one.page.get_by_label("Face: skin tone").focus()
    one.page.keyboard.press("End")
    one.rest()
    drawn_by_hand = one.seen
    close = faces.portrait({**person, "beard": 3, "skin_tone": 1.0}, 64)  # sliders go in hundredths
    assert np.abs(drawn_by_hand.astype(int) - close).mean() < 2
    one.page.click("[aria-label='Anybody']")
    one.rest()
    assert not np.array_equal(one.seen, drawn_by_hand)
    one.page.click("#va-undo")
    one.rest()
    assert np.array_equal(one.seen, drawn_by_hand)

    one.page.click("#va-frame")
    assert "shows no clip yet" in one.error, "Explore has not begun, as the link was for this tab"
    one.page.click("#vg-tab-explore-button")
    one.page.wait_for_function("document.querySelectorAll('#vg-grid .vg-cell:not(:disabled)').length > 20")
    one.prefix = "vg"
    frame = one.pixels(6)
    one.page.click("#vg-tab-animate-button")
    one.page.click("#va-frame")
    one.rest()
    assert np.array_equal(one.seen, frame) and one.error == ""


def test_takes_it_home(animation, drawn, tmp_path):
    one = animation(permissions=["clipboard-read", "clipboard-write"])
    frames = drawn(one.query)
    with one.page.expect_download() as download:
        one.page.click(".va [data-save=npz]")
    download.value.save_as(tmp_path / "clip.npz")
    assert download.value.suggested_filename == "imaginator-expressions-4.npz"
    held = np.load(tmp_path / "clip.npz")
    assert np.array_equal(held["frames"], frames) and held["noise"].shape == (1, 512)
    one.page.click("#vg-link")
    one.page.wait_for_selector("#vg-link:has-text('Copied')")
    assert one.page.evaluate("navigator.clipboard.readText()") == one.page.evaluate("location.href")
    one.page.click("#vg-copy summary")
    one.page.click("[data-copy=cli]")
    one.page.wait_for_selector("[data-copy=cli]:has-text('Copied')")
    image = parse_qs(one.query)["image"][0]
    line = one.page.evaluate("navigator.clipboard.readText()")
    assert line == f"vidgan animate imaginator-expressions picture:{image} --seed 4 --label happiness --out clip.mp4"


@pytest.mark.parametrize("width, height, scheme", [(390, 844, "dark"), (1280, 900, "light")])
def test_looks_right(animation, width, height, scheme):
    one = animation(width=width, height=height, color_scheme=scheme, reduced_motion="reduce", has_touch=width < 500)
    one.page.click("text=Draw a face")
    one.upload(saved(noise(40, 90), "PNG"))
    one.page.wait_for_selector("#va-note", state="visible")
    assert "times as far" in one.page.inner_text("#va-note"), "far from what the release has learnt from"
    assert one.page.evaluate("document.documentElement.scrollWidth") <= width
    outside = one.page.evaluate(
        "() => [...document.querySelectorAll('.va *')].filter(e => e.offsetParent && !e.closest('.vg-sr') && "
        "e.getBoundingClientRect().right > innerWidth + 1).map(e => e.className)"
    )
    assert not outside
    seen = one.page.locator("#va-seen").bounding_box()
    assert (seen["width"], seen["height"]) == (64, 64)
    nameless = one.page.evaluate(
        "() => [...document.querySelectorAll('.va button, .va select, .va input, .va canvas[tabindex]')]"
        ".filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')))"
        ".map(e => e.outerHTML.slice(0, 90))"
    )
    assert not nameless
    paper = one.page.evaluate("getComputedStyle(document.querySelector('#va-picture')).backgroundColor")
    brightness = sum(map(int, paper.split("(")[1].rstrip(")").split(",")[:3]))
    assert brightness < 150 if scheme == "dark" else brightness > 600
    before = one.page.get_attribute("#va-player", "data-frame")
    one.page.wait_for_timeout(400)
    assert one.page.get_attribute("#va-player", "data-frame") == before, "stands still for those who ask for it"
    if width < 500:
        pinched(one)


def pinched(one) -> None:
    """Two fingers apart bring the picture nearer."""
    crop = one.page.locator("#va-crop")
    crop.evaluate("element => element.scrollIntoView({ block: 'end' })")  # the player covers what is above
    before, area = crop.get_attribute("data-box"), crop.bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    phone = one.page.context.new_cdp_session(one.page)
    for kind, apart in (("touchStart", 20), ("touchMove", 40), ("touchMove", 80), ("touchEnd", None)):
        points = [] if apart is None else [{"x": x + side * apart, "y": y, "id": side + 1} for side in (-1, 1)]
        phone.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    one.rest()
    side = int(crop.get_attribute("data-box").split(",")[2])
    assert side < 0.5 * int(before.split(",")[2])
    found = [int(number) for number in crop.get_attribute("data-box").split(",")]
    assert np.array_equal(one.seen, pictures.fit(pictures.crop(noise(40, 90), found), 64))


def test_without_a_release_the_tab_says_how_to_get_one(visit, page_releases):
    folder = page_releases / "imaginator-expressions"
    away = folder.rename(page_releases.parent / "away")
    try:
        one = visit()
        one.page.click("#vg-tab-animate-button")
        one.page.wait_for_selector("#va-empty", state="visible")
        assert "bash recipes/imaginator-expressions.sh" in one.page.inner_text("#va-empty")
        assert one.page.is_hidden("#va-player")
        one.page.select_option("#vg-release", "g3an-plain")
        one.page.wait_for_function("location.search.startsWith('?release=g3an-plain&')")
    finally:
        away.rename(folder)


def test_strangers_requests_get_one_sentence_or_nothing(server):
    import json
    import urllib.error
    import urllib.request

    with urllib.request.urlopen(f"{server.url}/config") as answer:
        parts = json.load(answer)["components"]
    (component,) = (one["id"] for one in parts if "va-animate" in str(one["props"].get("html_template")))

    def ask(name: str, data, **headers):
        body = json.dumps({"component_id": component, "fn_name": name, "data": data, "session_hash": "x"}).encode()
        request = urllib.request.Request(
            f"{server.url}/gradio_api/component_server", body, {"Content-Type": "application/json", **headers}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    assert "releases" in ask("open", {})
    assert "object with named values" in ask("read", ["x"])["error"]
    assert "ZIP" in ask("read", {"data": base64.b64encode(b"PK\x03\x04" + bytes(99)).decode()})["error"]
    assert "larger than 20 MB" in ask("read", {"data": "A" * (28 * 2**20)})["error"]
    assert "There is no release" in ask("see", {"release": "../../etc/passwd"})["error"]
    assert ask("see", {"release": "imaginator-expressions", "token": "../x"}) == {"gone": True}
    for name in ("__init__", "prepare", "load", "constructor"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            ask(name, {})
    with pytest.raises((urllib.error.HTTPError, urllib.error.URLError, ConnectionError)):
        ask("read", {"data": "A" * (31 * 2**20)})
