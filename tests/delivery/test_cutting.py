"""Gathering the changes of one user: every row is sent once, in the order of its user, and counted where it stands."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from activation.delivery.cutting import Cutting
from activation.delivery.order import KeyOrder
from activation.delivery.units import Unit, units_of

from .encoded_rows import chunk_of

users_of_chunk = st.lists(st.one_of(st.none(), st.integers(0, 6)), min_size=1, max_size=30)


def units(users: list[int | None], most: int, *, per_key: int | None = None) -> list[Unit]:
    found = units_of(chunk_of(users), 10, Cutting(most, 10_000, per_key, together=True))
    KeyOrder(1_000).link(found)
    return found


def rows_of(unit: Unit) -> list[int]:
    return [items.row(index) for items in unit.requests for index in range(len(items))]


@settings(deadline=None)
@given(users_of_chunk, st.integers(1, 6), st.none() | st.integers(1, 3))
def test_f19_every_row_is_sent_once_and_counted_once(users: list[int | None], most: int, per_key: int | None) -> None:
    found = units(users, most, per_key=per_key)
    assert sorted(row for unit in found for row in rows_of(unit)) == [row for row, user in enumerate(users) if user is not None]
    assert [unit.first for unit in found] == [0, *(unit.last for unit in found[:-1])]
    assert found[-1].last == len(users)
    for unit in found:
        sent = sum(unit.own(items) for items in unit.requests)
        assert unit.rows == sent + unit.away + len(unit.rejected)
        assert all(1 <= len(items) <= most for items in unit.requests)


@settings(deadline=None)
@given(users_of_chunk, st.integers(1, 6))
def test_f19_the_rows_of_a_user_go_out_in_their_order_and_never_side_by_side(users: list[int | None], most: int) -> None:
    found = units(users, most)
    sender = {row: unit.number for unit in found for row in rows_of(unit)}
    for unit in found:
        missing = {sender[row] for row in range(unit.first, unit.last) if users[row] is not None} - {unit.number}
        assert missing <= set(unit.waits_for), "a unit is settled after all those that send its rows"
        assert all(earlier < unit.number for earlier in unit.waits_for)
        assert len(set(unit.waits_for)) == len(unit.waits_for)
    for user in set(users) - {None}:
        places = [(unit.number, row) for unit in found for row in rows_of(unit) if users[row] == user]
        assert [row for _, row in places] == sorted(row for _, row in places)
        for (before, _), (after, _) in pairwise(places):
            assert before == after or before in next(unit.waits_for for unit in found if unit.number == after)


def test_f19_two_changes_of_a_user_far_apart_share_a_request() -> None:
    found = units([1, 2, 3, 4, 5, 6, 1, 2], 4)
    assert [rows_of(unit) for unit in found] == [[0, 6, 1, 7], [2, 3, 4, 5]]
    assert [(unit.first, unit.last, unit.away) for unit in found] == [(0, 2, 0), (2, 8, 2)]
    assert found[1].waits_for == [10]


def test_without_a_second_change_nothing_is_copied() -> None:
    chunk = chunk_of([1, 2, None, 3])
    (one, two) = units_of(chunk, 0, Cutting(2, 1_000, together=True))
    assert one.requests[0].encoded is chunk.encoded
    assert (one.rows, two.rows, one.away, two.away) == (2, 2, 0, 0)
