"""POST /users/track, /users/track/bulk and /users/track/sync (rows S3 to S10)."""

from collections import Counter
from typing import Any

from sandbox.braze import contract
from sandbox.braze.activity import grouped
from sandbox.braze.examine import Findings, examine
from sandbox.braze.identity import IdentityKey
from sandbox.braze.ledger import Batch
from sandbox.braze.limits import object_limit
from sandbox.braze.replies import Refused, Reply, json_reply, message, unparsable
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import ARRAYS, ArrayExpected, BodyUnparsable, Objects, TrackBody, decode_object, read_track
from sandbox.braze.world import World

_IDENTIFIERS = ("external_id", "user_alias", "braze_id", "email", "phone")


def track(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/track."""
    parsed = _parsed(world, body)
    _check_count(parsed, world.settings.limits.track)
    return _carried_out(world, parsed, examine(parsed), exchange)


def track_bulk(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/track/bulk: more objects, but only so many of one profile (row S4)."""
    parsed = _parsed(world, body)
    limits = world.settings.limits
    _check_count(parsed, limits.bulk)
    findings = examine(parsed)
    profiles = Counter(_profile_of(world, key) for key in findings.batch.users())
    if max(profiles.values(), default=0) > limits.bulk_per_user:
        raise Refused(message(400, contract.TOO_MANY_OBJECTS))
    return _carried_out(world, parsed, findings, exchange)


def track_sync(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/track/sync: one object, carried out before the answer, which shows its result (row S4)."""
    parsed = _parsed(world, body)
    if sum(len(objects) for objects in parsed.arrays()) > contract.SYNC_OBJECTS:
        raise Refused(message(400, contract.TOO_MANY_OBJECTS))
    findings = examine(parsed)
    reply = _carried_out(world, parsed, findings, exchange, at_once=True)
    return reply if findings.refusals or not findings.batch.users() else json_reply(201, _result(world, findings.batch))


def _parsed(world: World, body: bytes) -> TrackBody:
    try:
        parsed = read_track(body)
    except BodyUnparsable:
        raise Refused(unparsable()) from None
    except ArrayExpected:
        raise Refused(message(400, contract.NO_VALID_DATA)) from None
    for name, objects in zip(ARRAYS, parsed.arrays(), strict=True):
        world.stats.arrays[name].received += len(objects)
    return parsed


def _check_count(parsed: TrackBody, profile: str) -> None:
    limit = object_limit(profile)
    counts = [len(objects) for objects in parsed.arrays()]
    if (sum(counts) if limit.combined else max(counts)) > limit.objects:
        raise Refused(message(400, contract.TOO_MANY_OBJECTS))


def _profile_of(world: World, key: IdentityKey) -> IdentityKey:
    """One name for a profile, however it is identified; a user that does not exist yet has what it is given."""
    profile = None if isinstance(key, str) else world.settled().profiles.find(key)
    return key if profile is None else profile.key


def _carried_out(world: World, parsed: TrackBody, findings: Findings, exchange: Exchange, *, at_once: bool = False) -> Reply:
    for array, _, _ in findings.refusals:
        world.stats.arrays[array].rejected += 1
        exchange.rejected[array] = exchange.rejected.get(array, 0) + 1
    errors = findings.errors(world.settings.answers.error_style)
    keys = findings.batch.users()
    if not keys:
        # R, C: without one good object the answer carries no counts; with errors only if objects were sent.
        return json_reply(400, {"message": contract.NO_VALID_DATA, **({"errors": errors} if errors else {})})
    exchange.users = set(keys)
    world.concurrency.claim(exchange.users)
    world.accept(findings.batch, exchange, at_once=at_once)
    answer: dict[str, Any] = _counts(parsed.arrays(), findings)
    answer["message"] = contract.SUCCESS
    if errors:
        answer["errors"] = errors
    return json_reply(201, answer)


def _counts(sent: tuple[Objects, ...], findings: Findings) -> dict[str, Any]:
    # R: an array that was sent empty has no count (row S7).
    pairs = zip(ARRAYS, sent, findings.batch, strict=True)
    return {f"{name}_processed": len(writes) for name, objects, writes in pairs if objects}


def _result(world: World, batch: Batch) -> dict[str, Any]:
    """D: the identifier as given, and of the profile what the request named; nobody if the user may not be created."""
    write = next(write for writes in batch for write in writes)
    profile = world.ledger.profiles.find(write.key)
    sent = decode_object(write.sent)
    if profile is None:
        return {"users": [], "message": contract.SUCCESS}
    user = {name: sent[name] for name in _IDENTIFIERS if sent.get(name) is not None}
    user = dict(list(user.items())[:1])
    activity = profile.activity
    if batch.attributes:
        present = profile.attributes()
        custom = sent.keys() - contract.NOT_ATTRIBUTES - contract.STANDARD_ATTRIBUTES
        user["custom_attributes"] = {name: present[name] for name in sent if name in custom and name in present}
    elif batch.events and activity is not None:
        user["custom_events"] = [seen for seen in grouped(activity.events) if seen["name"] == sent["name"]]
    elif activity is not None:
        name = str(sent["product_id"])
        bought = [seen for seen in grouped(activity.purchases) if seen.pop("name") == name]
        user["purchase_events"] = [{"product_id": name, **seen} for seen in bought]
    return {"users": [user], "message": contract.SUCCESS}
