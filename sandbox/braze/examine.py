"""A track body becomes accepted writes and a list of errors (rows S5 and S6)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from sandbox.braze import contract
from sandbox.braze.identity import IdentityKey, ObjectRefused, identify, updates_only
from sandbox.braze.ledger import Batch
from sandbox.braze.profiles import ActivityWrite, AttributeWrite
from sandbox.braze.settings import ErrorStyle
from sandbox.braze.validation import check_attributes, check_event, check_purchase
from sandbox.braze.wire import (
    ARRAYS,
    AttributeHead,
    EventHead,
    Head,
    Objects,
    PurchaseHead,
    TrackBody,
    decode_attribute,
    decode_event,
    decode_purchase,
)

_H = TypeVar("_H", bound=Head)
_W = TypeVar("_W", AttributeWrite, ActivityWrite)


@dataclass(slots=True)
class Findings:
    """The good objects of a request, and for each bad one its array, index and reason."""

    batch: Batch = field(default_factory=Batch)
    refusals: list[tuple[str, int, tuple[str, str]]] = field(default_factory=list)

    def errors(self, style: ErrorStyle) -> list[dict[str, Any]]:
        """The ``errors`` of the answer. ``enum`` falls back to the sentence where Braze documents no name."""
        found = []
        for array, index, (name, sentence) in self.refusals:
            error: dict[str, Any] = {"type": (name or sentence) if style == "enum" else sentence, "input_array": array}
            if style != "unindexed":
                error["index"] = index
            found.append(error)
        return found


def examine(body: TrackBody) -> Findings:
    """Check every object of a request. Nothing is applied."""
    attributes, events, purchases = body.arrays()
    findings = Findings()
    findings.batch = Batch(
        _examine(attributes, ARRAYS[0], decode_attribute, _attribute_write, findings),
        _examine(events, ARRAYS[1], decode_event, _event_write, findings),
        _examine(purchases, ARRAYS[2], decode_purchase, _purchase_write, findings),
    )
    return findings


def _examine(
    objects: Objects,
    array: str,
    decode: Callable[[bytes], _H],
    accept: Callable[[_H, IdentityKey, bytes], _W],
    findings: Findings,
) -> list[_W]:
    writes: list[_W] = []
    for index, raw in enumerate(objects):
        try:
            head = decode(raw)
            writes.append(accept(head, identify(head), bytes(raw)))
        except ObjectRefused as refusal:
            findings.refusals.append((array, index, refusal.reason))
        except msgspec.ValidationError:
            findings.refusals.append((array, index, contract.NOT_AN_OBJECT))
    return writes


def _attribute_write(head: AttributeHead, key: IdentityKey, sent: bytes) -> AttributeWrite:
    check_attributes(head)
    contact = None
    if head.email is not msgspec.UNSET or head.phone is not msgspec.UNSET:
        given = (("email", head.email), ("phone", head.phone))
        contact = {kind: value for kind, value in given if value is not msgspec.UNSET}
    return AttributeWrite(key, updates_only(head, key), sent, contact)


def _event_write(head: EventHead, key: IdentityKey, sent: bytes) -> ActivityWrite:
    time = check_event(head)
    return ActivityWrite(key, updates_only(head, key), sent, head.name, time)


def _purchase_write(head: PurchaseHead, key: IdentityKey, sent: bytes) -> ActivityWrite:
    time = check_purchase(head)
    number = head.quantity or 1
    return ActivityWrite(key, updates_only(head, key), sent, str(head.product_id), time, number, head.price * number)
