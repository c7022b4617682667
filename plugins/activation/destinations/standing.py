"""How each pipeline stands, of every kind, and how all exports do together (contracts: s3_export 1.2, 1.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, cast

from activation.destinations.known import Known
from activation.destinations.s3.status import (
    Counters,
    Export,
    Facts,
    Failure,
    Status,
    count,
    failures,
    is_over,
    newest,
    status_of,
)
from activation.spec import S3Destination

Type = Literal["periodic", "one_time"]


@dataclass(frozen=True, slots=True)
class What:
    """What a pipeline carries; empty where neither its file nor a run has told it.

    :ivar type: ``periodic`` or ``one_time`` of an export, else the destination's type.
    :ivar data: what a row is, such as ``event``.
    :ivar source: the table.
    :ivar target: the S3 path, else the connection.
    :ivar cycle: in words where it has a word, else as cron.
    """

    name: str
    type: str
    data: str
    source: str
    target: str
    cycle: str


@dataclass(frozen=True, slots=True)
class Last:
    """The run that ended last.

    :ivar ended: ISO 8601.
    :ivar status: as the record of a run says it, or as Airflow does if it left no record.
    :ivar rows: rows sent; ``None`` if it did not come to that.
    :ivar bytes: what they took.
    """

    ended: str
    status: str
    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """One pipeline in the list.

    :ivar status: ``None`` if Airflow has not read its file.
    :ivar errors: of the last seven days, the newest first.
    :ivar note: what a person should know beside it; empty if there is nothing.
    """

    id: str
    what: What
    status: Status | None
    last: Last | None
    errors: tuple[Failure, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All pipelines by id, the counters of the exports among them, and the errors of all, the newest first."""

    pipelines: tuple[Standing, ...]
    counters: Counters
    errors: tuple[Failure, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; errors stand once, and are counted elsewhere."""
        counted = self.counters
        return {
            "counters": {
                "created": counted.created,
                "active": counted.active,
                "completed": counted.completed,
                "errors": len(counted.errors),
                "last_sync": counted.last_sync and counted.last_sync.isoformat(timespec="milliseconds"),
            },
            "pipelines": [
                {
                    "id": one.id,
                    **asdict(one.what),
                    "status": one.status and one.status.value,
                    "last": one.last and asdict(one.last),
                    "errors": len(one.errors),
                    "note": one.note,
                }
                for one in self.pipelines
            ],
            "errors": [asdict(error) for error in self.errors],
        }


def overview(pipelines: Iterable[Known], now: datetime) -> Overview:
    """Tell how pipelines stand.

    :param now: aware.
    """
    gathered = list(pipelines)
    standings = tuple(_standing(one, now) for one in gathered)
    exports = [
        Export(one.id, kind, standing.status, one.records)
        for one, standing in zip(gathered, standings, strict=True)
        if (kind := export_type(one)) is not None
    ]
    return Overview(standings, count(exports, now), newest(error for one in standings for error in one.errors))


def export_type(one: Known) -> Type | None:
    """The type of an export, by its file or else by its newest run; ``None`` if it is none."""
    if one.file is not None:
        to = one.file.destination
        return to.export.type if isinstance(to, S3Destination) else None
    kinds = (record["type"] for record in one.records if record.get("type") in ("periodic", "one_time"))
    return cast("Type | None", next(kinds, None))


def _export(one: Known, now: datetime) -> Status:
    to = one.file.destination if one.file is not None else None
    over = isinstance(to, S3Destination) and is_over(to.export.end, to.export.zone, now)
    return status_of(
        Facts(export_type(one) or "periodic", one.runs, one.seen.paused, over, one.removed, one.inactive is not None)
    )


def _plain(one: Known, now: datetime) -> Status:
    if one.removed:
        return Status.INACTIVE
    return Status.PAUSED if one.seen.paused else Status.ACTIVE


STATUSES: Mapping[str, Callable[[Known, datetime], Status]] = {"periodic": _export, "one_time": _export}
"""How a status is told, by type. Of any other type it is Active or Paused, or Inactive where the file was taken away."""


def _standing(one: Known, now: datetime) -> Standing:
    what, note = _what(one), _note(one)
    unread = one.inactive is None and (one.unusable or _unread(one))
    status = None if unread else STATUSES.get(what.type, _plain)(one, now)
    return Standing(one.id, what, status, _last(one), failures(one.id, one.records, now), note)


def _unread(one: Known) -> bool:
    """Whether Airflow has no DAG of it now, but may have one again."""
    return not one.seen.dags and not one.removed


def _note(one: Known) -> str:
    if one.inactive is not None:
        return f"{one.inactive}; its runs are refused"
    if one.unusable:
        return "its file cannot be used: see activation validate"
    if _unread(one):
        return "Airflow has no DAG of it: see airflow dags list-import-errors, or wait until it has read the file"
    return ""


def _what(one: Known) -> What:
    kind = export_type(one)
    if one.file is None:
        record: Mapping[str, Any] = next((record for record in one.records if "connection" in record), {})
        return What("", kind or "", str(record.get("data", "")), "", str(record.get("connection", "")), one.seen.cycle)
    pipeline, to = one.file, one.file.destination
    zone = to.export.zone if isinstance(to, S3Destination) else "UTC"
    cycle = "once" if kind == "one_time" else in_words(pipeline.schedule, zone)
    target = to.path if isinstance(to, S3Destination) else to.connection
    return What(pipeline.description, kind or to.type, str(getattr(to, "data", "")), pipeline.source.name, target, cycle)


def in_words(schedule: str | None, zone: str) -> str:
    """A schedule as people say it: ``hourly``, ``daily (Asia/Seoul)``, or the cron expression.

    :param zone: where its days begin, by its IANA name.
    """
    if schedule is None:
        return "by hand"
    word = schedule.removeprefix("@")
    return word if word == "hourly" or zone == "UTC" else f"{word} ({zone})"


def _last(one: Known) -> Last | None:
    record = one.ended
    if record is None:
        ends = ((run.ended, run.state) for run in one.seen.runs if run.ended is not None)
        return next((Last(ended.isoformat(timespec="milliseconds"), state) for ended, state in ends), None)
    report = record.get("report") or {}
    rows = report.get("rows") or {}
    return Last(str(record["ended"]), str(record.get("status")), rows.get("sent"), report.get("bytes"))
