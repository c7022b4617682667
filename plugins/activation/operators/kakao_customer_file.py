"""Advertising ids as customer files of Kakao Moment, as Treasure Data's connector makes them and beyond (contracts: kakao 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError, FatalError
from activation.operators.memory import asset_of
from activation.spec import Pipeline
from activation.spec.blocks import pipeline_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.kakao_run import KakaoRun

RUN, PREVIEW = MODES = ("run", "preview")
"""What a run can be asked to do: make the files, or show what it would make."""

GRACE = timedelta(minutes=10)
"""How long after its own time-out Airflow ends a wait whose triggerer is gone."""


class KakaoCustomerFileOperator(BaseOperator):
    """Registers or edits customer files, and waits in Airflow's triggerer until they are ready.

    The blocks have the grammar of a pipeline file. What is uploaded is kept in the task's state: a retry makes no file twice, and
    goes on waiting for those that are there.

    :param pipeline_id: names the state folder with records and rejects.
    :param source: ``{"type": "duckdb" | …, "connection": …, "table": …}`` (templated).
    :param destination: ``{"type": "kakao_moment", "connection": …, "ad_account_id": …, "mode": "register", "file_name": …, …}``
        (templated).
    :param columns: ``{"fields": …}``: further columns, only where the files go to a folder.
    :param order: ``{"mode": "run" | "preview"}`` (templated); empty: run.
    :param max_reject_share: a list of which a greater share of at least 1,000 rows is rejected is not sent; 0 to 1.
    :param max_rows: a table with more rows is not read at all; ``None`` is without limit.
    :returns: the report, as XCom: rows by their end, the files with their ids, states and sizes, and stale parts.
    :raises AirflowFailException: for what a person must fix; a retry would not help.
    :raises TransientError: for what may pass; Airflow retries the task.
    """

    template_fields: Sequence[str] = ("source", "destination", "order")
    template_fields_renderers = {"source": "json", "destination": "json", "order": "json"}  # noqa: RUF012 - Airflow's own way
    ui_color = "#fef9c3"

    def __init__(
        self,
        *,
        pipeline_id: str,
        source: Mapping[str, Any],
        destination: Mapping[str, Any],
        columns: Mapping[str, Any] | None = None,
        order: Mapping[str, Any] | None = None,
        max_reject_share: float = 0.5,
        max_rows: int | None = 500_000_000,
        **kwargs: Any,
    ) -> None:
        self.asset = asset_of(pipeline_id)
        kwargs["outlets"] = [*kwargs.get("outlets", ()), self.asset]
        super().__init__(**kwargs)
        self.pipeline_id = pipeline_id
        self.source = dict(source)
        self.destination = dict(destination)
        self.columns = dict(columns or {})
        self.order = dict(order or {})
        self.max_reject_share = max_reject_share
        self.max_rows = max_rows
        self.pipeline()
        self._run: KakaoRun | None = None

    def pipeline(self) -> Pipeline:
        """The blocks as one validated pipeline; once Airflow has rendered the templates, the rendered one.

        :raises ConfigurationError: if a block is wrong; names the field, what is allowed and the fix.
        """
        if (kind := self.destination.get("type", "kakao_moment")) != "kakao_moment":
            raise ConfigurationError(
                f"Pipeline {self.pipeline_id}: {type(self).__name__} makes no files for {kind}.",
                "Use destination: {type: kakao_moment, …}, or the operator of that destination.",
            )
        blocks = {
            "id": self.pipeline_id,
            "source": self.source,
            "destination": {"type": "kakao_moment", **self.destination},
            "columns": self.columns,
            "errors": {"max_reject_share": self.max_reject_share, "max_rows": self.max_rows},
        }
        return pipeline_of(blocks, name=f"Pipeline {self.pipeline_id}")

    def execute(self, context: Context) -> dict[str, Any]:
        """Make the files; defers where they have to be waited for."""
        from activation.operators.kakao_run import KakaoRun

        mode = str(self.order.get("mode") or RUN)
        try:
            if mode not in MODES:
                raise ConfigurationError(f"There is no mode {mode!r}.", f"Choose one of {', '.join(MODES)}.")
            self._run = KakaoRun(self.pipeline(), context)
            if mode == PREVIEW:
                return self._run.preview()
            report = self._run()
        except (ConfigurationError, FatalError) as error:
            raise AirflowFailException(str(error)) from None
        if report is None:
            wait = self._run.wait
            self.defer(trigger=wait.trigger(), method_name="execute_complete", timeout=wait.left + GRACE)
        return self._ended(report, context)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
        """End the run with what the trigger has seen."""
        from activation.operators.kakao_run import KakaoRun

        try:
            report = KakaoRun(self.pipeline(), context).waited(event)
        except (ConfigurationError, FatalError) as error:
            raise AirflowFailException(str(error)) from None
        return self._ended(report, context)

    def _ended(self, report: dict[str, Any], context: Context) -> dict[str, Any]:
        context["outlet_events"][self.asset].extra = {"rows": report["rows"], "files": [one["name"] for one in report["files"]]}
        return report

    def on_kill(self) -> None:
        """Stop reading; a retry goes on behind what is uploaded. Airflow calls it when it wants the task to stop."""
        if self._run is not None:
            self._run.stop()
