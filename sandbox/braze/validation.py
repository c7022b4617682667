"""The rules for single objects (row S6). Each check raises ``ObjectRefused`` with the first rule that is broken."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from sandbox.braze import contract
from sandbox.braze.identity import ObjectRefused, usable
from sandbox.braze.wire import AttributeHead, EventHead, Head, PurchaseHead, decode_object, encode

# D: "not a valid email" is all that is said. One @, a dot in the domain, no blanks (I).
_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
# D: ISO 8601, or yyyy-MM-dd'T'HH:mm:ss:SSSZ. R: a blank instead of the T and before the offset is taken as well.
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,:](\d{1,9}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?)?", re.ASCII
)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)  # D: an ISO 4217 code; the list itself is not checked (I)


def check_attributes(head: AttributeHead) -> None:
    """E-mail format and subscription states of an attribute object."""
    if head.email is not msgspec.UNSET:
        check_email(head)
    if head.email_subscribe is not None and not _is_state(head.email_subscribe):
        raise ObjectRefused(contract.EMAIL_SUBSCRIBE_INVALID)
    if head.push_subscribe is not None and not _is_state(head.push_subscribe):
        raise ObjectRefused(contract.PUSH_SUBSCRIBE_INVALID)


def check_event(head: EventHead) -> datetime:
    """Name, time and properties of an event; the time in UTC."""
    check_email(head)
    if not usable(head.name):
        raise ObjectRefused(contract.EVENT_NAME_MISSING)
    _check_properties(head.properties)
    return checked_time(head.time)


def check_purchase(head: PurchaseHead) -> datetime:
    """Product, currency, price, time, quantity and properties of a purchase; the time in UTC."""
    check_email(head)
    product = str(head.product_id) if head.product_id.__class__ is int else head.product_id
    if not usable(product) or len(product) > contract.PRODUCT_ID_CHARACTERS:
        raise ObjectRefused(contract.PRODUCT_ID_INVALID)
    if not isinstance(head.currency, str) or _CURRENCY.fullmatch(head.currency) is None:
        raise ObjectRefused(contract.CURRENCY_INVALID)
    if head.price.__class__ not in (int, float):
        raise ObjectRefused(contract.PRICE_INVALID)
    quantity = head.quantity
    if quantity is not None and (quantity.__class__ is not int or not 1 <= quantity <= contract.QUANTITY):
        raise ObjectRefused(contract.QUANTITY_INVALID)
    _check_properties(head.properties)
    return checked_time(head.time)


def check_email(head: Head) -> None:
    """The address where there is one. Null is not an address: it removes the attribute."""
    email = head.email
    if email is msgspec.UNSET or email is None:
        return
    if not isinstance(email, str) or _EMAIL.fullmatch(email) is None:
        raise ObjectRefused(contract.EMAIL_INVALID)


def checked_time(value: Any) -> datetime:
    """A documented time as a UTC datetime (microseconds); without a zone it is read as UTC."""
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ObjectRefused(contract.TIME_INVALID)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(int(year), int(month), int(day), int(hour or 0), int(minute or 0), int(second or 0))
        moment += timedelta(microseconds=int((fraction or "").ljust(6, "0")[:6])) - _offset(zone)
    except (ValueError, OverflowError):
        raise ObjectRefused(contract.TIME_INVALID) from None
    return moment.replace(tzinfo=timezone.utc)


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone == "Z":
        return timedelta()
    minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    return timedelta(minutes=minutes if zone[0] == "+" else -minutes)


def _is_state(value: Any) -> bool:
    return isinstance(value, str) and value in contract.SUBSCRIPTION_STATES


def _check_properties(sent: bytes | msgspec.Raw) -> None:
    text = bytes(sent)
    if not text or text == b"null":
        return
    if text[:1] != b"{":
        raise ObjectRefused(contract.PROPERTIES_INVALID)
    # As sent it may hold white space and escapes; the limit is for the shortest spelling.
    if len(text) > contract.PROPERTIES_BYTES and len(encode(decode_object(text))) > contract.PROPERTIES_BYTES:
        raise ObjectRefused(contract.PROPERTIES_TOO_LARGE)
