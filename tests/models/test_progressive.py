"""Progressive Video GAN's networks against Tables A.1 and A.2, Figure 4.2 and Equations 4.1 and 5.2."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vidgan import Condition, VidganError
from vidgan.models import build, make_config
from vidgan.models.progressive import (
    Equalised,
    Level,
    Progressive,
    ProgressiveDiscriminator,
    SlicedHead,
    enlarge,
    fade_clip,
    pixel_norm,
)

SMALL = {"width": 4, "latent": 8}


def count(parameters) -> int:
    return sum(parameter.numel() for parameter in parameters)


@pytest.mark.parametrize(
    ("size", "generator", "discriminator"),
    [
        (32, 3_593_283, 3_596_993),
        (64, 3_676_195, 3_679_905),
        (128, 3_696_915, 3_700_625),
        (256, 3_702_091, 3_705_801),
    ],
)
def test_networks_have_the_papers_parameter_counts(size, generator, discriminator):
    config = make_config("progressive", size=size, critic="score")
    last = len(config.levels) - 1
    assert count(Progressive(config).drawing(last)) == generator
    assert count(ProgressiveDiscriminator(config).judging(last)) == discriminator


def test_a_level_of_a_large_network_counts_as_much_as_the_last_of_a_small_one():
    large = make_config("progressive", size=256, critic="score")
    assert count(Progressive(large).drawing(3)) == 3_593_283
    assert count(ProgressiveDiscriminator(large).judging(3)) == 3_596_993


def test_the_head_has_the_released_count():
    assert count(SlicedHead(128).parameters()) == 16_640


@pytest.mark.parametrize(
    ("schedule", "levels"),
    [
        ("paper", [(4, 4), (8, 8), (8, 16), (8, 32), (16, 64), (16, 128), (32, 256)]),
        ("released", [(4, 4), (8, 8), (8, 16), (16, 32), (16, 64), (32, 128), (32, 256)]),
        (
            "separate",
            [(4, 4), (4, 8), (8, 8), (8, 16), (8, 32), (8, 64), (16, 64), (16, 128), (16, 256), (32, 256)],
        ),
    ],
)
def test_frames_and_pixels_of_each_level(schedule, levels):
    config = make_config("progressive", size=256, schedule=schedule)
    assert config.levels == levels and (config.frames, config.size) == (32, 256)


@pytest.mark.parametrize("schedule", ["paper", "released", "separate"])
def test_every_stage_draws_and_is_judged_at_its_own_size(schedule):
    generator = build("progressive", size=64, schedule=schedule, **SMALL)
    config = generator.config
    judge = ProgressiveDiscriminator(config)
    latents = generator.latent_space.sample(2, seed=0)
    for level, (frames, size) in enumerate(config.levels):
        for stage in (level, level - 0.6):
            if stage < 0:
                continue
            clip = generator(latents, Condition(stage=stage))
            assert clip.shape == (2, 3, frames, size, size)
            assert fade_clip(torch.zeros(2, 3, config.frames, 64, 64), config, stage).shape == clip.shape
            assert judge(clip, stage).shape == (2, 4)


@pytest.mark.parametrize("schedule", ["paper", "separate"])
def test_a_fade_begins_as_the_level_before_and_ends_as_the_next(schedule):
    generator = build("progressive", size=32, schedule=schedule, **SMALL)
    z = generator.latent_space.sample(2, seed=0)["z"]
    for level in range(1, generator.last_stage + 1):
        factors = generator.config.factors(level)
        before, after = generator.draw(z, level - 1), generator.draw(z, level)
        assert torch.equal(generator.draw(z, level, 0.0), enlarge(before, factors))
        assert torch.equal(generator.draw(z, level, 1.0), after)
        assert torch.allclose(generator.draw(z, level, 0.25), 0.75 * enlarge(before, factors) + 0.25 * after, atol=1e-6)


def test_the_discriminator_fades_alike():
    config = make_config("progressive", size=16, **SMALL)
    judge = ProgressiveDiscriminator(config)
    clip = torch.randn(4, 3, 8, 16, 16)
    smaller = F.avg_pool3d(clip, config.factors(2))
    assert torch.allclose(judge(clip, 1 + 1e-9), judge(smaller, 1), atol=1e-5)  # a fade that has hardly begun
    assert torch.allclose(judge(clip, 2 - 1e-9), judge(clip, 2), atol=1e-5)
    assert not torch.allclose(judge(clip, 1.5), judge(clip, 2), atol=1e-3)


def test_real_clips_fade_as_generated_ones_do():
    config = make_config("progressive", size=16, **SMALL)
    clip = torch.randn(1, 3, 8, 16, 16)
    assert torch.equal(fade_clip(clip, config, 2), clip)
    half = fade_clip(clip, config, 1)
    assert torch.allclose(half[0, 0, 3, 2, 1], clip[0, 0, 3, 4:6, 2:4].mean())
    faded = fade_clip(clip, config, 1.25)
    assert torch.allclose(faded[0, 1, 2, 4, 7], 0.25 * clip[0, 1, 2, 4, 7] + 0.75 * half[0, 1, 2, 2, 3], atol=1e-6)


def test_features_have_unit_mean_square_at_each_place():
    x = 5 * torch.randn(2, 6, 3, 4, 4)
    assert torch.allclose(pixel_norm(x).square().mean(1), torch.ones(2, 3, 4, 4), atol=1e-4)
    latents = build("progressive", size=4, **SMALL)
    z = latents.latent_space.sample(2, seed=0)["z"]
    assert torch.allclose(latents.draw(z, 0), latents.draw(3 * z, 0), atol=1e-5)  # only the direction of z counts


def test_equalised_layers_keep_the_variance_of_what_goes_in():
    torch.manual_seed(0)
    layer = Equalised(64, 64, 3, gain=1.0)
    out = layer(torch.randn(2, 64, 6, 12, 12))[:, :, 1:-1, 1:-1, 1:-1]
    assert layer.weight.std().item() == pytest.approx(1, abs=0.01) and out.std().item() == pytest.approx(1, abs=0.1)


def test_the_directions_of_the_head_stay_orthonormal_while_they_learn():
    torch.manual_seed(0)
    head = SlicedHead(16)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.05)
    before = head.directions.weight.detach().clone()
    for _ in range(20):
        optimizer.zero_grad()
        head(torch.randn(32, 16)).square().mean().backward()
        optimizer.step()
    after = head.directions.weight
    assert (after - before).abs().max() > 0.05
    assert torch.allclose(after @ after.T, torch.eye(16), atol=1e-5)
    y = torch.randn(3, 16)
    by_hand = F.leaky_relu((y @ after.T) * head.scale + head.offset, 0.2).mean(1)
    assert torch.allclose(head(y), by_hand, atol=1e-6)
    free = SlicedHead(16, orthonormal=False).directions.weight
    assert not torch.allclose(free @ free.T, torch.eye(16), atol=0.1)


def test_the_head_is_lipschitz_as_it_learns():
    """||f(a) - f(b)|| <= max|lambda| ||a - b|| / sqrt(K), as the directions are orthonormal and f is their mean."""
    torch.manual_seed(0)
    head = SlicedHead(32)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.03)
    for steps in (0, 30):
        for _ in range(steps):
            optimiser.zero_grad()
            real, fake = torch.randn(2, 64, 32)
            (head(fake) - head(real + 0.5)).mean().backward()
            optimiser.step()
        a, b = torch.randn(2, 200, 32)
        most = head.scale.abs().max().item() / 32**0.5
        assert ((head(a) - head(b)).abs() <= most * (a - b).norm(dim=1) + 1e-6).all()
    assert most > 1.1 / 32**0.5  # it has learnt
    near = torch.randn(200, 32, requires_grad=True)
    (slope,) = torch.autograd.grad(head(near).sum(), near)
    assert 0.3 * most < slope.norm(dim=1).max() <= most + 1e-6  # and the bound is no empty one


def test_levels_hand_on_features_of_unit_mean_square():
    torch.manual_seed(0)
    made = Level(4, 6)(torch.randn(2, 4, 4, 8, 8))
    assert made.shape == (2, 6, 4, 8, 8) and torch.allclose(made.square().mean(1), torch.ones(()), atol=1e-4)
    generator = build("progressive", size=8, **SMALL)
    for x in generator.maps(torch.randn(2, generator.config.latent), 1):
        assert torch.allclose(x.square().mean(1), torch.ones(()), atol=1e-4)


def test_the_discriminator_sees_how_much_a_batch_differs():
    torch.manual_seed(0)
    judge = ProgressiveDiscriminator(make_config("progressive", size=8, **SMALL))
    one, other = torch.randn(2, 1, 3, 8, 8, 8)
    alike, mixed = (judge(torch.cat([one, neighbour]), 1.0)[0] for neighbour in (one, other))
    assert (alike - mixed).abs().max() > 1e-3
    with torch.no_grad():
        judge.last.weight[:, -1] = 0  # of the channel that says so
    alike, mixed = (judge(torch.cat([one, neighbour]), 1.0)[0] for neighbour in (one, other))
    assert torch.allclose(alike, mixed, atol=1e-5)


def test_computing_again_on_the_way_back_changes_nothing():
    torch.manual_seed(0)
    kept, again = (build("progressive", size=16, recompute=recompute, **SMALL) for recompute in (0, 8))
    again.load_state_dict(kept.state_dict())
    judges = [ProgressiveDiscriminator(network.config) for network in (kept, again)]
    judges[1].load_state_dict(judges[0].state_dict())
    latents = kept.latent_space.sample(2, seed=0)
    for network, judge in zip((kept, again), judges, strict=True):
        clip = network(latents)
        (gradient,) = torch.autograd.grad(judge(clip, 2).sum(), clip, create_graph=True)
        gradient.square().sum().backward()
    for one, two in zip(kept.parameters(), again.parameters(), strict=True):
        assert (one.grad is None) == (two.grad is None)
        assert one.grad is None or torch.allclose(one.grad, two.grad, atol=1e-6)


def test_a_generator_still_growing_shows_its_stage_enlarged():
    generator = build("progressive", size=16, **SMALL)
    latents = generator.latent_space.sample(1, seed=0)
    generator.grown = 1.5
    shown, own = generator.generate(latents), generator.generate(latents, Condition(stage=1.5))
    assert shown.shape == own.shape == (1, 3, 8, 16, 16) and torch.equal(shown, own)
    generator.grown = 0.0
    own = generator.generate(latents, Condition(stage=0))
    assert torch.equal(generator.generate(latents), enlarge(own, (2, 4, 4)))


def test_clips_lie_between_black_and_white():
    generator = build("progressive", size=8, **SMALL)
    generator.rgb[-1].bias.data.fill_(3.0)
    assert generator.generate(generator.latent_space.sample(1, seed=0)).max() == 1


@pytest.mark.parametrize("stage", [-0.1, 2.01, float("nan"), "2", True])
def test_stages_that_do_not_exist_are_refused(stage):
    generator = build("progressive", size=16, **SMALL)
    with pytest.raises(VidganError, match="stages go from 0 to 2"):
        generator.generate(generator.latent_space.sample(1, seed=0), Condition(stage=stage))


@pytest.mark.parametrize("stage", [1, np.float32(1), np.int64(1)])
def test_any_real_number_is_a_stage(stage):
    generator = build("progressive", size=16, **SMALL)
    clip = generator.generate(generator.latent_space.sample(1, seed=0), Condition(stage=stage))
    assert clip.shape == (1, 3, 8, 8, 8)


def test_other_kinds_of_number_are_told_to_be_plain():
    generator = build("progressive", size=16, **SMALL)
    with pytest.raises(VidganError, match="a plain number is wanted, and this is of type Tensor"):
        generator.generate(generator.latent_space.sample(1, seed=0), Condition(stage=torch.tensor(1.0)))


def test_generators_that_do_not_grow_take_no_stage():
    other = build("g3an", width=2, attention_after=None)
    with pytest.raises(VidganError, match="no stages"):
        other.generate(other.latent_space.sample(1, seed=0), Condition(stage=1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 48}, "not 48"),
        ({"schedule": "papr"}, "did you mean paper"),
        ({"critic": "scor"}, "did you mean score"),
        ({"classes": 6}, "takes no label"),
        ({"width": 0}, "at least 1"),
    ],
)
def test_contradictions_are_refused(options, message):
    with pytest.raises(VidganError, match=message):
        make_config("progressive", **options)


# ------------------------------------------------------------------------------------------------ earlier stages


def test_earlier_stages_are_fitted_to_the_last_one():
    torch.manual_seed(0)
    generator = build("progressive", size=32, **SMALL).eval()
    for convolution in generator.rgb[:-1]:
        torch.nn.init.normal_(convolution.weight, std=5.0)  # as if left behind
    latents, fresh = generator.sample(32, 0), generator.sample(16, seed=9)
    whole = generator.draw(fresh["z"], generator.last_stage)

    def apart(level: int) -> float:
        clip = generator.draw(fresh["z"], level)
        factors = [most // here for most, here in zip(whole.shape[2:], clip.shape[2:], strict=True)]
        return (clip - F.avg_pool3d(whole, factors)).square().mean().item()

    before = [apart(level) for level in range(generator.last_stage)]
    last = generator.draw(latents["z"], generator.last_stage)
    assert generator.fit_stages(points=32, batch=5) is generator
    assert torch.equal(generator.draw(latents["z"], generator.last_stage), last)
    for level in range(generator.last_stage):
        assert apart(level) < 0.1 * before[level]
        (x,) = [x for reached, x in enumerate(generator.maps(latents["z"], level)) if reached == level]
        clip = generator.rgb[level](x)
        factors = [most // here for most, here in zip(last.shape[2:], clip.shape[2:], strict=True)]
        left = (clip - F.avg_pool3d(last, factors)).movedim(1, -1).flatten(0, -2)
        assert left.mean(0).abs().max() < 1e-3  # nothing is left that a bias, or a feature, could take away
        assert (x.movedim(1, -1).flatten(0, -2).T @ left / len(left)).abs().max() < 1e-3
    again = build("progressive", size=32, **SMALL)
    again.load_state_dict(generator.state_dict())
    again.fit_stages(points=32, batch=16)
    assert all(
        torch.allclose(one, other, atol=1e-4)
        for one, other in zip(again.parameters(), generator.parameters(), strict=True)
    )


def test_a_stage_between_two_is_still_a_mixture_of_both():
    generator = build("progressive", size=16, **SMALL).eval().fit_stages(points=4)
    z = generator.sample(1, 0)["z"]
    lower, higher = generator.draw(z, 1), generator.draw(z, 2)
    mixed = generator.draw(z, 2, 0.25)
    assert torch.allclose(mixed, torch.lerp(enlarge(lower, generator.config.factors(2)), higher, 0.25), atol=1e-6)
