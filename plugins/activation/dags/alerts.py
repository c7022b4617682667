"""Mails about runs: a failure always, anything else if the pipeline asks for it (contracts: braze 1.6, kinesis_profiles K-O1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from html import escape
from typing import TYPE_CHECKING, Any

from activation.dags.limits import Told, passed_limits
from activation.operators.memory import state_folder
from activation.spec import KinesisDestination, Pipeline
from activation.spec.alerts import Alerts

if TYPE_CHECKING:
    from airflow.sdk import Context

_MOVED_NOTHING = (None, "preview", "reset")
_WORDS = {"row_errors": "Row errors", "latency": "Latency", "delay": "Delay"}


@dataclass(frozen=True, slots=True)
class Mail:
    """What is written to whom; the mail server's connection names the sender in its extra field ``from_email``."""

    pipeline: str
    alerts: Alerts

    def success(self, report: Mapping[str, Any]) -> str:
        """The subject for a run that has moved rows; an empty text if it is not told."""
        rows = report.get("rows") or {}
        told = self.alerts.success and (rows.get("read") or self.alerts.empty)
        return f"Pipeline {self.pipeline} has sent {rows.get('sent', 0):,} rows" if told else ""

    def send(self, context: Context, subject: str, lines: Mapping[str, object]) -> None:
        """Send one mail; what the warehouse or the destination said is escaped."""
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        task = context["ti"]
        facts = {"pipeline": self.pipeline, "run": context["run_id"], **lines, "log": getattr(task, "log_url", "")}
        rows = "".join(
            f"<tr><th align='left'>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in facts.items()
        )
        with SmtpHook(smtp_conn_id=self.alerts.connection) as hook:
            hook.send_email_smtp(
                to=list(self.alerts.email), subject=subject, html_content=f"<table cellpadding='4'>{rows}</table>"
            )


@dataclass(frozen=True, slots=True)
class OnStart:
    """Airflow's ``on_execute_callback``: runs before each try of a task; the first one is told."""

    mail: Mail

    def __call__(self, context: Context) -> None:
        """Tell that the run begins."""
        if context["ti"].try_number == 1:
            self.mail.send(context, f"Pipeline {self.mail.pipeline} has started", {})


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
    """Airflow's ``on_success_callback``: looks at the report of the run.

    :ivar once: whether a limit that was passed is told once until it is kept again, and not after every run.
    """

    mail: Mail
    once: bool = False

    def __call__(self, context: Context) -> None:
        """Tell what is worth telling."""
        report = context["ti"].xcom_pull(task_ids=context["ti"].task_id) or {}
        if report.get("status") in _MOVED_NOTHING:
            return
        facts, passed = _facts(report), passed_limits(self.mail.alerts, report, datetime.now(timezone.utc))
        told = Told(state_folder(self.mail.pipeline)) if self.once else None
        subjects = []
        for name, problem in passed.items():
            if problem and (told is None or name not in told):
                subjects.append(f"{_WORDS[name]} in pipeline {self.mail.pipeline}: {problem}")
                self.mail.send(context, subjects[-1], facts)
            if told is not None:
                told.note(name, passed=bool(problem))
        if not subjects and (subject := self.mail.success(report)):
            self.mail.send(context, subject, facts)


def callbacks(pipeline: Pipeline) -> dict[str, Any]:
    """What Airflow calls before and behind a task: arguments of its operator."""
    alerts = pipeline.alerts
    if not alerts.email:
        return {}
    mail = Mail(pipeline.id, alerts)
    found: dict[str, Any] = {
        "on_failure_callback": [OnFailure(mail)],
        "on_success_callback": [OnSuccess(mail, once=isinstance(pipeline.destination, KinesisDestination))],
    }
    return {**found, "on_execute_callback": [OnStart(mail)]} if alerts.start else found


def _facts(report: Mapping[str, Any]) -> dict[str, object]:
    """What a report says, for people."""
    reasons = ", ".join(f"{count:,} × {code}" for code, count in (report.get("reasons") or {}).items())
    facts: dict[str, object] = {**report["rows"], "reasons": reasons or "none"}
    if latency := report.get("latency"):
        facts |= {f"latency {name}": f"{latency[name]} s" for name in ("p50", "p95", "max") if latency.get(name) is not None}
    if "watermark" in report:
        facts["watermark"] = report["watermark"]["after"]
    return facts
