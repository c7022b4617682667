"""Errors of Databricks by SQLSTATE, HTTP status and text, as the connector's own classes bring them."""

from __future__ import annotations

from typing import Any

import pytest
import urllib3
from databricks.sql import exc

from activation.errors import ConfigurationError, TransientError
from activation.warehouses import explain
from activation.warehouses.base import Query
from activation.warehouses.databricks_errors import map_error

TABLE = ("main", "crm", "users")


def refused(status: int, said: str = "it happened") -> exc.RequestError:
    """What the connector makes of an HTTP status."""
    return exc.RequestError(f"Error during request to server: {said}. None", {"http-code": status, "error-message": said})


def failed(text: str) -> exc.ServerOperationError:
    """What the connector makes of a statement that failed."""
    return exc.ServerOperationError(text, {"operation-id": "ab", "diagnostic-info": "org.apache.spark.SparkException\n\tat x"})


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_statuses_that_may_pass(status: int) -> None:
    found = map_error(refused(status), TABLE)
    assert type(found) is TransientError
    assert str(found) == "Reading main.crm.users from Databricks failed: Error during request to server: it happened. None"


@pytest.mark.parametrize(
    ("status", "said", "fix"),
    [
        (403, "Invalid access token.", "token"),
        (401, "Credential was not sent or was of an unsupported type for this API.", "token"),
        (403, "Source IP address: 192.0.2.7 is blocked by Databricks IP ACL for workspace: 42", "IP access list"),
        (403, "You do not have permission to use the SQL Warehouse.", "CAN USE"),
        (404, "ENDPOINT_NOT_FOUND: SQL warehouse ab does not exist at all", "http_path"),
        (400, "The SQL warehouse ab is stopped and cannot be started", "Start the SQL warehouse"),
        (400, "Bad request", "http_path"),
    ],
)
def test_statuses_that_a_person_must_fix(status: int, said: str, fix: str) -> None:
    found = explain("databricks", refused(status, said))
    assert isinstance(found, ConfigurationError)
    assert said in found.problem
    assert fix in found.fix


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("[TABLE_OR_VIEW_NOT_FOUND] The table or view `users` cannot be found. SQLSTATE: 42P01", "Check the name"),
        ("[SCHEMA_NOT_FOUND] The schema `crm` cannot be found. SQLSTATE: 42704", "Check the name"),
        ("[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column `x` cannot be resolved. SQLSTATE: 42703", "column's name"),
        ("[PARSE_SYNTAX_ERROR] Syntax error at or near 'x'. SQLSTATE: 42601", "view or the query"),
        ("[UNSUPPORTED_FEATURE.X] Not that. SQLSTATE: 0A000", "view or the query"),
        ("The SQL warehouse wh is stopped", "Start the SQL warehouse"),
        ("java.nio.file.AccessDeniedException: s3a://b/k: Status Code: 403; Error Code: 403 Forbidden", "storage credential"),
        ("[QUOTA_EXCEEDED] Too many. SQLSTATE: 54000", "quota"),
    ],
)  # fmt: skip
def test_statements_that_a_person_must_fix(text: str, fix: str) -> None:
    found = map_error(failed(text), TABLE)
    assert isinstance(found, ConfigurationError)
    assert found.problem.startswith("Reading main.crm.users from Databricks failed")
    assert fix in found.fix


@pytest.mark.parametrize(
    "text",
    [
        "Statement exceeded its timeout SQLSTATE: 57014",
        "[DELTA_CONCURRENT_APPEND] Try again. SQLSTATE: 2D521",
        "[INTERNAL_ERROR] Broken. SQLSTATE: XX000",
        "requirement failed: Session handle ab has not been initialized or had already closed",
        "no SQLSTATE at all",
    ],
)
def test_statements_that_may_pass(text: str) -> None:
    assert type(map_error(failed(text), TABLE)) is TransientError


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        (
            "[INSUFFICIENT_PERMISSIONS] Denied:\nUser does not have SELECT on Table 'main.crm.users'. SQLSTATE: 42501",
            "GRANT SELECT ON TABLE `main`.`crm`.`users` TO `principal`;",
        ),
        (
            "[INSUFFICIENT_PERMISSIONS] Denied:\nUser does not have USE SCHEMA on Schema 'main.crm'. SQLSTATE: 42501",
            "GRANT USE SCHEMA ON SCHEMA `main`.`crm` TO `principal`;",
        ),
        (
            "PERMISSION_DENIED: User does not have USE CATALOG on Catalog 'main'.",
            "GRANT USE CATALOG ON CATALOG `main` TO `principal`;",
        ),
        (
            "[INSUFFICIENT_PERMISSIONS] User does not have permission SELECT on table `crm`.`users`. SQLSTATE: 42501",
            "GRANT SELECT ON TABLE `crm`.`users` TO `principal`;",
        ),
        (
            "PERMISSION_DENIED: User does not have SELECT on View 'main.crm.below'.",
            "GRANT SELECT ON TABLE `main`.`crm`.`below` TO `principal`;",
        ),
        ("[INSUFFICIENT_PERMISSIONS] Not you. SQLSTATE: 42501", "GRANT SELECT ON TABLE `main`.`crm`.`users` TO `principal`;"),
    ],
)  # fmt: skip
def test_the_missing_right_names_the_statement_that_gives_it(text: str, fix: str) -> None:
    found = map_error(failed(text), TABLE)
    assert isinstance(found, ConfigurationError)
    assert fix in found.fix
    assert isinstance(map_error(failed("PERMISSION_DENIED: no"), Query("SELECT 1")), ConfigurationError)


def test_a_value_that_does_not_fit_is_not_shown() -> None:
    text = "[CAST_INVALID_INPUT] The value 'kim@example.com' of the type \"STRING\" cannot be cast. SQLSTATE: 22018\n== SQL =="
    found = map_error(failed(text), TABLE)
    assert isinstance(found, ConfigurationError)
    assert found.problem == "Reading main.crm.users from Databricks failed (22018): CAST_INVALID_INPUT"


def test_the_plan_behind_a_message_is_not_shown() -> None:
    text = "[UNRESOLVED_COLUMN] A column `x` cannot be resolved. SQLSTATE: 42703; line 1 pos 7;\n'Project ['x]\n+- Relation"
    problem = getattr(map_error(failed(text), TABLE), "problem", "")
    assert problem.endswith("(42703): [UNRESOLVED_COLUMN] A column `x` cannot be resolved.")


@pytest.mark.parametrize(
    "error",
    [
        exc.RequestError("GET https://store.example/part?X-Amz-Signature=hunter2hunter2 failed", {}),
        exc.OperationalError("token dapi0123456789abcdef is odd"),
        exc.OperationalError("Authorization: Bearer hunter2"),
        urllib3.exceptions.HTTPError("url: /x?sig=hunter2hunter2 (Caused by reset)"),
    ],
)
def test_secrets_are_hidden(error: Exception) -> None:
    found = str(map_error(error, TABLE))
    assert "hunter2" not in found
    assert "dapi0" not in found
    assert "***" in found


@pytest.mark.parametrize(
    "error",
    [
        Exception("HTTP 403: <Error><Code>AccessDenied</Code></Error>"),
        Exception("HTTP 503: slow down"),
        exc.Error("CloudFetch link has expired"),
        exc.InterfaceError("Attempting operation on closed cursor"),
        exc.OperationalError("get_execution_result failed with Operation status CommandState.FAILED"),
        urllib3.exceptions.ProtocolError("Connection aborted."),
        ConnectionResetError(104, "Connection reset by peer"),
    ],
)
def test_lost_answers_and_links_may_pass(error: Exception) -> None:
    assert type(map_error(error, TABLE)) is TransientError


def test_an_authority_that_is_not_trusted_is_named() -> None:
    error = urllib3.exceptions.HTTPError("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate'))")
    found = explain("databricks", error)
    assert isinstance(found, ConfigurationError)
    assert "_tls_trusted_ca_file" in found.fix


@pytest.mark.parametrize("error", [ValueError("mine"), Exception("mine"), TransientError("ours")])
def test_what_is_not_the_connectors_comes_back_as_it_is(error: Any) -> None:
    assert explain("databricks", error) is error
