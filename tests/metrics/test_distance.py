"""A generator against a data set, and whether the distances notice what they must: with the weights that ship."""

import json
from copy import copy
from itertools import count, pairwise

import pytest
import torch

from vidgan.data import open_source
from vidgan.data.base import Batch
from vidgan.errors import VidganError
from vidgan.metrics import distance as module
from vidgan.metrics.corruptions import CORRUPTIONS
from vidgan.metrics.distance import as_shown, conditions, control, distance, real_features
from vidgan.models import ReleaseInfo, build

CLIPS = 32


@pytest.fixture(scope="module")
def generator(faces):
    torch.manual_seed(0)
    made = build("g3an", width=2, classes=6).eval()
    made.info = ReleaseInfo("tiny", "g3an", labels=faces.labels[::-1])
    return made


@pytest.fixture(scope="module")
def measured(faces, generator, shipped):
    return distance(generator, faces, CLIPS, controls=True, features=shipped)


@pytest.fixture(scope="module")
def kvd(faces, shipped):
    """kvd(kind): the kernel distance of a control to real faces (which few clips do not bias)."""
    real = real_features(faces, CLIPS, 0, shipped)
    name = f"kvd_{module.protocol(faces, CLIPS, shipped)}"
    return lambda kind: control(faces, real, CLIPS, 0, shipped, kind)[name]


def test_the_result_names_its_protocol_and_repeats(measured, generator, faces, shipped):
    name = f"vidgan-{shipped.hash}_{CLIPS}x16f64"
    assert json.loads(json.dumps(measured)) == measured
    assert {f"fvd_{name}", f"kvd_{name}"} < measured.keys()
    expected = {"data": "expressions", "split": "test", "clips": CLIPS, "real_clips": CLIPS, "real_videos": 72,
                "frames": 16, "size": 64, "stride": "1", "seed": 0, "features": shipped.hash, "generator": "tiny",
                "rank_deficient": True}  # fmt: skip
    assert expected.items() <= measured.items()
    again = distance(generator, faces, CLIPS, features=shipped)
    assert again == {key: value for key, value in measured.items() if key not in ("controls", "intervals", "note")}


def test_distances_depend_on_the_seed_and_not_on_the_batch(generator, faces, shipped):
    one, same, other = (
        distance(generator, faces, 6, seed=seed, batch_size=size, features=shipped)[
            f"kvd_vidgan-{shipped.hash}_6x16f64"
        ]
        for seed, size in ((0, 6), (0, 4), (1, 6))
    )
    assert same == pytest.approx(one, rel=1e-4) and other != pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("metric", ["fvd", "kvd"])
def test_controls_a_frozen_and_a_shuffled_clip_are_far_worse_than_another_real_one(measured, metric, shipped):
    name = f"{metric}_vidgan-{shipped.hash}_{CLIPS}x16f64"
    floor, frozen, shuffled = (measured["controls"][kind][name] for kind in ("floor", "frozen", "shuffled"))
    assert min(frozen, shuffled) > (1.5 if metric == "fvd" else 5) * max(floor, 0.01)
    assert measured[name] > floor  # an untrained generator


@pytest.mark.parametrize("kind, strengths", [("blur", (0.2, 0.4)), ("noise", (0.2, 0.3, 0.6)), ("jitter", (0.3, 1))])
def test_worse_clips_are_further_away(kvd, kind, strengths):
    steps = [abs(kvd("floor")), *(kvd(f"{kind} {strength}") for strength in strengths)]
    assert all(after > 1.5 * before for before, after in pairwise(steps)), steps


def test_real_clips_are_distinct_and_the_floor_shares_none(faces, shipped):
    real = real_features(faces, CLIPS, 0, shipped)
    floor = module.floor_features(faces, real, CLIPS, 0, shipped)
    digests = [bytes(row.tolist()) for row in torch.cat([real.digests, floor.digests])]
    assert len(set(digests)) == len(digests) == 2 * CLIPS


def test_each_floor_is_kept_for_what_it_leaves_out(faces, shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))
    fewer, more = (real_features(faces, clips, 0, shipped) for clips in (4, 12))
    for real in (fewer, more):  # the second time, what the first one wrote is there to be found
        floor = module.floor_features(faces, real, 12, 0, shipped)
        seen = {bytes(row.tolist()) for row in real.digests}
        assert not seen & {bytes(row.tolist()) for row in floor.digests}


def test_a_source_that_runs_dry_gives_what_it_has(generator, shipped):
    few = open_source("expressions", split="test", bank=8)
    result = distance(generator, few, 12, features=shipped)
    assert result["clips"] == 12 and result["real_clips"] == 8 and "only 8 distinct" in result["note"]
    *_, flag, note = module.table(result)
    assert "Fewer clips than features" in flag and note == result["note"]
    assert control(few, real_features(few, 12, 0, shipped), 12, 0, shipped, "floor") == {"clips": 0}


class _Counted:
    """A source that counts how often it is asked."""

    def __init__(self, source):
        self.__dict__.update(vars(source))
        self.name, self.labels, self.source, self.calls = source.name, source.labels, source, count()

    def batch(self, size: int, step: int) -> Batch:
        next(self.calls)
        return self.source.batch(size, step)


def test_real_features_are_kept_on_disk(faces, shipped, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))
    source = _Counted(faces)
    first = real_features(source, 8, 0, shipped)
    assert next(source.calls) > 1
    source.calls = count()
    (file,) = (tmp_path / "features").iterdir()
    second = real_features(source, 8, 0, shipped)
    assert next(source.calls) == 1  # only looked at, to be sure that it is the same source
    assert all(torch.equal(getattr(first, name), getattr(second, name)) for name in ("features", "label", "digests"))

    file.write_bytes(b"rubbish")  # what cannot be read is made again
    assert torch.equal(real_features(source, 8, 0, shipped).features, first.features)
    for change in ({"seed": 1}, {"clips": 9}):
        real_features(source, **{"clips": 8, "seed": 0, "features": shipped, **change})
    source.source = copy(faces)
    source.source.bank = faces.bank.flip(0)  # all attributes the same, other pixels
    assert not torch.equal(real_features(source, 8, 0, shipped).features, first.features)
    assert len(list((tmp_path / "features").iterdir())) == 4


def test_a_cache_that_cannot_be_written_is_done_without(faces, shipped, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path / "file"))
    assert real_features(faces, 4, 0, shipped).features.shape == (4, 128)


def test_generated_clips_have_the_datas_labels_by_name(faces, generator, shipped):
    real = real_features(faces, CLIPS, 0, shipped)
    drawn = conditions(generator, faces, torch.full_like(real.label, 2), 30, 0)
    assert drawn.label.shape == (30, 6)
    assert {generator.labels[row] for row in drawn.label.argmax(1).tolist()} == {faces.labels[2]}


def test_what_does_not_fit_is_refused(faces, generator, shipped):
    with pytest.raises(VidganError, match="1 was asked for"):
        distance(generator, faces, 1, features=shipped)
    with pytest.raises(VidganError, match="opened at 32"):
        distance(generator, open_source("expressions", split="test", size=32, bank=4), 4, features=shipped)
    with pytest.raises(VidganError, match="18 frames"):
        distance(generator, open_source("expressions", split="test", frames=18, bank=4), 4, features=shipped)
    with pytest.raises(VidganError, match="at least 2"):
        distance(generator, open_source("expressions", split="test", bank=1), 4, features=shipped)
    with pytest.raises(VidganError, match="takes 4 labels"):
        distance(build("g3an", width=2, classes=4), faces, 4, features=shipped)


def test_clips_are_measured_as_they_are_shown(faces, random):
    clip = faces.batch(2, 0).clip
    assert torch.equal(as_shown(clip), clip)
    drawn = torch.rand(1, 3, 8, 16, 16, generator=random) * 2.4 - 1.2
    assert torch.equal(as_shown(drawn), as_shown(as_shown(drawn)))
    assert (as_shown(drawn) - drawn.clamp(-1, 1)).abs().max() < 1 / 254


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_spoilt_clips_stay_clips_and_repeat(kind, faces):
    clip = faces.batch(4, 0).clip
    change = CORRUPTIONS[kind]
    for strength in (0.1, 1.0):
        once, again = (change(clip, strength, torch.Generator().manual_seed(1)) for _ in range(2))
        assert once.shape == clip.shape and torch.equal(once, again) and not torch.equal(once, clip)
        assert once.amin() >= -1 - 1e-6 and once.amax() <= 1 + 1e-6


def test_frozen_and_shuffled_keep_their_frames(faces, random):
    clip = faces.batch(3, 0).clip
    still = CORRUPTIONS["frozen"](clip, 1.0, random)
    assert all(torch.equal(still[:, :, frame], clip[:, :, 0]) for frame in range(16))
    mixed = CORRUPTIONS["shuffled"](clip, 1.0, random)
    for before, after in zip(clip, mixed):
        assert sorted(frame.sum().item() for frame in before.unbind(1)) == sorted(
            frame.sum().item() for frame in after.unbind(1)
        )
