"""When people are told about runs: of a failure always, of anything else if the pipeline asks for it.

Contracts: braze 1.6, kinesis_profiles K-O1.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from activation.dags.limits import FAILED, Told, passed_limits
from activation.dags.notices import Notice
from activation.dags.notifiers import notify, reach
from activation.operators.memory import state_folder
from activation.operators.orders import MOVED_NOTHING, only_looks
from activation.spec import KinesisDestination, Pipeline
from activation.spec.alerts import Alerts

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

_WORDS = {"row_errors": "Row errors", "latency": "Latency", "delay": "Delay"}
_REASONS = {
    "timed_out": "The run took longer than its DAG allows.",
    "all_tasks_deadlocked": "None of its tasks can run any more.",
}
_KILLED = "The task gave no answer: it was killed, or its worker was lost. See its log."


@dataclass(frozen=True, slots=True)
class Contacts:
    """Who is told, and how."""

    pipeline: str
    alerts: Alerts

    def tell(self, context: Context, notice: Notice) -> bool:
        """Tell everybody; who cannot be told is a warning in the log, and neither fails the run nor hides it from the others.

        :returns: whether anybody was told.
        """
        alerts = self.alerts
        ways: dict[str, Callable[[], None]] = {}
        if alerts.email:
            ways[f"{', '.join(alerts.email)} (mail connection {alerts.connection})"] = lambda: reach(
                alerts.connection, lambda _: self._mail(notice)
            )
        for connection in alerts.notify:
            ways[f"The connection {connection}"] = lambda connection=connection: notify(connection, notice, context)  # type: ignore[misc]
        told = [self._told(who, way, notice) for who, way in ways.items()]
        return any(told)

    @staticmethod
    def _told(who: str, way: Callable[[], None], notice: Notice) -> bool:
        try:
            way()
        except Exception as error:  # noqa: BLE001 - whatever a mail server or a chat has, the run has ended as it has
            log.warning("%s could not be told: %s. %s", who, notice.subject, error)
            return False
        return True

    def _mail(self, notice: Notice) -> None:
        from airflow.providers.smtp.hooks.smtp import SmtpHook

        with SmtpHook(smtp_conn_id=self.alerts.connection) as hook:
            hook.send_email_smtp(to=list(self.alerts.email), subject=notice.subject, html_content=notice.html())


@dataclass(frozen=True, slots=True)
class OnStart:
    """Airflow's ``on_execute_callback``: runs before each try of a task; the first one is told."""

    contacts: Contacts

    def __call__(self, context: Context) -> None:
        """Tell that the run begins."""
        if context["ti"].try_number == 1 and not _looks(context, self.contacts.pipeline):
            self.contacts.tell(context, _notice(context, f"Pipeline {self.contacts.pipeline} has started", {}))


@dataclass(frozen=True, slots=True)
class OnFailure:
    """Airflow's ``on_failure_callback``, of the task and of the DAG.

    That of the task runs in the worker once it has failed for good, and knows the error. Airflow does not call it if the process
    of a task is killed, or if the run of the DAG takes too long; it then calls that of the DAG, in the DAG processor. After most
    failures both are called, and where a worker was lost the first one twice: a failed try is told once.
    """

    contacts: Contacts

    def __call__(self, context: Context) -> None:
        """Tell of the failure, unless it was told, or nothing should have been moved."""
        if _looks(context, self.contacts.pipeline):
            return
        task = context.get("ti")
        failed = f"{FAILED}{context['run_id']} {task.try_number if task else 0}"
        told = _told_before(self.contacts.pipeline)
        if told is not None and failed in told:
            return
        error = str(context.get("exception") or _REASONS.get(str(context.get("reason")), _KILLED))
        subject = f"Error in pipeline {self.contacts.pipeline}"
        if self.contacts.tell(context, _notice(context, subject, {"error": error[:2_000]}, "error")) and told is not None:
            _note(lambda: told.note_failure(failed))


@dataclass(frozen=True, slots=True)
class OnSuccess:
    """Airflow's ``on_success_callback``: looks at the report of the run.

    :ivar once: whether a limit that was passed is told once until it is kept again, and not after every run.
    """

    contacts: Contacts
    once: bool = False

    def __call__(self, context: Context) -> None:
        """Tell what is worth telling."""
        report = context["ti"].xcom_pull(task_ids=context["ti"].task_id) or {}
        if report.get("status") in MOVED_NOTHING:
            return
        facts, alerts, pipeline = _facts(report), self.contacts.alerts, self.contacts.pipeline
        told = _told_before(pipeline) if self.once else None
        subjects = []
        for name, problem in passed_limits(alerts, report, datetime.now(timezone.utc)).items():
            reached = True
            if problem and (told is None or name not in told):
                subjects.append(f"{_WORDS[name]} in pipeline {pipeline}: {problem}")
                reached = self.contacts.tell(context, _notice(context, subjects[-1], facts, "warning"))
            if told is not None and reached:
                _note(lambda name=name, passed=bool(problem): told.note(name, passed=passed))  # type: ignore[misc]
        rows = report.get("rows") or {}
        if not subjects and alerts.success and (rows.get("read") or alerts.success == "always"):
            self.contacts.tell(context, _notice(context, f"Pipeline {pipeline} has sent {rows.get('sent', 0):,} rows", facts))


def callbacks(pipeline: Pipeline) -> dict[str, Any]:
    """What Airflow calls before and behind a task: arguments of its operator."""
    contacts = _contacts(pipeline)
    if contacts is None:
        return {}
    found: dict[str, Any] = {
        "on_failure_callback": [OnFailure(contacts)],
        "on_success_callback": [OnSuccess(contacts, once=isinstance(pipeline.destination, KinesisDestination))],
    }
    return {**found, "on_execute_callback": [OnStart(contacts)]} if pipeline.alerts.start else found


def run_callbacks(pipeline: Pipeline) -> dict[str, Any]:
    """What Airflow calls behind a run: arguments of the DAG, for the failures that no task can tell."""
    contacts = _contacts(pipeline)
    return {} if contacts is None else {"on_failure_callback": OnFailure(contacts)}


def _contacts(pipeline: Pipeline) -> Contacts | None:
    alerts = pipeline.alerts
    return Contacts(pipeline.id, alerts) if alerts.email or alerts.notify else None


def _told_before(pipeline: str) -> Told | None:
    """What was told of a pipeline; ``None`` if that cannot be known here: then it is told rather twice than never."""
    try:
        return Told(state_folder(pipeline))
    except Exception as error:  # noqa: BLE001 - object storage has errors of its own
        log.warning("What was told of pipeline %s before is not known: %s", pipeline, error)
        return None


def _note(note: Callable[[], None]) -> None:
    try:
        note()
    except Exception as error:  # noqa: BLE001 - object storage has errors of its own
        log.warning("It could not be noted that this was told, so it may be told again: %s", error)


def _looks(context: Context, pipeline: str) -> bool:
    """Whether somebody has triggered this run to look at something; they see by themselves how it ends.

    In somebody else's DAG what a run is triggered with has a meaning of its own, so there every failure is told.
    """
    run: Any = context.get("dag_run")
    return run is not None and run.dag_id == pipeline and only_looks(run.conf)


def _notice(context: Context, subject: str, facts: Mapping[str, object], severity: Any = "info") -> Notice:
    task: Any = context.get("ti")
    return Notice(subject, {"run": context["run_id"], **facts}, getattr(task, "log_url", None) or "", severity)


def _facts(report: Mapping[str, Any]) -> dict[str, object]:
    """What a report says, for people."""
    rows = ", ".join(f"{count:,} {name}" for name, count in report["rows"].items())
    reasons = ", ".join(f"{count:,} × {code}" for code, count in (report.get("reasons") or {}).items())
    facts: dict[str, object] = {"rows": rows, "reasons": reasons or "none"}
    if latency := report.get("latency"):
        facts |= {f"latency {name}": f"{latency[name]} s" for name in ("p50", "p95", "max") if latency.get(name) is not None}
    if "watermark" in report:
        facts["watermark"] = report["watermark"]["after"]
    return facts
