"""`vidgan resample` and `vidgan interpolate`: what they make, and what they refuse."""

import json

import numpy as np
import pytest
import torch

import vidgan
from vidgan import cli, hub, video
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.drawing import sheet
from vidgan.explore.interpolate import Walk, columns, frames
from vidgan.explore.resample import clip_of, shares, variants
from vidgan.models import ReleaseInfo, build


@pytest.fixture
def run(capsys, checkpoints, tmp_path, monkeypatch):
    """run("resample ...") in an empty folder -> (status, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(line: str | list[str]):
        status = cli.main(line.split() if isinstance(line, str) else line)
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def generator(checkpoints):
    return hub.load("g3an-expressions")


def drawn(generator, seed: int, **options) -> Bookmark:
    return Bookmark.draw(generator, dict.fromkeys(generator.latent_space.names, seed), **options)


def still(path: str) -> np.ndarray:
    return video.read(path)[0]


# ---------------------------------------------------------------------------------------------- resample


def test_a_sheet_shows_the_original_and_its_variants(run, generator):
    line = (
        "resample g3an-expressions --seed 7 --label fear --redraw motion -n 2 --truncation appearance=0.7 --out a.png"
    )
    assert run(line) == (0, "a.png\n", "")
    point = drawn(generator, 7, label="fear", truncation={"appearance": 0.7})
    wanted = [clip_of(generator, one) for one in (point, *variants(point, generator, ["motion"], 8, 2))]
    assert np.array_equal(still("a.png"), sheet(wanted, still=True))
    assert run(line.replace("--redraw motion", "--keep appearance").replace("a.png", "b.png"))[0] == 0
    assert np.array_equal(still("b.png"), still("a.png"))
    assert run(line.replace("a.png", "moving.webp"))[0] == 0
    assert video.read("moving.webp")[0].shape == (16, 64, 3 * 66 - 2, 3)


def test_variants_of_a_link_begin_after_its_own_seeds(run):
    link = "release=g3an-expressions&seed.appearance=9&seed.motion=1&label=fear"
    status, out, _ = run(f"resample g3an-expressions --latents {link} --redraw motion -n 2 --out a.webp --json")
    told = json.loads(out)
    assert status == 0 and told["original"] not in told["variants"]
    assert ["seed.motion=2" in told["variants"][0], "seed.motion=3" in told["variants"][1]] == [True, True]


def test_resampling_tells_programs_everything(run, generator):
    status, out, err = run("resample g3an-expressions --redraw motion -n 2 --new-seed 40 --out a.webp --json --shares")
    told = json.loads(out)
    assert (status, err) == (0, "") and (told["file"], told["redrawn"]) == ("a.webp", ["motion"])
    point = drawn(generator, 0)
    assert told["original"] == point.to_query(generator)
    made = variants(point, generator, ["motion"], 40, 2)
    assert told["variants"] == [one.to_query(generator) for one in made]
    assert told["shares"] == {name: vars(share) for name, share in shares(generator, point).items()}


def test_the_measured_shares_are_a_table_for_people(run):
    status, out, _ = run("resample g3an-weizmann --redraw motion -n 1 --out a.webp --shares")
    lines = out.splitlines()
    assert status == 0 and lines[0] == "a.webp" and [line.split()[0] for line in lines[2:]] == ["appearance", "motion"]
    for line in lines[2:]:
        appearance, motion = (float(part.rstrip("%")) for part in line.split()[1:3])
        assert appearance + motion == pytest.approx(100, abs=0.11)


def test_the_original_may_be_a_link_or_a_file(run, generator):
    point = drawn(generator, 5, label="anger")
    point = point.moved(generator, point.latents.add("motion", torch.ones(10)))
    link = point.to_query(generator)
    base = ["resample", "g3an-expressions", "--redraw", "appearance", "-n", "1", "--out", "a.png", "--latents"]
    with open("point.json", "w") as file:
        file.write(point.latents.to_json())
    told = ["--label", "anger"]
    for given, seed in (
        ([link], 6),  # the one after the link's own
        (["https://host/?" + link], 6),
        ([point.latents.pack(), *told], 1),
        (["point.json", *told], 1),
    ):
        wanted = [clip_of(generator, one) for one in (point, *variants(point, generator, ["appearance"], seed, 1))]
        assert run([*base, *given]) == (0, "a.png\n", "")
        assert np.array_equal(still("a.png"), sheet(wanted, still=True))


# ---------------------------------------------------------------------------------------------- interpolate


def test_columns_are_the_papers_figure(run, generator):
    line = "interpolate g3an-expressions --from 1 --to 2 --label happiness --columns 3 --out a.png"
    assert run(line) == (0, "a.png\n", "")
    ends = [drawn(generator, seed, label="happiness") for seed in (1, 2)]
    assert np.array_equal(still("a.png"), sheet(columns(generator, Walk(ends), 3), still=True))
    assert run(line.replace("a.png", "a.webp") + " --method lerp")[0] == 0
    assert video.read("a.webp")[0].shape == (16, 64, 3 * 66 - 2, 3)


def test_a_video_passes_all_keyframes(run, generator):
    line = "interpolate g3an-expressions --from 1 --via 2 --to 3 --from-label fear --to-label anger --length 0.4"
    status, out, err = run(line + " --what latents --easing linear --method motion=lerp --frames 20 --json --out a.npz")
    told = json.loads(out)
    assert (status, err) == (0, "") and (told["file"], told["frames"], told["fps"]) == ("a.npz", 5, 12)
    labels = ("fear", "anger=0.5,fear=0.5", "anger")
    points = [drawn(generator, seed, label=label, frames=20) for seed, label in zip((1, 2, 3), labels, strict=True)]
    walk = Walk(points, "latents", {"motion": "lerp"}, "linear")
    assert told["walk"] == walk.to_query(generator) and told["keyframes"] == [p.to_query(generator) for p in points]
    assert np.array_equal(np.load("a.npz")["frames"], frames(generator, walk, 0.4))


def test_one_seed_and_two_labels_walk_between_classes(run, generator):
    line = (
        "interpolate g3an-expressions --from 9 --from-label fear --to-label anger --columns 2 --loop --out a.png --json"
    )
    status, out, _ = run(line)
    walk = Walk([drawn(generator, 9, label=label) for label in ("fear", "anger")], loop=True)
    assert status == 0 and Walk.from_query(json.loads(out)["walk"], lambda name: (name, generator)) == walk
    assert json.loads(out)["columns"] == [point.to_query(generator) for point in walk.points]


def test_a_walk_from_a_link_is_that_walk(run, generator):
    walk = Walk([drawn(generator, seed, label="fear") for seed in (1, 2, 3)], "motion", easing="linear")
    wanted = frames(generator, walk, 0.3)
    text = walk.to_query(generator)
    page = "https://host/?tab=interpolate&release=x#walk=" + text.replace("%", "%25").replace("&", "%26")
    for given in (text, page):
        words = ["interpolate", "g3an-expressions", "--walk", given, "--length", "0.3", "--out", "a.npz"]
        assert run(words) == (0, "a.npz\n", "")
        assert np.array_equal(np.load("a.npz")["frames"], wanted)


def test_a_path_names_a_release_as_well(run, checkpoints):
    text = "release=g3an-weizmann&point=seed.appearance=1&point=seed.appearance=2"
    words = ["interpolate", str(checkpoints / "g3an-weizmann"), "--walk", text, "--columns", "2", "--out", "a.webp"]
    assert run(words)[0] == 0


def test_mvt_gan_is_walked_as_any_other(own_checkpoints, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    labels = ("walk", "run")
    small = build("mvtgan", classes=2, size=64, width=2, hidden=8, embedding=4)
    hub.save_release(own_checkpoints / "mvt", small, ReleaseInfo("mvt", "mvtgan", labels=labels), card="# mvt\n")
    monkeypatch.chdir(tmp_path)
    generator = vidgan.load("mvt")
    line = "resample mvt --redraw z_b,z_c --frames 8 -n 1 --label run --out a.png --json"
    assert cli.main(line.split()) == 0
    told = json.loads(capsys.readouterr().out)
    points = [
        Bookmark.from_query(link, lambda name: (name, generator)) for link in (told["original"], *told["variants"])
    ]
    assert points[0].seeds == {"z_a": 0, "z_b": 0, "z_c": 0} and points[1].seeds == {"z_a": 0, "z_b": 1, "z_c": 1}
    assert np.array_equal(still("a.png"), sheet([clip_of(generator, one) for one in points], still=True))
    assert len(clip_of(generator, points[1])) == 8
    line = "interpolate mvt --from 1 --to 2 --what motion --method z_b=lerp --columns 3 --out a.png --json"
    assert cli.main(line.split()) == 0
    told = json.loads(capsys.readouterr().out)
    ends = [Bookmark.from_query(link, lambda name: (name, generator)) for link in told["keyframes"]]
    assert [point.seeds["z_a"] for point in ends] == [1, 2]
    halfway = ends[0].latents.lerp(ends[1].latents, 0.5, ["z_b"])
    points = [
        ends[0].moved(generator, ends[0].latents.replace(z_b=point["z_b"]))
        for point in (ends[0].latents, halfway, ends[1].latents)
    ]
    seen, expected = still("a.png"), sheet([clip_of(generator, one) for one in points], still=True)
    apart = np.abs(seen.astype(int) - expected)
    assert apart[..., :66, :].max() == 0 and apart.max() <= 1  # links hold other points in half precision


def test_subspaces_go_by_their_role_too(own_checkpoints, tmp_path, monkeypatch, capsys):
    torch.manual_seed(0)
    small = build("mvtgan", size=64, width=2, hidden=8)
    hub.save_release(own_checkpoints / "mvt", small, ReleaseInfo("mvt", "mvtgan"), card="# mvt\n")
    monkeypatch.chdir(tmp_path)
    who = ["z_a", "z_c"]
    for asked, redrawn in (("--redraw appearance", who), ("--keep motion", who), ("--redraw motion", ["z_b"])):
        line = f"resample mvt {asked} --truncation appearance=0.5,z_c=0.7 -n 1 --out a.png --json"
        assert cli.main(line.split()) == 0
        told = json.loads(capsys.readouterr().out)
        assert told["redrawn"] == redrawn
        assert "truncation.z_a=0.5" in told["original"] and "truncation.z_c=0.7" in told["original"]
        assert "truncation.z_b" not in told["original"]


# ---------------------------------------------------------------------------------------------- mistakes

WALK = "interpolate g3an-expressions --out a.webp"
MISTAKES = {
    "resample g3an-expressions --out a.webp": "--redraw --keep is required",
    "resample g3an-expressions --redraw motion --keep motion --out a.webp": "not allowed with",
    "resample g3an-expressions --redraw motoin --out a.webp": "no subspace 'motoin'; did you mean motion?",
    "resample g3an-expressions --keep who --out a.webp": "no subspace 'who'; there are appearance, motion.",
    "resample g3an-expressions --keep motion,appearance --out a.webp": "Name at least one subspace to draw anew",
    "resample g3an-expressions --redraw , --out a.webp": "Name at least one subspace to draw anew",
    "resample g3an-expressions --redraw motion -n 0 --out a.webp": "-n takes a whole number from 1 to 64",
    "resample g3an-expressions --redraw motion --out a.npz": "no format for several clips 'npz'",
    "resample g3an-expressions --redraw motion --seed 0 --latents AAAA --out a.webp": "--seed and --latents contradict",
    "resample g3an-expressions --redraw motion --latents AAAA --out a.webp": "'AAAA' is no seed, and no point either",
    "resample g3an-expressions --redraw motion --new-seed -1 --out a.webp": "A seed is a whole number|expected one",
    "resample g3an-expressions --redraw motion --truncation 3 --out a.webp": "Truncation goes from 0 to 2, not 3",
    "resample g3an-expressions --redraw motion --truncation motoin=1 --out a.webp": "no subspace 'motoin'",
    "resample g3an-expressions --redraw motion --label hapiness --out a.webp": "did you mean happiness",
    "resample g3an-expresions --redraw motion --out a.webp": "no release 'g3an-expresions'; did you mean",
    f"{WALK}": "Say where the walk begins",
    f"{WALK} --from 1": "Say where the walk ends",
    f"{WALK} --from 1 --to 1.5": "'1.5' is no seed, and no point either",
    f"{WALK} --from 1 --to none.json": "no file 'none.json'",
    f"{WALK} --from 1 --to 18446744073709551616": "A seed is a whole number",
    f"{WALK} --from 1 --to 2 --what moton": "no kind of walk 'moton'; did you mean motion",
    f"{WALK} --from 1 --to 2 --method sler": "no way to interpolate 'sler'; did you mean slerp",
    f"{WALK} --from 1 --to 2 --method motoin=lerp": "no subspace 'motoin'; did you mean motion",
    f"{WALK} --from 1 --to 2 --method motion=": "no way to interpolate ''; there are lerp, slerp.",
    f"{WALK} --from 1 --to 2 --easing slow": "no easing 'slow'",
    f"{WALK} --from 1 --to 2 --columns 1": "--columns takes a whole number from 2 to 64, not '1'",
    f"{WALK} --from 1 --to 2 --columns 0": "--columns takes a whole number from 2 to 64, not '0'",
    f"{WALK} --from 1 --to 2 --columns 3 --length 3": "--length and --columns contradict",
    f"{WALK} --from 1 --to 2 --length 0": "2 to 3600 frames, 12 a second, so it cannot take 0.0 seconds",
    f"{WALK} --from 1 --to 2 --length nan": "cannot take nan seconds",
    f"{WALK} --from 1 --to 2 --length long": "--length takes a number of seconds, not 'long'",
    f"{WALK} --from 1 --to 2 {'--via 3 ' * 15}": "2 to 16 keyframes, not 17",
    f"{WALK} --from 1 --to seed.motion=3&frames=24": "Keyframe 2 has 3 motion steps and keyframe 1 has 1",
    f"{WALK} --from 1 --frames 24 --to seed.motion=3": "seed.motion=3 is a clip of 16 frames, not of 24",
    f"{WALK} --from 1 --to release=g3an-weizmann&seed.motion=3": "That link is of g3an-weizmann, not of g3an-expr",
    f"{WALK} --walk release=g3an-weizmann&point=&point=": "That link is of g3an-weizmann, not of g3an-expressions",
    f"{WALK} --walk point=seed.motion=1": "2 to 16 keyframes, not 1",
    f"{WALK} --walk= ": "2 to 16 keyframes, not 0",
    f"{WALK} --walk point=&point= --loop": "--loop and --walk contradict",
    f"{WALK} --walk point=&point= --from 0": "--from and --walk contradict",
    f"{WALK} --from 1 --to 2 --label fear=-1,anger=3": "not negative",
    f"{WALK} --from 1 --to 2 --to-label fear=nan": "finite",
    f"{WALK} --from 1 --to 2 --from-label fear=0": "not all zero",
    "interpolate g3an-weizmann --from 1 --to-label run --out a.webp": "has no labels",
    "interpolate g3an-weizmann --from 1 --to 2 --what label --out a.webp": "no labels to walk between",
    "interpolate g3an-expressions --from 1 --to 2 --out a.avi": "no format 'avi'",
    "interpolate g3an-expressions --from 1 --to 2 --columns 2 --out a.npz": "no format for several clips 'npz'",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_mistakes_are_one_sentence(run, line, tmp_path):
    status, out, err = run(line)
    assert (status, out) == (2, "") and err.startswith("vidgan: ") and err.count("\n") == 1, err
    assert any(part in err for part in MISTAKES[line].split("|")), err
    assert not list(tmp_path.glob("a.*"))


def test_a_release_that_animates_pictures_is_refused(run, tmp_path):
    info = ReleaseInfo("mover", "imaginator", labels=("a", "b"))
    folder = hub.save_release(tmp_path / "mover", build("imaginator", width=2, classes=2, frames=16), info, card="#\n")
    for line in (f"resample {folder} --redraw noise", f"interpolate {folder} --from 1 --to 2"):
        status, _, err = run(f"{line} --out a.webp")
        assert status == 2 and "mover animates pictures" in err


@pytest.mark.parametrize("line", ["resample", "interpolate"])
def test_help_reads_well(capsys, line):
    with pytest.raises(SystemExit):
        cli.main([line, "--help"])
    out = capsys.readouterr().out
    assert out.startswith(f"usage: vidgan {line}") and "None" not in out and "==SUPPRESS==" not in out
