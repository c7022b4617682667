"""What stays the same of a pipeline from run to run, as the extra of its asset: the Pipelines page reads it from there.

Airflow keeps the extra whenever it reads the DAG; nothing of it is a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from activation.spec import Pipeline, S3Destination

EXTRA = "activation"
"""The key in the asset's extra."""

KINDS = {"braze": "import", "s3": "export", "kinesis": "stream", "kakao_moment": "upload"}
"""``destination.type`` -> what the page calls the kind."""


def facts_of(pipeline_id: str, takes: str, source: Mapping[str, Any], destination: Mapping[str, Any]) -> dict[str, Any]:
    """What an operator knows of its pipeline.

    :param takes: the ``destination.type`` that it serves.
    :param source: the block ``source``, not validated yet; templates stay as they are written.
    :param destination: the block ``destination``, not validated yet.
    """
    name = source.get("table") or ("query" if source.get("query") else "")
    return {
        "pipeline": pipeline_id,
        "kind": KINDS[takes],
        "type": takes,
        "data": str(destination.get("data") or {"kinesis": "profiles", "kakao_moment": "advertising_ids"}.get(takes, "")),
        "source": {"engine": source.get("type"), "connection": source.get("connection"), "name": name},
        "target": {"label": _label(takes, destination), "connection": destination.get("connection")},
    }


def more_facts(pipeline: Pipeline) -> dict[str, Any]:
    """What only a whole pipeline knows: its description, its owner and its schedule."""
    to, timing = pipeline.destination, pipeline.timing
    facts: dict[str, Any] = {"description": pipeline.description, "owner": pipeline.owner, "schedule": pipeline.schedule}
    if isinstance(to, S3Destination):
        export = to.export
        return {**facts, "zone": export.zone, "export": {"type": export.type, "end": export.end}}
    return {**facts, "zone": (timing and timing.timezone) or "UTC"}


def _label(takes: str, to: Mapping[str, Any]) -> str:
    """What people call the place where the rows go."""
    if takes == "s3":
        return str(to.get("path") or "")
    if takes == "kinesis":
        stream = to.get("stream")
        return str(stream.get("name") if isinstance(stream, Mapping) else stream or "").rpartition(":stream/")[2]
    if takes == "kakao_moment":
        return str(to.get("file_name") or to.get("ad_account_id") or "")
    catalog = to.get("catalog")
    return str(catalog.get("name") if isinstance(catalog, Mapping) else catalog or to.get("data") or "")
