"""The source: a DuckDB file with tables of the fixed user-data layout, and what a plain reading of them gives."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

SCHEMA = "marketing"

_PAYLOAD = """json_object(
    'first_name', ['민준', '서연', '도윤', '지우', '하준', '수아'][1 + n % 6],
    'city', ['서울', '부산', '대구', 'Incheon', '광주'][1 + n % 5],
    'age', 18 + n % 60,
    'ltv', (n % 100000) / 8,
    'vip', n % 7 = 0,
    'last_order_at', strftime(TIMESTAMP '2025-01-01' + to_minutes(n), '%Y-%m-%dT%H:%M:%SZ'),
    'favorites', ['신발', 'bags', 'line\nbreak'],
    'note', CASE WHEN n % 11 = 0 THEN NULL ELSE 'said "안녕" \\ 👋 ' || n END,
    'address', json_object('zip', lpad((n % 100000)::VARCHAR, 5, '0'), 'street', '테헤란로 ' || n % 500, 'floor', n % 40))"""


def table_of(rows: int) -> str:
    """The table that holds this many rows, with its schema."""
    return f"{SCHEMA}.users_{rows}"


def seed(database: Path, sizes: set[int]) -> None:
    """Make a table for each size. Four rows share an instant, and the rows lie in no order, as in a table that was updated.

    :param sizes: how many rows each table has.
    """
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        for rows in sorted(sizes):
            connection.execute(
                f"""CREATE TABLE {table_of(rows)} AS
                    SELECT 'user-' || lpad(n::VARCHAR, 9, '0') AS EXTERNAL_ID,
                           TIMESTAMP '2025-01-01' + to_milliseconds(n // 4) AS UPDATED_AT,
                           {_PAYLOAD}::VARCHAR AS PAYLOAD
                    FROM (SELECT range AS n FROM range({rows}) ORDER BY hash(range))"""
            )


def read(database: Path, rows: int) -> list[tuple[str, str]]:
    """External id and payload of every row of a table, in the order in which they lie."""
    with duckdb.connect(str(database), read_only=True) as connection:
        found: list[tuple[str, str]] = connection.execute(f"SELECT EXTERNAL_ID, PAYLOAD FROM {table_of(rows)}").fetchall()
    return found


def object_of(external_id: str, payload: str) -> dict[str, Any]:
    """The object that Braze must be sent for a row."""
    return {"external_id": external_id, **json.loads(payload)}
