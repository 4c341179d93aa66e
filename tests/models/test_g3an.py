"""G3AN: the paper's counts, shapes and switches, and what each stream is for."""

import pytest
import torch

from vidgan import Condition, VidganError
from vidgan.models import ARCHITECTURES, build, make_config
from vidgan.models.g3an import G3Module, VideoDiscriminator
from vidgan.models.layers import FactorisedSelfAttention, plain_weights, step_spectral_norms, with_batch_spread


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 23_090_437),
        ({"attention_after": None}, 22_925_955),
        ({"convolution": "2p1d"}, 27_219_205),
        ({"convolution": "3d"}, 65_975_237),
    ],
)
def test_generator_has_the_released_parameter_count(options, count):
    with torch.device("meta"):
        assert parameters(build("g3an", spectral_norm=False, **options)) == count


def test_spectral_norm_adds_no_parameters():
    assert parameters(build("g3an", width=4)) == parameters(build("g3an", width=4, spectral_norm=False))


def test_discriminators_have_the_released_parameter_counts():
    networks = ARCHITECTURES["g3an"].discriminators(make_config("g3an"))
    assert {name: parameters(network) for name, network in networks.items()} == {
        "video": 8_347_009,
        "image": 2_764_737,
    }


@pytest.mark.parametrize("steps", [1, 2, 9])
def test_length_is_four_times_steps_plus_three(steps):
    generator = build("g3an", width=2)
    clip = generator.generate(generator.latent_space.sample(2, seed=1, steps=steps))
    assert clip.shape == (2, 3, 4 * (steps + 3), 64, 64)
    assert generator.frames_of(steps) == clip.shape[2]
    assert generator.steps_for(clip.shape[2]) == steps


def test_lengths_in_between_are_refused_by_name():
    generator = build("g3an", width=2)
    assert generator.frame_options == (16, 20, 24, 28, 32, 36, 40, 44, 48)
    with pytest.raises(VidganError, match="cannot make 17 frames; it makes 16, 20"):
        generator.steps_for(17)


@pytest.mark.parametrize(
    "options",
    [
        {"spatial_stream": False},
        {"temporal_stream": False},
        {"spatial_stream": False, "temporal_stream": False, "attention_after": None},
        {"convolution": "2p1d"},
        {"convolution": "3d"},
        *({"attention_after": level} for level in range(5)),
    ],
)
def test_every_switch_makes_clips_and_passes_gradients(options):
    generator = build("g3an", width=2, **options)
    latents = generator.latent_space.sample(2, seed=3)
    clip = generator(latents)
    assert clip.shape == (2, 3, 16, 64, 64)
    assert clip.abs().max() <= 1
    clip.square().mean().backward()
    silent = [name for name, parameter in generator.named_parameters() if parameter.grad is None]
    assert not silent


def test_contradictions_are_refused():
    for options in (
        {"classes": 3, "temporal_stream": False},
        {"convolution": "2d"},
        {"attention_after": 5},
        {"width": 0},
        {"label_in_video": "maps"},
        {"video_discriminator": "2d"},
    ):
        with pytest.raises(VidganError):
            make_config("g3an", **options)
    with pytest.raises(VidganError, match="did you mean width"):
        make_config("g3an", widht=3)


def test_label_enters_through_the_temporal_stream_alone():
    torch.manual_seed(0)
    generator = build("g3an", width=8, classes=3).eval()
    first = generator.g3[0]
    assert first.temporal[0].in_channels == 10 + 3
    assert first.spatial[0].in_channels == 128
    assert first.video[0][0].in_channels == 138
    latents = generator.latent_space.sample(1, seed=1)
    clips = [generator.generate(latents, Condition.of_label(index, generator.labels)) for index in (0, 1)]
    assert not torch.equal(*clips)


def test_without_a_label_a_conditional_generator_takes_the_even_blend():
    generator = build("g3an", width=2, classes=2)
    latents = generator.latent_space.sample(1, seed=1)
    blend = generator.generate(latents, Condition.of_label([1, 1], generator.labels))
    assert torch.equal(generator.generate(latents), blend)
    with pytest.raises(VidganError, match="takes no label"):
        build("g3an", width=2).generate(latents, Condition.of_label([1, 1], ("a", "b")))


def test_fusion_adds_motion_and_stacks_appearance_in_front():
    config = make_config("g3an", spectral_norm=False)
    module = G3Module((4, 8, 3), 5, (4, 1, 0), (4, 1, 0), config).eval()
    s, v, t = torch.randn(2, 4, 1, 1, 1), torch.randn(2, 8, 1, 1, 1), torch.randn(2, 3, 1, 1, 1)
    with torch.no_grad():
        out_s, out_v, out_t = module(s, v, t)
        alone = module.video(v)
    assert out_s.shape == (2, 5, 1, 4, 4)
    assert out_t.shape == (2, 5, 4, 1, 1)
    assert torch.equal(out_v[:, :5], out_s.expand(-1, -1, 4, -1, -1))
    assert torch.equal(out_v[:, 5:], alone + out_t)


def test_self_attention_is_that_of_the_paper():
    """Against a plain loop over positions and frames, with softmax over keys and no scaling."""
    torch.manual_seed(0)
    module = FactorisedSelfAttention(8, spectral_norm=False).double()
    with torch.no_grad():
        module.temporal.gamma.fill_(0.7)
        module.spatial.gamma.fill_(-1.3)
        for half in (module.temporal, module.spatial):
            for layer in (half.query, half.key, half.value):
                layer.weight.normal_()

    def attend(half, rows):  # [length, C]
        weights = torch.softmax(half.query(rows) @ half.key(rows).T, dim=1)
        return rows + half.gamma * weights @ half.value(rows)

    x = torch.randn(2, 8, 3, 4, 5, dtype=torch.float64)
    with torch.no_grad():
        expected = x.clone()
        for b in range(2):
            for i in range(4):
                for j in range(5):
                    expected[b, :, :, i, j] = attend(module.temporal, x[b, :, :, i, j].T).T
        for b in range(2):
            for t in range(3):
                rows = expected[b, :, t].flatten(1).T.clone()
                expected[b, :, t] = attend(module.spatial, rows).T.view(8, 4, 5)
        assert torch.allclose(module(x), expected, atol=1e-9)


def test_self_attention_starts_as_the_identity():
    x = torch.randn(1, 16, 2, 4, 4)
    assert torch.equal(FactorisedSelfAttention(16)(x), x)


def test_self_attention_keeps_half_precision():
    with torch.autocast("cpu", torch.bfloat16):
        assert FactorisedSelfAttention(16)(torch.randn(1, 16, 2, 4, 4).bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("form", ["2p1d", "3d"])
@pytest.mark.parametrize("label", ["map", "projection"])
def test_video_discriminator_sees_the_label(form, label):
    torch.manual_seed(0)
    config = make_config("g3an", width=4, classes=3, video_discriminator=form, label_in_video=label)
    discriminator = VideoDiscriminator(config)
    clip = torch.randn(2, 3, 16, 64, 64)
    logits = [discriminator(clip, Condition.of_classes(torch.tensor([i, i]), 3)) for i in range(2)]
    assert logits[0].shape == (2,)
    assert not torch.allclose(*logits)


def test_video_discriminator_refuses_other_sizes():
    with pytest.raises(VidganError, match="16 frames of 64x64"):
        VideoDiscriminator(make_config("g3an", width=2))(torch.zeros(1, 3, 20, 64, 64))


def test_plain_weights_make_the_same_clips():
    torch.manual_seed(0)
    normed = build("g3an", width=2, spectral_norm=True).eval()
    plain = build("g3an", width=2, spectral_norm=False).eval()
    plain.load_state_dict(plain_weights(normed))
    latents = normed.latent_space.sample(2, seed=5)
    assert torch.allclose(normed.generate(latents), plain.generate(latents), atol=1e-6)


def test_spectral_norms_move_once_a_step_and_not_while_sampling():
    torch.manual_seed(0)
    generator = build("g3an", width=2).train()
    step_spectral_norms(generator)
    before = {name: value.clone() for name, value in generator.named_buffers() if name.endswith("_u")}
    latents = generator.latent_space.sample(2, seed=5)
    generator(latents)
    plain_weights(generator)
    held = dict(generator.named_buffers())
    assert before and all(torch.equal(value, held[name]) for name, value in before.items())
    with torch.no_grad():
        generator.rgb.weight.add_(1)  # not normalised: nothing to move
        for module in generator.g3:
            module.spatial[0].parametrizations.weight.original.normal_()
    step_spectral_norms(generator)
    held = dict(generator.named_buffers())
    assert not all(torch.equal(value, held[name]) for name, value in before.items())


def test_a_clip_does_not_depend_on_its_batch():
    generator = build("g3an", width=4)
    latents = generator.latent_space.sample(3, seed=2)
    assert torch.equal(generator.generate(latents)[1:2], generator.generate(latents.row(1)))


def test_batch_spread_tells_how_much_a_group_differs():
    same, different = torch.ones(4, 2, 3, 3), torch.stack([torch.full((2, 3, 3), float(i)) for i in (0, 0, 2, 2)])
    x = with_batch_spread(torch.cat([same, different]))
    assert x.shape == (8, 3, 3, 3)
    assert torch.equal(x[:, :2], torch.cat([same, different]))
    assert x[:4, 2].abs().max() < 1e-3
    assert torch.allclose(x[4:, 2], torch.ones(4, 3, 3), atol=1e-3)


@pytest.mark.parametrize("form", ["2p1d", "3d"])
def test_discriminators_see_collapse_only_when_asked_to(form):
    torch.manual_seed(0)
    clip = torch.randn(4, 3, 16, 64, 64)
    for asked in (False, True):
        config = make_config("g3an", width=4, classes=2, minibatch_std=asked, video_discriminator=form,
                             label_in_video="projection", spectral_discriminators=False)  # fmt: skip
        networks = ARCHITECTURES["g3an"].discriminators(config)
        condition = Condition.of_classes(torch.zeros(4, dtype=torch.long), 2)
        company = networks["video"](clip, condition)[0], networks["image"](clip[:, :, 0])[0]
        alone = networks["video"](clip[:1], Condition(condition.label[:1]))[0], networks["image"](clip[:1, :, 0])[0]
        assert [not torch.allclose(a, b, atol=1e-6) for a, b in zip(company, alone, strict=True)] == [asked, asked]
