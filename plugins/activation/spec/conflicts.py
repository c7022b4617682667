"""What pipelines must not do together: carry one table to one place, write the same keys, or be too many."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any

from activation.spec.cycles import circles
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
_MOST_OTHERS = 5

Read = tuple[Pipeline, Document]
"""A pipeline and the document that it was made of; several pipelines can come from one file."""


def conflicts(read: Mapping[str, Read]) -> dict[str, Problem]:
    """Find pipelines that get in each other's way.

    * The same table is carried to the same connection (contract: braze 1.1, one integration per table or view): each would keep a
      watermark of its own and send every change twice, in no certain order. Queries and templates are not compared, because
      only the warehouse knows what they read. Exports of files are compared by their keys instead; profiles may go to several
      streams of a connection, and a stream's name and its ARN are not known to be the same one.
    * Two pipelines make, or replace, customer files of one name, or replace one with the same id, in one ad account.
    * Two exports of the same days lie under the same keys (contract: s3_export 3.7, S-T3).
    * With ``compat: dfinery``, the sixth periodic export to a connection, in the order of the ids.
    * Pipelines wait for each other in a circle, see :func:`activation.spec.cycles.circles`.

    :param read: the pipelines by their ids.
    :returns: for each of these ids what is wrong. Of two that conflict neither has the better right.
    """
    return circles(read) | _too_many(read) | _same_keys(read) | _same_files(read) | _same_table(read)


def _same_table(read: Mapping[str, Read]) -> dict[str, Problem]:
    by_way: dict[tuple[Any, ...], list[str]] = {}
    for pipeline_id, (pipeline, _) in read.items():
        if (way := _way(pipeline)) is not None:
            by_way.setdefault(way, []).append(pipeline_id)
    return {one: _carried(_others(one, same, read), *read[one]) for same in by_way.values() if len(same) > 1 for one in same}


def _others(pipeline_id: str, same: Collection[str], read: Mapping[str, Read]) -> str:
    """The first other ones by their files; by their ids too where a file is not called like its pipeline."""
    shown = list(islice((other for other in same if other != pipeline_id), _MOST_OTHERS))
    files = [(other, PurePath(read[other][1].name)) for other in shown]
    told = [file.name if file.stem == other else f"{other} ({file.name})" for other, file in files]
    more = len(same) - len(told) - (pipeline_id in same)
    return ", ".join([*told, f"{more} more"] if more else told)


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


def _carried(others: str, pipeline: Pipeline, document: Document) -> Problem:
    to = pipeline.destination
    stream = f", stream {to.stream.place[-1]}" if isinstance(to, KinesisDestination) else ""
    place = f"{to.type.capitalize()} (connection {to.connection}{stream})"
    message = f"The table {pipeline.source.table} is also carried to {place} by {others}."
    return Located(document, ("source", "table")).problem(message, _FIX)


def _same_files(read: Mapping[str, Read]) -> dict[str, Problem]:
    by_account: dict[tuple[str, ...], dict[str, KakaoDestination]] = {}
    for pipeline_id, (pipeline, _) in read.items():
        to = pipeline.destination
        if isinstance(to, KakaoDestination) and to.output.to == "api" and not has_jinja(to.connection):
            by_account.setdefault((to.connection, to.ad_account_id, to.mode), {})[pipeline_id] = to
    found = {}
    for files in by_account.values():
        for one, to in files.items():
            if others := _others(one, [other for other, its in files.items() if _same_file(to, its)], read):
                found[one] = _written_twice(to, others, read[one][1])
    return found


def _same_file(one: KakaoDestination, other: KakaoDestination) -> bool:
    """Whether two pipelines of one account mean one file: by its id if both name it, else by a name that is written out."""
    if one.file.id is not None and other.file.id is not None:
        return one.file.id == other.file.id
    return one.file_name == other.file_name and not has_jinja(one.file_name)


def _written_twice(to: KakaoDestination, others: str, document: Document) -> Problem:
    by_id = to.file.id is not None
    place = ("destination", "file", "id") if by_id else ("destination", "file_name")
    file, done = to.file.id if by_id else to.file_name, "registered" if to.mode == "register" else "replaced"
    message = f"The customer file {file} of the ad account {to.ad_account_id} is also {done} by {others}."
    fix = "Edit another file in one of them." if by_id else "Give one of them another name."
    return Located(document, place).problem(message, fix)


def _same_keys(read: Mapping[str, Read]) -> dict[str, Problem]:
    by_keys: dict[str, dict[str, S3Destination]] = {}
    for pipeline_id, (pipeline, _) in read.items():
        to = pipeline.destination
        if isinstance(to, S3Destination) and (keys := _keys(pipeline_id, to)):
            by_keys.setdefault(keys, {})[pipeline_id] = to
    found = {}
    for keys, exports in by_keys.items():
        for one, to in exports.items():
            meeting = [other for other, its in exports.items() if _meet(keys, to, its)]
            if others := _others(one, meeting, read):
                message = f"Exports of {others} lie under the same keys: s3://{keys}."
                fix = "Put {pipeline_id} into the layout, choose another folder, or export other days."
                found[one] = Located(read[one][1], ("destination", "files", "layout")).problem(message, fix)
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


def _too_many(read: Mapping[str, Read]) -> dict[str, Problem]:
    by_connection: dict[str, list[str]] = {}
    for pipeline_id in sorted(read):
        to = read[pipeline_id][0].destination
        if isinstance(to, S3Destination) and (to.export.type, to.export.compat) == ("periodic", "dfinery"):
            by_connection.setdefault(to.connection, []).append(pipeline_id)
    found = {}
    for connection, ids in by_connection.items():
        for number, one in enumerate(ids[PERIODIC_EXPORTS:], PERIODIC_EXPORTS + 1):
            message = (
                f"Too many periodic exports to the connection {connection}: this is number {number}, "
                f"and compat: dfinery allows {PERIODIC_EXPORTS}."
            )
            fix = "Remove another one, or write export: {compat: none}."
            found[one] = Located(read[one][1], ("destination", "export", "type")).problem(message, fix)
    return found
