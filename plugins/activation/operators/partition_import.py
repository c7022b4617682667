"""An import in slices that run at the same time, on whatever workers there are: ``check``, ``import`` × n, ``publish``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from activation.operators.base import told_to_airflow
from activation.operators.braze_import import WarehouseIncrementalImportOperator
from activation.operators.orders import FULL, INCREMENTAL, Order

if TYPE_CHECKING:
    from airflow.sdk import Context

WINDOW = "window"
"""The XCom key under which ``check`` says what the slices have in common; empty if the run is not split."""


def splits(order: Order) -> bool:
    """Whether a run is split: a part of the rows, a look, a replay and a reset are one task's work."""
    return order.mode in (INCREMENTAL, FULL) and order.limit is None and not order.dry_run


class _Silent(WarehouseIncrementalImportOperator):
    """A task that needs the watermark but does not move it: the asset is its inlet, and it has no events."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.outlets = []
        self.inlets = [one for one in self.inlets if one != self.asset] + [self.asset]


class PartitionCheckOperator(_Silent):
    """Finds what is wrong with the configuration, opens the window of the run, and says which slices there are.

    :param partitions: how many.
    :returns: what each slice is told, as XCom; no slice, if there is nothing to read.
    """

    def __init__(self, *, partitions: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.partitions = partitions

    def execute(self, context: Context) -> Any:
        """Open the window."""
        from activation.operators.partition_tries import Check

        with told_to_airflow():
            order = Order.parse(self.order)
            if not splits(order):
                context["ti"].xcom_push(key=WINDOW, value={})
                return [{"index": 0, "of": 1}]
            opening = Check(self.pipeline(), self.asset, context, order, self.partitions).open()
        context["ti"].xcom_push(key=WINDOW, value=opening.to_json())
        return opening.slices()


class PartitionImportOperator(_Silent):
    """Moves one slice of the window.

    :param part: what ``check`` said of this slice.
    :param opening: what it said of all.
    :returns: the report of the slice, as XCom.
    """

    template_fields: Sequence[str] = (*WarehouseIncrementalImportOperator.template_fields, "part", "opening")

    def __init__(self, *, part: Mapping[str, int], opening: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part
        self.opening = opening

    def execute(self, context: Context) -> dict[str, Any]:
        """Move the slice, or do what the run was asked for instead."""
        with told_to_airflow():
            order = Order.parse(self.order)
            if not self.opening:
                return self._run(order, context)
            from activation.operators.partition_plan import Opening
            from activation.operators.partition_tries import SliceMovement

            opening = Opening.from_json(self.opening)
            movement = SliceMovement(self.pipeline(), self.asset, context, order, opening, int(self.part["index"]))
            self._try = movement
            return movement().to_json()


class PartitionPublishOperator(WarehouseIncrementalImportOperator):
    """Moves the watermark, once all slices are done.

    :param reports: the reports of the slices.
    :param opening: what ``check`` said of all slices.
    :returns: the report of the run, as XCom.
    """

    template_fields: Sequence[str] = (*WarehouseIncrementalImportOperator.template_fields, "reports", "opening")

    def __init__(self, *, reports: Any, opening: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.reports = reports
        self.opening = opening

    def _run(self, order: Order, context: Context) -> dict[str, Any]:
        reports: list[dict[str, Any]] = list(self.reports or ())
        if not self.opening:
            return reports[0]
        from activation.operators.partition_plan import Opening
        from activation.operators.partition_tries import Publish

        opening = Opening.from_json(self.opening)
        return Publish(self.pipeline(), self.asset, context, order, opening, reports)().to_json()
