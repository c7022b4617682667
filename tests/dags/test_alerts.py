"""Who gets which mail: sent through the official hook to a mail server on a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.sdk import Context

from activation.dags.alerts import Mail, OnFailure, OnSuccess, callbacks
from activation.dags.build import build_dag
from activation.spec import Pipeline
from activation.spec.alerts import Alerts
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


def mail(**alerts: Any) -> Mail:
    return Mail("users", Alerts(email=TO, connection="mail", **alerts))


def context(told: Any = None, attempt: int = 1, **more: Any) -> Context:
    task = SimpleNamespace(task_id="import", log_url="http://airflow/log", xcom_pull=lambda task_ids: told, try_number=attempt)
    return cast(Context, {"ti": task, "run_id": "run-1", **more})


def subjects(server: MailServer) -> list[str]:
    return [str(sent["Subject"]) for sent in server.mails]


def body(server: MailServer) -> str:
    sent = server.mails[-1]
    part = sent.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def test_f24_a_failure_is_always_told(server: MailServer) -> None:
    OnFailure(mail())(context(exception=ValueError("no <table> 'users'")))
    (sent,) = server.mails
    assert sent["Subject"] == "Error in pipeline users"
    assert sent["To"] == "crm@example.com"
    assert "no &lt;table&gt;" in body(server)
    assert "http://airflow/log" in body(server)


@pytest.mark.parametrize(
    ("share", "rejected", "told"), [(None, 100, False), (0.05, 4, False), (0.05, 5, True), (0, 1, True), (0, 0, False)]
)
def test_f24_row_errors_are_told_from_a_share_on(server: MailServer, share: float | None, rejected: int, told: bool) -> None:
    OnSuccess(mail(row_errors=share))(context(report(100, rejected)))
    assert subjects(server) == ([f"Row errors in pipeline users: {rejected} of 100 rows were rejected"] if told else [])
    assert not told or f"{rejected} × payload_not_json" in body(server)


@pytest.mark.parametrize(
    ("success", "empty", "read", "told"),
    [(False, False, 5, False), (True, False, 5, True), (True, False, 0, False), (True, True, 0, True), (False, True, 0, False)],
)
def test_f24_success_is_told_if_asked_for(server: MailServer, success: bool, empty: bool, read: int, told: bool) -> None:
    OnSuccess(mail(success=success, empty=empty))(context(report(read, 0)))
    assert subjects(server) == ([f"Pipeline users has sent {read} rows"] if told else [])


@pytest.mark.parametrize("told", [None, {"status": "preview", "rows": {"read": 5}}, report(0, 0, status="reset")])
def test_f24_what_moved_nothing_is_not_told(server: MailServer, told: Any) -> None:
    OnSuccess(mail(row_errors=0.0, success=True, empty=True))(context(told))
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
    assert subjects(server) == [
        "Error in pipeline users",
        "Row errors in pipeline users: 1 of 10 rows were rejected",
    ]


STREAM = {
    "id": "profiles",
    "source": {"type": "duckdb", "connection": "w", "table": "crm.profiles"},
    "destination": {"type": "kinesis", "connection": "k", "stream": "profiles", "audiences": ["a1"]},
}
START = "Pipeline profiles has started"
SLOW = "Latency in pipeline profiles: one change in twenty took 12m5s or longer to arrive, the limit is 10m"
SKIPPED = "Row errors in pipeline profiles: 6 of 100 rows were rejected"


class Told:
    """The callbacks of a stream, in a state folder of its own; each run is a new process, so they are made anew."""

    def __init__(self, server: MailServer, **alerts: Any) -> None:
        self._server = server
        self._pipeline = Pipeline.model_validate({**STREAM, "alerts": {"email": TO, "connection": "mail", **alerts}})

    def __call__(self, told: Any = None, *, kind: str = "on_success_callback", attempt: int = 1) -> list[str]:
        """The subjects of the mails that a call sends."""
        before = len(self._server.mails)
        for callback in callbacks(self._pipeline).get(kind, ()):
            callback(context(told, attempt, exception=RuntimeError("x")))
        return subjects(self._server)[before:]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of all pipelines."""
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER", str(tmp_path / "state"))
    return tmp_path / "state"


def streamed(read: int = 100, rejected: int = 0, p95: float = 2.5, behind: float = 5, seconds: float = 3) -> dict[str, Any]:
    """The report of a stream.

    :param behind: seconds from the end of its window until now.
    """
    upper = datetime.now(timezone.utc) - timedelta(seconds=behind)
    latency = {"p50": 1.0, "p95": p95, "max": p95, "records": read - rejected} if read else {"records": 0}
    window = {"lower": None, "closed": True, "upper": upper.isoformat(), "nulls": False}
    return {**report(read, rejected), "latency": latency, "window": window, "seconds": seconds}


def test_k_o1_a_start_is_told_at_the_first_try_if_asked_for(server: MailServer) -> None:
    assert Told(server)(kind="on_execute_callback") == []
    told = Told(server, start=True)
    assert told(kind="on_execute_callback") == [START]
    assert told(kind="on_execute_callback", attempt=2) == []


def test_k_o1_success_and_failure_are_told_each_time(server: MailServer) -> None:
    told = Told(server, success=True)
    assert [told(streamed()) for _ in range(2)] == [["Pipeline profiles has sent 100 rows"]] * 2
    assert told(streamed(read=0)) == []
    assert [told(kind="on_failure_callback") for _ in range(2)] == [["Error in pipeline profiles"]] * 2


def test_k_o1_a_latency_beyond_ten_minutes_is_told_once_until_it_is_good_again(server: MailServer) -> None:
    told = Told(server)
    assert told(streamed(p95=600)) == []
    assert told(streamed(p95=725)) == [SLOW]
    assert told(streamed(p95=900)) == []
    assert told(streamed(read=0)) == []  # says nothing about latency
    assert told(streamed(p95=900)) == []
    assert told(streamed(p95=3)) == []
    assert told(streamed(p95=725)) == [SLOW]
    assert "<th align='left'>latency p95</th><td>725 s</td>" in body(server)


@pytest.mark.parametrize(("behind", "seconds"), [(9001.4, 3), (5, 9001.4)], ids=["old data", "long run"])
def test_k_o1_a_delay_beyond_150_minutes_is_told_once(server: MailServer, behind: float, seconds: float) -> None:
    told = Told(server)
    subject = "Delay in pipeline profiles: the run ended 2h30m1s behind the warehouse, the limit is 2h30m"
    assert told(streamed(behind=8990, seconds=8990)) == []
    assert [told(streamed(behind=behind, seconds=seconds)) for _ in range(2)] == [[subject], []]
    assert [told(each) for each in (streamed(read=0), streamed(read=0, behind=behind, seconds=seconds))] == [[], [subject]]


def test_k_o1_the_skip_rate_is_told_once_from_a_share_on(server: MailServer) -> None:
    told = Told(server, row_errors=0.06)
    assert [told(streamed(rejected=rejected)) for rejected in (5, 6, 7)] == [[], [SKIPPED], []]
    assert [told(streamed(rejected=rejected)) for rejected in (5, 6)] == [[], [SKIPPED]]


def test_k_o1_several_limits_are_told_and_then_success_again(server: MailServer) -> None:
    told = Told(server, row_errors=0.06, success=True)
    slow = streamed(rejected=6, p95=725)
    assert [told(slow), told(slow)] == [[SKIPPED, SLOW], ["Pipeline profiles has sent 94 rows"]]


def test_k_o1_what_could_not_be_sent_is_sent_after_the_next_run(
    server: MailServer, monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    told = Told(server)
    with monkeypatch.context() as broken:
        broken.setenv(
            "AIRFLOW_CONN_MAIL", json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": 1, "extra": {"retry_limit": 1}})
        )
        with pytest.raises(Exception, match=r"Unable to connect|refused"):
            told(streamed(p95=725))
    assert [told(streamed(p95=725)), told(streamed(p95=725))] == [[SLOW], []]
    assert json.loads((state / "profiles" / "alerts.json").read_text()) == ["latency"]
    (state / "profiles" / "alerts.json").write_text("[")
    assert told(streamed(p95=725)) == [SLOW]


def test_k_o1_limits_can_be_left_out(server: MailServer) -> None:
    told = Told(server, latency=None, delay=None)
    assert told(streamed(p95=10**6, behind=10**6, rejected=50)) == []


@pytest.mark.parametrize("told", [None, {"status": "preview"}, {"status": "reset"}])
def test_k_o1_what_moved_nothing_changes_no_alert(server: MailServer, told: Any) -> None:
    stream = Told(server)
    assert [stream(each) for each in (streamed(p95=725), told, streamed(p95=725))] == [[SLOW], [], []]


def test_a_report_without_latency_has_no_delay(server: MailServer) -> None:
    OnSuccess(mail())(context({**report(5, 0), "seconds": 10**6, "window": {"upper": "2020-01-01T00:00:00Z"}}))
    assert server.mails == []
