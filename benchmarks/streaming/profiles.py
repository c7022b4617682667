"""The warehouse: the tables of profiles in a DuckDB file, and a change to one profile of a hundred."""

from __future__ import annotations

from pathlib import Path

import duckdb

SCHEMA = "crm"
MAPPED = ("aud-1", "aud-2")
"""The audiences of the pipeline; everybody is in the first one."""

FIELDS = {
    "person.name.firstName": "FIRST_NAME",
    "personalEmail.address": "EMAIL",
    "homeAddress.city": "CITY",
    "loyalty.tier": "TIER",
    "note": "NOTE",
}
"""Path of an attribute -> its column."""

EVERY = 100
"""One profile of so many changes: 1 %."""

_TABLES = """
CREATE TABLE crm.profiles AS SELECT {id} AS PROFILE_ID,
    ['민준', '서연', '도윤', '지우'][1 + n % 4] || ' ' || n % 977 AS FIRST_NAME,
    'user' || n || '@example.com' AS EMAIL, ['서울특별시', '부산광역시', 'Incheon'][1 + n % 3] AS CITY,
    CASE WHEN n % 5 > 0 THEN ['gold', 'silver'][1 + n % 2] END AS TIER,
    'said "안녕" \\ 👋' || chr(10) || n % 50 AS NOTE, {at} AS UPDATED_AT FROM {rows};
CREATE TABLE crm.memberships AS SELECT {id} AS PROFILE_ID, 'aud-' || k AS AUDIENCE_ID, 'realized' AS STATUS,
    {at} - to_seconds(n % 999) AS LAST_QUALIFICATION_TIME, {at} AS UPDATED_AT
    FROM {rows}, (VALUES (1), (2), (3), (4), (5), (6)) AS a(k)
    WHERE k = 1 OR k = 2 + n % 3 OR (k = 5 + n % 2 AND n % 2 = 0);
CREATE TABLE crm.identities AS SELECT {id} AS PROFILE_ID, ['crm', 'email'][k] AS NAMESPACE,
    ['id-' || n, 'user' || n || '@example.com'][k] AS ID, false AS REMOVED, {at} AS UPDATED_AT
    FROM {rows}, (VALUES (1), (2)) AS i(k);
CREATE TABLE crm.audiences AS SELECT 'aud-' || k AS ID, 'Audience ' || k AS NAME, ['default', 'other'][1 + k % 2] AS MERGE_POLICY,
    TIMESTAMP '2025-01-01' AS CREATED_AT, TIMESTAMP '2025-01-01' AS UPDATED_AT FROM range(1, 7) AS a(k);
CREATE TABLE crm.writes AS SELECT {id} AS PROFILE_ID, 'personalEmail.address' AS ATTRIBUTE, {at} AS UPDATED_AT FROM {rows};
"""

_CHANGES = """
INSERT INTO crm.memberships SELECT {id}, 'aud-2', 'realized', {now}, {now} FROM {rows} WHERE {kind} = 0 AND n % 3 > 0;
UPDATE crm.memberships SET STATUS = 'exited', UPDATED_AT = {now} WHERE AUDIENCE_ID = 'aud-2'
    AND PROFILE_ID IN (SELECT {id} FROM {rows} WHERE {kind} = 0 AND n % 3 = 0);
UPDATE crm.profiles SET EMAIL = 'new-' || EMAIL, UPDATED_AT = {now}
    WHERE PROFILE_ID IN (SELECT {id} FROM {rows} WHERE {kind} = 1);
INSERT INTO crm.writes SELECT {id}, 'personalEmail.address', {now} FROM {rows} WHERE {kind} = 1;
INSERT INTO crm.identities SELECT {id}, 'phone', '+82-' || n, false, {now} FROM {rows} WHERE {kind} = 2;
UPDATE crm.identities SET REMOVED = true, UPDATED_AT = {now} WHERE NAMESPACE = 'email'
    AND PROFILE_ID IN (SELECT {id} FROM {rows} WHERE {kind} = 3);
"""
"""Entered and left an audience, an attribute written, an identity added, an identity gone: a quarter of the changes each."""

_ID = "'profile-' || lpad(CAST(n AS VARCHAR), 9, '0')"


def make(database: Path, profiles: int) -> None:
    """Make the tables. The rows lie in no order, as in tables that were updated."""
    rows = f"(SELECT range AS n FROM range({profiles}) ORDER BY hash(range)) AS r"
    at = "TIMESTAMP '2025-01-01' + to_milliseconds(n)"
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        connection.execute(_TABLES.format(id=_ID, at=at, rows=rows))


def change(database: Path, profiles: int) -> int:
    """Change one profile of :data:`EVERY` now; gives how many."""
    rows = f"(SELECT range AS n FROM range(7, {profiles}, {EVERY})) AS r"
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        now = "TIMESTAMP '{}'".format(*connection.execute("SELECT CAST(now() AS TIMESTAMP)").fetchall()[0])
        connection.execute(_CHANGES.format(id=_ID, now=now, rows=rows, kind=f"(n // {EVERY}) % 4"))
    return len(range(7, profiles, EVERY))
