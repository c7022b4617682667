"""What a column's text becomes in JSON: SQL expressions over the texts that warehouses give (``columns.fields``, ``as``)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from activation.records.payload import not_strict
from activation.records.rules import FALSE, TRUE, text_of

BLANKS = r"E' \t\r\n'"
"""SQL text of the characters that are taken off around a value."""

_KINDS = (
    (r"^bool(ean)?$", "boolean"),
    # Types whose text is JSON in every engine that has them. GEOGRAPHY is not among them: engines disagree.
    (r"\]$|^(json|jsonb|variant|object|array|map|struct|union|super|vector|range)\b", "json"),
    (r"^(u?(tiny|small|big|huge)?int(eger)?|int[248]|int64|bignum|float[48]?|float64|double|real)\b", "number"),
    (r"^(number|(big)?numeric|(big)?decimal)\b", "number"),
    (r"^(timestamp|datetime)", "time"),
)


def kind_of(type_name: str) -> str:
    """What a column becomes if its field does not say: one of the values of ``as``.

    :param type_name: the type as any of the engines writes it.
    """
    return next((kind for pattern, kind in _KINDS if re.search(pattern, type_name.lower())), "text")


@dataclass(frozen=True, slots=True)
class Conversion:
    """One way to make JSON of a text, in two steps, because DuckDB works out what stands twice in one expression twice.

    :ivar json: SQL expression for the JSON of what ``clean`` gives; NULL for NULL and for what does not fit.
    :ivar code: the reason code of a row whose value does not fit; empty if every text fits.
    :ivar fits: what would fit, as the end of "… is not".
    :ivar clean: SQL expression over the text of the column; NULL for what counts as NULL.
    """

    json: Callable[[str], str]
    code: str = ""
    fits: str = ""
    clean: Callable[[str], str] = str


def _number(text: str) -> str:
    """A number in the form of JSON stays as it is, with all its digits; another one loses what JSON does not take."""
    trimmed = f"trim({text}, {BLANKS})"
    bare = f"regexp_replace(regexp_replace(ltrim({trimmed}, '+-'), '^0+([0-9])', '\\1'), '^[.]', '0.')"
    loose = f"CASE WHEN starts_with({trimmed}, '-') THEN '-' ELSE '' END || regexp_replace({bare}, '[.]($|[eE])', '\\1')"
    return f"""CASE WHEN regexp_full_match({text}, '-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?') THEN {text}
        WHEN regexp_full_match({trimmed}, '[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?') THEN {loose} END"""


def _integer(text: str) -> str:
    trimmed = f"trim({text}, {BLANKS})"
    bare = f"regexp_replace(regexp_replace(ltrim({trimmed}, '+-'), '[.]0*$', ''), '^0+([0-9])', '\\1')"
    return f"""CASE WHEN regexp_full_match({text}, '-?(0|[1-9][0-9]*)') THEN {text}
        WHEN regexp_full_match({trimmed}, '[+-]?[0-9]+([.]0*)?') THEN
            CASE WHEN starts_with({trimmed}, '-') THEN '-' ELSE '' END || {bare} END"""


def _boolean(text: str) -> str:
    word = f"trim({text}, {BLANKS})"
    return f"""CASE WHEN {text} = 'true' THEN 'true' WHEN {text} = 'false' THEN 'false'
        WHEN regexp_full_match({word}, '{TRUE}') THEN 'true' WHEN regexp_full_match({word}, '{FALSE}') THEN 'false' END"""


def _json(text: str) -> str:
    return f"CASE WHEN NOT json_valid({text}) THEN NULL WHEN {not_strict(text)} THEN NULL ELSE {text} END"


def _not_null(text: str) -> str:
    """The null of JSON is NULL as much as that of SQL."""
    return f"CASE WHEN trim({text}, {BLANKS}) = 'null' THEN NULL ELSE {text} END"


_DAY = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
_MINUTE = "[T ]([01][0-9]|2[0-3]):[0-9]{2}"
_SECOND = ":[0-9]{2}([.][0-9]{1,9})?"
_ZONE = " ?(Z|[+-][01][0-9](:?[0-5][0-9])?)"


def _utc(text: str) -> str:
    """The text of an instant in UTC, whatever zone it says; the empty text for what is no instant."""
    trimmed = f"trim({text}, {BLANKS})"
    # A zone must not lead out of the years that have four digits.
    inside = f"{trimmed} BETWEEN '0001-01-02' AND '9999-12-31'"
    # Not every version of DuckDB reads a zone behind a blank or behind minutes.
    plain = f"regexp_replace(regexp_replace({trimmed}, ' ([Z+-])', '\\1'), '^(.{{16}})([Z+-])', '\\1:00\\2')"
    zoned = f"make_timestamp(epoch_us(TRY_CAST({plain} AS TIMESTAMP WITH TIME ZONE)))"
    return f"""CASE WHEN {text} IS NULL OR regexp_full_match({text}, '{_DAY}{_MINUTE}{_SECOND}(Z|[+]00(:?00)?)?') THEN {text}
        WHEN regexp_full_match({trimmed}, '{_DAY}({_MINUTE}({_SECOND})?)?') THEN {trimmed}
        WHEN {inside} AND regexp_full_match({trimmed}, '{_DAY}{_MINUTE}({_SECOND})?{_ZONE}')
            THEN coalesce(CAST({zoned} AS VARCHAR), '')
        ELSE '' END"""


def _time(text: str) -> str:
    return f"""strftime(TRY_CAST({text} AS TIMESTAMP), '"%Y-%m-%dT%H:%M:%S.%gZ"')"""


CONVERSIONS = {
    "text": Conversion(text_of),
    "integer": Conversion(_integer, "value_not_integer", "a whole number"),
    "number": Conversion(_number, "value_not_number", "a number; NaN and infinity are none in JSON"),
    "boolean": Conversion(_boolean, "value_not_boolean", "true or false"),
    "json": Conversion(_json, "value_not_json", "strict JSON", _not_null),
    "time": Conversion(_time, "value_not_time", "an instant such as 2026-07-19 09:07:23+00", _utc),
}
"""The values of ``as``."""
