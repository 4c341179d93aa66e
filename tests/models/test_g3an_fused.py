"""The fast form of G3AN is the same function."""

import pytest
import torch

from vidgan import Condition
from vidgan.models import build
from vidgan.training.ema import calibrate


def trained_like(**options):
    """A small generator whose norms and attention do something."""
    torch.manual_seed(0)
    generator = build("g3an", **{"width": 4, "spectral_norm": False, **options})
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("gamma"):
                parameter.fill_(0.6)
            if ".1.bias" in name:
                parameter.normal_(0, 0.3)
    return calibrate(generator, batches=2, size=4)


@pytest.mark.parametrize(
    "options",
    [
        {"classes": 3, "attention_after": 2},
        {"attention_after": None},
        {"attention_after": 0},
        {"attention_after": 4},
        {"spatial_stream": False, "attention_after": 1},
        {"temporal_stream": False, "attention_after": None},
        {"spatial_stream": False, "temporal_stream": False, "attention_after": None},
    ],
)
@pytest.mark.parametrize("steps", [1, 2, 6])
def test_fused_clips_are_the_networks_own(options, steps):
    generator = trained_like(**options)
    latents = generator.latent_space.sample(2, seed=4, steps=steps)
    condition = Condition.of_label(1, generator.labels, batch=2) if generator.config.classes else None
    slow = generator.generate(latents, condition)
    assert generator.fuse().fused is not None
    fast = generator.generate(latents, condition)
    assert fast.shape == slow.shape
    assert (fast - slow).abs().max() < 1e-5
    assert not torch.equal(slow[0], slow[1])


def test_training_undoes_it():
    generator = trained_like(attention_after=None).fuse()
    assert generator.fused is not None
    assert generator.train().fused is None
    assert generator.eval().fuse().fused is not None


@pytest.mark.parametrize("options", [{"convolution": "3d"}, {"spectral_norm": True}])
def test_other_forms_are_left_as_they_are(options):
    generator = build("g3an", width=2, attention_after=None, **{"spectral_norm": False, **options}).eval()
    assert generator.fuse().fused is None
    assert generator.generate(generator.latent_space.sample(1, seed=1)).shape == (1, 3, 16, 64, 64)
