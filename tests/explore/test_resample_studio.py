"""What the server answers the tab Resample: the clips and the numbers are those of the library, to the bit."""

import base64
import logging
from dataclasses import asdict

import numpy as np
import pytest

from vidgan import hub, video
from vidgan.explore import resample
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.drawing import sheet
from vidgan.latents import MAX_SEED
from vidgan.models import ReleaseInfo, build
from vidgan.training.ema import calibrate
from vidgan.ui.resample_studio import ResampleStudio


@pytest.fixture
def studio(checkpoints, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    return ResampleStudio()


@pytest.fixture
def query(studio):
    return studio.open({})["point"]["query"]


def row(query: str, **request) -> dict:
    return {"query": query, "names": ["motion"], "seed": "5", "count": 3, **request}


def test_variants_keep_one_half_to_the_bit_and_draw_the_other_as_the_library_does(studio, query):
    generator = hub.load("g3an-expressions")
    answer = studio.variants(row(query))
    assert answer["seeds"] == ["5", "6", "7"] and answer["names"] == ["motion"] and answer["original"] == query
    wanted = resample.variants(Bookmark.from_query(query, studio.find), generator, ["motion"], 5, 3)
    assert answer["queries"] == [one.to_query(generator) for one in wanted]
    points = [Bookmark.from_query(text, studio.find) for text in answer["queries"]]
    origin = Bookmark.from_query(query, studio.find)
    for point in points:
        assert point.latents["appearance"].equal(origin.latents["appearance"]) and point.label == origin.label
        assert not point.latents["motion"].equal(origin.latents["motion"])
    shown = studio.cell({"query": answer["queries"][0]})
    assert shown["query"] == answer["queries"][0] and shown["frames"] == 16
    assert "--redraw motion" in answer["cli"] and "seed=5, count=3" in answer["python"]


def test_seeds_begin_anew_after_the_last_one(studio, query):
    assert studio.variants(row(query, seed=str(MAX_SEED)))["seeds"] == [str(MAX_SEED), "0", "1"]


def test_from_a_variant_the_same_row_can_be_drawn(studio, query):
    answer = studio.variants(row(query))
    again = studio.variants(row(answer["queries"][2]))
    assert again["queries"] == answer["queries"], "what is drawn anew does not depend on what was there"


def test_shares_are_those_of_the_library_and_better_with_every_draw(studio, query):
    generator, point = hub.load("g3an-expressions"), Bookmark.from_query(query, studio.find)
    few, many = (studio.shares({"query": query, "draws": draws})["shares"] for draws in (1, 3))
    wanted = {name: asdict(share) for name, share in resample.shares(generator, point, 3).items()}
    assert many == wanted and few != many
    for share in many.values():
        assert share["appearance"] + share["motion"] == pytest.approx(1) and share["total"] > 0


def test_more_draws_ask_the_model_for_the_new_ones_alone(studio, query):
    studio.shares({"query": query, "draws": 2})
    generator = studio.release("g3an-expressions").generator
    drawn, generate = [], generator.generate
    generator.generate = lambda *given: drawn.append(given) or generate(*given)
    studio.shares({"query": query, "draws": 3})
    generator.generate = generate
    assert len(drawn) == 3, "one for each subspace, and one for both"


def test_the_row_as_a_file(studio, query, tmp_path):
    generator = hub.load("g3an-expressions")
    asked = studio.variants(row(query))
    points = [Bookmark.from_query(text, studio.find) for text in (query, *asked["queries"])]
    clips = [video.to_uint8(generator.generate(one.latents, one.condition(generator)))[0] for one in points]
    for kind in ("gif", "webp", "mp4"):
        file = studio.sheet(row(query, format=kind))
        assert file["name"] == f"g3an-expressions-variants.{kind}"
        assert base64.b64decode(file["data"]) == video.encode(sheet(clips), kind, generator.fps)
    frames, _ = video.read(base64.b64decode(studio.sheet(row(query, format="webp"))["data"]))
    assert len(frames) == 16 and np.ptp(frames) > 50


def test_three_subspaces_and_any_length(own_checkpoints, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    generator = calibrate(build("mvtgan", size=64, classes=2, width=2, hidden=8, embedding=4), batches=1)
    info = ReleaseInfo("mvt", "mvtgan", labels=("walk", "run"))
    hub.save_release(own_checkpoints / "mvt", generator, info, card="# mvt\n")
    studio = ResampleStudio()
    told = studio.open({"query": "release=mvt&label=run&seed.z_a=1&seed.z_b=2&seed.z_c=3&frames=24"})
    assert [space["role"] for space in told["spaces"]] == ["appearance", "motion", "appearance"]
    assert told["point"]["frames"] == told["frames"] == 24
    query = told["point"]["query"]
    answer = studio.variants(row(query, names=["z_c", "z_a"]))
    assert answer["names"] == ["z_a", "z_c"]
    assert answer["queries"][0] == query.replace("z_a=1", "z_a=5").replace("z_c=3", "z_c=5")
    assert studio.cell({"query": answer["queries"][0]})["frames"] == 24
    assert set(studio.shares({"query": query, "draws": 1})["shares"]) == {"z_a", "z_b", "z_c"}
    shorter = studio.draw({"query": query, "changes": [{"kind": "frames", "frames": 16}]})
    assert shorter["point"]["frames"] == shorter["frames"] == 16


@pytest.mark.parametrize(
    "handler, request_, why",
    [
        ("variants", {"names": []}, "at least one subspace"),
        ("variants", {"names": ["nosuch"]}, "no subspace 'nosuch'"),
        ("variants", {"names": "motion"}, "a list of subspaces"),
        ("variants", {"names": [["motion"]]}, "no subspace"),
        ("variants", {"names": ["x"] * 101}, "a list of subspaces"),
        ("variants", {"seed": "x"}, "whole number"),
        ("variants", {"seed": None}, "whole number"),
        ("variants", {"seed": str(MAX_SEED + 1)}, "whole number"),
        ("variants", {"count": 0}, "from 1 to 12, not 0"),
        ("variants", {"count": 13}, "from 1 to 12, not 13"),
        ("variants", {"count": True}, "from 1 to 12, not True"),
        ("variants", {"query": None}, "text of a link"),
        ("shares", {"draws": 9}, "from 1 to 8, not 9"),
        ("shares", {"draws": float("nan")}, "from 1 to 8, not nan"),
        ("shares", {"query": "release=g3an-expressions&z=AAAA", "draws": 1}, "damaged"),
        ("sheet", {"format": "npz"}, "no download 'npz'"),
        ("sheet", {"format": ["mp4"]}, "no download"),
        ("cell", {"changes": [{"kind": "walk"}]}, "text that it has in a link"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(studio, query, handler, request_, why, caplog):
    with caplog.at_level(logging.ERROR):
        answer = getattr(studio, handler)(row(query, format="gif") | request_)
    assert list(answer) == ["error"] and why in answer["error"] and len(answer["error"]) < 200
    assert not caplog.records
