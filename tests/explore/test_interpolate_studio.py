"""What the server answers the tab Interpolate: every frame is that of the library, and nothing of a film stays here."""

import base64
import io
import json
import logging

import numpy as np
import pytest
from PIL import Image

from vidgan import hub, video
from vidgan.explore.drawing import sheet
from vidgan.explore.interpolate import Walk, columns, frames
from vidgan.ui import interpolate_studio
from vidgan.ui.interpolate_studio import InterpolateStudio

SEEDS = "release=g3an-expressions&label={}&seed.appearance={}&seed.motion={}&frames=16"
POINTS = [SEEDS.format(*point) for point in [("happiness", 1, 2), ("fear", 3, 4), ("anger", 5, 6)]]


@pytest.fixture
def studio(checkpoints, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    return InterpolateStudio()


@pytest.fixture
def walk(studio):
    """walk(**request) -> the library's walk"""

    def made(**request):
        return Walk.from_query(studio.walk(asked(**request))["walk"], studio.find)

    return made


def asked(**request) -> dict:
    usual = {"what": "all", "lerp": [], "easing": "smooth", "loop": False, "pace": 0.5}
    return {"release": "g3an-expressions", "points": POINTS, **usual, **request}


def strip(text: str) -> np.ndarray:
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(text.partition(",")[2]))).convert("RGB"))
    return picture.reshape(64, -1, 64, 3).swapaxes(0, 1)


def film(studio, request: dict) -> tuple[list[str], np.ndarray]:
    strips, total = [], 0
    while total < request["frames"]:
        told = {name: request[name] for name in ("release", "walk", "pace")}
        answer = studio.slice({**told, "start": total})
        strips.append(answer["strip"])
        total += answer["frames"]
    return strips, np.concatenate([strip(text) for text in strips])


def test_a_walk_is_its_text(studio):
    answer = studio.walk(asked(what="appearance", lerp=["motion"], easing="linear", loop=True))
    told = {"release": "g3an-expressions", "pace": 0.5, "walk": answer["walk"]}
    assert studio.walk(told) == answer
    assert answer["points"] == POINTS and answer["lerp"] == ["motion"] and answer["loop"] is True
    assert json.dumps(POINTS[2]) in answer["python"] and answer["cli"].startswith("vidgan interpolate g3an-expressions")
    assert len(answer["columns"]) == 7 and answer["columns"][0] == 0 and answer["columns"][-1] < 1


def test_the_place_on_a_walk_becomes_the_point(studio, walk):
    generator, text = hub.load("g3an-expressions"), studio.walk(asked())["walk"]
    elsewhere = SEEDS.format("sadness", 9, 9)
    for t in (0, 0.25, 0.5, 0.61, 1):
        answer = studio.draw({"query": elsewhere, "changes": [{"kind": "walk", "walk": text, "t": t}]})
        wanted = walk().at(generator, t)
        assert answer["point"]["query"] == wanted.to_query(generator)
        clip = video.to_uint8(generator.generate(wanted.latents, wanted.condition(generator)))[0]
        picture = strip(answer["strip"])
        assert np.array_equal(picture, clip)
    assert (
        studio.draw({"query": elsewhere, "changes": [{"kind": "walk", "walk": text, "t": 1}]})["point"]["query"]
        == POINTS[2]
    )


@pytest.mark.parametrize("loop", [False, True])
def test_the_slices_of_a_film_are_the_video_of_the_library(studio, walk, monkeypatch, loop):
    monkeypatch.setattr(interpolate_studio, "SLICE", 5)
    monkeypatch.setattr(interpolate_studio, "PATIENCE", 60.0)
    generator = hub.load("g3an-expressions")
    request = studio.walk(asked(loop=loop))
    strips, made = film(studio, request)
    wanted = frames(generator, walk(loop=loop), 0.5 * (3 if loop else 2))
    assert np.array_equal(made, wanted) and len(strips) == -(-len(wanted) // 5)
    for kind in ("mp4", "gif", "webp"):
        sent = [text.partition(",")[2] for text in strips]
        file = studio.film({"release": "g3an-expressions", "strips": sent, "format": kind})
        assert file["name"] == f"g3an-expressions-walk.{kind}"
        assert base64.b64decode(file["data"]) == video.encode(wanted, kind, generator.fps)
    some = studio.film({"release": "g3an-expressions", "strips": sent[:1], "format": "gif"})
    assert len(video.read(base64.b64decode(some["data"]))[0]) == 5, "what was stopped is a film as far as it goes"


def test_a_slow_machine_sends_what_it_has(studio, monkeypatch):
    monkeypatch.setattr(interpolate_studio, "PATIENCE", 0.0)
    request = studio.walk(asked())
    told = {name: request[name] for name in ("release", "walk", "pace")}
    assert studio.slice({**told, "start": 3})["frames"] == 1


def test_the_figure_is_that_of_the_library(studio, walk):
    generator = hub.load("g3an-expressions")
    request = studio.walk(asked(what="label"))
    file = studio.figure({"release": "g3an-expressions", "walk": request["walk"], "format": "gif"})
    wanted = sheet(columns(generator, walk(what="label"), 7))
    assert base64.b64decode(file["data"]) == video.encode(wanted, "gif", generator.fps)


def test_where_nothing_moves_it_says_so(studio):
    same = [SEEDS.format("fear", 1, 2), SEEDS.format("fear", 3, 4)]
    assert studio.walk(asked(points=same))["note"] is None
    assert "their labels are the same" in studio.walk(asked(points=same, what="label"))["note"]
    assert "the same point" in studio.walk(asked(points=[same[0]] * 2))["note"]
    assert studio.walk(asked(points=same, what="latents"))["note"] is None


LONG = SEEDS.format("fear", 1, 2).replace("frames=16", "frames=20")
OTHER = "release=g3an-weizmann&seed.appearance=1&seed.motion=2&frames=16"


@pytest.mark.parametrize(
    "handler, request_, why",
    [
        ("walk", {"points": POINTS[:1]}, "2 to 16 keyframes, not 1"),
        ("walk", {"points": POINTS * 6}, "2 to 16 keyframes, not 18"),
        ("walk", {"points": POINTS * 600}, "2 to 16 links"),
        ("walk", {"points": "x"}, "2 to 16 links"),
        ("walk", {"points": [1, 2]}, "text of a link"),
        ("walk", {"points": [POINTS[0], LONG]}, "the same"),
        ("walk", {"points": [POINTS[0], OTHER]}, "stays in one release"),
        ("walk", {"points": [OTHER, OTHER]}, "of g3an-weizmann, not of g3an-expressions"),
        ("walk", {"points": [POINTS[0], POINTS[0] + "&z=AAAA"]}, "damaged"),
        ("walk", {"points": [POINTS[0], SEEDS.format("fear=-1", 1, 2)]}, "not negative"),
        ("walk", {"points": [POINTS[0], SEEDS.format("fear=nan", 1, 2)]}, "finite"),
        ("walk", {"points": [POINTS[0], SEEDS.format("fear=0", 1, 2)]}, "not all zero"),
        ("walk", {"what": "nothing"}, "no kind of walk 'nothing'"),
        ("walk", {"what": None}, "no kind of walk 'None'"),
        ("walk", {"lerp": ["nosuch"]}, "no subspace 'nosuch'"),
        ("walk", {"lerp": "motion"}, "a list of subspaces"),
        ("walk", {"easing": "bouncy"}, "no easing 'bouncy'"),
        ("walk", {"loop": 1}, "true or false"),
        ("walk", {"pace": 0}, "0.5 to 4 seconds"),
        ("walk", {"pace": 1e9}, "0.5 to 4 seconds"),
        ("walk", {"pace": float("nan")}, "0.5 to 4 seconds"),
        ("walk", {"pace": True}, "0.5 to 4 seconds"),
        ("walk", {"walk": 7}, "text that it has in a link"),
        ("walk", {"walk": ""}, "2 to 16 keyframes, not 0"),
        ("walk", {"walk": "release=g3an-weizmann&point=a&point=b"}, "one of g3an-weizmann, not of g3an-expressions"),
        ("walk", {"walk": "point=label%3Dfear&point=label%3Djoy"}, "Keyframe 2"),
        ("walk", {"walk": "x" * 70_000}, "too long"),
        ("walk", {"release": "nosuch"}, "no release 'nosuch'"),
        ("walk", {"release": None}, "by its name"),
        ("figure", {"format": "npz"}, "no download"),
        ("slice", {"start": -1}, "the frames 0 to"),
        ("slice", {"start": 10_000}, "the frames 0 to"),
        ("slice", {"start": True}, "not True"),
        ("slice", {"start": None}, "not None"),
        ("film", {"strips": []}, "one at least"),
        ("film", {"strips": [3]}, "travels as text"),
        ("film", {"strips": ["!"]}, "did not arrive whole"),
        ("film", {"strips": ["AAAA"]}, "PNG, JPEG or WebP"),
        ("film", {"strips": ["WRONG"]}, "frames of 64 pixels, not 96x64"),
        ("draw", {"changes": [{"kind": "walk", "walk": "WALK", "t": 1.5}]}, "from 0 to 1, not 1.5"),
        ("draw", {"changes": [{"kind": "walk", "walk": "WALK", "t": float("nan")}]}, "from 0 to 1, not nan"),
        ("draw", {"changes": [{"kind": "walk", "walk": "WALK"}]}, "from 0 to 1, not None"),
        ("draw", {"changes": [{"kind": "walk", "walk": ["x"], "t": 0}]}, "text that it has in a link"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(studio, handler, request_, why, caplog):
    known = studio.walk(asked())["walk"]
    out = io.BytesIO()
    Image.new("RGB", (96, 64)).save(out, "png")
    request_ = json.loads(
        json.dumps(request_).replace("WALK", known).replace("WRONG", base64.b64encode(out.getvalue()).decode())
    )
    if handler != "walk":
        request_ = {"query": POINTS[0], "walk": known, "format": "gif"} | request_
    with caplog.at_level(logging.ERROR):
        answer = getattr(studio, handler)(asked(**request_))
    assert list(answer) == ["error"] and why in answer["error"] and len(answer["error"]) < 220
    assert not caplog.records


def test_a_film_that_grows_too_long_is_not_unpacked_to_its_end(studio, monkeypatch):
    out, unpacked = io.BytesIO(), []
    Image.new("RGB", (64 * 64, 64)).save(out, "webp", lossless=True)
    read = interpolate_studio._frames
    monkeypatch.setattr(interpolate_studio, "_frames", lambda *asked: unpacked.append(1) or read(*asked))
    strips = [base64.b64encode(out.getvalue()).decode()] * 200
    answer = studio.film({"release": "g3an-expressions", "strips": strips, "format": "gif"})
    assert answer == {"error": "A film has at most 3600 frames."} and len(unpacked) == 57


def test_a_release_without_labels_walks_between_its_points(studio):
    points = [OTHER, OTHER.replace("motion=2", "motion=3")]
    answer = studio.walk(asked(release="g3an-weizmann", points=points))
    assert answer["points"] == points and answer["note"] is None
    assert (
        "no labels to walk between" in studio.walk(asked(release="g3an-weizmann", points=points, what="label"))["error"]
    )
