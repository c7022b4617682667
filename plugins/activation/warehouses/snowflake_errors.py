"""What Snowflake and its connector raise, sorted by what recovers from it."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from activation.errors import ActivationError, ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Query, Relation, named

_VIEW = "Correct the view or the query, or the data that it computes with."
_NAME = "Check the name as Snowflake shows it, its schema, and the database of the connection. If it is there, {grant}"
_LOGIN = "Correct the login and the password of the connection."
_TOKEN = "Renew the token of the connection: it is expired or was revoked."  # noqa: S105 - no token
_ACCOUNT = "Correct the connection's extra field 'account' (and 'host', if there is one)."
_UNLOCK = "Let an administrator run: ALTER USER {user} SET DISABLED = FALSE; or UNSET what locks it."
_WAREHOUSE = (
    "Name a warehouse in the connection's extra field 'warehouse'; if it is there, let its owner run: "
    "GRANT USAGE ON WAREHOUSE {warehouse} TO ROLE {role};"
)
_TRUST = "Trust the authority of the host's certificate (REQUESTS_CA_BUNDLE), or correct the connection's host."

PROBLEMS: dict[int, tuple[type[ActivationError], str]] = {
    # statements
    603: (TransientError, ""),  # internal error, an incident of the service
    604: (TransientError, ""),  # cancelled
    605: (TransientError, ""),  # not running any more
    606: (ConfigurationError, _WAREHOUSE),
    630: (TransientError, ""),  # STATEMENT_TIMEOUT_IN_SECONDS
    904: (ConfigurationError, "Check the column's name as Snowflake shows it (upper and lower case count)."),
    1003: (ConfigurationError, _VIEW),
    2003: (ConfigurationError, _NAME),
    2043: (ConfigurationError, _NAME),
    3001: (ConfigurationError, "{Grant}"),
    90073: (
        ConfigurationError,
        "Raise the quota of the resource monitor, wait for its next interval, or name another warehouse.",
    ),
    90105: (ConfigurationError, "Name the database in the connection's extra field 'database', or before the table."),
    90106: (ConfigurationError, "Name the schema in the connection's field 'Schema', or before the table."),
    # log-in
    390100: (ConfigurationError, _LOGIN),
    390101: (ConfigurationError, _UNLOCK),
    390102: (ConfigurationError, _UNLOCK),
    390103: (TransientError, ""),  # session gone
    390104: (TransientError, ""),
    390110: (TransientError, ""),
    390111: (TransientError, ""),
    390112: (TransientError, ""),  # session expired
    390114: (TransientError, ""),  # master token expired: the next try logs in anew
    390144: (
        ConfigurationError,
        "The private key of the connection does not belong to the user, or the clock is wrong: let an administrator run "
        "ALTER USER {user} SET RSA_PUBLIC_KEY = '…'; with the public key.",
    ),
    390186: (ConfigurationError, "Let an administrator run: GRANT ROLE {role} TO USER {user};"),
    390189: (ConfigurationError, "Let an administrator run: GRANT ROLE {role} TO USER {user};"),
    390191: (ConfigurationError, "The user must log in by single sign-on: use a service user with a key pair."),
    390195: (ConfigurationError, _TOKEN),
    390201: (
        ConfigurationError,
        "Correct the database, schema or warehouse of the connection, or grant USAGE on it to its role.",
    ),
    390302: (ConfigurationError, _TOKEN),
    390303: (ConfigurationError, _TOKEN),
    390317: (ConfigurationError, "Ask for a token whose scope names the role of the connection."),
    390318: (ConfigurationError, _TOKEN),
    390422: (
        ConfigurationError,
        "Let an administrator add the address of the worker to the network policy of the user or account.",
    ),
    394400: (ConfigurationError, _TOKEN),
    394508: (ConfigurationError, "Use another way to log in: the account's policy does not allow this one."),
    # the connector's own
    250004: (ConfigurationError, _ACCOUNT),
    251001: (ConfigurationError, _ACCOUNT),
    251005: (ConfigurationError, _LOGIN),
    251006: (ConfigurationError, _LOGIN),
    251007: (ConfigurationError, "Correct the connection's extra fields: the connector does not take one of their values."),
    251008: (ConfigurationError, "Correct the private key of the connection, or the password that protects it."),
    255002: (ConfigurationError, "Install airflow-activation[snowflake]: pyarrow or pandas is missing."),
    290403: (ConfigurationError, _ACCOUNT),
    290404: (ConfigurationError, _ACCOUNT),
}
"""Number of an error -> error and fix. From the connector's constants, its issue tracker and users' reports, since Snowflake
publishes no whole list; a number that is not here goes by its SQLSTATE."""

STATES: dict[str, tuple[type[ActivationError], str]] = {
    "02": (ConfigurationError, _NAME),
    "0A": (ConfigurationError, _VIEW),
    "22": (ConfigurationError, _VIEW),  # data exception
    "28": (ConfigurationError, _LOGIN),
    "42": (ConfigurationError, _VIEW),
    "42501": (ConfigurationError, "{Grant}"),
    "42S02": (ConfigurationError, _NAME),
}
"""SQLSTATE or its class -> error and fix, for other numbers. A state that is not here may pass: lost connections (08), full
queues (53), cancellations (57), faults of the system (58, XX)."""

TEXTS: tuple[tuple[str, type[ActivationError], str], ...] = (
    ("certificate verify failed", ConfigurationError, _TRUST),
    ("TLS CA certificate bundle", ConfigurationError, _TRUST),
    ("non-retryable SSL error", ConfigurationError, _TRUST),
    ("Incorrect username or password", ConfigurationError, _LOGIN),
    ("JWT token is invalid", ConfigurationError, PROBLEMS[390144][1]),
    ("is not allowed to access Snowflake", ConfigurationError, PROBLEMS[390422][1]),
    ("User access disabled", ConfigurationError, _UNLOCK),
    ("User temporarily locked", ConfigurationError, _UNLOCK),
    ("Verify the account name is correct", ConfigurationError, _ACCOUNT),
    ("No active warehouse", ConfigurationError, _WAREHOUSE),
    ("resource monitor", ConfigurationError, PROBLEMS[90073][1]),
    ("is suspended", ConfigurationError, "Let its owner run: ALTER WAREHOUSE {warehouse} RESUME; or SET AUTO_RESUME = TRUE."),
    ("Insufficient privileges", ConfigurationError, "{Grant}"),
)
"""Parts of texts that say more than the number beside them, which can be one for every refusal (250001 while connecting)."""

_DATA = range(100_000, 101_000)
"""Numbers of errors about a value; their texts quote it, and it belongs to a customer."""

_SECRET = re.compile(r"(?i)(password|passcode|token|private_key|client_secret)(['\"]?\s*[=:]\s*)('[^']*'|\"[^\"]*\"|\S+)")
_DRIVERS = ("snowflake", "requests", "urllib3", "cryptography", "pyarrow")


@cache
def driver_error() -> type[Exception]:
    """The base of everything that the connector raises; it is loaded late, because it brings pandas and boto3 with it."""
    from snowflake.connector.errors import Error

    error: type[Exception] = Error
    return error


def map_error(error: Exception, table: Relation = (), connection: Any = None) -> Exception:
    """Turn what the connector, or the hook before it, raised into an error of this package; anything else comes back as it is.

    :param table: what was read, for the text; empty while a connection is made.
    :param connection: names the user, the role and the warehouse for the text.
    """
    if isinstance(error, ActivationError):
        return error
    known = isinstance(error, OSError) or any(kind.__module__.partition(".")[0] in _DRIVERS for kind in type(error).__mro__)
    if not known and (table or not isinstance(error, (ValueError, TypeError))):
        return error
    number, state = int(getattr(error, "errno", -1) or -1), str(getattr(error, "sqlstate", ""))
    hidden = number in _DATA or state.startswith("22")
    detail = "" if hidden else _line(error)
    kind, fix = _found(error, number, state, detail, bool(table))
    place = f"Reading {named(table)} from Snowflake" if table else "Connecting to Snowflake"
    code = f" ({number:06d})" if number > 0 else ""
    problem = f"{place} failed{code}{f': {detail}' if detail else '.'}"
    if kind is not ConfigurationError:
        return kind(problem)
    return ConfigurationError(problem, _filled(fix, table, connection))


def grants(table: Relation, role: str) -> str:
    """The statements that let a role read a table or view.

    :param table: as it is named in full, as far as that is known.
    """
    if isinstance(table, Query) or not table:
        return f"let an owner grant USAGE on the database and the schema, and SELECT on the tables, to the role {role}."
    parts = [quoted(*table[:size]) for size in range(1, len(table) + 1)]
    rights = [f"GRANT USAGE ON {kind} {name} TO ROLE {role};" for kind, name in _containers(parts)]
    return f"let an owner run: {' '.join(rights)} GRANT SELECT ON TABLE {parts[-1]} TO ROLE {role}; (ON VIEW for a view)"


def quoted(*parts: str) -> str:
    """Quote the parts of a name for SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _containers(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(("DATABASE", "SCHEMA")[3 - len(parts) :], parts[:-1], strict=True)) if len(parts) <= 3 else []


def _found(error: Exception, number: int, state: str, detail: str, connected: bool) -> tuple[type[ActivationError], str]:
    for part, kind, fix in TEXTS:
        if part in detail:
            return kind, fix
    if number in PROBLEMS:
        return PROBLEMS[number]
    if not connected and isinstance(error, (ValueError, TypeError)):
        return ConfigurationError, "Correct the connection's fields: the hook does not take one of them."
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if 400 <= status < 500 and status not in (408, 429):
        return ConfigurationError, _TOKEN
    if type(error).__module__.startswith("pyarrow"):  # values that are not what the types of their columns say
        return FatalError, ""
    return next((STATES[state[:size]] for size in (5, 2) if state[:size] in STATES), (TransientError, ""))


def _line(error: Exception) -> str:
    """The text on one line, without the number in front and without secrets."""
    text = " ".join(str(getattr(error, "raw_msg", None) or error).split())
    text = re.sub(r"^\d{6} \(\w{5}\): (?:[0-9a-f-]{36}: )?", "", text)
    return _SECRET.sub(r"\1\2***", text)[:300]


def _filled(fix: str, table: Relation, connection: Any) -> str:
    names = {name: getattr(connection, name, None) for name in ("user", "role", "warehouse", "database", "schema")}
    shown = {name: quoted(str(value)) if value else f"<{name}>" for name, value in names.items()}
    if isinstance(table, tuple) and 0 < len(table) < 3 and names["database"] and names["schema"]:
        table = (str(names["database"]), str(names["schema"]))[: 3 - len(table)] + table
    given = grants(table, shown["role"])
    return fix.format(grant=given, Grant=given[:1].upper() + given[1:], **shown)
