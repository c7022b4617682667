"""Which unit waits for which: two changes of one user never overtake each other, and nobody waits without need."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from activation.delivery.cutting import Cutting
from activation.delivery.order import KeyOrder
from activation.delivery.units import Unit, units_of

from .encoded_rows import chunk_of

RELAXED = settings(deadline=None)

chunks_of = st.lists(st.lists(st.one_of(st.none(), st.integers(0, 8)), min_size=1, max_size=12), min_size=1, max_size=6)


def linked(chunks: list[list[int | None]], *, most: int, reach: int) -> list[Unit]:
    order = KeyOrder(reach)
    units: list[Unit] = []
    for users in chunks:
        part = units_of(chunk_of(users), len(units), Cutting(most, 1_000))
        order.link(part)
        units += part
    return units


def users_of(unit: Unit) -> set[int]:
    return {key for items in unit.requests for key in items.encoded.keys[items.first : items.last].tolist()}


@RELAXED
@given(chunks_of, st.integers(1, 4))
def test_a_unit_waits_for_the_last_one_before_it_that_has_its_user(chunks: list[list[int | None]], most: int) -> None:
    units = linked(chunks, most=most, reach=1_000)
    last: dict[int, int] = {}
    for unit in units:
        expected = {last[user] for user in users_of(unit) if user in last}
        assert set(unit.waits_for) == expected
        assert len(unit.waits_for) == len(expected)
        assert all(earlier < unit.number for earlier in unit.waits_for)
        last.update(dict.fromkeys(users_of(unit), unit.number))


@RELAXED
@given(chunks_of, st.integers(1, 4), st.integers(1, 10))
def test_waiting_reaches_back_as_far_as_a_unit_can_be_in_flight(chunks: list[list[int | None]], most: int, reach: int) -> None:
    units = linked(chunks, most=most, reach=reach)
    last: dict[int, int] = {}
    for unit in units:
        near = {last[user] for user in users_of(unit) if user in last and last[user] > unit.number - reach}
        everything = {last[user] for user in users_of(unit) if user in last}
        assert near <= set(unit.waits_for) <= everything
        last.update(dict.fromkeys(users_of(unit), unit.number))


def test_several_rows_of_one_user_in_one_unit_wait_for_nobody() -> None:
    (unit,) = linked([[1, 1, 2, 1]], most=4, reach=10)
    assert unit.waits_for == []


def test_a_chain_of_one_user() -> None:
    units = linked([[1, 1, 1], [1]], most=1, reach=10)
    assert [unit.waits_for for unit in units] == [[], [0], [1], [2]]


def test_chunks_without_a_good_row_are_passed_over() -> None:
    units = linked([[1], [None, None], [1]], most=1, reach=10)
    assert [not unit.requests for unit in units] == [False, True, False]
    assert [unit.waits_for for unit in units] == [[], [], [0]]
