"""The curves of a training as plotly figures: a panel for each protocol, lines that hold what the files hold."""

import json

import pytest

from vidgan import VidganError
from vidgan.explore import curves
from vidgan.models import ReleaseInfo

LONG, SHORT = "fvd_vidgan-0a_256x16f64", "fvd_vidgan-0a_256x8f32"


def release(name: str, architecture: str = "g3an", path=None) -> ReleaseInfo:
    return ReleaseInfo(name, architecture, data="expressions", path=path, takes_image=architecture == "imaginator")


def curve(key: str = LONG, **more) -> dict:
    metrics = [{"kind": "metrics", "step": 10 * i, f"test_{key}": 9.0 - i, f"train_{key}": 8.0 - i} for i in (1, 2)]
    train = [{"kind": "train", "step": i, "seconds": 1.0, "d_video": 1.0, "g_video": 2.0 + i} for i in (1, 2, 3)]
    return {"train": train, "metrics": metrics} | more


def test_one_protocol_is_one_panel():
    made = curves.figure([release("a"), release("b")], [curve(), curve()], "fvd")
    assert [(one["name"], one["line"]["dash"], one["yaxis"], one["meta"]) for one in made["data"]] == [
        ("a, held-out clips", "solid", "y", 0),
        ("a, training clips", "dot", "y", 0),
        ("b, held-out clips", "solid", "y", 1),
        ("b, training clips", "dot", "y", 1),
    ]
    assert made["data"][0]["x"] == [10, 20] and made["data"][0]["y"] == [8.0, 7.0]
    assert [note["text"] for note in made["layout"]["annotations"]] == ["256 clips of 16 frames, 64×64"]


def test_other_protocols_have_axes_of_their_own():
    made = curves.figure([release("a"), release("b")], [curve(), curve(SHORT)], "fvd")
    assert [one["yaxis"] for one in made["data"]] == ["y", "y", "y2", "y2"]
    low, high = made["layout"]["yaxis"]["domain"], made["layout"]["yaxis2"]["domain"]
    assert high[1] < low[0] and low[1] == 1 and high[0] == pytest.approx(0)
    given = curves.figure([release("a"), release("b", "imaginator")], [curve(), curve()], "fvd")
    assert [one["yaxis"] for one in given["data"]] == ["y", "y", "y2", "y2"]
    assert "beginning with pictures" in given["layout"]["annotations"][1]["text"]


def test_losses_stand_by_release():
    made = curves.figure([release("a"), release("b")], [curve(), curve()], "losses")
    assert [(one["name"], one["yaxis"], one["showlegend"]) for one in made["data"]] == [
        ("d_video", "y", True),
        ("g_video", "y", True),
        ("d_video", "y2", False),
        ("g_video", "y2", False),
    ]
    assert [note["text"] for note in made["layout"]["annotations"]] == ["a", "b"]


def test_only_what_is_there_is_offered():
    empty = {"train": [], "metrics": []}
    assert curves.quantities([curve(), empty]) == {"fvd": "Fréchet distance", "losses": "Losses"}
    assert curves.quantities([empty, empty]) == {}
    with pytest.raises(VidganError, match="There is no curve 'kvd'"):
        curves.figure([release("a")], [curve()], "kvd")
    with pytest.raises(VidganError, match="there are none"):
        curves.figure([release("a")], [empty], "fvd")


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "{", "null", '{"train": 3, "metrics": {"a": 1}}', "[" * 100_000, '{"train": [1, {"step": "x"}]}'],
)
def test_damaged_files_hold_no_curves(tmp_path, text):
    if text is not None:
        (tmp_path / curves.FILE).write_text(text)
    assert curves.read(release("a", path=tmp_path)) == {"train": [], "metrics": []}


def test_numbers_that_are_none_are_left_out(tmp_path):
    lines = [
        {"step": 1, f"test_{LONG}": None},
        {"step": 2, f"test_{LONG}": float("nan")},
        {"step": 3, f"test_{LONG}": 4},
    ]
    (tmp_path / curves.FILE).write_text(json.dumps({"train": [], "metrics": lines}))
    read = curves.read(release("a", path=tmp_path))
    made = curves.figure([release("a")], [read], "fvd")
    assert [(one["x"], one["y"]) for one in made["data"]] == [([3], [4.0])]
    json.dumps(made, allow_nan=False)
