"""What ``columns.fields`` make of texts, written once more in plain Python, value by value."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from activation.spec.fields import MappedField, Mask

from .reference import Invalid, pairs_of

BLANKS = " \t\r\n"
STARTED = "2026-07-19T09:07:23.123Z"


class Broken(Exception):
    """A value that does not fit; carries the reason code."""


Found = Any
"""A parsed value as :func:`pairs_of` gives it, with numbers as ``("number", Decimal)``; ``None`` for NULL."""


def number(text: str) -> Found:
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text.strip(BLANKS)) is None:
        raise Broken("value_not_number")
    return ("number", Decimal(text.strip(BLANKS)))


def integer(text: str) -> Found:
    if re.fullmatch(r"[+-]?[0-9]+(\.0*)?", text.strip(BLANKS)) is None:
        raise Broken("value_not_integer")
    return ("number", Decimal(text.strip(BLANKS)))


def boolean(text: str) -> Found:
    word = text.strip(BLANKS).lower()
    if word not in ("true", "t", "1", "yes", "y", "false", "f", "0", "no", "n"):
        raise Broken("value_not_boolean")
    return word in ("true", "t", "1", "yes", "y")


def embedded(text: str) -> Found:
    try:
        return decimals(pairs_of(text))
    except Invalid as error:
        raise Broken("value_not_json") from error


def time(text: str) -> Found:
    form = r"([0-9]{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?: ?(Z|[+-][01]\d(?::?[0-5]\d)?))?)?"
    match = re.fullmatch(form, text.strip(BLANKS), re.ASCII)
    if match is None:
        raise Broken("value_not_time")
    *parts, fraction, zone = match.groups()
    try:
        at = datetime(*(int(part or 0) for part in parts), tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
        if zone not in (None, "Z"):
            digits = zone[1:].replace(":", "").ljust(4, "0")
            shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            at = at - shift if zone[0] == "+" else at + shift
    except (ValueError, OverflowError) as error:
        raise Broken("value_not_time") from error
    return f"{at:%Y-%m-%dT%H:%M:%S}".zfill(19) + f".{(fraction or '.').ljust(4, '0')[1:4]}Z"


def masked(mask: Mask, text: str) -> Found:
    if mask.type == "redact":
        return "***"
    if mask.type == "truncate":
        return text[: mask.length]
    if mask.type == "sha256_email":
        text = text.strip(BLANKS).lower()
        if not text:
            return None
        if re.fullmatch(r"[^@ \t\n\f\r]+@[^@ \t\n\f\r]+", text) is None:
            raise Broken("value_not_email")
    if mask.type == "sha256_phone":
        number = e164(mask, text)
        if number is None:
            return None
        text = number
    return hashlib.sha256(text.encode()).hexdigest()


def e164(mask: Mask, text: str) -> str | None:
    digits = re.sub(r"[ \t\r\n\u00a0().\-/]", "", text)
    if not digits:
        return None
    if digits.startswith(("+", "00")):
        abroad = re.sub(r"[ \t\r\n\u00a0().\-/]", "", text.replace("(0)", ""))
        number = "+" + re.sub(r"^(\+|00)", "", abroad)
    elif mask.country_code is None:
        number = digits
    else:
        number = f"+{mask.country_code}{digits.removeprefix(mask.trunk)}"
    if re.fullmatch(r"\+[1-9][0-9]{6,14}", number) is None:
        raise Broken("value_not_phone")
    return number


CONVERSIONS = {"text": str, "number": number, "integer": integer, "boolean": boolean, "json": embedded, "time": time}


def convert(kind: str, text: str) -> Found:
    """What ``as`` makes of a text."""
    if kind == "json" and text.strip(BLANKS) == "null":
        return None
    return CONVERSIONS[kind](text)


def decimals(value: Any) -> Found:
    """Numbers compare by their value, every digit of it."""
    if isinstance(value, tuple) and value[0] == "number":
        return ("number", Decimal(value[1]))
    if isinstance(value, dict):
        return {"pairs": [(key, decimals(inner)) for key, inner in value["pairs"]]}
    return [decimals(inner) for inner in value] if isinstance(value, list) else value


def value_of(field: MappedField, row: Mapping[str, str | None], kinds: Mapping[str, str]) -> Found:
    """The value of a field.

    :param kinds: column -> what its type becomes if the field does not say.
    """
    if field.constant is not None:
        return decimals(pairs_of(json.dumps(field.constant)))
    if field.moment:
        return STARTED
    if field.template is not None:
        texts = [(literal, row[column] if column else "") for literal, column in field.parts]
        text = None if any(part is None for _, part in texts) else "".join(literal + str(part) for literal, part in texts)
    else:
        assert field.column
        text = row[field.column]
    if text is None:
        return None
    if field.mask:
        return masked(field.mask, text)
    return convert(field.as_ or (kinds[field.column] if field.column else "text"), text)


def payload_of(fields: Mapping[str, MappedField], row: Mapping[str, str | None], kinds: Mapping[str, str]) -> Any:
    """The payload as :func:`pairs_of` gives it; objects stand where their first field does.

    :raises Broken: for the first field that cannot be made.
    """
    tree: dict[str, Any] = {}
    for name, field in fields.items():
        *outside, last = name.split(".")
        place = tree
        for part in outside:
            place = place.setdefault(part, {})
        value = value_of(field, row, kinds)
        nulls = field.nulls or ("skip" if outside else "send")
        if value is None and nulls == "reject":
            raise Broken("value_missing")
        place[last] = _Leaf(value, value is not None or nulls == "send" or field.constant is not None)
    return _pairs(tree)


class _Leaf:
    def __init__(self, value: Found, shown: bool) -> None:
        self.value, self.shown = value, shown


def _pairs(tree: Mapping[str, Any]) -> Any:
    pairs: list[tuple[str, Any]] = []
    for name, inner in tree.items():
        if isinstance(inner, _Leaf):
            pairs += [(name, inner.value)] if inner.shown else []
        elif (members := _pairs(inner))["pairs"]:
            pairs.append((name, members))
    return {"pairs": pairs}
