"""Walks between points: where they begin and end, what moves on the way, and that a loop has no seam."""

import shlex
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.explore.levels import Drift, Levels
from vidgan import Condition, VidganError, cli, hub, video
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.drawing import sheet
from vidgan.explore.interpolate import EASINGS, WHAT, Walk, blend_labels, columns, frames, length, phase
from vidgan.explore.resample import clip_of
from vidgan.inference import Renderer
from vidgan.latents import Latents
from vidgan.models import build


@pytest.fixture
def generator(checkpoints):
    return hub.load("g3an-expressions")


def keyframes(generator, count=2):
    """Points of different seeds and labels; every third has been moved by hand."""
    labels = ("happiness", "fear=0.3,surprise=0.7", "")
    points = []
    for index in range(count):
        seeds = {"appearance": 10 + index, "motion": 20 + index}
        point = Bookmark.draw(generator, seeds, label=labels[index % 3])
        if index % 3 == 1:
            point = point.moved(generator, point.latents.add("appearance", torch.eye(128)[5], 2.0))
        points.append(point)
    return points


def weights(generator, point):
    return generator.check(point.latents, point.condition(generator)).label[0]


# ------------------------------------------------------------------------------------------------ the path


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("count", [2, 3, 7, 16])
def test_keyframes_are_met_to_the_bit(generator, count, loop):
    points = keyframes(generator, count)
    walk = Walk(points, loop=loop)
    for index, point in enumerate(points):
        met = walk.at(generator, index / walk.stretches)
        assert met == point and met.latents.equal(point.latents)
    assert walk.at(generator, 1) == points[0 if loop else -1]


@pytest.mark.parametrize("what", WHAT)
def test_what_is_not_to_move_does_not(generator, what):
    first, last = keyframes(generator, 3)[::2]
    walk = Walk([first, last], what=what)
    moving = {"all": {"appearance", "motion", "label"}, "latents": {"appearance", "motion"}}.get(what, {what})
    assert walk.at(generator, 0) == first
    for t in (0.25, 0.5, 1.0):
        point = walk.at(generator, t)
        for name in ("appearance", "motion"):
            exact = point.latents[name], first.latents[name]
            kept = torch.equal(*exact) or torch.equal(exact[0], first.latents.quantise()[name])
            assert kept == (name not in moving), (t, name)
            assert point.seeds[name] == (first.seeds[name] if kept else last.seeds[name] if t == 1 else None)
        assert torch.equal(weights(generator, point), weights(generator, first)) == ("label" not in moving)
    for name in moving - {"label"}:
        assert torch.equal(point.latents[name], last.latents[name]), "to the bit"
    if "label" in moving:
        assert torch.equal(weights(generator, point), weights(generator, last))


def test_half_way_is_half_way(generator):
    first, last = keyframes(generator)
    start, end = first.latents, last.latents
    turned = Walk([first, last]).at(generator, 0.5).latents
    assert turned.equal(start.slerp(end, 0.5).quantise())
    straight = Walk([first, last], methods={"motion": "lerp"}).at(generator, 0.25).latents
    assert torch.equal(straight["appearance"], start.slerp(end, 0.25).quantise()["appearance"])
    assert torch.allclose(straight["motion"], start.lerp(end, 0.25)["motion"], atol=2e-3)
    assert not torch.equal(straight["motion"], start.slerp(end, 0.25).quantise()["motion"])


def test_labels_lie_on_the_straight_line_between_their_weights(generator):
    first, last = (Bookmark.draw(generator, {"appearance": 1, "motion": 2}, label=label) for label in ("fear", "anger"))
    walk = Walk([first, last], what="label")
    for t in (0.25, 0.4, 0.9):
        point = walk.at(generator, t)
        assert point.latents.equal(first.latents), "fixed Z, to the bit"
        assert point.is_drawn(generator) and "&z=" not in point.to_query(generator)
        assert torch.allclose(weights(generator, point)[[0, 2]], torch.tensor([t, 1 - t]), atol=1e-6)
    even = blend_labels(generator, "", "fear", 0.5)
    wanted = torch.full((6,), 1 / 12) + 0.5 * torch.eye(6)[2]
    assert torch.allclose(Condition.parse(even, generator.labels).label[0], wanted, atol=1e-6)
    assert blend_labels(generator, "fear", "fear=2", 0.5) == "fear"


def test_a_link_holds_a_blend_of_a_hundred_classes(own_checkpoints, make_release):
    names = tuple(f"WritingOnBoard{index}" for index in range(101))
    generator = hub.load(make_release(own_checkpoints / "many", labels=names))
    ends = [Bookmark.draw(generator, {"appearance": 1, "motion": 2}, label=label) for label in ("", names[7])]
    half = Walk(ends).at(generator, 0.3)
    back = Bookmark.from_query(half.to_query(generator), lambda name: (name, generator))
    assert back == half and torch.equal(weights(generator, back), weights(generator, half))


@pytest.mark.parametrize("t", [0.0, 0.2, 0.5, 0.77, 1.0])
@pytest.mark.parametrize("what", WHAT)
def test_a_link_holds_every_point_of_the_way(generator, what, t):
    point = Walk(keyframes(generator, 3), what=what).at(generator, t)
    back = Bookmark.from_query(point.to_query(generator), lambda name: (name, generator))
    assert back == point and back.latents.equal(point.latents)
    assert torch.equal(weights(generator, back), weights(generator, point))


def test_the_way_has_no_jumps(generator):
    """100 steps of a walk are steps of about the same length, past its keyframes too."""
    walk = Walk(keyframes(generator, 4), loop=True)
    points = [walk.at(generator, step / 100).latents for step in range(101)]
    steps = [max(float((a[name] - b[name]).norm()) for name in a) for a, b in pairwise(points)]
    assert max(steps) < 4 * np.median(steps)


@pytest.mark.parametrize("easing", EASINGS)
def test_time_passes_from_end_to_end_and_never_back(generator, easing):
    walk = Walk(keyframes(generator, 4), easing=easing)
    times = np.linspace(0, 1, 301)
    places = [walk.pace(time) for time in times]
    assert places[0] == 0 and places[-1] == 1 and all(a <= b for a, b in pairwise(places))
    for index in range(4):
        assert walk.pace(index / 3) == pytest.approx(index / 3, abs=1e-12)
    if easing == "linear":
        assert np.allclose(places, times)
    standing = np.isclose(np.array(places) * 3 % 1, 0, atol=1e-9) | np.isclose(np.array(places) * 3 % 1, 1, atol=1e-9)
    assert standing.mean() == pytest.approx(1 / 3, abs=0.02) if easing == "rest" else standing.sum() <= 4


# ------------------------------------------------------------------------------------------------ figure and video


def test_the_figure_begins_and_ends_with_the_clips_of_its_ends(generator):
    walk = Walk(keyframes(generator))
    made = columns(generator, walk, 7)
    assert made.shape == (7, 16, 64, 64, 3) and made.dtype == np.uint8
    assert np.array_equal(made[0], clip_of(generator, walk.points[0]))
    assert np.array_equal(made[-1], clip_of(generator, walk.points[1]))
    assert np.array_equal(made[2], clip_of(generator, walk.at(generator, 2 / 6)))
    round_trip = replace(walk, loop=True)
    assert round_trip.positions(4) == [0, 0.25, 0.5, 0.75]
    assert np.array_equal(columns(generator, round_trip, 2), made[[0, -1]])


@pytest.mark.parametrize("what", WHAT)
def test_the_video_begins_and_ends_with_frames_of_its_ends(generator, what):
    walk = Walk(keyframes(generator), what=what)
    made = frames(generator, walk, 0.42)
    first, last = (clip_of(generator, walk.at(generator, t)) for t in (0, 1))
    assert made.shape == (5, 64, 64, 3) and made.dtype == np.uint8
    assert np.array_equal(made[0], first[0]) and np.array_equal(made[4], last[4])
    middle = clip_of(generator, walk.at(generator, walk.pace(0.5)))
    assert np.array_equal(made[2], middle[2])


def test_a_video_goes_to_and_fro_through_its_clips():
    assert [phase(index, 4) for index in range(8)] == [0, 1, 2, 3, 2, 1, 0, 1]
    assert [phase(index, 2) for index in range(4)] == [0, 1, 0, 1] and phase(9, 1) == 0
    levels = Levels()
    point = Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, 3))
    clip, made = clip_of(levels, point), frames(levels, Walk([point, point], what="latents"), 1)
    assert np.array_equal(made, clip[[phase(index, 4) for index in range(12)]])


def difference(a, b):
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.mark.parametrize("easing", EASINGS)
@pytest.mark.parametrize("what", ["all", "latents", "motion", "label"])
def test_a_loop_has_no_seam(what, easing):
    drift = Drift()
    points = [Bookmark.draw(drift, {"who": seed, "move": seed}, label=f"class {seed % 2}") for seed in (3, 4, 6)]
    walk = Walk(points, what=what, easing=easing, loop=True)
    made = frames(drift, walk, 5)
    assert len(made) == 60, "six periods of 10"
    steps = [difference(a, b) for a, b in pairwise(made)]
    assert difference(made[-1], made[0]) <= max(*steps[:3], *steps[-3:]), "no larger than between its neighbours"
    assert walk.place(walk.pace(1.0)) == walk.place(0.0) and phase(len(made), 6) == 0, "what comes next is frame 0"
    if what == "all":
        seam = frames(drift, replace(walk, loop=False), 5)
        assert difference(seam[-1], seam[0]) > max(steps), "an open walk has one, so that the test can see seams"


def test_a_loop_of_a_real_generator_closes_as_it_began(generator):
    made = frames(generator, Walk(keyframes(generator), what="appearance", loop=True), 2.5)
    steps = [difference(a, b) for a, b in pairwise(made)]
    assert len(made) == 30 and difference(made[-1], made[0]) == pytest.approx(steps[0], rel=0.05), "0 to 1, and 1 to 0"


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 30), (2.5, 30), (3.74, 30), (3.76, 60), (None, 60)])
def test_a_loop_holds_whole_periods(generator, seconds, count):
    assert length(generator, Walk(keyframes(generator), loop=True), seconds) == count
    assert length(generator, Walk(keyframes(generator)), seconds) == round(12 * (seconds or 2))


def test_no_clip_is_drawn_twice():
    levels, told = Levels(), []
    points = [Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, seed)) for seed in (1, 2, 3)]
    walk = Walk(points, easing="rest")
    made = frames(levels, walk, 6, lambda done, total: told.append((done, total)))
    times = {walk.place(walk.pace(index / (len(made) - 1))) for index in range(len(made))}
    assert len(made) == 72 and levels.drawn == len(times) < 60, "standing at a keyframe takes one clip"
    assert told == [(done, len(times)) for done in range(1, len(times) + 1)]
    renderer = Renderer(levels)
    first = columns(renderer, walk, 5)
    levels.drawn = 0
    assert np.array_equal(columns(renderer, walk, 5), first) and not levels.drawn, "all are remembered"
    assert np.array_equal(frames(renderer, walk, 6), made)


@pytest.mark.parametrize("work", [columns, frames])
def test_work_can_be_stopped(work):
    class Stop(Exception):
        pass

    def stop(done, total):
        if done == 2:
            raise Stop

    levels = Levels()
    points = [Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, seed)) for seed in (1, 2)]
    with pytest.raises(Stop):
        work(levels, Walk(points), progress=stop)
    assert levels.drawn == 2


# ------------------------------------------------------------------------------------------------ as text


def test_the_text_of_a_walk(generator):
    ends = [Bookmark.draw(generator, {"appearance": 1, "motion": 2}, label=label) for label in ("fear", "anger")]
    text = Walk(ends, "label", {"motion": "lerp"}, "linear", True).to_query(generator)
    assert text == (
        "release=g3an-expressions&what=label&lerp=motion&easing=linear&loop=1"
        "&point=label=fear%26seed.appearance=1%26seed.motion=2%26frames=16"
        "&point=label=anger%26seed.appearance=1%26seed.motion=2%26frames=16"
    )
    plain = Walk(ends).to_query(generator)
    assert "what" not in plain and "easing" not in plain and "loop" not in plain and "lerp" not in plain


@pytest.mark.parametrize(
    "options", [{}, {"what": "motion", "loop": True}, {"easing": "rest", "methods": {"motion": "lerp"}}]
)
@pytest.mark.parametrize("count", [2, 16])
def test_a_text_brings_the_walk_back(generator, options, count):
    walk = Walk(keyframes(generator, count), **options)
    text = walk.to_query(generator)
    back = Walk.from_query("?" + text + "&utm_source=x", lambda name: (name, generator))
    assert back == walk and back.to_query(generator) == text
    assert all(a.latents.equal(b.latents) for a, b in zip(back.points, walk.points, strict=True))
    assert len(text) < 600 * count


def test_any_class_name_survives(own_checkpoints, make_release):
    names = ("a,b", "b=2", "fear&point=z", "50% + #1", "-n")
    generator = hub.load(make_release(own_checkpoints / "odd", labels=names))
    for index in range(4):
        ends = [
            Bookmark.draw(generator, {"appearance": 1, "motion": 2}, label=name) for name in names[index : index + 2]
        ]
        walk = Walk(ends)
        assert Walk.from_query(walk.to_query(generator), lambda name: (name, generator)) == walk
        half = walk.at(generator, 0.5)
        assert Bookmark.from_query(half.to_query(generator), lambda name: (name, generator)) == half


@pytest.mark.parametrize(
    "options",
    [{"what": "label"}, {"loop": True, "easing": "rest"}, {"what": "appearance", "methods": {"appearance": "lerp"}}],
)
def test_the_python_lines_and_the_command_make_the_figure(generator, options, tmp_path, monkeypatch):
    walk, made = Walk(keyframes(generator, 3), **options), {}
    monkeypatch.chdir(tmp_path)
    figure = columns(generator, walk, 2)
    exec(walk.to_python(generator, columns=2).replace("walk.mp4", "figure.npz"), made)
    assert made["walk"] == walk and np.array_equal(np.load("figure.npz")["frames"], sheet(figure))
    words = shlex.split(walk.to_cli(generator, columns=2).replace("walk.mp4", "figure.png"))
    assert words[0] == "vidgan" and cli.main(words[1:]) == 0
    assert np.array_equal(video.read("figure.png")[0], sheet(figure, still=True))


def test_the_python_lines_and_the_command_make_the_video(generator, tmp_path, monkeypatch):
    walk = Walk(keyframes(generator, 3), easing="linear")
    monkeypatch.chdir(tmp_path)
    wanted = frames(generator, walk, 0.43219)
    exec(walk.to_python(generator, 0.43219).replace("walk.mp4", "walk.npz"), {})
    assert np.array_equal(np.load("walk.npz")["frames"], wanted)
    assert cli.main(shlex.split(walk.to_cli(generator, 0.43219).replace("walk.mp4", "command.npz"))[1:]) == 0
    assert np.array_equal(np.load("command.npz")["frames"], wanted)
    assert "seconds" not in walk.to_python(generator) and "--length" not in walk.to_cli(generator), "the usual length"


# ------------------------------------------------------------------------------------------------ mistakes


def other_space(generator):
    return Bookmark("g3an-expressions", Latents({"noise": torch.zeros(1, 8)}))


MISTAKES = [
    (lambda p, g: Walk(p[:1]), "2 to 16 keyframes, not 1"),
    (lambda p, g: Walk(p[:1] * 17), "2 to 16 keyframes, not 17"),
    (lambda p, g: Walk([]), "2 to 16 keyframes, not 0"),
    (
        lambda p, g: Walk([p[0], replace(p[1], release="g3an-weizmann")]),
        "Keyframe 2 is of g3an-weizmann and keyframe 1",
    ),
    (lambda p, g: Walk([p[0], other_space(g)]), "Keyframe 2 and keyframe 1 lie in different latent spaces"),
    (lambda p, g: Walk([p[0], Bookmark.draw(g, {"appearance": 1, "motion": 2}, frames=24)]), "has 3 motion steps"),
    (lambda p, g: Walk([p[0], replace(p[1], latents=p[1].latents.repeat(2))]), "Keyframe 2 is not one point"),
    (lambda p, g: Walk(p, what="appearence"), "no kind of walk 'appearence'; did you mean appearance"),
    (lambda p, g: Walk(p, easing="smoth"), "no easing 'smoth'; did you mean smooth"),
    (lambda p, g: Walk(p, methods={"motoin": "lerp"}), "no subspace 'motoin'; did you mean motion"),
    (lambda p, g: Walk(p, methods={"motion": "serp"}), "no way to interpolate 'serp'; did you mean slerp"),
    (lambda p, g: Walk(p).at(g, -0.01), "from 0 to 1, not -0.01"),
    (lambda p, g: Walk(p).at(g, 1.01), "from 0 to 1, not 1.01"),
    (lambda p, g: Walk(p).at(g, float("nan")), "from 0 to 1, not nan"),
    (lambda p, g: Walk(p).at(g, None), "from 0 to 1, not None"),
    (lambda p, g: Walk([p[0], replace(p[1], label="fear=-1,anger=2")]).at(g, 0.5), "not negative"),
    (lambda p, g: Walk([p[0], replace(p[1], label="fear=0")]).at(g, 0.5), "not all zero"),
    (lambda p, g: frames(g, Walk([p[0], replace(p[1], label="fear=nan")])), "finite"),
    (lambda p, g: columns(g, Walk([p[0], replace(p[1], label="feer")])), "did you mean fear"),
    (lambda p, g: Walk(None), "a list of bookmarks"),
    (lambda p, g: Walk("ab"), "a list of bookmarks"),
    (lambda p, g: Walk([1, 2]), "a list of bookmarks"),
    (lambda p, g: Walk(p, methods="lerp"), "named by subspace"),
    (lambda p, g: columns(g, Walk([replace(one, release="other") for one in p]), 2), "of other, not of g3an-expr"),
    (lambda p, g: columns(g, Walk(p), 0), "2 to 64 columns, not 0"),
    (lambda p, g: columns(g, Walk(p), 65), "2 to 64 columns, not 65"),
    (lambda p, g: columns(g, Walk(p), 2.5), "count must be a whole number"),
    (lambda p, g: frames(g, Walk(p), 0), "2 to 3600 frames, 12 a second, so it cannot take 0 seconds"),
    (lambda p, g: frames(g, Walk(p, loop=True), 0.01), "cannot take 0.01 seconds"),
    (lambda p, g: frames(g, Walk(p), -3), "cannot take -3 seconds"),
    (lambda p, g: frames(g, Walk(p), float("inf")), "cannot take inf seconds"),
    (lambda p, g: frames(g, Walk(p), 1e9), "cannot take 1000000000.0 seconds"),
    (lambda p, g: frames(g, Walk(p), "long"), "cannot take long seconds"),
]


@pytest.mark.parametrize(("call", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistakes_are_one_sentence(generator, call, message):
    with pytest.raises(VidganError, match=message) as caught:
        call(keyframes(generator), generator)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


POINT = "&point=seed.appearance=1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "2 to 16 keyframes, not 0"),
        (POINT, "2 to 16 keyframes, not 1"),
        (POINT * 17, "2 to 16 keyframes, not 17"),
        (POINT * 2 + "&what=ALL", "no kind of walk 'ALL'"),
        (POINT * 2 + "&lerp=motion,foo", "no subspace 'foo'"),
        (POINT * 2 + "&loop=yes", "loop is 0 or 1, not 'yes'"),
        (POINT * 2 + "&easing=", "no easing ''"),
        (POINT + "&point=label=feer", "Keyframe 2: There is no label 'feer'; did you mean fear"),
        (POINT + "&point=label=fear=nan", "Keyframe 2: Label weights must be finite"),
        (POINT + "&point=z=AAAA", "Keyframe 2: .*damaged"),
        (POINT + "&point=frames=24", "keyframe 1 has 1"),
        (POINT + "&point=image=UklGR", "Keyframe 2: This release draws people itself"),
        (POINT + "&a=" + "b" * 70_000, "too long"),
    ],
)
def test_garbage_in_a_text_is_named(generator, text, message):
    with pytest.raises(VidganError, match=message) as caught:
        Walk.from_query(text, lambda name: ("g3an-expressions", generator))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_releases_without_what_is_to_move_are_refused(checkpoints):
    unlabelled = hub.load("g3an-weizmann")
    points = [Bookmark.draw(unlabelled, {"appearance": seed, "motion": seed}) for seed in (1, 2)]
    assert columns(unlabelled, Walk(points), 2).shape == (2, 16, 64, 64, 3)
    with pytest.raises(VidganError, match="no labels to walk between"):
        columns(unlabelled, Walk(points, what="label"))
    animator = build("imaginator", width=2, classes=2, frames=16)
    noise = [Bookmark.draw(animator, {"noise": seed}) for seed in (1, 2)]
    with pytest.raises(VidganError, match="imaginator animates pictures"):
        frames(animator, Walk(noise))
