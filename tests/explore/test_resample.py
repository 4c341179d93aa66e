"""Some subspaces drawn anew: the others stay to the bit, and what changes is measured exactly."""

import shlex

import numpy as np
import pytest
import torch

from tests.explore.levels import Levels
from vidgan import VidganError, cli, hub, video
from vidgan.explore import resample
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.drawing import sheet
from vidgan.explore.resample import Share, clip_of, redraw, shares, variants
from vidgan.inference import Renderer
from vidgan.latents import MAX_SEED
from vidgan.models import build
from vidgan.video import to_clip

SEEDS = {"appearance": 1289, "motion": 7}


@pytest.fixture
def generator(checkpoints):
    return hub.load("g3an-expressions")


def drawn(generator, **options):
    return Bookmark.draw(generator, SEEDS, label="fear=0.3,happiness=0.7", **options)


def edited(generator):
    point = drawn(generator)
    return point.moved(generator, point.latents.add("appearance", torch.eye(128)[3], 1.5))


@pytest.mark.parametrize("name", ["appearance", "motion"])
@pytest.mark.parametrize("make", [drawn, edited, lambda generator: drawn(generator, truncation={"motion": 0.5})])
def test_the_others_are_kept_to_the_bit(generator, make, name):
    point = make(generator)
    new = redraw(point, generator, [name], 5)
    for other in generator.latent_space.names:
        assert torch.equal(new.latents[other], point.latents[other]) == (other != name)
    assert (new.label, new.truncation) == (point.label, point.truncation)
    assert new.seeds == {**point.seeds, name: 5}
    back = Bookmark.from_query(new.to_query(generator), lambda text: (text, generator))
    assert back == new and back.latents.equal(new.latents), "a link holds the variant to the bit"


def test_what_is_drawn_anew_is_what_the_seed_draws(generator):
    new = redraw(drawn(generator), generator, "motion", 5)
    assert new == Bookmark.draw(generator, SEEDS | {"motion": 5}, label="fear=0.3,happiness=0.7")
    everything = redraw(edited(generator), generator, ["motion", "appearance"], 5)
    assert everything.latents.equal(generator.latent_space.sample(1, 5))
    truncated = redraw(drawn(generator, truncation={"motion": 0.5}), generator, ["motion"], 5)
    assert torch.equal(truncated.latents["motion"], generator.latent_space.sample(1, 5)["motion"] * 0.5)


def test_a_rounded_part_does_not_slip_back_to_what_its_seed_drew(generator):
    """Where the motion was moved by hand, the appearance was rounded with it, and stays so."""
    point = drawn(generator)
    point = point.moved(generator, point.latents.add("motion", torch.ones(10)))
    new = redraw(point, generator, ["motion"], 5)
    assert torch.equal(new.latents["appearance"], point.latents["appearance"])
    assert not torch.equal(new.latents["appearance"], drawn(generator).latents["appearance"])
    assert Bookmark.from_query(new.to_query(generator), lambda text: (text, generator)) == new


def test_variants_come_from_consecutive_seeds(generator):
    point = drawn(generator)
    made = variants(point, generator, ["motion"], MAX_SEED - 1, 3)
    assert [one.seeds["motion"] for one in made] == [MAX_SEED - 1, MAX_SEED, 0]
    assert made[2] == redraw(point, generator, ["motion"], 0)


@pytest.mark.parametrize("make", [drawn, edited])
def test_the_python_lines_and_the_command_make_the_variants(generator, make, tmp_path, monkeypatch):
    point = make(generator)
    wanted = [clip_of(generator, one) for one in (point, *variants(point, generator, ["motion"], 77, 2))]
    monkeypatch.chdir(tmp_path)
    exec(resample.to_python(point, generator, ["motion"], 77, 2).replace("variants.mp4", "variants.npz"), {})
    assert np.array_equal(np.load("variants.npz")["frames"], sheet(wanted))
    words = shlex.split(resample.to_cli(point, generator, ["motion"], 77, 2).replace("variants.mp4", "variants.png"))
    assert words[0] == "vidgan" and cli.main(words[1:]) == 0
    assert np.array_equal(video.read("variants.png")[0], sheet(wanted, still=True))


def test_a_sheet_moves_or_stands_still():
    clips = [
        np.full((4, 5, 6, 3), level, np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None] for level in (9, 50)
    ]
    moving, still = sheet(clips), sheet(clips, still=True)
    assert moving.shape == (4, 5, 14, 3) and still.shape == (1, 26, 14, 3)
    assert np.array_equal(moving[2, :, :6], clips[0][2]) and np.array_equal(still[0, 14:19, 8:], clips[1][2])


# ------------------------------------------------------------------------------------------------ measured


def test_each_subspace_is_measured_as_what_it_was_made_to_change():
    """`both` adds its number x to one frame of four: the mean is x / 4, so 4 (x/4)^2 = x^2 / 4 of x^2 is appearance."""
    levels = Levels()
    point = Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, 3))
    found = shares(levels, point)
    assert list(found) == ["who", "move", "both", "idle"]
    assert found["who"].appearance == pytest.approx(1, abs=1e-12) and found["who"].motion == pytest.approx(0, abs=1e-12)
    assert found["move"].appearance == pytest.approx(0, abs=1e-12)
    assert found["both"].appearance == pytest.approx(0.25) and found["both"].motion == pytest.approx(0.75)
    assert found["idle"] == Share(0.0, 0.0, 0.0)
    for name in ("who", "move", "both"):
        assert found[name].appearance + found[name].motion == pytest.approx(1, abs=1e-12)
    assert found["who"].total > found["both"].total > 0, "in four frames, or in one of them"


def test_the_shares_are_the_definition_written_out(generator):
    point, found = drawn(generator), shares(generator, drawn(generator), draws=2, seed=1288)
    sums = {"appearance": np.zeros(2), "motion": np.zeros(2), "all": np.zeros(2)}
    first = to_clip(clip_of(generator, point)).double()
    for name in sums:
        for seed in (1288, 1290):  # 1289 is the point's own
            new = redraw(point, generator, generator.latent_space.names if name == "all" else [name], seed)
            change = to_clip(clip_of(generator, new)).double() - first
            mean = torch.zeros_like(change) + change.mean(1, keepdim=True)
            assert (change**2).sum() == pytest.approx((mean**2).sum() + ((change - mean) ** 2).sum())
            sums[name] += [float((mean**2).sum()), float(((change - mean) ** 2).sum())]
    for name, share in found.items():
        assert share.appearance == pytest.approx(sums[name][0] / sums[name].sum())
        assert share.motion == pytest.approx(sums[name][1] / sums[name].sum())
        assert share.total == pytest.approx(sums[name].sum() / sums["all"].sum())


def test_measuring_draws_each_clip_once_and_tells_how_far_it_is():
    levels, told = Levels(), []
    point = Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, 3))
    shares(levels, point, draws=2, progress=lambda done, total: told.append((done, total)))
    assert levels.drawn == 1 + 2 * 5 and told == [(done, 11) for done in range(1, 12)]
    renderer = Renderer(levels)
    shares(renderer, point, draws=2)
    levels.drawn = 0
    shares(renderer, point, draws=2)
    assert not levels.drawn, "all are remembered"


def test_measuring_can_be_stopped():
    class Stop(Exception):
        pass

    def stop(done, total):
        if done == 3:
            raise Stop

    levels = Levels()
    with pytest.raises(Stop):
        shares(levels, Bookmark.draw(levels, dict.fromkeys(levels.latent_space.names, 3)), progress=stop)
    assert levels.drawn == 3


# ------------------------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p, g: redraw(p, g, ["motoin"], 1), "no subspace 'motoin'; did you mean motion"),
        (lambda p, g: redraw(p, g, [], 1), "Name at least one subspace to draw anew; there are appearance, motion"),
        (lambda p, g: redraw(p, g, ["motion"], -1), "A seed is a whole number"),
        (lambda p, g: redraw(p, g, ["motion"], 2**64), "A seed is a whole number"),
        (lambda p, g: variants(p, g, ["motion"], 1, 0), "1 to 64 variants, not 0"),
        (lambda p, g: variants(p, g, ["motion"], 1, 65), "1 to 64 variants, not 65"),
        (lambda p, g: variants(p, g, ["motion"], 1, 1.5), "count must be a whole number"),
        (lambda p, g: shares(g, p, draws=0), "1 to 64 times, not 0"),
        (lambda p, g: shares(g, p, draws=float("nan")), "draws must be a whole number"),
        (lambda p, g: shares(g, p, seed="x"), "A seed is a whole number"),
    ],
)
def test_mistakes_are_one_sentence(generator, call, message):
    with pytest.raises(VidganError, match=message) as caught:
        call(drawn(generator), generator)
    assert "\n" not in str(caught.value)


def test_a_release_that_animates_pictures_is_refused():
    animator = build("imaginator", width=2, classes=2, frames=16)
    point = Bookmark.draw(animator, {"noise": 1})
    for call in (lambda: redraw(point, animator, ["noise"], 1), lambda: shares(animator, point)):
        with pytest.raises(VidganError, match="imaginator animates pictures"):
            call()
