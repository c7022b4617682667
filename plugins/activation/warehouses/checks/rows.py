"""Checks of rows: clock, exact texts, order of keys, missing values, edges of a window, and going on behind any row."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from activation.cursor.timestamps import NANOSECONDS, from_text
from activation.cursor.window import Window
from activation.findings import Check, Wrong, expect
from activation.warehouses.base import Extract, Query, Warehouse
from activation.warehouses.checks.reading import EVERYTHING, extract_of, literals, rows_of
from activation.warehouses.checks.samples import Samples
from activation.warehouses.sql import LAST

Look = Callable[[Warehouse, Extract], str]

MOST_OFFSET = 60
"""Seconds that a clock may be off. The window's end is the warehouse's own clock, so a small offset does no harm; local time
taken for UTC is at least half an hour off."""

_TEXTS: tuple[tuple[str, str | None], ...] = (
    ("'b'", "b"),
    ("'B'", "B"),
    ("'a'", "a"),
    ("'_'", "_"),
    ("'10'", "10"),
    ("'9'", "9"),
    ("'a b'", "a b"),
    ("'a-b'", "a-b"),
    ("'ab'", "ab"),
    ("'ä'", "ä"),
    ("'한국어'", "한국어"),
    ("'가'", "가"),
    ("'～'", "～"),  # sorts before an emoji by code point, behind it by UTF-16
    ("'😀👩‍👩‍👧'", "😀👩‍👩‍👧"),
    ("'NULL'", "NULL"),
    ("'100% {0} $1 ?'", "100% {0} $1 ?"),
    ("CHR(92) || 'N'", "\\N"),
    ("CHR(39) || CHR(34)", "'\""),
    ("'x' || CHR(10) || CHR(9) || 'y'", "x\n\ty"),
    ("NULL", None),
)
"""Expressions that every engine writes alike, and the text that must arrive."""

_SECONDS = (3, 1, 2, 2, 2, None, 4, None)
"""Instants of the rows that windows are cut from: equal ones, missing ones, out of order."""


def row_checks(warehouse: Warehouse, samples: Samples) -> Iterator[Check]:
    """All checks of rows, over queries of literals."""
    instant = samples.instant.format(at="2026-07-19 00:00:01")
    texts = literals([(instant, f"CAST({sql} AS {samples.text})") for sql, _ in _TEXTS], ("u", "id"))
    missing = f"CASE WHEN 1 = 0 THEN {instant} END"
    stamps = literals(
        [
            (missing if second is None else samples.instant.format(at=f"2026-07-19 00:00:0{second}"), _text(samples, number))
            for number, second in enumerate(_SECONDS)
        ],
        ("u", "id"),
    )
    looks: tuple[tuple[str, Look, Query], ...] = (
        ("clock", _clock, stamps),
        ("texts", _texts, texts),
        ("key order", _order, texts),
        ("missing values", _missing, stamps),
        ("edges of a window", _edges, stamps),
        ("going on behind a row", _resume, stamps),
        ("preview", _preview, stamps),
    )
    for name, look, query in looks:
        yield Check(name, partial(_look, look, warehouse, query))


def _look(look: Look, warehouse: Warehouse, query: Query) -> str:
    return look(warehouse, extract_of(warehouse, query))


def _clock(warehouse: Warehouse, extract: Extract) -> str:
    before = time.time_ns()
    now = warehouse.survey(extract, None).now
    after = time.time_ns()
    offset = (now - min(max(now, before), after)) / NANOSECONDS
    if abs(offset) > MOST_OFFSET:
        raise Wrong(
            f"expected at most {MOST_OFFSET} s between the warehouse's clock and this machine's, but it is {offset:+.1f} s. "
            "Set this machine's time; if it is right, the engine's clock is read in a wrong time zone"
        )
    return f"offset {offset:+.3f} s, answered in {(after - before) / NANOSECONDS:.2f} s"


def _texts(warehouse: Warehouse, extract: Extract) -> str:
    seen = [row.values[0] for row in rows_of(warehouse, extract)]
    wanted = [text for _, text in _TEXTS]
    gone = [text for text in wanted if text not in seen]
    strange = [text for text in seen if text not in wanted]
    if gone or strange or len(seen) != len(wanted):
        raise Wrong(f"expected {gone!r} among {len(wanted)} texts, but got {strange!r} among {len(seen)}")
    return f"{len(seen)} texts, with Korean, emoji, quotes and control characters, arrive letter by letter"


def _order(warehouse: Warehouse, extract: Extract) -> str:
    seen = [row.values[0] or "" for row in rows_of(warehouse, extract)]
    expect(seen, sorted(seen), "keys by code point:")
    return "keys come by code point, NULL first"


def _missing(warehouse: Warehouse, extract: Extract) -> str:
    rows = rows_of(warehouse, extract)
    nulls = _SECONDS.count(None)
    expect([row.place.at is None for row in rows], [True] * nulls + [False] * (len(_SECONDS) - nulls), "NULL first:")
    expect(warehouse.survey(extract, None).nulls, nulls, "counted rows without a cursor value:")
    without = rows_of(warehouse, extract, Window(None, True, LAST, nulls=False))
    expect(len(without), len(_SECONDS) - nulls, "rows of a window without them:")
    return f"{nulls} of {len(rows)} rows have no cursor value; they come first, and can be left out"


def _edges(warehouse: Warehouse, extract: Extract) -> str:
    start = from_text("2026-07-19T00:00:00Z")
    tried = 0
    for lower, upper, closed in product((1, 2, 3), (2, 3), (True, False)):
        window = Window(start + lower * NANOSECONDS, closed, start + upper * NANOSECONDS, nulls=False)
        wanted = [
            start + second * NANOSECONDS
            for second in sorted(second for second in _SECONDS if second is not None)
            if (lower < second or (closed and lower == second)) and second <= upper
        ]
        rows = rows_of(warehouse, extract, window)
        expect([row.place.at for row in rows], wanted, f"window {window}:")
        expect(warehouse.count(extract, window), len(wanted), f"count of window {window}:")
        tried += 1
    return f"{tried} windows, open and closed, give exactly their rows and their count"


def _resume(warehouse: Warehouse, extract: Extract) -> str:
    rows = rows_of(warehouse, extract)
    expect(len(rows), len(_SECONDS), "rows:")
    expect(warehouse.count(extract, EVERYTHING), len(rows), "count:")
    expect([row.place for row in rows], sorted((row.place for row in rows), key=lambda place: place.order), "order:")
    for number, row in enumerate(rows, 1):
        expect(rows_of(warehouse, extract, after=row.place), rows[number:], f"behind row {number}:")
        expect(warehouse.count(extract, EVERYTHING, row.place), len(rows) - number, f"count behind row {number}:")
    return f"{len(rows)} rows read, as many counted; behind each of them exactly the rest follows"


def _preview(warehouse: Warehouse, extract: Extract) -> str:
    found = warehouse.preview(extract, EVERYTHING, 3)
    expect(found.num_rows, 3, "rows:")
    first = [row.values for row in rows_of(warehouse, extract)[:3]]
    expect(list(zip(*(column.to_pylist() for column in found.columns[1:]), strict=True)), first, "first rows:")
    return "the first 3 rows of the window"


def _text(samples: Samples, number: int) -> str:
    return f"CAST('{number}' AS {samples.text})"
