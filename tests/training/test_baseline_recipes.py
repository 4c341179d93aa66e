"""How the baselines learn: their losses by hand numbers, TGAN's clipping, and runs that are stopped and go on."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from vidgan import Condition, VidganError, hub
from vidgan.data import Batch
from vidgan.training.export import export
from vidgan.training.log import read_log
from vidgan.training.options import preset
from vidgan.training.phases import Micro, Networks
from vidgan.training.recipes import RECIPES
from vidgan.training.recipes.mocogan import MoCoGANRecipe
from vidgan.training.recipes.tgan import TGANRecipe
from vidgan.training.recipes.vgan import VGANRecipe
from vidgan.training.state import load_state
from vidgan.training.trainer import Trainer, train

BASELINES = ("vgan", "tgan", "mocogan")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """One small bank of drawn clips for all tests of a session."""
    folder = tmp_path_factory.getbasetemp() / "vidgan-cache"
    monkeypatch.setenv("VIDGAN_CACHE", str(folder))
    return folder


def smoke(architecture: str, run, name: str = "smoke", **changes):
    options = preset(architecture, name, RECIPES)
    model = dataclasses.replace(options.model, **({"width": 2} | changes.pop("model", {})))
    told = {"steps": 2, "sheet_every": 0, "threads": 1, "batch": 4, "log_every": 1, "precision": "fp32"}
    data = {"data_options": ("bank=48", "identities=16")} if options.data == "expressions" else {}
    return dataclasses.replace(options, run=run, model=model, **data | told | changes)


class Mean(nn.Module):
    """A critic whose score is `slope` times the mean of what it sees, in `outputs` columns that rise by 1."""

    def __init__(self, slope: float, outputs: int = 0):
        super().__init__()
        self.slope, self.outputs = nn.Parameter(torch.tensor(slope)), outputs

    def forward(self, clip, condition=None):
        score = self.slope * clip.flatten(1).mean(1)
        return score[:, None] + torch.arange(float(self.outputs)) if self.outputs else score


def micro(real: float, fake: float, **told) -> Micro:
    clips = [torch.full((2, 3, 16, 4, 4), value) for value in (real, fake)]
    random = torch.Generator().manual_seed(0)
    return Micro(Batch(clips[0], None), None, Condition(**told), random, step=0, keep_fake=True, fake=clips[1])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


# ------------------------------------------------------------------------------------------------ losses


def test_vgans_losses_by_hand():
    generator = nn.Identity()
    generator.last_mask = torch.tensor([0.2, 0.6])
    networks = Networks({"generator": generator, "video": Mean(2.0)})
    recipe = VGANRecipe()
    assert recipe.discriminator(networks, micro(0.5, -0.25))["d_video"].item() == pytest.approx(
        softplus(-1.0) + softplus(-0.5), rel=1e-5
    )
    image = torch.full((2, 3, 4, 4), 0.15)
    losses = recipe.generator(networks, micro(0.5, -0.25, image=image))
    assert losses["g_video"].item() == pytest.approx(softplus(0.5), rel=1e-5)
    assert losses["g_mask"].item() == pytest.approx(0.1 * 0.4, rel=1e-5)
    assert losses["g_first"].item() == pytest.approx(10 * 0.4, rel=1e-5)
    assert set(VGANRecipe(mask=0.0).generator(networks, micro(0.5, -0.25))) == {"g_video"}


def test_tgans_losses_are_differences_of_means():
    networks = Networks({"generator": nn.Identity(), "video": Mean(2.0)})
    assert TGANRecipe().discriminator(networks, micro(0.5, -0.25))["d_video"].item() == pytest.approx(-1.5)
    assert TGANRecipe().generator(networks, micro(0.5, -0.25))["g_video"].item() == pytest.approx(0.5)


def test_mocogans_losses_by_hand():
    networks = Networks({"generator": nn.Identity(), "video": Mean(2.0, 4), "image": Mean(4.0, 1)})
    label = torch.tensor([[0.0, 1, 0], [0.0, 0, 1]])
    recipe = MoCoGANRecipe()
    losses = recipe.discriminators(networks, micro(0.5, -0.25, label=label))
    assert losses["d_video"].item() == pytest.approx(softplus(-1.0) + softplus(-0.5), rel=1e-5)
    assert losses["d_image"].item() == pytest.approx(softplus(-2.0) + softplus(-1.0), rel=1e-5)
    every = math.log(sum(math.exp(k) for k in range(3)))  # the classes' logits are 1, 2 and 3 above the score
    assert losses["d_class"].item() == pytest.approx(every - 1.5, rel=1e-5)
    losses = recipe.generator(networks, micro(0.5, -0.25, label=label, image=torch.zeros(2, 3, 4, 4)))
    assert losses["g_video"].item() == pytest.approx(softplus(0.5), rel=1e-5)
    assert losses["g_image"].item() == pytest.approx(softplus(1.0), rel=1e-5)
    assert losses["g_class"].item() == pytest.approx(every - 1.5, rel=1e-5)
    assert losses["g_first"].item() == pytest.approx(10 * 0.0625, rel=1e-5)
    assert "d_class" not in recipe.discriminators(networks, micro(0.5, -0.25))


def test_d_i_of_mocogan_sees_a_random_frame_of_each_clip():
    clip = torch.arange(16.0).view(1, 1, 16, 1, 1).expand(64, 3, 16, 2, 2) + 100 * torch.arange(64).view(64, 1, 1, 1, 1)
    frames = MoCoGANRecipe()._frame(clip, micro(0, 0))
    assert frames.shape == (64, 3, 2, 2)
    assert torch.equal(frames[:, 0, 0, 0] // 100, torch.arange(64.0))
    times = frames[:, 0, 0, 0] % 100
    assert len(times.unique()) > 10


@pytest.mark.parametrize(
    ("recipe", "options"),
    [
        (VGANRecipe, {"mask": -1}),
        (VGANRecipe, {"lr_generator": -1}),
        (TGANRecipe, {"clip_every": 0}),
        (TGANRecipe, {"smoothing": 1.0}),
        (MoCoGANRecipe, {"weight_decay": -1}),
        (MoCoGANRecipe, {"ema": 1.0}),
    ],
)
def test_impossible_recipes_are_refused(recipe, options):
    with pytest.raises(VidganError):
        recipe(**options)


def test_presets_carry_the_papers_values():
    paper = {name: RECIPES[name].PRESETS["paper"] for name in BASELINES}
    assert [paper[name].batch for name in BASELINES] == [64, 32, 32]
    assert paper["vgan"].model.frames == 32 and paper["vgan"].recipe == VGANRecipe(ema=0.0)
    assert paper["tgan"].recipe.learning_rates() == {"generator": 5e-5, "video": 5e-5}
    optimizer = paper["tgan"].recipe.optimizer([torch.zeros(1, requires_grad=True)], 5e-5)
    assert isinstance(optimizer, torch.optim.RMSprop) and optimizer.defaults["lr"] == 5e-5
    optimizer = paper["mocogan"].recipe.optimizer([torch.zeros(1, requires_grad=True)], 2e-4)
    assert isinstance(optimizer, torch.optim.Adam) and optimizer.defaults["weight_decay"] == 1e-5
    assert paper["mocogan"].model.noise == 0.1


# ------------------------------------------------------------------------------------------------ runs


@pytest.mark.parametrize(("architecture", "name"), [(one, name) for one in BASELINES for name in RECIPES[one].PRESETS])
def test_every_preset_trains(architecture, name, tmp_path):
    options = smoke(architecture, tmp_path, name)
    train(options)
    last = read_log(tmp_path)[-1]
    losses = {key: value for key, value in last.items() if key.startswith(("d_", "g_"))}
    assert last["step"] == 2 and "g_video" in losses and all(math.isfinite(value) for value in losses.values())
    image = options.model.image if architecture != "tgan" else False
    assert ("g_first" in losses) == image


@pytest.mark.parametrize("architecture", BASELINES)
def test_resumed_is_the_same_to_the_bit(architecture, tmp_path):
    for folder, stops in (("whole", [7]), ("halves", [3, 7])):
        for steps in stops:
            train(smoke(architecture, tmp_path / folder, steps=steps))
    one, two = (load_state(tmp_path / folder)[0] for folder in ("whole", "halves"))
    assert one.keys() == two.keys()
    assert [name for name in one if not torch.equal(one[name], two[name])] == []


@pytest.mark.parametrize("architecture", BASELINES)
def test_a_run_becomes_a_release(architecture, tmp_path, own_checkpoints):
    train(smoke(architecture, tmp_path / "run"))
    folder = export(tmp_path / "run", architecture, tmp_path / "release", clips=2)
    generator = hub.load(str(folder))
    assert generator.config.classes == (6 if architecture == "mocogan" else 0)
    clip = generator.generate(generator.sample(1, seed=0))
    assert clip.shape == (1, 3, 16, 64, 64) and torch.isfinite(clip).all()
    card = (folder / "README.md").read_text("utf-8")
    assert ("cannot be chosen apart" in card) == (architecture != "mocogan")


def test_singular_values_are_clipped_every_few_steps(tmp_path):
    options = smoke("tgan", tmp_path)
    options = dataclasses.replace(options, recipe=TGANRecipe(clip_every=3, lr_discriminator=0.05))
    trainer = Trainer(options)
    largest = []
    for _ in range(6):
        trainer.train_step()
        judge = trainer.networks.plain["video"]
        matrices = [part.weight.flatten(1) for part in judge.modules() if isinstance(part, nn.Conv3d | nn.Conv2d)]
        largest.append(max(torch.linalg.svdvals(matrix).max().item() for matrix in matrices))
    trainer.close()
    assert [value < 1.0001 for value in largest] == [False, False, True, False, False, True]


@pytest.mark.parametrize(
    ("architecture", "changes", "said"),
    [
        ("vgan", {"conditional": True}, "--no-conditional"),
        ("tgan", {"micro_batches": 2}, "micro_batches"),
        ("vgan", {"recipe": VGANRecipe(mask=math.nan)}, "mask is no finite number: nan"),
        ("vgan", {"max_minutes": math.inf}, "max_minutes is no finite number"),
    ],
)
def test_contradictions_are_refused(architecture, changes, said, tmp_path):
    with pytest.raises(VidganError, match=said):
        smoke(architecture, tmp_path, **changes).check()
