"""Who is told what: by mail through the official hook, and by chats, to servers on real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.sdk import Context

from activation.dags.alerts import Contacts, OnFailure, OnStart, OnSuccess, callbacks
from activation.dags.build import build_dag
from activation.spec import Pipeline
from activation.spec.alerts import Alerts
from tests.support.smtp import MailServer, mail_server
from tests.support.webhook import ChatServer, chat_server

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


def mail(**alerts: Any) -> Contacts:
    return Contacts("users", Alerts(email=TO, connection="mail", **alerts))


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


@pytest.mark.parametrize("conf", [{"mode": "check"}, {"mode": "preview"}, {"mode": "full", "dry_run": True}])
def test_who_only_looks_sees_by_themselves_how_it_ends(server: MailServer, conf: dict[str, Any]) -> None:
    looks = context(exception=ValueError("no table"), dag_run=SimpleNamespace(dag_id="users", conf=conf))
    OnStart(mail(start=True))(looks)
    OnFailure(mail())(looks)
    assert server.mails == []
    OnFailure(mail())(context(exception=ValueError("no table"), dag_run=SimpleNamespace(dag_id="users", conf={"mode": "full"})))
    assert subjects(server) == ["Error in pipeline users"]


def test_what_a_foreign_dag_is_triggered_with_silences_nothing(server: MailServer) -> None:
    theirs = SimpleNamespace(dag_id="nightly", conf={"dry_run": True, "mode": "check"})
    OnFailure(mail())(context(exception=ValueError("no table"), dag_run=theirs))
    assert subjects(server) == ["Error in pipeline users"]


@pytest.mark.parametrize(
    ("share", "rejected", "told"), [(None, 100, False), (0.05, 4, False), (0.05, 5, True), (0, 1, True), (0, 0, False)]
)
def test_f24_row_errors_are_told_from_a_share_on(server: MailServer, share: float | None, rejected: int, told: bool) -> None:
    OnSuccess(mail(row_errors=share))(context(report(100, rejected)))
    assert subjects(server) == ([f"Row errors in pipeline users: {rejected} of 100 rows were rejected"] if told else [])
    assert not told or f"{rejected} × payload_not_json" in body(server)


@pytest.mark.parametrize(
    ("success", "read", "told"),
    [(False, 5, False), (True, 5, True), (True, 0, False), ("always", 0, True), ("always", 5, True), (False, 0, False)],
)
def test_f24_success_is_told_if_asked_for(server: MailServer, success: Any, read: int, told: bool) -> None:
    OnSuccess(mail(success=success))(context(report(read, 0)))
    assert subjects(server) == ([f"Pipeline users has sent {read} rows"] if told else [])


@pytest.mark.parametrize("told", [None, {"status": "preview", "rows": {"read": 5}}, report(0, 0, status="reset")])
def test_f24_what_moved_nothing_is_not_told(server: MailServer, told: Any) -> None:
    OnSuccess(mail(row_errors=0.0, success="always"))(context(told))
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

    def __call__(self, told: Any = None, *, kind: str = "on_success_callback", attempt: int = 1, run: str = "run-1") -> list[str]:
        """The subjects of the mails that a call sends."""
        before = len(self._server.mails)
        for callback in callbacks(self._pipeline).get(kind, ()):
            callback(context(told, attempt, exception=RuntimeError("x"), run_id=run))
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
    assert [told(kind="on_failure_callback", run=run) for run in ("1", "2")] == [["Error in pipeline profiles"]] * 2


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
        assert told(streamed(p95=725)) == []
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


LINK = "http://airflow/log"


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[ChatServer]:
    with chat_server() as running:
        value = {"conn_type": "slackwebhook", "host": running.url, "password": "T0/B0/token-canary"}
        monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps(value))
        yield running


def texts(chat: ChatServer) -> list[str]:
    return [body["text"] for _, _, body in chat.posts]


def test_a_connection_is_told_on_every_occasion(chat: ChatServer) -> None:
    contacts = Contacts("users", Alerts(notify=("chat",), start=True, success=True, row_errors=0.05))
    OnStart(contacts)(context())
    OnSuccess(contacts)(context(report(100, 0)))
    OnSuccess(contacts)(context(report(100, 6)))
    OnFailure(contacts)(context(exception=ValueError("no <table>")))
    assert texts(chat) == [
        f"Pipeline users has started\nrun: run-1\n<{LINK}|log>",
        "Pipeline users has sent 100 rows\nrun: run-1\nrows: 100 read, 100 sent, 0 rejected, 0 skipped\nreasons: none\n"
        f"watermark: 2026-07-19T09:07:23Z\n<{LINK}|log>",
        "Row errors in pipeline users: 6 of 100 rows were rejected\nrun: run-1\nrows: 100 read, 94 sent, 6 rejected, 0 skipped\n"
        f"reasons: 6 × payload_not_json\nwatermark: 2026-07-19T09:07:23Z\n<{LINK}|log>",
        f"Error in pipeline users\nrun: run-1\nerror: no &lt;table&gt;\n<{LINK}|log>",
    ]


def test_who_cannot_be_told_is_a_warning_and_hides_nobody(
    chat: ChatServer, server: MailServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PG", json.dumps({"conn_type": "postgres"}))
    contacts = Contacts("users", Alerts(email=TO, connection="nobody", notify=("pg", "elsewhere", "chat"), success=True))
    OnSuccess(contacts)(context(report(100, 0)))
    assert texts(chat)[0].startswith("Pipeline users has sent 100 rows")
    assert server.mails == []
    warnings = [record.getMessage() for record in caplog.records if record.name == "activation.dags.alerts"]
    assert len(warnings) == 3
    subject = "could not be told: Pipeline users has sent 100 rows."
    assert warnings[0].startswith(f"crm@example.com (mail connection nobody) {subject} There is no Airflow connection 'nobody'.")
    assert warnings[1].startswith(f"The connection pg {subject} There is no notifier for a connection of type postgres (pg).")
    assert warnings[2].startswith(f"The connection elsewhere {subject} There is no Airflow connection 'elsewhere'.")
    assert "token-canary" not in caplog.text


def test_a_refusal_of_the_chat_is_told_without_its_token(chat: ChatServer, caplog: pytest.LogCaptureFixture, state: Path) -> None:
    chat.status = 403
    OnFailure(Contacts("users", Alerts(notify=("chat",))))(context(exception=ValueError("x")))
    refusal = "AirflowException: Response body: 'ok', Status Code: 403"
    assert f"The connection chat could not be told: Error in pipeline users. {refusal}" in caplog.text
    assert "token-canary" not in caplog.text
    assert not (state / "users" / "alerts.json").exists()


def test_a_failed_try_is_told_once_by_task_and_dag(server: MailServer) -> None:
    told = OnFailure(mail())
    told(context(exception=ValueError("the reason")))
    assert "the reason" in body(server)
    told(context(reason="task_failure"))  # that of the DAG, in another process
    OnFailure(mail())(context(reason="task_failure"))
    assert len(server.mails) == 1
    told(context(attempt=2, exception=ValueError("again")))  # cleared, and failed once more
    told(context(run_id="run-2", exception=ValueError("the next run")))
    assert len(server.mails) == 3


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("task_failure", "it was killed, or its worker was lost"),
        ("timed_out", "The run took longer than its DAG allows."),
        ("all_tasks_deadlocked", "None of its tasks can run any more."),
        (None, "it was killed, or its worker was lost"),
    ],
)
def test_a_failure_that_only_the_dag_knows_is_told_with_its_reason(server: MailServer, reason: str | None, text: str) -> None:
    OnFailure(mail())(cast(Context, {"run_id": "run-1", "reason": reason}))
    assert subjects(server) == ["Error in pipeline users"]
    assert text in body(server)
    assert "log</th>" not in body(server)


def test_a_failure_is_told_where_the_state_folder_cannot_be_read(server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW__ACTIVATION__STATE_FOLDER_IS_SHARED", "False")
    for _ in range(2):
        OnFailure(mail())(context(exception=ValueError("x")))
    assert subjects(server) == ["Error in pipeline users"] * 2


@pytest.mark.parametrize("alerts", [{"email": TO}, {"notify": ["chat"]}])
def test_task_and_dag_have_the_callback_of_failures(alerts: dict[str, Any]) -> None:
    dag = build_dag(Pipeline.model_validate({**STREAM, "alerts": alerts}))
    (of_task,) = dag.get_task("stream").on_failure_callback
    assert dag.on_failure_callback == of_task
    assert build_dag(Pipeline.model_validate(STREAM)).on_failure_callback is None
