"""What holds between the blocks of a pipeline to a data stream, each rule told at its own place in the file."""

from __future__ import annotations

import difflib
import re

from activation.spec.columns import Columns
from activation.spec.invalid import invalid_at, invalid_in_file
from activation.spec.kinesis import KinesisDestination
from activation.spec.sources import RELATED, Source

_PART = re.compile(r"\S+")
_OWN = ("segmentMembership", "identityMap")
_ATTRIBUTES = ("destination", "changes", "attributes")


def attribute_changes(source: Source, to: KinesisDestination) -> str:
    """Which update of a profile counts, ``writes``, ``row`` or ``content``, where the file leaves it to the tables too."""
    written = source.related is not None and source.related.writes is not None
    return to.changes.attributes or ("writes" if written else "content")


def check_source(source: Source, to: KinesisDestination) -> None:
    """Compare the tables with what the stream needs.

    :raises pydantic.ValidationError: if one is missing, or has no effect.
    """
    related = source.related
    missing = [role for role in RELATED if related is None or getattr(related, role) is None]
    if source.query is not None and missing:
        raise invalid_in_file(
            ("source", "related") if related else ("source", "query"),
            f"does not say where the {missing[0]} are, and a query names no schema to find them in",
            f"Write related: {{{', '.join(f'{role}: schema.table' for role in RELATED)}}}.",
        )
    written, mode = related is not None and related.writes is not None, to.changes.attributes
    if mode == "writes" and not written:
        fix = "Write source: {related: {writes: schema.table}}, or attributes: row or content."
        raise invalid_in_file(_ATTRIBUTES, "is writes, but there is no table of them", fix)
    if written and mode in ("row", "content"):
        fix = "Remove it, or write destination: {changes: {attributes: writes}}."
        raise invalid_in_file(("source", "related", "writes"), f"has no effect with changes.attributes: {mode}", fix)


def check_columns(columns: Columns, source: Source, to: KinesisDestination) -> None:
    """Compare the mapped attributes with what a message can carry (contracts: kinesis_profiles 1.5, K-P3).

    :raises pydantic.ValidationError: if a path cannot stand in a message, or the partition key is no mapped attribute.
    """
    for path, field in columns.fields.items():
        first, *_ = parts = path.split(".")
        if not all(_PART.fullmatch(part) for part in parts):
            fix = "Write it like person.name.firstName; no blank, and something between the dots."
            raise invalid_at(("fields", path), "is no path of an attribute", fix)
        if first in _OWN:
            fix = f"Choose another name; {' and '.join(_OWN)} are made from the tables of memberships and identities."
            raise invalid_at(("fields", path), "is a part of the message that is no attribute", fix)
        if field.nulls == "send":
            fix = "Write nulls: skip, or reject."
            raise invalid_at(("fields", path, "nulls"), "sends a null, but an absent attribute has no key in a message", fix)
    if attribute_changes(source, to) == "content":
        columns.check_repeatable("write destination: {changes: {attributes: row}}")
    if to.key_path is not None and to.key_path not in columns.fields:
        raise invalid_in_file(("destination", "records", "partition_key"), *_no_path(to.key_path, list(columns.fields)))


def _no_path(key: str, paths: list[str]) -> tuple[str, str]:
    if not paths:
        fix = "Write profile_id, primary_identity or random, or map the attribute in columns.fields."
        return "is the path of an attribute, but the pipeline maps none", fix
    near = difflib.get_close_matches(key, ["profile_id", "primary_identity", "random", *paths], n=1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return "is no mapped attribute", f"{hint}Allowed: profile_id, primary_identity, random, {', '.join(paths)}."
