"""Cutting a batch into requests: every item once, in order, within the limits."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.delivery.items import Items, arrange, cut
from activation.records.encoded import Encoded, Marks

from .encoded_rows import encoded

RELAXED = settings(deadline=None)

sizes_of = st.lists(st.integers(1, 30), max_size=40)


@RELAXED
@given(sizes_of, st.integers(1, 12), st.integers(1, 80), st.integers(0, 5))
def test_requests_hold_each_item_once_in_order_within_the_limits(sizes: list[int], most: int, most_bytes: int, lead: int) -> None:
    rows = encoded(sizes, lead=lead)
    requests = cut(rows, most=most, most_bytes=most_bytes)
    assert [place for items in requests for place in range(items.first, items.last)] == list(range(len(sizes)))
    for items in requests:
        assert 1 <= len(items) <= most
        assert len(items) == 1 or len(items.data) <= most_bytes
    expected = [(str(number) * size)[:size].encode() for number, size in enumerate(sizes)]
    assert [part for items in requests for part in bytes(items.data).split(b",")] == expected


@RELAXED
@given(sizes_of, st.integers(1, 12), st.integers(1, 80))
def test_no_two_neighbours_would_fit_into_one_request(sizes: list[int], most: int, most_bytes: int) -> None:
    requests = cut(encoded(sizes), most=most, most_bytes=most_bytes)
    for before, after in pairwise(requests):
        first = Items(after.encoded, after.first, after.first + 1)
        full = len(before) == most or len(before.data) + 1 + len(first.data) + 1 > most_bytes
        assert full, "a request ends where the next item would be too much"


def test_equal_items_fill_the_requests_to_the_brim() -> None:
    requests = cut(encoded([3] * 10), most=4, most_bytes=1_000)
    assert [len(items) for items in requests] == [4, 4, 2]


def test_a_large_item_travels_alone() -> None:
    requests = cut(encoded([2, 2, 50, 2, 2]), most=75, most_bytes=20)
    assert [(items.first, items.last) for items in requests] == [(0, 2), (2, 3), (3, 5)]


def test_where_one_item_is_large_the_others_keep_to_their_number() -> None:
    requests = cut(encoded([1] * 10 + [50]), most=3, most_bytes=20)
    assert [len(items) for items in requests] == [3, 3, 3, 1, 1]


def test_nothing_makes_no_request() -> None:
    assert cut(encoded([]), most=75, most_bytes=100) == []


def test_the_data_is_a_view_and_not_a_copy() -> None:
    rows = encoded([4, 4, 4], lead=3)
    (items,) = cut(rows, most=75, most_bytes=100)
    assert items.data.obj is rows.data.obj
    assert bytes(items.data) == b"0000,1111,2222"


@RELAXED
@given(st.integers(1, 20), st.integers(0, 5))
def test_halving_ends_at_single_items_in_their_order(count: int, lead: int) -> None:
    rows = encoded([2] * count, rows=[3 * number for number in range(count)], lead=lead)
    pending, singles = [Items(rows, 0, count)], []
    while pending:
        items = pending.pop(0)
        if len(items) == 1:
            singles.append(items)
        else:
            one, other = items.halves()
            assert min(len(one), len(other)) >= 1
            assert abs(len(one) - len(other)) <= 1
            assert bytes(items.data) == bytes(one.data) + b"," + bytes(other.data)
            pending[:0] = [one, other]
    assert [items.row(0) for items in singles] == [3 * number for number in range(count)]


def test_an_index_of_the_request_leads_back_to_the_row() -> None:
    requests = cut(encoded([1] * 5, rows=[0, 2, 3, 7, 9]), most=2, most_bytes=100)
    assert [[items.row(index) for index in range(len(items))] for items in requests] == [[0, 2], [3, 7], [9]]


def test_items_that_may_stand_together_are_left_as_they_are() -> None:
    items = Items(encoded([1] * 6, users=[1, 2, 3, 4, 5, 5]), 1, 5)
    assert arrange(items, None) == (items,)
    assert arrange(items, 1) == (items,)


@RELAXED
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2)), max_size=20), st.none() | st.integers(1, 3), st.integers(0, 3))
def test_every_item_is_sent_once_with_its_own_kind_and_the_order_of_each_key(
    rows: list[tuple[int, int]], per_key: int | None, lead: int
) -> None:
    groups = np.asarray([group for _, group in rows], np.uint8)
    whole = replace(encoded([3] * len(rows), users=[key for key, _ in rows] or (), lead=lead), groups=groups)
    requests = arrange(Items(whole, 0, len(rows)), per_key)
    sent = [(items.group, items.row(index)) for items in requests for index in range(len(items))]
    assert sorted(row for _, row in sent) == list(range(len(rows)))
    assert all(group == rows[row][1] for group, row in sent)
    texts = [part for items in requests if len(items) for part in bytes(items.data).split(b",")]
    assert texts == [(str(row) * 3)[:3].encode() for _, row in sent]
    for items in requests:
        keys = [rows[items.row(index)][0] for index in range(len(items))]
        assert per_key is None or all(keys.count(key) <= per_key for key in keys)
    if per_key == 1:
        for key in {key for key, _ in rows}:
            places = [row for _, row in sent if rows[row][0] == key]
            assert places == sorted(places), "what happens to one thing happens in the order of the rows"


def marked(sizes: list[int]) -> Encoded:
    """Items of three bytes each that count for more or fewer bytes."""
    rows = encoded([3] * len(sizes))
    numbers = np.arange(len(sizes), dtype=np.uint64)
    marks = Marks(np.array(sizes, np.int64), -np.ones(len(sizes), np.int64), numbers, numbers, numbers, numbers % 2 == 1)
    return replace(rows, marks=marks)


@RELAXED
@given(sizes_of, st.integers(1, 12), st.integers(1, 80))
def test_marked_items_are_cut_by_the_bytes_that_the_destination_counts(sizes: list[int], most: int, most_bytes: int) -> None:
    requests = cut(marked(sizes), most=most, most_bytes=most_bytes)
    assert [place for items in requests for place in range(items.first, items.last)] == list(range(len(sizes)))
    for items, following in pairwise([*requests, None]):
        size = sum(sizes[items.first : items.last]) if items else 0
        assert items is not None
        assert len(items) == 1 or size <= most_bytes
        assert following is None or len(items) == most or size + sizes[following.first] > most_bytes, "full to the brim"


def test_marks_follow_their_items_into_another_order() -> None:
    taken = marked([5, 6, 7]).take(np.array([2, 0]))
    assert taken.marks is not None
    assert taken.marks.sizes.tolist() == [7, 5]
    assert taken.subjects.tolist() == [2, 0]
    assert taken.marks.always.tolist() == [False, False]
