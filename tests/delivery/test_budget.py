"""The rate budget in virtual time: uses what there is, and asks for no more."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.delivery.answer import RateNote
from activation.delivery.budget import RateBudget

from .virtual_world import Told, VirtualLoop, World


def uneven() -> Callable[[], float]:
    """Most are quick, some are slow, so that answers overtake each other."""
    dice = random.Random(3)
    return lambda: dice.choice([0.002] * 9 + [0.05])


def played(world: World, **how: int) -> World:
    return world.run(RateBudget(world.loop.time), **how)


def told_by_hand(story: Callable[[RateBudget, VirtualLoop], Awaitable[None]]) -> None:
    loop = VirtualLoop(0.0)
    budget = RateBudget(loop.time)

    async def run() -> None:
        await story(budget, loop)

    loop.play(run())


@pytest.mark.parametrize("told", ["exact", "ceil", "floor"])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("in_flight", [1, 16, 64])
def test_all_of_the_budget_is_used_and_nothing_is_refused(told: Told, alone: bool, in_flight: int) -> None:
    world = played(World(limit=200, told=told, alone=alone, way=uneven()), in_flight=in_flight)
    if in_flight > 1:
        assert min(world.shares) == 1.0
    # A server that rounds down is found out: at once if its refusals tell the end of the window, else little by little.
    assert world.refused.total() <= (0 if told != "floor" else 6 if alone else 1)


@pytest.mark.parametrize("told", ["exact", "ceil", "floor"])
@pytest.mark.parametrize("start", [100.3, 101.9])
def test_a_sender_that_needs_most_of_each_window_gets_it(told: Told, start: float) -> None:
    world = played(World(limit=4_500, told=told, start=start), windows=4)
    assert world.shares[1:] == [1.0] * 3
    assert world.refused.total() == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 400), st.integers(1, 40), st.floats(100, 104), st.sampled_from([0.0005, 0.01, 0.2]), st.integers(0, 99))
def test_answers_that_overtake_each_other_never_make_it_send_too_much(
    limit: int, in_flight: int, start: float, way: float, seed: int
) -> None:
    dice = random.Random(seed)
    world = played(World(limit=limit, start=start, way=lambda: dice.expovariate(1 / way)), windows=4, in_flight=in_flight)
    assert world.refused.total() == 0
    assert all(world.used[window] <= limit for window in world.used)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
@pytest.mark.parametrize("told", ["exact", "ceil"])
def test_f18_a_share_of_the_limit_is_left_to_others(told: Told, share: float) -> None:
    world = World(limit=600, told=told, way=uneven())
    world.run(RateBudget(world.loop.time, share))
    for window in world.windows:
        assert share * 0.95 <= world.used[window] / world.limit <= share + 0.01
    assert world.refused.total() == 0


def test_f18_two_tasks_with_half_of_the_limit_each_do_not_get_in_each_others_way() -> None:
    world = World(limit=600, others=100, way=uneven())  # the other one takes half of each window, evenly
    world.run(RateBudget(world.loop.time, 0.5))
    assert world.refused.total() == 0
    assert all(285 <= world.used[window] <= 300 for window in world.windows)


def test_a_window_is_opened_by_a_single_request() -> None:
    loop = VirtualLoop(0.0)
    budget = RateBudget(loop.time)
    seen: list[int] = []

    async def story() -> None:
        async def ask() -> None:
            await budget.acquire()
            seen.append(budget.flying)

        asking = [asyncio.ensure_future(ask()) for _ in range(5)]
        await asyncio.sleep(0.5)
        assert seen == [1], "the others wait for the first answer"
        budget.release(RateNote(10, 3, 2.5, True))
        await asyncio.sleep(0.1)
        assert len(seen) == 4, "as many follow as the answer allows"
        assert budget.flying == 3
        for remaining in (2, 1, 0):
            budget.release(RateNote(10, remaining, 2.4, True))
        await asyncio.sleep(2.3)
        assert len(seen) == 4
        await asyncio.gather(*asking)
        assert 3.0 <= loop.now < 3.1, "the window's end, and a little more"
        assert budget.flying == 1

    loop.play(story())


def test_what_others_eat_is_left_to_them() -> None:
    world = played(World(limit=600, others=600, way=uneven()))
    assert min(world.eaten[window] for window in world.windows) > 100
    assert min(world.shares) > 0.99
    # What they take between two answers cannot be known: it is five or six requests here.
    assert max(world.refused.values()) <= 8


def test_others_that_leave_nothing_cost_one_request_a_window_and_nothing_afterwards() -> None:
    world = World(limit=4_500)
    greedy = range(33, 53)
    world.eaten.update(dict.fromkeys(greedy, 4_500))
    world.run(RateBudget(world.loop.time), windows=23)
    assert [world.refused[window] for window in greedy] == [1] * len(greedy)
    afterwards = [window for window in world.windows if window not in greedy]
    assert [world.used[window] for window in afterwards] == [4_500] * len(afterwards)
    assert world.refused.total() == len(greedy)


@pytest.mark.parametrize("skew", [0.25, 1.0, 10.0])
def test_a_clock_that_is_ahead_costs_a_few_refused_requests(skew: float) -> None:
    world = played(World(skew=skew, limit=300), windows=12)
    assert min(world.shares) > 0.95
    assert world.refused[int(world.start // world.seconds)] <= 6, "while the margin is learned"
    assert max(world.refused[window] for window in world.windows) == 1


def test_a_clock_that_is_a_little_behind_costs_a_little_of_each_window() -> None:
    world = played(World(skew=-0.25, limit=1_000))
    assert world.refused.total() == 0
    assert min(world.shares) > 0.95


def test_after_a_clock_was_set_right_the_margin_shrinks_again() -> None:
    world = World(skew=0.9, limit=50, way=lambda: 0.03)
    budget = RateBudget(world.loop.time)
    world.run(budget, windows=5, in_flight=4)
    later = World(limit=50, way=lambda: 0.03, start=world.loop.now + 1.0)
    moments: list[float] = []
    later.way = lambda: moments.append(later.loop.now % later.seconds) or 0.03  # type: ignore[func-returns-value]
    budget._clock = later.loop.time
    later.run(budget, windows=150, in_flight=4)
    assert later.refused.total() <= 2
    assert min(moments[-60:]) < 0.2, "the last window was opened close to its beginning"


def test_without_headers_nothing_limits_the_sender() -> None:
    world = played(World(limit=10**9, told="nothing"), windows=2)
    assert world.sent > 16 * 6 / 0.009
    assert world.refused.total() == 0


def test_retry_after_alone_is_waited_for() -> None:
    world = played(World(limit=300, told="nothing"), in_flight=16)
    assert min(world.shares) == 1.0
    # Nothing is known before the first refusal, so each window ends with what was in flight.
    assert max(world.refused.values()) <= 16


@pytest.mark.parametrize("told", ["exact", "ceil"])
def test_lost_answers_neither_block_nor_break_the_budget(told: Told) -> None:
    world = played(World(limit=300, told=told, lost=0.3, way=uneven()))
    assert min(world.shares) > 0.98
    assert world.refused.total() <= 0.01 * world.sent


def test_the_earliest_end_that_rounded_answers_tell_is_the_best() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await asyncio.sleep(0.3)
        await budget.acquire()
        budget.release(RateNote(10, 9, 3.0, False))  # 2.7 seconds are left
        await asyncio.sleep(0.75)
        await budget.acquire()
        budget.release(RateNote(10, 0, 2.0, False))  # 1.95 seconds are left
        await budget.acquire()
        assert 3.0 <= loop.now < 3.15

    told_by_hand(story)


def test_a_lost_answer_teaches_nothing() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(None, lost=True)
        asking = [asyncio.ensure_future(budget.acquire()) for _ in range(5)]
        await asyncio.sleep(1)
        assert budget.flying == 1, "the next one asks alone again"
        budget.release(RateNote(10, 9, 3.0, True))
        await asyncio.gather(*asking)

    told_by_hand(story)


def test_where_every_answer_is_lost_it_goes_on_asking() -> None:
    world = played(World(lost=1.0, way=lambda: 0.5), windows=3)
    assert world.sent > 5


def test_a_short_limit_within_a_long_window_is_waited_for_and_no_longer() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(RateNote(250_000, 200_000, 1_800.0, True))
        await budget.acquire()
        budget.release(RateNote(retry_after=2.0, exact=False), refused=True)
        await budget.acquire()
        assert 2.0 <= loop.now < 2.2

    told_by_hand(story)


def test_a_refusal_that_says_nothing_costs_about_a_second() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(None, refused=True)
        await budget.acquire()
        assert 1.0 <= loop.now < 1.2

    told_by_hand(story)


def test_a_rest_without_an_end_does_not_wait_for_ever() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(RateNote(10, 0))
        await budget.acquire()
        assert 1.0 <= loop.now < 1.2

    told_by_hand(story)


def test_an_old_windows_late_answer_changes_nothing() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(RateNote(100, 90, 3.0, True))
        await budget.acquire()  # will be answered late
        await asyncio.sleep(3.5)
        await budget.acquire()
        budget.release(RateNote(100, 99, 2.5, True))
        budget.release(RateNote(100, 0, 0.0, True))
        for _ in range(99):
            await budget.acquire()
        assert loop.now == pytest.approx(3.5)

    told_by_hand(story)


def test_someone_who_no_longer_wants_to_wait_takes_nothing_with_him() -> None:
    async def story(budget: RateBudget, loop: VirtualLoop) -> None:
        await budget.acquire()
        budget.release(RateNote(10, 0, 5.0, True))
        waiting = asyncio.ensure_future(budget.acquire())
        await asyncio.sleep(1)
        waiting.cancel()
        await asyncio.sleep(0)
        await budget.acquire()
        assert budget.flying == 1
        assert 5.0 <= loop.now < 5.1

    told_by_hand(story)
