"""When records may go: by each shard's limits, in seconds of a clock that the tests hold."""

from __future__ import annotations

import numpy as np
import pytest

from activation.destinations.kinesis.budget import BURST_BYTES, SLOT, Budget

MIB = 1024 * 1024


def book(budget: Budget, now: float, *counts: int, size: int = 100) -> list[float]:
    """Book records lane by lane, and give when the last one of each lane may go, from now on."""
    lanes = np.repeat(np.arange(len(counts)), counts)
    due = budget.book(lanes, np.full(len(lanes), size), now) - now
    assert (due >= 0).all()
    return [float(due[lanes == lane].max()) if count else 0.0 for lane, count in enumerate(counts)]


def test_a_second_of_records_goes_at_once_and_the_others_at_the_limit() -> None:
    budget = Budget(2, 1.0, 0.0)
    assert book(budget, 0.0, 1_000, 10) == [0, 0]
    assert book(budget, 0.0, 500, 10) == [pytest.approx(0.5, abs=SLOT), 0]
    assert book(budget, 0.0, 500, 10) == [pytest.approx(1.0, abs=SLOT), 0]
    assert book(budget, 10.0, 1_000, 1_000) == [0, 0]


def test_bytes_count_like_records() -> None:
    budget = Budget(1, 1.0, 0.0)
    assert book(budget, 0.0, 10, size=int(BURST_BYTES) // 10) == [0]
    assert book(budget, 0.0, 3, size=MIB) == [pytest.approx(3.0, abs=SLOT)]


def test_records_of_one_lane_keep_their_order() -> None:
    budget = Budget(3, 1.0, 0.0)
    lanes = np.random.default_rng(2).integers(0, 3, 9_000)
    due = budget.book(lanes, np.full(9_000, 10), 0.0)
    for lane in range(3):
        assert (np.diff(due[lanes == lane]) >= 0).all()
        for second in (1, 2):
            assert np.count_nonzero(due[lanes == lane] <= second) <= 1_000 * (1 + second)


def test_a_share_of_the_limits() -> None:
    budget = Budget(1, 0.25, 0.0)
    book(budget, 0.0, 1_000)
    assert book(budget, 0.0, 500) == [pytest.approx(2.0, abs=SLOT)]


def test_a_throttled_lane_loses_its_burst_and_becomes_slower_for_a_while() -> None:
    budget = Budget(2, 1.0, 0.0)
    budget.throttled(np.asarray([0]), 0.0)
    slow, fast = book(budget, 0.0, 500, 500)
    assert slow == pytest.approx(500 / 850, abs=SLOT)
    assert fast == 0
    book(budget, 20.0, 1, 1)
    budget.throttled(np.asarray([0]), 20.0)
    assert book(budget, 23.0, 2_000)[0] == pytest.approx(1.0 - 0.3, abs=SLOT + 0.3)


def test_a_lane_without_a_fixed_budget_is_free_until_it_is_throttled_and_free_again_later() -> None:
    budget = Budget(1, None, 0.0)
    assert book(budget, 0.0, 100_000) == [0]
    budget.taken(np.zeros(5_000, np.int64), 1.0)
    budget.throttled(np.zeros(1, np.int64), 1.0)
    assert book(budget, 1.0, 4_250) == [pytest.approx(1.0, abs=SLOT)]
    budget.throttled(np.zeros(1, np.int64), 1.1)  # one event
    assert book(budget, 3.0, 4_250)[0] < 1.2
    assert book(budget, 12.0, 1_000_000) == [0]


def test_throttling_without_end_does_not_stop_a_lane() -> None:
    budget = Budget(1, 1.0, 0.0)
    for second in range(200):
        budget.throttled(np.zeros(1, np.int64), second * 0.3)
    assert book(budget, 60.0, 10)[0] < 2
