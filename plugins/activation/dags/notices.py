"""What people are told about a run, in the forms that mails, chats and machines take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

_LONGEST_FACT = 600
"""Characters of a fact in a chat; the mail has all of it."""

_SUBJECT = 100
"""Characters of the subject of a message of Amazon SNS, which takes ASCII only."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    :ivar subject: what has happened, with the pipeline's name.
    :ivar facts: what is known about it, by name.
    :ivar log: the address of the task's log; empty if there is none.
    :ivar severity: what a pager makes of it.
    """

    subject: str
    facts: Mapping[str, object]
    log: str = ""
    severity: Literal["info", "warning", "error"] = "info"

    def html(self) -> str:
        """A table; what the warehouse or the destination said is escaped."""
        facts = {**self.facts, "log": self.log} if self.log else self.facts
        rows = "".join(
            f"<tr><th align='left'>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()
        )
        return f"<table cellpadding='4'>{rows}</table>"

    def text(self, kind: str = "") -> str:
        """A few lines for a chat.

        :param kind: the connection's type. What steers that chat is escaped: no text of others calls people or makes links.
        """
        safe = ESCAPES.get(kind, str)
        lines = [f"{name}: {_short(str(value))}" for name, value in self.facts.items()]
        link = f"<{self.log}|log>" if kind in _SLACK else f"log: {safe(self.log)}"
        return "\n".join([safe(self.subject), *map(safe, lines), *([link] if self.log else [])])

    def arguments(self, kind: str) -> dict[str, Any]:
        """The notice for each parameter that a notifier may have for it; the first of those it has is its message.

        :param kind: the connection's type.
        """
        text, facts = self.text(kind), {name: str(value) for name, value in self.facts.items()}
        record = {"subject": self.subject, "severity": self.severity, "text": text, "facts": facts, "log": self.log}
        return {
            "html_content": self.html(),
            "text": text,
            "message": text,
            "message_body": text,
            "body": text,
            "summary": self.subject,
            "payload": {"message": self.subject[:130], "description": text, "source": "airflow"},
            "json": record,
        }

    def additions(self) -> dict[str, Any]:
        """What a notifier may take beside its message."""
        subject = self.subject.encode("ascii", "replace").decode()
        return {
            "subject": subject if len(subject) <= _SUBJECT else f"{subject[: _SUBJECT - 3]}...",
            "title": self.subject,
            "severity": self.severity,
            "custom_details": {**{name: str(value) for name, value in self.facts.items()}, "log": self.log},
        }


def _slack(text: str) -> str:
    """Slack reads ``<…>`` as links and mentions (api.slack.com, formatting text: three characters are escaped)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _discord(text: str) -> str:
    """Discord reads ``@everyone``, ``@here`` and ``<@id>`` as mentions; a blank without width keeps it from it."""
    return text.replace("@", "@\u200b")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_FACT else f"{text[:_LONGEST_FACT]}…"


_SLACK = ("slack", "slackwebhook")
ESCAPES: Mapping[str, Callable[[str], str]] = {
    "slack": _slack,
    "slackwebhook": _slack,
    "discord": _discord,
    "telegram": escape,
}
"""Connection type -> how a text becomes harmless there. Other chats take texts as they are."""
