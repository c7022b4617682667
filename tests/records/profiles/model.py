"""The message of a profile and what is news about it, written once more in plain Python, value by value."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from activation.records.profiles.rules import MessageRules

from .world import Audience, Member, Profile, World

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
WORDS = {"realized": "realized", "existing": "realized", "exited": "exited", "exiting": "exited"}


def instant(us: int, rules: MessageRules) -> str:
    at = EPOCH + timedelta(microseconds=us)
    return f"{at:%Y-%m-%dT%H:%M:%S}" + ("Z" if rules.time_format == "z" else "+0000")


def inside(world: World, at: int | None) -> bool:
    return at is not None and at <= world.upper and (world.lower is None or at > world.lower)


def audience_of(world: World, name: str | None) -> Audience:
    return next((one for one in world.audiences if one.id == name), Audience(name or "", policy=None, namespace=None))


def mapped_of(world: World, profile: Profile) -> list[Member]:
    return [one for one in profile.members if audience_of(world, one.audience).mapped]


def is_realized(world: World, profile: Profile) -> bool:
    return any(WORDS[one.status or ""] == "realized" for one in mapped_of(world, profile))


def is_news(world: World, profile: Profile) -> bool:
    """Whether the profile is given out at all."""
    exits = [one for one in mapped_of(world, profile) if inside(world, one.at) and one.audience not in world.fresh]
    return is_realized(world, profile) or (world.lower is not None and bool(exits))


def is_written(world: World, profile: Profile) -> bool:
    if not is_realized(world, profile):
        return False
    if world.mode == "row":
        return any(inside(world, at) for at, _ in profile.rows)
    return world.mode == "writes" and bool(profile.writes)


def changed_at(world: World, profile: Profile) -> int:
    if world.lower is None:
        return -1
    found = [one.at for one in (*mapped_of(world, profile), *profile.identities)]
    found += profile.writes if world.mode == "writes" else [at for at, _ in profile.rows]
    return min((at for at in found if at is not None and inside(world, at)), default=-1)


def shown(world: World, profile: Profile, one: Member) -> bool:
    audience = audience_of(world, one.audience)
    if audience.mapped or world.rules.scope == "all":
        return True
    policies = {audience_of(world, other.audience).policy for other in mapped_of(world, profile)} - {None}
    return world.rules.scope == "same_merge_policy" and WORDS[one.status or ""] == "realized" and audience.policy in policies


def membership(world: World, one: Member) -> dict[str, Any]:
    audience, rules = audience_of(world, one.audience), world.rules
    assert one.qualified is not None
    word = WORDS[one.status or ""]
    old = world.lower is not None and one.qualified <= world.lower
    if rules.legacy_existing and audience.mapped and word == "realized" and old:
        word = "existing"
    found: dict[str, Any] = {"lastQualificationTime": instant(one.qualified, rules), "status": word}
    row = audience.row()
    if rules.timestamps and audience.mapped:
        found |= {"createdAt": row["created"], "updatedAt": row["updated"]}
        found |= {"mappingCreatedAt": row["mapping_created"], "mappingUpdatedAt": row["mapping_updated"]}
    if rules.names and audience.mapped:
        found["name"] = row["name"]
    return found


def segment_membership(world: World, profile: Profile) -> dict[str, Any]:
    """By namespace and audience id, both in the order of the code points."""
    found: dict[str, dict[str, Any]] = {}
    parts = [(audience_of(world, one.audience).namespace or "ups", one.audience or "", one) for one in profile.members]
    for namespace, audience, one in sorted(parts, key=lambda part: part[:2]):
        if shown(world, profile, one):
            found.setdefault(namespace, {})[audience] = membership(world, one)
    return found


def identity_map(world: World, profile: Profile) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {}
    there = [one for one in profile.identities if not one.removed]
    for namespace, name in sorted({(one.namespace or "", one.id or "") for one in there}):
        same = [one for one in there if (one.namespace, one.id) == (namespace, name)]
        entry: dict[str, Any] = {"id": name}
        if world.rules.identity_fields == "full":
            states, primaries = [one.state for one in same if one.state], [one.primary for one in same if one.primary is not None]
            entry |= {"authenticatedState": max(states)} if states else {}
            entry |= {"primary": any(primaries)} if primaries else {}
        found.setdefault(namespace, []).append(entry)
    return found


def primary_identity(profile: Profile) -> str | None:
    there = sorted((one.namespace or "", one.id or "", not one.primary) for one in profile.identities if not one.removed)
    return min(((plain, namespace, name) for namespace, name, plain in there), default=(0, "", None))[2]


def nested(fields: dict[str, str], values: dict[str, str | None]) -> dict[str, Any]:
    """The attributes of a message; what is NULL is absent.

    :param fields: path -> column.
    """
    found: dict[str, Any] = {}
    for path, column in fields.items():
        if values.get(column) is None:
            continue
        *outside, last = path.split(".")
        place = found
        for part in outside:
            place = place.setdefault(part, {})
        place[last] = values[column]
    return found


def message(world: World, profile: Profile, fields: dict[str, str]) -> dict[str, Any]:
    """The whole message of a profile with one row at most."""
    values = dict(profile.rows[0][1]) if profile.rows else {}
    memberships = {"segmentMembership": segment_membership(world, profile)}
    return nested(fields, values) | memberships | {"identityMap": identity_map(world, profile)}
