"""An operator that takes what ours take and checks nothing, and a callback: for the ways that are not ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, BaseOperator

OPERATOR = f"{__name__}.CarryOperator"
TOLD = f"{__name__}.tell"


class CarryOperator(BaseOperator):
    """Keeps its arguments and has the pipeline's asset as its outlet, as our operators have."""

    template_fields: Sequence[str] = ("source", "destination", "order")

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
        **kwargs: Any,
    ) -> None:
        super().__init__(outlets=[asset(pipeline_id)], **kwargs)
        self.pipeline_id = pipeline_id
        self.source = dict(source)
        self.destination = dict(destination)
        self.cursor = dict(cursor or {})
        self.columns = dict(columns or {})
        self.delivery = dict(delivery or {})
        self.order = dict(order or {})


def asset(pipeline_id: str) -> Asset:
    """The asset of a pipeline, by the name that ours have."""
    return Asset(name=f"activation/{pipeline_id}", uri=f"x-activation://pipeline/{pipeline_id}", group="activation")


def tell(context: Any, to: Sequence[str]) -> None:
    """Stands where somebody would be told of a run's end."""
