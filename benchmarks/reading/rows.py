"""The rows: made once, loaded into every warehouse, and compared with what comes out of it."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

SCHEMA = "benchmark"
KEY, CURSOR = "id", "updated_at"

ORDER = "name"
"""The column that orders rows of one instant: a text, as the identifiers of a user table are."""

CHECKED = {
    "id": "BIGINT",
    "name": "VARCHAR",
    "score": "DOUBLE",
    "amount": "DECIMAL(38, 12)",
    "active": "BOOLEAN",
    "born": "DATE",
    "note": "VARCHAR",
}
"""Value column -> DuckDB's name of the type in which it is compared; ``amount`` has room for digits that should not be there."""

NAMES = (KEY, CURSOR, *list(CHECKED)[1:])

_MASK = (1 << 64) - 1


def table_of(rows: int) -> tuple[str, ...]:
    """The table that holds this many rows."""
    return SCHEMA, f"rows_{rows}"


def make(rows: int) -> pa.Table:
    """Rows of every kind of column, some of them NULL, in no order. Four share an instant."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        made: pa.Table = connection.sql(
            """SELECT n AS id, TIMESTAMPTZ '2025-01-01 00:00:00+00' + to_microseconds(n // 4 * 1001) AS updated_at,
                      'user-' || lpad(n::VARCHAR, 9, '0') AS name,
                      CASE WHEN n % 11 > 0 THEN n * 7919 % 1000003 / 977 END AS score,
                      CAST(n * 104729 % 10000000007 / 100 AS DECIMAL(18, 2)) AS amount,
                      CASE WHEN n % 13 > 0 THEN n % 3 = 0 END AS active,
                      DATE '1950-01-01' + CAST(n % 20000 AS INTEGER) AS born,
                      CASE WHEN n % 17 > 0 THEN ['서울', '부산', 'Incheon'][1 + n % 3] || ' 강남로 ' || n % 500 END AS note
               FROM (SELECT range AS n FROM range(?) ORDER BY hash(range))""",
            params=[rows],
        ).to_arrow_table()
    return made


class Sums:
    """A checksum for each column that does not depend on the order of the rows, but on which cell stands in which row."""

    def __init__(self) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET threads = 1")
        self._sums = dict.fromkeys(["rows", *NAMES], 0)
        cells = [f"sum(hash(CAST({KEY} AS BIGINT), CAST({name} AS {kind})))" for name, kind in CHECKED.items()]
        cells.insert(1, f"sum(hash(CAST({KEY} AS BIGINT), CAST({CURSOR} AS BIGINT)))")
        self._query = f"SELECT count(*), {', '.join(cells)} FROM piece"

    def add(self, piece: pa.Table) -> None:
        """Count rows in.

        :param piece: the cursor column as nanoseconds since the epoch, the others as themselves or as text.
        """
        self._connection.register("piece", piece)
        found = self._connection.execute(self._query).fetchall()  # to the end: the connection is used again
        for name, number in zip(self._sums, found[0], strict=True):
            self._sums[name] = (self._sums[name] + int(number or 0)) & _MASK

    def result(self) -> dict[str, int]:
        """Column -> its checksum; ``rows`` -> how many there were."""
        self._connection.close()
        return self._sums


def expected(rows: pa.Table) -> dict[str, int]:
    """The checksums of the rows that were loaded."""
    sums = Sums()
    at = rows.schema.get_field_index(CURSOR)
    ticks = pc.multiply(rows.column(at).cast(pa.int64()), 1_000)
    sums.add(rows.set_column(at, CURSOR, ticks))
    return sums.result()


def differences(wanted: dict[str, int], found: dict[str, int]) -> list[str]:
    """What is wrong, a line for each kind of fault; empty if the content is exact."""
    if wanted["rows"] != found["rows"]:
        return [f"{found['rows']:,} rows came, not {wanted['rows']:,}"]
    return [f"column {name} differs" for name in NAMES if wanted[name] != found[name]]
