import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

from vidgan.data import open_source
from vidgan.data.expressions import FACTORS, LABELS, draw, identity_factors, sample_factors
from vidgan.data.expressions.factors import FIRST_TEST_IDENTITY, TEST_IDENTITIES
from vidgan.errors import VidganError


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def factors(n=4, seed=0, **fixed):
    """n clips' factors, some of them set to one value for all."""
    values = sample_factors(n, torch.Generator().manual_seed(seed))
    for name, value in fixed.items():
        values[name] = torch.full_like(values[name], value)
    return values


def row(values, i):
    return {name: value[i : i + 1] for name, value in values.items()}


# a face at the apex in its first frame, looking at us
APEX = {"onset": 0.0, "start_phase": 0.75, "intensity": 1.0, "yaw_start": 0.0, "nod": 0.0, "blink": 1.0}


def test_factor_table_describes_what_is_sampled():
    values = sample_factors(2000, torch.Generator().manual_seed(0))
    assert set(values) == {f.name for f in FACTORS} | {"identity"}
    assert {f.role for f in FACTORS} == {"appearance", "motion"}
    for factor in FACTORS:
        value = values[factor.name]
        assert value.shape == (2000,)
        if factor.kind == "categorical":
            assert value.dtype == torch.int64
            assert value.unique().tolist() == list(range(len(factor.choices))), factor.name
        else:
            assert value.dtype == torch.float32
            reach = factor.high - factor.low
            assert factor.low <= value.min() < factor.low + 0.05 * reach, factor.name
            assert factor.high - 0.05 * reach < value.max() <= factor.high, factor.name


def test_labels_are_balanced_in_every_batch():
    for n in (6, 32, 96):
        counts = sample_factors(n, torch.Generator().manual_seed(n))["expression"].bincount(minlength=6)
        assert counts.max() - counts.min() <= 1
        assert counts.sum() == n
    order = [tuple(sample_factors(6, torch.Generator().manual_seed(s))["expression"].tolist()) for s in range(8)]
    assert len(set(order)) > 4  # and in an order of their own


def test_train_and_test_people_never_meet():
    train = sample_factors(20000, torch.Generator().manual_seed(0), "train", identities=4096)["identity"]
    test = sample_factors(20000, torch.Generator().manual_seed(0), "test")["identity"]
    assert train.min() == 0 and train.max() == 4095
    assert test.min() == FIRST_TEST_IDENTITY and test.max() == FIRST_TEST_IDENTITY + TEST_IDENTITIES - 1
    everyone = torch.cat([torch.arange(4096), torch.arange(TEST_IDENTITIES) + FIRST_TEST_IDENTITY])
    table = torch.stack([value.double() for value in identity_factors(everyone).values()], 1)
    assert len(table.unique(dim=0)) == len(everyone)
    assert len(table[:, :3].unique(dim=0)) == len(everyone)  # the first three alone tell them apart
    again = identity_factors(everyone[5:6])
    assert all(again[name][0] == value for name, value in zip(again, table[5]))


@pytest.mark.parametrize(("size", "frames"), [(32, 16), (48, 1), (64, 5), (100, 2), (256, 2)])
def test_any_size_and_length(size, frames):
    clip = draw(factors(2), frames, size)
    assert clip.shape == (2, 3, frames, size, size) and clip.dtype == torch.float32
    assert clip.isfinite().all() and clip.min() >= -1 and clip.max() <= 1
    assert clip.std() > 0.2


def test_size_changes_sharpness_alone():
    values = factors(6, **APEX)
    small, large = draw(values, 1, 64)[:, :, 0], draw(values, 1, 256)[:, :, 0]
    gap = (avg_pool2d(large, 4) - small).abs()
    assert gap.mean() < 0.015  # a hard-edged or shifted drawing would be several times as far
    rough = (avg_pool2d(large, 4) - large[..., 2::4, 2::4]).abs()
    assert gap.mean() < rough.mean()


def test_a_clip_is_a_function_of_its_own_factors():
    values = factors(9)
    clip = draw(values, 6, 32)
    assert torch.equal(clip, draw(values, 6, 32))
    for i in (0, 8):
        assert torch.allclose(draw(row(values, i), 6, 32)[0], clip[i], atol=1e-5)
    assert torch.allclose(draw(values, 40, 32)[:, :, :6], clip, atol=1e-5)  # a longer clip goes on from the shorter


def test_everything_is_made_on_the_device_asked_for():
    # tensors of the meta device hold no values and refuse to meet any that do, as those of a GPU would
    assert draw(factors(3), 2, 32, "meta").device.type == "meta"


@pytest.mark.parametrize("factor", FACTORS, ids=lambda f: f.name)
def test_each_factor_shows(factor):
    base = factors(4, seed=1, hair_style=1, yaw_start=0.0, start_phase=0.0, blink=0.5)
    places = (0, 0.2, 0.4) if factor.name == "blink" else (0, 0.5, 1)  # later blinks are beyond these frames
    options = [factor.low + (factor.high - factor.low) * place for place in places]
    if factor.choices:
        options = range(len(factor.choices))
    clips = [draw({**base, factor.name: torch.full_like(base[factor.name], v)}, 12, 48) for v in options]
    for i, one in enumerate(clips):
        for other in clips[:i]:
            # somewhere in every clip at least a tenth of a pixel's range
            assert ((one - other).abs().amax(dim=(1, 2, 3, 4)) > 0.2).all()


def test_motion_leaves_the_background_alone():
    still, moving = factors(5, seed=1), factors(5, seed=2)
    moving = {f.name: (still if f.role == "appearance" else moving)[f.name] for f in FACTORS}
    one, other = draw(still, 16, 64), draw(moving, 16, 64)
    assert (one - other).abs().max() > 0.5
    for corner in (np.s_[..., :16, :3], np.s_[..., :16, -3:]):
        assert torch.equal(one[corner], other[corner])
        assert (one[corner] == one[:, :, :1][corner]).all()


def test_a_clip_begins_neutral_and_moves():
    values = factors(24, start_phase=0.0, yaw_swing=0.0, nod=0.0, blink=1.2)
    clip = draw(values, 16, 64)
    calm = draw({**values, "intensity": torch.zeros(24)}, 16, 64)
    away = (clip - calm).abs().mean(dim=(1, 3, 4))  # [B, T]
    assert (away[:, 0] < 0.002).all()
    assert (away[:, 11] > 0.012).all()
    assert (away.argmax(1) >= 6).all()


def test_expressions_tell_apart_on_people_never_seen():
    def change(split, seed):
        values = sample_factors(96, torch.Generator().manual_seed(seed), split)
        values.update({name: torch.full((96,), value) for name, value in APEX.items()})
        neutral = {**values, "intensity": torch.zeros(96)}
        return (draw(values, 1, 64) - draw(neutral, 1, 64)).flatten(1), values["expression"]

    train, label = change("train", 0)
    centres = torch.stack([train[label == k].mean(0) for k in range(len(LABELS))])
    test, truth = change("test", 1)
    guess = torch.nn.functional.cosine_similarity(test[:, None], centres[None], dim=-1).argmax(1)
    assert (guess == truth).float().mean() > 0.95


@pytest.mark.parametrize("bank", [0, 12])
def test_batches_are_a_function_of_seed_rank_and_step(bank, tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))

    def batch(step=3, **options):
        return open_source("expressions", frames=4, size=32, bank=bank, **options).batch(5, step)

    one, again = batch(), batch()
    assert one.clip.shape == (5, 3, 4, 32, 32) and one.clip.dtype == torch.float32
    assert torch.equal(one.clip, again.clip) and torch.equal(one.label, again.label)
    assert torch.equal(one.label, one.factors["expression"]) and one.label.dtype == torch.int64
    assert all(torch.equal(one.factors[name], again.factors[name]) for name in one.factors)
    for other in (batch(step=4), batch(seed=1), batch(rank=1)):
        assert not torch.equal(one.clip, other.clip)
    assert torch.allclose(draw(one.factors, 4, 32), one.clip, atol=1.01 / 127.5 if bank else 1e-6)


def test_a_bank_is_drawn_once_and_again_when_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))
    torch.set_num_threads(2)

    def open_bank(**options):
        return open_source("expressions", **{"frames": 2, "size": 32, "bank": 40, **options})

    clip = open_bank().batch(8, 0).clip
    assert torch.get_num_threads() == 2
    (file,) = tmp_path.iterdir()  # the bank and no leftovers
    whole = file.read_bytes()
    stamp = file.stat().st_mtime_ns
    assert torch.equal(open_bank().batch(8, 0).clip, clip)
    assert file.stat().st_mtime_ns == stamp  # read, not drawn
    for damaged in (whole[:-1000], b"not a bank", b""):
        file.write_bytes(damaged)
        assert torch.equal(open_bank().batch(8, 0).clip, clip)
        assert file.read_bytes() == whole
    torch.set_num_threads(1)
    file.unlink()
    open_bank()
    assert file.read_bytes() == whole  # however many threads draw it
    others = {"split": "test", "identities": 7, "frames": 3, "size": 40, "bank": 41, "simple": True, "turns": False}
    for name, value in others.items():
        open_bank(**{name: value})
    assert len(list(tmp_path.iterdir())) == 8


def test_a_bank_reaches_every_row_and_all_labels(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDGAN_CACHE", str(tmp_path))
    source = open_source("expressions", frames=1, size=32, bank=24, identities=3)
    assert source.bank.dtype == torch.uint8 and source.bank.shape == (24, 3, 1, 32, 32)
    batches = [source.batch(8, step) for step in range(20)]
    assert torch.cat([b.clip for b in batches]).flatten(1).unique(dim=0).shape[0] == 24
    assert set(torch.cat([b.factors["identity"] for b in batches]).tolist()) == {0, 1, 2}
    assert source.bank_factors["expression"].bincount().tolist() == [4] * 6


def test_heads_can_be_still():
    still, turning = (
        open_source("expressions", size=32, frames=1, bank=0, turns=turns).batch(32, 0).factors
        for turns in (False, True)
    )
    for name in ("yaw_start", "yaw_swing", "nod"):
        assert not still[name].any() and turning[name].any()
    assert all(torch.equal(still[name], turning[name]) for name in ("identity", "glasses", "background", "blink"))


def test_simple_faces_are_plain():
    values = open_source("expressions", size=32, frames=1, bank=0, simple=True).batch(32, 0).factors
    for name in ("glasses", "beard", "background", "yaw_start", "yaw_swing"):
        assert (values[name] == 0).all()


def test_mistakes_are_told(tmp_path, monkeypatch):
    for options, words in (
        ({"size": 16}, "size is 16"),
        ({"size": 512}, "size is 512"),
        ({"frames": 0}, "frames is 0"),
        ({"bank": -1}, "bank is -1"),
        ({"identities": 0, "bank": 0}, "identities is 0"),
        ({"identities": 2**21, "bank": 0}, "identities is 2097152"),
        ({"identity": 3}, "identity"),
        ({"split": "tset"}, "did you mean test"),
    ):
        with pytest.raises(VidganError, match=words):
            open_source("expressions", **options)
    incomplete = factors(2)
    del incomplete["yaw_swing"], incomplete["beard"]
    with pytest.raises(VidganError, match="beard, yaw_swing"):
        draw(incomplete, 1, 32)
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("VIDGAN_CACHE", str(blocked))
    with pytest.raises(VidganError, match="cannot be written"):
        open_source("expressions", bank=2, frames=1, size=32)
