"""The bodies of requests: cut into objects without building them, and read only as far as the rules need.

An object stays the bytes that the client sent. Only the fields that identify and validate it are decoded; the rest
is decoded when somebody reads the profile. That keeps the cost of an object at a few microseconds.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

ARRAYS: Final = ("attributes", "events", "purchases")
Objects = Sequence[msgspec.Raw]


class BodyUnparsable(ValueError):
    """The body is not a JSON object in UTF-8 (row S3)."""


class ArrayExpected(ValueError):
    """One of the three fields is there, but is not an array."""


class Head(msgspec.Struct, gc=False):
    """The identifying fields of any object; ``None`` where absent or null."""

    external_id: Any = None
    user_alias: Any = None
    braze_id: Any = None
    email: Any = msgspec.UNSET
    phone: Any = msgspec.UNSET
    update_existing_only: Any = msgspec.field(name="_update_existing_only", default=None)


class AttributeHead(Head, gc=False):
    """What is validated of an attribute object."""

    email_subscribe: Any = None
    push_subscribe: Any = None


class EventHead(Head, gc=False):
    """What is validated of an event."""

    name: Any = None
    time: Any = None
    properties: msgspec.Raw = msgspec.Raw()


class PurchaseHead(Head, gc=False):
    """What is validated of a purchase."""

    product_id: Any = None
    currency: Any = None
    price: Any = None
    time: Any = None
    quantity: Any = None
    properties: msgspec.Raw = msgspec.Raw()


class TrackBody(msgspec.Struct, gc=False):
    """The three arrays of a track request; ``None`` where absent or null. Other keys are ignored."""

    attributes: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None
    purchases: list[msgspec.Raw] | None = None

    def arrays(self) -> tuple[Objects, Objects, Objects]:
        """The objects of each array, in the order of ``ARRAYS``."""
        return self.attributes or (), self.events or (), self.purchases or ()


decode_attribute = msgspec.json.Decoder(AttributeHead).decode
decode_event = msgspec.json.Decoder(EventHead).decode
decode_purchase = msgspec.json.Decoder(PurchaseHead).decode
decode_object = msgspec.json.Decoder(dict[str, Any]).decode
encode = msgspec.json.Encoder().encode
_decode_track = msgspec.json.Decoder(TrackBody).decode


def read_object(body: bytes) -> dict[str, Any]:
    """A whole body as a JSON object.

    Raises:
        BodyUnparsable: it is not one.
    """
    try:
        return decode_object(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BodyUnparsable from None


def read_track(body: bytes) -> TrackBody:
    """A track body, cut into its objects.

    Raises:
        BodyUnparsable: not a JSON object in UTF-8.
        ArrayExpected: a JSON object, but with something else where an array belongs.
    """
    try:
        body.decode()  # skipped parts are checked for JSON syntax only, not for UTF-8
        return _decode_track(body)
    except msgspec.ValidationError:
        read_object(body)
        raise ArrayExpected from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BodyUnparsable from None
