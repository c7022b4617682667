"""From the official Databricks hooks to a client: the connector's connection, and statements that outlive it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException

from activation.warehouses.databricks_statements import Client, ServiceError, Told

if TYPE_CHECKING:
    from airflow.providers.databricks.hooks.databricks_sql import DatabricksSqlHook

_WAREHOUSE = re.compile(r"/?sql/1\.0/(?:warehouses|endpoints)/([0-9a-zA-Z]+)/?(?:\?.*)?")
_ANSWER = re.compile(r"Response: (.*), Status Code: \d+", re.DOTALL)


def connect(hook: DatabricksSqlHook) -> Client:
    """Connect with the hook's credentials.

    The statements run on the same SQL warehouse, and begin in the catalog and the schema of the connection.
    """
    connection, extra = hook.get_conn(), hook.databricks_conn.extra_dejson
    found = _WAREHOUSE.fullmatch(str(extra.get("http_path", "")))
    if found is None:
        return Client(
            connection,
            missing="Databricks unloads through a SQL warehouse: the connection's http_path must be /sql/1.0/warehouses/<id>.",
        )
    if extra.get("session_configuration"):
        return Client(
            connection, missing="Databricks unloads outside of sessions: the connection's session_configuration would not hold."
        )
    begin = {name: str(extra[name]) for name in ("catalog", "schema") if extra.get(name)}
    return Client(connection, HookStatements(hook.databricks_conn_id, {"warehouse_id": found[1], **begin}))


class HookStatements:
    """:class:`~activation.warehouses.databricks_statements.Statements` through the official hook.

    :param place: keys of each request: warehouse, catalog, schema.
    """

    def __init__(self, conn_id: str, place: Mapping[str, str]) -> None:
        from airflow.providers.databricks.hooks.databricks import DatabricksHook

        self._place = place
        # A hook that sends the request again, since the answer was lost, would have the files written twice.
        self._once = DatabricksHook(conn_id, retry_limit=1, caller="activation")
        self._hook = DatabricksHook(conn_id, caller="activation")

    def submit(self, text: str) -> str:
        """Begin a statement, and wait for nothing but its id."""
        with _told():
            return str(self._once.post_sql_statement({"statement": text, "wait_timeout": "0s", **self._place}))

    def state(self, statement: str) -> Told:
        """What became of a statement."""
        with _told():
            found = self._hook.get_sql_statement_state(statement)
        return Told(found.state, found.error_message)

    def cancel(self, statement: str) -> None:
        """Stop a statement."""
        with _told():
            self._hook.cancel_sql_statement(statement)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (AirflowException, OSError) as error:  # what requests raises is an OSError
        raise ServiceError(_message(str(error)), getattr(error, "http_status_code", None)) from None


def _message(text: str) -> str:
    """What the service said, without the hook's words around it."""
    found = _ANSWER.fullmatch(text)
    try:
        said: Any = json.loads(found[1]) if found else {}
    except ValueError:
        said = {}
    return str(said.get("message") or text) if isinstance(said, dict) else text
