"""A notice in the forms of mails, chats and machines."""

from __future__ import annotations

import pytest

from activation.dags.notices import Notice

BAD = "no <table> & <!channel> @everyone"
NOTICE = Notice("Error in pipeline users", {"run": "r", "error": BAD}, "http://airflow/log?x=1", "error")


def test_a_mail_is_a_table_of_escaped_facts() -> None:
    assert NOTICE.html() == (
        "<table cellpadding='4'><tr><th align='left'>run</th><td>r</td></tr>"
        "<tr><th align='left'>error</th><td>no &lt;table&gt; &amp; &lt;!channel&gt; @everyone</td></tr>"
        "<tr><th align='left'>log</th><td>http://airflow/log?x=1</td></tr></table>"
    )


@pytest.mark.parametrize(
    ("kind", "error", "log"),
    [
        ("slack", "no &lt;table&gt; &amp; &lt;!channel&gt; @everyone", "<http://airflow/log?x=1|log>"),
        ("slackwebhook", "no &lt;table&gt; &amp; &lt;!channel&gt; @everyone", "<http://airflow/log?x=1|log>"),
        ("telegram", "no &lt;table&gt; &amp; &lt;!channel&gt; @everyone", "log: http://airflow/log?x=1"),
        ("discord", "no <table> & <!channel> @\u200beveryone", "log: http://airflow/log?x=1"),
        ("http", BAD, "log: http://airflow/log?x=1"),
    ],
)
def test_a_chat_gets_a_few_harmless_lines(kind: str, error: str, log: str) -> None:
    assert NOTICE.text(kind) == f"Error in pipeline users\nrun: r\nerror: {error}\n{log}"


def test_a_long_fact_is_cut_in_chats_only() -> None:
    notice = Notice("s", {"error": "x" * 2_000})
    assert notice.text() == f"s\nerror: {'x' * 600}…"
    assert "x" * 2_000 in notice.html()


def test_machines_get_a_record() -> None:
    assert NOTICE.arguments("http")["json"] == {
        "subject": "Error in pipeline users",
        "severity": "error",
        "text": NOTICE.text("http"),
        "facts": {"run": "r", "error": BAD},
        "log": "http://airflow/log?x=1",
    }
    assert Notice("고객 " * 50, {}).additions()["subject"] == f"{'?? ' * 32}?..."
