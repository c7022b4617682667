"""POST /users/track and /users/track/bulk (rows S3 to S8 and S10)."""

from collections import Counter
from typing import Any

from sandbox.braze import contract
from sandbox.braze.examine import Findings, examine
from sandbox.braze.replies import Refused, Reply, json_reply, message, unparsable
from sandbox.braze.settings import object_limit
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import ARRAYS, ArrayExpected, BodyUnparsable, Objects, TrackBody, read_track
from sandbox.braze.world import World


def track(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/track."""
    parsed = _parsed(world, body)
    _check_count(parsed, world.settings.limits.track)
    return _carried_out(world, parsed, examine(parsed), exchange)


def track_bulk(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/track/bulk: more objects, but only so many of one user (row S4)."""
    parsed = _parsed(world, body)
    limits = world.settings.limits
    _check_count(parsed, limits.bulk)
    findings = examine(parsed)
    if max(Counter(findings.keys()).values(), default=0) > limits.bulk_per_user:
        raise Refused(message(400, contract.TOO_MANY_OBJECTS))
    return _carried_out(world, parsed, findings, exchange)


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


def _carried_out(world: World, parsed: TrackBody, findings: Findings, exchange: Exchange) -> Reply:
    for array, _, _ in findings.refusals:
        world.stats.arrays[array].rejected += 1
        exchange.rejected[array] = exchange.rejected.get(array, 0) + 1
    errors = findings.errors(world.settings.answers.error_style)
    keys = findings.keys()
    if not keys:
        # R, C: without one good object the answer carries no counts; with errors only if objects were sent.
        return json_reply(400, {"message": contract.NO_VALID_DATA, **({"errors": errors} if errors else {})})
    exchange.users = set(keys)
    world.concurrency.claim(exchange.users)
    world.accept(findings.batch, exchange)
    answer: dict[str, Any] = _counts(parsed.arrays(), findings)
    answer["message"] = contract.SUCCESS
    if errors:
        answer["errors"] = errors
    return json_reply(201, answer)


def _counts(sent: tuple[Objects, ...], findings: Findings) -> dict[str, Any]:
    # R: an array that was sent empty has no count (row S7).
    pairs = zip(ARRAYS, sent, findings.batch, strict=True)
    return {f"{name}_processed": len(writes) for name, objects, writes in pairs if objects}
