"""The fast form of MVT-GAN is the same function."""

import pytest
import torch
import torch.nn.functional as F

from vidgan import Condition
from vidgan.models import build
from vidgan.models.mvtgan_fused import doubled_kernel
from vidgan.training.ema import calibrate


def trained_like(**options):
    """A small generator whose biases, norms and attention do something."""
    torch.manual_seed(0)
    small = {"width": 2, "hidden": 8, "embedding": 4, "size": 64, "spectral_norm": False}
    generator = build("mvtgan", **{**small, **options})
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("bias"):
                parameter.normal_(0, 0.2)
        generator.image.attention.gate.fill_(0.7)
        generator.image.norm.weight.uniform_(0.5, 1.5)
    return calibrate(generator, batches=2, size=16)


def test_a_doubled_map_convolved_is_a_transposed_convolution():
    x, weight, bias = torch.randn(2, 5, 6, 7), torch.randn(4, 5, 3, 3), torch.randn(4)
    slow = F.conv2d(F.interpolate(x, scale_factor=2.0), weight, bias, padding=1)
    fast = F.conv_transpose2d(x, doubled_kernel(weight), bias, stride=2, padding=1)
    assert torch.allclose(fast, slow, atol=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"classes": 3},
        {"size": 96, "shift_divisor": 3, "shift_placement": "block", "normalised_codes": True},
        {"size": 128, "shifted_blocks": 0},
    ],
)
@pytest.mark.parametrize("frames", [16, 5])
def test_fused_clips_are_the_networks_own(options, frames):
    generator = trained_like(**options)
    latents = generator.latent_space.sample(2, seed=4)
    classes = generator.config.classes
    condition = Condition(torch.eye(classes)[:2] if classes else None, frames=frames)
    slow = generator.generate(latents, condition)
    assert generator.fuse().fused is not None
    fast = generator.generate(latents, condition)
    assert fast.shape == slow.shape == (2, 3, frames, generator.size, generator.size)
    assert (fast - slow).abs().max() < 2e-5
    assert not torch.equal(slow[0], slow[1])


def test_with_spectral_norm_it_is_left_as_it_is():
    generator = trained_like(spectral_norm=True)
    assert generator.fuse().fused is None
