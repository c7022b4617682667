"""Mails about runs: a failure always, row errors and success if the pipeline asks for it (contracts: braze 1.6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk import Context


@dataclass(frozen=True, slots=True)
class Mail:
    """What is written to whom.

    :ivar connection: the Airflow connection of the mail server; its extra field ``from_email`` is the sender.
    :ivar row_errors: the least share of rejected rows that is told, 0 to 1; ``None``: none.
    :ivar success: whether every run that has moved rows is told.
    :ivar empty: whether runs without any row are told too.
    """

    pipeline: str
    to: tuple[str, ...]
    connection: str
    row_errors: float | None = None
    success: bool = False
    empty: bool = False

    def subject(self, report: Mapping[str, Any]) -> str:
        """What a run that ended well is worth telling; an empty text if nothing."""
        rows = report.get("rows") or {}
        read, rejected = rows.get("read", 0), rows.get("rejected", 0)
        if report.get("status") in (None, "preview", "reset"):
            return ""
        if self.row_errors is not None and rejected and rejected >= self.row_errors * read:
            return f"Row errors in pipeline {self.pipeline}: {rejected:,} of {read:,} rows were rejected"
        if self.success and (read or self.empty):
            return f"Pipeline {self.pipeline} has sent {rows.get('sent', 0):,} rows"
        return ""

    def send(self, context: Context, subject: str, lines: Mapping[str, object]) -> None:
        """Send one mail; what the warehouse or the destination said is escaped."""
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        task = context["ti"]
        facts = {"pipeline": self.pipeline, "run": context["run_id"], **lines, "log": getattr(task, "log_url", "")}
        rows = "".join(
            f"<tr><th align='left'>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()
        )
        with SmtpHook(smtp_conn_id=self.connection) as hook:
            hook.send_email_smtp(to=list(self.to), subject=subject, html_content=f"<table cellpadding='4'>{rows}</table>")


@dataclass(frozen=True, slots=True)
class OnFailure:
    """Airflow's ``on_failure_callback``: runs once a task has failed for good."""

    mail: Mail

    def __call__(self, context: Context) -> None:
        """Tell of the failure."""
        error = str(context.get("exception") or "see the task's log")
        self.mail.send(context, f"Error in pipeline {self.mail.pipeline}", {"error": error[:2_000]})


@dataclass(frozen=True, slots=True)
class OnSuccess:
    """Airflow's ``on_success_callback``: looks at the report of the run."""

    mail: Mail

    def __call__(self, context: Context) -> None:
        """Tell what is worth telling."""
        report = context["ti"].xcom_pull(task_ids=context["ti"].task_id) or {}
        if subject := self.mail.subject(report):
            reasons = ", ".join(f"{count:,} × {code}" for code, count in (report.get("reasons") or {}).items())
            facts = {**report["rows"], "reasons": reasons or "none"}
            if "watermark" in report:
                facts["watermark"] = report["watermark"]["after"]
            self.mail.send(context, subject, facts)
