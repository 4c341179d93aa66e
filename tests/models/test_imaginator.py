"""ImaGINator: the paper's counts, shapes and switches, and what the image, the label, the noise and each skip do."""

import itertools

import pytest
import torch

from vidgan import Condition, VidganError
from vidgan.models import ARCHITECTURES, build, make_config
from vidgan.models.imaginator import LEVELS, VideoDiscriminator
from vidgan.training.ema import calibrate


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def image(batch: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.rand(batch, 3, 64, 64, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    shown = Condition(Condition.of_classes(torch.arange(16) % 3, 3).label, image(16))
    return calibrate(build("imaginator", width=4, classes=3, frames=16), shown, batches=1)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"classes": 6}, 75_406_451),
        ({"classes": 6, "convolution": "3d"}, 35_923_815),
        ({"classes": 6, "fusion": False}, 67_139_699),
        ({"classes": 6, "with_noise": False}, 71_212_147),
        ({}, 75_227_411),
    ],
)
def test_generator_parameter_counts(options, count):
    with torch.device("meta"):
        assert parameters(build("imaginator", **options)) == count


def test_the_blocks_have_the_parameters_of_the_supplements_table():
    with torch.device("meta"):
        generator = build("imaginator", classes=6)
    assert parameters(generator.encoder) == 3_577_764
    assert [parameters(block) for block in generator.decoder] == [38_630_912, 25_249_536, 6_333_312, 1_593_792, 21_135]


def test_discriminators_have_the_papers_parameter_counts():
    networks = ARCHITECTURES["imaginator"].discriminators(make_config("imaginator", classes=6))
    assert {name: parameters(network) for name, network in networks.items()} == {
        "video": 11_088_833,
        "image": 2_764_737,
    }
    alone = make_config("imaginator", classes=6, image_discriminator=False, width=4)
    assert list(ARCHITECTURES["imaginator"].discriminators(alone)) == ["video"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frames": 16},
        {"classes": 0},
        {"convolution": "3d"},
        {"fusion": False},
        {"with_noise": False},
        {"label_in_video": "classifier"},
        {"label_in_video": "classifier", "classes": 0},
    ],
)
def test_every_switch_makes_clips_and_passes_gradients(options):
    options = {"width": 2, "classes": 3, **options}
    generator = build("imaginator", **options)
    classes = options["classes"]
    label = Condition.of_classes(torch.tensor([0, 2]), classes).label if classes else None
    condition = Condition(label, image(2))
    clip = generator(generator.latent_space.sample(2, seed=3), condition)
    assert clip.shape == (2, 3, options.get("frames", 32), 64, 64)
    assert clip.abs().max() <= 1
    critic = VideoDiscriminator(generator.config)
    score = critic(clip, condition)
    assert score.shape == ((2, 4) if generator.config.classifies else (2,))
    score.sum().backward()
    silent = [name for part in (generator, critic) for name, value in part.named_parameters() if value.grad is None]
    assert not silent


def test_the_clip_depends_on_image_label_and_noise(generator):
    space = generator.latent_space
    happy, sad = (Condition.of_label(index, generator.labels).label for index in (0, 1))
    clip = generator.generate(space.sample(1, 0), Condition(happy, image()))
    for latents, condition in (
        (space.sample(1, 1), Condition(happy, image())),
        (space.sample(1, 0), Condition(sad, image())),
        (space.sample(1, 0), Condition(happy, image(seed=1))),
    ):
        assert not torch.allclose(generator.generate(latents, condition), clip, atol=1e-4)


def test_without_noise_the_latents_change_nothing():
    generator = build("imaginator", width=2, frames=16, with_noise=False).eval()
    clips = [generator.generate(generator.latent_space.sample(1, seed), Condition(image=image())) for seed in (0, 1)]
    assert torch.equal(*clips)


def test_every_skip_can_be_turned_off_and_changes_the_clip(generator):
    """Supplement B.2: the connections of each level, deactivated one after the other."""
    latents, label = generator.latent_space.sample(1, 0), Condition.of_label(0, generator.labels).label
    clips = []
    for off in range(LEVELS + 1):
        strength = torch.ones(1, LEVELS)
        strength[:, LEVELS - off :] = 0  # the finest level first, as Deconv10-1 is in the paper
        clips.append(generator.generate(latents, Condition(label, image(), strength)))
    assert torch.equal(clips[0], generator.generate(latents, Condition(label, image())))
    for earlier, later in itertools.pairwise(clips):
        assert (earlier - later).abs().max() > 1e-4
    # with every skip off, appearance still enters by the code p
    other = Condition(label, image(seed=1), torch.zeros(1, LEVELS))
    assert not torch.equal(generator.generate(latents, other), clips[-1])


def test_a_clip_does_not_depend_on_what_it_is_drawn_with(generator):
    latents = generator.latent_space.sample(3, 0)
    condition = Condition(Condition.of_classes(torch.tensor([0, 1, 2]), 3).label, image(3))
    together = generator.generate(latents, condition)
    assert torch.equal(together[1:2], generator.generate(latents.row(1), condition.row(1)))


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (Condition(), "animates an image"),
        (Condition(image=torch.zeros(1, 3, 32, 32)), r"must be \[1, 3, 64, 64\]"),
        (Condition(image=torch.full((1, 3, 64, 64), 1.5)), "between -1 and 1"),
        (Condition(image=torch.full((1, 3, 64, 64), torch.nan)), "between -1 and 1"),
        (Condition(image=torch.zeros(1, 3, 64, 64), fusion=torch.ones(1, 3)), r"\[1, 4\] numbers"),
        (Condition(image=torch.zeros(1, 3, 64, 64), fusion=torch.full((1, 4), torch.inf)), r"\[1, 4\] numbers"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(generator, condition, message):
    with pytest.raises(VidganError, match=message):
        generator.generate(generator.latent_space.sample(1, 0), condition)


def test_other_generators_refuse_an_image():
    generator = build("g3an", width=2)
    with pytest.raises(VidganError, match="takes no image"):
        generator.generate(generator.latent_space.sample(1, 0), Condition(image=image()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"frames": 24}, "16 or 32 frames, not 24"),
        ({"convolution": "2p1d"}, "convolution '2p1d'"),
        ({"label_in_video": "mapp"}, "did you mean map"),
        ({"width": 0}, "at least 1"),
        ({"label_in_video": "classifier", "classes": 1}, "nothing to tell apart"),
    ],
)
def test_contradictions_are_refused(options, message):
    with pytest.raises(VidganError, match=message):
        build("imaginator", **options)
