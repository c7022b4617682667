"""Hides personal values: SQL expressions over texts (``columns.fields``, ``mask``)."""

from __future__ import annotations

from collections.abc import Callable

from activation.records.conversions import BLANKS, Conversion
from activation.records.rules import text_of
from activation.spec.fields import Mask

_E164 = "[+][1-9][0-9]{6,14}"
"""ITU-T E.164: at most 15 digits with the country's code; fewer than 7 are no subscriber's number."""

_BETWEEN = "E' \\t\\r\\n\u00a0().-/'"
"""What people write between the digits of a phone number."""


def _hash(text: str) -> str:
    return f"""'"' || sha256({text}) || '"'"""


def address(text: str) -> str:
    """An e-mail address as it is hashed everywhere: without blanks around it, in lower case; an empty text is NULL."""
    return f"lower(nullif(trim({text}, {BLANKS}), ''))"


def e164(text: str, country_code: int | None, trunk: str) -> str:
    """A phone number in E.164; an empty text is NULL.

    :param country_code: the calling code of numbers that begin with neither ``+`` nor ``00``; ``None`` leaves them as they are.
    :param trunk: the digits in front of a national number that fall away behind the code.
    """
    bare = f"nullif(translate({text}, {_BETWEEN}, ''), '')"
    abroad = f"'+' || regexp_replace(translate(replace({text}, '(0)', ''), {_BETWEEN}, ''), '^([+]|00)', '')"
    national = bare
    if country_code is not None:
        home = f"CASE WHEN starts_with({bare}, '{trunk}') THEN substr({bare}, {len(trunk) + 1}) ELSE {bare} END"
        national = f"'+{country_code}' || {home}"
    return f"CASE WHEN starts_with({bare}, '+') OR starts_with({bare}, '00') THEN {abroad} ELSE {national} END"


def _email(mask: Mask) -> Conversion:
    def json(text: str) -> str:
        return f"CASE WHEN regexp_full_match({text}, '[^@\\s]+@[^@\\s]+') THEN {_hash(text)} END"

    return Conversion(json, "value_not_email", "an e-mail address", address)


def _phone(mask: Mask) -> Conversion:
    def clean(text: str) -> str:
        return e164(text, mask.country_code, mask.trunk)

    def json(text: str) -> str:
        return f"CASE WHEN regexp_full_match({text}, '{_E164}') THEN {_hash(text)} END"

    fits = "a phone number" if mask.country_code else "a phone number that begins with + or 00"
    return Conversion(json, "value_not_phone", fits, clean)


_MASKS: dict[str, Callable[[Mask], Conversion]] = {
    "redact": lambda _: Conversion(lambda text: f"""CASE WHEN {text} IS NOT NULL THEN '"***"' END"""),
    "truncate": lambda mask: Conversion(lambda text: text_of(f"left({text}, {mask.length})")),
    "sha256": lambda _: Conversion(_hash),
    "sha256_email": _email,
    "sha256_phone": _phone,
}


def masking(mask: Mask) -> Conversion:
    """What becomes of a text under a mask, as JSON."""
    return _MASKS[mask.type](mask)
