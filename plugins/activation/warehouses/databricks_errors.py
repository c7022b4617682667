"""What Databricks and its connector raise, sorted by what recovers from it."""

from __future__ import annotations

import re
from typing import Any

from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses.base import Query, Relation, named

_VIEW = "Correct the view or the query, or the data that it computes with."
_NAME = "Check the name as catalog.schema.table, as Catalog Explorer shows it; the token's user must be able to see it."
_TOKEN = "Correct the connection's token: it may be expired, revoked or cut off, or its user disabled."  # noqa: S105 - advice
_GRANT = "GRANT"
"""Stands for a fix that is written from the error itself."""

_Problem = tuple[type[ActivationError], str]

STATES: dict[str, _Problem] = {
    "08": (TransientError, ""),  # connection exception
    "0A": (ConfigurationError, _VIEW),  # not supported
    "21": (ConfigurationError, _VIEW),  # a subquery gives several rows
    "22": (ConfigurationError, _VIEW),  # data exception
    "28": (ConfigurationError, _TOKEN),
    "38": (ConfigurationError, _VIEW),  # a user's function failed
    "42": (ConfigurationError, _VIEW),
    "42501": (ConfigurationError, _GRANT),
    "42703": (ConfigurationError, "Check the column's name as Catalog Explorer shows it."),
    "42704": (ConfigurationError, _NAME),
    "42P01": (ConfigurationError, _NAME),
    "56": (ConfigurationError, _VIEW),
}
"""SQLSTATE or its class -> error and fix; the longest match wins. A state that is not here may pass: cancellations and time-outs
(57), missing resources (53), faults of the system (58, XX)."""

STATUSES: dict[int, _Problem] = {
    400: (ConfigurationError, "Correct the connection's host and its extra field 'http_path'."),
    401: (ConfigurationError, _TOKEN),
    403: (ConfigurationError, _TOKEN),
    404: (ConfigurationError, "Correct the connection's extra field 'http_path': that SQL warehouse or cluster is not there."),
}
"""HTTP status of the service -> error and fix; any other may pass."""

TEXTS: tuple[tuple[str, type[ActivationError], str], ...] = (
    (
        r"IP access list|IP ACL|source IP address",
        ConfigurationError,
        "Put the workers' IP address on the workspace's IP access list.",
    ),
    (
        r"(warehouse|endpoint|cluster)\b.{0,80}\b(is stopped|was stopped|is not running|is terminated|has been deleted)",
        ConfigurationError,
        "Start the SQL warehouse, or allow it to start by itself and the token's user to use it (CAN USE).",
    ),
    (
        r"permission to use (the )?(SQL )?(warehouse|endpoint)|CAN_USE",
        ConfigurationError,
        "Give the token's user the permission CAN USE on the SQL warehouse.",
    ),
    (
        r"AccessDenied|Access Denied|(Status Code|Error Code|S3)\W{1,3}403|403 Forbidden|AuthorizationPermissionMismatch",
        ConfigurationError,
        "Let the storage credential of the table's external location read its bucket: the store itself refused Databricks (403).",
    ),
    (r"PERMISSION_DENIED|INSUFFICIENT_PERMISSIONS", ConfigurationError, _GRANT),
    (
        r"QUOTA_EXCEEDED|RESOURCE_LIMIT_EXCEEDED",
        ConfigurationError,
        "Raise the quota that Databricks names, or free what it counts.",
    ),
    (r"(TABLE_OR_VIEW|SCHEMA|CATALOG)_NOT_FOUND|NO_SUCH_CATALOG", ConfigurationError, _NAME),
    (
        r"CERTIFICATE_VERIFY_FAILED",
        ConfigurationError,
        "Name the file of the authority to trust in the connection's extra field '_tls_trusted_ca_file'.",
    ),
    (
        r"http_path should be provided|No valid connection settings",
        ConfigurationError,
        "Set the connection's host and its extra field 'http_path', as the SQL warehouse's connection details show them.",
    ),
)
"""Text of an error -> error and fix, where neither the SQLSTATE nor the status says enough. Inferred from what users of the
service report, not from a published list; only the last two and the names of what is not found were seen here."""

_CLIENT = frozenset(("databricks", "urllib3", "thrift", "requests", "ssl", "socket", "http"))
"""Packages whose errors reach a user of the connector or of the hook."""

_STATE = re.compile(r"SQLSTATE[:=]?\s*(\w{5})")
_DOWNLOAD = re.compile(r"HTTP (\d{3})\b")
_NAMES = r"(?:`[^`]+`|\w+)(?:\.(?:`[^`]+`|\w+))*"
_DENIED = re.compile(rf"(?:does not have|permission) (?:permission )?([A-Z][A-Z_ ]+?) on (\w+) (?:'([^']+)'|({_NAMES}))")
_SECRET = re.compile(r"(?<=\?)[^\s'\")]{8,}|\bdapi[0-9a-f]+|(?i:(?<=bearer )\S+)")


def map_error(error: Exception, table: Relation = ()) -> Exception:
    """Turn what the connector or the hook raised into an error of this package; anything else comes back as it is.

    :param table: the table that was read, for the text.
    """
    text = str(error)
    if not _known(error, text):
        return error
    place = f"Reading {named(table)} from Databricks" if table else "Connecting to Databricks"
    return map_answer(text, place, _status(error, text), table)


def map_answer(text: str, place: str, status: int | None = None, table: Relation = ()) -> ActivationError:
    """Turn what the service said into an error of this package.

    :param place: what was done, as the start of a sentence.
    :param status: the HTTP status, if it says something.
    """
    found = _STATE.search(text)
    state = found.group(1) if found else ""
    kind, fix = _problem(state, status, text)
    # A data exception quotes the value that it could not take, which belongs to a customer.
    detail = _condition(text) if state.startswith("22") else _short(text)
    problem = f"{place} failed{f' ({state})' if state else ''}{f': {detail}' if detail else '.'}"
    if kind is not ConfigurationError:
        return kind(problem)
    return ConfigurationError(problem, _grant(text, table) if fix is _GRANT else fix)


def grant(right: str, kind: str, name: str) -> str:
    """Say which right to give.

    :param kind: ``TABLE``, ``SCHEMA`` or ``CATALOG``.
    :param name: the object, quoted as SQL needs it.
    """
    return f"Let an owner run: GRANT {right} ON {kind} {name} TO `principal`; (the token's user or service principal)."


def _known(error: Exception, text: str) -> bool:
    if isinstance(error, OSError) or (type(error) is Exception and _DOWNLOAD.match(text)):
        return True  # a refused download is a plain Exception
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return bool(packages & _CLIENT) or ("airflow" in packages and "http_path" in text)


def _status(error: Any, text: str) -> int | None:
    """The HTTP status of the service itself; one of the store that holds the result files says nothing about the connection."""
    context = getattr(error, "context", None)
    return context.get("http-code") if isinstance(context, dict) and not _DOWNLOAD.match(text) else None


def _problem(state: str, status: int | None, text: str) -> _Problem:
    if type(text) is str and _DOWNLOAD.match(text):
        return TransientError, ""  # links last minutes; the next attempt gets new ones
    for pattern, kind, fix in TEXTS:
        if re.search(pattern, text, re.IGNORECASE):
            return kind, fix
    for size in (5, 2):
        if state[:size] in STATES:
            return STATES[state[:size]]
    return STATUSES.get(status or 0, (TransientError, ""))


def _condition(text: str) -> str:
    found = re.match(r"\[([A-Z0-9_.]+)\]", text)
    return found.group(1) if found else ""


def _short(text: str) -> str:
    """What is before the SQLSTATE, without the plan and the stack trace that may follow."""
    return _SECRET.sub("***", " ".join(_STATE.split(text)[0].split()))[:300].strip()


def _grant(text: str, table: Relation) -> str:
    found = _DENIED.search(" ".join(text.split()))
    if found:
        right, kind, name = found.group(1), found.group(2), found.group(3) or found.group(4)
        kind = "TABLE" if kind.upper() == "VIEW" else kind.upper()
        return grant(right, kind, _quoted(*name.replace("`", "").split(".")))
    if isinstance(table, Query) or not table:
        return "Give the token's user the right that the message names."
    return grant("SELECT", "TABLE", _quoted(*table))


def _quoted(*parts: str) -> str:
    return ".".join("`" + part.replace("`", "``") + "`" for part in parts)
