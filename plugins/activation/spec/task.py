"""The ``task`` block: where and when Airflow lets a pipeline's tasks run."""

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

    check: Annotated[
        bool,
        Field(
            title="Check",
            description="`true` puts a task `check` before the others, which looks at source and destination as "
            "`activation check` does, so that a wrong connection, table or right fails early and by its name.",
            examples=[True],
        ),
    ] = False

    partitions: Annotated[
        int,
        Field(
            ge=1,
            le=64,
            title="Partitions",
            description="Into how many tasks the rows of an import are split, by a hash of what names the user or the item. They "
            "run on any workers at the same time; the watermark moves once, after all of them.",
            examples=[4],
        ),
    ] = 1

    def arguments(self) -> dict[str, Any]:
        """Arguments of an operator; what the file leaves to Airflow is not among them."""
        found = {"pool": self.pool, "priority_weight": self.priority, "queue": self.queue, "executor": self.executor}
        return {"pool_slots": self.pool_slots, **{name: value for name, value in found.items() if value is not None}}
