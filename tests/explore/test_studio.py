"""What the page's server answers: whatever it is asked, one answer in JSON, and one sentence for what was wrong."""

import logging
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from vidgan import VidganError, hub, video
from vidgan.explore.bookmark import Bookmark
from vidgan.ui import build
from vidgan.ui.releases import export
from vidgan.ui.studio import Studio


@pytest.fixture
def studio(checkpoints, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    return Studio()


@pytest.fixture
def query(studio):
    return studio.open({})["point"]["query"]


def test_a_damaged_first_release_does_not_take_the_page_with_it(own_checkpoints, make_release, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    names = ["g3an-expressions", "lab", "other"]
    for name in names:
        make_release(own_checkpoints / name)
    (own_checkpoints / "g3an-expressions" / "model.safetensors").write_bytes(b"nothing of ours")
    studio = Studio()
    for text in ("", "?release=lab", "release=nosuch", "release=g3an-expressions&seed.motion=3"):
        answer = studio.open({"query": text})
        assert [one["name"] for one in answer["releases"]] == names
        assert answer["release"] == "lab" and answer["strip"].startswith("data:image/webp")
        assert (answer["complaint"] is None) == (text == "?release=lab")
        assert str(own_checkpoints) not in str(answer)
    assert "g3an-expressions" in studio.open({})["complaint"]
    assert str(own_checkpoints) not in studio.switch({"release": "g3an-expressions"})["error"]


def test_where_nothing_can_be_loaded_the_page_still_knows_what_there_is(own_checkpoints, make_release):
    assert "There is no release here yet" in Studio().open({})["complaint"]
    make_release(own_checkpoints / "lab")
    (own_checkpoints / "lab" / "model.safetensors").unlink()
    answer = Studio().open({})
    assert [one["name"] for one in answer["releases"]] == ["lab"] and "lab" in answer["complaint"]
    assert str(own_checkpoints) not in str(answer) and "point" not in answer


def test_a_link_with_the_release_alone_opens_that_release(studio):
    answer = studio.open({"query": "?release=g3an-weizmann&utm_source=x"})
    assert answer["release"] == "g3an-weizmann" and answer["complaint"] is None
    assert answer["point"]["query"] == studio.switch({"release": "g3an-weizmann"})["point"]["query"]


def test_truncated_seeds_on_the_page_are_those_of_python(studio, query):
    changes = [{"kind": "truncation", "space": name, "value": 0.7} for name in ("appearance", "motion")]
    shown = studio.draw({"query": query, "changes": changes})["point"]
    assert "z=" not in shown["query"] and "--truncation 0.7" in shown["cli"]
    _, bookmark = studio.bookmark(shown["query"])
    generator = hub.load("g3an-expressions")
    latents = generator.latent_space.sample(1, 0, seeds={"appearance": 32, "motion": 4}, truncation=0.7)
    assert bookmark.latents.equal(latents)
    away = studio.draw({"query": shown["query"], "changes": [MOVE]})["point"]
    back = studio.draw({"query": away["query"], "changes": [{"kind": "reset", "space": "appearance"}]})["point"]
    assert "&z=" in away["query"] and back["query"] == shown["query"]


MOVE = {"kind": "move", "space": "appearance", "family": "dimensions", "index": 2, "value": 1.5}


def test_files_are_those_of_video_save(studio, query, tmp_path):
    release, bookmark = studio.bookmark(query)
    frames = video.to_uint8(release.generator.generate(bookmark.latents, bookmark.condition(release.generator)))[0]
    for kind in ("npz", "gif"):
        name, data = export(release, bookmark, kind)
        assert name == f"g3an-expressions-32-4.{kind}"
        wanted = video.save(tmp_path / name, frames, release.generator.fps, bookmark.latents)
        if kind == "gif":
            assert data == wanted.read_bytes()
            continue
        (tmp_path / "page.npz").write_bytes(data)
        made, known = np.load(tmp_path / "page.npz"), np.load(wanted)
        assert made.files == known.files and all(np.array_equal(made[key], known[key]) for key in known.files)


@pytest.mark.parametrize(
    "handler, request_, why",
    [
        ("open", [1], "object with named values"),
        ("switch", {"release": ["g3an-expressions"]}, "by its name"),
        ("switch", {}, "by its name"),
        ("draw", {"query": 7}, "text of a link"),
        ("draw", {"changes": 3}, "Too many changes"),
        ("draw", {"changes": [1]}, "no change"),
        ("draw", {"changes": [{"kind": ["seed"]}]}, "no change"),
        ("draw", {"changes": [{**MOVE, "index": True}]}, "are 0 to 127, not True"),
        ("draw", {"changes": [{**MOVE, "index": 128}]}, "are 0 to 127, not 128"),
        ("draw", {"changes": [{**MOVE, "value": True}]}, "goes from -8 to 8, not True"),
        ("draw", {"changes": [{**MOVE, "value": 10**400}]}, "goes from -8 to 8"),
        ("draw", {"changes": [{**MOVE, "family": {}}]}, "no family of sliders"),
        ("draw", {"changes": [{**MOVE, "space": [1]}]}, "no subspace"),
        ("draw", {"changes": [{"kind": "adopt", "space": "motion"}]}, "text of a link"),
        ("draw", {"changes": [{"kind": "seed", "space": "motion", "seed": True}]}, "whole number"),
        ("draw", {"changes": [{"kind": "label", "weights": [1]}]}, "names with a number"),
        ("draw", {"changes": [{"kind": "label", "weights": {"fear": [1]}}]}, "goes from 0 to 1000"),
        ("draw", {"changes": [{"kind": "frames", "frames": True}]}, "cannot have True frames"),
        ("row", {"motions": [1]}, "by a seed and a label"),
        ("row", {"motions": [{"label": ["fear"]}]}, "no label"),
        ("row", {"motions": [{}], "appearance": 1.5}, "whole number"),
        ("ends", {"space": "motion", "family": "dimensions", "index": None}, "are 0 to 9, not None"),
        ("take", {"format": ["mp4"]}, "no download"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(studio, query, handler, request_, why, caplog):
    if isinstance(request_, dict) and handler != "switch":
        request_ = {"query": query, **request_}
    with caplog.at_level(logging.ERROR):
        answer = getattr(studio, handler)(request_)
    assert list(answer) == ["error"] and why in answer["error"] and len(answer["error"]) < 200
    assert not caplog.records


def test_programs_get_what_they_ask_for_or_are_told(own_checkpoints, make_release, tmp_path, monkeypatch):
    monkeypatch.setattr("vidgan.explore.directions.directions_of", lambda *_: {})
    label = "fear&frames=48"
    make_release(own_checkpoints / "odd", labels=("a,b", label))
    studio = Studio()
    with gr.Blocks():
        file = gr.File()
    file.GRADIO_CACHE = str(tmp_path)

    def generate(*, label="", frames="0", link="", kind="npz"):
        return build._generate(studio, file, "", "1", "2", label, frames, link, kind)

    path, link = generate(label=label)
    assert np.load(path)["frames"].shape[0] == 16 and Path(path).name == "odd-1-2.npz"
    found = Bookmark.from_query(link, studio.find)
    assert found.label == label and found.seeds == {"appearance": 1, "motion": 2}
    assert np.load(generate(frames="20")[0])["frames"].shape[0] == 20
    for options, why in (({"frames": "x"}, "cannot have x frames"), ({"kind": "avi"}, "no format 'avi'")):
        with pytest.raises(VidganError, match=why):
            generate(**options)


def test_tabs_that_share_a_point_mean_the_same_by_a_handlers_name(studio, monkeypatch):
    """The browser asks by name, whichever of these tabs has said so last."""
    from vidgan.ui import explore_tab, growth_tab, interpolate_tab, resample_tab
    from vidgan.ui.growth_studio import GrowthStudio
    from vidgan.ui.interpolate_studio import InterpolateStudio
    from vidgan.ui.resample_studio import ResampleStudio

    meant: dict[str, set] = {}

    def component(markup, prefix, scripts, handlers):
        for handler in handlers:
            meant.setdefault(handler.__name__, set()).add(handler.__func__)

    for module, made in (
        (explore_tab.explore, studio),
        (interpolate_tab.interpolate, InterpolateStudio(studio.releases)),
        (resample_tab.resample, ResampleStudio(studio.releases)),
        (growth_tab.growth, GrowthStudio(studio.releases)),
    ):
        monkeypatch.setitem(module.__globals__, "component", component)
        module(made)
    assert {"draw", "figure", "sizes", "variants"} <= set(meant)
    assert {name for name, functions in meant.items() if len(functions) > 1} == set()


def test_a_link_that_holds_a_stage_alone_keeps_it(monkeypatch):
    monkeypatch.delenv("VIDGAN_CHECKPOINTS", raising=False)
    told = Studio().open({"query": "release=progressive-expressions&stage=1.5"})
    assert told["complaint"] is None and told["point"]["stage"] == 1.5
