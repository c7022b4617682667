"""What is special about DuckDB: cursors side by side, Python's variables, memory, and errors that come through Arrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Column, Extract
from activation.warehouses.duckdb import DuckDBWarehouse, map_error
from tests.contracts.sources import EVERYTHING, reading

CURSOR, ID = Column("u", "TIMESTAMP"), Column("id", "BIGINT")
EXTRACT = Extract(("rows",), CURSOR, (ID,), (ID, Column("payload", "VARCHAR")))


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A file with 20,000 rows."""
    with duckdb.connect(str(tmp_path / "test.duckdb")) as opened:
        opened.execute(
            "CREATE TABLE rows AS SELECT i AS id, TIMESTAMP '2026-01-01' + to_seconds(i) AS u, 'text ' || i AS payload "
            "FROM range(20000) r(i)"
        )
        yield opened


def test_other_statements_run_while_a_window_is_read(connection: duckdb.DuckDBPyConnection) -> None:
    warehouse = DuckDBWarehouse(connection)
    stream, other = (warehouse.batches(EXTRACT, EVERYTHING, rows=1_000) for _ in range(2))
    rows = next(stream).num_rows + next(other).num_rows
    assert warehouse.count(EXTRACT, EVERYTHING) == 20_000
    assert connection.execute("SELECT COUNT(*) FROM rows").fetchone() == (20_000,)
    rows += sum(batch.num_rows for batch in stream) + sum(batch.num_rows for batch in other)
    assert rows == 40_000


def test_rows_that_are_written_meanwhile_are_not_seen(connection: duckdb.DuckDBPyConnection) -> None:
    stream = DuckDBWarehouse(connection).batches(EXTRACT, EVERYTHING, rows=1_000)
    rows = next(stream).num_rows
    connection.execute("INSERT INTO rows SELECT id + 100000, u, payload FROM rows")
    assert rows + sum(batch.num_rows for batch in stream) == 20_000


def test_the_settings_of_the_given_connection_stay(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("SET TimeZone = 'Asia/Seoul'")
    assert len(list(DuckDBWarehouse(connection).batches(EXTRACT, EVERYTHING))) == 2
    assert connection.execute("SELECT current_setting('TimeZone')").fetchone() == ("Asia/Seoul",)


def test_a_name_is_never_looked_up_among_pythons_variables(connection: duckdb.DuckDBPyConnection) -> None:
    secrets = pa.table({"id": [1], "u": [None]})
    warehouse = DuckDBWarehouse(connection)
    with pytest.raises(ConfigurationError, match="secrets does not exist"):
        warehouse.columns(("secrets",))
    assert secrets.num_rows == 1


def test_nanoseconds_have_their_own_tick(connection: duckdb.DuckDBPyConnection) -> None:
    warehouse = DuckDBWarehouse(connection)
    connection.execute("CREATE TABLE nano AS SELECT 1 AS id, TIMESTAMP_NS '2026-01-01 00:00:00.000000001' AS u")
    found = reading(warehouse, ("nano",))
    assert warehouse.tick_of(found.extract) == 1
    assert found.rows() == [{"": 1_767_225_600_000_000_001, "id": "1"}]
    assert warehouse.tick_of(EXTRACT) == 1_000


def test_a_sort_that_does_not_fit_says_which_setting_to_raise(tmp_path: Path) -> None:
    with duckdb.connect(
        str(tmp_path / "small.duckdb"), config={"memory_limit": "20MB", "max_temp_directory_size": "0KB"}
    ) as opened:
        opened.execute(
            "CREATE VIEW big AS SELECT i AS id, TIMESTAMP '2026-01-01' AS u, repeat('x', 1000) AS p FROM range(200000) r(i)"
        )
        with pytest.raises(ConfigurationError) as caught:
            list(DuckDBWarehouse(opened).batches(Extract(("big",), CURSOR, (ID,), (ID, Column("p", "VARCHAR"))), EVERYTHING))
    assert "Out of Memory" in caught.value.problem
    assert "memory_limit" in caught.value.fix


def test_an_error_in_the_middle_reaches_the_reader_without_the_value(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        "CREATE VIEW bad AS SELECT id, u, CAST(CASE WHEN id = 15000 THEN 'kim@example.com' ELSE '1' END AS INTEGER) AS payload "
        "FROM rows"
    )
    warehouse = DuckDBWarehouse(connection)
    with pytest.raises(ConfigurationError) as caught:
        list(warehouse.batches(Extract(("bad",), CURSOR, (ID,), (ID, Column("payload", "INTEGER"))), EVERYTHING))
    assert caught.value.problem == "Reading bad from DuckDB failed: Conversion Error"
    assert warehouse.count(EXTRACT, EVERYTHING) == 20_000


def test_an_outdated_view_says_what_to_check(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("CREATE VIEW old AS SELECT payload FROM rows; ALTER TABLE rows DROP COLUMN payload")
    with pytest.raises(ConfigurationError, match=r"payload.*view still fits the tables"):
        DuckDBWarehouse(connection).columns(("old",))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INTERRUPT Error: Interrupted!", TransientError),
        ('IO Error: Could not set lock on file "x"', TransientError),
        ("IO Error: No space left on device", ConfigurationError),
        ("Connection Error: Connection already closed!", TransientError),
        ("HTTP Error: 503", TransientError),
        ("INTERNAL Error: broken", FatalError),
        ("Something Else: x", ConfigurationError),
    ],
)
def test_errors_are_known_by_their_text_whatever_carries_it(text: str, kind: type[Exception]) -> None:
    for carrier in (duckdb.Error(text), OSError(text)):
        found = map_error(carrier)
        assert type(found) is kind
        assert text in str(found)


def test_what_is_not_duckdbs_comes_back_as_it_is() -> None:
    error = ValueError("mine")
    assert map_error(error) is error
