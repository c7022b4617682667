"""From the official Redshift hook to a client: psycopg where it can log in as the hook does, else the hook's own driver."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from airflow.sdk.exceptions import AirflowException

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

    from activation.warehouses.redshift_client import Client

PORT = 5439
"""Redshift's usual port, which the hook's driver takes as well."""

LIBPQ = {
    "application_name": "application_name",
    "timeout": "connect_timeout",
    "tcp_keepalive": "keepalives",
    "tcp_keepalive_idle": "keepalives_idle",
    "tcp_keepalive_interval": "keepalives_interval",
    "tcp_keepalive_count": "keepalives_count",
}
"""Extra fields of the connection -> what libpq calls them."""

HOOK = {"iam", "is_serverless", "serverless_work_group", "serverless_token_duration_seconds", "cluster_identifier"}
"""Extra fields that the hook itself reads for its temporary credentials."""

DRIVER = {"max_prepared_statements", "numeric_to_float", "database_metadata_current_db_only", "client_protocol_version"}
"""Extra fields that change nothing about what is read."""

TLS = {"ssl", "sslmode"}


def connect(hook: RedshiftSQLHook) -> Client:
    """Connect with the hook's credentials.

    psycopg logs in with a user and a password, or with the hook's temporary credentials. Any other extra field of the connection,
    an identity provider for example, belongs to the hook's driver, and then that one reads.

    :raises ConfigurationError: if the hook cannot make credentials from the connection.
    """
    try:
        settings = libpq_settings(hook, hook.conn.extra_dejson)
        if settings is not None and find_spec("psycopg"):
            from activation.warehouses.redshift_psycopg import connect as connect_psycopg

            return connect_psycopg(**settings)
        from activation.warehouses.redshift_rows import RowsClient

        return RowsClient(hook.get_conn(), hook.get_conn)
    except AirflowException as error:
        raise ConfigurationError(f"The Redshift hook cannot log in: {error}", "Correct the connection's extra fields.") from None


def libpq_settings(hook: RedshiftSQLHook, extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """What libpq needs to log in as the hook does; nothing if it cannot."""
    if not set(extra) <= {*LIBPQ, *HOOK, *DRIVER, *TLS}:
        return None
    conn = hook.conn
    user, password, port = hook.get_iam_token(conn) if extra.get("iam") else (conn.login, conn.password, conn.port)
    settings = {
        "host": conn.host,
        "port": port or PORT,
        "dbname": conn.schema,
        "user": user,
        "password": password,
        # The hook's driver checks the server's name unless it is told not to; without TLS it connects only if told so.
        "sslmode": extra.get("sslmode", "verify-full") if extra.get("ssl", True) or extra.get("iam") else "disable",
    }
    for name, libpq in LIBPQ.items():
        if name in extra:
            value = extra[name]
            settings[libpq] = int(value) if isinstance(value, bool | float) else value
    return settings
