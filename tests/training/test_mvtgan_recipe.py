"""MVT-GAN's losses on numbers worked out by hand, and its runs through the real trainer."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from vidgan import Condition, VidganError
from vidgan.data import Batch
from vidgan.training.flow import lucas_kanade
from vidgan.training.log import read_log
from vidgan.training.options import preset
from vidgan.training.phases import Micro, Networks
from vidgan.training.recipes import RECIPES
from vidgan.training.recipes.mvtgan import PRESETS, MVTGANRecipe, lack_of_variety, motion_likeness
from vidgan.training.state import load_state
from vidgan.training.trainer import Trainer, train
from vidgan.vision import torchvision


class Critic(nn.Module):
    """A discriminator whose logit is the mean of what it sees, plus three times the weight of class 0."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, seen, label=None):
        score = self.weight * seen.flatten(1).mean(1)
        return score if label is None else score + 3 * label[:, 0]


def networks() -> Networks:
    return Networks({"generator": nn.Identity(), "video": Critic(), "image": Critic()})


def micro() -> Micro:
    """Real clips are all 0.5, generated ones -1 and 0.25; labels 0 and 1."""
    real = torch.full((2, 3, 16, 4, 4), 0.5)
    fake = torch.stack([torch.full((3, 16, 4, 4), value) for value in (-1.0, 0.25)])
    label = torch.tensor([0, 1])
    random = torch.Generator().manual_seed(0)
    return Micro(Batch(real, label), None, Condition.of_classes(label, 2), random, step=0, keep_fake=True, fake=fake)


def relu(value: float) -> float:
    return max(0.0, value)


def test_discriminators_descend_on_the_hinge_loss():
    """Logits of real clips are 3.5 and 0.5, of generated ones 2 and 0.25."""
    losses = MVTGANRecipe().discriminators(networks(), micro())
    expected = (relu(1 - 3.5) + relu(1 - 0.5)) / 2 + (relu(1 + 2.0) + relu(1 + 0.25)) / 2
    assert losses["d_video"].item() == pytest.approx(expected)
    assert losses["d_image"].item() == pytest.approx(expected)  # frames of a clip are alike, and told its label


def test_the_generator_ascends_on_both_scores():
    losses = MVTGANRecipe().generator(networks(), micro())
    assert losses.keys() == {"g_video", "g_image"}
    assert losses["g_video"].item() == losses["g_image"].item() == pytest.approx(-(2.0 + 0.25) / 2)


def test_generated_labels_are_the_datas_or_any():
    one = micro()
    MVTGANRecipe().discriminators(networks(), one)
    assert one.condition.label.argmax(1).tolist() == [0, 1]
    seen = set()
    for seed in range(20):
        one = micro()
        one.random.manual_seed(seed)
        MVTGANRecipe(labels="uniform").discriminators(networks(), one)
        seen.add(tuple(one.condition.label.argmax(1).tolist()))
    assert seen == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_frames_for_the_image_discriminator():
    clip = torch.arange(16.0).view(1, 1, 16, 1, 1).expand(2, 3, 16, 4, 4)
    one = micro()
    frames = MVTGANRecipe(frames_to_image=16)._frames(clip, one)[:, 0, 0, 0]
    assert sorted(frames[::2].tolist()) == list(range(16)) and torch.equal(frames[::2], frames[1::2])
    again = [MVTGANRecipe(frames_to_image=16, frames_again=True)._frames(clip, one)[::2, 0, 0, 0] for _ in range(5)]
    assert any(len(set(times.tolist())) < 16 for times in again)


def test_motion_likeness_is_the_cosine_over_pairs_of_one_class():
    def flow(first, _):  # the clip's own value, as motion to the right; nothing downwards
        moved = first[:, :1]
        return torch.cat([moved, torch.zeros_like(moved)], dim=1)

    one = micro()
    same = motion_likeness(flow, one, one.fake)  # pairs (0, 0): cosine of -1 and 0.5; (1, 1): of 0.25 and 0.5
    assert same.item() == pytest.approx((-1 + 1) / 2)
    one.batch = Batch(one.batch.clip, torch.tensor([1, 1]))  # generated clip 1 with both, clip 0 with none
    assert motion_likeness(flow, one, one.fake).item() == pytest.approx(1)
    one.batch = Batch(one.batch.clip, torch.tensor([5, 5]))
    assert motion_likeness(flow, one, one.fake) is None


def test_the_motion_constraint_is_added_to_the_generator_alone():
    one = micro()
    one.fake = torch.rand(2, 3, 16, 32, 32, generator=torch.Generator().manual_seed(1)).requires_grad_()
    one.batch = Batch(torch.rand(2, 3, 16, 32, 32, generator=torch.Generator().manual_seed(2)), one.batch.label)
    recipe = MVTGANRecipe(motion=1.0)
    losses = recipe.generator(networks(), one)
    assert 0 < losses["g_motion"].item() < 2
    losses["g_motion"].backward()
    assert one.fake.grad.abs().max() > 0
    assert "g_motion" not in recipe.discriminators(networks(), micro())
    one.batch = Batch(one.batch.clip, torch.tensor([7, 8]))  # no pair matches: skipped
    assert "g_motion" not in recipe.generator(networks(), one)


def of(values: list[float]) -> torch.Tensor:
    """Clips of one grey each."""
    return torch.tensor(values).view(-1, 1, 1, 1, 1).expand(-1, 3, 16, 16, 16)


def test_variety_is_measured_in_pairs_of_one_label_against_real_ones():
    label = torch.tensor([0, 0, 1, 1, 2])
    one = micro()
    one.batch, one.condition = Batch(of([0.0, 0.4, 0.1, 0.3, 0.9]), label), Condition.of_classes(label, 3)
    wanted = (0.4 + 0.2) / 2
    for values, found in (
        ([0.5, 0.5, -0.5, -0.5, 0.0], 0.0),  # one clip for each label, however different those are
        ([0.5, 0.6, -0.5, -0.55, 0.0], (0.1 + 0.05) / 2),
        ([0.0, 0.9, 0.0, 0.9, 0.0], 0.9),
    ):
        assert lack_of_variety(one, of(values)).item() == pytest.approx(max(0, 1 - found / wanted), abs=1e-5)
    one.condition = Condition()  # without labels all are one, whatever the data knows
    one.batch = Batch(of([0.0, 0.4, 0.4, 0.4, 0.4]), label)
    assert lack_of_variety(one, of([0.0, 0.1, 0.1, 0.1, 0.1])).item() == pytest.approx(0.75)
    one.batch = Batch(of([0.2] * 5))
    assert lack_of_variety(one, of([0.0] * 5)) is None  # real ones do not differ either
    one.batch, one.condition = Batch(one.batch.clip, torch.arange(5)), Condition.of_classes(torch.arange(5), 5)
    assert lack_of_variety(one, of([0.0] * 5)) is None  # no pair


def test_noise_is_no_variety():
    label = torch.zeros(4, dtype=torch.long)
    one = micro()
    one.batch, one.condition = Batch(of([0.0, 0.1, 0.2, 0.3]), label), Condition.of_classes(label, 1)
    noise = 0.25 * torch.randn(4, 3, 16, 64, 64, generator=torch.Generator().manual_seed(0))
    assert lack_of_variety(one, noise) > 0.8


def test_variety_is_asked_of_the_generator_alone():
    one = micro()
    one.batch = Batch(torch.rand_like(one.batch.clip), torch.zeros(2, dtype=torch.long))
    one.condition = Condition.of_classes(torch.zeros(2, dtype=torch.long), 2)
    one.fake = one.fake.clone().mul_(1e-3).requires_grad_()
    losses = MVTGANRecipe(variety=5.0).generator(networks(), one)
    assert losses["g_variety"].item() == pytest.approx(5 * lack_of_variety(one, one.fake).item())
    losses["g_variety"].backward()
    assert one.fake.grad.abs().max() > 0
    assert "g_variety" not in MVTGANRecipe().generator(networks(), one)
    assert "g_variety" not in MVTGANRecipe(variety=5.0).discriminators(networks(), micro())


@pytest.mark.parametrize(
    "options",
    [
        {"variety": -1.0},
        {"loss": "wasserstein"},
        {"flow": "farneback"},
        {"discriminator_steps": 0},
        {"motion": -1.0},
        {"augment": ("blur",)},
        {"ema": 1.0},
        {"lr_generator": -1.0},
    ],
)
def test_impossible_recipes_are_refused(options):
    with pytest.raises(VidganError):
        MVTGANRecipe(**options)


def test_presets_carry_the_papers_values():
    for name in ("paper", "mvt", "mvt-mc", "mvt-var", "mvt-tsa"):
        one = PRESETS[name].check()
        assert (one.recipe.lr_generator, one.recipe.lr_discriminator, one.recipe.betas) == (5e-5, 2e-4, (0.0, 0.9))
        assert one.recipe.discriminator_steps == 2 and one.recipe.loss == "hinge" and not one.recipe.ema
        assert one.model.width == 96 and one.model.hidden == 2048
    paper = PRESETS["paper"]
    assert (paper.model.size, paper.batch, paper.recipe.frames_to_image) == (128, 64, 8)
    rows = {name: PRESETS[name] for name in ("mvt", "mvt-mc", "mvt-var", "mvt-tsa")}
    assert {(one.model.size, one.batch, one.recipe.frames_to_image) for one in rows.values()} == {(96, 40, 4)}
    assert {name: one.model.deviations for name, one in rows.items()} == {
        "mvt": (1.0, 1.0, 1.0), "mvt-mc": (1.0, 1.0, 1.0), "mvt-var": (0.5, 1.0, 2.0), "mvt-tsa": (0.5, 1.0, 2.0)
    }  # fmt: skip
    assert {name: one.model.shifted_blocks for name, one in rows.items()} == {
        "mvt": 0, "mvt-mc": 0, "mvt-var": 0, "mvt-tsa": 2
    }  # fmt: skip
    assert {name: one.recipe.motion for name, one in rows.items()} == {
        "mvt": 0.0, "mvt-mc": 1.0, "mvt-var": 0.0, "mvt-tsa": 0.0
    }  # fmt: skip
    released = PRESETS["released"].check()
    assert (released.batch, released.micro_batches, released.recipe.labels) == (48, 8, "uniform")
    assert released.model.shift_divisor == 3 and released.model.shift_placement == "block"


def small(tmp_path, **recipe):
    """Two steps of the smoke preset."""
    options = preset("mvtgan", "smoke", RECIPES)
    options = dataclasses.replace(
        options,
        run=tmp_path / "run",
        steps=2,
        batch=2,
        sheet_every=0,
        recipe=dataclasses.replace(options.recipe, **recipe),
    )
    return dataclasses.replace(options, model=dataclasses.replace(options.model, width=2))


def test_both_steps_of_the_discriminators_see_clips_of_their_own(tmp_path):
    trainer = Trainer(small(tmp_path))
    trainer.close()
    first, second = (next(trainer._micros(draw)).batch.clip for draw in (0, 1))
    assert not torch.equal(first, second)
    trainer.step = 1
    assert not any(torch.equal(clip, next(trainer._micros(0)).batch.clip) for clip in (first, second))
    assert [phase.draw for phase in trainer.phases] == [0, 1, 1]


@pytest.mark.parametrize("name", [*PRESETS])
def test_every_preset_trains_and_leaves_its_state(name, tmp_path):
    options = preset("mvtgan", name, RECIPES)
    narrow = dataclasses.replace(options.model, width=2, hidden=8, embedding=4)
    options = dataclasses.replace(
        options, model=narrow, data="expressions", data_options=("bank=16", "identities=8"), run=tmp_path / "run",
        batch=4, micro_batches=min(2, options.micro_batches), steps=1, sheet_every=0, log_every=1, threads=1,
    )  # fmt: skip
    train(options)
    tensors, facts = load_state(options.run)
    assert facts["step"] == 1 and any(key.startswith("network.image.") for key in tensors)
    (line,) = read_log(options.run)
    assert {"d_video", "d_image", "g_video", "g_image"} <= line.keys() and ("g_motion" in line) == (name == "mvt-mc")


@pytest.mark.parametrize("recipe", [{"motion": 1.0}, {"labels": "uniform"}, {"augment": ("flip", "colour")}])
def test_variants_train(recipe, tmp_path):
    trainer = Trainer(small(tmp_path, **recipe))
    losses = trainer.train_step()
    trainer.close()
    assert {"d_video", "d_image", "g_video", "g_image"} <= losses.keys() and ("g_motion" in losses) == (
        "motion" in recipe
    )
    assert all(math.isfinite(value) for value in losses.values())


def test_the_motion_constraint_trains_with_raft(tmp_path):
    torch.manual_seed(0)
    torch.save(torchvision("models.optical_flow").raft_small(weights=None).state_dict(), tmp_path / "raft.pth")
    trainer = Trainer(small(tmp_path, motion=1.0, flow="raft-small", flow_weights=str(tmp_path / "raft.pth")))
    losses = trainer.train_step()
    trainer.close()
    assert 0 <= losses["g_motion"] <= 2


def test_a_clip_that_stands_still_gets_a_gradient_of_sane_size():
    one = micro()
    one.batch = Batch(torch.rand(2, 3, 16, 32, 32, generator=torch.Generator().manual_seed(2)), one.batch.label)
    still = torch.rand(2, 3, 1, 32, 32, generator=torch.Generator().manual_seed(1)).repeat(1, 1, 16, 1, 1)
    still.requires_grad_()
    motion_likeness(lucas_kanade, one, still).backward()
    assert 0 < still.grad.norm() < 100


def test_data_without_labels_trains(tmp_path):
    trainer = Trainer(dataclasses.replace(small(tmp_path, motion=1.0), conditional=False))
    assert "g_motion" in trainer.train_step()
    trainer.close()
    assert trainer.networks.plain["generator"].config.classes == 0


def test_resumed_is_the_same_to_the_bit(tmp_path):
    options = small(tmp_path)
    train(options)
    whole, _ = load_state(options.run)
    half = dataclasses.replace(options, run=tmp_path / "half")
    train(dataclasses.replace(half, steps=1))
    train(half)
    resumed, _ = load_state(half.run)
    assert whole.keys() == resumed.keys() and all(torch.equal(value, resumed[name]) for name, value in whole.items())
