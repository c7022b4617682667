"""From the block ``source`` of a pipeline to an open warehouse and what is read from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from activation.hooks.connections import open_source
from activation.spec import Source
from activation.warehouses.base import Query, Relation, Warehouse

if TYPE_CHECKING:
    from airflow.sdk import Context


def tag_of(context: Context) -> dict[str, str]:
    """Who runs, for the warehouse's query history."""
    task = context["ti"]
    return {"dag": str(task.dag_id), "task": str(task.task_id), "run": str(context["run_id"])}


def opened(source: Source, tag: Mapping[str, str]) -> Warehouse:
    """Open the warehouse, with the pipeline's time-out for statements.

    :param source: with rendered templates.
    :raises ActivationError: as :func:`activation.hooks.connections.open_source` does.
    """
    timeout = source.statement_timeout.seconds if source.statement_timeout else None
    return open_source(source.type, source.connection, tag=tag, timeout=timeout)


def relation_of(source: Source) -> Relation:
    """What is read: a table, a view, or a query.

    :raises ConfigurationError: if the name is not one of this engine, or still is a template.
    """
    read = source.relation()
    return Query(read) if isinstance(read, str) else read
