"""Every error of Snowflake's catalogue says what to do, with the connector's own exception classes."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest
import requests
from snowflake.connector import errors

from activation.errors import ConfigurationError, FatalError, TransientError
from activation.warehouses.base import Query
from activation.warehouses.snowflake_errors import PROBLEMS, map_error

TABLE = ("ANALYTICS", "USERS")
CONNECTION = SimpleNamespace(user="LOADER", role="READER", warehouse="WH", database="DB", schema="PUBLIC")

FIXES = (
    (errors.ProgrammingError, 2003, "02000", "Object 'X' does not exist or not authorized.", "GRANT SELECT ON TABLE"),
    (errors.ProgrammingError, 3001, "42501", "Insufficient privileges to operate on table 'X'", "GRANT SELECT ON TABLE"),
    (errors.ProgrammingError, 606, "57P03", "No active warehouse selected.", 'GRANT USAGE ON WAREHOUSE "WH" TO ROLE "READER";'),
    (errors.ProgrammingError, 90073, "", "Warehouse 'WH' cannot be resumed because resource monitor 'M' has ...", "quota"),
    (errors.ProgrammingError, 904, "42000", "invalid identifier 'X'", "column's name"),
    (errors.ProgrammingError, 1003, "42000", "syntax error", "Correct the view or the query"),
    (errors.ProgrammingError, 90105, "22000", "This session does not have a current database.", "'database'"),
    (errors.DatabaseError, 390100, "08001", "Incorrect username or password was specified.", "login and the password"),
    (errors.DatabaseError, 250001, "08001", "Incorrect username or password was specified.", "login and the password"),
    (errors.DatabaseError, 390144, "28000", "JWT token is invalid.", "RSA_PUBLIC_KEY"),
    (errors.DatabaseError, 390101, "08001", "User access disabled.", "DISABLED = FALSE"),
    (errors.DatabaseError, 390189, "08001", "Role 'R' is not granted to this user.", 'GRANT ROLE "READER" TO USER "LOADER";'),
    (errors.DatabaseError, 390318, "08001", "OAuth access token expired.", "Renew the token"),
    (errors.DatabaseError, 250001, "08001", "IP 1.2.3.4 is not allowed to access Snowflake.", "network policy"),
    (errors.DatabaseError, 390422, "08001", "IP 1.2.3.4 is not allowed to access Snowflake.", "network policy"),
    (errors.OperationalError, 250003, "", "Hit non-retryable SSL error, certificate verify failed", "REQUESTS_CA_BUNDLE"),
    (errors.ProgrammingError, 251008, "", "Private key is wrong", "private key"),
)


@pytest.mark.parametrize(("kind", "number", "state", "text", "fix"), FIXES)
def test_a_configuration_error_names_its_remedy(kind: type[Exception], number: int, state: str, text: str, fix: str) -> None:
    error = map_error(kind(msg=text, errno=number, sqlstate=state), TABLE, CONNECTION)  # type: ignore[call-arg]
    assert isinstance(error, ConfigurationError)
    assert fix in error.fix
    assert f"{number:06d}" in error.problem
    assert "ANALYTICS.USERS" in error.problem
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


@pytest.mark.parametrize("number", [604, 630, 603, 390112, 390114, 250002, 250003, 251011, 290503, 290429, 999_999])
def test_what_may_pass_is_transient(number: int) -> None:
    assert isinstance(map_error(errors.OperationalError(msg="gone", errno=number), TABLE), TransientError)


def test_a_missing_right_is_given_with_its_statements() -> None:
    error = map_error(errors.ProgrammingError(msg="no", errno=3001, sqlstate="42501"), TABLE, CONNECTION)
    assert isinstance(error, ConfigurationError)
    for right in (
        'GRANT USAGE ON DATABASE "DB" TO ROLE "READER";',
        'GRANT USAGE ON SCHEMA "DB"."ANALYTICS" TO ROLE "READER";',
        'GRANT SELECT ON TABLE "DB"."ANALYTICS"."USERS" TO ROLE "READER";',
    ):
        assert right in error.fix
    assert "USAGE" in str(map_error(errors.ProgrammingError(msg="no", errno=3001), Query("SELECT 1"), CONNECTION))


@pytest.mark.parametrize("number", [100_035, 100_038])
def test_a_value_of_a_customer_is_not_shown(number: int) -> None:
    error = map_error(errors.ProgrammingError(msg="Numeric value 'a@example.com'", errno=number, sqlstate="22018"), TABLE)
    assert isinstance(error, ConfigurationError)
    assert "example.com" not in str(error)


def test_no_secret_is_shown() -> None:
    error = map_error(errors.DatabaseError(msg="failed with password=hunter2 and token: abc", errno=250_001))
    assert "hunter2" not in str(error)
    assert "abc" not in str(error)


def test_what_the_hook_refuses_is_a_configuration_error() -> None:
    assert isinstance(map_error(ValueError("The private_key_file path points to an empty or invalid file.")), ConfigurationError)
    error = ValueError("a bug")
    assert map_error(error, TABLE) is error


def test_what_a_download_raises() -> None:
    assert isinstance(map_error(requests.ConnectionError("reset"), TABLE), TransientError)
    broken = requests.HTTPError("400", response=SimpleNamespace(status_code=400))  # type: ignore[arg-type]
    assert isinstance(map_error(broken), ConfigurationError)
    assert isinstance(map_error(errors.InternalError(msg="?", errno=-1), TABLE), (TransientError, FatalError))


def test_the_table_has_no_empty_remedy() -> None:
    assert all(fix for kind, fix in PROBLEMS.values() if kind is ConfigurationError)
