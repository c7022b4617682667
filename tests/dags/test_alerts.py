"""Who gets which mail: sent through the official hook to a mail server on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.sdk import Context

from activation.dags.alerts import Mail, OnFailure, OnSuccess
from activation.dags.build import build_dag
from activation.spec import Pipeline
from tests.support.smtp import MailServer, mail_server

TO = ("crm@example.com",)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with mail_server() as running:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com"}
        value = {"conn_type": "smtp", "host": "127.0.0.1", "port": running.server_address[1], "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps(value))
        yield running


def report(read: int, rejected: int, status: str = "success") -> dict[str, Any]:
    return {
        "status": "partial" if rejected else status,
        "rows": {"read": read, "sent": read - rejected, "rejected": rejected, "skipped": 0},
        "reasons": {"payload_not_json": rejected} if rejected else {},
        "watermark": {"before": "none", "after": "2026-07-19T09:07:23Z"},
    }


def context(told: Any = None, **more: Any) -> Context:
    task = SimpleNamespace(task_id="import", log_url="http://airflow/log", xcom_pull=lambda task_ids: told)
    return cast(Context, {"ti": task, "run_id": "run-1", **more})


def body(server: MailServer) -> str:
    (mail,) = server.mails
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_f24_a_failure_is_always_told(server: MailServer) -> None:
    OnFailure(Mail("users", TO, "mail"))(context(exception=ValueError("no <table> 'users'")))
    (mail,) = server.mails
    assert mail["Subject"] == "Error in pipeline users"
    assert mail["To"] == "crm@example.com"
    assert "no &lt;table&gt;" in body(server)
    assert "http://airflow/log" in body(server)


@pytest.mark.parametrize(
    ("share", "rejected", "told"), [(None, 100, False), (0.05, 4, False), (0.05, 5, True), (0, 1, True), (0, 0, False)]
)
def test_f24_row_errors_are_told_from_a_share_on(server: MailServer, share: float | None, rejected: int, told: bool) -> None:
    OnSuccess(Mail("users", TO, "mail", row_errors=share))(context(report(100, rejected)))
    assert [mail["Subject"] for mail in server.mails] == (
        [f"Row errors in pipeline users: {rejected} of 100 rows were rejected"] if told else []
    )
    assert not told or f"{rejected} × payload_not_json" in body(server)


@pytest.mark.parametrize(
    ("success", "empty", "read", "told"),
    [(False, False, 5, False), (True, False, 5, True), (True, False, 0, False), (True, True, 0, True), (False, True, 0, False)],
)
def test_f24_success_is_told_if_asked_for(server: MailServer, success: bool, empty: bool, read: int, told: bool) -> None:
    OnSuccess(Mail("users", TO, "mail", success=success, empty=empty))(context(report(read, 0)))
    assert [mail["Subject"] for mail in server.mails] == ([f"Pipeline users has sent {read} rows"] if told else [])


@pytest.mark.parametrize("told", [None, {"status": "preview", "rows": {"read": 5}}, report(0, 0, status="reset")])
def test_f24_what_moved_nothing_is_not_told(server: MailServer, told: Any) -> None:
    OnSuccess(Mail("users", TO, "mail", row_errors=0.0, success=True, empty=True))(context(told))
    assert server.mails == []


def test_f24_the_block_makes_the_callbacks(server: MailServer) -> None:
    blocks = {
        "id": "users",
        "source": {"type": "duckdb", "connection": "w", "table": "a.users"},
        "destination": {"type": "braze", "connection": "b", "data": "attributes"},
    }
    silent = build_dag(Pipeline.model_validate(blocks)).get_task("import")
    assert not silent.on_failure_callback
    alerts = {"email": ["crm@example.com"], "connection": "mail", "row_errors": 0.1}
    task = build_dag(Pipeline.model_validate({**blocks, "alerts": alerts})).get_task("import")
    (failure,) = task.on_failure_callback
    (success,) = task.on_success_callback
    failure(context(exception=RuntimeError("x")))
    success(context(report(10, 1)))
    assert [mail["Subject"] for mail in server.mails] == [
        "Error in pipeline users",
        "Row errors in pipeline users: 1 of 10 rows were rejected",
    ]
