"""Both AWS sandboxes start, end and are reached through the official hook; nothing of them is left."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.aws.process import Server

WRITE = [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::partner/export/*"}]
ASSUME = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files, which nobody else uses."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


def connect(url: str) -> None:
    socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=5).close()


def listeners(url: str) -> set[str]:
    """The addresses at which somebody listens on its port."""
    found = psutil.net_connections("tcp")
    return {one.laddr.ip for one in found if one.status == psutil.CONN_LISTEN and one.laddr.port == urlsplit(url).port}


def hook(monkeypatch: pytest.MonkeyPatch, connection: str) -> Any:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    monkeypatch.setenv("AIRFLOW_CONN_AWS_SANDBOX", connection)
    return S3Hook(aws_conn_id="aws_sandbox")


@pytest.mark.parametrize("kind", ["storage", "access"])
def test_the_hook_reaches_it_over_tls_and_nothing_is_left(kind: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with AwsSandbox(kind, tls=True) as aws:
        assert [one.name.startswith("activation-aws-") for one in place.iterdir()] == [True]
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)
        hook(monkeypatch, aws.connection()).load_string("1,2\n", "one", aws.bucket("partner"))
        assert aws.objects("partner") == {"one": b"1,2\n"}
        assert aws.url.startswith("https://127.0.0.1:")
        assert listeners(aws.url) == {"127.0.0.1"}
    assert not list(place.iterdir())
    with pytest.raises(OSError, match="refused"):
        connect(aws.url)


def test_the_hook_assumes_a_role_with_its_external_id(monkeypatch: pytest.MonkeyPatch) -> None:
    with AwsSandbox("access") as aws, FaultProxy(aws.url) as proxy:
        aws.bucket("partner")
        role = aws.role("partner", WRITE, external_id="activation-7")
        keys = aws.user("exporter", ASSUME)

        def through(**kwargs: str) -> Any:
            extra = {"role_arn": role, "assume_role_kwargs": kwargs}
            return hook(monkeypatch, aws.connection(endpoint_url=proxy.url, **keys, **extra))

        through(ExternalId="activation-7").load_string("1", "export/one", "partner", replace=True)
        assert aws.objects("partner") == {"export/one": b"1"}
        assert [one.line for one in proxy.requests("AssumeRole|^PUT")] == ["POST / AssumeRole", "PUT /partner/export/one"]
        with pytest.raises(Exception, match="AccessDenied"):
            through(ExternalId="activation-8").load_string("1", "export/two", "partner", replace=True)
        assert [one.status for one in proxy.requests("AssumeRole")] == [200, 403]


def test_two_of_a_kind_share_nothing() -> None:
    with AwsSandbox("storage") as one, AwsSandbox("storage") as other:
        for aws in (one, other):
            aws.bucket("partner")
        one.client("s3").put_object(Bucket="partner", Key="one", Body=b"1")
        assert other.objects("partner") == {}


def test_it_ends_with_the_process_that_started_it() -> None:
    text = "from sandbox.aws import AwsSandbox; aws = AwsSandbox('access'); aws.start(); print(aws.url, flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", text], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        address = owner.stdout.readline().strip()
        connect(address)
        owner.kill()
    deadline = time.monotonic() + 10
    with pytest.raises(OSError, match="refused"):
        while time.monotonic() < deadline:
            connect(address)
            time.sleep(0.1)


def test_a_server_that_does_not_start_shows_what_it_printed(tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "server.py").write_text("raise SystemExit('no room for a server')")
    monkeypatch.setattr("sandbox.aws.process.environment", lambda name, requirements: Path(sys.executable))
    with pytest.raises(RuntimeError, match="does not answer; it printed last: no room for a server"):
        Server(tmp_path, {}, "/").start()
    assert not list(place.iterdir())


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no AWS sandbox 'compute'; there are storage, access"):
        AwsSandbox("compute")
