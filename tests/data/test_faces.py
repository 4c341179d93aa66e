"""Face clips: alignment and tracks by hand numbers, and the pipeline end to end on videos of drawn faces."""

import json
import os
import shutil
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from skimage import data, transform

from vidgan import VidganError, cli, video
from vidgan.data import open_source
from vidgan.data.faces import FaceOptions, Record, Report, collect
from vidgan.data.faces.align import TEMPLATE, aligned, outside, side, similarity, smooth
from vidgan.data.faces.detect import LOOK, Face, finder, overlap, unheard
from vidgan.data.faces.pipeline import parts
from vidgan.data.faces.steady import Steady, steady
from vidgan.data.faces.tracks import Track, fault, likeness, link
from vidgan.data.faces.whole import lacking

FPS = 25.0


def turned(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (scale * points @ turn.T + shift).astype(np.float32)


def face(left: float, top: float, width: float = 40, look: np.ndarray | None = None) -> Face:
    """A face of which hardly more is known than its box."""
    points = (TEMPLATE * width + (left, top)).astype(np.float32)
    seen = np.zeros((LOOK, LOOK, 3)) if look is None else look
    return Face((left, top, left + width, top + width), points, seen.astype(np.uint8))


# --- alignment -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("degrees", [0, 30, -120])
def test_a_similarity_is_found_exactly(degrees):
    a, b = similarity(turned(TEMPLATE, degrees, 80, (12, -7)), TEMPLATE)
    assert 1 / abs(a) == pytest.approx(80, rel=1e-5)
    assert np.rad2deg(np.angle(a)) == pytest.approx(-degrees, abs=1e-3)
    assert a * (12 - 7j) + b == pytest.approx(0, abs=1e-5)


def test_points_that_do_not_fit_are_fitted_in_least_squares():
    random = np.random.default_rng(0)
    source, target = random.normal(size=(2, 5, 2)).astype(np.float32)
    rows = [row for x, y in source for row in ((x, -y, 1, 0), (y, x, 0, 1))]  # a = p + iq, b = r + is
    p, q, r, s = np.linalg.lstsq(np.array(rows), target.flatten(), rcond=None)[0]
    a, b = similarity(source, target)
    assert (a, b) == (pytest.approx(complex(p, q), abs=1e-5), pytest.approx(complex(r, s), abs=1e-5))


def test_smoothing_leaves_even_motion_alone_and_steadies_what_trembles():
    even = np.arange(40, dtype=np.float32)[:, None, None] * np.array([[1.5, -0.5]], np.float32)
    assert np.allclose(smooth(even, 2), even, atol=1e-4)
    noise = np.random.default_rng(0).normal(size=even.shape).astype(np.float32)
    assert smooth(noise, 2).std() < 0.5 * noise.std()
    assert smooth(noise, 0) is noise
    for length in (1, 2, 3):
        assert np.allclose(smooth(even[:length], 5), even[:length], atol=1e-4)


def test_how_large_a_face_is_and_how_much_of_it_the_picture_misses():
    points = turned(TEMPLATE, 0, 100, (50, 20))  # the aligned picture takes x 50..150, y 20..120
    assert side(points) == pytest.approx(100, rel=1e-4)
    assert outside(points, 200, 200) == 0
    assert outside(points, 200, 100) == 0.5
    assert outside(points, 10, 10) == 1


@pytest.mark.parametrize("scale", [40, 300, 1100])
def test_points_come_to_lie_where_the_template_says(scale):
    pytest.importorskip("cv2")
    points = turned(TEMPLATE, 20, scale, (0.35 * scale, 0.1 * scale))
    y, x = np.mgrid[: int(1.5 * scale), : int(1.5 * scale)]
    for number, (left, top) in enumerate(points):
        blob = 255 * np.exp(-((x - left) ** 2 + (y - top) ** 2) / (0.03 * scale) ** 2)
        found = aligned(np.repeat(blob.astype(np.uint8)[..., None], 3, 2), points, 120)[..., 0].astype(float)
        places = np.stack(np.meshgrid(*[np.arange(120)] * 2), -1)
        middle = (places * found[..., None]).sum((0, 1)) / found.sum()
        assert np.abs(middle - 120 * TEMPLATE[number]).max() < 1.5


# --- tracks --------------------------------------------------------------------------------------------------------
def test_overlap():
    assert overlap((0, 0, 2, 2), (1, 0, 3, 2)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 2, 2), (2, 0, 3, 2)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_faces_are_followed_until_they_are_lost_or_the_shot_ends():
    going_right = [face(3 * t, 0) for t in range(8)]
    going_left = [face(100 - 3 * t, 60) for t in range(8)]
    frames = [[left, right] if t % 2 else [right, left] for t, (left, right) in enumerate(zip(going_left, going_right))]
    frames[3] = [going_right[3]]  # one is missed
    found = link(frames, shots=[0, 6])
    assert [(track.start, track.end) for track in found] == [(0, 6), (0, 3), (4, 6), (6, 8), (6, 8)]
    assert [track.faces[0].box[0] for track in found] == [0, 100, 88, 18, 82]
    assert all(face in going_right for face in found[0].faces)
    assert link([], []) == []


def test_what_is_wrong_with_a_track():
    random = np.random.default_rng(0)
    one, other = random.uniform(0, 255, size=(2, LOOK, LOOK, 3))
    near = (one + random.normal(0, 20, size=(10, LOOK, LOOK, 3))).clip(0, 255)
    track = Track(0, [face(60, 60, 100, look) for look in near])
    limits = {"least": 10, "smallest": 75, "edge": 0.25}
    assert likeness(track) > 0.8
    assert fault(track, (200, 200), **limits) is None
    assert fault(track.part(0, 9), (200, 200), **limits) == "fewer than 10 frames"
    assert fault(track, (200, 200), **limits | {"smallest": 101}) == "face smaller than 101 pixels"
    assert fault(track, (100, 200), **limits) == "face cut by the edge of the picture"
    changed = Track(0, [*track.faces[:5], *[face(60, 60, 100, other)] * 5])
    assert fault(changed, (200, 200), **limits) == "the person changes"
    assert likeness(track.part(0, 1)) == 1


def test_a_person_who_becomes_another_slowly_is_noticed():
    one, other = np.random.default_rng(0).uniform(0, 255, size=(2, LOOK, LOOK, 3))
    shares = ((np.arange(48) - 15.5) / 16).clip(0, 1)
    track = Track(0, [face(60, 60, 100, one * (1 - share) + other * share) for share in shares])
    limits = {"shape": (200, 200), "least": 20, "smallest": 75, "edge": 0.25}
    assert likeness(track) > 0.95 and likeness(track, 12, 24) < 0.2 and likeness(track, 12, 37) == 1
    assert fault(track, **limits) == "the person changes"
    assert fault(track.part(10, 41), **limits) == "the person changes"  # of 31 frames, 7 are averaged
    assert fault(track.part(10, 39), **limits) is None  # too few for that
    there_and_back = Track(0, track.faces[:20] + track.faces[19::-1])
    assert fault(there_and_back, **limits) is None  # an expression comes and goes


def test_long_tracks_become_several_clips():
    def lengths(count, least, longest):
        track = Track(7, [face(0, 0)] * count)
        pieces = parts(track, least, longest)
        assert pieces[0].start == 7 and all(a.end == b.start for a, b in pairwise(pieces))
        return [len(piece.faces) for piece in pieces]

    assert lengths(40, 31, 423) == [40]
    assert lengths(424, 31, 423) == [212, 212]
    assert lengths(100, 20, 32) == [25, 25, 25, 25]
    assert lengths(40, 31, 32) == [32]  # two of 20 would be too short


# --- even frame rates ------------------------------------------------------------------------------------------------
def write_at(path, times: list[int]) -> None:
    """A video whose frames, of as many brightnesses, are shown at these milliseconds."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.options = {"bf": "0"}
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 40 + 10 * number, np.uint8), "rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def shown(path) -> tuple[list[int], Steady]:
    even = steady(path)
    return [round((float(frame.mean()) - 40) / 10) for frame in even.frames], even


def test_frames_at_even_times_stay_as_they_are(tmp_path):
    write_at(tmp_path / "even.mkv", [0, 33, 67, 100, 133, 167])
    numbers, even = shown(tmp_path / "even.mkv")
    assert numbers == [0, 1, 2, 3, 4, 5] and even.notes == [] and even.jumps == () and 24 < even.fps < 31


def test_a_variable_frame_rate_becomes_even(tmp_path):
    write_at(tmp_path / "uneven.mkv", [0, 40, 80, 200, 240, 250, 280])
    numbers, even = shown(tmp_path / "uneven.mkv")
    assert numbers == [0, 1, 2, 2, 2, 3, 5, 6]
    assert even.fps == pytest.approx(25) and even.jumps == ()
    assert even.notes == ["variable frame rate (8.33 to 100): taken at 25 frames a second"]


def test_long_gaps_are_cuts_and_no_still_pictures(tmp_path):
    write_at(tmp_path / "far.mkv", [0, 40, 80, 7_200_000, 7_200_040, 7_200_120, 7_200_160])
    numbers, even = shown(tmp_path / "far.mkv")
    assert numbers == [0, 1, 2, 3, 4, 4, 5, 6]
    assert even.jumps == (3,)


def test_a_frame_rate_that_no_video_has_is_refused(tmp_path):
    video.save(tmp_path / "slow.mp4", np.zeros((2, 16, 16, 3), np.uint8), 0.1)
    assert steady(tmp_path / "slow.mp4").fps == pytest.approx(0.1)
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "fast.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=2000)
        stream.width = stream.height = 64
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())
    with pytest.raises(
        VidganError, match=r"fast\.mp4 is no video to look at: it says that it has 2000 frames a second"
    ):
        steady(tmp_path / "fast.mp4")


# --- files that are cut short ----------------------------------------------------------------------------------------
def container(path: Path, frames: np.ndarray, codec: str = "libx264", **options) -> bytes:
    """`frames` [T, H, W, 3] at 25 a second, in the container that the suffix of `path` names."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", options={"movflags": "faststart"} | options) as file:
        stream = file.add_stream(codec, rate=25)
        stream.height, stream.width = frames.shape[1:3]
        for frame in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        file.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture(scope="module")
def noise():
    """40 frames of a film that is damaged, but not short of bits."""
    random = np.random.default_rng(0)
    return (
        (random.normal(128, 20, size=(40, 64, 64, 3)) + 2 * np.arange(40)[:, None, None, None])
        .clip(0, 255)
        .astype(np.uint8)
    )


@pytest.mark.parametrize(
    "suffix, codec, options",
    [
        ("mkv", "libx264", {}),
        ("mp4", "libx264", {}),
        ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("mov", "mpeg4", {}),  # its last frame is damaged
        ("avi", "mpeg4", {}),
    ],
)
def test_a_file_that_is_cut_short_is_called_so(tmp_path, noise, suffix, codec, options):
    path = tmp_path / f"film.{suffix}"
    whole = container(path, noise, codec, **options)
    even = steady(path)
    assert lacking(path) == 0 and len(list(even.frames)) == 40 and even.notes == []
    for share in (0.9, 0.7):
        path.write_bytes(whole[: int(share * len(whole))])
        even = steady(path)
        count = len(list(even.frames))
        assert lacking(path) == pytest.approx(1 - share, abs=0.01) and 1 <= count < 40 and even.fps == 25
        assert even.notes == [
            f"cut short: {count} frames could be read, {round(100 - 100 * share)}% of the file is missing"
        ]


def test_a_stream_may_end_anywhere(tmp_path, noise):
    whole = container(tmp_path / "film.ts", noise)
    (tmp_path / "film.ts").write_bytes(whole[: int(0.7 * len(whole))])
    even = steady(tmp_path / "film.ts")
    assert 1 < len(list(even.frames)) < 40 and lacking(tmp_path / "film.ts") is None
    assert not any(note.startswith("variable") for note in even.notes)


def test_damage_that_ends_a_film_is_told(tmp_path, noise):
    whole = container(tmp_path / "film.mov", noise, "mpeg4")
    middle = len(whole) // 2
    (tmp_path / "film.mov").write_bytes(whole[:middle] + bytes(2000) + whole[middle + 2000 :])
    even = steady(tmp_path / "film.mov")
    count = len(list(even.frames))
    assert lacking(tmp_path / "film.mov") == 0 and 1 < count < 40
    assert even.notes == [f"cut short or damaged: {count} frames could be read, but not the rest"]


@pytest.mark.parametrize(
    "begin, share",
    [
        (b"", 0),
        (b"no video at all, but long enough", None),
        (b"\0\0\0\x08free\0\0\0\x18mdat" + bytes(16), 0),
        (b"\0\0\0\x08free\0\0\0\x18mdat" + bytes(8), 1 / 4),
        (b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x28" + bytes(4), 1 / 2),  # a length of eight bytes
        (b"\0\0\0\x01mdat" + b"\xff" * 8, 1),
        (b"\0\0\0\x08free\0\0\0\0mdat" + bytes(8), None),  # however long it gets
        (b"\0\0\0\x08free\0\0\0\x03mdat" + bytes(8), None),
        (b"\0\0\0\x08free\0\0", 3 / 8),
        (b"RIFF\x1c\0\0\0AVI " + bytes(6), 1 / 2),
        (b"RIFF\0\0\0\0AVI " + bytes(6), None),
        (b"\x1a\x45\xdf\xa3\x82\0\0\x18\x53\x80\x67\x94" + bytes(4), 1 / 2),
        (b"\x1a\x45\xdf\xa3\x82\0\0\x18\x53\x80\x67\x01" + b"\xff" * 7 + bytes(4), None),  # not known
        (b"\x1a\x45\xdf\xa3", None),
    ],
)
def test_how_much_of_a_file_is_missing(tmp_path, begin, share):
    (tmp_path / "film").write_bytes(begin)
    assert lacking(tmp_path / "film") == (None if share is None else pytest.approx(share))


# --- the report ------------------------------------------------------------------------------------------------------
def test_the_report_counts_as_table_7_2_does():
    records = [
        Record("a", frames=500, shots=9, with_faces=400, clips={"1": 31, "2": 33, "3": 34}, dropped={"small": 2}),
        Record("b", frames=90, shots=1, with_faces=80, clips={"4": 423, "5": 12}, dropped={"small": 1, "short": 9}),
        Record("c", skipped="c is empty"),
    ]
    report = Report(records)
    assert report.lengths == {
        "below 30": 1, "30-33": 2, "34-39": 1, "40-47": 0, "48-57": 0, "58-69": 0, "70-423": 1
    }  # fmt: skip
    assert report.dropped == {"short": 9, "small": 3}
    text = report.text().splitlines()
    assert text[0] == "5 clips from 3 videos: 590 frames, 480 with faces, in 10 shots"
    assert text[-1] == "  c is empty"
    assert "  dropped 1 track: small" in Report(records[1:]).text().splitlines()
    assert Report(records[1:2]).text().startswith("2 clips from 1 video: 90 frames, 80 with faces, in 1 shot\n")
    assert json.loads(json.dumps(report.as_json()))["clips"] == 5


@pytest.mark.parametrize(
    "wrong", [{"size": 8}, {"least": 1}, {"least": 50, "longest": 40}, {"edge": 2}, {"smoothing": float("nan")}]
)
def test_options_that_make_no_sense_are_refused(wrong):
    with pytest.raises(VidganError, match=r"they are|clips can be"):
        FaceOptions(**wrong)


# --- end to end ------------------------------------------------------------------------------------------------------
def drawn(size: int, frames: int, seed: int) -> np.ndarray:
    """One person, uint8 [frames, size, size, 3]."""
    source = open_source("expressions", split="test", frames=frames, size=size, bank=0, seed=seed)
    return video.to_uint8(source.batch(1, 0).clip)[0]


def scene(faces: list, frames: int, tint: int) -> np.ndarray:
    """Faces, each with its place and how far it goes in a frame, before a wall: uint8 [frames, 360, 480, 3]."""
    y, x = np.mgrid[:360, :480]
    wall = np.stack([x / 4, y / 3, np.full_like(x, tint)], -1).astype(np.uint8)
    shot = np.repeat(wall[None], frames, 0)
    for clip, (left, top, right, down) in faces:
        size = clip.shape[1]
        for t in range(frames):
            here = slice(int(top + down * t), int(top + down * t) + size), slice(int(left + right * t), None)
            shot[t][here][:, :size] = clip[t]
    return shot


def faded(one: np.ndarray, other: np.ndarray, first: int, frames: int) -> np.ndarray:
    """A dissolve from one clip to another, `frames` long, from frame `first` on."""
    share = ((np.arange(len(one)) - first + 0.5) / frames).clip(0, 1)[:, None, None, None]
    return (one * (1 - share) + other * share).round().astype(np.uint8)


@pytest.fixture(scope="module")
def networks():
    pytest.importorskip("mediapipe", reason="face clips need MediaPipe: pip install 'vidgan[face-clips]'")
    pytest.importorskip("scenedetect", reason="face clips need PySceneDetect: pip install 'vidgan[face-clips]'")


@pytest.fixture(scope="module")
def videos(tmp_path_factory, networks):
    folder = tmp_path_factory.mktemp("videos")
    one, two, three = drawn(200, 33, 1), drawn(160, 33, 2), drawn(220, 33, 3)
    shots = [
        scene([(one, (20, 40, 1.5, 0.5))], 33, 40),
        scene([(two, (10, 50, 1, 0)), (drawn(170, 33, 5), (280, 100, 0, 1))], 33, 200),
        scene([], 12, 120),
        scene([(three, (60, 50, 1, 1))], 20, 90),
    ]
    video.save(folder / "cuts.mp4", np.concatenate(shots), FPS)
    someone_else = np.concatenate([three[:16], drawn(220, 33, 9)[16:]])
    video.save(folder / "change.mp4", scene([(someone_else, (60, 50, 1, 1))], 33, 90), FPS)
    into_another = faded(drawn(220, 48, 3), drawn(220, 48, 9), 16, 16)
    video.save(folder / "dissolve.mp4", scene([(into_another, (60, 50, 1, 1))], 48, 90), FPS)
    video.save(folder / "nobody.mp4", shots[2], FPS)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "broken.mp4").write_bytes((folder / "nobody.mp4").read_bytes()[:900])
    return folder


@pytest.fixture(scope="module")
def made(videos, tmp_path_factory):
    out = tmp_path_factory.mktemp("clips")
    return out, collect([videos], out, progress=False)


def test_every_video_is_told_of(made):
    out, report = made
    told = {Path(record.video).name: record for record in report.records}
    assert told["cuts.mp4"].shots == 4 and told["cuts.mp4"].frames == 98
    assert told["cuts.mp4"].dropped == {"fewer than 31 frames": 1}
    assert list(told["cuts.mp4"].clips.values()) == [33, 33, 33]
    assert told["change.mp4"].dropped == {"the person changes": 1} and not told["change.mp4"].clips
    assert told["dissolve.mp4"].dropped == {"the person changes": 1} and not told["dissolve.mp4"].clips
    assert told["nobody.mp4"].note == "no faces found"
    assert told["empty.mp4"].skipped.endswith("empty.mp4 is empty")
    assert "broken.mp4" in told["broken.mp4"].skipped
    assert report.lengths["30-33"] == 3
    assert json.loads((out / "report.json").read_text()) == report.as_json()
    assert sorted(report.clips) == sorted(path.name for path in out.glob("*.mp4"))


def test_faces_in_the_clips_are_where_they_belong(made):
    out, report = made
    off = []
    with finder() as find:
        for file in report.clips:
            frames, fps = video.read(out / file)
            assert frames.shape == (33, 300, 300, 3) and fps == FPS
            seen = [find.faces(frame) for frame in frames[::4]]
            off += [np.abs(faces[0].points[:2] / 300 - TEMPLATE[:2]).max() for faces in seen if faces]
    assert len(off) > 20  # of 27
    assert np.median(off) < 0.03 and max(off) < 0.08  # of the width


def test_a_photograph_that_is_moved_about_comes_out_still(tmp_path, networks):
    photo = data.astronaut()[:320, 40:440]
    frames = []
    for t in range(36):
        centre, tilt, larger = np.array([180.0, 120.0]), 0.2 * np.sin(t / 6), 1 + 0.2 * np.sin(t / 10)
        moved = transform.SimilarityTransform(translation=-centre - (8 * np.sin(t / 4), t / 3))
        moved += transform.SimilarityTransform(rotation=tilt, scale=larger)
        moved += transform.SimilarityTransform(translation=centre)
        frames.append(transform.warp(photo, moved.inverse, mode="edge"))
    video.save(tmp_path / "photo.mp4", (np.stack(frames) * 255).astype(np.uint8), FPS)
    report = collect([tmp_path / "photo.mp4"], tmp_path / "out", progress=False)
    assert list(report.clips.values()) == [36]
    clip, _ = video.read(tmp_path / "out" / next(iter(report.clips)))
    still, shaken = (shown[:, 60:240, 60:240].astype(float).std(0).mean() for shown in (clip, np.stack(frames) * 255))
    assert still < 10 and shaken > 3 * still
    with finder() as find:
        seen = [find.faces(frame) for frame in clip[::6]]
    assert all(np.abs(faces[0].points / 300 - TEMPLATE).max() < 0.06 for faces in seen)


def test_the_clips_are_a_data_set(made, tmp_path):
    out, _ = made
    options = {"root": str(out), "frames": 16, "size": 64, "cache": str(tmp_path)}
    train, test = (open_source("folder", split=split, **options) for split in ("train", "test"))
    assert train.labels == () and len(train) + len(test) == 3
    assert train.batch(2, 0).clip.shape == (2, 3, 16, 64, 64)


def test_what_is_finished_is_not_done_again(made, videos, tmp_path, monkeypatch):
    out, report = made
    moved = tmp_path / "elsewhere" / "renamed.mp4"
    moved.parent.mkdir()
    shutil.copy(videos / "cuts.mp4", moved)
    with monkeypatch.context() as patch:
        patch.setattr("vidgan.data.faces.pipeline._look", lambda *_: pytest.fail("it was read again"))
        again = collect([videos / "cuts.mp4", moved, videos / "change.mp4"], out, progress=False)
        assert again.clips == report.clips  # the report is of all that went into the folder, twice given or not
    first = next(iter(report.clips))
    before, _ = video.read(out / first)
    (out / first).unlink()  # as if it had been stopped there
    assert collect([videos], out, progress=False).as_json() == report.as_json()
    again, _ = video.read(out / first)
    assert np.abs(again.astype(int) - before).mean() < 2  # to the last bit the networks are not the same twice


def test_other_options_replace_what_was_there(videos, tmp_path):
    def files():
        return {path.name for path in tmp_path.glob("*.mp4")}

    collect([videos / "cuts.mp4"], tmp_path, FaceOptions(size=64, least=16, longest=20), progress=False)
    assert len(files()) == 7
    assert video.read(next(tmp_path.glob("*.mp4")))[0].shape[1:3] == (64, 64)
    for record in (tmp_path / ".faces").glob("*.json"):
        record.unlink()  # as if it had been killed before it was done
    report = collect([videos / "cuts.mp4"], tmp_path, FaceOptions(size=64, smallest=2000), progress=False)
    assert report.dropped["face smaller than 2000 pixels"] == 3 and not files()


def test_of_a_film_that_is_cut_short_the_clips_are_made(tmp_path, networks, monkeypatch):
    whole = container(tmp_path / "film.mkv", scene([(drawn(160, 40, 1), (10, 10, 0, 0))], 40, 90)[:, :180, :180])
    (tmp_path / "film.mkv").write_bytes(whole[: int(0.7 * len(whole))])
    given = [tmp_path / "film.mkv"], tmp_path / "out", FaceOptions(size=64, least=16)
    with monkeypatch.context() as patch, pytest.raises(VidganError, match="could be read once, but not again"):
        patch.setattr("vidgan.data.faces.pipeline._cut", lambda *_: iter(()))
        collect(*given, progress=False)
    [record] = collect(*given, progress=False).records
    assert 16 <= record.frames < 40 and list(record.clips.values()) == [record.frames]
    assert record.note == f"cut short: {record.frames} frames could be read, 30% of the file is missing"


def test_where_no_video_can_be_used_the_report_says_why_of_each(tmp_path, videos):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "report.json").write_text("of another time")
    bad = [tmp_path / f"{number}.mp4" for number in range(7)]
    for path in bad[1:]:
        path.write_bytes((videos / "broken.mp4").read_bytes())
    with pytest.raises(VidganError) as told:
        collect(bad, tmp_path / "out", progress=False)
    records = json.loads((tmp_path / "out" / "report.json").read_text())["records"]
    assert [record["video"] for record in records] == [str(path) for path in bad]
    assert all(path.name in record["skipped"] for record, path in zip(records, bad))
    said = str(told.value)
    assert said.startswith(
        f"None of the 7 videos can be used: {bad[0]} could not be opened: No such file or directory; "
    )
    assert str(bad[4]) in said and str(bad[5]) not in said
    assert said.endswith(f"; {tmp_path / 'out' / 'report.json'} tells of the others.")


def test_what_the_networks_say_of_themselves_is_not_heard(tmp_path, networks):
    video.save(tmp_path / "film.mp4", scene([(drawn(160, 4, 1), (10, 10, 0, 0))], 4, 90), FPS)
    words = ["data", "faces", str(tmp_path), "--out", str(tmp_path / "out"), "--least", "2", "--size", "64"]
    done = subprocess.run([sys.executable, "-m", "vidgan.cli", *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.startswith("1 clip from 1 video: ")
    assert "1/1" in done.stderr  # the bar
    assert all(word not in done.stderr for word in ("W0000", "WARNING", "INFO", "Warning"))


def test_nothing_is_heard_only_for_as_long_as_it_should(capfd):
    def say(what: str) -> None:
        os.write(2, what.encode())

    with pytest.raises(ZeroDivisionError), unheard():
        say("no")
        1 / 0  # noqa: B018
    with unheard():
        say("no")
    say("yes")
    assert capfd.readouterr().err == "yes"
    kept = os.dup(2)
    try:
        os.close(2)
        with unheard():
            pass
        with pytest.raises(OSError):
            os.fstat(2)
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_networks_are_made_for_the_first_frame_alone(tmp_path, networks, monkeypatch):
    monkeypatch.setattr("vidgan.data.faces.detect.unheard", lambda: pytest.fail("they were made"))
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(VidganError, match="None of the 2 videos can be used"):
        collect([tmp_path / "text.mp4", tmp_path / "gone.mp4"], tmp_path / "out", progress=False)


def test_what_fails_on_the_way_is_reported_and_the_rest_goes_on(videos, tmp_path, monkeypatch):
    encode, clips = video.encode, []

    def fail_at_the_second(clip, *options, **more):
        clips.append(clip)
        if len(clips) == 2:
            raise VidganError("the second clip cannot be had.")
        return encode(clip, *options, **more)

    monkeypatch.setattr(video, "encode", fail_at_the_second)
    given = [videos / "cuts.mp4", videos / "nobody.mp4", tmp_path / "gone.mp4"]
    report = collect(given, tmp_path / "out", progress=False)
    said = [record.skipped or record.note for record in report.records]
    assert sorted(said) == sorted(
        [
            f"{given[2]} could not be opened: No such file or directory",
            "no faces found",
            "the second clip cannot be had",
        ]
    )
    assert not list((tmp_path / "out").glob("*.mp4"))
    assert len(collect(given, tmp_path / "out", progress=False).clips) == 3  # it is tried again


def test_the_command(made, videos, capsys):
    out, report = made
    assert cli.main(["data", "faces", str(videos), "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith("3 clips from 6 videos: ")
    assert cli.main(["data", "faces", str(videos), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == report.as_json()
    assert cli.main(["data", "faces", str(videos), "--out", str(out), "--smallest", "nan"]) != 0
    assert "--smallest takes a number from 0 to 9999, not 'nan'" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_what_cannot_be_used_at_all_is_refused(tmp_path, networks, videos):
    def refused(*given, out="out"):
        with pytest.raises(VidganError) as told:
            collect(given, tmp_path / out, progress=False)
        return str(told.value)

    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    assert "There are no videos in" in refused(tmp_path / "empty")
    assert "none was named" in refused()
    assert "None of the 1 videos can be used" in refused(tmp_path / "pipe.mp4")
    assert "Too many levels of symbolic links" in refused(tmp_path / "loop.mp4")
    assert "File name too long" in refused(tmp_path / ("x" * 300))
    assert "could not be opened" in refused("~nobodyhere.mp4")
    shutil.copy(videos / "nobody.mp4", tmp_path / "empty" / "a.mp4")
    assert "where the videos are: name another folder" in refused(tmp_path / "empty", out="empty")


def test_clips_below_the_videos_are_no_videos(videos, tmp_path):
    shutil.copy(videos / "cuts.mp4", tmp_path / ".hidden film.mp4")
    shutil.copy(videos / "cuts.mp4", tmp_path / "film.mp4")
    for _ in range(2):
        report = collect([tmp_path], tmp_path / "faces", FaceOptions(size=32), progress=False)
        assert len(report.clips) == len(list((tmp_path / "faces").glob("*.mp4"))) == 3


def test_without_the_libraries_one_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "scenedetect", None)
    (tmp_path / "a.mp4").write_bytes(b"")
    with pytest.raises(VidganError, match=r'pip install "vidgan\[face-clips\]"'):
        collect([tmp_path], tmp_path / "out", progress=False)
