"""The source contract: order, edges of the window, counts and clocks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import product

import pytest

from activation.cursor.timestamps import from_text, to_text
from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError
from activation.warehouses.base import Column, Extract, Warehouse
from tests.contracts.sources import DAY, EVERYTHING, SECOND, Cursor, Engine, Reading, reading

NOON = from_text("2026-07-19T00:00:00Z")
"""An instant that every type can hold."""

FIRST, LAST = from_text("0001-01-01T00:00:00Z"), EVERYTHING.upper


def windows(cursor: Cursor) -> Iterator[Window]:
    """Every combination of edges on, beside and between the values around noon."""
    step = cursor.grain
    edges = sorted({NOON - step, NOON - 1, NOON, NOON + 1, NOON + step // 2, NOON + step})
    for lower, upper, closed in product([None, FIRST, *edges], [*edges, LAST], [True, False]):
        yield Window(lower, closed, upper, nulls=lower is None)


def inside(at: int | None, window: Window) -> bool:
    """Say what the window's own words say."""
    if at is None:
        return window.nulls
    if window.lower is not None and (at < window.lower or (at == window.lower and not window.closed)):
        return False
    return at <= window.upper


class WindowsContract:
    """A window gives exactly its rows, in order, and every count agrees."""

    def test_edges_are_exact_for_every_type(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            stamps = [None, NOON - cursor.grain, NOON, NOON, NOON + cursor.grain, None]
            rows = [[str(n), cursor.literal(at)] for n, at in enumerate(stamps)]
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, rows))
            order = sorted(Position(at, (str(n),)).order for n, at in enumerate(stamps))
            for window in list(windows(cursor))[:: engine.stride]:
                want = [Position(at if known else None, key) for known, at, key in order if inside(at if known else None, window)]
                assert found.positions(window) == want, (cursor, window)
                assert warehouse.count(found.extract, window) == len(want), (cursor, window)

    def test_sub_tick_positions_resume_exactly(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            stamps = [NOON - cursor.grain, NOON, NOON + cursor.grain]
            found = reading(
                warehouse, engine.table({"id": "integer", "u": cursor.type}, [["5", cursor.literal(at)] for at in stamps])
            )
            for at, key in product({NOON - 1, NOON, NOON + cursor.grain - 1, FIRST, LAST}, ("", "5", "9")):
                after = Position(at, (key,))
                want = [at for at in stamps if Position(at, ("5",)).order > after.order]
                assert [place.at for place in found.positions(after=after)] == want, (cursor, after)

    def test_order_is_cursor_then_key_as_binary_text_with_null_first(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        keys = ["b", "B", "a", "A", None, "", "ä", "z", "Z", "한", "😀", "10", "9", "a b", "a-b", "ab", "_"]
        rows = [[key, cursor.literal(at), f"{n}"] for at in (NOON, None, NOON - DAY) for n, key in enumerate(keys)]
        found = reading(warehouse, engine.table({"id": "varchar", "u": cursor.type, "n": "integer"}, rows))
        places = found.positions()
        assert places == sorted(places, key=lambda place: place.order)
        assert len(places) == len(rows)

    def test_several_keys_order_one_after_the_other(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        rows = [[a, b, cursor.literal(at)] for a in ("1", "2", None) for b in ("x", None) for at in (NOON, None)]
        found = reading(warehouse, engine.table({"a": "integer", "b": "varchar", "u": cursor.type}, rows), key=("b", "a"))
        places = found.positions()
        assert places == sorted(places, key=lambda place: place.order)
        for number, place in enumerate(places):
            assert found.positions(after=place) == places[number + 1 :]

    def test_zones_are_converted_and_naive_is_utc(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            text = "2026-07-19" if cursor.grain == DAY else "2026-07-19 09:00:00+09" if cursor.zone else "2026-07-19 00:00:00"
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, [["1", text]]))
            assert found.positions() == [Position(NOON, ("1",))]

    def test_the_finest_digits_survive(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            at = NOON + (123_456_789 // cursor.grain * cursor.grain)
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, [["1", cursor.literal(at)]]))
            assert [place.at for place in found.positions()] == [at]
            assert warehouse.survey(found.extract, at).at == 1
            assert warehouse.survey(found.extract, at).latest == at

    def test_far_years_are_read(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            stamps = [from_text("1678-01-01T00:00:00Z"), from_text("2261-12-31T00:00:00Z")]
            if cursor.grain > 1:  # 64 bits of nanoseconds reach no further
                stamps = [FIRST, *stamps, LAST // cursor.grain * cursor.grain]
            rows = [[str(n), cursor.literal(at)] for n, at in enumerate(stamps)]
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, rows))
            assert [place.at for place in found.positions()] == stamps
            assert warehouse.survey(found.extract, None).latest == stamps[-1]

    def test_infinity_counts_as_no_cursor_value(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in (one for one in engine.cursors if one.infinite):
            rows: list[list[str | None]] = [["1", "infinity"], ["2", "-infinity"], ["3", cursor.literal(NOON)], ["4", None]]
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, rows))
            places = [Position(None, ("1",)), Position(None, ("2",)), Position(None, ("4",)), Position(NOON, ("3",))]
            assert found.positions() == places
            assert [found.positions(after=place) for place in places] == [places[1:], places[2:], places[3:], []]
            assert found.positions(Window(None, True, LAST, nulls=False)) == places[3:]
            survey = warehouse.survey(found.extract, NOON)
            assert (survey.at, survey.nulls, survey.latest) == (1, 3, NOON)

    def test_survey_counts_at_one_moment(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            stamps = [NOON, NOON, None, NOON + cursor.grain, None, None]
            rows = [[str(n), cursor.literal(at)] for n, at in enumerate(stamps)]
            extract = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, rows)).extract
            survey = warehouse.survey(extract, NOON)
            assert (survey.at, survey.nulls, survey.latest) == (2, 3, NOON + cursor.grain)
            # A clock in local time would be hours away.
            assert abs(survey.now - time.time_ns()) < 1_800 * SECOND
            assert warehouse.survey(extract, None).at == 0
            for at in (NOON - cursor.grain, FIRST, LAST, *([NOON + 1] if cursor.grain > 1 else [])):
                assert warehouse.survey(extract, at).at == 0

    def test_survey_of_an_empty_table(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = reading(warehouse, engine.table({"id": "integer", "u": engine.cursors[0].type}, [])).extract
        survey = warehouse.survey(extract, NOON)
        assert (survey.at, survey.nulls, survey.latest) == (0, 0, None)

    def test_f08_a_watermark_survives_its_text(self, engine: Engine, warehouse: Warehouse) -> None:
        for cursor in engine.cursors:
            at = NOON + (999_999_999 // cursor.grain * cursor.grain)
            found = reading(warehouse, engine.table({"id": "integer", "u": cursor.type}, [["1", cursor.literal(at)]]))
            latest = warehouse.survey(found.extract, None).latest
            assert latest is not None
            mark = from_text(to_text(latest))
            assert found.positions(Window(mark, False, LAST, nulls=False)) == []
            assert found.positions(Window(mark, True, LAST, nulls=False)) == [Position(at, ("1",))]

    def test_rows_after_the_upper_bound_wait(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        table = engine.table(
            {"id": "integer", "u": cursor.type}, [["1", cursor.literal(NOON)], ["2", cursor.literal(NOON + DAY)]]
        )
        found = reading(warehouse, table)
        assert [place.key for place in found.positions(Window(None, True, NOON, nulls=False))] == [("1",)]
        assert [place.key for place in found.positions(Window(NOON, False, LAST, nulls=False))] == [("2",)]

    def test_a_type_without_instants_cannot_be_the_cursor(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer", "u": "varchar"}, [])
        columns = warehouse.columns(table)
        extract = Extract(table, columns[1], columns[:1], columns[:1])
        for call in (
            warehouse.tick_of,
            lambda one: warehouse.count(one, EVERYTHING),
            lambda one: warehouse.batches(one, EVERYTHING),
        ):
            with pytest.raises(ConfigurationError) as caught:
                call(extract)
            assert repr("u") in caught.value.problem
            assert columns[1].type in caught.value.problem
            assert "date" in caught.value.fix.lower()

    def test_a_position_of_another_key_is_refused(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer", "u": engine.cursors[0].type}, [])
        found = Reading(warehouse, Extract(table, Column("u", engine.cursors[0].type), (Column("id", "integer"),), ()))
        with pytest.raises(ConfigurationError, match="2 key values, but the key has 1 columns"):
            found.positions(after=Position(NOON, ("1", "2")))
