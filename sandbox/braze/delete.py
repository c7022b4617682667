"""POST /users/delete (row S13)."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from sandbox.braze import contract
from sandbox.braze.identity import ObjectRefused, alias_key, usable
from sandbox.braze.ledger import Deletion
from sandbox.braze.replies import Refused, Reply, json_reply, message, unparsable
from sandbox.braze.stats import Exchange
from sandbox.braze.wire import BodyUnparsable, read_object
from sandbox.braze.world import World


def delete_users(world: World, body: bytes, exchange: Exchange) -> Reply:
    """Answer /users/delete. ``deleted`` counts the identifiers that were taken in, found or not (R)."""
    try:
        asked = read_object(body)
    except BodyUnparsable:
        raise Refused(unparsable()) from None
    kinds = [kind for kind in _DELETIONS if asked.get(kind)]
    if not kinds:
        raise Refused(message(400, contract.DELETE_NO_IDS))
    if len(kinds) > 1:
        raise Refused(message(400, contract.DELETE_ONE_KIND))
    (kind,) = kinds
    given = asked[kind]
    if not isinstance(given, list):
        raise Refused(message(400, contract.DELETE_BAD_ID))
    if len(given) > world.settings.limits.delete_ids:
        raise Refused(message(400, contract.DELETE_TOO_MANY))
    deletions = [_DELETIONS[kind](item) for item in given]
    exchange.users = {deletion.key for deletion in deletions}
    exchange.accepted[kind] = len(deletions)
    world.concurrency.claim(exchange.users)
    world.take_in(partial(world.ledger.delete, deletions), exchange)
    return json_reply(201, {"deleted": len(deletions), "message": contract.SUCCESS})


def _external_id(given: Any) -> Deletion:
    if given.__class__ is int:  # R: numbers were sent and taken
        return Deletion(str(given))
    return Deletion(_text(given))


def _alias(given: Any) -> Deletion:
    try:
        return Deletion(alias_key(given))
    except ObjectRefused:
        raise Refused(message(400, contract.DELETE_BAD_ID)) from None


def _braze_id(given: Any) -> Deletion:
    return Deletion(("braze_id", _text(given)))


def _address(kind: str, given: Any) -> Deletion:
    """D: an address comes with ``prioritization``, in which ``identified`` and ``unidentified`` exclude each other."""
    given = given if isinstance(given, Mapping) else {}
    priorities = given.get("prioritization")
    if not isinstance(priorities, list) or not all(isinstance(item, str) for item in priorities):
        raise Refused(message(400, contract.DELETE_BAD_ID))
    if not contract.PRIORITIES.issuperset(priorities) or {contract.IDENTIFIED, contract.UNIDENTIFIED} <= set(priorities):
        raise Refused(message(400, contract.DELETE_BAD_ID))
    return Deletion((kind, _text(given.get(kind))), tuple(priorities))


def _text(given: Any) -> str:
    if not usable(given):
        raise Refused(message(400, contract.DELETE_BAD_ID))
    return str(given)


_DELETIONS: dict[str, Callable[[Any], Deletion]] = {
    "external_ids": _external_id,
    "user_aliases": _alias,
    "braze_ids": _braze_id,
    "email_addresses": partial(_address, "email"),
    "phone_numbers": partial(_address, "phone"),
}
