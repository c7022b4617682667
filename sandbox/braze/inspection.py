"""Where one exchange breaks the contract: the call, the body's bytes, counts and content, and our own answer (S16)."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from sandbox.braze import contract, schemas
from sandbox.braze.limits import Limits, object_limit
from sandbox.braze.replies import Reply
from sandbox.braze.wire import ARRAYS, encode

Rule = Literal["call", "type", "bytes", "json", "empty", "count", "schema", "answer"]
_TRACKS = {"users_track", "users_track_bulk", "users_track_sync"}
_IDENTIFIERS = ("external_id", "user_alias", "braze_id", "email", "phone")


@dataclass(slots=True)
class Recorded:
    """One exchange; ``endpoint`` is empty for a call that does not exist, ``limits`` are those of its time."""

    method: str
    path: str
    content_type: str
    limits: Limits
    endpoint: str = ""
    body: bytes = b""
    size: int = 0
    number: int = 0
    reply: Reply = field(default_factory=lambda: Reply(0, cut=True))


def violations_of(record: Recorded) -> list[dict[str, Any]]:
    """Every violation, with the number and path of its exchange, the rule, the place in the body, and a sentence."""
    head = {"request": record.number, "method": record.method, "path": record.path}
    if record.reply.status == contract.CLIENT_CLOSED:
        return []  # the body never came whole
    found = [*_in_request(record), *_in_answer(record)]
    return [{**head, "rule": rule, "place": place, "message": text} for rule, place, text in found]


def _in_request(record: Recorded) -> Iterator[tuple[Rule, str, str]]:
    if not record.endpoint:
        yield "call", "", "there is no such call"
        return
    validator = schemas.request(record.endpoint)
    if validator is None:
        return
    if record.content_type != "application/json":
        yield "type", "", f"the content type is {record.content_type}, not application/json"
    limit = record.limits.bulk_body_bytes if record.endpoint == "users_track_bulk" else record.limits.body_bytes
    if record.size > limit:
        yield "bytes", "", f"the body has {record.size} bytes; allowed are {limit}"
        return  # it was not kept
    try:
        body = msgspec.json.decode(record.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield "json", "", "the body is not JSON"
        return
    if record.endpoint in _TRACKS and isinstance(body, dict):
        yield from _in_counts(record, body)
    for place, text in validator(body):
        yield "schema", place, text


def _in_counts(record: Recorded, body: dict[str, Any]) -> Iterator[tuple[Rule, str, str]]:
    arrays = [body[name] for name in ARRAYS if isinstance(body.get(name), list)]
    counts = [len(objects) for objects in arrays]
    if not sum(counts):
        yield "empty", "", "the request carries no object"
        return
    profile = {"users_track": record.limits.track, "users_track_bulk": record.limits.bulk}.get(record.endpoint, "combined_1")
    combined, allowed = object_limit(profile)
    number = sum(counts) if combined else max(counts)
    if number > allowed:
        yield "count", "", f"{number} objects where {profile} allows {allowed}"
    if record.endpoint == "users_track_bulk":
        users = Counter(encode(_identity(item)) for objects in arrays for item in objects if isinstance(item, dict))
        user, most = users.most_common(1)[0] if users else (b"", 0)
        if most > record.limits.bulk_per_user:
            yield "count", "", f"{most} objects for {user.decode()}; allowed are {record.limits.bulk_per_user}"


def _identity(item: dict[str, Any]) -> tuple[str, Any] | None:
    return next(((name, item[name]) for name in _IDENTIFIERS if item.get(name) is not None), None)


def _in_answer(record: Recorded) -> Iterator[tuple[Rule, str, str]]:
    reply = record.reply
    if reply.cut or reply.content_type != "application/json":
        return  # a fault: what a gateway sends has no contract
    for place, text in schemas.response(record.endpoint, reply.status)(msgspec.json.decode(reply.body)):
        yield "answer", place, text
