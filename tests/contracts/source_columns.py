"""The source contract: names, types and the exact text of values."""

from __future__ import annotations

import pytest

from activation.errors import ConfigurationError
from activation.warehouses.arrow import BATCH_BYTES
from activation.warehouses.base import Column, Extract, Query, Warehouse
from tests.contracts.sources import DAY, EVERYTHING, Engine, Reading, reading

NASTY_NAMES = ("Mixed Case", "한국어 표", 'with "quotes"', "50% {0} %s ? $1", "semi; colon -- /*", "back\\slash'quote", "select")

NASTY_TEXTS = (
    None, "", " ", "NULL", "null", "\\N", "\\.",
    ",", '"', '""', "'", "\\", "\\\\", "a,b", 'a"b', "a\nb", "a\r\nb", "\n", "\r", "\t",
    "a\\nb", "한국어", "😀👩‍👩‍👧", "e\u0301", "\u2028", "\ufeff", '{"a": "b\\"c\\n", "한": [1, null]}', "$1", "%s", "?",
    "'; DROP TABLE x; --",
)  # fmt: skip


class ColumnsContract:
    """Columns are found as they are, and their values arrive exactly."""

    def test_columns_come_in_their_order_with_their_types(self, engine: Engine, warehouse: Warehouse) -> None:
        kinds = {f"c{n}": value.type for n, value in enumerate(engine.values)}
        table = engine.table(kinds, [])
        found = warehouse.columns(table)
        assert [column.name for column in found] == list(kinds)
        assert all(column.type for column in found)
        query = f"SELECT * FROM {engine.sql(table)}"
        assert warehouse.columns(engine.view(query)) == found
        assert [column.name for column in warehouse.columns(Query(query))] == list(kinds)

    def test_a_table_is_found_in_its_schema(self, engine: Engine, warehouse: Warehouse) -> None:
        table = (*engine.schema[:-1], engine.unused(), "inside")
        engine.execute(f"CREATE SCHEMA {engine.sql(table[:-1])}")
        names = [engine.quoted(name) for name in ("id", "u")]
        engine.execute(
            f"CREATE TABLE {engine.sql(table)} ({names[0]} {engine.kind('integer')}, {names[1]} {engine.cursors[0].type})"
        )
        engine.execute(f"INSERT INTO {engine.sql(table)} VALUES (1, NULL)")
        assert reading(warehouse, table).rows() == [{"": None, "id": "1"}]

    @pytest.mark.parametrize("name", NASTY_NAMES)
    def test_every_name_is_only_a_name(self, engine: Engine, warehouse: Warehouse, name: str) -> None:
        if name in engine.impossible_names:
            pytest.skip("the engine does not take this name")
        engine.execute(f"DROP TABLE IF EXISTS {engine.sql(engine.place(name))}")
        table = engine.table({name: "integer", "u": engine.cursors[0].type}, [["1", None], ["2", None]], name=name)
        found = reading(warehouse, table, key=(name,))
        assert found.rows() == [{"": None, name: "1"}, {"": None, name: "2"}]
        assert found.warehouse.count(found.extract, EVERYTHING, found.positions()[0]) == 1

    def test_names_of_the_statement_can_be_names_of_columns(self, engine: Engine, warehouse: Warehouse) -> None:
        kind = engine.cursors[0]
        columns = {"src": "varchar", "c": "varchar", "v1": "varchar", "cursor": "varchar", "u": kind.type}
        stamps = [kind.literal(second * 1_000_000_000) for second in (2, 10, 1)]
        table = engine.table(columns, [["z", "y", f"x{n}", "w", stamp] for n, stamp in enumerate(stamps)])
        extract = Extract(table, Column("u", kind.type), (Column("v1", "varchar"),), warehouse.columns(table))
        batch = next(warehouse.batches(extract, EVERYTHING))
        assert batch.schema.names == ["cursor", "src", "c", "v1", "cursor", "u"]
        assert batch.column(3).to_pylist() == ["x2", "x0", "x1"]
        assert batch.column(0).to_pylist() == [second * 1_000_000_000 // warehouse.tick_of(extract) for second in (1, 2, 10)]

    def test_a_missing_table_is_named_and_nothing_runs_that_its_name_says(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer", "u": engine.cursors[0].type}, [["1", None]])
        victim = table[-1]
        for name in (f'{victim}"; DROP TABLE {victim}; --', f"{victim}; DROP TABLE {victim}", f"{victim} --"):
            with pytest.raises(ConfigurationError) as caught:
                warehouse.columns(engine.place(name))
            assert name in str(caught.value)
            assert caught.value.fix
        assert len(reading(warehouse, table).rows()) == 1

    @pytest.mark.parametrize("name", ["", "a\0b"])
    def test_an_impossible_name_is_refused(self, engine: Engine, warehouse: Warehouse, name: str) -> None:
        extract = Extract(engine.place(name), Column("u", engine.cursors[0].type), (), ())
        with pytest.raises(ConfigurationError, match="cannot be the name"):
            warehouse.count(extract, EVERYTHING)

    def test_f13_every_type_arrives_as_text(self, engine: Engine, warehouse: Warehouse) -> None:
        names = [f"c{n}" for n in range(len(engine.values))]
        columns = {"id": "integer", "u": engine.cursors[0].type}
        columns.update({name: value.type for name, value in zip(names, engine.values, strict=True)})
        table = engine.table(columns, [])
        values = ", ".join(f"CAST({value.expression} AS {value.type})" for value in engine.values)
        engine.execute(f"INSERT INTO {engine.sql(table)} SELECT 1, NULL, {values}")
        engine.execute(f"INSERT INTO {engine.sql(table)} ({engine.quoted('id')}) VALUES (2)")
        full, empty = reading(warehouse, table).rows()
        assert {name: full[name] for name in names} == {
            name: value.text for name, value in zip(names, engine.values, strict=True)
        }
        assert {empty[name] for name in names} == {None}

    def test_texts_arrive_exactly(self, engine: Engine, warehouse: Warehouse) -> None:
        rows = [[f"{n:03}", None, text, text] for n, text in enumerate(NASTY_TEXTS)]
        table = engine.table({"id": "varchar", "u": engine.cursors[0].type, "one": "varchar", "two": "varchar"}, rows)
        found = reading(warehouse, table).rows()
        assert [row["one"] for row in found] == list(NASTY_TEXTS)
        assert [row["two"] for row in found] == list(NASTY_TEXTS)

    def test_a_single_column_of_nulls_and_empty_texts_keeps_its_rows(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "varchar", "u": engine.cursors[0].type}, [["1", None], ["2", None]])
        extract = Extract(table, Column("u", engine.cursors[0].type), (), ())
        assert Reading(warehouse, extract).rows() == [{"": None}, {"": None}]

    def test_an_empty_table_gives_nothing(self, engine: Engine, warehouse: Warehouse) -> None:
        found = reading(warehouse, engine.table({"id": "integer", "u": engine.cursors[0].type}, []))
        assert found.rows() == []
        assert warehouse.count(found.extract, EVERYTHING) == 0

    def test_wide_rows_make_small_batches(self, engine: Engine, warehouse: Warehouse) -> None:
        wide = '{"한": "' + "가나다라마바사" * 49_900 + '"}'
        assert 1_000_000 < len(wide.encode()) < 1_050_000
        table = engine.table({"id": "integer", "u": engine.cursors[0].type, "payload": "varchar"}, [["0", None, wide]])
        for rows in (1, 2, 4, 8, 16, 32):
            engine.double(table, rows)
        extract = reading(warehouse, table).extract
        sizes, found = [], []
        for batch in warehouse.batches(extract, EVERYTHING):
            sizes.append(batch.nbytes)
            found += batch.column("payload").to_pylist()
        assert found == [wide] * 64
        assert max(sizes) <= BATCH_BYTES

    def test_a_row_larger_than_a_batch_comes_alone(self, engine: Engine, warehouse: Warehouse) -> None:
        wide = "x" * engine.widest
        rows = [["1", None, "a"], ["2", None, wide], ["3", None, "b"]]
        found = reading(warehouse, engine.table({"id": "integer", "u": engine.cursors[0].type, "payload": "varchar"}, rows))
        assert [row["payload"] for row in found.rows()] == ["a", wide, "b"]
        assert found.batches == [1, 1, 1] or engine.widest <= BATCH_BYTES

    def test_f31_a_query_is_read_like_a_table(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        rows = [["1", cursor.literal(1_000_000_000), "50%"], ["2", None, "x"], ["3", cursor.literal(2_000_000_000), "y"]]
        table = engine.table({"id": "integer", "u": cursor.type, "t": "varchar"}, rows)
        names = ", ".join(engine.quoted(name) for name in ("id", "u", "t"))
        query = Query(f"SELECT {names} FROM {engine.sql(table)} WHERE {engine.quoted('t')} LIKE '%' -- all ? of %s them")
        found = reading(warehouse, query)
        assert found.rows() == reading(warehouse, table).rows()
        assert warehouse.count(found.extract, EVERYTHING) == 3
        assert warehouse.survey(found.extract, 1_000_000_000).at == 1

    def test_a_preview_gives_the_first_rows(self, engine: Engine, warehouse: Warehouse) -> None:
        cursor = engine.cursors[0]
        rows = [[f"{n}", cursor.literal(n * DAY)] for n in (3, 1, 2)]
        found = reading(warehouse, engine.table({"id": "varchar", "u": cursor.type}, rows))
        assert warehouse.preview(found.extract, EVERYTHING, 2)["id"].to_pylist() == ["1", "2"]
        assert warehouse.preview(found.extract, EVERYTHING, 9).num_rows == 3
        assert warehouse.preview(found.extract, EVERYTHING, 9).schema.names == ["cursor", "id"]
