"""POST /users/export/ids: what Braze would show of a profile, once it is visible (row S8).

External ids and aliases up to the limit; Braze id, e-mail address and phone number one each. The server keeps no
devices, so a ``device_id`` finds nobody. Fields that describe devices, apps, campaigns or sessions are not pretended.
"""

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from sandbox.braze import contract
from sandbox.braze.activity import Activity, grouped
from sandbox.braze.identity import IdentityKey, ObjectRefused, alias_key
from sandbox.braze.profile import Profile
from sandbox.braze.replies import Refused, Reply, json_reply, message, unparsable
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import BodyUnparsable, read_object
from sandbox.braze.world import World

_SINGLE = {"braze_id": "braze_id", "email_address": "email", "phone": "phone"}


def export_ids(world: World, body: bytes, _: Exchange) -> Reply:
    """Answer /users/export/ids."""
    try:
        asked = read_object(body)
    except BodyUnparsable:
        raise Refused(unparsable()) from None
    external_ids, aliases = _list(asked, "external_ids"), _list(asked, "user_aliases")
    if len(external_ids) + len(aliases) > world.settings.limits.export_ids:
        raise Refused(message(400, contract.TOO_MANY_IDS))
    if not (external_ids or aliases or "device_id" in asked or any(name in asked for name in _SINGLE)):
        raise Refused(message(400, contract.NO_IDS))
    profiles = world.settled().profiles
    found: dict[int, Profile] = {}
    for key in _keys(external_ids, aliases, asked):
        profile = profiles.find(key)
        if profile is not None:
            found[profile.number] = profile
    fields = asked.get("fields_to_export")
    answer: dict[str, Any] = {"users": [_exported(profile, fields) for profile in found.values()]}
    invalid = [given for given in external_ids if profiles.find(str(given)) is None]
    if invalid:
        answer["invalid_user_ids"] = invalid
    return json_reply(201, answer | {"message": contract.SUCCESS})


def _list(asked: dict[str, Any], name: str) -> list[Any]:
    given = asked.get(name)
    if given is None:
        return []
    if not isinstance(given, list):
        raise Refused(message(400, contract.NO_IDS))
    return given


def _keys(external_ids: list[Any], aliases: list[Any], asked: dict[str, Any]) -> Iterator[IdentityKey]:
    yield from map(str, external_ids)
    for alias in aliases:
        try:
            yield alias_key(alias)
        except ObjectRefused:
            continue  # I: half an alias names nobody
    for name, kind in _SINGLE.items():
        if isinstance(asked.get(name), str):
            yield (kind, asked[name])


def _exported(profile: Profile, fields: Any) -> dict[str, Any]:
    attributes = profile.attributes()
    activity = profile.activity or Activity()
    user = {
        "created_at": _stamp(profile.created),
        **profile.identifiers(),
        **{name: value for name, value in attributes.items() if name in contract.STANDARD_ATTRIBUTES},
        "custom_attributes": {name: value for name, value in attributes.items() if name not in contract.STANDARD_ATTRIBUTES},
        "custom_events": grouped(activity.events),
        "purchases": grouped(activity.purchases),
        "total_revenue": round(activity.revenue, 2),
    }
    return {name: user[name] for name in user if name in fields} if isinstance(fields, list) else user


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
