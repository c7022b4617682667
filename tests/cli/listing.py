"""A folder of pipeline files, their state folders, and what Airflow knows of them, in its real metadata database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

from activation.dags.build import build_dag
from activation.delivery.journal import Journal
from activation.spec import load_file
from tests.cli.conftest import register

NOW = datetime.now(timezone.utc).replace(microsecond=0)
DAY = timedelta(days=1)
SOURCE = "source: {type: duckdb, connection: warehouse, table: crm.events}\n"
ONCE = "destination: {type: s3, connection: partner, data: user_profile, path: s3://partner/crm, export: {type: one_time}}\n"
USERS = "destination: {type: braze, connection: braze, data: attributes}\nalerts: {email: [crm@example.com]}\n"


def events(name: str, *, schedule: str = "@daily", **export: str) -> str:
    """A periodic export that has its keys for itself."""
    block = ", ".join(f"{key}: {value!r}" for key, value in export.items())
    to = f"type: s3, connection: partner_{name}, data: event, path: s3://partner/{name}, export: {{{block}}}"
    return f'schedule: "{schedule}"\n{SOURCE}destination: {{{to}}}\n'


class Listing:
    """The folder ``pipelines`` of the working directory, and the state folder ``state`` beside it."""

    def __init__(self, folder: Path) -> None:
        self.files, self.state = folder / "dags" / "pipelines", folder / "state"
        self.files.mkdir(parents=True)

    def add(self, name: str, text: str, *, read: bool = True, paused: bool = False) -> None:
        """Put a file there and let Airflow read it."""
        file = self.files / f"{name}.yaml"
        file.write_text(text, encoding="utf-8")
        if read:
            with redirect_stdout(StringIO()):  # what Airflow logs
                register(build_dag(load_file(file)), paused=paused)

    def journal(self, name: str) -> Journal:
        """The run journal of a pipeline."""
        return Journal(self.state / name)

    def exported(self, name: str, run: str, ago: timedelta, *, kind: str = "periodic", error: str = "", **more: Any) -> None:
        """A run of an export that ended some time ago, in Airflow and in the journal."""
        about = {"data": "event", "type": kind, "connection": f"partner_{name}", "attempt": 1, **more}
        ended, began = NOW - ago, NOW - ago - timedelta(minutes=1)
        status = "config_error" if error else "success"
        told = {"error": error} if error else {"report": {"rows": {"read": 1200, "sent": 1200}, "bytes": 34567}}
        self.journal(name).note(run, iso(began), status, ended=iso(ended), **told, **about)
        ran(name, run, "failed" if error else "success", ended)


def iso(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


def ran(dag: str, run: str, state: str, ended: datetime | None = None) -> None:
    """A run in Airflow's database."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunType

    with create_session() as session:
        made = DagRun(dag_id=dag, run_id=run, run_type=DagRunType.MANUAL, state=DagRunState(state), run_after=NOW)
        made.end_date = ended
        session.add(made)


def change(dag: str, **values: Any) -> None:
    """Change what Airflow says of a DAG."""
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        model = session.get_one(DagModel, dag)
        for name, value in values.items():
            setattr(model, name, value)


def is_paused(dag: str) -> bool:
    from airflow.models.dag import DagModel
    from airflow.utils.session import create_session

    with create_session() as session:
        return bool(session.get_one(DagModel, dag).is_paused)


def unread(dag: str) -> None:
    """What Airflow does when a DAG is no longer in any file: it is stale, and its references to assets go."""
    from airflow.models.asset import TaskOutletAssetReference
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    change(dag, is_stale=True)
    with create_session() as session:
        session.execute(delete(TaskOutletAssetReference).where(TaskOutletAssetReference.dag_id == dag))


@contextmanager
def import_error(file: str) -> Iterator[None]:
    """A DAG file that Airflow cannot import meanwhile."""
    from airflow.models.errors import ParseImportError
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    with create_session() as session:
        session.add(ParseImportError(filename=file, bundle_name="tests", stacktrace="ImportError", timestamp=NOW))
    try:
        yield
    finally:
        with create_session() as session:
            session.execute(delete(ParseImportError).where(ParseImportError.filename == file))
