"""The hook for connections of type ``duckdb``: a database file that the worker can read."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from activation.errors import ActivationError, ConfigurationError
from activation.hooks.connections import find_connection

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PATIENCE, _PAUSE = 5.0, 0.05
"""Seconds to wait for another process that writes the file, and between two tries."""


class DuckDBHook(BaseHook):
    """Opens a DuckDB database file.

    :param duckdb_conn_id: the Airflow connection: ``host`` is the path of the file, absolute or relative to the working
        directory; the extra fields are ``read_only`` (default true) and ``config`` (settings of DuckDB).
    """

    conn_name_attr = "duckdb_conn_id"
    default_conn_name = "duckdb_default"
    conn_type = "duckdb"
    hook_name = "DuckDB"

    def __init__(self, duckdb_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.duckdb_conn_id = duckdb_conn_id

    def get_conn(self) -> DuckDBPyConnection:
        """Open the file.

        :raises ConfigurationError: if the connection, the file or a setting is missing or wrong; says what to enter.
        :raises TransientError: if another process holds the file for longer than a few seconds.
        """
        import duckdb

        from activation.warehouses.duckdb import map_error

        connection = find_connection(self.duckdb_conn_id)
        name = f"The DuckDB connection {self.duckdb_conn_id!r}"
        if not connection.host:
            raise ConfigurationError(f"{name} names no database file.", "Enter the path of the file as its host.")
        path = Path(connection.host)
        if not path.is_file():
            raise ConfigurationError(
                f"{name} names the database file {path}, which does not exist (working directory: {Path.cwd()}).",
                "Enter the path of an existing file, best an absolute one, that every worker can read.",
            )
        read_only, config = _read_only(connection.extra_dejson, name), _config(connection.extra_dejson, name)
        try:
            return _opened(path, read_only, config)
        except (duckdb.InvalidInputException, duckdb.ParserException, duckdb.ConversionException):
            settings = ", ".join(sorted(config))
            raise ConfigurationError(
                f"{name} has a setting in its extra field 'config' that DuckDB refuses: one of {settings}.",
                "Correct its name or its value; DuckDB's documentation lists both.",
            ) from None
        except duckdb.Error as error:
            raise map_error(error) from None

    def test_connection(self) -> tuple[bool, str]:
        """Open the file and count the tables in it."""
        try:
            with self.get_conn() as connection:
                row = connection.execute("SELECT COUNT(*) FROM information_schema.tables").fetchone()
        except ActivationError as error:
            return False, str(error)
        return True, f"The file opens; it holds {row[0] if row else 0} tables and views."


def _opened(path: Path, read_only: bool, config: dict[str, Any]) -> DuckDBPyConnection:
    import duckdb

    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "Could not set lock" not in str(error) or time.monotonic() >= until:
                raise
        time.sleep(_PAUSE)


def _read_only(extra: dict[str, Any], name: str) -> bool:
    value = extra.get("read_only")
    shown = True if value in (None, "") else value
    if isinstance(shown, str):
        shown = {"true": True, "false": False}.get(shown.lower())
    if not isinstance(shown, bool):
        raise ConfigurationError(f"{name} has read_only={value!r} in its extra field.", "Enter true or false.")
    return shown


def _config(extra: dict[str, Any], name: str) -> dict[str, Any]:
    value = extra.get("config")
    if isinstance(value, str) and value.strip():
        try:
            value = json.loads(value)
        except ValueError:
            value = ()
    if value is None or value == "":
        return {}
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"{name} has an extra field 'config' that is no JSON object.", 'Enter one, such as {"memory_limit": "2GB"}.'
        )
    return value
