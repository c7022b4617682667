"""What BigQuery and its client raise, sorted by what recovers from it."""

from __future__ import annotations

import re
from typing import Any

import requests
from google.api_core import exceptions
from google.auth import exceptions as auth

from activation.errors import ActivationError, ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Query, Relation, named

ERRORS = (exceptions.GoogleAPIError, auth.GoogleAuthError, requests.RequestException)
"""What a call of the client raises."""

_NAME = "Check the project, the dataset and the table as BigQuery shows them: upper and lower case count."
_CREDENTIAL = (
    "Put a valid key into the connection (Keyfile JSON, Keyfile Path or a secret's name); keys of a service account can be "
    "deleted, disabled or expired, and this machine's clock must be right."
)
_QUERY = "Correct the query, the view, or the data that it computes with."
_TRUST = (
    "Let REQUESTS_CA_BUNDLE and GRPC_DEFAULT_SSL_ROOTS_FILE_PATH name a file with the authority that signed the certificate; for "
    "the Storage Read API the connection's extra field 'storage_ca_file' does it too."
)

PROBLEMS: tuple[tuple[str, str, type[ActivationError], str], ...] = (
    ("notFound", "in location", ConfigurationError, "Set the connection's extra field 'location' to where the dataset is."),
    ("notFound", "", ConfigurationError, _NAME),
    ("accessDenied", "VPC Service Controls|organization's policy", ConfigurationError, "perimeter"),
    ("accessDenied", "jobs.create", ConfigurationError, "jobUser"),
    ("accessDenied", "readsessions", ConfigurationError, "readSessionUser"),
    ("accessDenied", "has not been used in project|is disabled", ConfigurationError, "Let an owner enable the BigQuery API."),
    ("accessDenied", "Drive credentials", ConfigurationError, "Add the scope of Google Drive to the connection's 'Scopes'."),
    ("accessDenied", "", ConfigurationError, "dataViewer"),
    ("policyViolation", "", ConfigurationError, "perimeter"),
    (
        "quotaExceeded",
        "",
        ConfigurationError,
        "Raise the quota that BigQuery names under IAM & Admin › Quotas, or wait: a day's begins anew at midnight Pacific time.",
    ),
    ("blocked", "", ConfigurationError, "Ask Google why: the project or this operation is blocked."),
    ("billingNotEnabled", "", ConfigurationError, "Enable billing for the project."),
    ("billingTierLimitExceeded", "", ConfigurationError, "Raise the project's billing tier, or read less at once."),
    (
        "bytesBilledLimitExceeded",
        "",
        ConfigurationError,
        "Raise maximumBytesBilled in the connection's extra field 'api_resource_configs', or partition the table by the cursor.",
    ),
    ("invalidUser", "", ConfigurationError, _CREDENTIAL),
    ("authError", "", ConfigurationError, _CREDENTIAL),
    ("required", "Login Required|authentication credential", ConfigurationError, _CREDENTIAL),
    (
        "resourcesExceeded",
        "",
        ConfigurationError,
        "Read less at once: the rows of a window are sorted whole. Start later, leave out wide columns, or cluster the table.",
    ),
    ("responseTooLarge", "", ConfigurationError, "Read less at once: start later, or leave out wide columns."),
    ("invalidQuery", "Unrecognized name|Name .* not found inside", ConfigurationError, "Check the column's name."),
    (
        "invalidQuery",
        "without a filter over column",
        ConfigurationError,
        "Turn off require_partition_filter for the table, or read a query that has the filter.",
    ),
    ("invalidQuery", "", ConfigurationError, _QUERY),
    ("invalid", "in location|location", ConfigurationError, "Set the connection's extra field 'location'."),
    ("invalid", "", ConfigurationError, _QUERY),
    ("notImplemented", "", ConfigurationError, _QUERY),
    ("duplicate", "", FatalError, ""),
)
"""Reason, pattern in the text, error and fix or what :func:`_remedy` knows more of; the first match wins. Reasons as BigQuery's
page "Error messages" lists them; texts and ``bytesBilledLimitExceeded`` as the service has been seen to write them. A reason that
is not here may pass: backendError, internalError, rateLimitExceeded, tableUnavailable, stopped (cancelled or timed out),
timeout, job*Error."""

_BY_STATUS = {400: "invalid", 401: "authError", 403: "accessDenied", 404: "notFound", 409: "duplicate", 501: "notImplemented"}
"""HTTP status -> reason, where there is only the status, as over gRPC."""

_QUOTING = re.compile(
    r"^(Bad \w+ value|Invalid [\w ]+|Could not (?:cast|convert|parse)[^:]*|Failed to parse[^:]*|Error in [^:]*): .*"
)
"""Texts that quote the value that did not fit, which belongs to a customer; the value is left out."""


_PLACE = re.compile(r"(?:Table|View|Dataset) (\S+):(\w+)")
_PROJECT = re.compile(r"(?:in project |projects/)([\w.:-]*\w)")


def map_error(error: Exception, table: Relation = (), account: str = "") -> Exception:
    """Turn what the client raised into an error of this package; anything else comes back as it is.

    :param table: the table that was read, for the text.
    :param account: the service account of the connection, for the text.
    """
    if isinstance(error, exceptions.RetryError) and isinstance(error.cause, Exception):
        error = error.cause  # what was tried again until patience ended
    place = f"Reading {named(table)} from BigQuery" if table else "Connecting to BigQuery"
    if "CERTIFICATE_VERIFY_FAILED" in str(error) and isinstance(error, ERRORS):
        return ConfigurationError(f"{place} failed: the server's certificate is not trusted.", _TRUST)
    if isinstance(error, auth.GoogleAuthError):
        return _credential(error, place)
    if isinstance(error, requests.RequestException):
        return TransientError(f"{place} failed: the connection was lost ({type(error).__name__}).")
    return _answer(error, place, table, account) if isinstance(error, exceptions.GoogleAPIError) else error


def _answer(error: exceptions.GoogleAPIError, place: str, table: Relation, account: str) -> ActivationError:
    reason, text = _reason(error), _text(error)
    kind, fix = _problem(reason, text)
    problem = f"{place} failed ({reason}): {text}{_job(error)}"
    return ConfigurationError(problem, _remedy(fix, text, table, account)) if kind is ConfigurationError else kind(problem)


def _problem(reason: str, text: str) -> tuple[type[ActivationError], str]:
    for known, pattern, kind, fix in PROBLEMS:
        if reason == known and re.search(pattern, text):
            return kind, fix
    return TransientError, ""


def _reason(error: Any) -> str:
    for detail in getattr(error, "errors", None) or ():
        if isinstance(detail, dict) and detail.get("reason"):
            return str(detail["reason"])
    status = getattr(error, "code", None)
    if status is not None and int(status) in _BY_STATUS:
        return _BY_STATUS[int(status)]
    return type(error).__name__


def _text(error: Any) -> str:
    details = [one for one in getattr(error, "errors", None) or () if isinstance(one, dict)]
    text = details[0].get("message") if details else getattr(error, "message", None)
    lines = [line.strip() for line in str(text or error).splitlines() if line.strip()]
    return _QUOTING.sub(r"\1", lines[0] if lines else type(error).__name__)[:500]


def _job(error: Any) -> str:
    job = getattr(error, "query_job", None)
    return f" (job {job.job_id})" if job is not None else ""


def _remedy(fix: str, text: str, table: Relation, account: str) -> str:
    """Write the fix; for a missing role, the statement that gives it."""
    who = f"serviceAccount:{account}" if account and account != "default" else "the connection's account"
    if fix == "perimeter":
        return f"Let an administrator admit {who} and this machine's address to the project's service perimeter."
    if fix in ("jobUser", "readSessionUser"):
        found = _PROJECT.search(text)
        project = found.group(1) if found else "PROJECT"
        return f"Let an owner run: gcloud projects add-iam-policy-binding {project} --member='{who}' --role=roles/bigquery.{fix}"
    if fix == "dataViewer":
        # The text names what is below a view.
        found = _PLACE.search(text)
        parts = found.groups() if found else () if isinstance(table, Query) else table[:-1]
        dataset = ".".join(f"`{part}`" for part in parts) or "PROJECT.DATASET"
        return f'Let an owner run: GRANT `roles/bigquery.dataViewer` ON SCHEMA {dataset} TO "{who}";'
    return fix


def _credential(error: auth.GoogleAuthError, place: str) -> ActivationError:
    if isinstance(error, auth.TransportError) or getattr(error, "retryable", False):
        return TransientError(f"{place} failed: no answer to the request for an access token.")
    # The second argument is the whole answer of the token endpoint.
    text = str(error.args[0] if error.args else type(error).__name__).splitlines()[0][:300]
    return ConfigurationError(f"{place} failed: {text}", _CREDENTIAL)
