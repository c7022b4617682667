"""What the demo exports: four hours of events and the profiles behind them, as tables of its warehouse."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import duckdb
import pyarrow as pa

EVENTS = ("marketing", "events")
PROFILES = ("marketing", "profiles")

HOURS = 4
"""Hours of events; the last one ends when the demo's own hour begins."""

AN_HOUR = 12_500
PEOPLE = 20_000

_EVENTS = """
CREATE TABLE marketing.events AS
SELECT
    CAST(n AS BIGINT) AS EVENT_ID,
    ['df_login', 'df_view_list', 'df_purchase', 'df_logout'][n % 4 + 1] AS EVENT_NAME,
    'df-' || lpad(CAST(n * 7919 % ? AS VARCHAR), 6, '0') AS DF_UNIFIED_ID,
    CAST(? AS TIMESTAMP WITH TIME ZONE) + to_microseconds(n // 5 * 5 * ?) AS SERVER_AT,  -- five at a time, the first on the hour
    CASE WHEN n % 4 = 2 THEN CAST(n % 100000 / 100 AS DECIMAL(18, 2)) END AS PRICE,
    ['다시 구매한 고객', '"안녕", 말했다', '', NULL, E'두 줄의\\n글', '🦊 🇰🇷', 'a,b;c'][n % 7 + 1] AS NOTE,
    CASE n % 5 WHEN 0 THEN NULL WHEN 1 THEN [] ELSE ['커피', 'a,"b"', CAST(n AS VARCHAR)] END AS ITEMS
FROM range(?) AS numbers(n);
"""

_PROFILES = """
CREATE TABLE marketing.profiles AS
SELECT
    'df-' || lpad(CAST(n AS VARCHAR), 6, '0') AS DF_UNIFIED_ID,
    ['민준', '서연', 'José', '지우', NULL, '하은', '🦊 도윤', 'Zoë'][n % 8 + 1] AS DF_NAME,
    CASE WHEN n % 9 > 0 THEN DATE '1960-02-29' + CAST(n AS INTEGER) END AS BIRTH,
    CAST(n * 7 AS BIGINT) AS POINTS,
    CASE WHEN n % 6 > 0 THEN n / 7 END AS SCORE,
    CASE WHEN n % 50 > 0 THEN n % 4 > 0 END AS IS_ACTIVE,
    CAST(? AS TIMESTAMP WITH TIME ZONE) - to_seconds(n) AS UPDATED_AT
FROM range(?) AS numbers(n);
"""


def seed(path: Path, now: datetime | None = None) -> None:
    """Add both tables to the demo's database.

    :param now: any instant of the hour at whose beginning the events end; by default this one.
    """
    end = (now or datetime.now(timezone.utc)).replace(minute=0, second=0, microsecond=0)
    apart = timedelta(hours=1) // AN_HOUR // timedelta(microseconds=1)
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        warehouse.execute(_EVENTS, [PEOPLE, end - timedelta(hours=HOURS), apart, HOURS * AN_HOUR])
        warehouse.execute(_PROFILES, [end, PEOPLE])


def hours(path: Path) -> list[datetime]:
    """The beginnings of the hours that have events, the oldest first."""
    with duckdb.connect(str(path), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        found = warehouse.sql("SELECT DISTINCT date_trunc('hour', SERVER_AT) AS start FROM marketing.events ORDER BY start")
        starts: list[datetime] = found.to_arrow_table()["start"].to_pylist()
    return starts


def events(path: Path, start: datetime | None = None) -> pa.Table:
    """The events in the order of their ids, with arrays as JSON text.

    :param start: only the hour that begins then.
    """
    only = "SERVER_AT >= $start AND SERVER_AT < CAST($start AS TIMESTAMP WITH TIME ZONE) + INTERVAL 1 HOUR" if start else "true"
    query = f"SELECT * REPLACE (CAST(to_json(ITEMS) AS VARCHAR) AS ITEMS) FROM marketing.events WHERE {only} ORDER BY EVENT_ID"
    return _table(path, query, {"start": start} if start else {})


def profiles(path: Path, *, active: bool = False) -> pa.Table:
    """The profiles in the order of their ids.

    :param active: only those whose IS_ACTIVE is true.
    """
    only = "IS_ACTIVE" if active else "true"
    return _table(path, f"FROM marketing.profiles WHERE {only} ORDER BY DF_UNIFIED_ID", {})


def _table(path: Path, query: str, given: dict[str, datetime]) -> pa.Table:
    with duckdb.connect(str(path), read_only=True) as warehouse:
        warehouse.execute("SET TimeZone = 'UTC'")
        found: pa.Table = warehouse.sql(query, params=given).to_arrow_table()
    return found
