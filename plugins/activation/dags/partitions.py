"""The part of a DAG that belongs to an import in several slices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow.sdk import BaseOperator, XComArg

from activation.dags.frame import Frame
from activation.operators.partition_import import (
    WINDOW,
    PartitionCheckOperator,
    PartitionImportOperator,
    PartitionPublishOperator,
)

_START = "on_execute_callback"


def partition_tasks(frame: Frame, blocks: Mapping[str, Any], partitions: int) -> BaseOperator:
    """Add ``check``, ``import`` as often as there are slices, and ``publish``; gives the first one.

    :param blocks: arguments of an import's operator.
    :param partitions: how many slices.
    """
    begin, end = ({name: value for name, value in frame.work.items() if name != but} for but in ("on_success_callback", _START))
    check = PartitionCheckOperator(task_id="check", partitions=partitions, **blocks, **begin)
    window = XComArg(check, WINDOW)
    slices = PartitionImportOperator.partial(
        task_id="import",
        opening=window,
        inlets=[check.asset],
        map_index_template="{{ task.part['index'] + 1 }} of {{ task.part['of'] }}",
        **blocks,
        **frame.aside,
    ).expand(part=check.output)
    # Without anything to read no slice is run; if the first task was skipped, there is nothing to publish.
    rule = "none_failed_min_one_success"
    PartitionPublishOperator(task_id="publish", reports=slices.output, opening=window, trigger_rule=rule, **blocks, **end)
    return check
