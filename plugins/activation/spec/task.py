"""The ``task`` block: where and when Airflow lets a pipeline's tasks run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from activation.spec.block import Block
from activation.spec.names import Text


class Task(Block):
    """What Airflow is told about every task of a pipeline."""

    pool: Annotated[
        Text | None,
        Field(
            title="Pool",
            description="The Airflow pool that the tasks wait for. Pipelines that share a destination's rate limit share a pool; "
            "with `delivery.rate_share` it divides the limit. `null` is Airflow's default pool.",
            examples=["braze"],
        ),
    ] = None
    pool_slots: Annotated[
        int, Field(ge=1, le=1000, title="Pool slots", description="How many slots of the pool one task takes.", examples=[2])
    ] = 1
    priority: Annotated[
        int | None,
        Field(
            ge=-1_000_000,
            le=1_000_000,
            title="Priority",
            description="The weight by which Airflow chooses among waiting tasks; the greater first. `null` is Airflow's own.",
            examples=[10],
        ),
    ] = None
    queue: Annotated[
        Text | None,
        Field(title="Queue", description="The queue of the executor; `null` is its default.", examples=["crm"]),
    ] = None
    executor: Annotated[
        Text | None,
        Field(
            title="Executor",
            description="The name of one of the executors that Airflow is set up with; `null` is the first one.",
            examples=["KubernetesExecutor"],
        ),
    ] = None

    def arguments(self) -> dict[str, Any]:
        """Arguments of an operator; what the file leaves to Airflow is not among them."""
        found = {"pool": self.pool, "priority_weight": self.priority, "queue": self.queue, "executor": self.executor}
        return {"pool_slots": self.pool_slots, **{name: value for name, value in found.items() if value is not None}}
