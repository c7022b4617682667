"""The exact text of the statements, for every dialect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError
from activation.warehouses import sql
from activation.warehouses.base import Column, Extract
from activation.warehouses.duckdb import DIALECT as DUCKDB
from activation.warehouses.postgres import DIALECT as POSTGRES

LOWER, UPPER = from_text("2026-07-19T09:07:23.000001Z"), from_text("2026-07-20T00:00:00Z")
AFTER = Position(from_text("2026-07-19T10:00:00Z"), ("u-1", "7"))
OPEN = Window(LOWER, False, UPPER, nulls=False)
ALL = Window(None, True, UPPER, nulls=True)

PLAIN = sql.Dialect(
    cursors={"timestamp": sql.CursorType("UNIX_MICROS({column})", "TIMESTAMP({value})", zone="Z")},
    now="UNIX_MICROS(CURRENT_TIMESTAMP())",
    text="CAST({column} AS STRING)",
    json=((r"^json$", "TO_JSON_STRING({column})"),),
    quote="`",
)
"""An engine whose instants have ends, as most clouds' have."""


def users(cursor: str, payload: str = "json") -> Extract:
    key = (Column("user id", "text"), Column("n", "integer"))
    return Extract(("crm", "Users"), Column("UPDATED_AT", cursor), key, (*key, Column("payload", payload)))


def words(text: str) -> str:
    return " ".join(text.split())


def test_select_of_postgres() -> None:
    found = sql.select(POSTGRES, users("timestamp with time zone"), OPEN)
    assert found.sql == words("""
        SELECT CAST(EXTRACT(EPOCH FROM src."UPDATED_AT") * 1000000 AS bigint) AS c,
        CAST(src."user id" AS text) AS v1, CAST(src."n" AS text) AS v2, CAST(src."payload" AS text) AS v3
        FROM "crm"."Users" AS src
        WHERE src."UPDATED_AT" > CAST(%s AS timestamptz) AND src."UPDATED_AT" <= CAST(%s AS timestamptz)
        ORDER BY src."UPDATED_AT" ASC,
        COALESCE(CAST(src."user id" AS text), '') COLLATE "C" ASC, COALESCE(CAST(src."n" AS text), '') COLLATE "C" ASC
    """)
    assert found.params == ("2026-07-19 09:07:23.000001+00", "2026-07-20 00:00:00+00")


def test_select_after_a_place_of_duckdb() -> None:
    found = sql.select(DUCKDB, users("TIMESTAMP", "STRUCT(a INTEGER)"), OPEN, AFTER)
    assert found.sql == words("""
        SELECT epoch_us(src."UPDATED_AT") AS c, CAST(src."user id" AS VARCHAR) AS v1, CAST(src."n" AS VARCHAR) AS v2,
        CAST(to_json(src."payload") AS VARCHAR) AS v3
        FROM "crm"."Users" AS src
        WHERE src."UPDATED_AT" > CAST(? AS TIMESTAMP)
        AND src."UPDATED_AT" >= CAST(? AS TIMESTAMP) AND (src."UPDATED_AT" > CAST(? AS TIMESTAMP)
        OR (src."UPDATED_AT" = CAST(? AS TIMESTAMP) AND (COALESCE(CAST(src."user id" AS VARCHAR), '') COLLATE "C" > ?
        OR (COALESCE(CAST(src."user id" AS VARCHAR), '') COLLATE "C" = ?
        AND COALESCE(CAST(src."n" AS VARCHAR), '') COLLATE "C" > ?))))
        AND src."UPDATED_AT" <= CAST(? AS TIMESTAMP)
        ORDER BY src."UPDATED_AT" ASC,
        COALESCE(CAST(src."user id" AS VARCHAR), '') COLLATE "C" ASC, COALESCE(CAST(src."n" AS VARCHAR), '') COLLATE "C" ASC
    """)
    place = "2026-07-19 10:00:00"
    assert found.params == ("2026-07-19 09:07:23.000001", place, place, place, "u-1", "u-1", "7", "2026-07-20 00:00:00")


def test_native_values_are_not_converted_but_as_a_key_they_are() -> None:
    dialect = replace(PLAIN, native="^(int|date)$")
    key = (Column("id", "INT"),)
    extract = Extract(("t",), Column("at", "TIMESTAMP"), key, (*key, Column("x", "DATE"), Column("y", "INTERVAL")))
    assert sql.select(dialect, extract, OPEN).sql == words("""
        SELECT UNIX_MICROS(src.`at`) AS c, src.`id` AS v1, src.`x` AS v2, CAST(src.`y` AS STRING) AS v3
        FROM `t` AS src WHERE src.`at` > TIMESTAMP(?) AND src.`at` <= TIMESTAMP(?)
        ORDER BY src.`at` ASC, COALESCE(CAST(src.`id` AS STRING), '') ASC
    """)


def test_rows_without_a_cursor_value_come_first() -> None:
    found = sql.select(PLAIN, users("TIMESTAMP"), ALL, Position(None, ("u-1", "7")))
    assert found.sql == words("""
        SELECT UNIX_MICROS(src.`UPDATED_AT`) AS c, CAST(src.`user id` AS STRING) AS v1, CAST(src.`n` AS STRING) AS v2,
        TO_JSON_STRING(src.`payload`) AS v3
        FROM `crm`.`Users` AS src
        WHERE (src.`UPDATED_AT` IS NULL AND (COALESCE(CAST(src.`user id` AS STRING), '') > ?
        OR (COALESCE(CAST(src.`user id` AS STRING), '') = ? AND COALESCE(CAST(src.`n` AS STRING), '') > ?)))
        OR (src.`UPDATED_AT` <= TIMESTAMP(?))
        ORDER BY src.`UPDATED_AT` ASC NULLS FIRST,
        COALESCE(CAST(src.`user id` AS STRING), '') ASC, COALESCE(CAST(src.`n` AS STRING), '') ASC
    """)
    assert found.params == ("u-1", "u-1", "7", "2026-07-20 00:00:00Z")


def test_unusable_instants_are_treated_as_none_where_a_type_has_them() -> None:
    extract = Extract(("t",), Column("d", "DATE"), (), ())
    found = sql.select(DUCKDB, extract, ALL)
    inside = 'src."d" >= CAST(? AS DATE) AND src."d" <= CAST(? AS DATE)'
    assert found.sql == words(f"""
        SELECT CASE WHEN {inside} THEN epoch_us(src."d") END AS c FROM "t" AS src
        WHERE ((src."d" IS NULL OR src."d" < CAST(? AS DATE) OR src."d" > CAST(? AS DATE))) OR ({inside})
        ORDER BY CASE WHEN {inside} THEN src."d" END ASC NULLS FIRST
    """)
    ends = ("0001-01-01", "9999-12-31")
    assert found.params == (*ends, *ends, "0001-01-01", "2026-07-20", *ends)


def test_after_a_place_with_a_cursor_value_the_rows_without_one_are_left_out() -> None:
    found = sql.count(PLAIN, users("TIMESTAMP"), ALL, AFTER)
    assert "IS NULL" not in found.sql
    assert found.sql == sql.count(PLAIN, users("TIMESTAMP"), Window(None, True, UPPER, nulls=False), AFTER).sql


def test_count_has_the_condition_of_select() -> None:
    for window in (OPEN, ALL):
        for after in (None, AFTER, Position(None, ("", ""))):
            select = sql.select(PLAIN, users("TIMESTAMP"), window, after)
            count = sql.count(PLAIN, users("TIMESTAMP"), window, after)
            assert count.sql.startswith("SELECT COUNT(*) FROM `crm`.`Users` AS src WHERE ")
            assert count.sql.partition(" WHERE ")[2] == select.sql.partition(" WHERE ")[2].partition(" ORDER BY ")[0]
            assert count.params == select.params


def test_survey_takes_each_part_in_a_subquery() -> None:
    found = sql.survey(POSTGRES, users("timestamp(3) without time zone"), LOWER)
    assert found.sql == words("""
        SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS bigint),
        (SELECT COUNT(*) FROM "crm"."Users" AS src WHERE src."UPDATED_AT" = CAST(%s AS timestamp)),
        (SELECT COUNT(*) FROM "crm"."Users" AS src WHERE (src."UPDATED_AT" IS NULL
        OR src."UPDATED_AT" < CAST(%s AS timestamp) OR src."UPDATED_AT" > CAST(%s AS timestamp))),
        (SELECT CAST(EXTRACT(EPOCH FROM m.c) * 1000000 AS bigint)
        FROM (SELECT MAX(src."UPDATED_AT") AS c FROM "crm"."Users" AS src
        WHERE src."UPDATED_AT" >= CAST(%s AS timestamp) AND src."UPDATED_AT" <= CAST(%s AS timestamp)) AS m)
    """)
    ends = ("0001-01-01 00:00:00", "9999-12-31 23:59:59.999999")
    assert found.params == ("2026-07-19 09:07:23.000001", *ends, *ends)


def test_survey_without_a_watermark_counts_nothing_at_it() -> None:
    found = sql.survey(PLAIN, users("TIMESTAMP"), None)
    assert found.sql == words("""
        SELECT UNIX_MICROS(CURRENT_TIMESTAMP()), 0,
        (SELECT COUNT(*) FROM `crm`.`Users` AS src WHERE src.`UPDATED_AT` IS NULL),
        (SELECT UNIX_MICROS(m.c) FROM (SELECT MAX(src.`UPDATED_AT`) AS c FROM `crm`.`Users` AS src) AS m)
    """)
    assert found.params == ()


@pytest.mark.parametrize(
    ("lower", "closed", "sign", "text"),
    [
        (LOWER, True, ">=", "09:07:23.000001"),
        (LOWER, False, ">", "09:07:23.000001"),
        (LOWER + 1, True, ">", "09:07:23.000001"),  # no value lies between two microseconds
        (LOWER + 999, False, ">", "09:07:23.000001"),
        (LOWER - 1, True, ">", "09:07:23"),
    ],
)
def test_a_lower_bound_between_two_values_is_floored_and_open(lower: int, closed: bool, sign: str, text: str) -> None:
    found = sql.count(PLAIN, users("TIMESTAMP"), Window(lower, closed, UPPER, nulls=False))
    assert found.sql.endswith(f"WHERE src.`UPDATED_AT` {sign} TIMESTAMP(?) AND src.`UPDATED_AT` <= TIMESTAMP(?)")
    assert found.params == (f"2026-07-19 {text}Z", "2026-07-20 00:00:00Z")


@pytest.mark.parametrize("past", [0, 1, 999])
def test_an_upper_bound_between_two_values_is_floored(past: int) -> None:
    found = sql.count(PLAIN, users("TIMESTAMP"), Window(None, True, UPPER + past, nulls=False))
    assert found.params == ("2026-07-20 00:00:00Z",)


def test_a_place_between_two_values_leaves_the_key_out() -> None:
    found = sql.count(PLAIN, users("TIMESTAMP"), Window(None, True, UPPER, nulls=False), Position(LOWER + 1, ("a", "b")))
    assert found.sql.endswith("WHERE src.`UPDATED_AT` > TIMESTAMP(?) AND src.`UPDATED_AT` <= TIMESTAMP(?)")


def test_bounds_beyond_a_type_are_not_sent_to_the_engine() -> None:
    extract = Extract(("t",), Column("u", "TIMESTAMP_NS"), (), ())
    far = from_text("9999-12-31T00:00:00Z")
    assert sql.count(DUCKDB, extract, Window(None, True, far, nulls=False)).params == (
        "1678-01-01 00:00:00",
        "2261-12-31 23:59:59.999999999",
    )
    assert sql.count(DUCKDB, extract, Window(far, True, far, nulls=False)).sql.endswith("WHERE 1 = 0")
    assert sql.count(DUCKDB, extract, Window(None, True, from_text("1600-01-01T00:00:00Z"), nulls=False)).sql.endswith("1 = 0")


@pytest.mark.parametrize(
    ("dialect", "name", "quoted"),
    [
        (DUCKDB, 'a"b', '"a""b"'),
        (DUCKDB, "50%", '"50%"'),
        (POSTGRES, '"; DROP TABLE x; --', '"""; DROP TABLE x; --"'),
        (POSTGRES, "50%s", '"50%%s"'),
        (PLAIN, "a`b", "`a``b`"),
    ],
)
def test_identifiers(dialect: sql.Dialect, name: str, quoted: str) -> None:
    assert dialect.identifier(name) == quoted


def test_braces_in_a_name_are_no_template() -> None:
    extract = Extract(("t",), Column("{value}", "TIMESTAMP"), (Column("{column}", "STRING"),), (Column("{column}", "STRING"),))
    found = sql.select(PLAIN, extract, OPEN)
    assert "CAST(src.`{column}` AS STRING) AS v1" in found.sql
    assert "src.`{value}` > TIMESTAMP(?)" in found.sql


def test_an_unusable_cursor_type_is_named_with_the_usable_ones() -> None:
    with pytest.raises(ConfigurationError) as caught:
        POSTGRES.cursor(Column("UPDATED_AT", "character varying(20)"))
    assert str(caught.value) == (
        "Column 'UPDATED_AT' has the type character varying(20), which cannot be the cursor. "
        "Fix: Choose a column of one of these types: date, timestamp with time zone, timestamp without time zone."
    )
