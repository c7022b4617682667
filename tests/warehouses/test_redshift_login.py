"""How the hook logs in: which driver it is, and temporary credentials from AWS through the unchanged hook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from airflow.providers.amazon.aws.hooks.redshift_sql import RedshiftSQLHook

from activation.errors import ConfigurationError
from activation.hooks.connections import open_source
from activation.hooks.redshift import libpq_settings
from activation.warehouses.redshift import RedshiftWarehouse
from activation.warehouses.redshift_psycopg import PsycopgClient
from sandbox.warehouses.postgres import PASSWORD
from sandbox.warehouses.redshift import RedshiftSandbox
from tests.contracts.sources import EVERYTHING, reading

ROLE = "IAM:reader"
CONN_ID = "redshift_login"


class Credentials(HTTPServer):
    """Answers GetClusterCredentials (query protocol) and the serverless GetCredentials (JSON) as their references show."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[dict[str, Any]] = []
        self.refuse = ""


class _Answer(BaseHTTPRequestHandler):
    server: Credentials

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "X-Amz-Target" in self.headers:
            self.server.asked.append(json.loads(body))
            answer = json.dumps({"dbUser": ROLE, "dbPassword": PASSWORD, "expiration": 4102444800})
        else:
            self.server.asked.append({name: values[0] for name, values in parse_qs(body).items()})
            answer = (
                '<GetClusterCredentialsResponse xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><GetClusterCredentialsResult>'
                f"<DbUser>{ROLE}</DbUser><DbPassword>{PASSWORD}</DbPassword><Expiration>2099-12-31T00:00:00Z</Expiration>"
                "</GetClusterCredentialsResult></GetClusterCredentialsResponse>"
            )
        if self.server.refuse:
            answer = f"<ErrorResponse><Error><Code>{self.server.refuse}</Code><Message>no</Message></Error></ErrorResponse>"
        self.send_response(400 if self.server.refuse else 200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RedshiftSandbox]:
    """The server, with a user as AWS names temporary ones."""
    with RedshiftSandbox() as one, pytest.MonkeyPatch.context() as patch:
        for name, value in one.environment().items():
            patch.setenv(name, value)
        one.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{PASSWORD}'; CREATE TABLE t AS SELECT 1 AS id, now() AS u")
        one.execute(f'GRANT SELECT ON t TO "{ROLE}"')
        yield one


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Credentials]:
    """The two services, behind the hook's usual AWS connection."""
    with Credentials() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        extra = {"endpoint_url": f"http://127.0.0.1:{server.server_port}", "region_name": "eu-west-1"}
        fields = {"conn_type": "aws", "login": "AKIAEXAMPLE", "password": "aws-secret", "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(fields))
        yield server
        server.shutdown()
        thread.join()


def opened(sandbox: RedshiftSandbox, monkeypatch: pytest.MonkeyPatch, **extra: Any) -> RedshiftWarehouse:
    fields = json.loads(sandbox.airflow("reader", "", **extra))
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(fields))
    found = open_source("redshift", CONN_ID)
    assert isinstance(found, RedshiftWarehouse)
    return found


@pytest.mark.parametrize(
    ("extra", "asked"),
    [
        ({"cluster_identifier": "c1"}, {"ClusterIdentifier": "c1", "DbUser": "reader", "DbName": "dev", "AutoCreate": "false"}),
        ({"is_serverless": True, "serverless_work_group": "workgroup"}, {"workgroupName": "workgroup", "dbName": "dev"}),
    ],
    ids=["cluster", "serverless"],
)
def test_temporary_credentials_come_from_the_hook(
    sandbox: RedshiftSandbox, aws: Credentials, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], asked: dict[str, str]
) -> None:
    warehouse = opened(sandbox, monkeypatch, iam=True, **extra)
    try:
        assert isinstance(warehouse.client, PsycopgClient)
        assert warehouse.client.user == ROLE
        assert len(reading(warehouse, ("t",)).rows(EVERYTHING)) == 1
    finally:
        warehouse.close()
    assert len(aws.asked) == 1
    assert asked.items() <= aws.asked[0].items()


@pytest.mark.parametrize("code", ["ClusterNotFound", "AccessDenied", "ExpiredToken"])
def test_refused_credentials_say_what_to_correct(
    sandbox: RedshiftSandbox, aws: Credentials, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    aws.refuse = code
    with pytest.raises(ConfigurationError, match=code) as caught:
        opened(sandbox, monkeypatch, iam=True, cluster_identifier="c1")
    assert "AWS connection" in caught.value.fix


def test_what_the_hook_misses_is_said_in_its_words(sandbox: RedshiftSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="serverless_work_group"):
        opened(sandbox, monkeypatch, iam=True, is_serverless=True)


def settings(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> dict[str, Any] | None:
    fields = {"conn_type": "redshift", "host": "h", "schema": "dev", "login": "me", "password": "pw", "extra": extra}
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(fields))
    hook = RedshiftSQLHook(redshift_conn_id=CONN_ID)
    return libpq_settings(hook, hook.conn.extra_dejson)


def test_the_connection_is_told_to_libpq(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = {"host": "h", "port": 5439, "dbname": "dev", "user": "me", "password": "pw", "sslmode": "verify-full"}
    assert settings(monkeypatch) == usual
    assert settings(monkeypatch, sslmode="verify-ca") == {**usual, "sslmode": "verify-ca"}
    assert settings(monkeypatch, ssl=False) == {**usual, "sslmode": "disable"}
    more = {"timeout": 7, "tcp_keepalive": True, "tcp_keepalive_idle": 30, "application_name": "a", "numeric_to_float": True}
    assert settings(monkeypatch, **more) == {
        **usual,
        "connect_timeout": 7,
        "keepalives": 1,
        "keepalives_idle": 30,
        "application_name": "a",
    }


def test_what_only_the_hooks_driver_knows_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, credentials_provider="OktaCredentialsProvider") is None
    assert settings(monkeypatch, iam=True, profile="other") is None
