"""What the operators have in common that move rows along a watermark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from activation.operators.base import PipelineOperator, told_to_airflow
from activation.operators.orders import CHECK, PREVIEW, RESET, Order

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.movement import Movement


class MovingOperator(PipelineOperator):
    """Moves one window a run.

    The watermark is kept in the state of the pipeline's asset; a retry goes on where the last try stopped. For the parameters
    ``pipeline_id``, ``source`` and ``destination`` see :class:`~activation.operators.base.PipelineOperator`.

    :param cursor: which rows a run reads; see docs/pipeline-files.md.
    :param columns: which columns name what a row is about and which make its content; empty: the fixed names.
    :param delivery: how requests are sent and repeated.
    :param order: what a run does: ``{"mode": …, "limit": …, "reset_to": …, …}`` (templated); see
        :class:`activation.operators.orders.Order`. Empty: what changed since the last run.
    :param max_reject_share: a run stops when a greater share of at least 1,000 rows was rejected; 0 to 1.
    :param max_rows: a window with more rows is not sent at all; ``None`` is without limit.
    :returns: the report of the run, as XCom: rows by their end, requests, window, watermark.
    :raises AirflowFailException: for what a person must fix; a retry would not help.
    :raises TransientError: for what may pass; Airflow retries the task.
    """

    def __init__(
        self,
        *,
        cursor: Mapping[str, Any] | None = None,
        columns: Mapping[str, Any] | None = None,
        delivery: Mapping[str, Any] | None = None,
        order: Mapping[str, Any] | None = None,
        max_reject_share: float = 0.5,
        max_rows: int | None = 500_000_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.cursor = dict(cursor or {})
        self.columns = dict(columns or {})
        self.delivery = dict(delivery or {})
        self.order = dict(order or {})
        self.max_reject_share = max_reject_share
        self.max_rows = max_rows
        self.pipeline()

    def _blocks(self) -> dict[str, Any]:
        return {
            "cursor": self.cursor,
            "columns": self.columns,
            "delivery": self.delivery,
            "errors": {"max_reject_share": self.max_reject_share, "max_rows": self.max_rows},
        }

    def execute(self, context: Context) -> dict[str, Any]:
        """Move one window."""
        with told_to_airflow():
            report = self._run(Order.parse(self.order), context)
        return self._ended(report, context, watermark=report.get("watermark", {}).get("after"), rows=report.get("rows"))

    def _run(self, order: Order, context: Context) -> dict[str, Any]:
        if order.mode == CHECK:
            return self._checked(context)
        if order.mode == PREVIEW or order.dry_run:
            return self._preview(order, context)
        if order.mode == RESET:
            return self._reset(order, context)
        movement = self._try = self._begin(order, context)
        return movement().to_json()

    @abstractmethod
    def _begin(self, order: Order, context: Context) -> Movement:
        """One try of a run that moves rows."""

    @abstractmethod
    def _preview(self, order: Order, context: Context) -> dict[str, Any]:
        """Show what the next run would move."""

    @abstractmethod
    def _reset(self, order: Order, context: Context) -> dict[str, Any]:
        """Move the watermark only."""
