"""MVT-GAN: the released counts, shapes at every size, the temporal shift, and what a frame does not depend on."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from vidgan import Condition, VidganError
from vidgan.latents import Latents
from vidgan.models import ARCHITECTURES, build, make_config
from vidgan.models.layers import with_label_spread
from vidgan.models.mvtgan import ImageDiscriminator, SelfAttention, UpBlock, VideoDiscriminator, temporal_shift
from vidgan.training.ema import calibrate
from vidgan.training.options import preset
from vidgan.training.recipes import RECIPES

SMALL = {"width": 2, "hidden": 8, "embedding": 4}


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def one_hot(*classes: int, count: int = 3) -> Condition:
    return Condition.of_classes(torch.tensor(classes), count)


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    return calibrate(build("mvtgan", size=64, classes=3, spectral_norm=False, **SMALL), batches=2)


def test_the_generator_has_the_released_parameter_counts():
    with torch.device("meta"):
        generator = build("mvtgan", classes=101, spectral_norm=False)
    assert parameters(generator.image) + parameters(generator.embedding) == 77_238_652
    assert parameters(generator.sequence) == 13_592_880
    assert parameters(generator) == 90_831_532


def test_discriminators_have_the_released_parameter_counts():
    networks = ARCHITECTURES["mvtgan"].discriminators(make_config("mvtgan", classes=101))
    counts = {name: parameters(network) for name, network in networks.items()}
    assert counts == {"image": 88_997_234, "video": 24_872_065}


PRESETS = {
    **{name: (96, 88_229_380, 88_857_458, 24_802_177) for name in ("mvt", "mvt-mc", "mvt-var", "mvt-tsa")},
    **{name: (128, 90_820_612, 88_857_458, 24_802_177) for name in ("paper", "released")},
    "tsa-ema": (64, 37_275_044, 19_558_194, 11_029_761),
    "cpu-tsa-ema": (64, 1_585_500, 308_984, 174_497),
}


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_has_its_counts_and_draws_clips_of_its_size(name):
    options = preset("mvtgan", name, RECIPES)
    config = dataclasses.replace(options.model, classes=10)
    with torch.device("meta"):
        generator = ARCHITECTURES["mvtgan"].generator(config)
        networks = ARCHITECTURES["mvtgan"].discriminators(config)
        latents = Latents({subspace.name: torch.empty(2, subspace.dim) for subspace in generator.latent_space})
        clip = generator(latents, one_hot(0, 1, count=10))
    size, *counts = PRESETS[name]
    assert [parameters(generator), parameters(networks["image"]), parameters(networks["video"])] == counts
    assert clip.shape == (2, 3, 16, size, size)


def test_sizes_and_labels_change_the_counts_by_what_they_add():
    _, of_96, image, video = PRESETS["mvt"]
    _, of_128, *_ = PRESETS["paper"]
    assert of_128 - of_96 == (4 * 4 - 3 * 3) * 16 * 96 * (120 + 120 + 1)  # the map from codes and label to the base
    assert 90_831_532 - of_128 == 91 * 120  # embeddings of 101 labels, and of 10
    assert 88_997_234 - image == 91 * 16 * 96 and (24_872_065 - video) % 91 == 0  # the projections


@pytest.mark.parametrize("size", [64, 96, 128])
@pytest.mark.parametrize(
    "options", [{}, {"classes": 0}, {"shifted_blocks": 0}, {"normalised_codes": True}, {"gru_input": "z"}]
)
def test_every_size_and_switch_makes_clips_and_passes_gradients(size, options):
    options = {"classes": 3, "size": size, **SMALL, **options}
    generator = build("mvtgan", **options)
    condition = one_hot(0, 2) if options["classes"] else None
    latents = generator.latent_space.sample(2, seed=3)
    clip = generator(latents, condition)
    assert clip.shape == (2, 3, 16, size, size) and clip.abs().max() <= 1
    networks = ARCHITECTURES["mvtgan"].discriminators(generator.config)
    label = condition and condition.label
    logits = networks["video"](clip, label) + networks["image"](clip[:, :, 3], label)
    assert logits.shape == (2,)
    logits.sum().backward()
    dead = [
        name for name, value in generator.named_parameters() if value.grad is None or not value.grad.isfinite().all()
    ]
    assert not dead
    assert all(value.grad is not None for network in networks.values() for value in network.parameters())


def test_the_blocks_of_each_size():
    shapes = {}
    for size in (64, 96, 128):
        generator = build("mvtgan", size=size, **SMALL)
        shapes[size] = (generator.config.base, [block.conv1.weight.shape[0] for block in generator.image.blocks])
    assert shapes == {64: (4, [32, 16, 8, 4]), 96: (3, [32, 16, 8, 4, 2]), 128: (4, [32, 16, 8, 4, 2])}


@pytest.mark.parametrize(("size", "place"), [(64, 32), (96, 24), (128, 32)])
def test_attention_is_where_maps_are_32_wide(size, place):
    config = make_config("mvtgan", size=size, **SMALL)
    seen = []
    for network, x in (
        (build("mvtgan", size=size, **SMALL).image, torch.randn(2, 120)),
        (ImageDiscriminator(config), torch.randn(2, 3, size, size)),
    ):
        network.attention.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].shape[-1]))
        network(x, 1) if x.dim() == 2 else network(x)
    assert seen == [place, place]


def test_the_image_discriminator_can_see_that_all_frames_are_alike():
    torch.manual_seed(0)
    frame, others = torch.randn(1, 3, 64, 64), torch.randn(3, 3, 64, 64)
    for told in (False, True):
        judge = ImageDiscriminator(make_config("mvtgan", size=64, minibatch_std=told, **SMALL)).eval()
        alone, among = judge(frame.expand(4, -1, -1, -1))[0], judge(torch.cat([frame, others]))[0]
        assert torch.isclose(alone, among, rtol=1e-4) == (not told)


def test_spread_is_that_within_labels():
    """By loops over the items of one label; what other labels hold makes no difference."""
    torch.manual_seed(0)
    x, classes = torch.randn(7, 2, 3, 3), torch.tensor([0, 1, 0, 2, 1, 0, 0])
    found = with_label_spread(x, F.one_hot(classes, 3))
    assert torch.equal(found[:, :2], x)
    for place, own in enumerate(classes):
        assert torch.allclose(found[place, 2], x[classes == own].std(0, correction=0).mean().expand(3, 3), atol=1e-3)
    changed = torch.where((classes == 0)[:, None, None, None], x, x + 100 * torch.rand_like(x))
    assert torch.equal(with_label_spread(changed, F.one_hot(classes, 3))[classes == 0], found[classes == 0])
    assert torch.allclose(with_label_spread(x, None)[:, 2], x.std(0, correction=0).mean().expand(7, 3, 3), atol=1e-3)


def test_spread_is_measured_in_single_precision():
    x = 100 + torch.rand(8, 2, 3, 3)
    label = F.one_hot(torch.arange(8) % 2)
    expected = with_label_spread(x, label)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(with_label_spread(x, label), expected)


def test_attention_keeps_half_precision():
    """What follows it would cost a third more in single precision."""
    with torch.autocast("cpu", torch.bfloat16):
        assert SelfAttention(16)(torch.randn(2, 16, 8, 8).bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("divisor", [2, 3, 8])
def test_the_shift_is_that_of_a_loop_over_frames(divisor):
    frames, channels = 5, 8
    x = torch.randn(2 * frames, channels, 3, 2)
    moved = channels // divisor
    expected = x.clone()
    for clip in range(2):
        for t in range(frames):
            here = clip * frames + t
            expected[here, :moved] = x[here + 1, :moved] if t + 1 < frames else 0
            expected[here, moved : 2 * moved] = x[here - 1, moved : 2 * moved] if t > 0 else 0
    assert torch.equal(temporal_shift(x, frames, divisor), expected)


def test_the_shortcut_is_shifted_only_where_asked():
    def moved_by_the_shift(placement: str) -> bool:
        torch.manual_seed(0)
        config = make_config("mvtgan", shift_placement=placement, spectral_norm=False, **SMALL)
        block = UpBlock(8, 4, told=6, config=config, shifted=True).eval()
        torch.nn.init.zeros_(block.conv2.weight)
        x = torch.randn(16, 8, 4, 4)  # with the branch silent, the shortcut alone is left
        alone = block(x, torch.randn(16, 6), 16)
        block.divisor = 0
        return not torch.equal(alone, block(x, torch.randn(16, 6), 16))

    assert moved_by_the_shift("block") and not moved_by_the_shift("residual")


def test_frames_look_at_their_neighbours_only_with_the_shift():
    """How far a change of the last code alone is seen: two blocks of shift pass it on to the two frames before."""
    for shifted, changed in ((2, [13, 14, 15]), (0, [15])):
        torch.manual_seed(0)
        config = {"size": 64, "shift_divisor": 2, "shifted_blocks": shifted, "spectral_norm": False, **SMALL}
        network = build("mvtgan", **config).image.eval()
        codes = torch.randn(16, 120)
        other = codes.clone()
        other[15] += 1
        differ = (network(codes, 16) - network(other, 16)).abs().flatten(1).amax(1) > 0
        assert differ.nonzero().flatten().tolist() == changed


def test_a_clip_does_not_depend_on_what_else_is_drawn(generator):
    latents = generator.latent_space.sample(3, seed=1)
    together = generator.generate(latents, one_hot(0, 1, 2))
    alone = generator.generate(latents.row(1), one_hot(1))
    assert torch.equal(together[1:2], alone)
    batched = generator.generate(latents, one_hot(0, 1, 2), batch_size=3)
    assert torch.allclose(batched, together, atol=1e-5)


@pytest.mark.parametrize("frames", [1, 5, 16, 40])
def test_a_clip_can_have_any_length(generator, frames):
    latents, label = generator.latent_space.sample(1, seed=1), one_hot(1).label
    clip = generator.generate(latents, Condition(label, frames=frames))
    assert clip.shape == (1, 3, frames, 64, 64)
    if frames == 40:  # the shift looks two frames ahead
        assert torch.allclose(clip[:, :, :14], generator.generate(latents, one_hot(1))[:, :, :14], atol=1e-5)


@pytest.mark.parametrize("frames", [0, -3, 513, 2.5, "many"])
def test_impossible_lengths_are_refused(generator, frames):
    with pytest.raises(VidganError, match="frames"):
        generator.generate(generator.latent_space.sample(1, 0), Condition(one_hot(1).label, frames=frames))


def test_a_generator_of_fixed_lengths_takes_none_from_the_condition():
    other = build("g3an", width=2, attention_after=None)
    with pytest.raises(VidganError, match="length"):
        other.generate(other.latent_space.sample(1, 0), Condition(frames=16))


def test_every_subspace_and_the_label_change_the_clip(generator):
    a, b = (generator.latent_space.sample(1, seed=seed) for seed in (1, 2))
    clip = generator.generate(a, one_hot(0))
    for name in ("z_a", "z_b", "z_c"):
        assert not torch.equal(generator.generate(a.replace({name: b[name]}), one_hot(0)), clip)
    assert not torch.equal(generator.generate(a, one_hot(1)), clip)


def test_the_gru_is_fed_its_own_code_or_z_again():
    z = torch.randn(2, 120)
    for fed in ("own", "z"):
        sequence = build("mvtgan", size=64, gru_input=fed, spectral_norm=False, **SMALL).sequence
        first = sequence.cell(sequence.begin(z))
        again = sequence.begin(z) if fed == "z" else sequence.code(first)
        expected = torch.stack([sequence.code(first), sequence.code(sequence.cell(again, first))], dim=1)
        assert torch.allclose(sequence(z, 2), expected, atol=1e-6)


def test_normalised_codes_are_normal_at_every_frame():
    torch.manual_seed(0)
    options = {**SMALL, "hidden": 64, "size": 64, "normalised_codes": True, "spectral_norm": False}
    network = calibrate(build("mvtgan", **options), batches=16)
    codes = network.codes(network.latent_space.sample(256, seed=5), None)
    assert codes.mean(0).abs().max() < 0.4
    assert ((codes.var(0) > 0.4) & (codes.var(0) < 2)).all()
    longer = network.codes(network.latent_space.sample(1, seed=5), Condition(frames=20))
    assert torch.allclose(longer[0, :16], codes[0], atol=1e-4)


def test_a_blend_of_labels_is_embedded_between_them(generator):
    weights = torch.tensor([[0.25, 0.0, 0.75]])
    ends = generator.embedding(torch.eye(3))
    assert torch.allclose(generator.embedding(weights), 0.25 * ends[:1] + 0.75 * ends[2:], atol=1e-6)


def test_the_latent_space_is_the_papers():
    space = build("mvtgan", size=64, **SMALL).latent_space
    assert [(s.name, s.dim, s.std) for s in space] == [("z_a", 20, 0.5), ("z_b", 20, 1.0), ("z_c", 80, 2.0)]


def test_the_video_discriminator_takes_the_length_it_was_made_for():
    config = make_config("mvtgan", size=64, **SMALL)
    with pytest.raises(VidganError, match="16 frames"):
        VideoDiscriminator(config)(torch.zeros(2, 3, 32, 64, 64))


@pytest.mark.parametrize(
    "options",
    [
        {"size": 100},
        {"frames": 8},
        {"frames": 24},
        {"shifted_blocks": 6},
        {"size": 64, "shifted_blocks": 5},
        {"shift_divisor": 1},
        {"shift_placement": "everywhere"},
        {"gru_input": "noise"},
        {"deviation_b": 0.0},
        {"width": 0},
    ],
)
def test_contradictions_are_refused(options):
    with pytest.raises(VidganError):
        make_config("mvtgan", **options)
