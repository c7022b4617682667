"""What PostgreSQL and its drivers raise, sorted by what recovers from it."""

from __future__ import annotations

import re
from typing import Any

from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses.base import Query, Relation, named

_VIEW = "Correct the view, or the data that it computes with."
_NAME = "Check the name as PostgreSQL shows it (upper and lower case count), its schema, and the connection's database."

PROBLEMS: dict[str, tuple[type[ActivationError], str]] = {
    "08": (TransientError, ""),  # connection exception
    "0A": (ConfigurationError, _VIEW),
    "22": (ConfigurationError, _VIEW),  # data exception
    "25006": (ConfigurationError, "Let the view call no function that writes: it is read in a read-only transaction."),
    "28": (ConfigurationError, "Correct the login or the password of the connection, or the server's pg_hba.conf."),
    "3D": (ConfigurationError, "Correct the database: it stands in the connection's field 'Schema' or 'Database'."),
    "3F": (ConfigurationError, _NAME),
    "42": (ConfigurationError, _VIEW),
    "42501": (ConfigurationError, ""),  # no right: see _grant
    "42703": (ConfigurationError, "Check the column's name as PostgreSQL shows it (upper and lower case count)."),
    "42P01": (ConfigurationError, _NAME),
    "53400": (ConfigurationError, "Raise the limit that the server names, or read less at once."),
    "54": (ConfigurationError, _VIEW),  # program limit exceeded
    "F0": (ConfigurationError, "Correct the connection's extra fields: PostgreSQL's library does not know one of them."),
    "57P04": (ConfigurationError, "The database was dropped; correct the connection."),
}
"""SQLSTATE or its class -> error and fix; the longest match wins. A state that is not here may pass: lost connections (08),
deadlocks (40), full servers (53), cancellations and restarts (57), faults of the system (58)."""

_REFUSALS = (
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("authentication failed", "28000"),
    ("no pg_hba.conf entry", "28000"),
    ("is not permitted to log in", "28000"),
    ("does not support SSL", "28000"),
    ("certificate verify failed", "28000"),
    ("permission denied for database", "42501"),
    ("invalid dsn", "F0000"),
    ("invalid connection option", "F0000"),
)
"""Parts of libpq's texts: while a connection is made, the drivers keep the server's SQLSTATE to themselves."""

_MISSING = re.compile(r'(database|role) "[^"]*" does not exist')
_DENIED = re.compile(r"permission denied for (table|relation|view|materialized view|foreign table|schema|database|function) (.+)")
_SECRET = re.compile(
    r"""(password|passfile|sslpassword)\s*=\s*('[^']*'|\S+)|(?<=://)[^/@\s]+@|(?<=missing "=" after ).*""", re.IGNORECASE
)
_SPEECHLESS = "no message from the libpq"


def map_error(error: Exception, table: Relation = (), user: str = "") -> Exception:
    """Turn what psycopg2 or psycopg raised into an error of this package; anything else comes back as it is.

    :param table: the table that was read, for the text.
    :param user: the database role of the connection, for the text.
    """
    if not any(kind.__module__.partition(".")[0] in ("psycopg", "psycopg2") for kind in type(error).__mro__):
        return error
    state = _state(error)
    kind, fix = next((PROBLEMS[state[:size]] for size in (5, 2) if state[:size] in PROBLEMS), (TransientError, ""))
    place = f"Reading {named(table)} from PostgreSQL" if table else "Connecting to PostgreSQL"
    # A data exception quotes the value that it could not take, which belongs to a customer.
    detail = "" if state.startswith("22") else _first_line(error)
    problem = f"{place} failed{f' ({state})' if state else ''}{f': {detail}' if detail else '.'}"
    if kind is not ConfigurationError:
        return kind(problem)
    return ConfigurationError(problem, missing_right(detail, table, user) if state == "42501" else fix)


def grant(kind: str, name: str, user: str) -> str:
    """Say which right to give.

    :param kind: ``table``, ``schema`` and so on, as PostgreSQL's error names it.
    :param name: the object, quoted as SQL needs it.
    """
    right = {"schema": "USAGE ON SCHEMA", "database": "CONNECT ON DATABASE", "function": "EXECUTE ON FUNCTION"}
    return f"Let an owner run: GRANT {right.get(kind, 'SELECT ON')} {name} TO {quoted(user or 'the role')};"


def quoted(*parts: str) -> str:
    """Quote the parts of a name for SQL."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def _state(error: Any) -> str:
    state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
    if state:
        return str(state)
    return refusal(str(error))


def refusal(text: str) -> str:
    """Find the SQLSTATE of a text of libpq about a connection that was refused; empty if it says nothing of that kind."""
    missing = _MISSING.search(text)
    if missing:
        return "3D000" if missing.group(1) == "database" else "28000"
    return next((code for part, code in _REFUSALS if part in text), "")


def _first_line(error: Any) -> str:
    primary = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    lines = [line.strip() for line in primary.splitlines() if line.strip()]
    if not lines or _SPEECHLESS in lines[0]:
        return "the connection was lost"
    return redacted(lines[0])


def redacted(line: str) -> str:
    """Hide passwords in a line of libpq and cut it to a bearable length."""
    return _SECRET.sub("***", line)[:300]


def missing_right(detail: str, relation: Relation, user: str) -> str:
    """Say which right to give.

    :param detail: what the server said.
    :param relation: what was read.
    """
    table = () if isinstance(relation, Query) else relation
    found = _DENIED.search(detail)
    if not found and not table:
        return f"Give the role {user!r} the missing right."
    kind, name = (found.group(1), found.group(2)) if found else ("table", "")
    if kind not in ("schema", "database", "function"):
        # The message gives the bare name; a view can be refused for a table below it.
        name = quoted(*table) if table and name in ("", table[-1]) else quoted(name)
    elif kind != "function":
        name = quoted(name)
    return grant(kind, name, user)
