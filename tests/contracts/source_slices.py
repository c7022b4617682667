"""The source contract: slices of a window are disjoint and complete, and follow from the values alone."""

from __future__ import annotations

from dataclasses import replace

from activation.cursor.timestamps import from_text
from activation.warehouses.base import Slice, Warehouse
from tests.contracts.sources import EVERYTHING, SECOND, Engine, Reading, reading

NOON = from_text("2026-07-19T12:00:00Z")
IDS = [
    None,
    "",
    "a",
    "A",
    "b",
    "ä",
    "김민준",
    "이서연",
    "😀",
    "a'b",
    "0",
    "9",
    "10",
    " x",
    "50%",
    *(f"user-{n}" for n in range(25)),
]
NUMBERS = [None, "0", "-7", *(str(n) for n in range(1, 9))]


def rows_of(engine: Engine) -> list[list[str | None]]:
    """Rows that are named by a text, by a number, by both or by none; some have no cursor value."""
    cursor = engine.cursors[0]
    named = [(one, number) for one in IDS for number in (None, "5")] + [(None, number) for number in NUMBERS]
    stamps = [None, NOON, NOON + SECOND]
    return [[one, number, cursor.literal(stamps[n % 3]), str(n)] for n, (one, number) in enumerate(named)]


def sliced(warehouse: Warehouse, found: Reading, of: int) -> list[Reading]:
    """The same reading through some connection, slice by slice."""
    by = tuple(column for column in found.extract.values if column.name in ("id", "k"))
    return [Reading(warehouse, replace(found.extract, slice=Slice(index, of, by))) for index in range(of)]


class SlicesContract:
    """Each row of a window stands in exactly one slice, in the order that it has in the window."""

    def test_slices_are_disjoint_complete_ordered_and_alike_for_everybody(self, engine: Engine, warehouse: Warehouse) -> None:
        kinds = {"id": "varchar", "k": "integer", "u": engine.cursors[0].type, "n": "integer"}
        found = reading(warehouse, engine.table(kinds, rows_of(engine)), key=("id", "k", "n"))
        whole = found.rows()
        other = engine.open()
        try:
            for of in (1, 3, 4):
                parts = [one.rows() for one in sliced(warehouse, found, of)]
                self._check(whole, parts)
                theirs = sliced(other, found, of)
                assert [other.count(one.extract, EVERYTHING) for one in theirs] == [len(part) for part in parts]
                told = {other.slicing(one.extract) for one in theirs}
                assert told == {warehouse.slicing(one.extract) for one in sliced(warehouse, found, of)}
                assert len(told) == 1, "which slice it is makes no difference"
            middle = found.position(parts[0][len(parts[0]) // 2])
            rest = [row for row in parts[0] if found.position(row).order > middle.order]
            assert theirs[0].rows(after=middle) == rest
            assert other.count(theirs[0].extract, EVERYTHING, middle) == len(rest)
        finally:
            other.close()

    @staticmethod
    def _check(whole: list[dict[str, str | None]], parts: list[list[dict[str, str | None]]]) -> None:
        place = {row["n"]: index for index, part in enumerate(parts) for row in part}
        assert sum(map(len, parts)) == len(place) == len(whole), "no row stands in two slices or in none"
        subjects: dict[str, set[int]] = {}
        for index, part in enumerate(parts):
            assert part == [row for row in whole if place[row["n"]] == index], "the order is that of the window"
            assert len(part) > len(whole) // len(parts) // 3, "every slice has its share"
            for row in part:  # the first column with a value decides, and an empty text is none
                subjects.setdefault(row["id"] or row["k"] or "", set()).add(index)
        assert all(len(slices) == 1 for slices in subjects.values())
