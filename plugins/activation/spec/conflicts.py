"""What pipelines must not do together: carry one table to one place, write the same keys, or be too many."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from activation.spec.expressions import has_jinja
from activation.spec.kakao import KakaoDestination
from activation.spec.kinesis import KinesisDestination
from activation.spec.located import Located
from activation.spec.models import Pipeline
from activation.spec.problems import Problem
from activation.spec.s3 import S3Destination
from activation.spec.values import Document

PERIODIC_EXPORTS = 5
"""Periodic exports at most (contracts: s3_export 1.1). What it is counted for is not documented: here, for a connection."""

_FOLDING = ("snowflake", "redshift", "databricks")
"""Engines that find a table by its name in any case."""

_FIX = "Put both into one pipeline, or give one of them a view or a query of its own."
_FIELD = re.compile(r"\{(\w+)\}")
_LAST = "9999-12-31"

Read = tuple[Pipeline, Document]
"""A pipeline and the file that it was read from."""


def conflicts(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    """Find pipelines that get in each other's way.

    * The same table is carried to the same connection (contract: braze 1.1, one integration per table or view): each would keep a
      watermark of its own and send every change twice, in no certain order. Queries and templates are not compared, because
      only the warehouse knows what they read. Exports of files are compared by their keys instead; profiles may go to several
      streams of a connection, and a stream's name and its ARN are not known to be the same one.
    * Two pipelines make, or replace, customer files of one name in one ad account.
    * Two exports of the same days lie under the same keys (contract: s3_export 3.7, S-T3).
    * With ``compat: dfinery``, the sixth periodic export to a connection, in the order of the files' names.

    :returns: for each of these files what is wrong. Of two that conflict neither has the better right.
    """
    return _too_many(read) | _same_keys(read) | _same_files(read) | _same_table(read)


def _same_table(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    by_way: dict[tuple[Any, ...], list[Path]] = {}
    for path, (pipeline, _) in read.items():
        if (way := _way(pipeline)) is not None:
            by_way.setdefault(way, []).append(path)
    return {path: _carried(path, same, *read[path]) for same in by_way.values() if len(same) > 1 for path in same}


def _way(pipeline: Pipeline) -> tuple[Any, ...] | None:
    source, destination = pipeline.source, pipeline.destination
    if source.table is None or source.table.is_template or isinstance(destination, (S3Destination, KakaoDestination)):
        return None
    stream = None
    if isinstance(destination, KinesisDestination):
        if destination.is_template:
            return None
        stream = destination.stream.place
    parts = source.table.parts
    if source.type in _FOLDING:
        parts = tuple(part.casefold() for part in parts)
    return source.type, source.connection, parts, destination.type, destination.connection, stream


def _carried(path: Path, same: list[Path], pipeline: Pipeline, document: Document) -> Problem:
    rest = ", ".join(other.name for other in same if other != path)
    to = pipeline.destination
    stream = f", stream {to.stream.place[-1]}" if isinstance(to, KinesisDestination) else ""
    place = f"{to.type.capitalize()} (connection {to.connection}{stream})"
    message = f"The table {pipeline.source.table} is also carried to {place} by {rest}."
    return Located(document, ("source", "table")).problem(message, _FIX)


def _same_files(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    by_file: dict[tuple[str, ...], list[Path]] = {}
    for path, (pipeline, _) in read.items():
        to = pipeline.destination
        if isinstance(to, KakaoDestination) and to.output.to == "api" and not has_jinja(f"{to.connection}{to.file_name}"):
            by_file.setdefault((to.connection, to.ad_account_id, to.mode, to.file_name), []).append(path)
    found = {}
    for (_, account, mode, name), same in by_file.items():
        for path in same if len(same) > 1 else ():
            rest = ", ".join(other.name for other in same if other != path)
            done = "registered" if mode == "register" else "replaced"
            message = f"The customer file {name} of the ad account {account} is also {done} by {rest}."
            found[path] = Located(read[path][1], ("destination", "file_name")).problem(message, "Give one of them another name.")
    return found


def _same_keys(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    by_keys: dict[str, dict[Path, S3Destination]] = {}
    for path, (pipeline, _) in read.items():
        to = pipeline.destination
        if isinstance(to, S3Destination) and (keys := _keys(pipeline.id, to)):
            by_keys.setdefault(keys, {})[path] = to
    found = {}
    for keys, exports in by_keys.items():
        for path, to in exports.items():
            others = [other.name for other, its in exports.items() if other != path and _meet(keys, to, its)]
            if others:
                message = f"Exports of {', '.join(others)} lie under the same keys: s3://{keys}."
                fix = "Put {pipeline_id} into the layout, choose another folder, or export other days."
                found[path] = Located(read[path][1], ("destination", "files", "layout")).problem(message, fix)
    return found


def _keys(pipeline_id: str, to: S3Destination) -> str | None:
    """Bucket and path of all exports of a pipeline, with fields only for what differs from one to the next.

    A bucket's name is the same bucket whatever the connection. The usual layout names the pipeline, so it needs no look; what a
    Jinja template gives is known to the run alone, which looks at the manifest that it finds there.
    """
    if to.files.layout is None or has_jinja(to.path):
        return None
    bucket, folder = to.place
    same = {"folder": folder, "data": to.data, "pipeline_id": pipeline_id, "date": "{year}-{month}-{day}"}
    path = _FIELD.sub(lambda field: same.get(field[1], field[0]), to.files.layout)
    return "/".join((bucket, *(part for part in path.split("/") if part)))


def _meet(keys: str, one: S3Destination, other: S3Destination) -> bool:
    """Whether two exports under the same path can have a key in common: not where it names the day and their days differ."""
    names = set(_FIELD.findall(keys))
    if not ({"year", "month", "day"} <= names or "interval_start" in names):
        return True
    (first, last), (its_first, its_last) = _days(one), _days(other)
    return first <= its_last and its_first <= last


def _days(to: S3Destination) -> tuple[str, str]:
    export = to.export
    return export.from_date or export.start or "", export.to_date or export.end or _LAST


def _too_many(read: Mapping[Path, Read]) -> dict[Path, Problem]:
    by_connection: dict[str, list[Path]] = {}
    for path in sorted(read, key=lambda path: path.name):
        to = read[path][0].destination
        if isinstance(to, S3Destination) and (to.export.type, to.export.compat) == ("periodic", "dfinery"):
            by_connection.setdefault(to.connection, []).append(path)
    found = {}
    for connection, paths in by_connection.items():
        for number, path in enumerate(paths[PERIODIC_EXPORTS:], PERIODIC_EXPORTS + 1):
            message = (
                f"Too many periodic exports to the connection {connection}: this is number {number}, "
                f"and compat: dfinery allows {PERIODIC_EXPORTS}."
            )
            fix = "Remove another one, or write export: {compat: none}."
            found[path] = Located(read[path][1], ("destination", "export", "type")).problem(message, fix)
    return found
