"""The notifier of a connection: found by its type, made, and told, over real sockets where a provider allows an address."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from airflow.sdk import BaseNotifier, Connection, Context

from activation.dags import notifiers
from activation.dags.notices import Notice
from activation.dags.notifiers import Way, notifier_of, notify, types_that_can, ways_of
from activation.errors import ConfigurationError
from tests.support.smtp import mail_server
from tests.support.webhook import ChatServer, chat_server

NOTICE = Notice("Error in pipeline users", {"run": "r", "error": "no <table> {{ run_id }}"}, "http://airflow/log", "error")
SLACK = "Error in pipeline users\nrun: r\nerror: no &lt;table&gt; {{ run_id }}\n<http://airflow/log|log>"
CONTEXT = cast(Context, {"run_id": "never rendered"})


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with chat_server() as running:
        yield running


def connect(monkeypatch: pytest.MonkeyPatch, conn_type: str, **fields: Any) -> str:
    monkeypatch.setenv("AIRFLOW_CONN_CHAT", json.dumps({"conn_type": conn_type, **fields}))
    return "chat"


def test_a_slack_webhook_is_posted_to(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    notify(connect(monkeypatch, "slackwebhook", host=f"{chat.url}/services", password="T0/B0/token"), NOTICE, CONTEXT)
    ((path, _, body),) = chat.posts
    assert (path, body["text"]) == ("/services/T0/B0/token", SLACK)


def test_slack_is_posted_to_in_the_connections_channel(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"base_url": f"{chat.url}/api/", "channel": "#crm"}
    notify(connect(monkeypatch, "slack", password="xoxb-token", extra=extra), NOTICE, CONTEXT)
    ((path, headers, body),) = chat.posts
    assert (path, headers["Authorization"]) == ("/api/chat.postMessage", "Bearer xoxb-token")
    assert (body["channel"], body["text"]) == ("#crm", SLACK)


def test_any_web_server_gets_a_record(chat: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    notify(connect(monkeypatch, "http", host=f"{chat.url}/hook"), NOTICE, CONTEXT)
    ((path, _, body),) = chat.posts
    assert (path, body) == ("/hook", NOTICE.arguments("http")["json"])


def test_a_mail_server_of_a_connection_mails_to_the_addresses_of_its_extra_field(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as server:
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@example.com", "to": "crm@example.com"}
        notify(connect(monkeypatch, "smtp", host="127.0.0.1", port=server.server_address[1], extra=extra), NOTICE, CONTEXT)
    (mail,) = server.mails
    assert (mail["To"], mail["Subject"]) == ("crm@example.com", "Error in pipeline users")
    part = mail.get_body(("html",))
    assert part is not None
    assert str(part.get_content()).strip() == NOTICE.html()


@pytest.mark.parametrize(
    ("kind", "extra", "made", "given"),
    [
        ("aws", {"target_arn": "arn:t"}, "SnsNotifier", {"message": NOTICE.text(), "subject": NOTICE.subject}),
        ("aws", {"queue_url": "https://q", "message_group_id": "g"}, "SqsNotifier", {"message_group_id": "g"}),
        ("aws", {"mail_from": "a@b.c", "to": "d@e.f"}, "SesNotifier", {"to": "d@e.f", "html_content": NOTICE.html()}),
        ("chime", {}, "ChimeNotifier", {"message": NOTICE.text()}),
    ],
)
def test_what_the_extra_field_says_chooses_among_the_notifiers(
    kind: str, extra: dict[str, str], made: str, given: dict[str, str]
) -> None:
    notifier = notifier_of(Connection(conn_id="c", conn_type=kind, extra=json.dumps(extra)), NOTICE)
    assert type(notifier).__name__ == made
    assert {name: getattr(notifier, name) for name in given} == given


def test_every_notifier_of_the_installed_providers_can_be_chosen() -> None:
    installed = {notifiers._imported(name) for _, names in notifiers._providers() for name in names}
    chosen = {way.made for kind in types_that_can() for way in ways_of(kind)}
    assert chosen == installed
    assert len(chosen) >= 8
    assert {"slack", "slackwebhook", "smtp", "http", "aws", "chime"} <= set(types_that_can())


def test_a_type_without_a_notifier_is_told_with_those_that_have_one() -> None:
    with pytest.raises(ConfigurationError) as raised:
        notifier_of(Connection(conn_id="pg", conn_type="postgres"), NOTICE)
    assert "There is no notifier for a connection of type postgres (pg)." in str(raised.value)
    assert "http, slack, slackwebhook, smtp" in str(raised.value)


@pytest.mark.parametrize(
    ("kind", "needs"),
    [
        ("slack", '{"channel": "…"}'),
        ("smtp", '{"to": "…"}'),
        ("aws", '{"mail_from": "…", "to": "…"} or {"target_arn": "…"} or {"queue_url": "…"}'),
    ],
)
def test_a_connection_that_does_not_say_where_to_is_told_what_it_lacks(kind: str, needs: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        notifier_of(Connection(conn_id="c", conn_type=kind), NOTICE)
    assert str(raised.value) == (
        f"The connection c of type {kind} does not say where to send a message. Fix: Write {needs} into its extra field."
    )


def test_an_error_does_not_quote_what_the_connection_keeps(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = connect(monkeypatch, "http", password="password-canary", extra={"key": "extra-canary"})

    class Quoting:
        def notify(self, context: Context) -> None:
            raise OSError("called with password-canary and extra-canary")

    monkeypatch.setattr(notifiers, "notifier_of", lambda connection, notice: Quoting())
    with pytest.raises(RuntimeError, match=r"^OSError: called with \*\*\* and \*\*\*$"):
        notify(connection, NOTICE, CONTEXT)


class Pager(BaseNotifier):
    """A class of the shape that pagers have."""

    def __init__(self, *, summary: str, severity: str, source: str = "airflow", pager_conn_id: str = "p") -> None:
        super().__init__()


class Alarm(BaseNotifier):
    """A class of the shape that alarm centres have: the whole message is a record."""

    def __init__(self, *, payload: dict[str, Any], alarm_conn_id: str = "a") -> None:
        super().__init__()


class Chat(BaseNotifier):
    """A class of the shape that chats have whose hook calls the connection differently."""

    def __init__(self, other_conn_id: str = "o", text: str | None = None, username: str = "Airflow") -> None:
        super().__init__()


class Silent(BaseNotifier):
    """A class that takes no message."""

    def __init__(self, *, silent_conn_id: str, volume: int = 1) -> None:
        super().__init__()


@pytest.mark.parametrize(
    ("made", "way"),
    [
        (Pager, ("pager_conn_id", "summary")),
        (Alarm, ("alarm_conn_id", "payload")),
        (Chat, ("other_conn_id", "text")),
        (Silent, None),
    ],
)
def test_the_shape_of_a_class_tells_how_it_is_made(
    made: type[BaseNotifier], way: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = next(name for name in inspect.signature(made).parameters if name.endswith("_conn_id")).removesuffix("_conn_id")
    hook = SimpleNamespace(conn_name_attr="http_conn_id")
    monkeypatch.setattr(notifiers, "_providers", lambda: iter([({kind: "hook"}, ["made"])]))
    monkeypatch.setattr(notifiers, "_imported", lambda name: {"hook": hook, "made": made}[name])
    assert list(ways_of(kind)) == ([Way(made, *way, ())] if way else [])
    if way:
        assert isinstance(notifier_of(Connection(conn_id="c", conn_type=kind), NOTICE), made)
