"""The scripts of ``activation setup-sql`` are run, and what they made is read through the official hook."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from activation.destinations.braze.kinds import KINDS
from activation.errors import ConfigurationError
from activation.hooks.connections import open_source
from activation.records.layout import bind
from activation.setup import kit_of
from activation.setup.layouts import LAYOUTS
from activation.setup.script import Table, Wanted, script
from activation.warehouses.checks.reading import EVERYTHING
from sandbox.warehouses.base import WarehouseSandbox
from sandbox.warehouses.postgres import PostgresSandbox
from sandbox.warehouses.redshift import RedshiftSandbox
from tests.support.places import PLACES, Place
from tests.support.servers import shared_warehouse

PASSWORD = "only-for-tests"


@pytest.fixture(scope="module", params=PLACES, ids=lambda place: place.engine)
def place(request: pytest.FixtureRequest) -> Place:
    one: Place = request.param
    return one


@pytest.fixture(scope="module")
def sandbox(place: Place) -> Iterator[WarehouseSandbox]:
    """The engine's sandbox, with the variables that its clients need."""
    running = shared_warehouse(place.engine)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment().items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW_CONN_OWNER", running.connection())
        for statement in place.prepared:
            running.execute(statement)
        yield running


def statements(text: str) -> list[str]:
    """A script cut into its statements, for clients that take one at a time; none of the cut ones holds a ; of its own."""
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    return [one.strip() for one in bare.split(";\n") if one.strip()]


@pytest.mark.parametrize("data", LAYOUTS)
def test_the_table_is_made_and_its_columns_are_found(place: Place, sandbox: WarehouseSandbox, data: str) -> None:
    table = place.table(f"made_{data}")
    text = script(kit_of(place.engine), Wanted("made", (Table(table, LAYOUTS[data]),)))
    for _ in range(2):  # a second run changes nothing
        for statement in statements(text):
            if statement.startswith(("CREATE TABLE", "CREATE SCHEMA")):
                sandbox.execute(place.fitted(statement))
    warehouse = open_source(place.engine, "owner")
    try:
        columns = warehouse.columns(table)
        assert [column.name.lower() for column in columns] == [name for name, _ in LAYOUTS[data]]
        layout = bind(table, columns, cursor="UPDATED_AT", shape=KINDS[data].shape)
        assert set(layout.roles) == {name for name, _ in LAYOUTS[data]} - {"updated_at"}
        assert warehouse.survey(layout.extract, None).latest is None
    finally:
        warehouse.close()


def test_a_row_that_names_no_time_gets_the_time_of_the_warehouse(place: Place, sandbox: WarehouseSandbox) -> None:
    table = place.table("stamped")
    kit = kit_of(place.engine)
    for statement in statements(script(kit, Wanted("made", (Table(table, LAYOUTS["attributes"]),)))):
        if statement.startswith("CREATE TABLE"):
            sandbox.execute(place.fitted(statement))
    shown = ".".join(kit.identifier(kit.stored(part)) for part in table)
    sandbox.execute(f"INSERT INTO {shown} (external_id, payload) VALUES ('a', {place.json('{}')})")
    warehouse = open_source(place.engine, "owner")
    try:
        extract = bind(table, warehouse.columns(table), cursor="updated_at").extract
        survey = warehouse.survey(extract, None)
        assert survey.latest is not None
        assert abs(survey.now - survey.latest) < 600 * 1_000_000_000
    finally:
        warehouse.close()


def test_the_user_of_redshift_reads_its_table_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in knows no PASSWORD DISABLE, no varchar(max) and no sysdate; the rest of the script runs as it stands."""
    with RedshiftSandbox() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        place = next(place for place in PLACES if place.engine == "redshift")
        text = script(kit_of("redshift"), Wanted("users", (Table(("crm", "users"), LAYOUTS["attributes"]),)))
        server.execute(place.fitted(text).replace("PASSWORD DISABLE", f"PASSWORD '{PASSWORD}'"))
        server.execute("CREATE TABLE crm.other (updated_at timestamptz, external_id varchar, payload varchar)")
        server.execute("INSERT INTO crm.users (external_id, payload) VALUES ('user-1', '{}')")
        monkeypatch.setenv("AIRFLOW_CONN_MADE", server.airflow("activation"))
        warehouse = open_source("redshift", "made")
        try:
            layout = bind(("crm", "users"), warehouse.columns(("crm", "users")), cursor="UPDATED_AT")
            assert warehouse.count(layout.extract, EVERYTHING) == 1
            with pytest.raises(ConfigurationError, match="permission denied"):
                warehouse.columns(("crm", "other"))
        finally:
            warehouse.close()


def test_the_login_of_postgres_reads_its_table_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole script, with psql's way: every statement in one go; then the one line that was to be filled in."""
    with PostgresSandbox() as server:
        text = script(kit_of("postgres"), Wanted("users", (Table(("crm", "users"), LAYOUTS["attributes"]),)))
        for _ in range(2):
            server.execute(text)
        server.execute("CREATE TABLE crm.other (updated_at timestamptz, external_id text, payload text)")
        server.execute("INSERT INTO crm.users (external_id, payload) VALUES ('user-1', '{\"a\": 1}')")
        last = re.search(r"^-- (ALTER ROLE .*)$", text, re.MULTILINE)
        assert last
        server.execute(last[1].replace("<password>", PASSWORD))
        monkeypatch.setenv("AIRFLOW_CONN_MADE", server.airflow("activation", PASSWORD))
        warehouse = open_source("postgres", "made")
        try:
            layout = bind(("crm", "users"), warehouse.columns(("crm", "users")), cursor="UPDATED_AT")
            assert layout.roles["payload"] == "payload"
            found = warehouse.preview(layout.extract, EVERYTHING, 2).to_pylist()
            assert [row["external_id"] for row in found] == ["user-1"]
            with pytest.raises(ConfigurationError, match="may not read"):
                warehouse.columns(("crm", "other"))
        finally:
            warehouse.close()
