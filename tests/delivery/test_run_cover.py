"""Exact cover: over rows, page, batch, concurrency, rules and writers that interleave, no row is lost and none is invented."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation.cursor.boundary import Boundary, Rule
from activation.delivery.answer import Answer, Reason, Verdict
from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.run import Plan
from activation.errors import TransientError
from tests.support.attempts import Pipe
from tests.support.memory import BAD, MemorySink, MemoryWarehouse, Row

SEVERAL_RUNS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def row(index: int, stamp: int, user: int) -> Row:
    return Row(stamp, f"u{user}", index)


tables = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 15)), max_size=60).map(
    lambda pairs: [row(index, stamp, user) for index, (stamp, user) in enumerate(pairs)]
)
shapes = st.tuples(st.integers(1, 20), st.integers(1, 9), st.sampled_from([1, 2, 5, 16]))


def pipe_of(rows: list[Row], shape: tuple[int, int, int], rule: Rule = Rule.COUNT, seed: int = 0) -> Pipe:
    page, batch, in_flight = shape
    jitter = random.Random(seed)
    sink = MemorySink(delay=lambda: jitter.choice([0, 0, 0.001]))
    cutting = Cutting(batch, together=seed % 2 == 1)
    plan = Plan(cutting, flight=Flight(in_flight, first_delay=0.001), checkpoint=0.002)
    return Pipe(MemoryWarehouse(rows, clock=10, page=page), sink, Boundary(rule), plan)


def numbers(pipe: Pipe) -> Counter[int]:
    sink = pipe.sink
    assert isinstance(sink, MemorySink)
    return Counter(one["n"] for one in sink.taken)


@SEVERAL_RUNS
@given(tables, shapes, st.integers(0, 99))
def test_every_row_is_sent_exactly_once_and_a_users_rows_in_order(
    rows: list[Row], shape: tuple[int, int, int], seed: int
) -> None:
    pipe = pipe_of(rows, shape, seed=seed)
    totals = pipe.run().totals
    assert numbers(pipe) == Counter(one.number for one in rows)
    assert totals.read == totals.sent == len(rows)
    assert isinstance(pipe.sink, MemorySink)
    assert pipe.sink.overlaps == 0
    stamp_of = {one.number: one.at for one in rows}
    last: dict[str, Any] = {}
    for one in pipe.sink.taken:
        stamp = stamp_of[one["n"]]
        assert stamp is not None
        assert last.get(one["external_id"], -1) <= stamp
        last[one["external_id"]] = stamp


@SEVERAL_RUNS
@given(tables, tables, tables, shapes, st.sampled_from(list(Rule)))
def test_f06_f10_writers_that_interleave_with_runs_lose_nothing(
    first: list[Row], during: list[Row], between: list[Row], shape: tuple[int, int, int], rule: Rule
) -> None:
    """Writers stamp with the clock, which only moves forward; some write while a run reads, some at the very watermark."""
    warehouse_rows = [Row(one.at, one.user, one.number) for one in first]
    pipe = pipe_of(warehouse_rows, shape, rule)
    warehouse = pipe.warehouse
    assert isinstance(warehouse, MemoryWarehouse)

    def write(rows: list[Row], offset: int, stamp: int) -> None:
        warehouse.rows += [Row(stamp, one.user, offset + one.number) for one in rows]

    wrote: list[int] = []

    def while_reading(page: int) -> None:
        if not wrote:
            wrote.append(page)
            write(during, 1000, warehouse.clock + 1)

    warehouse.before_batch = while_reading
    pipe.run()
    if rule is not Rule.EXCLUSIVE and pipe.watermark.at is not None:
        write(between, 2000, pipe.watermark.at)
    warehouse.clock += 10
    pipe.run()
    pipe.run()
    expected = {one.number for one in warehouse.rows}
    sent = numbers(pipe)
    assert set(sent) == expected
    if rule in (Rule.DEDUP, Rule.EXCLUSIVE):
        assert max(sent.values(), default=1) == 1


@SEVERAL_RUNS
@given(tables, shapes, st.integers(0, 99), st.integers(0, 60))
def test_f20_a_try_that_dies_anywhere_is_taken_up_without_loss_or_double_counting(
    rows: list[Row], shape: tuple[int, int, int], seed: int, deadly: int
) -> None:
    pipe = pipe_of(rows, shape, seed=seed)
    assert isinstance(pipe.sink, MemorySink)
    asked = 0

    def die_once(objects: list[dict[str, Any]]) -> Answer | None:
        nonlocal asked
        asked += 1
        return Answer(Verdict.FATAL, error=TransientError("cut")) if asked == deadly + 1 else None

    pipe.sink.reply = die_once
    try:
        totals = pipe.run().totals
    except TransientError:
        settled = pipe.saved.totals
        assert settled.read == settled.sent
        totals = pipe.run().totals
    sent = numbers(pipe)
    assert set(sent) == {one.number for one in rows}
    assert totals.read == totals.sent == len(rows)


@SEVERAL_RUNS
@given(tables, shapes, st.sets(st.integers(0, 59)), st.sampled_from(["named", "unnamed"]))
def test_a_refused_batch_is_halved_down_to_the_bad_rows(
    rows: list[Row], shape: tuple[int, int, int], bad: set[int], style: str
) -> None:
    def named(objects: list[dict[str, Any]]) -> Answer:
        return Answer(Verdict.ACCEPTED, rejected={index: BAD for index, one in enumerate(objects) if one["n"] in bad})

    def unnamed(objects: list[dict[str, Any]]) -> Answer:
        refused = any(one["n"] in bad for one in objects)
        return Answer(Verdict.REFUSED if refused else Verdict.ACCEPTED, BAD)

    replies: dict[str, Callable[[list[dict[str, Any]]], Answer]] = {"named": named, "unnamed": unnamed}
    pipe = pipe_of(rows, shape)
    assert isinstance(pipe.sink, MemorySink)
    pipe.sink.reply = replies[style]
    totals = pipe.run().totals
    wrong = {one.number for one in rows if one.number in bad}
    assert numbers(pipe) == Counter(one.number for one in rows if one.number not in bad)
    assert totals.rejected == len(wrong)
    assert totals.read == len(rows)
    kept = pipe.rejects()
    assert sorted(one["row"]["PAYLOAD"] for one in kept) == sorted(f'{{"n": {number}}}' for number in wrong)
    assert {one["code"] for one in kept} <= {"bad"}


@pytest.mark.parametrize("page", [1, 7, 1000])
def test_no_page_wedges_however_many_rows_share_a_timestamp(page: int) -> None:
    rows = [row(index, 5, index % 50) for index in range(3000)]
    pipe = pipe_of(rows, (page, 7, 5))
    assert pipe.run().totals.sent == 3000
    assert max(numbers(pipe).values()) == 1


def test_dedup_sends_only_what_is_new_at_the_watermark_even_of_equal_rows() -> None:
    pipe = pipe_of([row(1, 5, 1), row(1, 5, 1), row(2, 5, 2)], (10, 5, 2), Rule.DEDUP)
    assert pipe.run().totals.sent == 3
    assert isinstance(pipe.warehouse, MemoryWarehouse)
    pipe.warehouse.rows += [row(1, 5, 1), row(3, 5, 3)]
    totals = pipe.run().totals
    assert (totals.sent, totals.skipped, totals.read) == (2, 3, 5)
    assert numbers(pipe) == Counter({1: 3, 2: 1, 3: 1})


def test_limits_and_failures_are_waited_out() -> None:
    pipe = pipe_of([row(index, 1, index) for index in range(40)], (10, 4, 4))
    answers = iter([Verdict.FAILED, Verdict.FAILED, Verdict.FAILED] * 3)

    def shaky(objects: list[dict[str, Any]]) -> Answer | None:
        verdict = next(answers, None)
        return Answer(verdict, Reason("server_error", "500")) if verdict else None

    assert isinstance(pipe.sink, MemorySink)
    pipe.sink.reply = shaky
    assert pipe.run().totals.sent == 40
    assert max(numbers(pipe).values()) == 1
