"""What the server answers the tab Image to video: pictures of strangers stay in memory, and every answer is exact."""

import asyncio
import base64
import io
import json
import logging
import shutil
import time
from urllib.parse import urlencode

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from tests.animator import make_animator
from tests.picture_files import noise, saved, scene, sentence
from vidgan import Condition, hub, pictures, video
from vidgan.data.expressions import FACTORS
from vidgan.explore.animate import animate
from vidgan.metrics.novelty import Familiar
from vidgan.models import ReleaseInfo
from vidgan.models import build as build_model
from vidgan.training.ema import calibrate
from vidgan.ui import build, faces
from vidgan.ui.animation_studio import AnimationStudio
from vidgan.ui.limits import MAX_BODY, BodyLimit
from vidgan.ui.uploads import Uploads


@pytest.fixture(scope="module")
def both(tmp_path_factory, make_release):
    """A checkpoints folder with one release of each kind."""
    folder = tmp_path_factory.mktemp("both")
    make_release(folder / "g3an-expressions")
    make_animator(folder / "imaginator-expressions", folder, steps=0)
    (folder / "familiar.safetensors").unlink()
    return folder


@pytest.fixture(scope="module")
def loaded(both):
    """One studio for all tests that change nothing about it."""
    patch = pytest.MonkeyPatch()
    patch.setenv("VIDGAN_CHECKPOINTS", str(both))
    patch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    yield AnimationStudio()
    patch.undo()


@pytest.fixture
def studio(loaded, both, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(both))
    return loaded


@pytest.fixture
def query(studio):
    return studio.open({})["point"]["query"]


def upload(studio, data: bytes) -> dict:
    return studio.read({"data": base64.b64encode(data).decode()})


def see(studio, **request) -> np.ndarray:
    return pictures.unpack(studio.see({"release": "imaginator-expressions", **request})["image"])


def strip(answer: dict) -> np.ndarray:
    """The frames that an answer brings to the page."""
    data = base64.b64decode(answer["strip"].partition(",")[2])
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return picture.reshape(len(picture), answer["frames"], -1, 3).swapaxes(0, 1)


def test_a_first_visitor_gets_the_first_example_in_motion(studio):
    answer = studio.open({})
    assert [one["name"] for one in answer["releases"]] == ["imaginator-expressions"]
    assert answer["complaint"] is None
    assert answer["point"]["image"] == answer["examples"][0] and answer["frames"] == 16
    assert answer["point"]["labels"][0][answer["labels"].index("happiness")] == 1
    assert len(set(answer["examples"])) == 8 and len(answer["people"]) == 8
    generator = hub.load("imaginator-expressions")
    label = Condition.of_label("happiness", generator.labels).label
    image = pictures.to_image(pictures.unpack(answer["examples"][0]))
    clip = generator.generate(generator.latent_space.sample(1, 4), Condition(label, image))
    assert np.array_equal(strip(answer), video.to_uint8(clip)[0])


def test_each_tab_has_its_own_releases_and_knows_the_others(studio, query):
    explore = studio.explore.open({})
    assert [one["name"] for one in explore["releases"]] == ["g3an-expressions"]
    assert studio.explore.open({"query": f"?{query}"}) == {"elsewhere": True}
    assert studio.open({"query": explore["point"]["query"]}) == {"elsewhere": True}
    assert "in the tab Image to video" in studio.explore.draw({"query": query})["error"]
    assert "in the tab Explore" in studio.draw({"query": explore["point"]["query"]})["error"]


def test_without_a_release_one_sentence_says_how_to_get_one(own_checkpoints, make_release):
    make_release(own_checkpoints / "g3an-expressions")
    answer = AnimationStudio().open({})
    assert answer["releases"] == [] and "point" not in answer
    assert "bash recipes/imaginator-expressions.sh" in answer["complaint"]


# ------------------------------------------------------------------------------------------------ pictures


def test_what_the_network_sees_is_cropped_and_fitted_by_pictures(studio):
    picture = scene(300, 200)
    found = upload(studio, saved(picture, "PNG"))
    assert (found["width"], found["height"]) == (200, 300) and found["stage"].startswith("data:image/webp;base64,")
    for box in (None, [0, 0, 200], [30, 40, 17], [-50, 0, 300], [12.4, 7.5, 90.6]):
        assert np.array_equal(see(studio, token=found["token"], box=box), pictures.fit(pictures.crop(picture, box), 64))
    packed = pictures.pack(pictures.fit(picture[:200], 128))
    assert np.array_equal(see(studio, image=packed), pictures.fit(pictures.unpack(packed), 64))


def test_a_large_picture_is_shown_small_and_cropped_large(studio):
    picture = noise(1500, 2000)
    found = upload(studio, saved(picture, "PNG"))
    assert (found["width"], found["height"]) == (2000, 1500) and len(found["stage"]) < 1_500_000
    box = [700, 300, 64]
    assert np.array_equal(see(studio, token=found["token"], box=box), picture[300:364, 700:764])


def test_uploads_are_forgotten_and_never_touch_the_disk(studio, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    found = upload(studio, saved(scene(80, 80), "PNG"))
    packed = studio.see({"release": "imaginator-expressions", "token": found["token"]})["image"]
    point = studio.draw({"query": studio.open({})["point"]["query"], "changes": [{"kind": "image", "image": packed}]})
    for kind in ("mp4", "webp", "gif", "npz"):
        assert studio.take({"query": point["point"]["query"], "format": kind})["data"]
    assert list(tmp_path.rglob("*")) == []

    uploads = Uploads(max_mb=1, kept=0.3)
    tokens = [uploads.keep(noise(300, 300, seed)) for seed in range(5)]  # 270 kB each: three fit
    assert [uploads.get(token) is not None for token in tokens] == [False, False, True, True, True]
    assert uploads.get("x") is None and uploads.get([1]) is None
    end = time.monotonic() + 10
    while len(uploads) and time.monotonic() < end:
        time.sleep(0.05)
    assert len(uploads) == 0, "they go on time, though nobody comes"
    studio.uploads = Uploads()
    assert studio.see({"release": "imaginator-expressions", "token": found["token"]}) == {"gone": True}


def test_faces_are_those_of_the_data_set(studio):
    found = studio.face({"release": "imaginator-expressions"})
    assert set(found["factors"]) == {factor.name for factor in FACTORS if factor.role == "appearance"}
    again = studio.face({"release": "imaginator-expressions", "factors": json.loads(json.dumps(found["factors"]))})
    assert again == found
    person = faces.factors_of((1 << 20) + 5)
    plain, bearded = (faces.portrait({**person, "beard": beard}, 64) for beard in (0, 3))
    assert (plain[44:] != bearded[44:]).any() and np.array_equal(plain[:16], bearded[:16])


def test_a_frame_of_explore_becomes_the_picture(studio):
    told = studio.explore.open({})
    frame = pictures.unpack(studio.frame({"query": told["point"]["query"], "frame": 9})["image"])
    assert np.array_equal(frame, strip(told)[9])


def test_a_release_brings_examples_of_its_own(own_checkpoints, both, caplog):
    folder = own_checkpoints / "mover"
    shutil.copytree(both / "imaginator-expressions", folder)
    squares = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8)
    (folder / "examples.webp").write_bytes(video.sprite(squares, lossless=True)[0])
    studio = AnimationStudio()
    brought = studio.open({})["examples"]
    assert [np.array_equal(pictures.unpack(one), square) for one, square in zip(brought, squares)] == [True] * 3
    faces._brought.cache_clear()
    for damaged in (b"RIFF", video.sprite(squares[:, :, :50], lossless=True)[0]):
        (folder / "examples.webp").write_bytes(damaged)
        assert len(studio.open({})["examples"]) == 8 and "no examples of mover" in caplog.text


def test_examples_of_other_data_are_what_our_own_generators_draw(own_checkpoints, make_release, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    make_release(own_checkpoints / "g3an-weizmann", labels=())
    generator = hub.load("g3an-weizmann")
    studio = AnimationStudio()

    class Taught:
        info, size = generator.info, 64

    first = pictures.unpack(faces.examples(Taught, studio.releases)[0])
    assert np.array_equal(first, video.to_uint8(generator.generate(generator.latent_space.sample(1, 0)))[0, 0])
    (own_checkpoints / "g3an-weizmann" / "model.safetensors").write_bytes(b"nothing of ours")
    studio = AnimationStudio()
    assert np.array_equal(
        pictures.unpack(faces.examples(Taught, studio.releases)[0]), faces.portrait(faces.designer()["people"][0], 64)
    )


def test_a_picture_far_from_the_training_is_noted(studio, query, both):
    far = pictures.pack(noise(64, 64))
    familiar = Familiar.load(both / "imaginator-expressions" / "familiar.safetensors")
    sentence = familiar.note(pictures.unpack(far))
    assert sentence
    shown = studio.draw({"query": query, "changes": [{"kind": "image", "image": far}]})["point"]
    assert studio.note({"query": shown["query"]}) == {"note": sentence}
    near = familiar.note(pictures.unpack(studio.open({})["point"]["image"]))
    assert studio.note({"query": query}) == {"note": near}


# ------------------------------------------------------------------------------------------------ changes


def test_label_seed_skips_and_parts_change_what_they_say(studio, query):
    generator = hub.load("imaginator-expressions")
    image = pictures.to_image(pictures.unpack(studio.open({})["point"]["image"]))
    changes = [
        {"kind": "seed", "seed": "9"},
        {"kind": "fusion", "values": [1, 0.5, 0.25, 0]},
        {"kind": "continue", "label": "fear"},
        {"kind": "label", "weights": {"fear": 1, "anger": 3}, "part": 1},
        {"kind": "continue", "label": "surprise"},
    ]
    answer = studio.draw({"query": query, "changes": changes})
    point = answer["point"]
    assert point["parts"] == ["happiness", "anger=0.75,fear=0.25", "surprise"] and point["starts"] == [0, 15, 30]
    assert point["seed"] == "9" and point["fusion"] == [1, 0.5, 0.25, 0]
    labels = [Condition.parse(text, generator.labels).label for text in point["parts"]]
    told = Condition(torch.cat(labels), image, torch.tensor([[1, 0.5, 0.25, 0]]))
    frames = animate(generator, generator.latent_space.sample(3, 9), told)
    assert np.array_equal(strip(answer), frames) and len(frames) == 46
    first = studio.cell({"query": point["query"], "changes": []})
    assert first["frames"] == 16 and np.abs(strip(first).astype(int) - frames[:16]).mean() < 10
    back = studio.draw({"query": point["query"], "changes": [{"kind": "cut", "part": 1}]})
    assert back["point"]["parts"] == ["happiness"] and np.array_equal(strip(back), frames[:16])
    full = studio.draw({"query": point["query"], "changes": [{"kind": "fusion", "values": [1, 1, 1, 1]}]})["point"]
    assert "fusion" not in full["query"]


def test_a_release_without_labels_and_skips_offers_neither(own_checkpoints):
    shown = Condition(image=torch.rand(16, 3, 64, 64) * 2 - 1)
    generator = calibrate(build_model("imaginator", width=2, frames=16, fusion=False), shown, batches=1)
    info = ReleaseInfo("plain", "imaginator", data="sprites")
    hub.save_release(own_checkpoints / "plain", generator, info, card="# plain\n")
    studio = AnimationStudio()
    told = studio.open({})
    assert (told["labels"], told["levels"], told["designer"], told["side"]) == ([], [], [], 64)
    changes = [{"kind": "continue", "label": ""}, {"kind": "seed", "seed": 3}]
    longer = studio.draw({"query": told["point"]["query"], "changes": changes})
    assert longer["frames"] == 31 and "seed.noise=3&then=&image=" in longer["point"]["query"]
    assert longer["point"]["labels"] == [] and longer["point"]["parts"] == ["", ""]
    off = [{"kind": "fusion", "values": [1, 1, 1, 0]}]
    assert "no appearance skips" in studio.draw({"query": told["point"]["query"], "changes": off})["error"]


def test_a_link_without_picture_gets_an_example(studio):
    answer = studio.open({"query": "?release=imaginator-expressions&label=fear&seed.noise=8"})
    assert answer["complaint"] is None
    assert "label=fear&seed.noise=8&image=" in answer["point"]["query"]


def test_programs_get_what_the_page_shows(studio, query, tmp_path):
    with gr.Blocks():
        file = gr.File()
    file.GRADIO_CACHE = str(tmp_path)
    shown = studio.draw({"query": query, "changes": [{"kind": "continue", "label": "fear"}]})
    path, link = build._generate(studio, file, "", "0", "0", "", "0", shown["point"]["query"], "npz")
    assert link == shown["point"]["query"] and np.array_equal(np.load(path)["frames"], strip(shown))
    _, link = build._generate(studio, file, "imaginator-expressions", "1", "2", "fear", "0", "", "npz")
    assert urlencode({"label": "fear", "seed.noise": 2}) in link


@pytest.mark.parametrize(
    "handler, request_, why",
    [
        ("open", 7, "object with named values"),
        ("read", {}, "travels as text"),
        ("read", {"data": 7}, "travels as text"),
        ("read", {"data": "!" * 40}, "did not arrive whole"),
        ("read", {"data": ""}, "is empty"),
        ("read", {"data": "A" * (28 * 2**20)}, "larger than 20 MB"),
        ("read", {"data": base64.b64encode(b"<svg xmlns='x'/>").decode()}, "SVG"),
        ("see", {"release": ["x"]}, "by its name"),
        ("see", {"release": "nosuch"}, "no release 'nosuch'"),
        ("see", {"release": "g3an-expressions"}, "in the tab Explore"),
        ("see", {}, "text that it has in a link"),
        ("see", {"image": "<script>"}, "cut short"),
        ("see", {"image": "EXAMPLE", "box": "1,2,3"}, "three numbers"),
        ("see", {"image": "EXAMPLE", "box": [1, 2]}, "three numbers"),
        ("see", {"image": "EXAMPLE", "box": [0, 0, True]}, "three numbers"),
        ("see", {"image": "EXAMPLE", "box": [0, 0, 10**400]}, "three numbers"),
        ("see", {"image": "EXAMPLE", "box": [0, 0, float("nan")]}, "three numbers"),
        ("see", {"image": "EXAMPLE", "box": [0, 0, 0]}, "The side of the box"),
        ("see", {"image": "EXAMPLE", "box": [0, 0, 1000]}, "The side of the box"),
        ("face", {"factors": [1]}, "factors, by name"),
        ("face", {"factors": {}}, "needs every factor"),
        ("face", {"factors": {"nose": 1}}, "no factor of a face"),
        ("face", {"factors": {**faces.factors_of(1), "glasses": 7}}, "glasses goes from 0 to 2"),
        ("face", {"factors": {**faces.factors_of(1), "glasses": True}}, "glasses goes from 0 to 2"),
        ("face", {"factors": {**faces.factors_of(1), "skin_tone": float("nan")}}, "skin_tone goes from 0 to 1"),
        ("frame", {"query": 3}, "text of a link"),
        ("frame", {"query": "release=g3an-expressions", "frame": 99}, "frames 0 to 15, not 99"),
        ("frame", {"query": "release=g3an-expressions", "frame": "1"}, "frames 0 to 15, not 1"),
        ("draw", {"changes": [{"kind": "move"}]}, "no change 'move'"),
        ("draw", {"changes": [{"kind": "seed", "seed": -1}]}, "whole number"),
        ("draw", {"changes": [{"kind": "image"}]}, "text that it has in a link"),
        ("draw", {"changes": [{"kind": "image", "image": "A" * 400_000}]}, "300000 at most"),
        ("draw", {"changes": [{"kind": "image", "image": pictures.pack(noise(32, 32))}]}, "64 pixels a side"),
        ("draw", {"changes": [{"kind": "fusion", "values": "1"}]}, "is 4 numbers"),
        ("draw", {"changes": [{"kind": "fusion", "values": [1, 1]}]}, "4 numbers from 0 to 1"),
        ("draw", {"changes": [{"kind": "fusion", "values": [1, 1, 1, 1e9]}]}, "4 numbers from 0 to 1"),
        ("draw", {"changes": [{"kind": "fusion", "values": [1, 1, 1, float("nan")]}]}, "must be finite"),
        ("draw", {"changes": [{"kind": "label", "weights": {"fear": 1}, "part": 1}]}, "no part 1"),
        ("draw", {"changes": [{"kind": "label", "weights": {"fear": 1}, "part": True}]}, "no part True"),
        ("draw", {"changes": [{"kind": "label", "weights": {}}]}, "not all zero"),
        ("draw", {"changes": [{"kind": "continue", "label": 3}]}, "by its label"),
        ("draw", {"changes": [{"kind": "continue", "label": "joy"}]}, "no label 'joy'"),
        ("draw", {"changes": [{"kind": "continue", "label": "fear"}] * 8}, "1 to 8 parts, not 9"),
        ("draw", {"changes": [{"kind": "cut", "part": 0}]}, "no part 0"),
        ("draw", {"query": "release=imaginator-expressions&z=AAAA"}, "neither z nor truncation"),
        ("cell", {"changes": 3}, "Too many changes"),
        ("take", {"format": "exe"}, "no download 'exe'"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(studio, query, handler, request_, why, caplog):
    if isinstance(request_, dict) and handler in ("draw", "cell", "take"):
        request_ = {"query": query, **request_}
    elif isinstance(request_, dict):
        request_ = {"release": "imaginator-expressions", **request_}
        if request_.get("image") == "EXAMPLE":
            request_["image"] = studio.open({})["examples"][0]
    with caplog.at_level(logging.ERROR):
        answer = getattr(studio, handler)(request_)
    assert list(answer) == ["error"] and why in sentence(answer["error"])
    assert not caplog.records


# ------------------------------------------------------------------------------------------------ limits


def asgi(*bodies: bytes, length: int | None = None):
    """The answer of an application behind the limit that reads all it is sent: (status, body)."""

    async def application(scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(len(body)).encode()})

    async def run():
        sent = []
        more = [i + 1 < len(bodies) for i in range(len(bodies))]
        waiting = [{"type": "http.request", "body": body, "more_body": m} for body, m in zip(bodies, more, strict=True)]

        async def receive():
            return waiting.pop(0)

        async def send(message):
            sent.append(message)

        headers = [] if length is None else [(b"content-length", str(length).encode())]
        scope = {"type": "http", "method": "POST", "headers": headers}
        await BodyLimit(application)(scope, receive, send)
        return sent[0]["status"], sent[1]["body"], len(waiting)

    return asyncio.run(run())


def test_a_body_is_read_no_further_than_it_may_be_long():
    assert asgi(b"x" * 10, length=10)[:2] == (200, b"10")
    assert asgi(b"x" * 2**20, b"y" * 2**20, length=2**21)[:2] == (200, str(2**21).encode())
    assert asgi(b"x" * 10, b"y")[:2] == (200, b"11")
    assert asgi(b"", length=MAX_BODY + 1)[0] == 413
    status, _, unread = asgi(*[b"x" * 2**20] * 40)
    assert status == 413 and unread == 40 - (MAX_BODY >> 20) - 1
    picture = 4 * -(-pictures.MAX_BYTES // 3)
    assert picture < MAX_BODY - 2**20, "what the page sends at most gets in"
