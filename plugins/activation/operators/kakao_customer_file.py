"""Advertising ids as customer files of Kakao Moment, as Treasure Data's connector makes them and beyond (contracts: kakao 6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from activation.operators.base import PipelineOperator, told_to_airflow
from activation.operators.orders import CHECK, PREVIEW, file_mode

if TYPE_CHECKING:
    from airflow.sdk import Context

GRACE = timedelta(minutes=10)
"""How long after its own time-out Airflow ends a wait whose triggerer is gone."""


class KakaoCustomerFileOperator(PipelineOperator):
    """Registers or edits customer files, and waits in Airflow's triggerer until they are ready.

    What is uploaded is kept in the task's state: a retry makes no file twice, and goes on waiting for those that are there. For
    the parameters ``pipeline_id``, ``source`` and ``destination`` see :class:`~activation.operators.base.PipelineOperator`.

    :param columns: ``{"fields": …}``: further columns, only where the files go to a folder.
    :param order: ``{"mode": "run" | "preview" | "check", "dry_run": …}`` (templated); a dry run is a preview; empty: run.
    :param max_reject_share: a list of which a greater share of at least 1,000 rows is rejected is not sent; 0 to 1.
    :param max_rows: a table with more rows is not read at all; ``None`` is without limit.
    :returns: the report, as XCom: rows by their end, the files with their ids, states and sizes, stale parts, and removed files.
    :raises AirflowFailException: for what a person must fix; a retry would not help.
    :raises TransientError: for what may pass; Airflow retries the task.
    """

    takes = "kakao_moment"
    ui_color = "#fef9c3"

    def __init__(
        self,
        *,
        columns: Mapping[str, Any] | None = None,
        order: Mapping[str, Any] | None = None,
        max_reject_share: float = 0.5,
        max_rows: int | None = 500_000_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.columns = dict(columns or {})
        self.order = dict(order or {})
        self.max_reject_share = max_reject_share
        self.max_rows = max_rows
        self.pipeline()

    def _blocks(self) -> dict[str, Any]:
        return {
            "columns": self.columns,
            "errors": {"max_reject_share": self.max_reject_share, "max_rows": self.max_rows},
        }

    def execute(self, context: Context) -> dict[str, Any]:
        """Make the files; defers where they have to be waited for."""
        from activation.operators.kakao_run import KakaoRun

        with told_to_airflow():
            mode = file_mode(self.order)
            if mode == CHECK:
                return self._ended(self._checked(context), context)
            run = self._try = KakaoRun(self.pipeline(), self.asset, context)
            report = run.preview() if mode == PREVIEW else run()
        if report is None:
            wait = run.wait
            self.defer(trigger=wait.trigger(), method_name="execute_complete", timeout=wait.left + GRACE)
        return self._told(report, context)

    def execute_complete(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any]:
        """End the run with what the trigger has seen."""
        from activation.operators.kakao_run import KakaoRun

        with told_to_airflow():
            report = KakaoRun(self.pipeline(), self.asset, context).waited(event)
        return self._told(report, context)

    def _told(self, report: dict[str, Any], context: Context) -> dict[str, Any]:
        return self._ended(report, context, rows=report["rows"], files=[one["name"] for one in report["files"]])
