"""The messages that the stream must end with, told row by row with Python's own means (contracts: kinesis_profiles 1.4, 1.5)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb

from sandbox.demo.profiles import MAPPED

Message = dict[str, Any]


def members(path: Path) -> set[str]:
    """The profiles that are in a mapped audience now."""
    return {one for (one,) in _read(path, f"SELECT PROFILE_ID FROM crm.memberships WHERE STATUS = 'realized' AND {_MAPPED}")}


def expect(path: Path) -> dict[str, Message]:
    """The latest message of every profile that is or was in a mapped audience since the stream began."""
    told = {one for (one,) in _read(path, f"SELECT PROFILE_ID FROM crm.membership_rows WHERE STATUS = 'realized' AND {_MAPPED}")}
    audiences = {row[0]: row[1:] for row in _read(path, "SELECT ID, NAME, MERGE_POLICY FROM crm.audiences")}
    joined, known = defaultdict[str, list[Any]](list), defaultdict[str, list[Any]](list)
    for one, *membership in _read(path, "SELECT PROFILE_ID, AUDIENCE_ID, STATUS, LAST_QUALIFICATION_TIME FROM crm.memberships"):
        joined[one].append(membership)
    for one, space, identity in _read(path, "SELECT PROFILE_ID, NAMESPACE, ID FROM crm.identities WHERE NOT REMOVED"):
        known[one].append((space, identity))
    found = _read(path, "SELECT PROFILE_ID, FIRST_NAME, EMAIL, TIER, POINTS FROM crm.profiles")
    return {
        one: {**_attributes(*values), "segmentMembership": _memberships(joined[one], audiences), "identityMap": _map(known[one])}
        for one, *values in found
        if one in told
    }


_MAPPED = f"AUDIENCE_ID IN {MAPPED}"


def _attributes(first: str | None, email: str | None, tier: str, points: int) -> Message:
    made: Message = {"loyalty": {"tier": tier, "points": points}}
    if first is not None:
        made["person"] = {"name": {"firstName": first}}
    if email is not None:
        made["personalEmail"] = {"address": email}
    return made


def _memberships(joined: list[Any], audiences: dict[str, Any]) -> Message:
    """The mapped audiences with their names, and the others that the profile is in under the same merge policy."""
    made: Message = {}
    policies = {audiences[audience][1] for audience, *_ in joined if audience in MAPPED}
    for audience, status, since in joined:
        name, policy = audiences[audience]
        told = {"lastQualificationTime": _clock(since), "status": status}
        if audience in MAPPED:
            made[audience] = {**told, "name": name}
        elif status == "realized" and policy in policies:
            made[audience] = told
    return {"ups": made}


def _map(known: list[Any]) -> Message:
    made = defaultdict[str, list[Any]](list)
    for space, identity in sorted(known):
        made[space].append({"id": identity})
    return dict(made)


def _clock(instant: datetime) -> str:
    return instant.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(path: Path, query: str) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as warehouse:
        found: list[Any] = warehouse.execute(query).fetchall()
    return found
