"""The baselines' networks: VGAN, TGAN and MoCoGAN, against the counts and shapes of their released code."""

import pytest
import torch
import torch.nn.functional as F

from vidgan import Condition, VidganError
from vidgan.models import ARCHITECTURES, build, make_config
from vidgan.models.tgan import ScaledNorm, clip_singular_values


def count(module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def judges(architecture: str, **options) -> dict:
    return ARCHITECTURES[architecture].discriminators(make_config(architecture, **options))


@pytest.mark.parametrize(
    ("architecture", "options", "generator", "discriminators"),
    [
        ("vgan", {"frames": 32}, 16_245_383, {"video": 11_057_858}),
        ("vgan", {}, 15_426_183, {"video": 11_041_474}),
        ("tgan", {}, 4_448_135, {"video": 11_032_385}),
        ("mocogan", {"classes": 6}, 3_298_836, {"video": 11_253_504, "image": 663_296}),
        ("mocogan", {"image_discriminator": "full", "video_discriminator": "patch"}, 3_249_684,
         {"video": 2_650_880, "image": 2_765_568}),
    ],
)  # fmt: skip
def test_networks_have_the_released_parameter_counts(architecture, options, generator, discriminators):
    assert count(build(architecture, **options)) == generator
    assert {name: count(part) for name, part in judges(architecture, **options).items()} == discriminators


@pytest.mark.parametrize(
    ("architecture", "options"),
    [
        ("vgan", {}),
        ("vgan", {"frames": 32}),
        ("vgan", {"image": True}),
        ("vgan", {"image": True, "frames": 32}),
        ("tgan", {}),
        ("tgan", {"classes": 3}),
        ("mocogan", {}),
        ("mocogan", {"classes": 3}),
        ("mocogan", {"image": True, "classes": 3}),
        ("mocogan", {"video_discriminator": "patch", "image_discriminator": "full"}),
    ],
)
def test_clips_and_logits_have_their_shapes(architecture, options):
    generator, networks = build(architecture, width=4, **options), judges(architecture, width=4, **options)
    frames, classes = options.get("frames", 16), options.get("classes", 0)
    label = torch.full((2, classes), 1 / classes) if classes else None
    condition = Condition(label, torch.rand(2, 3, 64, 64) if options.get("image") else None)
    clip = generator(generator.sample(2, seed=0), condition)
    assert clip.shape == (2, 3, frames, 64, 64) and clip.abs().max() <= 1
    told = networks["video"](clip, condition) if architecture == "tgan" else networks["video"](clip)
    if architecture != "mocogan":
        assert told.shape == (2,)
        return
    patches = {"full": (), "patch": (4 * 4 * 4,)}[options.get("video_discriminator", "full")]
    assert told.shape == (2, 1 + classes, *patches)
    places = {"full": 1, "patch": 16}[options.get("image_discriminator", "patch")]
    assert networks["image"](clip[:, :, 0]).shape == (2, places)


@pytest.mark.parametrize("architecture", ["vgan", "tgan", "mocogan"])
def test_a_clip_does_not_depend_on_what_is_drawn_with_it(architecture):
    generator = build(architecture, width=4)
    latents = generator.sample(3, seed=1)
    assert torch.equal(generator.generate(latents)[1:2], generator.generate(latents.row(1)))
    together = generator.generate(latents, batch_size=3)
    assert torch.allclose(together[1:2], generator.generate(latents.row(1)), atol=1e-5)


@pytest.mark.parametrize(
    ("architecture", "options", "said"),
    [
        ("vgan", {"classes": 3}, "takes no label"),
        ("vgan", {"frames": 24}, "16 or 32 frames"),
        ("vgan", {"noise": 0}, "at least 1"),
        ("tgan", {"slow": 0}, "at least 1"),
        ("mocogan", {"classes": 1}, "one class"),
        ("mocogan", {"classes": 2, "video_discriminator": "patch"}, "tells no classes"),
        ("mocogan", {"image_discriminator": "pach"}, "did you mean patch"),
        ("mocogan", {"noise": -1}, "not negative"),
    ],
)
def test_impossible_configurations_are_refused(architecture, options, said):
    with pytest.raises(VidganError, match=said):
        make_config(architecture, **options)


@pytest.mark.parametrize("architecture", ["vgan", "tgan", "mocogan"])
def test_discriminators_refuse_other_clips(architecture):
    with pytest.raises(VidganError, match="16 frames of 64x64, not"):
        judges(architecture, width=4)["video"](torch.zeros(2, 3, 8, 64, 64))


# ------------------------------------------------------------------------------------------------ VGAN


def test_vgan_lays_the_foreground_over_a_background_that_stands_still():
    generator = build("vgan", width=4).eval()
    for parameter in generator.parameters():
        parameter.data.mul_(20)  # as it begins, everything is even
    latents = generator.sample(2, seed=3)
    parts = {view: generator.generate(latents, Condition(view=view)) for view in generator.views}
    mask = (parts["mask"] + 1) / 2
    assert mask.std() > 0.01 and mask.min() >= 0 and mask.max() <= 1
    assert torch.equal(parts["background"][:, :, :1].expand_as(mask.expand(-1, 3, -1, -1, -1)), parts["background"])
    laid = mask * parts["foreground"] + (1 - mask) * parts["background"]
    assert torch.allclose(generator.generate(latents), laid, atol=1e-5)


def test_parts_that_a_model_does_not_have_cannot_be_seen():
    with pytest.raises(VidganError, match="did you mean mask"):
        generator = build("vgan", width=4)
        generator.generate(generator.sample(1, 0), Condition(view="masks"))
    with pytest.raises(VidganError, match="no view 'mask'; there are none"):
        generator = build("tgan", width=4)
        generator.generate(generator.sample(1, 0), Condition(view="mask"))


def test_the_difference_of_two_outputs_is_their_softmax():
    judge = judges("vgan", width=4)["video"].eval()
    clip = torch.randn(3, 3, 16, 64, 64)
    x = judge.first(clip)
    for stage in judge.stages:
        x = stage(x)
    outputs = judge.score(x).flatten(1)
    for real in (True, False):
        entropy = F.cross_entropy(outputs, torch.full((3,), 0 if real else 1))
        logit = judge(clip)
        assert torch.allclose(entropy, F.softplus(-logit if real else logit).mean(), atol=1e-6)


def test_the_image_alone_decides_a_clip_of_the_conditional_vgan():
    generator = build("vgan", width=4, image=True)
    image = torch.rand(1, 3, 64, 64)
    a, b = (generator.generate(generator.sample(1, seed), Condition(image=image)) for seed in (0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, generator.generate(generator.sample(1, 0), Condition(image=1 - image)))


# ------------------------------------------------------------------------------------------------ TGAN


def test_z_slow_is_even_between_minus_one_and_one():
    generator = build("tgan", width=4)
    seen = []
    generator.temporal.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    generator.generate(generator.sample(400, seed=0), batch_size=400)
    slow = torch.cat(seen).flatten()
    assert slow.min() >= -1 and slow.max() <= 1
    shares = torch.histc(slow, bins=10, min=-1, max=1) / len(slow)
    assert shares.sub(0.1).abs().max() < 0.01


def test_clipping_makes_every_layer_1_lipschitz():
    judge = judges("tgan", width=4)["video"]
    for part in judge.modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.Conv3d):
            part.weight.data.mul_(20)
        elif isinstance(part, ScaledNorm):
            part.norm.running_var.fill_(0.25)
            part.gain.data.copy_(torch.linspace(-1, 2, len(part.gain)))
    clip_singular_values(judge)
    for part in judge.modules():
        if isinstance(part, torch.nn.Conv2d | torch.nn.Conv3d):
            values = torch.linalg.svdvals(part.weight.flatten(1))
            assert values.max().item() == pytest.approx(1, abs=1e-5)
        elif isinstance(part, ScaledNorm):
            assert torch.equal(part.gain, torch.linspace(-1, 2, len(part.gain)).clamp(0.005, 0.5))
    before = {name: parameter.clone() for name, parameter in judge.named_parameters()}
    clip_singular_values(judge)
    assert all(torch.allclose(before[name], now, atol=1e-6) for name, now in judge.named_parameters())


def test_small_singular_values_stay():
    judge = judges("tgan", width=4)["video"]
    judge.first.weight.data.mul_(0.01)
    before = judge.first.weight.clone()
    clip_singular_values(judge)
    assert torch.equal(judge.first.weight, before)


# ------------------------------------------------------------------------------------------------ MoCoGAN


def test_longer_clips_begin_as_shorter_ones_do():
    generator = build("mocogan", width=4)
    short, long = (generator.sample(1, seed=2, steps=steps) for steps in (16, 40))
    a, b = generator.generate(short), generator.generate(long)
    assert a.shape[2] == 16 and b.shape[2] == 40
    assert torch.allclose(a, b[:, :, :16], atol=1e-6)
    assert generator.steps_for(40) == 40 and generator.frame_options == (16, 24, 32, 48)


def test_content_stays_while_motion_goes_through_the_gru():
    generator = build("mocogan", width=4).eval()
    latents = generator.sample(2, seed=0)
    state = latents["start"]
    by_hand = []
    for step in range(16):
        state = generator.gru(latents["motion"][:, step], state)
        by_hand.append(state)
    assert torch.equal(generator.codes(latents), torch.stack(by_hand, 1))
    still = latents.replace(motion=torch.zeros_like(latents["motion"]))
    settled = generator.codes(still)
    assert (settled[:, -1] - settled[:, -2]).abs().max() < (settled[:, 1] - settled[:, 0]).abs().max()
    one = generator.image(torch.cat([latents["content"], by_hand[4]], 1)[:, :, None, None])
    assert torch.allclose(generator(latents)[:, :, 4], one, atol=1e-6)


def test_noise_is_added_in_training_alone():
    judge = judges("mocogan", width=4, noise=0.5)["image"]
    frames = torch.rand(2, 3, 64, 64)
    judge.eval()
    assert torch.equal(judge(frames), judge(frames))
    judge.train()
    assert not torch.equal(judge(frames), judge(frames))
    quiet = judges("mocogan", width=4, noise=0.0)["image"].train()
    assert torch.equal(quiet(frames), quiet(frames))


def test_image_and_label_both_decide_a_clip():
    generator = build("mocogan", width=4, image=True, classes=3)
    assert generator.latent_space.names == ("start", "motion")
    latents, image = generator.sample(1, seed=0), torch.rand(1, 3, 64, 64)
    clips = [
        generator.generate(latents, Condition(torch.eye(3)[[label]], picture))
        for label, picture in ((0, image), (1, image), (0, 1 - image))
    ]
    assert not torch.equal(clips[0], clips[1]) and not torch.equal(clips[0], clips[2])
    with pytest.raises(VidganError, match="animates an image"):
        generator.generate(latents)
