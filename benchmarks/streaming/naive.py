"""What one writes first to find and encode changed profiles: SQL for the ids and their rows, then row by row in Python."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.streaming.profiles import FIELDS, MAPPED, SCHEMA
from benchmarks.worker import Contestant

EARLIEST = "0001-01-01"
"""Before every change."""

_ONES = "(" + ", ".join(f"'{one}'" for one in MAPPED) + ")"
_CHANGED = f"""CREATE OR REPLACE TEMP TABLE changed AS SELECT DISTINCT PROFILE_ID FROM (
    SELECT PROFILE_ID FROM {SCHEMA}.memberships WHERE UPDATED_AT > $since AND AUDIENCE_ID IN {_ONES}
    UNION ALL SELECT PROFILE_ID FROM {SCHEMA}.identities WHERE UPDATED_AT > $since
    UNION ALL SELECT PROFILE_ID FROM {SCHEMA}.writes WHERE UPDATED_AT > $since)
    WHERE PROFILE_ID IN (SELECT PROFILE_ID FROM {SCHEMA}.memberships WHERE AUDIENCE_ID IN {_ONES})
    ORDER BY PROFILE_ID LIMIT $most"""
_ROWS = "SELECT {columns} FROM {table} JOIN changed USING (PROFILE_ID) ORDER BY {order}"


def naive(url: str) -> Contestant:
    """Finds the changes; the fingerprints of what was sent last are a dictionary."""

    def work(database: str, most: int, since: str, keep: str = "") -> dict[str, Any]:
        """
        :param since: what was changed later counts.
        :param keep: the file that takes keys and messages, for the comparison.
        """
        seen: dict[str, bytes] = {}
        began = time.perf_counter()
        with duckdb.connect(database, read_only=True) as connection:
            entries = [
                _entry(key, message) for key, message, print_ in profiles(connection, most, since) if _new(seen, key, print_)
            ]
        seconds = time.perf_counter() - began
        if keep:
            with duckdb.connect(database, read_only=True) as connection, Path(keep).open("w", encoding="utf-8") as file:
                file.writelines(f"{key}\t{message}\n" for key, message, _ in profiles(connection, most, since))
        return {"rows": len(entries), "seconds": seconds}

    return work


def profiles(connection: duckdb.DuckDBPyConnection, most: int, since: str) -> Iterator[tuple[str, str, bytes]]:
    """Id, message and fingerprint of the profiles that changed."""
    connection.execute(_CHANGED, {"since": since, "most": most})
    policies = dict(connection.execute(f"SELECT ID, MERGE_POLICY FROM {SCHEMA}.audiences").fetchall())
    attributes = {row[0]: row[1:] for row in _rows(connection, "profiles", ["PROFILE_ID", *FIELDS.values()])}
    identities = _grouped(connection, "identities", ["PROFILE_ID", "NAMESPACE", "ID", "REMOVED"])
    members = _grouped(connection, "memberships", ["PROFILE_ID", "AUDIENCE_ID", "STATUS", "LAST_QUALIFICATION_TIME"])
    for key, rows in members.items():
        segments = segments_of(rows, policies)
        map_ = identities_of(identities.get(key, []))
        message = {**nested(attributes.get(key, ())), "segmentMembership": {"ups": segments}, "identityMap": map_}
        state = {one: value["status"] for one, value in segments.items() if one in MAPPED}
        yield key, _text(message), hashlib.md5(_text({"state": state, "map": map_}).encode(), usedforsecurity=False).digest()


def segments_of(rows: list[Any], policies: dict[str, str]) -> dict[str, dict[str, str]]:
    """The mapped audiences, and those others that have the profile and share a merge policy with one of them."""
    shared = {policies[row[1]] for row in rows if row[1] in MAPPED}
    return {
        audience: {"lastQualificationTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "status": status}
        for _, audience, status, at in rows
        if audience in MAPPED or (status == "realized" and policies[audience] in shared)
    }


def identities_of(rows: list[Any]) -> dict[str, list[dict[str, str]]]:
    """The identities by namespace."""
    found: dict[str, list[dict[str, str]]] = defaultdict(list)
    for _, namespace, identity, removed in rows:
        if not removed:
            found[namespace].append({"id": identity})
    return found


def nested(values: tuple[Any, ...]) -> dict[str, Any]:
    """The attributes by their paths."""
    found: dict[str, Any] = {}
    for path, value in zip(FIELDS, values, strict=False):
        if value is not None:
            *parents, name = path.split(".")
            place = found
            for parent in parents:
                place = place.setdefault(parent, {})
            place[name] = value
    return found


def _rows(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> list[tuple[Any, ...]]:
    order = ", ".join(columns[:3])
    found: list[tuple[Any, ...]] = connection.execute(
        _ROWS.format(columns=", ".join(columns), table=f"{SCHEMA}.{table}", order=order)
    ).fetchall()
    return found


def _grouped(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> dict[str, list[Any]]:
    return {key: list(rows) for key, rows in groupby(_rows(connection, table, columns), lambda row: str(row[0]))}


def _new(seen: dict[str, bytes], key: str, fingerprint: bytes) -> bool:
    before, seen[key] = seen.get(key), fingerprint
    return before != fingerprint


def _entry(key: str, message: str) -> str:
    return _text({"Data": base64.b64encode(message.encode()).decode(), "PartitionKey": key})


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
