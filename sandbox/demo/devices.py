"""The advertising ids that the demo sends: a table of its warehouse, in which not every row has a good one."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from sandbox.demo.profiles import opened

TABLE = ("crm", "push_ids")
PEOPLE = 300_000
EACH = 100
"""Rows of each kind that gives no id of its own."""

LEAVE, COME = 20_000, 12_000
"""People who are no longer in the list after :func:`change`, and who are new in it."""

_ID = "CAST(CAST(md5('device ' || n) AS UUID) AS VARCHAR)"
_PEOPLE = f"""
SELECT
    'c-' || lpad(CAST(n AS VARCHAR), 6, '0') AS CUSTOMER_ID,
    CASE n % 50
        WHEN 0 THEN '"' || id || '"'
        WHEN 1 THEN '{{' || upper(id) || '}}'
        WHEN 2 THEN chr(65279) || id  -- a byte order mark
        WHEN 3 THEN '  ' || id || chr(9)
        ELSE CASE WHEN n % 2 = 0 THEN id ELSE upper(id) END  -- Android's small letters, Apple's capitals
    END AS ADID,
    CASE WHEN n % 2 = 0 THEN 'android' ELSE 'ios' END AS PLATFORM
FROM (SELECT n, {_ID} AS id FROM range($first, $last) AS numbers(n))
"""

_BAD = f"""
WITH kinds(kind) AS (VALUES
    ('null'), ('empty'), ('quotes'), ('word'), ('short'), ('no hyphens'), ('no digit'), ('zero'), ('zero quoted'),
    ('again'), ('again, other case'), ('again, quoted')
)
SELECT
    'x-' || kind || '-' || n AS CUSTOMER_ID,
    CASE kind
        WHEN 'null' THEN NULL
        WHEN 'empty' THEN ''
        WHEN 'quotes' THEN '""'
        WHEN 'word' THEN 'n/a'
        WHEN 'short' THEN left(id, 35)
        WHEN 'no hyphens' THEN replace(id, '-', '')
        WHEN 'no digit' THEN 'g' || id[2:]
        WHEN 'zero' THEN '00000000-0000-0000-0000-000000000000'
        WHEN 'zero quoted' THEN '"00000000-0000-0000-0000-000000000000"'
        WHEN 'again' THEN id
        WHEN 'again, other case' THEN CASE WHEN n % 2 = 0 THEN upper(id) ELSE id END
        ELSE '"' || upper(id) || '"'
    END AS ADID,
    'android' AS PLATFORM
FROM kinds, (SELECT n, {_ID} AS id FROM range($first, $last) AS numbers(n))
"""

_FORM = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Expected:
    """What a file of the table holds.

    :ivar read: rows of the table.
    :ivar ids: in small letters.
    :ivar rejected: reason -> rows that are kept as rejects.
    :ivar skipped: reason -> rows that are only counted.
    """

    read: int
    ids: frozenset[str]
    rejected: dict[str, int]
    skipped: dict[str, int]


def seed(path: Path) -> None:
    """Add the table to the demo's database; whoever stands there twice stays when people leave."""
    name = ".".join(TABLE)
    with opened(path) as warehouse:
        warehouse.execute(f"CREATE TABLE {name} AS {_PEOPLE}", {"first": 0, "last": PEOPLE})
        warehouse.execute(f"INSERT INTO {name} {_BAD}", {"first": LEAVE, "last": LEAVE + EACH})


def change(path: Path) -> None:
    """Let some people leave and others come."""
    name = ".".join(TABLE)
    with opened(path) as warehouse:
        warehouse.execute(f"DELETE FROM {name} WHERE CUSTOMER_ID < 'c-{LEAVE:06d}'")
        warehouse.execute(f"INSERT INTO {name} {_PEOPLE}", {"first": PEOPLE, "last": PEOPLE + COME})


def rows(path: Path) -> pa.Table:
    """All rows, for another engine."""
    with duckdb.connect(str(path), read_only=True) as warehouse:
        found: pa.Table = warehouse.sql(f"FROM {'.'.join(TABLE)}").to_arrow_table()
    return found


def expect(path: Path) -> Expected:
    """What Kakao must hold, told row by row with Python's own means (contracts: kakao_moment 7.1)."""
    values: list[str | None] = rows(path)["ADID"].to_pylist()
    ids, rejected, skipped = set[str](), Counter[str](), Counter[str]()
    for value in values:
        text = (value or "").strip(' \t"{}\ufeff').lower()
        if not text:
            rejected["missing"] += 1
        elif not _FORM.fullmatch(text):
            rejected["not_an_advertising_id"] += 1
        elif not text.strip("0-"):
            skipped["all_zero"] += 1
        elif text in ids:
            skipped["duplicate"] += 1
        else:
            ids.add(text)
    return Expected(len(values), frozenset(ids), dict(rejected), dict(skipped))
