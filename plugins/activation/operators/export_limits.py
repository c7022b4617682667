"""Limits of an export that only a run can keep: profiles once a day, one extraction at a time (contracts: s3_export 1.1).

They are decided by the run journals of all pipelines that export to the same connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from activation.delivery.folder import Folder, listed
from activation.delivery.inactive import read_mark
from activation.delivery.journal import Journal
from activation.destinations.s3.cases import ExportCase
from activation.destinations.s3.errors import case_error
from activation.errors import TransientError
from activation.spec import S3Destination

ALIVE = timedelta(days=1)
"""After this time a run that is still noted as running counts as dead: its process was killed and Airflow has given it up."""

_NEWEST = 20
"""Records of a pipeline that are looked at."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """A run of a one-time export, as its pipeline's journal tells it."""

    pipeline: str
    record: Mapping[str, Any]

    @property
    def run(self) -> tuple[str, str]:
        """The pipeline and its run, the same for every try."""
        return self.pipeline, str(self.record.get("run"))


def about(to: S3Destination) -> dict[str, Any]:
    """What the record of a run says of its export, for the limits of others."""
    return {"data": to.data, "type": to.export.type, "connection": to.connection}


def refuse_inactive(root: Folder, pipeline_id: str) -> None:
    """Refuse every run of an export that was made inactive: it is final (contracts: s3_export 1.2).

    :param root: the folder of all pipelines' state folders.
    :raises ConfigurationError: ``invalid_parameter``; says since when.
    :raises TransientError: if the state folder cannot be read.
    """
    try:
        mark = read_mark(root / pipeline_id)
    except OSError as error:
        raise case_error(ExportCase.STATE, f"The state folder of {pipeline_id} could not be read: {error}.") from error
    if mark is not None:
        problem = f"The export {pipeline_id} was {mark}; Inactive is final."
        raise case_error(ExportCase.PARAMETER, problem, "Give the pipeline another id.")


def keep_limits(root: Folder, pipeline_id: str, run: str, to: S3Destination, day: datetime) -> None:
    """Refuse a one-time export that ``compat: dfinery`` forbids now. The run must have been noted as running before: so of two
    that begin at once at least one sees the other.

    :param root: the folder of all pipelines' state folders.
    :param day: the midnight that profiles are as of.
    :raises ConfigurationError: ``invalid_parameter``, if profiles were exported today already; says when it is possible again.
    :raises TransientError: if another one-time export to the same connection is running, or the journals cannot be read.
    """
    if to.export.compat != "dfinery" or to.export.type != "one_time":
        return
    others = [one for one in extractions(root, to.connection) if one.run != (pipeline_id, run)]
    if to.data == "user_profile":
        once_a_day(others, day, ZoneInfo(to.export.zone))
    alone(others, datetime.now(timezone.utc))


def extractions(root: Folder, connection: str) -> Iterator[Extraction]:
    """The newest runs of all one-time exports to a connection.

    :raises TransientError: if the journals cannot be read.
    """
    wanted = ("one_time", connection)
    try:
        for folder in listed(root):
            journal = Journal(folder)
            # Most pipelines are of another kind, as their newest record shows.
            if any(_kind(record) == wanted for record in journal.latest(1)):
                yield from (Extraction(folder.name, one) for one in journal.latest(_NEWEST) if _kind(one) == wanted)
    except OSError as error:
        raise case_error(ExportCase.STATE, f"The run journals in {root} could not be read: {error}.") from error


def once_a_day(others: Iterable[Extraction], day: datetime, zone: ZoneInfo) -> None:
    """Refuse a second export of profiles on one day.

    :raises ConfigurationError: if one of the others exported them.
    """
    today = day.astimezone(zone).date()
    for other in others:
        if other.record.get("status") == "success" and other.record.get("data") == "user_profile":
            exports = other.record.get("report", {}).get("exports", ())
            if today in {datetime.fromisoformat(one["start"]).astimezone(zone).date() for one in exports}:
                again = datetime.combine(today + timedelta(days=1), datetime.min.time(), zone)
                raise case_error(
                    ExportCase.PARAMETER,
                    f"The profiles of {today} ({zone.key}) were exported before, by {other.pipeline}; compat: dfinery allows one "
                    f"export a day, the next from {again.isoformat()} on.",
                    "Run it then, or lift the limits with compat: none.",
                )


def alone(others: Iterable[Extraction], now: datetime) -> None:
    """Refuse to begin while another export is running.

    :raises TransientError: if one of the others is.
    """
    for other in others:
        if other.record.get("status") == "running":
            started = datetime.fromisoformat(str(other.record["started"]))
            if now - started < ALIVE:
                raise TransientError(
                    f"The one-time export {other.pipeline} to the same connection is running since {started.isoformat()}, and "
                    "compat: dfinery allows one at a time. Fix: Wait until it has ended, or lift the limits with compat: none."
                )


def _kind(record: Mapping[str, Any]) -> tuple[Any, Any]:
    return record.get("type"), record.get("connection")
