"""Latents: the same everywhere, immutable, exact on the way to text and back, and firm with garbage."""

import base64
import hashlib
import json
import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest
import torch

from vidgan import Latents, LatentSpace, Subspace, VidganError
from vidgan.latents import MAX_SEED, MAX_STEPS, slerp

SPACE = LatentSpace(
    [Subspace("appearance", 128, role="appearance"), Subspace("motion", 10, role="motion", sequence=True)]
)
WIDE = LatentSpace(
    [Subspace("a", 3, std=2.0), Subspace("b", 5, std=0.5, role="content"), Subspace("c", 1, sequence=True)]
)


def digest(latents: Latents) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in latents.values())).hexdigest()


# ---------------------------------------------------------------------------------------------- sampling


def test_sampling_is_pinned_for_ever():
    """Links, papers' figures and files on people's disks rest on these numbers: they must never change."""
    latents = SPACE.sample(4, 7, steps=3)
    assert latents["appearance"].shape == (4, 128) and latents["motion"].shape == (4, 3, 10)
    assert latents["appearance"].dtype == torch.float32
    assert digest(latents) == "36a4d3723cf039b683754075f5b6eda0ce41a59b7f2e4c2428b03a250ae948bc"
    wide = WIDE.sample(3, MAX_SEED, steps=2, truncation=0.7)
    assert digest(wide) == "6c2969893b1ba69b3e4417769f738e000db70183d0f240b1df783a92feb76f07"


def test_another_process_draws_the_same(root):
    code = (
        "import hashlib; from vidgan import LatentSpace, Subspace;"
        "s = LatentSpace([Subspace('appearance', 128, role='appearance'),"
        " Subspace('motion', 10, role='motion', sequence=True)]);"
        "l = s.sample(9, 7, steps=5).slice(0, 4);"
        "print(hashlib.sha256(l['appearance'].numpy().tobytes() + l['motion'][:, :3].numpy().tobytes()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99"}
    there = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=root, env=environment, check=True
    )
    assert there.stdout.strip() == digest(SPACE.sample(4, 7, steps=3))


@pytest.mark.parametrize("seed", [0, 1, 7, 2**32, 2**63, MAX_SEED])
def test_a_row_depends_on_its_seed_and_index_alone(seed):
    many = SPACE.sample(6, seed, steps=4)
    for n in (1, 2, 5):
        assert SPACE.sample(n, seed, steps=4) == many.slice(0, n)
    longer = SPACE.sample(6, seed, steps=9)
    assert torch.equal(longer["motion"][:, :4], many["motion"])
    assert torch.equal(longer["appearance"], many["appearance"])


def test_roles_stand_for_their_subspaces():
    space = LatentSpace([Subspace("a", 2, role="appearance"), Subspace("b", 3, role="motion"),
                         Subspace("c", 2, role="appearance")])  # fmt: skip
    assert [one.name for one in space.named("appearance")] == ["a", "c"] and space.named("c") == (space["c"],)
    assert space.each({"c": 3, "appearance": 1}) == {"a": 1, "c": 3}
    by_name = space.sample(2, 5, seeds={"a": 7, "c": 7}, truncation={"a": 0.5, "c": 0.5})
    assert space.sample(2, 5, seeds={"appearance": 7}, truncation={"appearance": 0.5}).equal(by_name)
    for wrong in ({"seeds": {"who": 1}}, {"truncation": {"who": 1}}):
        with pytest.raises(VidganError, match="no subspace 'who'"):
            space.sample(1, 0, **wrong)


def test_subspaces_have_streams_of_their_own():
    base = SPACE.sample(3, 7)
    other = SPACE.sample(3, 7, seeds={"motion": 8})
    assert torch.equal(other["appearance"], base["appearance"])
    assert torch.equal(other["motion"], SPACE.sample(3, 8)["motion"])
    alone = LatentSpace([SPACE["motion"]])  # what else there is in a space changes nothing
    assert torch.equal(alone.sample(3, 7)["motion"], base["motion"])
    twins = LatentSpace([Subspace("x", 6), Subspace("y", 6)]).sample(2, 7)
    assert not torch.equal(twins["x"], twins["y"])


def test_no_two_draws_are_alike():
    values = torch.cat([SPACE.sample(3, seed, steps=3)["motion"].flatten() for seed in range(20)])
    assert len(values.unique()) == len(values)


def test_the_prior_is_normal_with_its_std():
    value = WIDE.sample(4000, 3)["a"]
    assert abs(value.mean()) < 0.06 and abs(value.std() - 2.0) < 0.05
    assert abs(((value / 2) ** 4).mean() - 3) < 0.3  # kurtosis of a normal


def test_truncation_scales():
    full = WIDE.sample(3, 5)
    assert torch.equal(WIDE.sample(3, 5, truncation=0.5)["a"], full["a"] * 0.5)
    part = WIDE.sample(3, 5, truncation={"b": 0.0})
    assert torch.equal(part["a"], full["a"]) and not part["b"].any()
    with pytest.raises(VidganError, match="finite"):
        WIDE.sample(1, 0, truncation=math.nan)
    with pytest.raises(VidganError, match="subspace 'd'"):
        WIDE.sample(1, 0, truncation={"d": 1})


@pytest.mark.parametrize("seed", [-1, 2**64, 10**40, 1.5, "7", None, True])
def test_seeds_beyond_64_bits_are_refused(seed):
    with pytest.raises(VidganError, match="whole number from 0 to 2\\^64 - 1"):
        SPACE.sample(1, seed)
    with pytest.raises(VidganError, match="whole number"):
        SPACE.sample(1, 0, seeds={"motion": seed})


@pytest.mark.parametrize("n, steps", [(0, 1), (-3, 1), (1, 0), (1, MAX_STEPS + 1)])
def test_impossible_amounts_are_refused(n, steps):
    with pytest.raises(VidganError, match="Cannot draw"):
        SPACE.sample(n, 0, steps=steps)


def test_training_draws_follow_their_generator():
    draw = WIDE.draw(64, torch.Generator().manual_seed(3), steps=2)
    assert WIDE.validate(draw).batch == 64 and draw.steps == 2
    assert draw == WIDE.draw(64, torch.Generator().manual_seed(3), steps=2)


# ---------------------------------------------------------------------------------------------- one batch


def test_rows_slices_stacks_and_repeats():
    latents = SPACE.sample(5, 1, steps=2)
    assert (latents.batch, latents.steps, latents.names, len(latents)) == (5, 2, ("appearance", "motion"), 2)
    assert latents.row(-1) == latents.row(4) == latents.slice(4, 5)
    assert Latents.stack([latents.row(i) for i in range(5)]) == latents
    assert latents.repeat(2) == Latents.stack([latents, latents])
    for index in (5, -6):
        with pytest.raises(VidganError, match="batch of 5"):
            latents.row(index)
    for bad in ([], [latents, WIDE.sample(1, 0)], [latents, SPACE.sample(1, 0, steps=3)]):
        with pytest.raises(VidganError, match="stacked"):
            Latents.stack(bad)


def test_every_operation_leaves_the_original_alone():
    latents, other = SPACE.sample(2, 1), SPACE.sample(2, 2)
    before = digest(latents)
    latents.replace(motion=other["motion"])
    latents.add("motion", torch.ones(10), 3.0)
    latents.clip(0.1, SPACE)
    latents.lerp(other, 0.5)
    latents.slerp(other, 0.5)
    latents.quantise()
    assert digest(latents) == before
    with pytest.raises(TypeError):
        latents["motion"] = other["motion"]
    with pytest.raises(AttributeError):
        latents.anything = 1


def test_replace_add_and_clip():
    latents, other = WIDE.sample(2, 1), WIDE.sample(2, 2)
    mixed = latents.replace(a=other["a"])
    assert torch.equal(mixed["a"], other["a"]) and torch.equal(mixed["b"], latents["b"])
    moved = latents.add("c", torch.ones(1), 2.0)
    assert torch.equal(moved["c"], latents["c"] + 2) and torch.equal(moved["a"], latents["a"])
    clipped = latents.clip(0.5, WIDE)
    assert clipped["a"].abs().max() <= 1.0 and clipped["b"].abs().max() <= 0.25
    for call in (lambda: latents.replace(z=other["a"]), lambda: latents["z"], lambda: latents.add("z", 1)):
        with pytest.raises(VidganError, match="There is no subspace 'z'"):
            call()
    with pytest.raises(VidganError, match="one batch size"):
        latents.replace(a=torch.zeros(3, 3))


@pytest.mark.parametrize("value", [torch.zeros(3), torch.zeros(()), torch.zeros(1, 1, 1, 1)])
def test_values_of_other_shapes_are_refused(value):
    with pytest.raises(VidganError, match=r"\[batch, dim\]"):
        Latents({"a": value})
    with pytest.raises(VidganError, match="at least one subspace"):
        Latents({})


# ---------------------------------------------------------------------------------------------- between two


def test_lerp_and_slerp_meet_their_ends_and_touch_only_what_is_named():
    a, b = SPACE.sample(3, 1, steps=2), SPACE.sample(3, 2, steps=2)
    for way in (Latents.lerp, Latents.slerp):
        for t, end in ((0.0, a), (1.0, b)):
            for name in SPACE.names:
                assert torch.allclose(way(a, b, t)[name], end[name], atol=1e-5)
        part = way(a, b, 0.3, names=["motion"])
        assert torch.equal(part["appearance"], a["appearance"]) and not torch.equal(part["motion"], a["motion"])
    assert torch.allclose(a.lerp(b, 0.25)["motion"], 0.75 * a["motion"] + 0.25 * b["motion"], atol=1e-6)


@pytest.mark.parametrize("t", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_slerp_keeps_norms_and_turns_evenly(t):
    a, b = (torch.randn(50, 16, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    middle = slerp(a, b, t)
    expected = a.norm(dim=-1) + (b.norm(dim=-1) - a.norm(dim=-1)) * t
    assert torch.allclose(middle.norm(dim=-1), expected, rtol=1e-4)

    def angle(x, y):
        return torch.arccos(torch.nn.functional.cosine_similarity(x.double(), y.double()).clamp(-1, 1))

    assert torch.allclose(angle(a, middle), t * angle(a, b), atol=2e-3)


def test_slerp_of_parallel_opposite_and_zero_vectors_is_finite():
    a = torch.randn(4, 8, generator=torch.Generator().manual_seed(0))
    for b in (a, 3 * a, -a, torch.zeros_like(a)):
        assert torch.isfinite(slerp(a, b, 0.5)).all()
    assert torch.allclose(slerp(a, 3 * a, 0.5), 2 * a)


def test_interpolation_needs_matching_ends():
    a = SPACE.sample(1, 1)
    with pytest.raises(VidganError, match="Cannot interpolate"):
        a.lerp(WIDE.sample(1, 1), 0.5)
    with pytest.raises(VidganError, match=r"shape \[1, 1, 10\] at one end and \[1, 2, 10\]"):
        a.slerp(SPACE.sample(1, 1, steps=2), 0.5)
    with pytest.raises(VidganError, match="subspace 'tempo'"):
        a.lerp(a, 0.5, names=["tempo"])


# ---------------------------------------------------------------------------------------------- text


@pytest.mark.parametrize("space, n, steps", [(SPACE, 1, 1), (SPACE, 3, 9), (WIDE, 2, MAX_STEPS)])
def test_json_and_packed_text_come_back_exactly(space, n, steps):
    latents = space.sample(n, 11, steps=steps)
    assert Latents.from_json(latents.to_json()) == latents
    coarse = latents.quantise()
    text = coarse.pack()
    assert space.unpack(text) == coarse
    assert space.unpack(latents.pack()) == coarse  # packing rounds as quantise does
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    for name in space.names:
        assert (coarse[name] - latents[name]).abs().max() <= 0.002 * latents[name].abs().max()


def test_extreme_float32_survive_json():
    values = torch.tensor([[1e-45, -3.4e38, 0.1, 1 / 3]])
    assert Latents.from_json(Latents({"a": values}).to_json()) == Latents({"a": values})


def test_a_packed_point_is_small_enough_for_a_link():
    assert len(SPACE.sample(1, 0, steps=9).pack()) < 600


def test_garbage_text_is_refused_in_one_sentence():
    good = SPACE.sample(2, 1, steps=2).pack()
    chance = random.Random(0)
    damaged = ["", "A", "AQ", "AQABAA", "!!!", "ä" * 40, "\0", " " + good, good[:-1], good[:-4], good * 2]
    damaged += [good[:4] + good[8:], "AAAA" + good[4:], "____" + good[4:], "<script>", "../../etc/passwd"]
    damaged += ["".join(chance.choices("ABCabc019-_", k=chance.randrange(1, 700))) for _ in range(300)]
    for text in damaged:
        with pytest.raises(VidganError) as caught:
            SPACE.unpack(text)
        assert str(caught.value).endswith((".", "?")) and "\n" not in str(caught.value), text
    for value in (None, 3, b"AQAB", ["AQAB"]):
        with pytest.raises(VidganError):
            SPACE.unpack(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_packed_and_json_points_that_are_not_finite_are_refused(value):
    point = SPACE.sample(1, 1)
    bad = point.replace(motion=torch.full((1, 1, 10), value))
    with pytest.raises(VidganError, match="cannot be packed"):
        bad.pack()
    raw = np.array([1, 1], dtype="<u2").tobytes() + np.full(SPACE.total, value, dtype="<f2").tobytes()
    with pytest.raises(VidganError, match="holds NaN or infinite"):
        SPACE.unpack(base64.urlsafe_b64encode(raw).decode().rstrip("="))
    with pytest.raises(VidganError, match="'motion' holds NaN or infinite"):
        SPACE.validate(Latents.from_json(bad.to_json()))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "3", "null", '"a"', "{}", '{"a": 1}', '{"a": [1, 2]}', '{"a": [[1], [2, 3]]}', '{"a": [["x"]]}',
     '{"a": {"b": 1}}', '{"a": null}', '{"a": [[1]], "b": [[1], [2]]}', '{"a": [[[[1]]]]}', "[" * 5000],
)  # fmt: skip
def test_garbage_json_is_refused(text):
    with pytest.raises(VidganError) as caught:
        Latents.from_json(text)
    assert "\n" not in str(caught.value)


# ---------------------------------------------------------------------------------------------- the space


def test_validate_names_what_is_wrong():
    good = SPACE.sample(2, 0, steps=2)
    assert SPACE.validate(good) is good
    wrong = {
        "'motion' is missing": Latents({"appearance": good["appearance"]}),
        "no subspace 'motoin'; did you mean motion": Latents({**good, "motoin": good["motion"]}),
        r"'appearance' must be \[batch, 128\], not \[2, 5\]": good.replace(appearance=torch.zeros(2, 5)),
        r"'motion' must be \[batch, steps, 10\], not \[2, 10\]": good.replace(motion=torch.zeros(2, 10)),
        "NaN": good.replace(appearance=torch.full((2, 128), math.nan)),
        "1 to 64 steps": good.replace(motion=torch.zeros(2, MAX_STEPS + 1, 10)),
        "at least one point": good.slice(0, 0),
    }
    for message, latents in wrong.items():
        with pytest.raises(VidganError, match=message):
            SPACE.validate(latents)


def test_a_space_knows_its_parts_and_comes_back_from_json():
    assert SPACE.names == ("appearance", "motion") and SPACE.total == 138
    assert [subspace.name for subspace in SPACE.by_role("motion")] == ["motion"] and SPACE.by_role("content") == ()
    again = LatentSpace.from_json(json.loads(json.dumps(WIDE.to_json())))
    assert again == WIDE and hash(again) == hash(WIDE) and again != SPACE
    with pytest.raises(VidganError, match="JSON"):
        LatentSpace.from_json([{"nam": "a"}])
    with pytest.raises(VidganError, match="no name twice"):
        LatentSpace([Subspace("a", 1), Subspace("a", 2)])
    with pytest.raises(VidganError, match="no name twice"):
        LatentSpace([])
    with pytest.raises(VidganError, match="did you mean appearance"):
        SPACE["apearance"]


@pytest.mark.parametrize("options", [{"dim": 0}, {"std": 0}, {"std": math.nan}, {"role": "who"}])
def test_impossible_subspaces_are_refused(options):
    with pytest.raises(VidganError):
        Subspace("a", **{"dim": 1, **options})


def test_values_are_taken_from_numpy_and_lists_and_made_float32():
    latents = Latents({"a": np.ones((2, 3)), "b": torch.ones(2, 3, dtype=torch.float64)})
    assert latents["a"].dtype == latents["b"].dtype == torch.float32
    assert "a" in latents and "z" not in latents and "b: [2, 3]" in repr(latents)
    with pytest.raises(TypeError):
        hash(latents)


def test_latents_are_copies_and_blend_only_with_their_like():
    value = torch.zeros(1, 10)
    held = Latents({"motion": value})
    value[0, 0] = 5
    assert held["motion"][0, 0] == 0
    with pytest.raises(VidganError, match="at one end"):
        held.lerp(held.repeat(2), 0.5)
    with pytest.raises(VidganError, match="beyond 65504"):
        held.add("motion", torch.full((1, 10), 1e6)).pack()
    with pytest.raises(VidganError, match="n must be a whole number"):
        SPACE.sample(1.5, 1)
    assert SPACE.sample(np.int64(2), np.int64(7)).equal(SPACE.sample(2, 7))
