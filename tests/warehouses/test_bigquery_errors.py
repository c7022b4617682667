"""Errors of BigQuery by their reason, as its client raises them."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.auth import exceptions as auth
from google.cloud.bigquery.job.base import _error_result_to_exception

from activation.errors import ActivationError, ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Query
from activation.warehouses.bigquery_errors import map_error

TABLE = ("project-1", "crm", "users")
ACCOUNT = "reader@project-1.iam.gserviceaccount.com"


def of_job(reason: str, message: str = "it happened") -> ActivationError:
    """What a failed job's error becomes."""
    found = map_error(_error_result_to_exception({"reason": reason, "message": message}), TABLE, ACCOUNT)
    assert isinstance(found, ActivationError)
    return found


def of_answer(status: int, reason: str, message: str) -> ActivationError:
    """What the answer to a request becomes."""
    answer = requests.Response()
    answer.status_code = status
    body = {"error": {"code": status, "message": message, "errors": [{"reason": reason, "message": message, "domain": "global"}]}}
    answer._content = requests.compat.json.dumps(body).encode()
    answer.request = requests.Request("POST", "https://bigquery.googleapis.com/v2/projects/p/jobs").prepare()
    found = map_error(exceptions.from_http_response(answer), TABLE, ACCOUNT)
    assert isinstance(found, ActivationError)
    return found


@pytest.mark.parametrize(
    "reason",
    [
        "backendError",
        "internalError",
        "rateLimitExceeded",
        "tableUnavailable",
        "stopped",
        "timeout",
        "jobBackendError",
        "jobInternalError",
        "jobRateLimitExceeded",
        "resourceInUse",
        "what nobody knows",
    ],
)
def test_what_may_pass(reason: str) -> None:
    found = of_job(reason)
    assert isinstance(found, TransientError)
    assert str(found) == f"Reading project-1.crm.users from BigQuery failed ({reason}): it happened"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_answer_of_a_tired_service_may_pass(status: int) -> None:
    assert isinstance(of_answer(status, "backendError", "try again"), TransientError)
    assert isinstance(map_error(exceptions.from_http_status(status, "no JSON"), TABLE), TransientError)


@pytest.mark.parametrize(
    ("reason", "message", "said"),
    [
        ("notFound", "Not found: Table project-1:crm.users was not found in location EU", "extra field 'location'"),
        ("notFound", "Not found: Dataset project-1:crm was not found in location US", "extra field 'location'"),
        ("notFound", "Not found: Table project-1:crm.users", "Check the project, the dataset and the table"),
        ("quotaExceeded", "Custom quota exceeded: Your usage exceeded the custom quota for QueryUsagePerDay", "Quotas"),
        ("quotaExceeded", "Quota exceeded: Your project exceeded quota for free query bytes scanned", "Quotas"),
        ("billingNotEnabled", "Billing has not been enabled for this project", "Enable billing"),
        ("bytesBilledLimitExceeded", "Query exceeded limit for bytes billed: 1. 2 or higher required.", "maximumBytesBilled"),
        ("resourcesExceeded", "Resources exceeded during query execution: ORDER BY used too much memory", "Read less at once"),
        ("responseTooLarge", "Response too large to return", "Read less at once"),
        ("invalidQuery", "Unrecognized name: gone at [1:8]", "Check the column's name"),
        ("invalidQuery", "Cannot query over table 'crm.users' without a filter over column(s) 'day'", "require_partition_filter"),
        ("invalidQuery", "Syntax error: Unexpected end of script", "Correct the query"),
        ("accessDenied", "Access Denied: Request is prohibited by organization's policy. vpcServiceControls", "perimeter"),
        ("accessDenied", "VPC Service Controls: Request is prohibited by organization's policy", "perimeter"),
        ("accessDenied", "Access Denied: BigQuery BigQuery: Permission denied while getting Drive credentials.", "Drive"),
        ("policyViolation", "it happened", "perimeter"),
        ("blocked", "it happened", "blocked"),
        ("invalidUser", "it happened", "valid key"),
        ("billingTierLimitExceeded", "it happened", "billing tier"),
        ("invalid", "Cannot read and write in different locations: source: EU, destination: US", "'location'"),
    ],
)
def test_what_a_person_must_fix(reason: str, message: str, said: str) -> None:
    for found in (of_job(reason, message), of_answer(400, reason, message)):
        assert isinstance(found, ConfigurationError)
        assert said in found.fix
        assert f"({reason}): {message}" in found.problem


@pytest.mark.parametrize(
    ("message", "statement"),
    [
        (
            "Access Denied: Table project-1:crm.users: User does not have permission to query table project-1:crm.users, "
            "or perhaps it does not exist.",
            f'GRANT `roles/bigquery.dataViewer` ON SCHEMA `project-1`.`crm` TO "serviceAccount:{ACCOUNT}";',
        ),
        (
            "Access Denied: Table example.com:raw:base.users: User does not have permission to query table",
            f'GRANT `roles/bigquery.dataViewer` ON SCHEMA `example.com:raw`.`base` TO "serviceAccount:{ACCOUNT}";',
        ),
        (
            "Access Denied: Project project-1: User does not have bigquery.jobs.create permission in project project-1.",
            f"gcloud projects add-iam-policy-binding project-1 --member='serviceAccount:{ACCOUNT}' --role=roles/bigquery.jobUser",
        ),
        (
            "the user does not have 'bigquery.readsessions.create' permission for 'projects/project-1'",
            f"--member='serviceAccount:{ACCOUNT}' --role=roles/bigquery.readSessionUser",
        ),
    ],
)
def test_the_missing_right(message: str, statement: str) -> None:
    found = of_answer(403, "accessDenied", message)
    assert isinstance(found, ConfigurationError)
    assert found.fix.startswith("Let an owner run: ")
    assert statement in found.fix


def test_the_missing_right_of_a_query_or_of_an_unknown_account() -> None:
    error = exceptions.Forbidden("Access Denied")
    for table, account in ((Query("SELECT 1"), ACCOUNT), (TABLE, ""), (TABLE, "default"), ((), "")):
        found = map_error(error, table, account)
        assert isinstance(found, ConfigurationError)
        assert "GRANT `roles/bigquery.dataViewer` ON" in found.fix
        assert "default" not in found.fix


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (auth.RefreshError("invalid_grant: Invalid JWT Signature.", {"error": "hunter2"}), ConfigurationError, "Invalid JWT"),
        (auth.RefreshError("invalid_grant: Token has been expired or revoked.", {}), ConfigurationError, "expired"),
        (auth.RefreshError("invalid_grant: Invalid grant: account not found", {}), ConfigurationError, "account not found"),
        (auth.RefreshError("internal_failure", retryable=True), TransientError, "no answer"),
        (auth.DefaultCredentialsError("Your default credentials were not found."), ConfigurationError, "default credentials"),
        (auth.TransportError("timed out"), TransientError, "no answer"),
        (auth.TransportError("[SSL: CERTIFICATE_VERIFY_FAILED]"), ConfigurationError, "not trusted"),
        (exceptions.Unauthorized("Request had invalid authentication credentials."), ConfigurationError, "authError"),
        (requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED]"), ConfigurationError, "not trusted"),
        (requests.exceptions.ConnectionError("refused"), TransientError, "lost"),
        (requests.exceptions.ReadTimeout("slow"), TransientError, "lost"),
        (exceptions.RetryError("tried", cause=requests.exceptions.ConnectionError("x")), TransientError, "lost"),
        (exceptions.RetryError("tried", cause=None), TransientError, "tried"),
        (exceptions.Conflict("Already Exists: Job"), FatalError, "Already Exists"),
        (exceptions.ServiceUnavailable("Socket closed"), TransientError, "Socket closed"),
        (exceptions.ServiceUnavailable("Handshake failed: CERTIFICATE_VERIFY_FAILED"), ConfigurationError, "not trusted"),
        (exceptions.Cancelled("Channel closed!"), TransientError, "Channel closed"),
        (exceptions.ResourceExhausted("Too many streams"), TransientError, "Too many"),
    ],
)
def test_connections_and_credentials(error: Exception, kind: type[ActivationError], said: str) -> None:
    found = map_error(error, TABLE)
    assert type(found) is kind
    assert said in str(found)
    assert "hunter2" not in str(found)
    if isinstance(found, ConfigurationError):
        assert found.fix


@pytest.mark.parametrize(
    "message",
    [
        "Bad double value: kim@example.com",
        "Bad int64 value: kim@example.com; while executing the filter",
        "Invalid date: 'kim@example.com'",
        "Invalid timestamp: 'kim@example.com'",
        "Could not cast literal 'kim': kim@example.com",
        'Failed to parse input string "kim": kim@example.com',
    ],
)
def test_a_value_of_a_customer_is_not_shown(message: str) -> None:
    assert "kim@example.com" not in str(of_job("invalidQuery", message))


def test_a_jobs_id_is_shown() -> None:
    class Job:
        job_id = "job-1"

    error: Any = exceptions.BadRequest("it happened")
    error.query_job = Job()
    assert "(job job-1)" in str(map_error(error, TABLE))


def test_what_is_not_the_clients_comes_back_as_it_is() -> None:
    error = ValueError("mine")
    assert map_error(error) is error
