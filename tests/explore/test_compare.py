"""What goes beside what: releases of one data set, one seed for all, clips of any length in step."""

import numpy as np
import pytest

from tests.picture_files import scene
from vidgan import VidganError, pictures
from vidgan.explore import compare
from vidgan.models import ReleaseInfo, build

FACES = ("anger", "fear", "happiness")


def info(name: str, architecture: str = "g3an", data: str = "expressions", labels=(), **more) -> ReleaseInfo:
    moves = architecture == "imaginator"
    return ReleaseInfo(name, architecture, data=data, labels=labels, takes_image=moves, **more)


INFOS = [
    info("i", "imaginator", labels=("fear", "anger")),
    info("g", labels=FACES),
    info("v", "vgan"),
    info("w", data="weizmann"),
    info("x", data=""),
    info("y", data=""),
]


def test_only_data_sets_with_two_releases_have_something_to_compare():
    found = compare.families(INFOS)
    assert {data: [one.name for one in infos] for data, infos in found.items()} == {"expressions": ["g", "v", "i"]}
    assert compare.families(INFOS[3:]) == {}
    more = compare.families([info("a", data="weizmann"), *INFOS])
    assert list(more) == ["weizmann", "expressions"], "in the order in which releases are listed"


@pytest.mark.parametrize(
    "names, why",
    [
        (["g"], "2 to 4 releases can be compared, not 1"),
        ([], "not 0"),
        (["g", "v", "i", "w", "x"], "not 5"),
        (["g", "nosuch"], "no release 'nosuch'"),
        (["g", "g"], "one is named twice"),
        (["g", "w"], "the same data can be compared: g from expressions, w from weizmann"),
        (["x", "y"], "x from data that it does not name"),
    ],
)
def test_what_cannot_be_compared_is_told(names, why):
    with pytest.raises(VidganError, match=why):
        compare.chosen(INFOS, names)


def test_the_order_asked_for_is_kept():
    assert [one.name for one in compare.chosen(INFOS, ["v", "i", "g"])] == ["v", "i", "g"]


def test_labels_are_those_that_all_know_who_take_any():
    assert compare.labels(INFOS[:3]) == ["fear", "anger"]
    assert compare.labels([INFOS[1], INFOS[2]]) == list(FACES)
    assert compare.labels([INFOS[2], INFOS[3]]) == []
    assert compare.labels([INFOS[1], info("o", labels=("walk",))]) == []


def test_one_seed_and_one_picture_for_all():
    drawing = build("g3an", width=2, attention_after=None, classes=2)
    one = compare.point(drawing, 7, "class 1", scene(64, 64))
    assert dict(one.seeds) == {"appearance": 7, "motion": 7} and one.label == "class 1" and not one.image
    assert compare.point(drawing, 7, "happiness").label == "", "which it does not know"
    moving = build("imaginator", width=2, frames=16)
    two = compare.point(moving, 7, image=scene(90, 90))
    assert set(two.seeds.values()) == {7} and pictures.unpack(two.image).shape == (64, 64, 3)
    assert np.array_equal(pictures.unpack(two.image), pictures.fit(scene(90, 90), 64))


def test_clips_play_in_step():
    def clip(frames: int, size: int) -> np.ndarray:
        values = np.arange(frames, dtype=np.uint8)[:, None, None, None]
        return np.broadcast_to(values, (frames, size, size, 3))

    made, rate = compare.abreast([clip(4, 4), clip(6, 2), clip(2, 4)], [12, 12, 6])
    assert rate == 12 and made.shape == (6, 4, 3 * 4 + 2 * 2, 3)
    assert made[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 0, 1], "the shorter one begins again"
    assert made[:, 0, 6, 0].tolist() == [0, 1, 2, 3, 4, 5]
    assert made[:, 0, 12, 0].tolist() == [0, 0, 1, 1, 0, 0], "the slower one holds its frames"


def test_pixels_are_repeated():
    clip = np.arange(2 * 2 * 3, dtype=np.uint8).reshape(1, 2, 2, 3)
    large = compare.sized(clip, 4)
    assert large.shape == (1, 4, 4, 3) and np.array_equal(large, clip.repeat(2, 1).repeat(2, 2))
    assert compare.sized(clip, 3).shape == (1, 3, 3, 3) and np.array_equal(compare.sized(clip, 2), clip)
