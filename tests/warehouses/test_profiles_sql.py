"""The statements about changed profiles: their parameters, their text, and how much of the tables they read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import psycopg
import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Window
from activation.warehouses import ENGINES, profiles_sql
from activation.warehouses.base import Column
from activation.warehouses.postgres import DIALECT as POSTGRES
from activation.warehouses.profiles import ProfileRead, ProfileTable, ProfileTables
from activation.warehouses.sql import Dialect
from tests.support.postgres import running

WINDOW = Window(from_text("2026-07-19T00:00:00Z"), False, from_text("2026-07-20T00:00:00Z"), nulls=False)
FIRST = replace(WINDOW, lower=None)
COLUMNS = {
    "p": ("profile_id", "updated_at", "name"),
    "m": ("profile_id", "updated_at", "audience_id", "status", "last_qualification_time"),
    "i": ("profile_id", "updated_at", "namespace", "id"),
    "a": ("id", "updated_at", "name", "merge_policy", "created_at"),
    "w": ("profile_id", "updated_at", "attribute"),
}
DIALECTS: dict[str, Dialect] = {engine: import_module(place.partition(":")[0]).DIALECT for engine, place in ENGINES.items()}


def read_of(cursor: str, text: str = "text", ids: str = "text") -> ProfileRead:
    """Everything that a run can ask for."""

    def kind(name: str) -> str:
        return cursor if name.endswith(("_at", "_time")) else ids if name == "profile_id" else text

    made = {
        table: ProfileTable(("crm", table), {name: Column(name, kind(name)) for name in names})
        for table, names in COLUMNS.items()
    }
    tables = ProfileTables(*made.values())
    mapped = tuple(f"aud-{number}" for number in range(250))
    return ProfileRead(tables, (Column("name", text),), mapped, mapped[50:], ("name",), "writes")


@pytest.mark.parametrize("engine", DIALECTS)
@pytest.mark.parametrize("after", ["", "u-1"])
@pytest.mark.parametrize("window", [WINDOW, FIRST], ids=["window", "first"])
def test_every_placeholder_has_its_parameter(engine: str, after: str, window: Window) -> None:
    dialect = DIALECTS[engine]
    read = read_of(next(iter(dialect.cursors)))
    for one in (read, replace(read, mode="row"), replace(read, fresh=(), paths=())):
        for statement in (
            profiles_sql.changes(dialect, one, window, after),
            profiles_sql.count_changes(dialect, one, window, after),
        ):
            assert statement.sql.count(dialect.placeholder) == len(statement.params)
            assert not {*read.mapped, "u-1"} & set(statement.sql.split("'"))
            assert (after in statement.params) is bool(after)


def test_databricks_takes_250_audiences_in_few_parameters() -> None:
    """The service takes 255 parameters at most."""
    statement = profiles_sql.changes(DIALECTS["databricks"], read_of("TIMESTAMP", "STRING", "STRING"), WINDOW, "u-1")
    assert len(statement.params) < 40
    assert statement.sql.count("array_contains(from_json(?, 'array<string>'), ") == 6


def test_postgres_compares_ids_as_its_indexes_do() -> None:
    for kind, joined in (("text", 'CAST(src."profile_id" AS text) AS k'), ("bigint", 'src."profile_id" AS k')):
        sql = profiles_sql.changes(POSTGRES, read_of("timestamp with time zone", ids=kind), WINDOW).sql
        assert joined in sql
        assert sql.count("COLLATE") == 1  # the order alone


@pytest.fixture(scope="module")
def connection() -> Iterator[psycopg.Connection[Any]]:
    """A server with 20,000 profiles, of which 20 have changed in each table."""
    with running() as server, psycopg.connect(host=server.host, dbname=server.database, user=server.user) as opened:
        opened.execute("CREATE SCHEMA crm")
        for table, names in COLUMNS.items():
            values = {name: f"'{name} ' || n" for name in names}
            values["updated_at"] = "timestamptz '2026-07-20 00:00:00+00' - n * interval '1 hour'"
            values |= {name: "now()" for name in names if name in ("last_qualification_time", "created_at")}
            values |= {name: "'aud-' || n % 250" for name in names if name == "audience_id"}
            chosen = ", ".join(f"{value} AS {name}" for name, value in values.items())
            opened.execute(f"CREATE TABLE crm.{table} AS SELECT {chosen} FROM generate_series(1, 20000) n".encode())
            if "profile_id" in names:
                opened.execute(f"CREATE INDEX ON crm.{table} (profile_id); CREATE INDEX ON crm.{table} (updated_at)".encode())
        opened.execute("ANALYZE")
        yield opened


def scans(node: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The tables of a plan and the rows that were read of each, those that a filter dropped too."""
    if "Relation Name" in node:
        read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield node["Relation Name"], int(read * node["Actual Loops"])
    for inner in node.get("Plans", ()):
        yield from scans(inner)


@pytest.mark.parametrize("mode", ["writes", "row"])
def test_only_changed_profiles_are_read_of_every_table(connection: psycopg.Connection[Any], mode: Any) -> None:
    read = replace(read_of("timestamp with time zone"), mode=mode, fresh=())
    statement = profiles_sql.changes(POSTGRES, read, WINDOW)
    text = psycopg.ClientCursor(connection).mogrify("EXPLAIN (ANALYZE, FORMAT JSON) " + statement.sql, statement.params)
    found = connection.execute(text.encode()).fetchone()
    assert found
    read_rows = list(scans(found[0][0]["Plan"]))
    assert {table for table, _ in read_rows} == {"p", "m", "i"} | ({"w"} if mode == "writes" else set())
    assert max(rows for _, rows in read_rows) < 200, read_rows
