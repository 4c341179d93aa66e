"""Nearest training clips, and the memorisation score, on cases whose answer is known."""

import json

import pytest
import torch

from tests.metrics.squares import Draws, Squares
from vidgan.errors import VidganError
from vidgan.metrics import retrieval as module
from vidgan.metrics.distance import distinct
from vidgan.metrics.retrieval import memorisation, memorisation_interval, nearest, retrieve, search, sheet, table
from vidgan.video import to_clip, to_uint8


def test_neighbours_are_those_of_a_loop(random):
    queries = torch.randint(0, 256, (70, 2, 3, 3, 3), generator=random, dtype=torch.uint8)
    keys = torch.randint(0, 256, (150, 2, 3, 3, 3), generator=random, dtype=torch.uint8)
    keys[7] = queries[5]
    found = nearest(queries, keys, 4)
    for row, query in enumerate(queries):
        apart = torch.tensor([(query.double() - key.double()).norm() for key in keys])
        wanted = apart.sort().values[:4]
        assert torch.allclose(found.distance[row], wanted, rtol=1e-12)
        assert torch.equal(apart[found.index[row]], wanted)
    assert found.index[5, 0] == 7 and found.distance[5, 0] == 0  # to the bit


def test_neighbours_do_not_depend_on_the_blocks_and_equals_come_in_order(random):
    queries, keys = torch.rand(9, 5, generator=random), torch.rand(21, 5, generator=random)
    keys[[3, 20]] = queries[0]
    whole = nearest(queries, keys)
    for size in (1, 4, 21):
        parts = search(queries, iter(keys.split(size)))
        assert torch.equal(parts.index, whole.index) and torch.allclose(parts.distance, whole.distance, atol=1e-7)
    pixels = torch.zeros(6, 4, dtype=torch.uint8)
    assert nearest(pixels[:2], pixels, 3).index.tolist() == [[0, 1, 2]] * 2


def test_memory_is_bounded(random, monkeypatch):
    largest = []
    compare = module._squared

    def noted(queries, lengths, keys):
        found = compare(queries, lengths, keys)
        largest.append(found.numel())
        return found

    monkeypatch.setattr(module, "_squared", noted)
    nearest(torch.rand(10, 3, generator=random), torch.rand(1000, 3, generator=random))
    assert max(largest) == 10 * module.BLOCK


def test_what_has_no_neighbours_is_refused():
    points = torch.zeros(4, 2)
    with pytest.raises(VidganError, match="only 4"):
        nearest(points, points, 5)
    with pytest.raises(VidganError, match="asked for 0 of 4"):
        nearest(points, points, 0)
    with pytest.raises(VidganError, match="of 0"):
        nearest(points[:0], points)
    with pytest.raises(VidganError, match=r"\[2\] and of \[3\]"):
        nearest(points, torch.zeros(4, 3))
    with pytest.raises(VidganError, match="NaN or infinite"):
        nearest(points, torch.tensor([[0.0, 0], [1, torch.nan], [0, 0], [0, 0]]))  # one would be enough


def test_the_score_of_sets_that_are_known():
    near, far = torch.linspace(0, 1, 11), torch.linspace(2, 3, 7)
    assert memorisation(near, far) == 1 and memorisation(far, near) == 0
    assert memorisation(near, near) == 0.5 and memorisation(torch.zeros(3), torch.zeros(5)) == 0.5
    assert memorisation(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0])) == (2 + 0 + 0.5) / 4


def test_the_interval_holds_the_score_and_narrows(random):
    made, held = torch.rand(400, generator=random), torch.rand(400, generator=random) + 0.2
    score = memorisation(made, held)
    low, high = memorisation_interval(made, held)
    wide = memorisation_interval(made[:40], held[:40])
    assert low < score < high and high - low < (wide[1] - wide[0]) / 2
    assert memorisation_interval(made, held) == [low, high]
    assert memorisation_interval(torch.zeros(5), torch.ones(5)) == [1, 1]


@pytest.mark.parametrize("bad", [torch.empty(0), torch.zeros(2, 2), torch.tensor([float("nan")])])
def test_distances_that_are_none_are_refused(bad):
    with pytest.raises(VidganError):
        memorisation(bad, torch.ones(3))
    with pytest.raises(VidganError):
        memorisation(torch.ones(3), bad)


# ------------------------------------------------------------------------------------------------ a generator


@pytest.fixture(scope="module")
def measure(own_cache, shipped):
    def of(generator, clips=32, **told):
        return retrieve(generator, Squares(), Squares("test"), clips, features=shipped, **told)

    return of


@pytest.fixture(scope="module")
def names(shipped):
    return [f"memorisation_{space}_32of128x8f32" for space in (f"vidgan-{shipped.hash}", "pixels")]


@pytest.fixture(scope="module")
def fair(measure):
    """A generator that draws as the data does."""
    return measure(Draws())


@pytest.fixture(scope="module")
def copied():
    """The first training clips, as the metric draws them."""
    frames, label, _ = next(distinct(Squares(), 128, 0, set(), False))
    return to_clip(frames), label


def test_few_clips_are_flagged(fair, measure):
    assert "Fewer clips on a side than features (128)" in fair.result["note"]
    assert "read the intervals" in table(fair.result)[-1]
    assert "Fewer clips" not in measure(Draws(), clips=128).result.get("note", "")


def test_one_that_draws_as_the_data_does_has_memorised_nothing(fair, names):
    for name in names:
        low, high = fair.result["intervals"][name]
        assert 0.3 < fair.result[name] < 0.7 and low < fair.result[name] < high
        assert 0.3 < fair.result["controls"]["training"][name] < 0.7


def test_one_that_copies_is_found_out_by_clip(measure, names, copied):
    clip, label = copied
    found = measure(Draws(copies=type(Squares().batch(1, 0))(clip, label)))
    for name in names:
        assert found.result[name] > 0.98 and found.result["nearest"][name]["generated"] < 1e-3
    for near in found.neighbours.values():
        for row, frames in enumerate(found.generated):
            original = to_uint8(clip[near.index[row, 0]][None])[0]
            assert torch.equal(frames, torch.from_numpy(original)) and near.distance[row, 0] < 1e-3
            assert near.distance[row, 1] > 0.1


def test_one_that_draws_something_else_scores_nothing(measure, names, random):
    noise = torch.rand(16, 3, 8, 32, 32, generator=random) * 2 - 1
    found = measure(Draws(copies=type(Squares().batch(1, 0))(noise)))
    assert all(found.result[name] < 0.02 for name in names)


def test_the_result_names_its_protocol_and_repeats(fair, measure, names, shipped):
    result = fair.result
    assert json.loads(json.dumps(result)) == result
    expected = {"data": "squares", "split": "test", "clips": 32, "real_clips": 32, "train_clips": 128, "k": 3,
                "features": shipped.hash, "generator": "drawn"}  # fmt: skip
    assert expected.items() <= result.items() and set(names) < result.keys()
    assert {space: near.index.shape for space, near in fair.neighbours.items()} == {
        "features": (32, 3),
        "pixels": (32, 3),
    }
    again = measure(Draws())
    assert again.result == result and torch.equal(again.neighbours["pixels"].index, fair.neighbours["pixels"].index)
    assert names[0] in table(result)[2] and names[1] in table(result)[3]


def test_pixel_distances_are_in_levels(fair):
    frames, *_ = zip(*distinct(Squares(), 128, 0, set(), False))
    train = torch.cat(frames)
    near = fair.neighbours["pixels"]
    apart = (fair.generated[4].double() - train[near.index[4, 0]].double()).square().mean().sqrt()
    assert near.distance[4, 0].item() == pytest.approx(apart.item())


def test_the_sheet_shows_each_clip_beside_its_neighbours(fair):
    frames, *_ = zip(*distinct(Squares(), 128, 0, set(), False))
    train = torch.cat(frames)
    shown = sheet(fair, Squares(), rows=2)
    assert shown.shape == (8, 2 * 34 - 2, 4 * 34 - 2, 3)
    assert (shown[:, :32, :32] == fair.generated[0].numpy()).all()
    third = train[fair.neighbours["features"].index[1, 2]].numpy()
    assert (shown[:, 34:66, 3 * 34 : 3 * 34 + 32] == third).all()
    with pytest.raises(VidganError, match="did you mean pixels"):
        sheet(fair, Squares(), space="pixel")


def test_a_train_split_that_runs_dry_is_flagged(shipped):
    found = retrieve(Draws(), Squares(count=9), Squares("test"), 4, features=shipped)
    assert found.result["train_clips"] == 9 and "train split gives only 9 distinct" in found.result["note"]
    assert found.result["controls"] == {"training": {"clips": 0}}
    assert "|  |" in table(found.result)[2]


def test_a_generator_without_labels_is_searched_too(measure, names):
    assert all(0.2 < measure(Draws(classes=0)).result[name] < 0.8 for name in names)


def test_what_does_not_fit_is_refused(measure, shipped):
    with pytest.raises(VidganError, match="asked for 1 and 4"):
        measure(Draws(), clips=1)
    with pytest.raises(VidganError, match="3 training clips"):
        measure(Draws(), train_clips=2)
    with pytest.raises(VidganError, match="there are only 2"):
        retrieve(Draws(), Squares(count=2), Squares("test"), 4, features=shipped)
    with pytest.raises(VidganError, match="both are 'train'"):
        retrieve(Draws(), Squares(), Squares(), 4)
