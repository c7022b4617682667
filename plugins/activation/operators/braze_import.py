"""Warehouse incremental import by ``UPDATED_AT`` into Braze, as Braze Cloud Data Ingestion does it (contracts: braze 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activation.operators.moving import MovingOperator
from activation.operators.orders import REPLAY, Order

if TYPE_CHECKING:
    from airflow.sdk import Context

    from activation.operators.movement import Movement


class WarehouseIncrementalImportOperator(MovingOperator):
    """Carries the rows of a table that changed since the last run into Braze, and proves that none was lost.

    For its parameters see :class:`~activation.operators.moving.MovingOperator`; the destination is
    ``{"type": "braze", "connection": …, "data": "attributes", …}``, and an order may name rejects to replay:
    ``{"mode": "replay", "replay_run": …, "replay_code": …}``.
    """

    takes = "braze"
    ui_color = "#e8f0ff"

    def _begin(self, order: Order, context: Context) -> Movement:
        from activation.operators.importing import Import
        from activation.operators.replaying import Replay

        kind = Replay if order.mode == REPLAY else Import
        return kind(self.pipeline(), self.asset, context, order)

    def _preview(self, order: Order, context: Context) -> dict[str, Any]:
        from activation.operators.previewing import Preview

        return Preview(self.pipeline(), self.asset, context, order).preview()

    def _reset(self, order: Order, context: Context) -> dict[str, Any]:
        from activation.operators.resetting import Reset

        return Reset(self.pipeline(), self.asset, context, order).reset()
