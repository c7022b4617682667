"""Errors of Redshift, its drivers and AWS, for what the stand-in cannot raise; with the drivers' own classes."""

from __future__ import annotations

import psycopg
import pytest
import redshift_connector
from botocore.exceptions import ClientError, NoCredentialsError

from activation.errors import ConfigurationError, TransientError
from activation.warehouses import explain
from activation.warehouses.redshift_errors import map_error


def by_row_driver(state: str, text: str, detail: str = "") -> Exception:
    """As redshift_connector raises it."""
    return redshift_connector.ProgrammingError({"S": "ERROR", "C": state, "M": text, "D": detail})


class Diagnostic:
    """The fields of a server's message, as libpq gives them."""

    def __init__(self, text: str, detail: str) -> None:
        self.message_primary, self.message_detail = text, detail


def by_psycopg(state: str, text: str, detail: str = "") -> Exception:
    """As psycopg raises it, whose fields come from a result of libpq."""
    kind = type("Raised", (psycopg.errors.lookup(state),), {"diag": Diagnostic(text, detail)})
    raised: Exception = kind(f"{text}\nLINE 1: SELECT 'kim@example.com'")
    return raised


drivers = pytest.mark.parametrize("raised", [by_row_driver, by_psycopg])


@drivers
@pytest.mark.parametrize(
    ("state", "text", "detail"),
    [
        ("XX000", "1023", "Serializable isolation violation on table - 108018, transactions forming the cycle are: 1, 2"),
        ("53100", "Disk Full", "error:  Disk Full code: 1016"),
        ("XX000", "could not open relation with OID 108018", ""),
        ("XX000", "Invalid snapshot identifier", ""),
        ("57014", "Query (17) cancelled on user's request", ""),
        ("57014", "Query (17) cancelled on system's request", ""),
        ("53300", 'connection limit "500" exceeded for non-bootstrap users', ""),
        ("57P01", "terminating connection due to administrator command", ""),
        ("08006", "connection lost", ""),
        ("XX000", "Assert", "error: Assert code: 1000"),
    ],
)
def test_what_may_pass(raised: type[Exception], state: str, text: str, detail: str) -> None:
    found = map_error(raised(state, text, detail), ("s", "t"))
    assert isinstance(found, TransientError)
    assert str(found) == f"Reading s.t from Redshift failed ({state}): {text}{f' {detail}' if detail else ''}"


@drivers
@pytest.mark.parametrize(
    ("state", "text", "advice"),
    [
        ("42P01", 'relation "s.t" does not exist', "enable_case_sensitive_identifier"),
        ("42703", "column gone does not exist in src", "column's name"),
        ("3F000", 'schema "s" does not exist', "its schema"),
        ("0A000", "cross-database reference to database d is not supported", "Correct the view"),
        ("XX000", "exceeded the maximum size allowed for the total set of cursor data: 8000MB.", "shorter window"),
        ("XX000", "Query (17) cancelled by WLM abort action of Query Monitoring Rule", "queue"),
        ("XX000", "Query reached usage limit", "limit"),
        ("XX000", "S3ServiceException:Access Denied,Status 403", "IAM role"),
        ("0A000", "Specified types or functions not supported on Redshift tables.", "leader node"),
        ("28000", "password for user reader has expired", "password"),
        ("28000", 'role "reader" is not permitted to log in', "login"),
        ("22P02", "invalid input syntax for integer: kim@example.com cancelled on user's request", "data"),
        ("25006", "transaction is read-only", "writes"),
    ],
)
def test_what_a_person_must_fix(raised: type[Exception], state: str, text: str, advice: str) -> None:
    found = map_error(raised(state, text), ("s", "t"), "reader")
    assert isinstance(found, ConfigurationError)
    assert f"({state})" in found.problem
    assert advice in found.fix
    assert "kim@example.com" not in str(found)


@drivers
@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("permission denied for relation t", 'GRANT SELECT ON "s"."t" TO "reader";'),
        ("permission denied for relation below", 'GRANT SELECT ON "below" TO "reader";'),
        ("permission denied for schema s", 'GRANT USAGE ON SCHEMA "s" TO "reader";'),
    ],
)
def test_the_missing_right(raised: type[Exception], text: str, fix: str) -> None:
    found = map_error(raised("42501", text), ("dev", "s", "t"), "reader")
    assert isinstance(found, ConfigurationError)
    assert found.fix == f"Let an owner run: {fix}"


def test_a_lost_connection_says_so() -> None:
    found = map_error(psycopg.OperationalError("consuming input failed: server closed the connection unexpectedly"), ("t",))
    assert isinstance(found, TransientError)
    assert str(found) == "Reading t from Redshift failed: server closed the connection unexpectedly"
    assert str(map_error(psycopg.OperationalError("the connection is closed"))).endswith("the connection was lost")


def test_what_the_row_driver_says_without_fields() -> None:
    lost = redshift_connector.InterfaceError("communication error", ConnectionResetError(104, "Connection reset by peer"))
    found = map_error(lost)
    assert isinstance(found, TransientError)
    assert str(found) == "Connecting to Redshift failed: communication error [Errno 104] Connection reset by peer"
    assert isinstance(map_error(redshift_connector.OperationalError("connection time out")), TransientError)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottlingException", TransientError),
        ("InternalServerException", TransientError),
        ("ClusterNotFound", ConfigurationError),
        ("ResourceNotFoundException", ConfigurationError),
        ("ExpiredToken", ConfigurationError),
        ("AccessDenied", ConfigurationError),
    ],
)
def test_aws_gives_no_credentials(code: str, kind: type[Exception]) -> None:
    found = explain("redshift", ClientError({"Error": {"Code": code, "Message": "secret"}}, "GetClusterCredentials"))
    assert type(found) is kind
    assert code in str(found)
    assert "secret" not in str(found)
    assert "AWS connection" in str(explain("redshift", NoCredentialsError()))


def test_what_is_not_the_drivers_comes_back_as_it_is() -> None:
    error = ValueError("mine")
    assert explain("redshift", error) is error
