"""One try of an export: puts warehouse, window, files and bucket together, and keeps the record of the run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from airflow.sdk import Asset

from activation.destinations.s3 import checks, layout
from activation.destinations.s3.cases import ExportCase
from activation.destinations.s3.export import export
from activation.destinations.s3.formats import Compression, Format
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.plan import Place, Plan, Progress, Report
from activation.destinations.s3.settings import Transfer
from activation.findings import Finding
from activation.hooks.s3_export import S3ExportHook
from activation.operators.export_cases import ExportJournal, cased, queried
from activation.operators.export_limits import about, keep_limits, refuse_inactive
from activation.operators.intervals import Interval
from activation.operators.memory import STARTED, started, state_folder, state_root
from activation.operators.record import now, recorded
from activation.operators.source import opened, relation_of, tag_of
from activation.operators.summary import summarize
from activation.operators.unloading import Pushed, Rows, pushed, unload
from activation.operators.ways import export_encryption
from activation.records.layout import column_named
from activation.spec import Pipeline, S3Destination
from activation.warehouses.base import Column, Extract, Only, Warehouse, named
from activation.warehouses.typed import field_of

if TYPE_CHECKING:
    from airflow.sdk import Context

log = logging.getLogger(__name__)

TRUE = ("true", "t", "1")
"""How the engines write the truth."""


@dataclass(frozen=True, slots=True)
class Bound:
    """What is read, and what it is bound for."""

    extract: Extract
    schema: pa.Schema


class Export:
    """One try. What can be wrong with the configuration is found before the first byte is written.

    :param pipeline: with rendered templates and a destination of type ``s3``.
    :param asset: the pipeline's.
    :param choose: gives what to export, the oldest first; is asked once the run has its record.
    """

    def __init__(self, pipeline: Pipeline, asset: Asset, choose: Callable[[], tuple[Interval, ...]], context: Context) -> None:
        assert isinstance(pipeline.destination, S3Destination)  # noqa: S101 - the operator takes no other
        self._pipeline, self._to, self._choose = pipeline, pipeline.destination, choose
        self._intervals: tuple[Interval, ...] = ()
        task = context["ti"]
        self._run = str(context["run_id"])
        self._tag = tag_of(context)
        self._attempt = int(task.try_number)
        self._journal = ExportJournal(state_folder(pipeline.id))
        self._store, self._asset_store = context["task_state_store"], context["asset_state_store"][asset]
        self._started = started(self._store, now())
        self._warehouse: Warehouse | None = None
        self._push: Pushed | None = None
        self._stopped = False

    def __call__(self) -> dict[str, Any]:
        """Export every interval.

        :returns: the report, as plain JSON.
        :raises ConfigurationError: for what a person must fix; its text begins with a case of contract s3_export 1.4 where AWS is
            the reason.
        :raises TransientError: for what may pass; the next try writes the interval anew, and no reader sees the difference.
        """
        facts = {"attempt": self._attempt, **about(self._to)}
        with recorded(self._journal, self._run, self._started, self._asset_store, **facts):
            refuse_inactive(state_root(), self._pipeline.id)
            self._intervals = self._choose()
            keep_limits(state_root(), self._pipeline.id, self._run, self._to, self._intervals[-1].start)
            reports = self._exported()
            summary = self._summary(reports)
            end = {"ended": now(), "report": summary, **facts}
            self._journal.note(self._run, self._started, "success", **end)
        summarize(self._asset_store, {"run": self._run, "started": self._started, "status": "success", **end})
        self._store.delete(STARTED)  # a run that is cleared after its end gets a record of its own
        return summary

    def preview(self) -> dict[str, Any]:
        """Count what a run would export. The bucket is not looked at, nothing is written and no state changes.

        :returns: JSON: the rows, and for each interval its rows and the key of the manifest that it would have.
        :raises ConfigurationError: as :meth:`__call__` does.
        """
        self._warehouse = opened(self._pipeline.source, self._tag)
        with closing(self._warehouse) as warehouse:
            bound, found = self._bind(warehouse), list[dict[str, Any]]()
            for interval in self._choose():
                rows, place = warehouse.count(bound.extract, interval.window), self._plan(interval).place
                span = {"start": interval.start.isoformat(), "end": interval.end.isoformat()}
                found.append({**span, "rows": rows, "manifest": layout.manifest_key(place.prefix)})
        total = sum(one["rows"] for one in found)
        return {"status": "preview", "run": self._run, "rows": {"read": total}, "exports": found}

    def stop(self) -> None:
        """End after the batch that is being written; the warehouse's statement ends too."""
        self._stopped = True
        if self._warehouse is not None:
            self._warehouse.cancel()
        if self._push is not None:
            self._push.unloader.cancel()

    def _exported(self) -> list[Report]:
        access = self._to.access
        hook = S3ExportHook(
            self._to.connection, role_arn=access.role_arn, external_id=access.external_id, region_name=access.region
        )
        bucket, folder = self._to.place
        checks.require(hook.access(), checks.Place(bucket, folder, export_encryption(self._to), self._pipeline.id), _tell)
        client = hook.get_conn()
        with cased(ExportCase.QUERY):
            self._warehouse = opened(self._pipeline.source, self._tag)
        with closing(self._warehouse) as warehouse:
            with cased(ExportCase.PARAMETER):
                bound = self._bind(warehouse)
            return [self._one(warehouse, bound, interval, client) for interval in self._intervals]

    def _one(self, warehouse: Warehouse, bound: Bound, interval: Interval, client: Any) -> Report:
        window = interval.window
        with cased(ExportCase.QUERY):
            expected = warehouse.count(bound.extract, window)
        log.info("Exporting %s rows of %s", f"{expected:,}", interval)

        def told(progress: Progress) -> None:
            share = f"{progress.rows / expected:.0%}" if expected else "all"
            size, rate = f"{progress.bytes / 1e6:,.1f}", f"{progress.rate:,.0f}"
            log.info("%s rows (%s), %s MB in %s parts, %s rows/s", f"{progress.rows:,}", share, size, progress.parts, rate)

        plan = self._plan(interval)
        self._push = pushed(self._pipeline.source.type, warehouse, self._to, plan, bound.extract, window)
        if self._push is not None and expected:
            rows = Rows(bound.extract, bound.schema, window, expected, lambda: warehouse.count(bound.extract, window))
            report = unload(self._push, rows, plan, client, self._store, lambda: self._stopped)
        else:
            with closing(warehouse.typed(bound.extract, window)) as batches:
                report = export(queried(batches), bound.schema, plan, client, told, lambda: self._stopped)
        log.info("Exported %s rows; the manifest is s3://%s/%s", f"{report.rows:,}", self._to.place[0], report.manifest)
        return report

    def _bind(self, warehouse: Warehouse) -> Bound:
        """Find the columns.

        :raises ConfigurationError: if one is missing, or the warehouse does not know the table.
        """
        relation = relation_of(self._pipeline.source)
        with cased(ExportCase.QUERY):
            columns = warehouse.columns(relation)
        name, select = named(relation), self._to.select
        cursor = column_named(name, columns, self._pipeline.cursor.column)
        key = tuple(column_named(name, columns, wanted) for wanted in self._pipeline.cursor.key or ())
        listed = [column_named(name, columns, wanted) for wanted in select.properties]
        fixed = (cursor, *key)
        inside = select.properties_condition == "include"
        every = select.properties_condition == "all"
        values = tuple(column for column in columns if every or column in fixed or (column in listed) == inside)
        extract = Extract(relation, cursor, key, values, self._only(name, columns))
        return Bound(extract, pa.schema([field_of(column) for column in values]))

    def _only(self, name: str, columns: tuple[Column, ...]) -> tuple[Only, ...]:
        select, found = self._to.select, list[Only]()
        if select.events:
            column = column_named(name, columns, select.event_column)
            found.append(Only(column, select.events, select.events_condition == "include"))
        if select.audience is not None:
            found.append(Only(column_named(name, columns, select.audience_column), (select.audience,)))
        if select.active_column is not None:
            found.append(Only(column_named(name, columns, select.active_column), TRUE))
        return tuple(found)

    def _plan(self, interval: Interval) -> Plan:
        files, (bucket, folder) = self._to.files, self._to.place
        zone, snapshot = self._to.export.zone, interval.start if self._to.data == "user_profile" else None
        name = self._pipeline.description or self._pipeline.id
        identity = Identity(self._pipeline.id, name, self._run, self._to.data, interval.start, interval.end, zone, snapshot)
        template = files.layout or layout.default_template(hourly=interval.hourly)
        usual: Compression = "zstd" if files.format == "parquet" else "gzip"
        return Plan(
            Place(bucket, layout.prefix(template, folder, identity)),
            identity,
            Format(files.format, files.compression or usual),
            PartLimit(files.part_rows, int(files.part_bytes) if files.part_bytes else None),
            files.on_exists,
            export_encryption(self._to),
            files.success_marker,
            Transfer(in_flight=self._pipeline.delivery.in_flight),
        )

    def _summary(self, reports: list[Report]) -> dict[str, Any]:
        rows = sum(report.rows for report in reports)
        return {
            "status": "success",
            "run": self._run,
            "rows": {"read": rows, "sent": rows, "rejected": 0, "skipped": 0},
            "bytes": sum(report.bytes for report in reports),
            "exports": [
                {"start": interval.start.isoformat(), "end": interval.end.isoformat(), **_brief(report)}
                for interval, report in zip(self._intervals, reports, strict=True)
            ],
        }


def _brief(report: Report) -> dict[str, Any]:
    """What a person wants to know of one export; the manifest has the rest."""
    facts = ("rows", "bytes", "manifest", "ignored", "warnings", "seconds")
    found = report.to_json()
    return {"files": len(report.files), **{name: found[name] for name in facts}}


def _tell(finding: Finding) -> None:
    log.info("Check %s: %s, %s", finding.name, finding.verdict.value, finding.text)
