"""The renderer gives the frames of the one path, whoever asks, and remembers them."""

import threading

import numpy as np
import pytest
import torch

from vidgan import Condition, VidganError, hub, video
from vidgan.inference import Renderer


@pytest.fixture
def generator(checkpoints):
    return hub.load("g3an-expressions")


def test_frames_are_those_of_generate(generator):
    latents = generator.latent_space.sample(3, 5, steps=2)
    condition = Condition.of_label({"fear": 0.4, "anger": 0.6}, generator.labels, 3)
    frames = Renderer(generator).draw(latents, condition).frames
    assert frames.dtype == np.uint8 and frames.shape == (3, 20, 64, 64, 3)
    assert np.array_equal(frames, video.to_uint8(generator.generate(latents, condition)))


def test_remembers_until_the_cache_is_full(generator):
    one_clip = 16 * 64 * 64 * 3 / 2**20
    renderer = Renderer(generator, cache_mb=2.5 * one_clip)
    points = generator.latent_space.sample(3, 1)
    first = renderer.draw(points.row(0))
    assert first.cached == 0 and first.ms > 0
    again = renderer.draw(points.row(0))
    assert again.cached == 1 and again.ms == 0 and np.array_equal(again.frames, first.frames)
    assert renderer.draw(points.row(0), Condition.of_label("fear", generator.labels)).cached == 0
    renderer.draw(points.slice(1, 3))
    assert renderer.draw(points.row(0)).cached == 0, "the oldest clip should have made room"
    assert renderer.draw(points.row(2)).cached == 1


def test_what_is_handed_out_does_not_change_what_is_remembered(generator):
    renderer = Renderer(generator)
    point = generator.latent_space.sample(1, 1)
    frames = renderer.draw(point).frames
    before = frames.copy()
    frames[:] = 0
    assert np.array_equal(renderer.draw(point).frames, before)


def test_many_threads_get_the_frames_that_one_gets(generator):
    points = generator.latent_space.sample(6, 3)
    alone = video.to_uint8(generator.generate(points))
    renderer, found = Renderer(generator, cache_mb=0.5), {}

    def ask(index):
        found[index] = renderer.draw(points.row(index % 6)).frames[0]

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 18
    assert all(np.array_equal(frames, alone[i % 6]) for i, frames in found.items())


def test_refuses_what_does_not_fit(generator):
    renderer, point = Renderer(generator), generator.latent_space.sample(1, 1)
    with pytest.raises(VidganError, match="Label weights must be"):
        renderer.draw(point, Condition.of_label("fear", generator.labels, batch=2))
    with pytest.raises(VidganError, match="NaN"):
        renderer.draw(point.replace(appearance=torch.full((1, 128), float("nan"))))
