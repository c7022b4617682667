"""The source contract: after every place exactly the rest, whatever the size of a batch and however many rows share a place."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activation.cursor.timestamps import from_text
from activation.cursor.window import Position, Window
from activation.warehouses.base import Warehouse
from tests.contracts.sources import EVERYTHING, MICROSECOND, Engine, reading

NOON = from_text("2026-07-19T12:00:00Z")
COLUMNS = ("k1", "k2", "u", "n")

instants = st.sampled_from([None, NOON, NOON, NOON + MICROSECOND, NOON + 2 * MICROSECOND])
texts = st.sampled_from([None, "", "a", "B", "b", "한", "a'b"])
numbers = st.sampled_from([None, "9", "10"])
tables = st.lists(st.tuples(texts, numbers, instants), max_size=7)
edges = st.sampled_from([NOON - 1, NOON, NOON + 1, NOON + MICROSECOND, NOON + 5 * MICROSECOND])
bounds = st.builds(Window, st.none() | edges, st.booleans(), edges, st.booleans())


class ResumeContract:
    """Reading can stop anywhere and go on."""

    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
    @given(rows=tables, window=bounds | st.just(EVERYTHING))
    def test_prefix_and_remainder_are_the_whole(
        self, engine: Engine, warehouse: Warehouse, rows: list[tuple[str | None, str | None, int | None]], window: Window
    ) -> None:
        engine.spent += 1
        if engine.spent > engine.examples:
            return
        cursor = engine.cursors[0]
        kinds = dict(zip(COLUMNS, ("varchar", "integer", cursor.type, "integer"), strict=True))
        name = "resume"
        engine.execute(f"DROP TABLE IF EXISTS {engine.sql(engine.place(name))}")
        filled = [[k1, k2, cursor.literal(at), str(n)] for n, (k1, k2, at) in enumerate(rows)]
        found = reading(warehouse, engine.table(kinds, filled, name), key=("k1", "k2"))

        whole = found.rows(window)
        places = [found.position(row) for row in whole]
        assert places == sorted(places, key=lambda place: place.order)
        assert sorted(int(row["n"]) for row in whole) == [n for n, (_, _, at) in enumerate(rows) if _inside(at, window)]
        assert warehouse.count(found.extract, window) == len(whole)

        for size in range(1, len(whole) + 2):
            again = found.rows(window, rows=size)
            assert sorted(map(str, again)) == sorted(map(str, whole))
            assert max(found.batches, default=0) <= size
            assert sum(found.batches) == len(whole)

        for place in set(places):
            kept = Position.from_json(place.to_json())
            rest = found.rows(window, kept, rows=2)
            want = [row for row, at in zip(whole, places, strict=True) if at.order > place.order]
            assert sorted(map(str, rest)) == sorted(map(str, want))
            assert warehouse.count(found.extract, window, kept) == len(want)

    def test_thousands_of_rows_with_one_timestamp_neither_wedge_nor_drop(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        rows = [[f"{n:05}", cursor.literal(NOON)] for n in range(3_000)]
        found = reading(warehouse, engine.table({"id": "varchar", "u": cursor.type}, rows))
        keys, after, tries = [], None, 0
        while True:
            stream = warehouse.batches(found.extract, EVERYTHING, after, rows=700)
            batch = next(stream, None)
            stream.close()
            if batch is None:
                break
            keys += batch.column("id").to_pylist()
            after, tries = Position(NOON, (keys[-1],)), tries + 1
        assert keys == [f"{n:05}" for n in range(3_000)]
        assert tries >= 5


def _inside(at: int | None, window: Window) -> bool:
    if at is None:
        return window.nulls
    low = window.lower is None or at > window.lower or (window.closed and at == window.lower)
    return low and at <= window.upper
