"""The query that a warehouse unloads: that of a read, with the columns under their own names and the values written into it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from activation.cursor.window import Window
from activation.errors import ConfigurationError
from activation.warehouses import sql
from activation.warehouses.base import Extract

_PLAIN = re.compile(r"[\w .:@/+-]{0,500}")
"""Instants, names of events and ids of audiences; nothing that is special inside of quotes on any engine."""

_SPECIAL = re.compile(r"['\\\x00-\x1f\x7f]")

_TOKEN = re.compile(r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\'(?:[^\']|\'\')*\'| AS v\d+(?=, | FROM )')

_OWN = "Let our own writer do it: unload: never."


def query(dialect: sql.Dialect, extract: Extract, window: Window, shown: sql.Dialect | None = None) -> str:
    """The SELECT of :func:`activation.warehouses.sql.select` as one text without parameters.

    :param dialect: with ``"`` or a backtick around names and the placeholder ``%s``.
    :param shown: another one for the columns that are given, where they are written in another way than they are compared in.
    :raises ConfigurationError: if a value has other characters than letters, digits, blanks and ``_.:@/+-``.
    """
    found = sql.select(dialect, extract, window, typed=True)
    names = [dialect.identifier(column.name) for column in extract.values]
    columns, rest = _named(found.sql, names)
    if shown is not None:
        columns, _ = _named(sql.select(shown, extract, window, typed=True).sql, names)
    return (columns + rest) % tuple(_plain(value) for value in found.params)


def quoted(text: str) -> str:
    """A text in quotes.

    :raises ConfigurationError: if it holds a quote, a backslash or a control character.
    """
    if _SPECIAL.search(text):
        raise ConfigurationError(
            f"{text!r} cannot stand in a statement that unloads: it has a quote, a backslash or a control character.",
            f"Take the character out of it. {_OWN}",
        )
    return f"'{text}'"


def nested(text: str) -> str:
    """A query as a text in quotes, its own quotes doubled.

    :raises ConfigurationError: if it holds a backslash, which engines read differently inside of quotes.
    """
    if "\\" in text or "\0" in text:
        raise ConfigurationError(
            "The query holds a backslash, which cannot stand in a statement that unloads.",
            f"Read from a view instead. {_OWN}",
        )
    return "'" + text.replace("'", "''") + "'"


def _plain(value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise ConfigurationError(
            f"The value {value!r} cannot stand in a statement that unloads.",
            f"Choose by letters, digits, blanks and _.:@/+- only. {_OWN}",
        )
    return f"'{value}'"


def _named(text: str, names: Sequence[str]) -> tuple[str, str]:
    """Put the columns' own names in the places of ``v1``, ``v2``, …, which are the first ones outside of quotes.

    :returns: the text as far as the last of them, and the rest.
    """
    places = (match for match in _TOKEN.finditer(text) if match[0][0] == " ")
    parts, end = list[str](), 0
    for name, place in zip(names, places, strict=False):
        parts.append(f"{text[end : place.start()]} AS {name}")
        end = place.end()
    return "".join(parts), text[end:]
