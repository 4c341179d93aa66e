"""Losses, augmentation, averaging and state on their own."""

import errno
import json

import pytest
import torch
from safetensors.torch import save_file

from vidgan import VidganError
from vidgan.models import build
from vidgan.models.layers import step_spectral_norms
from vidgan.training import state
from vidgan.training.augment import augment
from vidgan.training.ema import EMA, calibrate, plain_copy
from vidgan.training.losses import ADVERSARIAL, r1_penalty


def test_logistic_losses_are_the_papers():
    real, fake = torch.tensor([0.3, -1.0]), torch.tensor([2.0, -0.5])
    discriminator, generator = ADVERSARIAL["logistic"]
    expected = -(torch.sigmoid(real).log().mean() + (1 - torch.sigmoid(fake)).log().mean())
    assert torch.allclose(discriminator(real, fake), expected)
    assert torch.allclose(generator(fake), -torch.sigmoid(fake).log().mean())


def test_hinge_losses():
    discriminator, generator = ADVERSARIAL["hinge"]
    assert discriminator(torch.tensor([0.25, 3.0]), torch.tensor([-2.0, 0.5])) == 0.375 + 0.75
    assert generator(torch.tensor([1.0, 3.0])) == -2


def test_r1_of_a_linear_discriminator_is_half_its_squared_slope():
    slope = torch.tensor([1.0, -2.0, 3.0])
    real = torch.randn(4, 3, requires_grad=True)
    assert torch.allclose(r1_penalty(real @ slope, real), 0.5 * slope.square().sum())


@pytest.mark.parametrize("policy", ["flip", "colour", "translation", "cutout"])
def test_augmentation_changes_all_frames_of_a_clip_alike_and_passes_gradients(policy):
    still = torch.rand(6, 3, 1, 16, 16).repeat(1, 1, 4, 1, 1).requires_grad_()
    changed = augment(still, (policy,), torch.Generator().manual_seed(1))
    assert changed.shape == still.shape
    assert not torch.equal(changed, still)
    assert torch.allclose(changed, changed[:, :, :1].expand_as(changed), atol=1e-6)
    changed.sum().backward()
    assert still.grad.abs().sum() > 0
    again = augment(still, (policy,), torch.Generator().manual_seed(1))
    assert torch.equal(changed, again)


def test_unknown_augmentation_is_named():
    with pytest.raises(VidganError, match="did you mean cutout"):
        augment(torch.zeros(1, 3, 1, 8, 8), ("cutuot",), torch.Generator())


def test_average_is_of_effective_weights_and_copies_buffers():
    torch.manual_seed(0)
    generator = build("g3an", width=2, spectral_norm=True).train()
    ema = EMA(generator, decay=0.75)
    before = {name: value.clone() for name, value in ema.generator.state_dict().items()}
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    step_spectral_norms(generator)
    generator(generator.latent_space.sample(4, seed=1))  # moves the batch-norm statistics
    ema.update(generator, step=100)
    fast = plain_copy(generator).state_dict()
    for name, value in ema.generator.state_dict().items():
        if "running" in name or "num_batches" in name:
            assert torch.equal(value, fast[name]), name
        else:
            assert torch.allclose(value, 0.75 * before[name] + 0.25 * fast[name], atol=1e-6), name
    assert not ema.generator.training


def test_average_forgets_the_random_start():
    generator = build("g3an", width=2, spectral_norm=False)
    ema = EMA(generator, decay=0.999)
    start = generator.rgb.bias.detach().clone()
    with torch.no_grad():
        generator.rgb.bias.fill_(1.0)
    ema.update(generator, step=0)
    assert torch.allclose(ema.generator.rgb.bias, 0.1 * start + 0.9)


def test_calibration_measures_the_statistics_of_these_weights():
    torch.manual_seed(0)
    generator = build("g3an", width=2, classes=2, spectral_norm=False)
    with torch.no_grad():
        generator.g3[0].spatial[0].bias.fill_(5.0)
    calibrated = calibrate(generator)
    norm = calibrated.g3[0].spatial[1]
    assert not calibrated.training and norm.momentum == 0.1
    assert (norm.running_mean - 5).abs().max() < 0.2
    first = {name: value.clone() for name, value in calibrated.state_dict().items()}
    assert all(torch.equal(value, first[name]) for name, value in calibrate(generator).state_dict().items())


def test_states_are_kept_and_pruned(tmp_path):
    for step in (1, 2, 3):
        state.save_state(tmp_path, step, {"x": torch.full((2,), float(step))}, {"options": {}}, keep=2)
    assert [path.name for path in state.state_folders(tmp_path)] == ["step-00000002", "step-00000003"]
    tensors, facts = state.load_state(tmp_path)
    assert facts == {"step": 3, "options": {}} and tensors["x"].tolist() == [3, 3]


def test_a_full_disk_leaves_the_state_before(tmp_path, monkeypatch):
    state.save_state(tmp_path, 1, {"x": torch.ones(2)}, {"options": {}}, keep=1)

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(state, "save_file", full)
    with pytest.raises(VidganError, match="disk is full: step 2"):
        state.save_state(tmp_path, 2, {"x": torch.ones(2)}, {"options": {}}, keep=1)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["step-00000001"]
    assert state.load_state(tmp_path)[1]["step"] == 1


def test_a_kill_during_a_save_leaves_the_state_before(tmp_path):
    """What a killed save can leave is a draft: half a file under the draft's name."""
    state.save_state(tmp_path, 1, {"x": torch.ones(2)}, {"options": {}}, keep=1)
    draft = tmp_path / "state" / "step-00000002.tmp"
    draft.mkdir()
    (draft / "tensors.safetensors").write_bytes(b"\x08\x00")
    assert state.load_state(tmp_path)[1]["step"] == 1
    state.save_state(tmp_path, 2, {"x": torch.ones(2)}, {"options": {}}, keep=1)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["step-00000002"]


def test_a_damaged_state_is_passed_over(tmp_path):
    for step in (1, 2):
        state.save_state(tmp_path, step, {"x": torch.ones(2)}, {"options": {}}, keep=2)
    newest = tmp_path / "state" / "step-00000002" / "tensors.safetensors"
    newest.write_bytes(newest.read_bytes()[:-3])
    assert state.load_state(tmp_path)[1]["step"] == 1
    (tmp_path / "state" / "step-00000001" / "facts.json").write_text("{")
    with pytest.raises(VidganError, match=r"No state in .* can be read"):
        state.load_state(tmp_path)


def test_optimisers_survive_the_round_trip(tmp_path):
    weight = torch.nn.Parameter(torch.randn(4, 3, 2, 2).contiguous(memory_format=torch.channels_last))
    optimizer = torch.optim.Adam([weight], lr=0.1, betas=(0.5, 0.9))
    weight.square().sum().backward()
    optimizer.step()
    tensors, groups = state.flatten_optimizer("opt", optimizer)
    save_file({name: value.contiguous() for name, value in tensors.items()}, tmp_path / "o.safetensors")
    groups = json.loads(json.dumps(groups))
    other = torch.optim.Adam([torch.nn.Parameter(weight.detach().clone())], lr=9.0)
    state.restore_optimizer("opt", other, tensors, groups)
    slots, restored = optimizer.state_dict()["state"][0], other.state_dict()["state"][0]
    assert all(torch.equal(slots[key], restored[key]) for key in slots)
    assert other.param_groups[0]["lr"] == 0.1 and tuple(other.param_groups[0]["betas"]) == (0.5, 0.9)
