"""The scripts of ``activation setup-sql`` as texts: columns by the contract, names quoted, nothing left open by accident."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from activation.destinations.braze.kinds import KINDS as DATA
from activation.errors import ConfigurationError
from activation.setup import KITS, kit_of
from activation.setup.layouts import LAYOUTS
from activation.setup.script import Table, Wanted, script
from activation.spec.sources import SOURCES

CONTRACT = {
    "snowflake": {
        "UPDATED_AT": "TIMESTAMP_NTZ(9) NOT NULL DEFAULT SYSDATE()",
        "EXTERNAL_ID": "VARCHAR(16777216)",
        "ALIAS_NAME": "VARCHAR(16777216)",
        "ALIAS_LABEL": "VARCHAR(16777216)",
        "BRAZE_ID": "VARCHAR(16777216)",
        "EMAIL": "VARCHAR(16777216)",
        "PHONE": "VARCHAR(16777216)",
        "PAYLOAD": "VARCHAR(16777216) NOT NULL",
        "ID": "VARCHAR(16777216) NOT NULL",
        "DELETED": "BOOLEAN",
    },
    "redshift": {
        "updated_at": "timestamptz DEFAULT sysdate",
        "external_id": "varchar",
        "alias_name": "varchar",
        "alias_label": "varchar",
        "braze_id": "varchar",
        "email": "varchar",
        "phone": "varchar",
        "payload": "varchar(max)",
        "id": "varchar NOT NULL",
        "deleted": "boolean",
    },
    "bigquery": {
        "updated_at": "TIMESTAMP DEFAULT CURRENT_TIMESTAMP()",
        "external_id": "STRING",
        "alias_name": "STRING",
        "alias_label": "STRING",
        "braze_id": "STRING",
        "email": "STRING",
        "phone": "STRING",
        "payload": "JSON",
        "id": "STRING NOT NULL",
        "deleted": "BOOL",
    },
    "databricks": {
        "updated_at": "TIMESTAMP DEFAULT current_timestamp()",
        "external_id": "STRING",
        "alias_name": "STRING",
        "alias_label": "STRING",
        "braze_id": "STRING",
        "email": "STRING",
        "phone": "STRING",
        "payload": "STRING",
        "id": "STRING NOT NULL",
        "deleted": "BOOLEAN",
    },
}
"""contracts: braze 1.1, column by column."""

USER = ["updated_at", "external_id", "alias_name", "alias_label", "braze_id", "email", "phone", "payload"]
COLUMNS = {
    "attributes": USER,
    "events": USER,
    "purchases": USER,
    "deletes": ["updated_at", "external_id", "alias_name", "alias_label", "braze_id"],
    "catalog_items": ["updated_at", "id", "payload", "deleted"],
}


def columns_of(text: str) -> dict[str, str]:
    """The columns of the script's CREATE TABLE."""
    body = re.search(r"CREATE TABLE IF NOT EXISTS \S+ \(\n(.*?)\n\)", text, re.DOTALL)
    assert body
    return dict(line.strip().removesuffix(",").split(" ", 1) for line in body[1].splitlines())


def written(engine: str, table: tuple[str, ...] = ("crm", "users"), data: str = "attributes", /, **names: str) -> str:
    return script(kit_of(engine), Wanted("users", (Table(table, LAYOUTS[data]),), names))


def statements(text: str) -> str:
    """The script without its comments."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))


def test_every_engine_has_a_script() -> None:
    assert list(KITS) == list(SOURCES)


def test_every_kind_of_data_has_its_columns() -> None:
    assert set(LAYOUTS) == set(DATA)
    assert {data: [name for name, _ in layout] for data, layout in LAYOUTS.items()} == COLUMNS


@pytest.mark.parametrize("data", COLUMNS)
@pytest.mark.parametrize("engine", CONTRACT)
def test_the_columns_are_those_of_the_contract(engine: str, data: str) -> None:
    found = columns_of(written(engine, ("crm", "users"), data))
    wanted = [name.upper() if engine == "snowflake" else name for name in COLUMNS[data]]
    assert found == {name: CONTRACT[engine][name] for name in wanted}


@pytest.mark.parametrize("data", COLUMNS)
@pytest.mark.parametrize("engine", KITS)
def test_a_script_has_no_open_brace_and_every_statement_an_end(engine: str, data: str) -> None:
    text = statements(written(engine, ("crm", "users"), data))
    assert not re.search(r"[{}]", text)
    assert text.rstrip().endswith(";")


@pytest.mark.parametrize("engine", KITS)
def test_a_nasty_name_stays_one_name(engine: str) -> None:
    kit = kit_of(engine)
    name = f"a{kit.quote}; DROP TABLE x; --"
    text = written(engine, ("crm", name))
    assert f".{kit.quote}a{kit.quote * 2}; DROP TABLE x; --{kit.quote}" in text
    assert kit.identifier("<x; DROP") == f"{kit.quote}<x; DROP{kit.quote}"


@pytest.mark.parametrize(
    ("engine", "rights"),
    [
        ("postgres", ["NOLOGIN", "LOGIN", "GRANT CONNECT ON DATABASE", "GRANT USAGE ON SCHEMA", "GRANT SELECT ON"]),
        (
            "snowflake",
            [
                "CREATE ROLE", "CREATE WAREHOUSE", "AUTO_RESUME = TRUE", "RSA_PUBLIC_KEY", "TYPE = SERVICE",
                "GRANT USAGE ON WAREHOUSE", "GRANT USAGE ON DATABASE", "GRANT USAGE ON SCHEMA", "GRANT SELECT ON TABLE",
                "GRANT ROLE",
            ],
        ),
        ("redshift", ["CREATE USER", "GRANT USAGE ON SCHEMA", "GRANT SELECT ON"]),
        (
            "bigquery",
            [
                "roles/bigquery.user", "roles/bigquery.jobUser", "roles/bigquery.readSessionUser",
                "roles/bigquery.connectionUser", "roles/bigquery.dataViewer",
            ],
        ),
        ("databricks", ["GRANT USE CATALOG", "GRANT USE SCHEMA", "GRANT SELECT ON TABLE"]),
    ],
)  # fmt: skip
def test_the_rights_are_the_least_ones(engine: str, rights: list[str]) -> None:
    text = statements(written(engine, ("db", "crm", "users")[-len(kit_of(engine).parts) :]))
    for right in rights:
        assert right in text
    assert not re.search(r"GRANT (ALL|OWNERSHIP|INSERT|UPDATE|DELETE)|SUPERUSER|ACCOUNTADMIN", text)
    assert "CAN_USE" in written("databricks")


@pytest.mark.parametrize("engine", KITS)
def test_what_is_to_be_filled_in_is_refused_where_it_is_forgotten(engine: str) -> None:
    """A placeholder is no valid identifier and no valid key, and no password has one."""
    text = statements(written(engine))
    assert "PASSWORD '" not in text
    for place in re.findall(r".<[^>]*>.", text):
        assert place[0] in " .=@`:" or place.startswith("'<public key>"), place


@pytest.mark.parametrize(
    ("engine", "names", "shown"),
    [
        ("postgres", {"role": "Readers", "user": "carrier"}, ['GRANT "Readers" TO "carrier"']),
        (
            "snowflake",
            {"role": "r", "user": "Odd name", "warehouse": "W_1"},
            ['GRANT ROLE "R" TO USER "Odd name"', 'ON WAREHOUSE "W_1"'],
        ),
        ("redshift", {"user": "etl"}, ['TO "etl"']),
        ("bigquery", {"user": "reader"}, ["serviceAccount:reader@"]),
        ("databricks", {"user": "0-1-2", "warehouse": "abc"}, ["TO `0-1-2`", "update warehouses abc"]),
    ],
)
def test_names_can_be_chosen(engine: str, names: dict[str, str], shown: list[str]) -> None:
    text = written(engine, **names)
    for one in shown:
        assert one in text


@pytest.mark.parametrize(
    ("engine", "option", "takes"),
    [
        ("duckdb", "role", "it takes none"),
        ("redshift", "role", "it takes --user"),
        ("bigquery", "warehouse", "it takes --user"),
        ("postgres", "warehouse", "it takes --role, --user"),
        ("databricks", "role", "it takes --user, --warehouse"),
    ],
)
def test_a_name_for_what_the_engine_does_not_have_is_refused(engine: str, option: str, takes: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no use for --{option}.*{takes}"):
        written(engine, **{option: "x"})


@pytest.mark.parametrize("name", ["", "a\nb", "a'b", 'a"b', "a;b", "a`b", "$(b)", "<b>"])
def test_a_name_that_could_leave_its_place_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a name that a script can hold"):
        written("databricks", user=name)


def test_a_database_that_the_connection_chooses_is_told() -> None:
    text = written("redshift", ("dev", "crm", "users"))
    assert "Connect to database dev first." in text
    assert '"crm"."users"' in text
    assert '"dev"' not in text
    assert "Connect to" not in written("redshift", ("crm", "users"))


def test_a_part_that_the_pipeline_does_not_name_is_left_to_fill_in() -> None:
    assert "CREATE TABLE IF NOT EXISTS <database>." in written("snowflake", ("CRM", "USERS"))
    assert "GRANT USAGE ON DATABASE <database> TO ROLE" in written("snowflake", ("CRM", "USERS"))


@pytest.mark.parametrize("engine", KITS)
def test_a_query_gets_the_rights_but_no_table(engine: str) -> None:
    text = script(kit_of(engine), Wanted("users", (Table((), LAYOUTS["attributes"]),)))
    assert "CREATE TABLE" not in text
    assert "reads a query" in text
    assert ("GRANT" in text) is bool(kit_of(engine).access)


@pytest.mark.parametrize("engine", KITS)
def test_the_table_can_be_left_out(engine: str) -> None:
    text = script(kit_of(engine), Wanted("users", (Table(("crm", "users")),)))
    assert "CREATE TABLE" not in text
    assert "reads a query" not in text


def test_a_simple_name_is_folded_where_its_reader_folds_it() -> None:
    """The reader of Snowflake looks for a name as it is written, then in upper case."""
    assert 'CREATE TABLE IF NOT EXISTS "CRM"."MARTS"."USERS"' in written("snowflake", ("crm", "marts", "users"))
    assert '"Odd name"' in written("snowflake", ("crm", "marts", "Odd name"))
    assert '"Users"' in written("postgres", ("crm", "Users"))


def test_the_documentation_shows_the_same_layouts() -> None:
    text = (Path(__file__).parents[2] / "docs" / "warehouses.md").read_text(encoding="utf-8")
    shown: dict[str, list[str]] = {}
    for names, columns in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([A-Z_, ]+)[;( |]", text, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            shown[name] = ["updated_at", *re.findall(r"[a-z_]+", columns.lower())]
    assert shown == COLUMNS
