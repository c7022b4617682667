"""Changed profiles into a Kinesis data stream, as Adobe Experience Platform's destination does it (contracts: kinesis 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activation.errors import ConfigurationError
from activation.operators.moving import MovingOperator
from activation.operators.orders import FULL, INCREMENTAL, PREVIEW, RESET, Order

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.movement import Movement


class KinesisProfileStreamOperator(MovingOperator):
    """Sends each profile whose audiences, identities or mapped attributes changed as one JSON record; one micro-batch a run.

    For its parameters see :class:`~activation.operators.moving.MovingOperator`; the destination is
    ``{"type": "kinesis", "connection": …, "stream": …, "audiences": […], …}``. The mode ``full`` sends every qualified profile
    once more. The report also tells the latency, from a row's ``UPDATED_AT`` to its acknowledged record.
    """

    takes = "kinesis"
    ui_color = "#fff3e0"

    def _begin(self, order: Order, context: Context) -> Movement:
        from activation.operators.streaming import Stream

        if order.mode not in (INCREMENTAL, FULL) or order.limit is not None:
            raise ConfigurationError(
                f"A stream of profiles has no mode {order.mode}{' with a limit' if order.limit else ''}.",
                f"Choose {INCREMENTAL}, {FULL} (every qualified profile once more), {RESET}, or {PREVIEW}, which takes a limit.",
            )
        return Stream(self.pipeline(), self.asset, context, order)

    def _preview(self, order: Order, context: Context) -> dict[str, Any]:
        from activation.operators.stream_modes import StreamPreview

        return StreamPreview(self.pipeline(), self.asset, context, order).preview()

    def _reset(self, order: Order, context: Context) -> dict[str, Any]:
        from activation.operators.stream_modes import StreamReset

        return StreamReset(self.pipeline(), self.asset, context, order).reset()
