"""What the operators have in common that move rows along a watermark."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import ConfigurationError, FatalError
from activation.operators.memory import asset_of
from activation.operators.orders import PREVIEW, RESET, Order
from activation.spec import Pipeline
from activation.spec.blocks import pipeline_of

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.movement import Movement

OPERATORS = {
    "braze": "WarehouseIncrementalImportOperator",
    "kakao_moment": "KakaoCustomerFileOperator",
    "kinesis": "KinesisProfileStreamOperator",
    "s3": "S3ExportOperator",
}
"""``destination.type`` -> the operator that serves it."""


class MovingOperator(BaseOperator):
    """Moves one window a run.

    The blocks have the grammar of a pipeline file. The watermark is kept in the state of the asset
    ``activation/<pipeline_id>``, which is the task's outlet; a retry goes on where the last try stopped.

    :param pipeline_id: names the state; two tasks with one id would share a watermark.
    :param source: ``{"type": "duckdb" | "postgres" | …, "connection": …, "table": …}`` (templated).
    :param destination: ``{"type": …, "connection": …, …}`` (templated).
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

    template_fields: Sequence[str] = ("source", "destination", "order")
    template_fields_renderers = {"source": "json", "destination": "json", "order": "json"}  # noqa: RUF012 - Airflow's own way
    takes: ClassVar[str]
    """The ``destination.type`` that the operator serves."""

    def __init__(
        self,
        *,
        pipeline_id: str,
        source: Mapping[str, Any],
        destination: Mapping[str, Any],
        cursor: Mapping[str, Any] | None = None,
        columns: Mapping[str, Any] | None = None,
        delivery: Mapping[str, Any] | None = None,
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
        self.cursor = dict(cursor or {})
        self.columns = dict(columns or {})
        self.delivery = dict(delivery or {})
        self.order = dict(order or {})
        self.max_reject_share = max_reject_share
        self.max_rows = max_rows
        self.pipeline()
        self._movement: Movement | None = None

    def pipeline(self) -> Pipeline:
        """The blocks as one validated pipeline; once Airflow has rendered the templates, the rendered one.

        :raises ConfigurationError: if a block is wrong; names the field, what is allowed and the fix.
        """
        kind = self.destination.get("type", self.takes)
        if kind != self.takes and kind in OPERATORS:
            raise ConfigurationError(
                f"Pipeline {self.pipeline_id}: {type(self).__name__} does not carry rows to {kind}.", f"Use {OPERATORS[kind]}."
            )
        blocks = {
            "id": self.pipeline_id,
            "source": self.source,
            "destination": {"type": self.takes, **self.destination},
            "cursor": self.cursor,
            "columns": self.columns,
            "delivery": self.delivery,
            "errors": {"max_reject_share": self.max_reject_share, "max_rows": self.max_rows},
        }
        return pipeline_of(blocks, name=f"Pipeline {self.pipeline_id}")

    def execute(self, context: Context) -> dict[str, Any]:
        """Move one window."""
        try:
            report = self._run(Order.parse(self.order), context)
        except (ConfigurationError, FatalError) as error:
            raise AirflowFailException(str(error)) from None
        if report["status"] == "preview":
            return report
        context["outlet_events"][self.asset].extra = {"watermark": report["watermark"]["after"], "rows": report["rows"]}
        return report

    def _run(self, order: Order, context: Context) -> dict[str, Any]:
        if order.mode == PREVIEW:
            return self._preview(order, context)
        if order.mode == RESET:
            return self._reset(order, context)
        self._movement = self._begin(order, context)
        return self._movement().to_json()

    @abstractmethod
    def _begin(self, order: Order, context: Context) -> Movement:
        """One try of a run that moves rows."""

    @abstractmethod
    def _preview(self, order: Order, context: Context) -> dict[str, Any]:
        """Show what the next run would move."""

    @abstractmethod
    def _reset(self, order: Order, context: Context) -> dict[str, Any]:
        """Move the watermark only."""

    def on_kill(self) -> None:
        """Let what is in flight finish, keep the progress and end; Airflow calls it when it wants the task to stop."""
        if self._movement is not None:
            self._movement.stop()
