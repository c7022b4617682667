"""What Redshift, its two drivers and AWS raise, sorted by what recovers from it."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any

from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses import postgres_errors as postgres
from activation.warehouses.base import Query, Relation, named

_NAME = (
    "Check the name as Redshift shows it, its schema, and the connection's database. A name in mixed case needs "
    "enable_case_sensitive_identifier on for the login, as it was when the table was made."
)
_LOGIN = (
    "Correct the login or the password of the connection; with IAM, the AWS connection and the cluster or workgroup it names."
)
_AWS = "Correct the AWS connection that the hook takes temporary credentials from, and what its role may do."
_CURSOR = "Read a shorter window at once, or fewer and narrower columns; the limit belongs to the cluster's node type and size."
_ROLE = "Let the IAM role of the external schema read the bucket, the catalogue and the key."

_NODE = "Enter the name that the server's certificate is for as the host, or set the extra field sslmode to verify-ca."
_AUTHORITY = "Let the worker trust the server's authority: name the file of its certificate in SSL_CERT_FILE."
_TLS = "Take the extra field ssl from the connection, or set it as the server wants it."
_RULE = "A rule of the cluster or workgroup stopped the statement: raise its limit, or give the login a queue without it."
_LEADER = "Let the view call no function that exists on the leader node only."
_SHARE = "Ask the producer of the datashare to share it again."
_CLUSTER = "Correct the extra field cluster_identifier or serverless_work_group, or the region of the AWS connection."

PROBLEMS: dict[str, tuple[type[ActivationError], str]] = {
    **postgres.PROBLEMS,
    "28": (ConfigurationError, _LOGIN),
    "3F": (ConfigurationError, _NAME),
    "42703": (ConfigurationError, "Check the column's name as Redshift shows it, and the columns of the table or the view."),
    "42P01": (ConfigurationError, _NAME),
}
"""As :data:`activation.warehouses.postgres_errors.PROBLEMS`; only the advice is Redshift's."""

INFERRED: tuple[tuple[str, type[ActivationError], str], ...] = (
    (r"does not match host name|doesn't match", ConfigurationError, _NODE),
    (r"certificate verify failed|CERTIFICATE_VERIFY_FAILED", ConfigurationError, _AUTHORITY),
    (r"does not support SSL|[Ss]erver refuses SSL|SSL off", ConfigurationError, _TLS),
    (r"password (for user .*)?(has )?expired|account is locked", ConfigurationError, _LOGIN),
    (r"\b1023\b|[Ss]erializable isolation violation", TransientError, ""),
    (r"\b1016\b|[Dd]isk [Ff]ull", TransientError, ""),  # the temporary space of other queries comes back
    (r"could not open relation|[Ii]nvalid snapshot identifier", TransientError, ""),  # the table was swapped below the query
    (r"maximum size allowed for the total set of cursor data", ConfigurationError, _CURSOR),
    (r"[Qq]uery [Mm]onitoring [Rr]ule|WLM abort|usage limit", ConfigurationError, _RULE),
    (r"cancell?ed (on|by) (user|system)|statement timeout", TransientError, ""),
    (r"S3ServiceException|Access ?Denied|assume role|Spectrum", ConfigurationError, _ROLE),
    (r"not supported on Redshift tables", ConfigurationError, _LEADER),
    (r"datashare .*(not|no longer)", ConfigurationError, _SHARE),
)
"""Pattern in a text of Redshift or a driver -> error and fix; the first match wins, before the SQLSTATE is looked at. Inferred
from AWS's documentation and from reports, not seen on a service, but for the first three, which are the drivers' own."""

_PASSING = (
    r"Throttl|TooManyRequests|RequestLimit|ServiceUnavailable|InternalFailure|InternalServer|RequestTimeout|Connect|Timeout"
)

AWS: tuple[tuple[str, type[ActivationError], str], ...] = (
    (_PASSING, TransientError, ""),
    (r"ClusterNotFound|ResourceNotFound|ParamValidation", ConfigurationError, _CLUSTER),
    (r"", ConfigurationError, _AWS),
)
"""Pattern in an AWS error code, or in the name of botocore's error, -> error and fix, for ``GetClusterCredentials`` and
``GetCredentials``; inferred from AWS's API reference."""

_SOCKET = (ConnectionError, TimeoutError, ssl.SSLError, socket.gaierror)
"""What redshift_connector lets through as it comes."""

_SERVER = re.compile(r"(?:ERROR|FATAL|PANIC):\s+([^\n]+)")
_FAILED = re.compile(r"(?:connection failed|failed): ([^\n]+)")


def map_error(error: Exception, table: Relation = (), user: str = "") -> Exception:
    """Turn what a driver or AWS raised into an error of this package; anything else comes back as it is.

    :param table: what was read, for the text.
    :param user: the database user of the connection, for the text.
    """
    family = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    if "botocore" in family:
        return _aws(error)
    if not family & {"redshift_connector", "psycopg"} and not isinstance(error, _SOCKET):
        return error
    state, primary, detail = (_from_libpq if "psycopg" in family else _from_fields)(error)
    said = f"{primary} {detail}".strip()
    kind, fix = _problem(state, said)
    place = f"Reading {named(table)} from Redshift" if table else "Connecting to Redshift"
    # A data exception quotes the value that it could not take, which belongs to a customer.
    shown = "" if state.startswith("22") else postgres.redacted(said)
    problem = f"{place} failed{f' ({state})' if state else ''}{f': {shown}' if shown else '.'}"
    if kind is not ConfigurationError:
        return kind(problem)
    return ConfigurationError(problem, postgres.missing_right(primary, _local(table), user) if state == "42501" else fix)


def _problem(state: str, said: str) -> tuple[type[ActivationError], str]:
    if state.startswith("22"):  # the text quotes data, which may hold any word
        return PROBLEMS["22"]
    inferred = next(((kind, fix) for pattern, kind, fix in INFERRED if re.search(pattern, said)), None)
    if inferred:
        return inferred
    return next((PROBLEMS[state[:size]] for size in (5, 2) if state[:size] in PROBLEMS), (TransientError, ""))


def _local(table: Relation) -> Relation:
    """A right is given inside of a database, so its name in front is left out."""
    return table if isinstance(table, Query) else table[-2:]


def _from_fields(error: Exception) -> tuple[str, str, str]:
    """redshift_connector hands over the fields of the server's message, or a text and the system's error."""
    first = error.args[0] if error.args else ""
    if isinstance(first, dict):
        return str(first.get("C", "")), _line(first.get("M", "")), _line(first.get("D", ""))
    return "", " ".join(dict.fromkeys(_line(part) for part in error.args if part)) or type(error).__name__, ""


def _from_libpq(error: Any) -> tuple[str, str, str]:
    """psycopg has the fields of the server's message, but none while it connects."""
    said = error.diag.message_primary
    if said:
        return str(error.sqlstate or ""), _line(said), _line(error.diag.message_detail or "")
    text = str(error)
    found = _SERVER.findall(text) or _FAILED.findall(text)
    return postgres.refusal(text), found[-1].strip() if found else "the connection was lost", ""


def _line(value: object) -> str:
    return str(value).strip().replace("\n", " ")


def _aws(error: Any) -> Exception:
    answer = getattr(error, "response", {}).get("Error", {})
    code = str(answer.get("Code") or type(error).__name__)
    kind, fix = next((kind, fix) for pattern, kind, fix in AWS if re.search(pattern, code))
    problem = f"AWS gave no temporary credentials for Redshift: {code}."
    return ConfigurationError(problem, fix) if kind is ConfigurationError else kind(problem)
