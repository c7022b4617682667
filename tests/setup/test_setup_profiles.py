"""The profile tables in scripts: columns by the layout, rights on all of them, each statement once; and what is made binds."""

from __future__ import annotations

import re

import pytest

from activation.cursor.window import Window
from activation.hooks.connections import open_source
from activation.records.profile_layout import NEEDED, OPTIONAL, Related, Wanted, bind_profiles
from activation.setup import KITS, kit_of
from activation.setup import script as scripts
from activation.setup.profiles import PROFILES, tables
from activation.warehouses.profiles import audiences_of
from tests.setup.test_setup_run import statements
from tests.support.places import PLACES, Place
from tests.support.servers import shared_warehouse

ROLES = tuple(PROFILES)[1:]
INSTANTS = {
    "snowflake": "TIMESTAMP_NTZ(9)",
    "redshift": "timestamptz",
    "bigquery": "TIMESTAMP",
    "databricks": "TIMESTAMP",
    "postgres": "timestamp with time zone",
    "duckdb": "TIMESTAMP WITH TIME ZONE",
}


def written(engine: str, attributes: tuple[str, ...] = (), *parts: str) -> str:
    made = tables((*parts, "profiles"), {role: (*parts, role) for role in ROLES}, attributes)
    return scripts.script(kit_of(engine), scripts.Wanted("profiles", made))


def made_tables(text: str) -> dict[str, list[str]]:
    """Table -> the lines of its columns, of every CREATE TABLE."""
    found = re.findall(r"CREATE TABLE IF NOT EXISTS (\S+) \(\n(.*?)\n\)", text, re.DOTALL)
    return {name: [line.strip().removesuffix(",") for line in body.splitlines()] for name, body in found}


def test_the_layouts_have_the_columns_that_are_looked_for() -> None:
    for table, layout in PROFILES.items():
        assert {name for name, _ in layout} == {*NEEDED[table], *OPTIONAL.get(table, ())}


@pytest.mark.parametrize("engine", KITS)
def test_all_five_tables_are_made_and_given(engine: str) -> None:
    text = written(engine, (), "crm")
    made = list(made_tables(text).values())
    assert [len(lines) for lines in made] == [3, 5, 7, 6, 3]
    assert made[1][4].split(" ", 1) == [
        "LAST_QUALIFICATION_TIME" if engine == "snowflake" else "last_qualification_time",
        INSTANTS[engine],
    ]
    assert text.count("\n-- A row is a") == 5
    assert text.count("CREATE SCHEMA") <= 6
    kit = kit_of(engine)
    for table in made_tables(text):
        assert not kit.access or len(re.findall(rf"GRANT[^;]*ON (TABLE )?{re.escape(table)}\s", text)) == 1
    usages = re.findall(r"^GRANT US.*$", text, re.MULTILINE)
    assert len(usages) == len(set(usages))


@pytest.mark.parametrize("engine", KITS)
def test_attributes_have_columns_of_their_own_under_their_very_names(engine: str) -> None:
    text = written(engine, ("FIRST_NAME", "odd name", "profile_id", "FIRST_NAME"), "crm")
    profiles = next(iter(made_tables(text).values()))
    kit = kit_of(engine)
    assert [line.split(f" {kit.columns['text']}")[0] for line in profiles[2:]] == [
        kit.identifier("FIRST_NAME"),
        kit.identifier("odd name"),
    ]
    assert "Give its attributes the types that they have." in text


def test_tables_of_other_schemas_get_their_rights() -> None:
    made = tables(("crm", "profiles"), {"memberships": ("cdp", "members")})
    text = scripts.script(kit_of("postgres"), scripts.Wanted("profiles", made))
    for right in ('USAGE ON SCHEMA "crm"', 'USAGE ON SCHEMA "cdp"', 'SELECT ON "cdp"."members"'):
        assert text.count(f"GRANT {right} TO") == 1
    assert text.count("CREATE ROLE") == 2


def test_a_table_of_another_project_is_given_to_the_account_of_the_first() -> None:
    made = tables(("one", "crm", "profiles"), {"memberships": ("two", "crm", "members")})
    text = scripts.script(kit_of("bigquery"), scripts.Wanted("profiles", made))
    assert set(re.findall(r'"serviceAccount:(.*?)"', text)) == {"activation@one.iam.gserviceaccount.com"}
    assert "ON TABLE `two`.`crm`.`members`" in text


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.engine)
def test_what_is_made_is_bound_and_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {role: place.table(f"made_{role}") for role in PROFILES}
    text = scripts.script(
        kit_of(place.engine), scripts.Wanted("made", tables(names["profiles"], {role: names[role] for role in ROLES}))
    )
    sandbox = shared_warehouse(place.engine)
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_MADE", sandbox.connection())
    for statement in (
        *place.prepared,
        *(one for one in statements(text) if one.startswith(("CREATE TABLE", "CREATE SCHEMA"))),
    ):
        sandbox.execute(place.fitted(statement))
    warehouse = open_source(place.engine, "made")
    try:
        read = bind_profiles(
            warehouse, names["profiles"], Related(**{role: names[role] for role in ROLES}), Wanted(("a",), {}, "writes")
        )
        now = warehouse.clock()
        for lower in (None, now - 60_000_000_000):
            window = Window(lower, False, now, nulls=False)
            assert warehouse.count_changes(read, window) == 0
            assert list(warehouse.changes(read, window)) == []
        assert audiences_of(warehouse, read).num_rows == 0
    finally:
        warehouse.close()
