"""When networks grow: the schedule of stages, batches and fresh optimisers."""

import pytest

from vidgan import VidganError
from vidgan.training.growth import Growth

SIZES = [4, 8, 16]
SHORT = Growth(stable=8, fade=4, batches=(4, 2, 1))


def test_levels_are_faded_in_and_then_trained():
    moments = [SHORT.moment(step, SIZES, 1) for step in range(18)]
    stages = [moment.stage for moment in moments]
    assert stages == [0, 0, 0, 0.5, 1, 1, 1, 1, 1, 1.25, 1.5, 1.75, *[2] * 6]
    assert [moment.batch for moment in moments] == [4] * 2 + [2] * 6 + [1] * 10
    assert [step for step, moment in enumerate(moments) if moment.fresh] == [2, 4, 8, 12]
    assert SHORT.moment(10_000, SIZES, 1).stage == 2
    assert SHORT.steps(SIZES, 1) == 2 + (2 + 4) + (4 + 8)


def test_the_schedule_counts_clips_of_all_processes():
    assert [SHORT.moment(step, SIZES, 1, world=2).stage for step in range(8)] == [0, 0, 1, 1, 1, 1.5, 2, 2]


def test_networks_that_have_grown_begin_where_they_are():
    late = Growth(stable=8, fade=4, batches=(4, 2, 1), first=1)
    moments = [late.moment(step, SIZES, 1) for step in range(10)]
    assert [moment.stage for moment in moments] == [1, 1, 1, 1, 1, 1.25, 1.5, 1.75, 2, 2]
    assert [step for step, moment in enumerate(moments) if moment.fresh] == [4, 8]
    assert late.steps(SIZES, 1) == 4 + (4 + 8)
    last = Growth(stable=8, fade=4, batches=(1,), first=2)
    assert {last.moment(step, SIZES, 1).stage for step in range(50)} == {2} and last.steps(SIZES, 1) == 8
    with pytest.raises(VidganError, match="level 3, but the last one is 2"):
        Growth(first=3, batches=(1,)).moment(0, SIZES, 1)


def test_without_a_fade_levels_change_at_once():
    sudden = Growth(stable=4, fade=0, batches=(1,))
    assert [sudden.moment(step, SIZES, 2).stage for step in range(5)] == [0, 0, 1, 1, 2]
    assert [step for step in range(6) if sudden.moment(step, SIZES, 2).fresh] == [2, 4]


def test_the_papers_batches():
    """32, 32, 16, 16, 8, 8, 4 clips at 4, 8, ... 256 pixels."""
    growth = Growth()
    sizes = [4, 8, 16, 32, 64, 128, 256]
    assert [growth.batch(size, 256, 4) for size in sizes] == [32, 32, 16, 16, 8, 8, 4]
    assert [growth.batch(size, 128, 8) for size in sizes[:6]] == [32, 32, 16, 16, 8, 8]
    clips = sum(growth.moment(step, sizes, 4).batch for step in range(0, growth.steps(sizes, 4), 1000)) * 1000
    assert clips == pytest.approx(7 * 600_000 + 6 * 600_000, rel=0.01)


@pytest.mark.parametrize("options", [{"stable": 0}, {"fade": -1}, {"first": -1}, {"batches": ()}, {"batches": (2, 0)}])
def test_impossible_schedules_are_refused(options):
    with pytest.raises(VidganError, match="growth"):
        Growth(**options)


def test_batches_that_are_no_numbers_of_clips_are_refused():
    with pytest.raises(VidganError, match="A batch of 3 at 16 pixels is none at 4"):
        Growth(batches=(1, 1, 2)).batch(4, 16, 3)
