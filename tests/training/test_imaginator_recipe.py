"""ImaGINator's losses on numbers worked out by hand, and its runs through the real trainer."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from vidgan import Condition, VidganError, hub
from vidgan.data import Batch
from vidgan.models.imaginator import ImaGINatorConfig
from vidgan.training.losses import l1
from vidgan.training.options import preset
from vidgan.training.phases import Micro, Networks
from vidgan.training.recipes import RECIPES
from vidgan.training.recipes.imaginator import ImaGINatorRecipe, other_labels
from vidgan.training.state import ema_generator
from vidgan.training.trainer import Trainer, train


class Critic(nn.Module):
    """A discriminator whose logit is the mean of what it sees, plus three times the weight of class 0."""

    def __init__(self, config=None):
        super().__init__()
        self.config = config
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, seen, condition=None):
        score = self.weight * seen.flatten(1).mean(1)
        return score if condition is None else score + 3 * condition.label[:, 0]


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


def networks(**options) -> Networks:
    config = ImaGINatorConfig(classes=2, **options)
    return Networks({"generator": nn.Identity(), "video": Critic(config), "image": Critic()})


def micro() -> Micro:
    """Real clips are all 0.5 and 0.5, generated ones -1 and 0; labels 0 and 1."""
    real = torch.full((2, 3, 16, 4, 4), 0.5)
    fake = torch.stack([torch.full((3, 16, 4, 4), value) for value in (-1.0, 0.0)])
    condition = Condition.of_classes(torch.tensor([0, 1]), 2)
    random = torch.Generator().manual_seed(0)
    return Micro(Batch(real), None, condition, random, step=0, keep_fake=True, fake=fake)


def test_discriminators_descend_on_algorithm_1():
    losses = ImaGINatorRecipe().discriminators(networks(), micro())
    positive = (softplus(-3.5) + softplus(-0.5)) / 2  # real clips, right labels
    generated = (softplus(2.0) + softplus(0.0)) / 2  # logits -1 + 3 and 0
    wrong = (softplus(0.5) + softplus(3.5)) / 2  # real clips, the other label
    assert losses["d_video"].item() == pytest.approx(positive + 0.5 * (generated + wrong), rel=1e-5)
    frames = softplus(-0.5) + (softplus(-1.0) + softplus(0.0)) / 2
    assert losses["d_image"].item() == pytest.approx(frames, rel=1e-5)


def test_the_released_code_has_no_wrong_labels():
    losses = dataclasses.replace(ImaGINatorRecipe(), wrong_labels=False).discriminators(networks(), micro())
    positive, generated = (softplus(-3.5) + softplus(-0.5)) / 2, (softplus(2.0) + softplus(0.0)) / 2
    assert losses["d_video"].item() == pytest.approx(positive + generated, rel=1e-5)


def test_the_generator_descends_on_algorithm_1():
    losses = ImaGINatorRecipe(reconstruction=2.0, reduction="mean").generator(networks(), micro())
    assert losses["g_l1"].item() == pytest.approx(2.0 * (1.5 + 0.5) / 2)
    assert losses["g_video"].item() == pytest.approx((softplus(-2.0) + softplus(0.0)) / 2, rel=1e-5)
    assert losses["g_image"].item() == pytest.approx((softplus(1.0) + softplus(0.0)) / 2, rel=1e-5)


def test_lambda_means_what_its_reduction_says():
    """The paper's 1e-3 on a sum equals 393 on the mean of 32 frames; the released 100 on a mean 2.5e-4 on the sum."""
    clip, other = torch.zeros(2, 3, 32, 64, 64), torch.full((2, 3, 32, 64, 64), 0.25)
    assert (1e-3 * l1(clip, other, "sum")).item() == pytest.approx(393.216 * l1(clip, other, "mean").item(), rel=1e-4)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"reconstruction": 0.0}, {"g_video", "g_image"}),
        ({"adversarial": 0.0}, {"g_l1"}),
    ],
)
def test_one_loss_alone(options, names):
    recipe = dataclasses.replace(ImaGINatorRecipe(), **options)
    assert set(recipe.generator(networks(), micro())) == names
    updated = {name for phase in recipe.phases(("generator", "video", "image")) for name in phase.updates}
    assert updated == ({"generator"} if "adversarial" in options else {"generator", "video", "image"})


def test_the_released_order_is_generator_first():
    names = ("generator", "video", "image")
    orders = {
        name: [phase.updates for phase in RECIPES["imaginator"].PRESETS[name].recipe.phases(names)]
        for name in ("paper", "released")
    }
    assert orders["paper"] == [("video", "image"), ("generator",)]
    assert orders["released"] == orders["paper"][::-1]


def test_presets_hold_the_papers_values_and_the_codes():
    paper, released = (RECIPES["imaginator"].PRESETS[name] for name in ("paper", "released"))
    told = [
        (
            r.lr_generator,
            r.lr_discriminator,
            r.betas[0],
            r.reconstruction,
            r.reduction,
            r.frames_to_image,
            r.wrong_labels,
        )
        for r in (paper.recipe, released.recipe)
    ]
    assert told == [(2e-4, 5e-5, 0.5, 1e-3, "sum", 16, True), (2e-4, 2e-4, 0.5, 100.0, "mean", 1, False)]
    for options in (paper, released):
        assert (options.model.frames, options.model.width, options.batch, options.recipe.ema) == (32, 64, 64, 0.0)
        assert options.recipe.betas[0] == 0.5


def test_the_image_discriminator_sees_n_different_times_of_every_clip():
    times = torch.arange(32.0).view(1, 1, 32, 1, 1).expand(2, 3, 32, 4, 4)
    one = dataclasses.replace(micro(), random=torch.Generator().manual_seed(1))
    frames = ImaGINatorRecipe(frames_to_image=16)._frames(times, one)
    assert frames.shape == (16 * 2, 3, 4, 4)
    first, second = frames[:, 0, 0, 0].view(16, 2).T.tolist()
    assert first == second and len(set(first)) == 16 and first != sorted(first)


@pytest.mark.parametrize(
    ("recipe", "options", "message"),
    [
        ({"frames_to_image": 32}, {}, "frames_to_image 32 of clips of 16 frames"),
        ({"generator_first": True}, {"micro_batches": 2}, "D would see other clips"),
    ],
)
def test_what_contradicts_is_refused_before_anything_runs(recipe, options, message, tmp_path):
    base = small(tmp_path)
    with pytest.raises(VidganError, match=message):
        dataclasses.replace(base, recipe=dataclasses.replace(base.recipe, **recipe), **options).check()


def test_wrong_labels_are_never_the_right_one():
    label = torch.nn.functional.one_hot(torch.arange(200) % 4, 4).float()
    wrong = other_labels(label, torch.Generator().manual_seed(0))
    assert ((wrong * label).sum(1) == 0).all() and (wrong.sum(1) == 1).all()
    assert (wrong[::4].sum(0)[1:] > 5).all()  # all others come
    assert other_labels(torch.ones(3, 1), torch.Generator()).tolist() == [[0.0]] * 3


@pytest.mark.parametrize(
    "options",
    [
        {"reduction": "max"},
        {"adversarial": 0.0, "reconstruction": 0.0},
        {"reconstruction": -1.0},
        {"reconstruction": math.nan},
        {"frames_to_image": 0},
        {"lr_generator": -1.0},
        {"lr_discriminator": math.inf},
        {"betas": (2.0, 0.9)},
    ],
)
def test_recipes_that_mean_nothing_are_refused(options):
    with pytest.raises(VidganError):
        dataclasses.replace(ImaGINatorRecipe(), **options)


def small(tmp_path, name: str = "smoke", **model):
    base = preset("imaginator", name, RECIPES)
    smoke = RECIPES["imaginator"].PRESETS["smoke"]
    return dataclasses.replace(
        base, model=dataclasses.replace(base.model, **{"width": 2, "frames": 16, **model}), run=tmp_path / "run",
        data_options=smoke.data_options, batch=4, steps=2, sheet_every=2, threads=1, device="cpu",
    )  # fmt: skip


@pytest.mark.parametrize("name", [*RECIPES["imaginator"].PRESETS])
def test_every_preset_trains_and_leaves_its_files(name, tmp_path):
    run = train(small(tmp_path, name))
    assert (run / "sheets" / "step-00000002.webp").is_file()
    generator = hub.load(run)
    assert generator.takes_image and generator.info.step == 2
    frame = torch.zeros(1, 3, 64, 64)
    clip = generator.generate(generator.latent_space.sample(1, 0), Condition(image=frame))
    assert clip.shape == (1, 3, 16, 64, 64)


@pytest.mark.parametrize(
    "model", [{"image_discriminator": False}, {"label_in_video": "classifier"}, {"convolution": "3d", "fusion": False}]
)
def test_ablations_train(model, tmp_path):
    trainer = Trainer(small(tmp_path, **model))
    losses = trainer.train_step()
    trainer.close()
    assert all(math.isfinite(value) for value in losses.values())
    assert ("d_class" in losses) == ("label_in_video" in model)
    assert ("d_image" in losses) == ("image_discriminator" not in model)


def test_data_without_labels_trains(tmp_path):
    trainer = Trainer(dataclasses.replace(small(tmp_path), conditional=False))
    trainer.train_step()
    trainer.close()
    assert trainer.networks.plain["generator"].config.classes == 0


def test_the_generator_is_shown_the_first_frame_of_its_clip(tmp_path):
    trainer = Trainer(small(tmp_path))
    (one,) = trainer._micros()
    trainer.close()
    assert torch.equal(one.condition.image, one.batch.clip[:, :, 0])


def test_statistics_are_measured_on_pictures_that_travel_with_the_state(tmp_path):
    """A run is sampled as its trainer samples it, also where its data is not."""
    trainer = Trainer(small(tmp_path))
    trainer.run()
    there = ema_generator(tmp_path / "run")
    here = trainer.ema_generator().state_dict()
    for name, value in there.state_dict().items():  # another memory layout, so other last bits
        assert torch.allclose(value.float(), here[name].float(), rtol=1e-3, atol=1e-5), name


def test_resumed_is_the_same_to_the_bit(tmp_path):
    options = small(tmp_path)
    train(options)
    whole = ema_generator(options.run).state_dict()
    half = dataclasses.replace(options, run=tmp_path / "half")
    train(dataclasses.replace(half, steps=1))
    train(half)
    assert all(torch.equal(value, whole[name]) for name, value in ema_generator(half.run).state_dict().items())
