"""What two pipelines must not both do: read one table into one place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activation.spec.located import Located
from activation.spec.models import Pipeline
from activation.spec.problems import Problem
from activation.spec.values import Document

_FOLDING = ("snowflake", "redshift", "databricks")
"""Engines that find a table by its name in any case."""

_FIX = "Put both into one pipeline, or give one of them a view or a query of its own."

Read = tuple[Pipeline, Document]
"""A pipeline and the file that it was read from."""


def conflicts(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    """Find pipelines that carry the same table to the same connection (contract: braze 1.1, one integration per table or view).

    Two such pipelines would each keep a watermark of its own and send every change twice, in no certain order. Queries and
    templates are not compared, because only the warehouse knows what they read.

    :returns: for each of these files what is wrong; neither has the better right to the table.
    """
    by_way: dict[tuple[Any, ...], list[Path]] = {}
    for path, (pipeline, _) in read.items():
        if (way := _way(pipeline)) is not None:
            by_way.setdefault(way, []).append(path)
    return {path: _problem(path, same, *read[path]) for same in by_way.values() if len(same) > 1 for path in same}


def _way(pipeline: Pipeline) -> tuple[Any, ...] | None:
    source, destination = pipeline.source, pipeline.destination
    if source.table is None or source.table.is_template:
        return None
    parts = source.table.parts
    if source.type in _FOLDING:
        parts = tuple(part.casefold() for part in parts)
    return source.type, source.connection, parts, destination.type, destination.connection


def _problem(path: Path, same: list[Path], pipeline: Pipeline, document: Document) -> Problem:
    rest = ", ".join(other.name for other in same if other != path)
    place = f"{pipeline.destination.type.capitalize()} (connection {pipeline.destination.connection})"
    message = f"The table {pipeline.source.table} is also carried to {place} by {rest}."
    return Located(document, ("source", "table")).problem(message, _FIX)
