"""Binding the profile tables: what is found, and what is said if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import duckdb
import pytest

from activation.errors import ConfigurationError
from activation.records.profile_layout import Related, Wanted, bind_profiles
from activation.warehouses.base import Column, Query
from activation.warehouses.duckdb import DuckDBWarehouse

LAYOUT = """
CREATE TABLE p (Profile_ID VARCHAR, updated_at TIMESTAMP, first_name VARCHAR, CITY VARCHAR, payload JSON);
CREATE TABLE m (PROFILE_ID VARCHAR, AUDIENCE_ID VARCHAR, STATUS VARCHAR, LAST_QUALIFICATION_TIME DATE, UPDATED_AT DATE);
CREATE TABLE i (PROFILE_ID VARCHAR, NAMESPACE VARCHAR, ID VARCHAR, UPDATED_AT TIMESTAMP, Removed BOOLEAN);
CREATE TABLE a (ID VARCHAR, NAME VARCHAR, MERGE_POLICY VARCHAR, CREATED_AT TIMESTAMP, UPDATED_AT TIMESTAMP);
CREATE TABLE w (PROFILE_ID VARCHAR, ATTRIBUTE VARCHAR, UPDATED_AT TIMESTAMP);
"""
RELATED = Related(("m",), ("i",), ("a",), ("w",))
WANTED = Wanted(("a1", "a2", "a1"), {"name": ("FIRST_NAME",), "home": ("city", "first_name")}, "writes")


@pytest.fixture
def warehouse() -> Iterator[DuckDBWarehouse]:
    connection = duckdb.connect()
    connection.execute(LAYOUT)
    opened = DuckDBWarehouse(connection)
    yield opened
    opened.close()


def test_columns_are_found_in_any_case_and_each_once(warehouse: DuckDBWarehouse) -> None:
    read = bind_profiles(warehouse, ("p",), RELATED, WANTED)
    assert read.attributes == (Column("first_name", "VARCHAR"), Column("CITY", "VARCHAR"))
    assert (read.mapped, read.fresh, read.paths, read.mode) == (("a1", "a2"), (), ("name", "home"), "writes")
    assert read.tables.profiles.columns["profile_id"].name == "Profile_ID"
    assert read.tables.identities.columns["removed"].name == "Removed"
    assert "is_primary" not in read.tables.identities.columns
    assert read.tables.writes is not None
    assert [table.relation for table in read.tables.followed] == [("p",), ("m",), ("i",), ("w",)]


def test_without_fields_the_payload_holds_all_attributes(warehouse: DuckDBWarehouse) -> None:
    found = bind_profiles(warehouse, ("p",), replace(RELATED, writes=None), Wanted(("a1",), {}, "content"))
    assert found.attributes == (Column("payload", "JSON"),)
    assert (found.paths, found.tables.writes) == ((), None)


def test_the_profiles_may_be_a_query(warehouse: DuckDBWarehouse) -> None:
    query = Query("SELECT profile_id, updated_at AS MODIFIED, city FROM p")
    others = {name: Query(f"SELECT *, updated_at AS modified FROM {name}") for name in "mi"}
    related = Related(others["m"], others["i"], ("a",))
    read = bind_profiles(warehouse, query, related, Wanted(("a1",), {"city": ("CITY",)}, "row", "modified"))
    assert read.tables.profiles.columns["updated_at"].name == "MODIFIED"
    assert read.tables.memberships.columns["updated_at"].name == "modified"
    assert read.tables.audiences.columns["updated_at"].name == "UPDATED_AT"


@pytest.mark.parametrize(
    ("change", "problem", "fix"),
    [
        ("ALTER TABLE m RENAME STATUS TO STATE", "m has no column status (it has PROFILE_ID, AUDIENCE_ID, STATE,", "setup-sql"),
        ("ALTER TABLE m RENAME STATUS TO STATUSS", "Did you mean STATUSS?", "setup-sql"),
        ("ALTER TABLE p DROP CITY", "p has no column city (it has Profile_ID,", "a view that does"),
        ("ALTER TABLE a DROP MERGE_POLICY", "a has no column merge_policy", "setup-sql"),
        ("ALTER TABLE w RENAME UPDATED_AT TO CHANGED", "w has no column UPDATED_AT", "a view that does"),
        ("ALTER TABLE m ALTER UPDATED_AT TYPE VARCHAR", "m has UPDATED_AT as VARCHAR, but it must hold instants", "casts it"),
        (
            "ALTER TABLE m ALTER LAST_QUALIFICATION_TIME TYPE VARCHAR",
            "m has LAST_QUALIFICATION_TIME as VARCHAR, but it must hold instants",
            "casts it",
        ),
        ("ALTER TABLE a ALTER CREATED_AT TYPE VARCHAR", "a has CREATED_AT as VARCHAR", "casts it"),
        ("DROP TABLE i", "Reading i from DuckDB failed", "Check the name"),
    ],
)
def test_what_is_missing_is_named(warehouse: DuckDBWarehouse, change: str, problem: str, fix: str) -> None:
    warehouse._connection.execute(change)
    with pytest.raises(ConfigurationError) as caught:
        bind_profiles(warehouse, ("p",), RELATED, WANTED)
    assert problem in caught.value.problem
    assert fix in caught.value.fix


def test_attributes_need_an_origin(warehouse: DuckDBWarehouse) -> None:
    warehouse._connection.execute("ALTER TABLE p DROP payload")
    with pytest.raises(ConfigurationError, match=r"p has no column payload .*columns: \{fields:"):
        bind_profiles(warehouse, ("p",), RELATED, replace(WANTED, fields={}))


def test_writes_need_their_table(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(ConfigurationError, match=r"the pipeline names none.*related: \{writes: schema.table\}"):
        bind_profiles(warehouse, ("p",), replace(RELATED, writes=None), WANTED)
