"""Pictures in motion, part after part."""

import numpy as np
import pytest
import torch

from vidgan import Condition, VidganError
from vidgan.explore.animate import animate
from vidgan.inference import Renderer
from vidgan.models import build
from vidgan.training.ema import calibrate
from vidgan.video import to_clip, to_uint8


@pytest.fixture(scope="module")
def generator():
    torch.manual_seed(0)
    images = torch.rand(16, 3, 64, 64) * 2 - 1
    label = Condition.of_classes(torch.arange(16) % 2, 2).label
    return calibrate(build("imaginator", width=2, classes=2, frames=16), Condition(label, images), batches=1)


def told(*labels: int) -> Condition:
    image = to_clip(np.full((1, 1, 64, 64, 3), 90, np.uint8))[:, :, 0]
    return Condition(Condition.of_classes(torch.tensor(labels), 2).label if labels else None, image)


def test_one_part_is_what_the_generator_draws(generator):
    latents = generator.latent_space.sample(1, 3)
    frames = animate(generator, latents, told(1))
    assert np.array_equal(frames, to_uint8(generator.generate(latents, told(1)))[0])
    assert np.array_equal(animate(Renderer(generator), latents, told(1)), frames)


def test_each_part_goes_on_from_the_frame_that_was_shown_last(generator):
    latents = generator.latent_space.sample(3, 3)
    frames = animate(generator, latents, told(0, 1, 0))
    assert frames.shape == (16 + 2 * 15, 64, 64, 3)
    assert np.array_equal(frames[:16], animate(generator, latents.row(0), told(0)))
    last = to_clip(frames[None, 15:16])[:, :, 0]
    second = animate(generator, latents.row(1), Condition(told(1).label, last))
    assert np.array_equal(frames[16:31], second[1:])
    assert np.array_equal(animate(generator, latents, told(0)), animate(generator, latents, told(0, 0, 0)))


@pytest.mark.parametrize(
    ("parts", "condition", "message"),
    [
        (9, told(0), "1 to 8 parts, not 9"),
        (1, Condition(), "takes one picture"),
        (3, told(0, 1), "labels for 2 parts, but 3"),
    ],
)
def test_what_does_not_fit_is_refused(generator, parts, condition, message):
    with pytest.raises(VidganError, match=message):
        animate(generator, generator.latent_space.sample(parts, 0), condition)
