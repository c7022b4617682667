"""The advice for a value of the wrong type, above all where YAML reads a plain text as something else."""

from __future__ import annotations

import re
from typing import Any

from activation.spec.secrets import is_secret_key, mask

_SHORT = 60
_WRONG_DIGITS = re.compile(r"[-+]?0[0-9]+|[-+]?[0-9]+[_:][0-9_:.]+|0[xXoObB][0-9a-fA-F_]+")
_SHARE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,9})? ?%")
_NO_BLANK = re.compile(r"[\w.-]+:\S")
_ENDLESS = re.compile(r"[-+]?[0-9]{19,}")
_WRONG_BOOLEAN = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def mismatch(label: str, takes: str, value: Any, *, required: bool = True) -> tuple[str, str]:
    """The message and the advice for a value that is not what its field takes.

    :param label: the field, ``delivery.batch_rows``.
    :param takes: what it takes, ``a whole number, 1 to 75``.
    :param value: what stands in the file.
    :param required: whether the field has no default.
    """
    if value is None:
        return f"{label} is empty.", f"{_begin(takes)} is needed{'' if required else '; remove the key if the default is meant'}."
    shown = not is_secret_key(label.rpartition(".")[2])
    return f"{label} takes {takes}, not {_kind(value)}.", _advice(takes, value, shown=shown)


def quote(text: str) -> str:
    """A text in quotes, on one line, without secrets and cut where it gets long."""
    text = "".join(mask((text,)))
    return repr(text if len(text) < _SHORT else f"{text[:_SHORT]}…")


def _advice(takes: str, value: Any, *, shown: bool) -> str:
    if takes.startswith("a block"):
        if isinstance(value, str) and _NO_BLANK.match(value):
            return "Write a blank behind the colon: key: value."
        return "Write the block's keys below it, indented."
    if takes.startswith("a list"):
        short = shown and isinstance(value, str) and len(value) < _SHORT and value.isprintable() and mask((value,)) == (value,)
        return f"Write [{value}]." if short else "Write it like [one, two]."
    if isinstance(value, str):
        return _advice_for_text(takes, value)
    scalar = isinstance(value, bool | int | float)
    return "Put the value in quotes if it is meant as text." if scalar and takes.startswith(("a text", "a table")) else ""


def _advice_for_text(takes: str, value: str) -> str:
    if takes.startswith("true") and value.lower() in _WRONG_BOOLEAN:
        return f"Write {_WRONG_BOOLEAN[value.lower()]}."
    if _WRONG_DIGITS.fullmatch(value):
        return "Write decimal digits only, without a leading zero, _ or a colon: programs read those differently."
    if _SHARE.fullmatch(value) and takes.startswith("a number"):
        return f"Write {float(value.rstrip(' %')) / 100:g}: a share, not per cent."
    if _ENDLESS.fullmatch(value):
        return "A number has at most 18 digits."
    return "Remove the quotes." if re.fullmatch(r"true|false|[-+]?[0-9.]+", value) else ""


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    names = {int: "a number", float: "a decimal number", str: "a text", list: "a list"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "a block of keys")


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
