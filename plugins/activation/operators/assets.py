"""What a pipeline reads and writes, as Airflow's assets: lineage for people, and something to schedule on for other DAGs.

Airflow has an asset be "updated" whenever a task that names it as its outlet succeeds, a run that found nothing included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from airflow.sdk import Asset

from activation.spec.expressions import has_jinja

GROUP = "activation"


def read_from(source: Mapping[str, Any]) -> list[Asset]:
    """The table that is read: ``<connection>/<table>``. A query has none, and neither has a name that is a template.

    :param source: the block ``source``, not validated yet.
    """
    return _own("source", source.get("connection"), source.get("table"))


def written_to(kind: str, destination: Mapping[str, Any]) -> list[Asset]:
    """What is written, if it has an address; none of it may be a template.

    An address that others write too, ``s3://bucket/folder``, is the asset's name and its URI, as in ``Asset("s3://bucket/folder")``.

    :param kind: ``destination.type``.
    :param destination: the block ``destination``, not validated yet.
    """
    return _WRITTEN[kind](destination)


def _braze(to: Mapping[str, Any]) -> list[Asset]:
    catalog = to.get("catalog")
    return _own("braze", to.get("connection"), to.get("data"), *([catalog.get("name")] if isinstance(catalog, Mapping) else []))


def _s3(to: Mapping[str, Any]) -> list[Asset]:
    return _common(to.get("path"))


def _kinesis(to: Mapping[str, Any]) -> list[Asset]:
    stream = to.get("stream")
    name = stream.get("name") if isinstance(stream, Mapping) else stream
    return _own("kinesis", to.get("connection"), name.rpartition(":stream/")[2] if isinstance(name, str) else None)


def _kakao(to: Mapping[str, Any]) -> list[Asset]:
    output = to.get("output")
    if isinstance(output, Mapping) and output.get("to") == "folder":
        return _common(output.get("path"))
    return _own("kakao_moment", str(to.get("ad_account_id") or ""), to.get("file_name"))


_WRITTEN: Mapping[str, Callable[[Mapping[str, Any]], list[Asset]]] = {
    "braze": _braze,
    "s3": _s3,
    "kinesis": _kinesis,
    "kakao_moment": _kakao,
}


def _own(kind: str, *parts: Any) -> list[Asset]:
    if not all(isinstance(part, str) and part and not has_jinja(part) for part in parts):
        return []
    path = "/".join(parts)
    with suppress(ValueError):  # longer than Airflow takes, or beyond ASCII on MySQL
        name = path if kind == "source" else f"{kind}/{path}"
        return [Asset(name=name, uri=f"x-activation://{kind}/{path}", group=GROUP)]
    return []


def _common(path: Any) -> list[Asset]:
    """An asset by an address in object storage; without the connection that may stand in it."""
    if not isinstance(path, str) or has_jinja(path):
        return []
    scheme, found, rest = path.partition("://")
    bucket, _, folder = rest.rpartition("@")[2].partition("/")
    if not found or not bucket:
        return []
    name = f"{scheme}://{bucket}/{folder}".rstrip("/")
    uri = f"{scheme}://{bucket}/{folder.rstrip('/')}"  # as Airflow writes it: of a bucket with a slash
    with suppress(ValueError):
        asset = Asset(name=name, uri="x-activation://")
        # Given the address, Airflow would import every provider to look at it: more than a second for each DAG file.
        object.__setattr__(asset, "uri", uri)
        return [asset]
    return []
