"""What an advertising id is, and which column of a table may hold them (contracts: kakao_moment 7.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from activation.errors import ConfigurationError
from activation.warehouses.base import Column

Case = Literal["keep", "lower", "upper"]

MISSING = "missing"
"""Reason: NULL, or nothing left once what stands around an id is off."""
INVALID = "not_an_advertising_id"
"""Reason: not 8-4-4-4-12 hexadecimal digits. 32 digits without hyphens too: that is what an MD5 hash of an id looks like."""
ALL_ZERO = "all_zero"
"""Reason: the id of a device whose owner has opted out."""
DUPLICATE = "duplicate"
"""Reason: the id came already, in whatever case."""

AROUND = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029"
    "\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u2060\ufeff\"'`\u2018\u2019\u201c\u201d{}"
)
"""Characters that are taken off both ends: blanks of all kinds, those without width, the byte order mark, quotes and braces
(contracts: kakao_moment 7.1, normalised before sending)."""

_TEXT = re.compile(r"^(n?(var)?char2?|character( varying)?|bpchar|n?text|(tiny|medium|long)?text|string)\b(?!.*(\[|<|\]))")


@dataclass(frozen=True, slots=True)
class IdRules:
    """How ids are written.

    :ivar case: ``keep`` writes each as it came, and of several spellings of one id the first by code point (capitals go before
        small letters); ``lower`` and ``upper`` change all.
    """

    case: Case = "keep"

    def __post_init__(self) -> None:
        if self.case not in get_args(Case):
            raise ConfigurationError(
                f"{self.case!r} is no way to write advertising ids.", f"Write one of: {', '.join(get_args(Case))}."
            )


def id_column(columns: Sequence[Column], wanted: str, table: str) -> Column:
    """Find the column of the ids, by its exact name or else in any case, before anything is read.

    :param table: what the columns are of, for the text.
    :raises ConfigurationError: if there is none, if only its case could tell several apart, or if its type is no text.
    """
    found = [column for column in columns if column.name == wanted]
    found = found or [column for column in columns if column.name.casefold() == wanted.casefold()]
    if len(found) != 1:
        there = ", ".join(column.name for column in columns)
        many = "no column" if not found else "more than one column"
        raise ConfigurationError(
            f"{table} has {many} {wanted!r}; its columns are: {there}.",
            "Name the column of the advertising ids in ids.column, or give it that name in a query (SELECT … AS adid).",
        )
    (column,) = found
    if not _TEXT.match(column.type.lower()):
        raise ConfigurationError(
            f"The column {column.name} of {table} has the type {column.type}; advertising ids are read from a text column only.",
            f"Read from a query that makes a text of it: {_cast(column)}.",
        )
    return column


def _cast(column: Column) -> str:
    kind = column.type.lower()
    if re.match(r"(var)?binary|bytes|bytea|blob|varbyte", kind):
        return (
            f"for the 16 bytes of an id, their hexadecimal digits in groups of 8-4-4-4-12; for texts that were stored as bytes, "
            f"{column.name} decoded from UTF-8"
        )
    return f"SELECT CAST({column.name} AS VARCHAR) AS {column.name} FROM …"
