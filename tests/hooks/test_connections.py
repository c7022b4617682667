"""Finding Airflow connections by name, as Airflow itself does outside and inside of a task."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from activation.errors import ConfigurationError
from activation.hooks.connections import HOOKS, SourceHook, find_connection, open_source
from activation.warehouses import ENGINES


def test_a_connection_of_the_environment_is_found_without_a_running_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {"conn_type": "braze", "host": "x.io", "port": 8080, "password": "p/w:@?", "extra": {"instance": "US-01"}}
    monkeypatch.setenv("AIRFLOW_CONN_MY_CRM", json.dumps(fields))
    found = find_connection("my_crm")
    assert (found.conn_id, found.conn_type, found.host, found.port) == ("my_crm", "braze", "x.io", 8080)
    assert found.password == "p/w:@?"
    assert found.extra_dejson == {"instance": "US-01"}
    assert BaseHook.get_connection("my_crm") == found


def test_airflow_itself_says_not_found_for_an_unknown_name() -> None:
    """What :func:`find_connection` translates; if Airflow raises something else one day, this fails first."""
    with pytest.raises(AirflowNotFoundException):
        BaseHook.get_connection("nowhere")


@pytest.mark.parametrize(("name", "variable"), [("nowhere", "NOWHERE"), ("my_crm", "MY_CRM"), ("Crm2", "CRM2")])
def test_an_unknown_connection_is_told_how_to_make_it(name: str, variable: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        find_connection(name)
    assert raised.value.problem == f"There is no Airflow connection {name!r}."
    assert raised.value.fix == (
        f"Create it under Admin › Connections or as AIRFLOW_CONN_{variable}, or correct its name in the pipeline."
    )
    assert raised.value.__cause__ is None


@pytest.mark.parametrize("engine", list(HOOKS))
def test_a_source_without_its_connection_is_told_the_same(engine: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^There is no Airflow connection 'nowhere'"):
        open_source(engine, "nowhere")


def test_every_engine_has_a_hook_and_every_hook_an_engine() -> None:
    assert set(HOOKS) == set(ENGINES)


def test_a_source_opens_through_the_hook_of_its_type(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "data.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("CREATE TABLE users (payload VARCHAR)")
    monkeypatch.setenv("AIRFLOW_CONN_LOCAL", json.dumps({"conn_type": "duckdb", "host": str(file)}))
    warehouse = open_source("duckdb", "local")
    try:
        assert [column.name for column in warehouse.columns(("users",))] == ["payload"]
    finally:
        warehouse.close()


def test_a_hook_whose_package_is_not_there_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HOOKS, "postgres", SourceHook("airflow_has_no.such_module:Hook", "postgres_conn_id", "postgres"))
    monkeypatch.setenv("AIRFLOW_CONN_PG", "postgres://localhost/db")
    with pytest.raises(ConfigurationError) as raised:
        open_source("postgres", "pg")
    assert str(raised.value) == (
        "Reading from postgres needs a package that is not installed: airflow_has_no. Fix: Install airflow-activation[postgres]."
    )
