"""What the server answers the tab Compare: the clips are those of the library, and a blind test is blind."""

import base64
import io
import logging

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from tests.animator import make_animator
from vidgan import hub, pictures, video
from vidgan.data.expressions import LABELS
from vidgan.data.expressions.factors import FIRST_TEST_IDENTITY
from vidgan.explore import compare
from vidgan.explore.animate import animate
from vidgan.explore.bookmark import Bookmark
from vidgan.models import ReleaseInfo
from vidgan.ui import blind, build, compare_studio
from vidgan.ui.blind import REAL, Pair, Pairs
from vidgan.ui.compare_studio import CompareStudio

A, B, MOVER = "g3an-expressions", "other-expressions", "mover"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_release):
    folder = tmp_path_factory.mktemp("compare")
    make_release(folder / A)
    make_release(folder / B, seed=3, attention_after=None)
    for seed, name in enumerate(("one-weizmann", "two-weizmann")):
        make_release(folder / name, seed=seed, labels=())
    make_animator(folder / MOVER, folder, steps=0)
    return folder


@pytest.fixture
def studio(folder, monkeypatch):
    monkeypatch.setenv("VIDGAN_CHECKPOINTS", str(folder))
    return CompareStudio()


def asked(*names: str, **more) -> dict:
    return {"releases": list(names or (A, B)), "seed": "5", "label": "fear", **more}


def frames_of(strip: str) -> np.ndarray:
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(strip.partition(",")[2]))).convert("RGB"))
    return np.stack(np.split(picture, picture.shape[1] // picture.shape[0], axis=1))


def library(query: str) -> np.ndarray:
    def find(name):
        return name, hub.load(name)

    point = Bookmark.from_query(query, find)
    generator = hub.load(point.release)
    if generator.takes_image:
        return animate(generator, point.latents, point.condition(generator))
    return video.to_uint8(generator.generate(point.latents, point.condition(generator)))[0]


def test_begins_with_two_of_the_first_data_set(studio):
    answer = studio.begin({})
    assert answer["releases"] == [A, B] and answer["seed"] == "32" and answer["label"] == "happiness"
    assert answer["real"] is True and answer["complaint"] is None and len(answer["labels"]) == 6
    names = [[one["name"] for one in family["releases"]] for family in answer["families"]]
    assert names == [[A, B, MOVER], ["one-weizmann", "two-weizmann"]]
    assert studio.begin({"releases": ["one-weizmann", "two-weizmann"]})["real"] is False


def test_columns_are_what_the_library_draws_of_one_seed(studio):
    for index, name in enumerate((A, B, MOVER)):
        answer = studio.column(asked(A, B, MOVER, index=index))
        assert answer["name"] == name and "=5" in answer["query"] and "label=fear" in answer["query"]
        assert np.array_equal(frames_of(answer["strip"]), library(answer["query"]))
        assert (answer["picture"] is None) == (name != MOVER)
        assert answer["parameters"] == hub.load(name).parameter_count


def test_the_picture_follows_the_seed(studio):
    pictures_of = [
        studio.column(asked(A, MOVER, index=1, seed=seed))["query"].partition("image=")[2] for seed in (5, 6, 5)
    ]
    assert pictures_of[0] == pictures_of[2] != pictures_of[1]
    assert pictures.unpack(pictures_of[0]).shape == (64, 64, 3)


def test_releases_without_labels_are_asked_without(studio):
    answer = studio.column({"releases": ["one-weizmann", "two-weizmann"], "index": 0})
    assert "label" not in answer["query"] and answer["takes_label"] is False


def test_the_file_holds_all_clips(studio):
    answer = studio.sheet(asked(A, B, format="webp"))
    assert answer["name"] == "expressions-5.webp"
    picture = Image.open(io.BytesIO(base64.b64decode(answer["data"])))
    assert picture.size == (2 * 64 + 2, 64) and picture.n_frames == 16


def test_a_pair_says_nothing_of_who_made_it(studio):
    seen = set()
    for _ in range(12):
        pair = studio.pair(asked(A, B, MOVER))
        assert set(pair) == {"token", "left", "right", "frames", "rate"}
        assert not any(name in pair["token"] for name in (A, B, MOVER, REAL))
        for side in ("left", "right"):
            assert frames_of(pair[side]).shape == (16, 64, 64, 3), "of one length and size, whoever made it"
        told = studio.vote({"token": pair["token"], "choice": "left"})
        assert told["chosen"] == told["left"] != told["right"] and set(told["seeds"]) == {"left", "right"}
        seen |= {told["left"], told["right"]}
        assert "has had its vote" in studio.vote({"token": pair["token"], "choice": "left"})["error"]
    assert seen == {A, B, MOVER, REAL}


def test_a_vote_tells_what_was_shown(studio):
    for _ in range(6):
        pair = studio.pair(asked(A, B))
        told = studio.vote({"token": pair["token"], "choice": "right"})
        for side in ("left", "right"):
            if told[side] == REAL:
                infos = compare.chosen(hub.releases(), [A, B])
                wanted = blind.real_clip(infos, int(told["seeds"][side]), told["label"], 16, 64)
            else:
                generator = hub.load(told[side])
                wanted = library(compare.point(generator, int(told["seeds"][side]), told["label"]).to_query(generator))
            assert np.array_equal(frames_of(pair[side]), wanted)


def test_licensed_clips_are_never_shown(studio, monkeypatch):
    monkeypatch.setattr(compare_studio, "real_clip", lambda *_: pytest.fail("a real clip was drawn"))
    for _ in range(10):
        pair = studio.pair({"releases": ["one-weizmann", "two-weizmann"]})
        told = studio.vote({"token": pair["token"], "choice": "left"})
        assert {told["left"], told["right"]} == {"one-weizmann", "two-weizmann"}


def test_real_clips_have_the_label_and_are_of_people_held_out(monkeypatch):
    asked = []
    real = blind.draw
    monkeypatch.setattr(blind, "draw", lambda factors, *form: asked.append(factors) or real(factors, *form))
    told = [ReleaseInfo("a", "g3an", data="expressions", data_options=("turns=false",))]
    for seed, label in enumerate([*LABELS, "", "walk"]):
        assert blind.real_clip(told, seed, label, 4, 32).shape == (4, 32, 32, 3)
    assert [int(factors["expression"]) for factors in asked] == [0, 1, 2, 3, 4, 5, 0, 1]
    assert all(int(factors["identity"]) >= FIRST_TEST_IDENTITY for factors in asked)
    assert {float(factors["yaw_swing"]) for factors in asked} == {0.0}
    blind.real_clip([*told, ReleaseInfo("b", "g3an", data="expressions")], 1, "fear", 4, 32)
    assert float(asked[-1]["yaw_swing"]) != 0.0, "one of them knows heads that turn"


def test_either_may_stand_to_the_left():
    tossed = [blind.toss([A, B], "weizmann")[0] for _ in range(60)]
    assert {tuple(makers) for makers in tossed} == {(A, B), (B, A)}
    assert {REAL, A, B} == {name for _ in range(60) for name in blind.toss([A, B], "expressions")[0]}


def test_pairs_make_room_for_new_ones():
    pairs = Pairs(most=2)
    tokens = [pairs.keep(Pair(A, B, (1, 2), "")) for _ in range(3)]
    assert pairs.take(tokens[0]) is None and pairs.take(tokens[2]) == Pair(A, B, (1, 2), "")
    assert pairs.take(tokens[2]) is None and pairs.take(["x"]) is None and len(set(tokens)) == 3


def test_a_link_that_makes_no_sense_opens_something_and_says_why(studio):
    answer = studio.begin({"releases": [A, "one-weizmann"], "seed": "7"})
    assert "the same data" in answer["complaint"] and answer["releases"] == [A, B]


def test_where_there_is_nothing_to_compare_one_sentence_says_so(own_checkpoints, make_release):
    make_release(own_checkpoints / "alone")
    assert "nothing to compare" in CompareStudio().begin({})["error"]


def test_a_damaged_release_is_told_in_its_own_column(own_checkpoints, make_release):
    for name in (A, B):
        make_release(own_checkpoints / name)
    (own_checkpoints / B / "model.safetensors").write_bytes(b"nothing of ours")
    studio = CompareStudio()
    assert "strip" in studio.column(asked(index=0))
    error = studio.column(asked(index=1))["error"]
    assert "damaged" in error and str(own_checkpoints) not in error


@pytest.mark.parametrize(
    "handler, request_, why",
    [
        ("begin", [1], "object with named values"),
        ("column", {"releases": "g3an-expressions", "index": 0}, "a list of their names"),
        ("column", asked(A, "nosuch", index=0), "no release 'nosuch'"),
        ("column", asked(A, "two-weizmann", index=0), "same data"),
        ("column", asked(A, index=0), "2 to 4 releases"),
        ("column", asked(*[A] * 5, index=0), "not 5"),
        ("column", asked(A, A, index=0), "named twice"),
        ("column", asked(A, "../" + A, index=0), "no release '../"),
        ("column", asked(index=2), "The columns are 0 to 1, not 2"),
        ("column", asked(index=True), "not True"),
        ("column", asked(index=0, seed="-1"), "A seed is a whole number"),
        ("column", asked(index=0, seed=[1]), "A seed is a whole number"),
        ("column", asked(index=0, label="hapiness"), "did you mean happiness"),
        ("column", asked(index=0, label={"fear": 1}), "no label"),
        ("sheet", asked(format="npz"), "no download 'npz'"),
        ("curve", asked(quantity="fvd"), "no curve 'fvd'"),
        ("curve", asked(quantity=["losses"]), "no curve"),
        ("pair", {"releases": [A, 1]}, "a list of their names"),
        ("pair", {"releases": [A, "one-weizmann"]}, "same data"),
        ("vote", {"token": "x", "choice": "left"}, "has had its vote"),
        ("vote", {"token": ["x"], "choice": "left"}, "has had its vote"),
        ("vote", {"choice": "right"}, "has had its vote"),
        ("vote", {"token": "x", "choice": "both"}, "no side 'both'"),
        ("vote", {"token": "x", "choice": ["left"]}, "no side"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(studio, handler, request_, why, caplog):
    with caplog.at_level(logging.ERROR):
        answer = getattr(studio, handler)(request_)
    assert list(answer) == ["error"] and why in answer["error"] and len(answer["error"]) < 250
    assert not caplog.records


def test_the_tab_is_there_where_there_is_something_to_compare(own_checkpoints, make_release):
    for name, there in ((A, False), (B, True)):
        make_release(own_checkpoints / name)
        blocks = build.build().blocks.values()
        assert {one.label: one.visible for one in blocks if isinstance(one, gr.Tab)}["Compare"] is there
        known = [one.html_template for one in blocks if isinstance(one, gr.HTML) and "data-tabs" in one.html_template]
        assert [f'data-tabs="{"compare" if there else ""}"' in one for one in known] == [True], "which a link may name"
