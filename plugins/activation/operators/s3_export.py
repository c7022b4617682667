"""Export of events and user profiles into a partner's bucket, as Dfinery's partner sync does it (contracts: s3_export 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from activation.operators.base import PipelineOperator, told_to_airflow
from activation.operators.orders import CHECK, PREVIEW, file_mode
from activation.spec import Pipeline, S3Destination

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.intervals import Interval

_NO_SCHEDULE = "@daily"


class S3ExportOperator(PipelineOperator):
    """Writes the rows of an interval as files into a bucket, and behind them a manifest that says what is whole.

    Keys and bytes follow from the interval alone, so a retry or a re-run meets its own objects; readers go by
    ``_manifest.json``. The pipeline's id stands in the path of every export. For the parameters ``pipeline_id``, ``source`` and
    ``destination`` see :class:`~activation.operators.base.PipelineOperator`.

    :param cursor: ``{"column": …, "key": […], "lookback": …}``: the column that tells when a row happened, the columns that order
        rows of one instant, and how far back intervals are written again.
    :param in_flight: parts of a file that are sent at the same time; each takes 16 MiB.
    :param interval_start: first instant to export, ISO 8601 (templated); empty: the run's data interval.
    :param interval_end: first instant behind it (templated).
    :param order: ``{"mode": "run" | "preview" | "check", "dry_run": …}`` (templated); a preview, or a dry run, counts the rows of
        the interval and tells where its files would go; empty: run.
    :returns: the report, as XCom: rows, bytes, and for each interval its manifest.
    :raises AirflowFailException: for what a person must fix; a retry would not help.
    :raises TransientError: for what may pass; Airflow retries the task.
    """

    template_fields: Sequence[str] = (*PipelineOperator.template_fields, "interval_start", "interval_end")
    takes = "s3"
    ui_color = "#e9f7ec"

    def __init__(
        self,
        *,
        cursor: Mapping[str, Any] | None = None,
        in_flight: int = 4,
        interval_start: str = "",
        interval_end: str = "",
        order: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cursor = dict(cursor or {})
        self.in_flight = in_flight
        self.interval_start = interval_start
        self.interval_end = interval_end
        self.order = dict(order or {})
        self.pipeline()

    def _blocks(self) -> dict[str, Any]:
        once = (self.destination.get("export") or {}).get("type") == "one_time"
        return {
            "schedule": None if once else _NO_SCHEDULE,  # the DAG has the schedule; the grammar wants to see one
            "cursor": self.cursor,
            "delivery": {"in_flight": self.in_flight},
        }

    def execute(self, context: Context) -> dict[str, Any]:
        """Export one interval, and those before it that the look-back names."""
        from activation.operators.exporting import Export

        with told_to_airflow():
            mode = file_mode(self.order)
            if mode == CHECK:
                return self._ended(self._checked(context), context)
            pipeline = self.pipeline()
            export = self._try = Export(pipeline, self.asset, lambda: self._intervals(pipeline, context["dag_run"]), context)
            report = export.preview() if mode == PREVIEW else export()
        return self._ended(report, context, manifests=[one["manifest"] for one in report["exports"]], rows=report["rows"])

    def _intervals(self, pipeline: Pipeline, run: Any) -> tuple[Interval, ...]:
        from activation.operators.intervals import interval_of

        to = pipeline.destination
        assert isinstance(to, S3Destination)  # noqa: S101 - pipeline() says so
        given = {"interval_start": self.interval_start, "interval_end": self.interval_end}
        found = interval_of(to.export, to.data, given, run, datetime.now(timezone.utc))
        return found.before(pipeline.cursor.lookback.timedelta)
