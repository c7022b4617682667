"""Export of events and user profiles into a partner's bucket, as Dfinery's partner sync does it (contracts: s3_export 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError, FatalError
from activation.operators.memory import asset_of
from activation.spec import Pipeline, S3Destination
from activation.spec.blocks import pipeline_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.exporting import Export
    from activation.operators.intervals import Interval

_NO_SCHEDULE = "@daily"


class S3ExportOperator(BaseOperator):
    """Writes the rows of an interval as files into a bucket, and behind them a manifest that says what is whole.

    The blocks have the grammar of a pipeline file. Keys and bytes follow from the interval alone, so a retry or a re-run meets
    its own objects; readers go by ``_manifest.json``.

    :param pipeline_id: names the state and stands in the path of every export.
    :param source: ``{"type": "duckdb" | …, "connection": …, "table": …}`` (templated).
    :param destination: ``{"type": "s3", "connection": …, "data": "event", "path": "s3://bucket/folder", …}`` (templated).
    :param cursor: ``{"column": …, "key": […], "lookback": …}``: the column that tells when a row happened, the columns that order
        rows of one instant, and how far back intervals are written again.
    :param in_flight: parts of a file that are sent at the same time; each takes 16 MiB.
    :param interval_start: first instant to export, ISO 8601 (templated); empty: the run's data interval.
    :param interval_end: first instant behind it (templated).
    :returns: the report, as XCom: rows, bytes, and for each interval its manifest.
    :raises AirflowFailException: for what a person must fix; a retry would not help.
    :raises TransientError: for what may pass; Airflow retries the task.
    """

    template_fields: Sequence[str] = ("source", "destination", "interval_start", "interval_end")
    template_fields_renderers = {"source": "json", "destination": "json"}  # noqa: RUF012 - Airflow's own way
    ui_color = "#e9f7ec"

    def __init__(
        self,
        *,
        pipeline_id: str,
        source: Mapping[str, Any],
        destination: Mapping[str, Any],
        cursor: Mapping[str, Any] | None = None,
        in_flight: int = 4,
        interval_start: str = "",
        interval_end: str = "",
        **kwargs: Any,
    ) -> None:
        self.asset = asset_of(pipeline_id)
        kwargs["outlets"] = [*kwargs.get("outlets", ()), self.asset]
        super().__init__(**kwargs)
        self.pipeline_id = pipeline_id
        self.source = dict(source)
        self.destination = dict(destination)
        self.cursor = dict(cursor or {})
        self.in_flight = in_flight
        self.interval_start = interval_start
        self.interval_end = interval_end
        self.pipeline()
        self._export: Export | None = None

    def pipeline(self) -> Pipeline:
        """The blocks as one validated pipeline; once Airflow has rendered the templates, the rendered one.

        :raises ConfigurationError: if a block is wrong; names the field, what is allowed and the fix.
        """
        if (kind := self.destination.get("type", "s3")) != "s3":
            raise ConfigurationError(
                f"Pipeline {self.pipeline_id}: {type(self).__name__} does not export to {kind}.",
                "Use destination: {type: s3, …}, or WarehouseIncrementalImportOperator for braze.",
            )
        once = (self.destination.get("export") or {}).get("type") == "one_time"
        blocks = {
            "id": self.pipeline_id,
            "schedule": None if once else _NO_SCHEDULE,  # the DAG has the schedule; the grammar wants to see one
            "source": self.source,
            "cursor": self.cursor,
            "destination": {"type": "s3", **self.destination},
            "delivery": {"in_flight": self.in_flight},
        }
        return pipeline_of(blocks, name=f"Pipeline {self.pipeline_id}")

    def execute(self, context: Context) -> dict[str, Any]:
        """Export one interval, and those before it that the look-back names."""
        from activation.operators.exporting import Export

        try:
            pipeline = self.pipeline()
            self._export = Export(pipeline, lambda: self._intervals(pipeline, context["dag_run"]), context)
            report = self._export()
        except (ConfigurationError, FatalError) as error:
            raise AirflowFailException(str(error)) from None
        context["outlet_events"][self.asset].extra = {
            "manifests": [one["manifest"] for one in report["exports"]],
            "rows": report["rows"],
        }
        return report

    def _intervals(self, pipeline: Pipeline, run: Any) -> tuple[Interval, ...]:
        from activation.operators.intervals import interval_of

        to = pipeline.destination
        assert isinstance(to, S3Destination)  # noqa: S101 - pipeline() says so
        given = {"interval_start": self.interval_start, "interval_end": self.interval_end}
        found = interval_of(to.export, to.data, given, run, datetime.now(timezone.utc))
        return found.before(pipeline.cursor.lookback.timedelta)

    def on_kill(self) -> None:
        """End without a manifest; Airflow calls it when it wants the task to stop."""
        if self._export is not None:
            self._export.stop()
