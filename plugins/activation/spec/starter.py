"""A commented pipeline file to begin with, for a source and a destination: made of what the models say about their keys."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from activation.spec.reference import Key, keys
from activation.spec.writing import written

FILLED: Mapping[str, Mapping[str, Any]] = {
    "braze": {
        "description": "Profile attributes of all customers, kept up to date in Braze.",
        "schedule": "*/15 * * * *",
        "destination.data": "attributes",
        "alerts.email": ["crm-team@example.com"],
    },
    "s3": {
        "description": "The events of every hour, as files in a partner's bucket.",
        "schedule": "@hourly",
        "source.table": "analytics.events",
        "destination.connection": "aws",
        "destination.data": "event",
    },
    "kinesis": {
        "description": "Customers as they change, as messages in a data stream.",
        "schedule": "continuous",
        "source.table": "analytics.profiles",
        "columns.fields": {"personalEmail.address": "EMAIL"},
        "destination.connection": "aws",
    },
    "kakao_moment": {
        "description": "The advertising ids of all customers, as a customer file of an ad account.",
        "source.table": "analytics.push_ids",
        "destination.connection": "kakao",
        "destination.mode": "register",
        "destination.file_name": "VIP",
    },
}
"""Destination -> what stands in its starter though the models do not ask for it, or have another example first."""

_ALWAYS = ("owner", "tags", "source.statement_timeout", "alerts.email", "errors.retries", "errors.retry_delay", "task.pool")

SHOWN: Mapping[str, tuple[str, ...]] = {
    "braze": (
        *("cursor.column", "cursor.rule", "cursor.lookback", "cursor.skip_unchanged"),
        *("destination.update_existing_only", "destination.profile", "columns.identifiers.external_id", "columns.fields"),
        *("delivery.in_flight", "delivery.rate_share", "alerts.row_errors", "errors.max_rows", "errors.max_reject_share"),
    ),
    "s3": (
        *("cursor.column", "cursor.key", "destination.access.role_arn", "destination.access.external_id"),
        *("destination.access.region", "destination.files.format", "destination.files.compression"),
        *("destination.files.part_bytes", "destination.export.timezone", "destination.export.start", "errors.stop_after"),
    ),
    "kinesis": (
        *("source.related", "cursor.column", "cursor.settle", "destination.message.segment_names"),
        *("destination.message.membership_scope", "destination.changes.attributes", "destination.changes.wait"),
        *("destination.records.partition_key", "destination.requests.retries", "alerts.latency"),
    ),
    "kakao_moment": (
        *("schedule", "destination.file.when_over_limit", "destination.ids.column", "destination.ids.case"),
        *("destination.output.to", "destination.output.wait.until", "errors.stop_after"),
    ),
}
"""Destination -> the optional keys that its starter shows, beside those that every starter does."""

_BLOCKS = ("source", "destination")
_EMPTY = ("null", "[]", "{}")
_WIDTH = 110
_HEAD = """\
# yaml-language-server: $schema={schema}
# Rows of {source} to {destination}. A line that begins with # and a key, without a single blank in between, is optional and shows
# what holds without it: take its # away to change it, and that of the block that it stands in.
# All keys: activation explain. After each change: activation validate {name}"""


def starter(source: str, destination: str, *, name: str, schema: str) -> str:
    """Write a file that is valid as it stands.

    :param source: a ``source.type``.
    :param destination: a ``destination.type``.
    :param name: how the file is called, for the hint that checks it.
    :param schema: where the JSON Schema lies, as seen from the file.
    """
    found = {key.path: key for key in keys() if key.fits({"source": source, "destination": destination})}
    filled = {"source.type": source, "destination.type": destination, "source.table": "analytics.users", **FILLED[destination]}
    optional = {*_ALWAYS, *SHOWN[destination]} - set(filled)
    filled |= {path: _example(key) for path, key in found.items() if _needed(key) and path not in filled}
    wanted = {path[:end] for path in (*filled, *optional) for end in _ends(path)}
    lines = [_HEAD.format(schema=schema, source=source, destination=destination, name=name)]
    for path, key in found.items():
        if path in wanted:
            lines += _lines(key, filled, alone=not any(other.startswith(f"{path}.") for other in wanted))
    return "\n".join(lines) + "\n"


def _needed(key: Key) -> bool:
    """Whether a file without a key is refused; the keys of optional blocks are not needed, nor are those of short ones."""
    return key.default is None and key.path.rpartition(".")[0] in ("", *_BLOCKS) and key.path not in _BLOCKS


def _ends(path: str) -> list[int]:
    """Where the paths of the blocks around a key, and its own, end."""
    return [*(place for place, char in enumerate(path) if char == "."), len(path)]


def _example(key: Key) -> Any:
    return (key.info.examples or ("",))[0]


def _lines(key: Key, filled: Mapping[str, Any], *, alone: bool) -> Iterator[str]:
    """What is told of a key, and the key; an optional one behind a # at the line's begin.

    :param alone: whether the file shows no key below it.
    """
    indent = "  " * key.path.count(".")
    name = key.path.rpartition(".")[2]
    stands = any(path == key.path or path.startswith(f"{key.path}.") for path in filled)
    value = written(filled[key.path]) if key.path in filled else key.default or ""
    if key.is_block and key.path not in filled and key.info.default is not None:
        value = "{}" if alone else ""
    hint = f" # such as {written(_example(key))}" if value in _EMPTY and key.info.examples else ""
    if not indent:
        yield ""
    # The head says which types these are.
    told = "" if name == "type" else key.info.description or ""
    yield from textwrap.wrap(told, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ", break_on_hyphens=False)
    yield f"{'' if stands else '#'}{indent}{name}:{' ' if value else ''}{value}{hint}"
