"""Progressive Video GAN's losses against finite differences and numbers worked out by hand, and its runs."""

import dataclasses
import math
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from vidgan import Condition, VidganError, hub
from vidgan.data import Batch
from vidgan.explore.bookmark import Bookmark
from vidgan.explore.growth import stages
from vidgan.models.progressive import ProgressiveDiscriminator, SlicedHead
from vidgan.training.export import export
from vidgan.training.growth import Growth, Moment
from vidgan.training.log import read_log
from vidgan.training.losses import gradient_of
from vidgan.training.options import preset
from vidgan.training.phases import Micro, Networks
from vidgan.training.recipes import RECIPES
from vidgan.training.recipes.progressive import PRESETS, ProgressiveRecipe, _between
from vidgan.training.state import ema_generator, load_state
from vidgan.training.trainer import Trainer, train


class Slope(nn.Module):
    """A critic whose score is `slope` times the sum of what it sees."""

    def __init__(self, slope: float):
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(slope))

    def forward(self, clip, stage):
        return self.slope * clip.flatten(1).sum(1)


class Encoder(nn.Module):
    """Features that are a fixed linear map of the clip, so that their Jacobian is known."""

    def __init__(self, values: int, features: int):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(features, values, generator=torch.Generator().manual_seed(1)))

    def forward(self, clip, stage):
        return clip.flatten(1) @ self.matrix.T


def micro(real: float, fake: float, batch: int = 2) -> Micro:
    clips = [torch.full((batch, 3, 2, 2, 2), value) for value in (real, fake)]
    random = torch.Generator().manual_seed(0)
    return Micro(Batch(clips[0], None), None, Condition(stage=1.0), random, step=0, keep_fake=True, fake=clips[1])


def networks(**critics) -> Networks:
    return Networks({"generator": nn.Identity(), **critics})


# ------------------------------------------------------------------------------------------------ losses


def test_wgan_gp_by_hand():
    """24 values: scores are 24 * slope * value, the gradient's norm is slope * sqrt(24)."""
    losses = ProgressiveRecipe().score(networks(video=Slope(0.5)), micro(real=1.0, fake=-0.25))
    assert losses["d_video"].item() == pytest.approx(12 * -0.25 - 12)
    assert losses["gradient"].item() == pytest.approx(10 * (0.5 * math.sqrt(24) - 1) ** 2, rel=1e-5)
    assert losses["drift"].item() == pytest.approx(1e-3 * 144)
    generator = ProgressiveRecipe().generator(networks(video=Slope(0.5)), micro(real=1.0, fake=-0.25))
    assert generator["g_video"].item() == pytest.approx(3.0)


def test_the_sliced_loss_is_a_difference_of_means():
    head, encoder = SlicedHead(6), Encoder(24, 6)
    losses = ProgressiveRecipe().sliced(networks(video=encoder, head=head), micro(real=1.0, fake=-0.5))
    real, fake = (head(encoder(torch.full((1, 24), value), 1)).item() for value in (1.0, -0.5))
    assert losses["d_video"].item() == pytest.approx(fake - real, rel=1e-5)
    generator = ProgressiveRecipe().sliced_generator(networks(video=encoder, head=head), micro(1.0, -0.5))
    assert generator["g_video"].item() == pytest.approx(-fake, rel=1e-5)


def test_the_penalty_on_the_encoder_is_its_jacobians_squared_norm_on_average():
    encoder = Encoder(24, 6)
    recipe = ProgressiveRecipe(gradient=1.0)
    one = micro(1.0, -0.5)
    found = [recipe.sliced(networks(video=encoder, head=SlicedHead(6)), one)["gradient"].item() for _ in range(200)]
    expected = encoder.matrix.square().sum().item() / 6
    assert sum(found) / 200 == pytest.approx(expected, rel=0.05)


def test_the_penalty_on_the_head_pulls_its_gradient_to_k():
    """All directions on their positive side: the gradient of the mean of K orthonormal ones has norm 1 / sqrt(K)."""
    head = SlicedHead(6)
    head.offset.data.fill_(100.0)
    recipe = ProgressiveRecipe(slope=2.0, slope_target=0.1)
    losses = recipe.sliced(networks(video=Encoder(24, 6), head=head), micro(1.0, -0.5))
    assert losses["slope"].item() == pytest.approx(2 * (6**-0.5 - 0.1) ** 2, rel=1e-4)


def agree(loss, weight: torch.Tensor, place: tuple[int, ...], step: float = 1e-2) -> None:
    """The gradient that training would follow is the loss's own slope, by finite differences."""
    (exact,) = torch.autograd.grad(loss(), weight)
    around = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[place] += sign * step
        around.append(loss().item())
        with torch.no_grad():
            weight[place] -= sign * step
    found = (around[0] - around[1]) / (2 * step)
    assert abs(found) > 1e-3 and exact[place].item() == pytest.approx(found, rel=0.03)


class Bent(nn.Module):
    """Features whose Jacobian depends on the clip: matrix @ (the sum of x^2 over places and times, by channel)."""

    def __init__(self, features: int):
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(features, 3, generator=torch.Generator().manual_seed(1)))

    def forward(self, clip, stage):
        features = clip.square().flatten(2).sum(2) @ self.matrix.T
        return features if len(self.matrix) > 1 else features[:, 0]


@pytest.mark.parametrize("penalty", ["paper", "released"])
def test_the_sliced_penalties_teach_what_they_punish(penalty):
    torch.manual_seed(0)
    head, encoder = SlicedHead(6, orthonormal=penalty == "paper"), Bent(6)
    head.scale.data.uniform_(0.5, 1.5)
    recipe = ProgressiveRecipe(penalty=penalty, slope_target=0.1)

    def loss(name):
        return recipe.sliced(networks(video=encoder, head=head), micro(1.0, -0.5))[name]

    agree(lambda: loss("gradient"), encoder.matrix, (2, 1))
    agree(lambda: loss("slope"), head.scale, (3,))
    if penalty == "released":  # of the gradient of f(E(x)), which is the head's, too
        agree(lambda: loss("gradient"), head.scale, (3,))


def test_wgans_penalty_teaches_the_critic():
    critic = Bent(1)
    recipe = ProgressiveRecipe()
    agree(lambda: recipe.score(networks(video=critic), micro(1.0, -0.5))["gradient"], critic.matrix, (0, 2))
    agree(lambda: recipe.score(networks(video=critic), micro(1.0, -0.5))["drift"], critic.matrix, (0, 2))


def test_penalties_look_between_real_and_generated_clips():
    one = micro(1.0, -0.5, batch=256)
    between, share = _between(one.batch.clip, one.fake, one)
    assert torch.allclose(between, (1 - 1.5 * share).expand_as(between)) and between.requires_grad
    assert 0 <= share.min() < 0.05 and 0.95 < share.max() <= 1 and 0.4 < share.mean() < 0.6


def test_the_released_gradient_weighs_by_what_is_left_of_the_real_clip():
    """A linear encoder on the heads' positive side: f has one gradient everywhere, so that the shares remain."""
    head, encoder = SlicedHead(6, orthonormal=False), Encoder(24, 6)
    head.offset.data.fill_(1000.0)
    recipe = ProgressiveRecipe(penalty="released", gradient=2.0, mirror=False)
    found = recipe.sliced(networks(video=encoder, head=head), micro(1.0, -0.5, batch=8))["gradient"].item()
    share = torch.rand(8, 1, 1, 1, 1, generator=torch.Generator().manual_seed(0)).flatten()
    gradient = (head.directions.weight.mean(0) @ encoder.matrix).square().sum()
    assert found == pytest.approx(2 * ((1 - share).square().mean() * gradient).item(), rel=1e-4)
    assert (1 - share).square().mean() != pytest.approx(share.square().mean().item(), rel=0.1)


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    config = dataclasses.replace(PRESETS["smoke"].model, size=8)
    judge, head = ProgressiveDiscriminator(config).double(), SlicedHead(4).double()
    head.along = lambda y: F.linear(y, head.directions.weight) * head.scale + head.offset  # in double precision
    clip = torch.randn(2, 3, 8, 8, 8, dtype=torch.double, requires_grad=True)
    exact = gradient_of(head(judge(clip, 1.0)), clip).view_as(clip)
    for place in [(0, 0, 0, 0, 0), (1, 2, 5, 3, 6), (0, 1, 7, 7, 7)]:
        moved = torch.zeros_like(clip)
        moved[place] = 1e-3
        with torch.no_grad():
            ahead, behind = (head(judge(clip + sign * moved, 1.0)).sum().item() for sign in (1, -1))
        assert exact[place].item() == pytest.approx((ahead - behind) / 2e-3, rel=1e-2)
    penalty = gradient_of(head(judge(clip, 1.0)), clip).square().sum()
    weight = judge.levels[0][0].weight
    (slope,) = torch.autograd.grad(penalty, weight)
    place, step = (1, 2, 0, 1, 2), 1e-3
    found = []
    for sign in (1, -1):
        with torch.no_grad():
            weight[place] += sign * step
        found.append(gradient_of(head(judge(clip, 1.0)), clip).square().sum().item())
        with torch.no_grad():
            weight[place] -= sign * step
    assert slope[place].item() == pytest.approx((found[0] - found[1]) / (2 * step), rel=0.02)


def test_the_released_penalties_play_the_mirror_image():
    head, encoder = SlicedHead(6, orthonormal=False), Encoder(24, 6)
    one = networks(video=encoder, head=head)
    printed, released = (ProgressiveRecipe(penalty=penalty).sliced(one, micro(1.0, -0.5)) for penalty in
                         ("paper", "released"))  # fmt: skip
    assert released["d_video"].item() == pytest.approx(-printed["d_video"].item())
    along = head.along(encoder(torch.full((1, 24), 1.0), 1))
    same = ProgressiveRecipe(penalty="released").sliced(one, micro(1.0, 1.0))  # all features are alike: so is a mixture
    positive = along.clamp(min=0) + 0.2 * 0.2 * along.clamp(max=0).abs()  # the slope twice: of what leaky ReLU gave
    assert (along < 0).any() and same["slope"].item() == pytest.approx(10 * (positive - 0.01).square().mean().item())


def test_half_of_the_real_clips_are_mirrored():
    real = torch.arange(4.0).expand(64, 3, 2, 2, 4)
    one = Micro(Batch(real, None), None, Condition(stage=1.0), torch.Generator().manual_seed(0), 0, True, real)
    seen, _ = ProgressiveRecipe()._clips(networks(), one)
    turned = (seen[:, 0, 0, 0, 0] == 3).sum().item()
    assert 20 <= turned <= 44 and torch.equal(ProgressiveRecipe(mirror=False)._clips(networks(), one)[0], real)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"penalty": "papr"}, "did you mean paper"), ({"gradient": -1.0}, "negative"), ({"lr_128": -1.0}, "128 pixels")],
)
def test_impossible_recipes_are_refused(options, message):
    with pytest.raises(VidganError, match=message):
        ProgressiveRecipe(**options)


@pytest.mark.parametrize(("penalty", "teaches"), [("paper", False), ("released", True)])
def test_the_second_penalty_teaches_the_encoder_in_the_authors_code_alone(penalty, teaches):
    one = networks(video=(encoder := Encoder(24, 6)), head=SlicedHead(6, orthonormal=False))
    slope = ProgressiveRecipe(penalty=penalty).sliced(one, micro(1.0, -0.5))["slope"]
    found = torch.autograd.grad(slope, list(encoder.parameters()), allow_unused=True)
    assert any(one is not None and one.abs().sum() > 0 for one in found) == teaches


# ------------------------------------------------------------------------------------------------ runs


def small(folder, **changes):
    """The smoke preset, which grows through every level in 14 steps."""
    options = preset("progressive", "smoke", RECIPES)
    options = dataclasses.replace(options, run=folder, threads=1, sheet_every=0, log_every=1, **changes)
    return dataclasses.replace(options, model=dataclasses.replace(options.model, width=2))


def test_growth_is_seen_in_the_log_and_on_the_sheets(tmp_path):
    options = dataclasses.replace(small(tmp_path / "run"), sheet_every=4)
    train(options)
    lines = read_log(options.run)
    stages = [line["stage"] for line in lines]
    assert stages == [0, 0, 0, 0.5, 1, 1, 1, 1.5, 2, 2, 2, 2.5, 3, 3]
    assert {"d_video", "gradient", "slope", "g_video"} <= lines[-1].keys()
    assert len(list((options.run / "sheets").iterdir())) == 3
    generator = ema_generator(options.run)
    assert generator.grown is None and generator.info.step == 14
    latents = generator.latent_space.sample(1, seed=0)
    assert generator.generate(latents).shape == (1, 3, 8, 32, 32)
    own = generator.generate(latents, Condition(stage=0))
    assert own.shape == (1, 3, 4, 4, 4)


def test_what_has_not_grown_is_no_release(tmp_path, own_checkpoints, capsys):
    options = small(tmp_path / "run", steps=4)
    train(options)
    assert "grown to stage 0.5 of 3, in full after step 14: the same command goes on, with --steps 0" in (
        capsys.readouterr().out
    )
    with pytest.raises(VidganError, match=r"has grown to stage 0\.5 of 3"):
        export(options.run, "seedling", clips=4)
    assert not (own_checkpoints / "seedling").exists()
    generator = ema_generator(options.run)
    latents = generator.sample(1, 0)
    assert generator.generate(latents).shape == (1, 3, 8, 32, 32)
    assert generator.generate(latents, Condition(stage=0.5)).shape == (1, 3, 8, 8, 8)
    with pytest.raises(VidganError, match=r"grown to stage 0\.5 so far, not to 2"):
        generator.generate(latents, Condition(stage=2))
    assert [one.stage for one in stages(generator, Bookmark.draw(generator, {"z": 3}))] == [0]


@pytest.mark.parametrize(
    ("model", "recipe", "given"),
    [(128, {}, {"batch": 8}), (256, {}, {"batch": 2}), (64, {"fade": 12000}, {})],
)
def test_steps_are_those_of_the_whole_schedule_unless_given(model, recipe, given):
    options = dataclasses.replace(PRESETS["cpu-swgan" if recipe else "swgan"], **given)
    growth = dataclasses.replace(options.recipe.growth, **recipe)
    options = dataclasses.replace(
        options,
        model=dataclasses.replace(options.model, size=model),
        recipe=dataclasses.replace(options.recipe, growth=growth),
    ).check()
    for world in (1, 2):
        settled = options.settled(world)
        last = len(options.sizes) - 1
        assert settled.moment(settled.steps - 1, world).stage == last
        shown = -(-growth.stable // (options.batch * world))
        assert settled.moment(settled.steps - shown, world).stage == last
        assert settled.moment(settled.steps - shown - 1, world).stage < last
    assert dataclasses.replace(options, steps=7).settled().steps == 7


def test_networks_of_another_schedule_do_not_fit(tmp_path):
    train(small(tmp_path / "run", steps=1))
    other = small(tmp_path / "other", steps=1, init=str(tmp_path / "run"))
    for changes, message in (
        ({"schedule": "released"}, "--model.schedule is paper there and released here"),
        ({"orthonormal": False}, "--model.orthonormal is True there and False here"),
        ({"size": 64}, "--model.size is 32 there and 64 here"),
    ):
        with pytest.raises(VidganError, match=message):
            train(dataclasses.replace(other, model=dataclasses.replace(other.model, **changes)))


def test_a_run_goes_on_with_as_many_processes(tmp_path, monkeypatch):
    options = small(tmp_path / "run", steps=1)
    train(options)
    monkeypatch.setattr(Trainer, "_micros", None)
    found = load_state(options.run)
    monkeypatch.setattr("vidgan.training.trainer.load_state", lambda run: (found[0], {**found[1], "world": 4}))
    with pytest.raises(VidganError, match=r"steps of 4 process\(es\): go on with as many, not 1"):
        train(dataclasses.replace(options, steps=2))


def test_a_release_draws_every_stage(tmp_path, own_checkpoints):
    growth = Growth(stable=2, fade=2, batches=(1,))
    options = small(tmp_path / "run", batch=2)
    options = dataclasses.replace(options, steps=8, recipe=dataclasses.replace(options.recipe, growth=growth))
    train(options)
    export(options.run, "grown", clips=4)
    generator, averaged = hub.load("grown"), ema_generator(options.run)
    assert generator.grown is averaged.grown is None
    averaged.fit_stages().half().float()  # as in the release
    latents = generator.latent_space.sample(1, seed=0)
    for stage in (0, 0.5, 1, 2.25, 3):
        one, two = (network.generate(latents, Condition(stage=stage)) for network in (generator, averaged))
        assert (one - two).abs().mean() < 1e-4


def test_networks_that_have_grown_learn_on_at_the_last_level(tmp_path):
    growth = Growth(stable=2, fade=2, batches=(1,))
    options = small(tmp_path / "run", batch=2)
    train(dataclasses.replace(options, steps=8, recipe=dataclasses.replace(options.recipe, growth=growth)))
    recipe = dataclasses.replace(options.recipe, growth=dataclasses.replace(growth, first=3), lr=1e-5)
    further = dataclasses.replace(options, run=tmp_path / "further", steps=2, recipe=recipe)
    with pytest.raises(VidganError, match="name them by --init"):
        train(further)
    train(dataclasses.replace(further, init=str(tmp_path / "run")))
    assert {line["stage"] for line in read_log(tmp_path / "further")} == {3}
    before, after = (load_state(tmp_path / name)[0]["network.generator.first.weight"] for name in ("run", "further"))
    assert 0 < (after - before).abs().max() < 1e-4


def test_resumed_in_the_middle_of_a_fade_is_the_same_to_the_bit(tmp_path):
    growth = Growth(stable=8, fade=16, batches=(1,))
    for folder, stops in (("whole", [6]), ("halves", [4, 6])):
        for steps in stops:
            options = small(tmp_path / folder, steps=steps)
            train(dataclasses.replace(options, recipe=dataclasses.replace(options.recipe, growth=growth)))
    assert [line["stage"] for line in read_log(tmp_path / "halves")] == [0, 0, 0, 0.25, 0.5, 0.75]
    one, two = (load_state(tmp_path / folder)[0] for folder in ("whole", "halves"))
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []
    options = small(tmp_path / "halves", steps=8)
    with pytest.raises(VidganError, match=r"begun with other options \(recipe.growth\)"):
        train(options)


def test_optimisers_forget_and_batches_shrink_where_a_level_begins(tmp_path):
    options = small(tmp_path / "run", batch=2)
    growth = Growth(stable=4, fade=4, batches=(2, 1))
    trainer = Trainer(dataclasses.replace(options, recipe=dataclasses.replace(options.recipe, growth=growth)))
    seen = []
    for _ in range(4):
        trainer.train_step()
        optimizer = trainer.optimizers["generator"]
        seen.append({int(state["step"]) for state in optimizer.state.values()})
    trainer.close()
    assert seen == [{1}, {1}, {1, 2}, {1}]  # fresh at the fade, where new layers join one step later, and where it ends
    clips = [next(trainer._micros(moment=trainer.options.moment(step))).batch.clip.shape for step in (0, 2, 3)]
    assert clips == [(4, 3, 4, 4, 4), (2, 3, 8, 8, 8), (2, 3, 8, 8, 8)]


@pytest.mark.parametrize("name", [*PRESETS])
def test_every_preset_trains_and_leaves_its_state(name, tmp_path):
    options = preset("progressive", name, RECIPES)
    narrow = dataclasses.replace(options.model, size=32, width=2, latent=4)
    recipe = dataclasses.replace(options.recipe, growth=Growth(stable=4, fade=4, batches=(1,)))
    options = dataclasses.replace(
        options, model=narrow, recipe=recipe, data="expressions", data_options=("bank=16", "identities=8"),
        run=tmp_path / "run", batch=2, steps=5, sheet_every=0, log_every=1, threads=1,
    )  # fmt: skip
    train(options)
    tensors, facts = load_state(options.run)
    assert facts["step"] == 5 and facts["grown"] == 1
    assert any(key.startswith("network.head.") for key in tensors) == (options.model.critic == "features")
    told = {"slope"} if options.model.critic == "features" else {"drift"}
    assert told | {"d_video", "g_video", "gradient"} <= read_log(options.run)[-1].keys()


def test_the_moment_decides_the_learning_rates(tmp_path):
    trainer = Trainer(small(tmp_path / "run", batch=2))
    trainer._prepare(Moment(2, stage=1.0, rate=1.5))
    rates = {group["lr"] for optimizer in trainer.optimizers.values() for group in optimizer.param_groups}
    trainer.close()
    assert rates == {1.5 * trainer.options.recipe.lr}


def test_learning_is_faster_from_128_pixels_on():
    options = PRESETS["swgan"]
    rates = {
        options.sizes[options.model.split(moment.stage)[0]]: moment.rate
        for moment in map(options.moment, range(0, 10**6, 9999))
    }
    assert rates == {4: 1, 8: 1, 16: 1, 32: 1, 64: 1, 128: 1.5, 256: 1.5}


def test_two_processes_grow_together(root, tmp_path):
    script = f"""
import dataclasses
from pathlib import Path
from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES
from vidgan.training.trainer import train
options = preset("progressive", "smoke", RECIPES)
model = dataclasses.replace(options.model, width=2)
train(dataclasses.replace(options, model=model, run=Path({str(tmp_path / "run")!r}), steps=5, sheet_every=0,
                          batch=2, log_every=1, threads=1, device="cpu"))
"""
    (tmp_path / "grow.py").write_text(script)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*launcher, str(tmp_path / "grow.py")], capture_output=True, text=True, cwd=root)
    assert done.returncode == 0, done.stderr[-2000:]
    assert [line["stage"] for line in read_log(tmp_path / "run")] == [0, 0, 0, 0.5, 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"conditional": True}, "no-conditional"),
        ({"batch": 3, "micro_batches": 2}, "micro_batches"),
        ({"batch": 1}, "at least 2"),
    ],
)
def test_contradictions_are_refused(changes, message):
    with pytest.raises(VidganError, match=message):
        dataclasses.replace(PRESETS["smoke"], **changes).check()
