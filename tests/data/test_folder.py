"""Anyone's videos: layouts, the cache, what is skipped, the split."""

import hashlib
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vidgan import video
from vidgan.data import open_source
from vidgan.data.folder import held_out_names, scan
from vidgan.errors import VidganError
from vidgan.files import cache_folder

REPOSITORY = Path(__file__).resolve().parents[2]
TEXTS = [
    {name: "no"}
    for name in (
        "every",
        "held_out",
        "stride",
        "flip",
        "classes",
        "memory",
        "workers",
        "size",
        "crop",
        "middle",
        "strips",
    )
]
GREYS = {"calm": 60, "wild": 200}


def clip(grey=100, frames=12, height=32, width=32):
    """Grey clip whose brightness rises by 2 with each frame."""
    pixels = np.full((frames, height, width, 3), grey, np.uint8)
    return pixels + 2 * np.arange(frames, dtype=np.uint8)[:, None, None, None]


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("VIDGAN_CACHE", str(folder))
    return folder


@pytest.fixture
def root(tmp_path):
    """Two classes of five clips, in as many formats."""
    for name, grey in GREYS.items():
        for index, suffix in enumerate(("mp4", "mp4", "mp4", "gif", "mp4")):
            video.save(tmp_path / name / f"clip {index}.{suffix}", clip(grey, 12 + index), scale=1)
    return tmp_path


def opened(root, **options):
    return open_source("folder", root=str(root), **{"frames": 8, "size": 16, **options})


def levels(batch):
    return (batch.clip + 1) * 127.5  # [B, 3, T, H, W]


def test_classes_lengths_and_pixels(root):
    source = opened(root, stride=1)
    assert source.labels == ("calm", "wild") and len(source) == 8
    assert source.label_counts() == {"calm": 4, "wild": 4}
    batch = source.batch(16, 0)
    assert batch.clip.shape == (16, 3, 8, 16, 16) and set(batch.label.tolist()) == {0, 1}
    assert set(batch.factors) == {"clip", "start", "stride", "flip"}
    pixels, factors = levels(batch), batch.factors
    for row in range(16):
        name = source.names[factors["clip"][row]]
        assert source.labels[batch.label[row]] == name.split("/")[0]
        grey = GREYS[name.split("/")[0]] + 2 * (factors["start"][row] + torch.arange(8))
        assert (pixels[row].mean((0, 2, 3)) - grey).abs().max() < 4  # lossy, but these frames and no others
    assert factors["start"].max() > 0 and not factors["flip"].any()
    assert sorted(source.lengths.tolist()) == sorted(12 + int(name[-5]) for name in source.names)


def test_splits_share_nothing_and_stay(root):
    train, test = opened(root), opened(root, split="test")
    assert set(train.names).isdisjoint(test.names) and len(train) + len(test) == 10
    assert test.label_counts() == {"calm": 1, "wild": 1}  # one of each class at least
    video.save(root / "calm" / "another.mp4", clip(), scale=1)
    assert set(test.names) <= set(opened(root, split="test").names)
    with pytest.raises(VidganError, match=r"test split .* is empty"):
        opened(root, split="test", held_out=0)


def test_held_out_names():
    names = [f"{index}.mp4" for index in range(1000)]
    chosen = held_out_names(names, 0.1)
    assert 70 < len(chosen) < 130 and chosen == held_out_names(names[::-1], 0.1)
    assert held_out_names([*names, "new.mp4"], 0.1) - {"new.mp4"} == chosen
    assert len(held_out_names(["a", "b"], 0.001)) == 1 and len(held_out_names(["a", "b"], 0.999)) == 1
    assert held_out_names(["a"], 0.1) <= {"a"} and held_out_names(names, 0) == set()
    assert held_out_names(["u\u0308", "x", "y"], 0.5) == {
        {"\u00fc": "u\u0308"}.get(name, name) for name in held_out_names(["\u00fc", "x", "y"], 0.5)
    }  # the same name however a disk spells it


def test_determinism_and_memory_mapping_give_the_same_batches(root):
    resident, mapped = opened(root, seed=4, rank=2), opened(root, seed=4, rank=2, memory=0)
    assert resident.resident and not mapped.resident and not hasattr(mapped, "pixels")
    torch.manual_seed(1)
    for step in (0, 5):
        a, b = resident.batch(6, step), mapped.batch(6, step)
        assert torch.equal(a.clip, b.clip) and torch.equal(a.label, b.label)
    assert not torch.equal(resident.batch(6, 0).clip, resident.batch(6, 1).clip)


def test_flips_are_asked_for_and_only_in_training(tmp_path):
    for index in range(6):
        pixels = clip(0, 10)
        pixels[:, :, 16:] = 250  # bright at the right
        video.save(tmp_path / f"{index}.mp4", pixels, scale=1)
    batch = opened(tmp_path, flip=True).batch(32, 0)
    left = levels(batch)[:, :, :, :, :6].mean((1, 2, 3, 4)) > 125
    assert torch.equal(left, batch.factors["flip"].bool()) and 0 < left.sum() < 32
    assert not opened(tmp_path, flip=True, split="test").batch(32, 0).factors["flip"].any()
    assert batch.label is None and opened(tmp_path).labels == ()


def test_strides_every_and_crop(tmp_path):
    wide = clip(100, 24, 32, 64)
    wide[:, :, :16] = 0
    for index in range(2):
        video.save(tmp_path / f"{index}.mp4", wide, scale=1)
    factors = opened(tmp_path, stride="1,3").batch(64, 0).factors
    assert set(factors["stride"].tolist()) == {1, 2, 3}
    assert opened(tmp_path).stride == (1, 4)
    halved = opened(tmp_path, every=2)
    assert halved.lengths.tolist() == [12]
    middle, whole = levels(opened(tmp_path).batch(1, 0)), levels(opened(tmp_path, crop="none").batch(1, 0))
    assert middle[..., 0].min() > 60 and whole[..., 0].max() < 40
    with pytest.raises(VidganError, match="crop"):
        opened(tmp_path, crop="middle")
    for wrong in ({"every": 0}, {"held_out": 1}, {"stride": "x"}, {"frames": 0}, {"shape": 3}, *TEXTS):
        with pytest.raises(VidganError):
            opened(tmp_path, **wrong)


def test_folders_of_frames(tmp_path):
    for name in ("run/one", "run/two", "rest/three"):
        (tmp_path / name).mkdir(parents=True)
        for index in range(12):  # 2.png comes before 10.png
            Image.fromarray(clip(100, 12)[index]).save(tmp_path / name / f"{index}.png")
    source = opened(tmp_path, stride=1, held_out=0)
    assert source.names == ("rest/three", "run/one", "run/two") and source.labels == ("rest", "run")
    assert source.lengths.tolist() == [12, 12, 12]
    batch = source.batch(4, 0)
    for row in range(4):
        grey = 100 + 2 * (batch.factors["start"][row] + torch.arange(8))
        assert (levels(batch)[row].mean((0, 2, 3)) - grey).abs().max() < 0.01  # png has no loss
    flat = opened(tmp_path / "run", held_out=0)
    assert flat.names == ("one", "two") and flat.labels == ()


def test_scan_finds_what_it_should(tmp_path):
    for name in (
        "b/x.MP4",
        "b/deep/er/y.mov",
        "a/z.webm",
        "a/.hidden.mp4",
        ".git/no.mp4",
        "a/notes.txt",
        "a/thumb.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "b" / "again").symlink_to(tmp_path)  # a circle
    found = scan(tmp_path)
    assert [(clip.name, clip.group) for clip in found] == [
        ("a/z.webm", "a"),
        ("b/deep/er/y.mov", "b"),
        ("b/x.MP4", "b"),
    ]
    assert {clip.group for clip in scan(tmp_path, classes=False)} == {None}


def test_broken_files_are_named_and_skipped(root, capsys):
    good = (root / "calm" / "clip 0.mp4").read_bytes()
    (root / "calm" / "leer.mp4").write_bytes(b"")
    (root / "calm" / "brief ö.mp4").write_text("a letter that calls itself a video")
    (root / "wild" / "cut.mp4").write_bytes(good[: len(good) // 2])
    (root / "wild" / "gone.mp4").symlink_to(root / "nowhere.mp4")
    video.save(root / "wild" / "short.mp4", clip(frames=3), scale=1)
    video.save(root / "loose.mp4", clip(), scale=1)
    source = opened(root)
    skipped = source.report.skipped
    assert set(skipped) == {
        "calm/leer.mp4",
        "calm/brief ö.mp4",
        "wild/cut.mp4",
        "wild/gone.mp4",
        "wild/short.mp4",
        "loose.mp4",
    }
    assert skipped["wild/short.mp4"] == "too short: 3 frames of 8" and "empty" in skipped["calm/leer.mp4"]
    assert skipped["loose.mp4"] == "outside the class folders"
    assert source.report.found == 16 and source.report.decoded == 12 and len(source) == 8
    told = capsys.readouterr().err.strip()
    assert "6 of 16 clips skipped" in told and "calm/leer.mp4" in told and "and 1 more" in told and "\n" not in told
    again = opened(root, rank=1)  # from the cache, the broken ones too
    assert again.report.decoded == 0 and again.report.skipped == skipped and capsys.readouterr().err == ""
    os.utime(root / "calm" / "leer.mp4", (1, 1))
    (root / "calm" / "leer.mp4").write_bytes(good)  # mended
    assert "calm/leer.mp4" not in opened(root).report.skipped


def test_only_when_nothing_is_left_it_is_an_error(tmp_path):
    with pytest.raises(VidganError, match="no folder"):
        opened(tmp_path / "missing")
    with pytest.raises(VidganError, match="no videos"):
        opened(tmp_path)
    with pytest.raises(VidganError, match="root of the data"):
        open_source("folder")
    (tmp_path / "a.mp4").write_text("no")
    with pytest.raises(VidganError, match=r"1 of 1 clips skipped: a\.mp4 .*; put videos there that can be read\.$"):
        opened(tmp_path)
    video.save(tmp_path / "b.mp4", clip(frames=2), scale=1)
    with pytest.raises(VidganError, match=r"No clip can be used: .*2 of 2 clips skipped: a\.mp4.*b\.mp4 \(too short"):
        opened(tmp_path)


def test_clips_that_are_all_too_short_are_told_once_with_what_to_change(tmp_path, capsys):
    video.save(tmp_path / "a.gif", clip(frames=5))
    with pytest.raises(VidganError) as told:
        opened(tmp_path)
    assert str(told.value) == (
        f"No clip can be used: folder {tmp_path}: 1 of 1 clips skipped: a.gif (too short: 5 frames of 8); take longer "
        "videos, a lower every or stride, or fewer frames (--model.frames in some models)."
    )
    assert capsys.readouterr().err == ""


def test_one_clip_is_enough_to_train(tmp_path):
    video.save(tmp_path / "only.mp4", clip(), scale=1)
    sources = []
    for split in ("train", "test"):
        try:
            sources.append(opened(tmp_path, split=split))
        except VidganError as error:
            assert "is empty: 1 clip" in str(error)
    assert [source.split for source in sources] == ["train"]


def test_the_cache_knows_files_and_options(root, cache):
    assert opened(root).report.decoded == 10
    kept = sorted(cache.rglob("*.u8"))
    assert len(kept) == 10 and cache_folder() in kept[0].parents and not list(cache.rglob("*.tmp"))
    assert opened(root).report.decoded == 0 and opened(root, stride=1, flip=True, split="test").report.decoded == 0
    assert opened(root, size=24).report.decoded == 10 and opened(root, crop="none").report.decoded == 10
    video.save(root / "wild" / "clip 1.mp4", clip(90, 20), scale=1)
    changed = opened(root)
    assert changed.report.decoded == 1 and 20 in changed.lengths.tolist() + opened(root, split="test").lengths.tolist()
    elsewhere = root / "cache elsewhere"
    assert opened(root, cache=str(elsewhere)).report.decoded == 10 and list(elsewhere.rglob("*.u8"))


def test_a_cache_that_cannot_be_written(root):
    (root / "occupied").write_text("x")
    with pytest.raises(VidganError, match="Could not write decoded clips"):
        opened(root, cache=str(root / "occupied"))


def test_an_interrupted_decoding_leaves_nothing_half(root, cache, monkeypatch):
    def interrupted(*args, **options):
        frames, fps = whole(*args, **options)
        yielded = [next(frames), next(frames)]

        def stops():
            yield from yielded
            raise KeyboardInterrupt

        return stops(), fps

    whole = video.stream
    monkeypatch.setattr(video, "stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        opened(root, workers=1)
    assert not list(cache.rglob("*.u8")) and not list(cache.rglob("*.tmp"))
    monkeypatch.undo()
    assert opened(root, cache=str(cache)).report.decoded == 10


def test_processes_may_race(root, cache):
    code = f"""
import sys
from vidgan.data import open_source
print("ready", flush=True)
sys.stdin.readline()
source = open_source("folder", root={str(root)!r}, frames=8, size=16, rank=1)
print(len(source), source.pixels.long().sum().item())
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": REPOSITORY}
    other = subprocess.Popen([sys.executable, "-c", code], **pipes)
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    source = opened(root)
    told = other.communicate(timeout=60)[0]
    assert told == f"8 {source.pixels.long().sum().item()}\n"
    assert opened(root).report.decoded == 0 and len(list(cache.rglob("*.u8"))) == 10 and not list(cache.rglob("*.tmp"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_on_a_gpu_the_same(tmp_path):
    for index in range(4):
        video.save(tmp_path / f"{index}.gif", clip(40 * index))
    here = opened(tmp_path).batch(8, 3)
    for memory in (0, 1):
        there = opened(tmp_path, device="cuda", memory=memory).batch(8, 3)
        assert there.clip.is_cuda and there.factors["clip"].is_cuda
        assert torch.equal(there.clip.cpu(), here.clip)


@pytest.mark.parametrize("memory", [2.0, 0.0])
def test_only_the_middle_of_each_clip_on_request(root, memory):
    """Grey rises by 2 with each frame, so that it tells which frame it is."""
    source = opened(root, middle=9, stride=1, memory=memory)
    assert source.lengths.tolist() == [9] * len(source)
    batch = source.batch(64, 0)
    assert set(batch.factors["start"].tolist()) == {0, 1}
    whole = {name: number for number, name in enumerate(opened(root).names)}
    for clip_levels, number, start, label in zip(
        levels(batch), batch.factors["clip"], batch.factors["start"], batch.label, strict=True
    ):
        length = int(opened(root).lengths[whole[source.names[number]]])
        first = GREYS[source.labels[label]] + 2 * ((length - 9) // 2 + int(start))
        assert abs(clip_levels[:, 0].mean() - first) < 2


def test_more_of_the_middle_than_there_is_is_everything(root):
    assert torch.equal(opened(root, middle=500).batch(8, 0).clip, opened(root).batch(8, 0).clip)
    with pytest.raises(VidganError, match=r"middle is 14; a clip takes 15 frames of a video"):
        opened(root, middle=14, stride=2)


@pytest.fixture
def kinds(tmp_path):
    """A clip of each kind, and how each is opened: strips are opened alone."""
    for length in (11, 12, 17, 18):
        frames = clip(60, length)
        video.save(tmp_path / "clips" / f"{length}.mp4", frames, scale=1)
        video.save(tmp_path / "clips" / f"{length}.gif", frames)
        (tmp_path / "pictures" / str(length)).mkdir(parents=True)
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(tmp_path / "pictures" / str(length) / f"{number}.png")
        (tmp_path / "strips").mkdir(exist_ok=True)
        Image.fromarray(frames.reshape(-1, 32, 3)).save(tmp_path / "strips" / f"{length}.png")
    return {
        tmp_path / "clips": {},
        tmp_path / "pictures": {"classes": False},
        tmp_path / "strips": {"strips": True},
    }


def kept_frames(source):
    """Clip name -> uint8 [T, H, W, 3], all that the cache has of it."""
    size = source.size
    return {
        name: np.fromfile(place, np.uint8).reshape(-1, size, size, 3)
        for name, place in zip(source.names, source.places, strict=True)
    }


@pytest.mark.parametrize("every", [1, 2])
def test_the_cache_holds_nothing_but_the_middle(kinds, every, cache):
    for root, options in kinds.items():
        options |= {"frames": 3, "every": every, "held_out": 0}
        whole = kept_frames(opened(root, **options))
        before = set(cache.rglob("*.u8"))
        middle = kept_frames(opened(root, **options, middle=7))
        assert middle.keys() == whole.keys() and len(set(cache.rglob("*.u8")) - before) == len(whole) >= 4
        for name, frames in whole.items():
            assert len(frames) == -(-int(Path(name).stem) // every)
            first = max(0, (len(frames) - 7) // 2)
            assert np.array_equal(middle[name], frames[first : first + 7]), name
        assert opened(root, **options, middle=7).report.decoded == 0
        assert opened(root, **options, middle=6).report.decoded == len(whole)


def test_whole_clips_stay_where_caches_have_them(kinds, cache):
    for root, options in kinds.items():
        source = opened(root, **options, held_out=0)
        for name, place in zip(source.names, source.places, strict=True):
            paths = (
                sorted((root / name).iterdir(), key=lambda path: int(path.stem))
                if (root / name).is_dir()
                else [root / name]
            )
            stamps = [(str(path.resolve()), path.stat().st_mtime_ns, path.stat().st_size) for path in paths]
            facts = [1, stamps, 16, "center", 1, *(["strip"] if "strips" in options else [])]
            key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:40]
            assert place == cache / "folder" / key[:2] / f"{key}.u8"


def test_the_middle_of_a_long_video_takes_no_memory(tmp_path, monkeypatch):
    (tmp_path / "long.mp4").write_text("as long as you like")
    frames = (np.full((64, 64, 3), number % 251, np.uint8) for number in range(2001))
    monkeypatch.setattr(video, "stream", lambda *_, **__: (frames, 24.0))
    tracemalloc.start()
    source = opened(tmp_path, size=64, middle=9, held_out=0, workers=1, memory=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [int(frame.max()) for frame in kept_frames(source)["long.mp4"]] == [n % 251 for n in range(996, 1005)]
    assert peak < 4e6  # of 24 MB


# ------------------------------------------------------------------------------------------------ lists of names


@pytest.fixture
def write(tmp_path_factory):
    """A list of these lines: its path."""

    def written(*lines, encoding="utf-8"):
        path = tmp_path_factory.mktemp("lists") / "list.txt"
        path.write_bytes("\n".join(lines).encode(encoding))
        return str(path)

    return written


def test_lists_choose_the_clips_of_each_split(root, write, cache):
    lines = (
        "# first split\r",
        "",
        "calm/clip 0.mp4 1\r",
        "calm\\clip 3.gif 1",
        "  ./wild/clip 1.mp4\t102",
        "wild/clip 4.mp4",
    )
    lists = {
        "train_list": write(*lines, encoding="utf-8-sig"),
        "test_list": write("calm/clip 2.mp4", "wild/clip 0.mp4", "wild/clip 0.mp4"),
    }
    train = opened(root, **lists)
    assert train.names == ("calm/clip 0.mp4", "calm/clip 3.gif", "wild/clip 1.mp4", "wild/clip 4.mp4")
    assert train.label_counts() == {"calm": 2, "wild": 2}
    assert (
        train.report.found == train.report.decoded == len(list(cache.rglob("*.u8"))) == 6
    )  # what is on no list, never
    test = opened(root, split="test", **lists)
    assert test.names == ("calm/clip 2.mp4", "wild/clip 0.mp4") and test.labels == train.labels
    assert test.report.decoded == 0 and not test.report.skipped
    batch = test.batch(8, 0)
    greys = torch.tensor([list(GREYS.values())[label] for label in batch.label])
    assert ((levels(batch)[:, :, 0].mean((1, 2, 3)) - greys) < 40).all()


def test_with_one_list_the_other_split_is_all_the_rest(root, write):
    some = ("calm/clip 0.mp4", "calm/clip 1.mp4")
    whole = set(opened(root).names) | set(opened(root, split="test").names)
    elsewhere = root / "cache elsewhere"
    for mine, other in (("train", "test"), ("test", "train")):
        options = {f"{mine}_list": write(*some), "cache": str(elsewhere / mine)}
        chosen = opened(root, split=mine, **options)
        assert chosen.names == some and chosen.report.decoded == 2
        rest = opened(root, split=other, **options)
        assert set(rest.names) == whole - set(some) and rest.report.decoded == 8
        assert rest.labels == chosen.labels == ("calm", "wild")
    with pytest.raises(VidganError, match=r"test split .* is empty: train_list names every clip; take some off it"):
        opened(root, split="test", train_list=write(*whole))


def test_only_listed_classes_are_labels(root, write):
    (root / "third").mkdir()
    video.save(root / "third" / "x.gif", clip())
    lists = {"train_list": write("calm/clip 0.mp4", "calm/clip 1.mp4"), "test_list": write("wild/clip 0.mp4")}
    assert opened(root, **lists).labels == opened(root, split="test", **lists).labels == ("calm", "wild")


def test_names_that_end_in_a_number_of_their_own(tmp_path, write):
    for name in ("run 1", "run 2", "u\u0308ben.gif"):
        frames = clip(60, 12)
        if name.endswith(".gif"):
            video.save(tmp_path / name, frames)
            continue
        (tmp_path / name).mkdir()
        for number, frame in enumerate(frames):
            Image.fromarray(frame).save(tmp_path / name / f"{number}.png")
    source = opened(tmp_path, classes=False, train_list=write("run 1 7", "\u00fcben.gif 7"))
    assert source.names == ("run 1", "u\u0308ben.gif")
    assert opened(tmp_path, classes=False, train_list=write("run 2")).names == ("run 2",)


def test_listed_clips_that_are_missing_or_broken_are_counted(root, write, capsys):
    (root / "wild" / "broken.mp4").write_text("no")
    (root / "wild" / "broken on no list.mp4").write_text("no")
    lists = {
        "train_list": write("calm/clip 0.mp4 1", "calm/clip 9.mp4 1", "wild/broken.mp4 2"),
        "test_list": write("wild/clip 0.mp4", "wild/none.mp4"),
    }
    report = opened(root, **lists).report
    assert report.found == 5 and set(report.skipped) == {"calm/clip 9.mp4", "wild/broken.mp4", "wild/none.mp4"}
    assert report.skipped["calm/clip 9.mp4"] == report.skipped["wild/none.mp4"] == "not in the folder"
    told = capsys.readouterr().err
    assert told.count("3 of 5 clips skipped") == 1 and "wild/none.mp4 (not in the folder)" in told
    assert opened(root, split="test", **lists).report.skipped == report.skipped and capsys.readouterr().err == ""
    opened(root, split="test", train_list=lists["train_list"])  # which no training has looked at
    assert "1 of 10 clips skipped: wild/broken on no list.mp4" in capsys.readouterr().err
    with pytest.raises(VidganError, match=r"test split .* is empty: no clip on test_list can be used"):
        opened(root, split="test", train_list=write("calm/clip 0.mp4"), test_list=write("wild/broken.mp4"))


def test_lists_that_cannot_be(root, write):
    good = write("calm/clip 0.mp4")
    needs = r"; train_list needs a text file with one path below .* a line, such as calm/clip 0\.mp4\.$"
    with pytest.raises(VidganError, match=r"Could not read the list '.*nowhere\.txt': No such file.*" + needs):
        opened(root, train_list="nowhere.txt")
    with pytest.raises(VidganError, match="Could not read the list" + ".*" + needs):
        opened(root, train_list=str(root))
    for other in (str(root / "calm" / "clip 0.mp4"), write("calm/clip 0.mp4", encoding="utf-16-le")):
        with pytest.raises(VidganError, match="is no text in UTF-8" + needs):
            opened(root, train_list=other)
    for lines in ((), ("# nothing", ""), ("clip 0.mp4", "other/clip 0.mp4")):
        with pytest.raises(VidganError, match="names no clip of the folder" + needs):
            opened(root, train_list=write(*lines))
    with pytest.raises(VidganError, match="test_list needs a text file"):
        opened(root, train_list=good, test_list=write("none"))
    with pytest.raises(VidganError, match=r"calm/clip 0\.mp4 is on train_list and on test_list \(1 such\); keep it on"):
        opened(root, train_list=good, test_list=write("wild/clip 0.mp4", "calm\\clip 0.mp4 1"))
    with pytest.raises(VidganError, match=r"held_out is 0\.2, but lists say which clips are"):
        opened(root, train_list=good, held_out=0.2)
    assert len(opened(root, train_list=good, held_out=0.1)) == 1
    with pytest.raises(VidganError, match="train_list is 5; it must be a text"):
        opened(root, train_list=5)


def test_strips_are_clips(tmp_path):
    """As Golf is kept: one JPEG a clip, its frames one below the other, in numbered folders."""
    for number in range(4):
        frames = clip(60 + 10 * number, 12)
        place = tmp_path / "golf" / "000" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(frames.reshape(-1, 32, 3)).save(place, quality=95)
    Image.new("RGB", (32, 50)).save(tmp_path / "golf" / "000" / "odd.png")
    Image.new("RGB", (32, 32)).save(tmp_path / "golf" / "000" / "one.png")
    source = opened(tmp_path, strips=True, classes=False, stride=1)
    assert source.labels == () and source.lengths.tolist() == [12] * 3
    assert source.report.skipped == {
        "golf/000/odd.png": "odd.png is no strip of square frames: 32 pixels wide and 50 high",
        "golf/000/one.png": "one.png is no strip of square frames: 32 pixels wide and 32 high",
    }
    batch = source.batch(8, 0)
    greys = torch.tensor([60 + 10 * int(Path(source.names[number]).stem) for number in batch.factors["clip"]])
    expected = greys[:, None] + 2 * (batch.factors["start"][:, None] + torch.arange(8))
    assert (levels(batch).mean((1, 3, 4)) - expected).abs().max() < 2


def test_a_folder_of_frames_and_a_strip_are_not_mixed_up(tmp_path):
    """In the cache, and by a name that ends like a picture's."""
    (tmp_path / "a.png").mkdir()
    frames = clip(60, 12)
    Image.fromarray(frames.reshape(-1, 32, 3)).save(tmp_path / "a.png" / "only.png")
    with pytest.raises(VidganError, match="too short: 1 frames of 8"):
        opened(tmp_path, classes=False)
    assert opened(tmp_path, classes=False, strips=True).lengths.tolist() == [12]
    (tmp_path / "a.png" / "only.png").unlink()
    for number, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "a.png" / f"{number}.png")
    assert opened(tmp_path, classes=False).lengths.tolist() == [12]
