"""What the benchmarks count."""

from itertools import pairwise

import torch

from benchmarks.stages import Counter, costs


def test_the_counter_knows_what_lives_and_what_was_computed():
    with Counter() as count:
        one = torch.zeros(10, 20)  # 800 bytes
        other = one @ torch.zeros(20, 5)  # 200 bytes, and 400 that go
        assert (count.live, count.most) == (1000, 1400)
        view = one[2:]
        assert count.live == 1000
        del one
        assert count.live == 1000  # the view holds it
        del view, other
        assert (count.live, count.most) == (0, 1400)
    assert count.products == 2 * 10 * 20 * 5


def test_the_cost_of_every_stage_is_computed():
    found = costs("smoke")
    assert [(cost.size, cost.frames) for cost in found] == [(4, 4), (8, 8), (16, 8), (32, 8)]
    assert all(0 < cost.recomputed <= cost.gibibytes < 1 for cost in found)
    assert all(before.teraflop < after.teraflop for before, after in pairwise(found))
