"""Hashes of whole rows: stable, and different wherever the content is."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.records.digests import Digests
from activation.warehouses.base import CURSOR


def batch(*rows: tuple[int | None, str | None, str | None], names: tuple[str, str] = ("A", "B")) -> pa.RecordBatch:
    cursors, ones, twos = zip(*rows, strict=True)
    return pa.record_batch(
        [pa.array(cursors, pa.int64()), pa.array(ones, pa.string()), pa.array(twos, pa.string())], [CURSOR, *names]
    )


def digests(*rows: tuple[int | None, str | None, str | None]) -> tuple[str, ...]:
    return _hashing().of(batch(*rows))


@cache
def _hashing() -> Digests:
    return Digests(("A", "B"), {})


def test_a_hash_never_changes_because_watermarks_keep_it() -> None:
    assert digests((1, "u1", '{"a":1}'), (None, None, ""), (1_700_000_000_000_000, "한", "😀")) == (
        "0a4c8169bfce8369",
        "284d04a834a5b9e9",
        "e3cb283ce2e81320",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, "a", "b"), (2, "a", "b")),
        ((1, None, "b"), (1, "", "b")),
        ((1, "a", None), (1, "a", "")),
        ((None, "a", "b"), (0, "a", "b")),
        ((1, "ab", "c"), (1, "a", "bc")),
        ((1, "ab", ""), (1, "", "ab")),
        ((1, None, "ab"), (1, "ab", None)),
        ((1, "a,1:b", "c"), (1, "a", "1:b,c")),
        ((1, "-", None), (1, None, "-")),
        ((1, "1:a,1:b", None), (1, "a", "b")),
        ((1, "é", "x"), (1, "e\u0301", "x")),
        ((11, "a", "b"), (1, "1a", "b")),
    ],
)
def test_different_rows_have_different_hashes(one: Any, other: Any) -> None:
    first, second = digests(one, other)
    assert first != second


texts = st.one_of(st.none(), st.text("a1:,-'\"한", max_size=4))
rows_of = st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 3)), texts, texts), min_size=1, max_size=30)


@settings(deadline=None)
@given(rows_of)
def test_hashes_are_equal_where_rows_are(rows: list[tuple[int | None, str | None, str | None]]) -> None:
    found = digests(*rows)
    assert all(len(digest) == 16 and set(digest) <= set("0123456789abcdef") for digest in found)
    assert len(set(found)) == len(set(rows)) == len(set(zip(rows, found, strict=True)))


def test_columns_whose_names_differ_in_case_only_are_both_hashed() -> None:
    hashing = Digests(("id", "ID"), {})
    found = hashing.of(batch((1, "a", "b"), (1, "a", "c"), names=("id", "ID")))
    assert len(set(found)) == 2
    hashing.close()


def test_a_column_may_be_called_like_the_cursor_in_another_case() -> None:
    hashing = Digests(("CURSOR", 'quo"ted'), {})
    found = hashing.of(batch((1, "a", "x"), (1, "b", "x"), (2, "a", "x"), names=("CURSOR", 'quo"ted')))
    assert len(set(found)) == 3
    hashing.close()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abc")), st.lists(st.sampled_from("abcd")))
def test_each_earlier_row_hides_one_later_row(earlier: list[str], later: list[str]) -> None:
    hashing = Digests((), Counter(earlier))
    half = len(later) // 2
    mask = [*hashing.seen(later[:half]), *hashing.seen(later[half:])]
    left = Counter(earlier)
    for digest, seen in zip(later, mask, strict=True):
        assert seen == (left[digest] > 0)
        left[digest] -= 1
    hashing.close()


def test_the_counts_that_are_handed_over_stay_as_they_are() -> None:
    earlier = {"a": 1}
    hashing = Digests((), earlier)
    assert hashing.seen(["a", "a"]).tolist() == [True, False]
    assert earlier == {"a": 1}
    hashing.close()
