"""The tasks of a split import, run one after the other as Airflow would; stores and XCom are plain variables."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from airflow.sdk import Context

from activation.operators.partition_import import (
    WINDOW,
    PartitionCheckOperator,
    PartitionImportOperator,
    PartitionPublishOperator,
)

from .world import Store, World

Operator = PartitionCheckOperator | PartitionImportOperator | PartitionPublishOperator


@dataclass
class Split:
    """One split pipeline in a world.

    :ivar order: what the runs are asked to do.
    """

    world: World
    of: int
    order: Mapping[str, Any] = field(default_factory=dict)
    tasks: dict[tuple[str, int], Store] = field(default_factory=lambda: defaultdict(Store))
    tries: dict[tuple[str, int], int] = field(default_factory=lambda: defaultdict(int))
    window: Any = None
    slices: list[dict[str, int]] = field(default_factory=list)
    reports: dict[int, dict[str, Any]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)

    def new(self) -> None:
        """Begin another run."""
        self.world.runs += 1
        self.tasks.clear()
        self.tries.clear()
        self.reports.clear()

    def run(self, **order: Any) -> dict[str, Any]:
        """A whole run; gives the XCom of its last task."""
        self.order = order
        self.new()
        self.check()
        for one in self.slices:
            self.slice(one["index"])
        return self.publish()

    def check(self) -> list[dict[str, int]]:
        """A try of the first task."""
        operator = PartitionCheckOperator(task_id="check", partitions=self.of, **self._blocks())
        self.slices = json.loads(json.dumps(self._execute(operator, "check")))
        return self.slices

    def slice(self, index: int) -> dict[str, Any]:
        """A try of one slice."""
        operator = PartitionImportOperator(task_id="import", part=self.slices[index], opening=self.window, **self._blocks())
        self.reports[index] = json.loads(json.dumps(self._execute(operator, "import", index)))
        return self.reports[index]

    def publish(self) -> dict[str, Any]:
        """A try of the last task."""
        reports = [self.reports[index] for index in sorted(self.reports)]
        operator = PartitionPublishOperator(task_id="publish", reports=reports, opening=self.window, **self._blocks())
        return cast(dict[str, Any], self._execute(operator, "publish"))

    def _blocks(self) -> dict[str, Any]:
        return {
            "pipeline_id": "p",
            "source": {"type": "duckdb", "connection": "world_duckdb", "table": "crm.source"},
            "destination": {"type": "braze", "connection": "world_braze", **self.world.destination},
            "order": dict(self.order),
            **self.world.blocks,
        }

    def _execute(self, operator: Operator, task: str, index: int = -1) -> Any:
        place = task, index
        self.tries[place] += 1
        asset = operator.asset
        context = {
            "run_id": f"run-{self.world.runs}",
            "ti": SimpleNamespace(try_number=self.tries[place], dag_id="p", task_id=task, xcom_push=self._push),
            "asset_state_store": {asset: self.world.stores["p"]},
            "task_state_store": self.tasks[place],
            "outlet_events": {asset: SimpleNamespace(extra={})},
        }
        found = operator.execute(cast(Context, context))
        if extra := context["outlet_events"][asset].extra:
            self.events.append(extra)
        return found

    def _push(self, *, key: str, value: Any) -> None:
        kept = json.loads(json.dumps(value))
        if key == WINDOW:
            self.window = kept
        else:
            self.world.pushed[key] = kept
