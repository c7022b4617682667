"""The profiles that the demo streams: tables of its warehouse that only grow, and views that show how things stand."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import duckdb
import pyarrow as pa

SCHEMA = "crm"
PEOPLE = 20_000
VIP, NEWSLETTER, RISK, STORE = "vip", "newsletter", "risk", "store"
MAPPED = (VIP, NEWSLETTER)
"""Audiences that the pipeline maps. One more shares their merge policy, another one does not."""

TABLES = ("profile_rows", "attribute_writes", "membership_rows", "identity_rows", "audiences")
"""In this order new rows are written: a value before the note that it was written."""

VIEWS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "profiles": ("profile_rows", ("PROFILE_ID",)),
    "memberships": ("membership_rows", ("PROFILE_ID", "AUDIENCE_ID")),
    "identities": ("identity_rows", ("PROFILE_ID", "NAMESPACE", "ID")),
}
"""View -> the table whose newest rows it shows, and what they are told apart by."""

_LOCKED, _PAUSE = 30.0, 0.02
"""Seconds until a file that somebody reads counts as lost, and between two tries."""

_SEED = """
CREATE SCHEMA crm;
CREATE TABLE crm.profile_rows AS SELECT
    'p-' || lpad(CAST(n AS VARCHAR), 6, '0') AS PROFILE_ID,
    ['민준', '서연', 'José', '지우', NULL, '하은', '🦊 도윤', 'Zoë "Z"'][n % 8 + 1] AS FIRST_NAME,
    CASE WHEN n % 9 > 0 THEN 'p' || n || '@example.com' END AS EMAIL,
    ['bronze', 'silver', 'gold'][n % 3 + 1] AS TIER,
    CAST(n * 7 AS BIGINT) AS POINTS,
    'note ' || n AS NOTE,
    CAST($at AS TIMESTAMP WITH TIME ZONE) AS UPDATED_AT
FROM range($people) AS numbers(n);
CREATE TABLE crm.membership_rows AS
WITH audiences(id, every, left_over) AS (
    VALUES ('vip', 5, 0), ('newsletter', 4, 0), ('risk', 3, 0), ('store', 2, 0), ('vip', 5, 1)
)
SELECT
    'p-' || lpad(CAST(n AS VARCHAR), 6, '0') AS PROFILE_ID, id AS AUDIENCE_ID,
    CASE WHEN left_over = 0 THEN 'realized' ELSE 'exited' END AS STATUS,
    CAST($at AS TIMESTAMP WITH TIME ZONE) - to_days(CAST(n % 30 AS INTEGER)) AS LAST_QUALIFICATION_TIME,
    CAST($at AS TIMESTAMP WITH TIME ZONE) AS UPDATED_AT
FROM range($people) AS numbers(n), audiences WHERE n % every = left_over;
CREATE TABLE crm.identity_rows AS
WITH namespaces(namespace, every) AS (VALUES ('crm', 1), ('email_lc_sha256', 2), ('phone', 10))
SELECT
    'p-' || lpad(CAST(n AS VARCHAR), 6, '0') AS PROFILE_ID, namespace AS NAMESPACE,
    CASE namespace WHEN 'crm' THEN '고객-' || n ELSE sha256(namespace || n) END AS ID,
    namespace = 'phone' AS REMOVED,
    CAST($at AS TIMESTAMP WITH TIME ZONE) AS UPDATED_AT
FROM range($people) AS numbers(n), namespaces WHERE n % every = 0;
CREATE TABLE crm.audiences AS
SELECT *, CAST($at AS TIMESTAMP WITH TIME ZONE) AS CREATED_AT, CAST($at AS TIMESTAMP WITH TIME ZONE) AS UPDATED_AT FROM (
    VALUES ('vip', 'VIP 고객', 'default'), ('newsletter', '뉴스레터 "주간"', 'default'),
           ('risk', '이탈 위험', 'default'), ('store', '매장 방문', 'in store')
) AS known(ID, NAME, MERGE_POLICY);
CREATE TABLE crm.attribute_writes (PROFILE_ID VARCHAR, ATTRIBUTE VARCHAR, UPDATED_AT TIMESTAMP WITH TIME ZONE);
"""


def seed(path: Path, now: datetime | None = None) -> None:
    """Add tables and views to the demo's database.

    :param now: when all of it was written; by default this instant.
    """
    given = {"at": now or datetime.now(timezone.utc), "people": PEOPLE}
    with opened(path) as warehouse:
        for statement in _SEED.strip().split(";\n"):
            warehouse.execute(statement, {name: value for name, value in given.items() if f"${name}" in statement})
        for view in VIEWS:
            warehouse.execute(view_of(view))


def view_of(view: str, quote: str = '"') -> str:
    """The statement that makes a view of the newest row of everything in a table, in any engine's SQL.

    :param quote: what stands around a name.
    """
    table, key = VIEWS[view]
    parts = ", ".join(f"{quote}{name}{quote}" for name in key)
    place = f"ROW_NUMBER() OVER (PARTITION BY {parts} ORDER BY {quote}UPDATED_AT{quote} DESC) AS place"
    return f"CREATE VIEW {SCHEMA}.{view} AS SELECT * FROM (SELECT r.*, {place} FROM {SCHEMA}.{table} r) t WHERE place = 1"


@contextmanager
def opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database to write it, as soon as nobody reads it: DuckDB lets nobody read while one process writes."""
    until = time.monotonic() + _LOCKED
    while True:
        try:
            warehouse = duckdb.connect(str(path))
            break
        except duckdb.IOException:
            if time.monotonic() >= until:
                raise
        time.sleep(_PAUSE)
    with warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        yield warehouse


def rows(path: Path, table: str, since: datetime | None = None) -> pa.Table:
    """The rows of a table.

    :param since: only those with a later UPDATED_AT.
    """
    only = "WHERE UPDATED_AT > $since" if since else ""
    with duckdb.connect(str(path), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        given = {"since": since} if since else {}
        found: pa.Table = warehouse.sql(f"FROM {SCHEMA}.{table} {only}", params=given).to_arrow_table()
    return found
