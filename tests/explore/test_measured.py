"""Numbers of one protocol in one row, and never of two."""

import pytest

from vidgan.explore.measured import form, start, table
from vidgan.models import ReleaseInfo

FVD, KVD = "fvd_vidgan-0a_512x16f64", "kvd_vidgan-0a_512x16f64"
BESIDE = {"data": "expressions", "split": "test", "stride": "1", "seed": 0, "source_seed": 0, "data_options": []}


def release(name: str, architecture: str = "g3an", **metrics) -> ReleaseInfo:
    moves = architecture == "imaginator"
    return ReleaseInfo(name, architecture, data="expressions", metrics=BESIDE | metrics, takes_image=moves)


def test_what_was_measured_alike_stands_in_one_row_with_the_best_marked():
    rows = table([release("a", **{FVD: 20.0, KVD: 0.5}), release("b", **{FVD: 30.0, KVD: 0.5}), release("c")])
    assert [(row.name, row.values, row.best) for row in rows] == [
        ("Fréchet distance", (20.0, 30.0, None), 0),
        ("Kernel distance", (0.5, 0.5, None), None),
    ]
    assert rows[0].key == FVD and rows[0].protocol[:3] == (FVD, "lower is better", "512 clips of 16 frames, 64×64")


@pytest.mark.parametrize(
    "other",
    [
        {"fvd_vidgan-0a_256x16f64": 1.0},
        {"fvd_vidgan-0b_512x16f64": 1.0},
        {FVD: 1.0, "split": "train"},
        {FVD: 1.0, "stride": "1-3"},
        {FVD: 1.0, "seed": 1},
        {FVD: 1.0, "data_options": ["turns=false"]},
    ],
)
def test_what_was_measured_otherwise_stands_in_another(other):
    rows = table([release("a", **{FVD: 20.0}), release("b", **other)])
    assert [row.values for row in rows] == [(20.0, None), (None, 1.0)] and {row.best for row in rows} == {None}


def test_a_release_that_is_given_real_pictures_has_a_task_of_its_own():
    rows = table([release("a", **{FVD: 20.0}), release("b", "imaginator", **{FVD: 1.0})])
    assert [row.values for row in rows] == [(20.0, None), (None, 1.0)]


def test_options_of_training_clips_alone_make_no_difference():
    varied = release("b", **{FVD: 1.0, "data_options": ["vary=0.4", "bank=4096"]})
    assert [row.values for row in table([release("a", **{FVD: 20.0}), varied])] == [(20.0, 1.0)]


def test_rows_that_are_shared_come_first_and_kinds_in_one_order():
    alone = {"ssim_16f64": 0.5, "ssim_moving16_16f64": 0.4, "odd_16f64": 1.0}
    rows = table([release("a", **{**alone, FVD: 1.0}), release("b", **{FVD: 2.0, "acd_c_net_16f64": 0.1})])
    assert [row.name for row in rows] == ["Fréchet distance", "SSIM where it moves", "SSIM", "ACD-C", "odd"]
    assert rows[1].better == "high" and rows[-1].better == rows[-1].meaning == ""


def test_controls_and_baselines_give_the_scale():
    a = release("a", **{FVD: 20.0, "controls": {"floor": {FVD: 1.0}, "frozen": {FVD: 50.0}}})
    b = release("b", **{FVD: 30.0, "controls": {"floor": {FVD: 1.2}, "shuffled": {"other": 3.0}}})
    assert table([a, b])[0].scales == {"other real clips": (1.0, 1.2), "real, frozen": (50.0, 50.0)}


def test_the_same_person_is_best_kept_as_real_clips_do():
    key = "acd_c_net_32f64"
    told = {"baselines": {"real": {key: 0.10}, "repeat": {key: 0.0}}, "intervals": {key: [0.09, 0.16]}}
    rows = table([release("a", "imaginator", **{key: 0.02}), release("b", "imaginator", **{key: 0.12}, **told)])
    assert rows[0].best == 1 and rows[0].intervals == (None, (0.09, 0.16))
    assert rows[0].scales == {"real clips": (0.10, 0.10), "picture, frozen": (0.0, 0.0)}
    untold = table([release("a", **{key: 0.02}), release("b", **{key: 0.12})])
    assert untold[0].best is None, "what real clips have is not known"


@pytest.mark.parametrize("junk", [None, "20", True, [1], {"a": 1}, float("nan"), float("inf")])
def test_what_is_no_number_is_no_measurement(junk):
    assert table([release("a", **{FVD: junk}), release("b")]) == []
    damaged = release("a", **{FVD: 2.0, "controls": junk, "intervals": junk, "data_options": junk, "note": junk})
    assert table([damaged])[0].values == (2.0,)


def test_the_subspace_stands_in_the_name():
    assert [row.name for row in table([release("a", **{"ppl_motion_vidgan-0a_128x16f64": 1.0})])] == [
        "Path length (motion)"
    ]


def test_reports_are_no_metrics():
    assert table([release("a", clips=512, frames=16, real_clips=512, rank_deficient=False, fid=1.5)]) == []


@pytest.mark.parametrize(
    "key, words, name",
    [
        (FVD, "512 clips of 16 frames, 64×64", "fvd"),
        ("fvd_vidgan-0a_510of51x32f64", "510 clips of 32 frames, 64×64, 51 videos, to take them from", "fvd"),
        ("ssim_moving16_32f64", "32 frames, 64×64", "ssim_moving16"),
        ("is_small-resnet_1024x16f64", "1,024 clips of 16 frames, 64×64", "is"),
        (
            "memorisation_pixels_512of2048x16f64",
            "512 clips of 16 frames, 64×64, 2048 training clips, to find the nearest of",
            "memorisation_pixels",
        ),
        ("fid", "", "fid"),
    ],
)
def test_keys_in_words(key, words, name):
    assert form(key) == words and start(key) == name


def test_what_was_kept_later_stands_below_by_its_own_protocol():
    s3 = "s3_small-resnet_256x16f64"
    kept = BESIDE | {s3: 0.8, "intervals": {s3: [0.7, 0.9]}, "real": {s3: 1.0}}
    a = release("a", **{FVD: 20.0, "more": {"s3": kept, "odd": 3}})
    b = release("b", **{FVD: 30.0, "more": {"s3": kept | {s3: 0.9, "seed": 1}}})
    rows = table([a, b])
    assert [row.values for row in rows] == [(20.0, 30.0), (0.8, None), (None, 0.9)]
    assert rows[1].intervals == ((0.7, 0.9), None) and rows[1].scales == {"real clips": (1.0, 1.0)}
    assert table([release("c", more=3), release("d", more={"s3": None})]) == []
