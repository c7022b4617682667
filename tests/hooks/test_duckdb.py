"""The DuckDB hook: what a connection may say, and what a wrong one is told."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import pytest

from activation.errors import ConfigurationError, TransientError
from activation.hooks.connection_types import DUCKDB
from activation.hooks.duckdb import DuckDBHook

Connect = Callable[..., DuckDBHook]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database with one table."""
    path = tmp_path / "data.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE users AS SELECT 1 AS id")
    return path


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define a connection and get its hook."""

    def one(host: str | None, **extra: Any) -> DuckDBHook:
        monkeypatch.setenv("AIRFLOW_CONN_LOCAL", json.dumps({"conn_type": "duckdb", "host": host, "extra": extra}))
        return DuckDBHook("local")

    return one


def test_a_file_opens_for_reading_only(connect: Connect, file: Path) -> None:
    with connect(str(file)).get_conn() as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [(1,)]
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("DELETE FROM users")


@pytest.mark.parametrize("value", [False, "false", "False"])
def test_a_file_opens_for_writing_if_the_connection_says_so(connect: Connect, file: Path, value: Any) -> None:
    with connect(str(file), read_only=value).get_conn() as connection:
        connection.execute("DELETE FROM users")
        assert connection.execute("SELECT COUNT(*) FROM users").fetchone() == (0,)


@pytest.mark.parametrize("config", [{"threads": 1, "memory_limit": "300MB"}, '{"threads": 1, "memory_limit": "300MB"}'])
def test_settings_reach_duckdb(connect: Connect, file: Path, config: Any) -> None:
    with connect(str(file), config=config).get_conn() as connection:
        assert connection.execute("SELECT current_setting('threads')").fetchone() == (1,)


@pytest.mark.parametrize("empty", [None, "", {}])
def test_empty_fields_of_the_form_mean_the_defaults(connect: Connect, file: Path, empty: Any) -> None:
    with connect(str(file), config=empty, read_only=None).get_conn() as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [(1,)]


def test_a_relative_path_starts_at_the_working_directory(connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    with connect(file.name).get_conn() as connection:
        assert connection.execute("SELECT id FROM users").fetchall() == [(1,)]


def test_a_missing_file_is_named_with_its_connection(connect: Connect, tmp_path: Path) -> None:
    for read_only in (True, False):
        with pytest.raises(ConfigurationError) as caught:
            connect(str(tmp_path / "gone.duckdb"), read_only=read_only).get_conn()
        assert "'local'" in caught.value.problem
        assert str(tmp_path / "gone.duckdb") in caught.value.problem
        assert "existing file" in caught.value.fix
        assert not (tmp_path / "gone.duckdb").exists()


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"read_only": "maybe"}, "read_only='maybe'"),
        ({"config": "no json"}, "no JSON object"),
        ({"config": [1]}, "no JSON object"),
        ({"config": {"no_such_setting": "hunter2"}}, "one of no_such_setting"),
        ({"config": {"memory_limit": "hunter2"}}, "one of memory_limit"),
    ],
)
def test_a_wrong_field_is_named_without_its_value(connect: Connect, file: Path, extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        connect(str(file), **extra).get_conn()
    assert said in caught.value.problem
    assert "'local'" in caught.value.problem
    assert "hunter2" not in str(caught.value)


def test_a_connection_without_a_file_says_so(connect: Connect) -> None:
    with pytest.raises(ConfigurationError, match="names no database file"):
        connect(None).get_conn()


def test_a_file_of_another_kind_is_a_configuration_error(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("not a database\n" * 1_000)
    with pytest.raises(ConfigurationError, match="not a valid DuckDB database"):
        connect(str(tmp_path / "text.duckdb")).get_conn()


def test_a_file_that_another_process_writes_may_be_free_later(
    connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activation.hooks.duckdb._PATIENCE", 0.2)
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(TransientError, match="Could not set lock"):
            connect(str(file)).get_conn()
        other.communicate(b"")
    connect(str(file)).get_conn().close()


def test_another_process_that_soon_ends_is_waited_for(connect: Connect, file: Path) -> None:
    script = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1]); print('open', flush=True); time.sleep(0.4)"
    with subprocess.Popen([sys.executable, "-c", script, str(file)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        began = time.monotonic()
        connect(str(file)).get_conn().close()
        assert time.monotonic() - began > 0.2


def test_the_test_button(connect: Connect, file: Path) -> None:
    assert connect(str(file)).test_connection() == (True, "The file opens; it holds 1 tables and views.")
    good, text = connect(str(file) + ".gone").test_connection()
    assert not good
    assert "does not exist" in text
    assert "Fix: " in text


def test_the_form_is_valid_and_fits_the_hook() -> None:
    from jsonschema import validate  # type: ignore[import-untyped]

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    info = {"package-name": "p", "name": "n", "description": "d", "connection-types": [DUCKDB]}
    validate(info, schema)
    assert DUCKDB["connection-type"] == DuckDBHook.conn_type
    assert DUCKDB["hook-name"] == DuckDBHook.hook_name
    assert DUCKDB["hook-class-name"] == f"{DuckDBHook.__module__}.{DuckDBHook.__qualname__}"
    assert set(DUCKDB["conn-fields"]) == {"read_only", "config"}
