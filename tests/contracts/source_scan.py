"""The source contract: every row of a relation, in no order, as a list that is sent as a whole is read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pytest

from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses.base import Column, Query, Relation, Warehouse
from tests.contracts.source_faults import many, outcome
from tests.contracts.source_memory import probed
from tests.contracts.sources import EVERYTHING, Engine, reading, still_running


def scanned(warehouse: Warehouse, relation: Relation, columns: Sequence[Column], rows: int = 65_536) -> pa.Table:
    """All rows; an empty relation has the right columns too."""
    shape = pa.schema([pa.field(column.name, pa.string()) for column in columns])
    return pa.Table.from_batches(warehouse.scan(relation, columns, rows=rows), shape)


def named(warehouse: Warehouse, relation: Relation, *names: str) -> list[Column]:
    """Some columns of a relation."""
    found = {column.name: column for column in warehouse.columns(relation)}
    return [found[name] for name in names]


class ScanContract:
    """Nothing is left out, nothing comes twice, and the texts are those of every other read."""

    def test_every_row_comes_once_with_null_and_empty_text_and_equal_rows(self, engine: Engine, warehouse: Warehouse) -> None:
        texts: list[str | None] = [None, "", "x", "x", "x", " y ", "한국 😀", "q\"uo'te", "back\\slash", "line\nbreak", "\ufeffz"]
        table = engine.table({"id": "integer", "adid": "varchar"}, [[str(n), text] for n, text in enumerate(texts)])
        (column,) = named(warehouse, table, "adid")
        found = scanned(warehouse, table, [column])
        assert Counter(found.column("adid").to_pylist()) == Counter(texts)
        assert warehouse.count_rows(table) == len(texts)

    def test_the_chosen_columns_come_in_the_chosen_order_row_by_row(self, engine: Engine, warehouse: Warehouse) -> None:
        rows = [[str(n), f"a{n}", f"b{n}"] for n in range(50)]
        table = engine.table({"id": "integer", "one": "varchar", "two": "varchar"}, rows)
        found = scanned(warehouse, table, named(warehouse, table, "two", "id"), rows=7)
        assert found.schema.names == ["two", "id"]
        assert set(found.schema.types) == {pa.string()}
        assert sorted(map(tuple, zip(*found.to_pydict().values(), strict=True))) == sorted((row[2], row[0]) for row in rows)

    def test_batches_hold_at_most_the_rows_that_are_asked_for(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer"}, [[str(n)] for n in range(100)])
        sizes = [batch.num_rows for batch in warehouse.scan(table, named(warehouse, table, "id"), rows=7)]
        assert sum(sizes) == 100
        assert max(sizes) <= 7

    def test_a_scan_gives_the_texts_of_a_window(self, engine: Engine, warehouse: Warehouse) -> None:
        values = {f"c{n}": one for n, one in enumerate(engine.values)}
        table = engine.table({"u": engine.cursors[0].type, **{name: one.type for name, one in values.items()}}, [])
        made = ", ".join(f"CAST({value.expression} AS {value.type})" for value in values.values())
        engine.execute(f"INSERT INTO {engine.sql(table)} SELECT NULL, {made}")
        extract = reading(warehouse, table, key=()).extract
        (window,) = pa.Table.from_batches(warehouse.batches(extract, EVERYTHING)).drop_columns(["cursor"]).to_pylist()
        assert scanned(warehouse, table, extract.values).to_pylist() == [window]
        assert [window[name] for name in values] == [value.text for value in values.values()]

    def test_a_query_is_scanned_like_a_table(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer", "adid": "varchar"}, [["1", "a%b"], ["2", "c"], ["3", None]])
        one, two = engine.quoted("id"), engine.quoted("adid")
        share = engine.quoted("share")
        query = Query(f"SELECT {two}, '7%' AS {share} FROM {engine.sql(table)} WHERE {one} < 3 AND {two} LIKE '%'")
        found = scanned(warehouse, query, warehouse.columns(query))
        assert Counter(found.column(0).to_pylist()) == Counter(["a%b", "c"])
        assert found.column(1).to_pylist() == ["7%", "7%"]
        assert warehouse.count_rows(query) == 2

    def test_an_empty_table_gives_no_rows(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"adid": "varchar"}, [])
        assert scanned(warehouse, table, warehouse.columns(table)).num_rows == 0
        assert warehouse.count_rows(table) == 0

    def test_an_early_close_leaves_the_connection_usable(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = many(engine, warehouse).extract
        for read in (1, 3):
            stream = warehouse.scan(extract.table, extract.values, rows=100)
            assert sum(next(stream).num_rows for _ in range(read)) == read * 100
            stream.close()
            assert still_running(engine) == 0
            assert warehouse.count_rows(extract.table) == 8_000

    def test_cancel_between_batches(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = many(engine, warehouse).extract
        stream = warehouse.scan(extract.table, extract.values, rows=100)
        next(stream)
        warehouse.cancel()
        with pytest.raises(TransientError):
            for _ in stream:
                pass
        assert still_running(engine) == 0
        assert scanned(warehouse, extract.table, extract.values).num_rows == 8_000

    @pytest.mark.parametrize("number", [0, 1], ids=["scan", "count_rows"])
    def test_cancel_from_another_thread(self, engine: Engine, warehouse: Warehouse, number: int) -> None:
        view = engine.view(engine.endless)
        columns = named(warehouse, view, "id")
        calls = (lambda: scanned(warehouse, view, columns), lambda: warehouse.count_rows(view))
        raised: list[ActivationError | None] = []
        thread = threading.Thread(target=lambda: raised.append(outcome(calls[number])))
        thread.start()
        while thread.is_alive():  # a cancellation that comes too early changes nothing
            warehouse.cancel()
            thread.join(0.05)
        assert isinstance(raised[0], TransientError)
        assert still_running(engine) == 0

    def test_what_is_not_there_is_a_configuration_error(self, engine: Engine, warehouse: Warehouse) -> None:
        gone = engine.place("no such table")
        for call in (lambda: scanned(warehouse, gone, [Column("adid", "varchar")]), lambda: warehouse.count_rows(gone)):
            error = outcome(call)
            assert isinstance(error, ConfigurationError)
            assert "no such table" in error.problem
            assert error.fix
        table = engine.table({"adid": "varchar"}, [])
        error = outcome(lambda: scanned(warehouse, table, [Column("gone_column", "varchar")]))
        assert isinstance(error, ConfigurationError)
        assert "gone_column" in error.problem

    def test_a_large_table_is_scanned_in_bounded_memory(self, engine: Engine, warehouse: Warehouse) -> None:
        seen = probed(engine, "scan")
        assert seen["rows"] == engine.rows == warehouse.count_rows(engine.large())
