"""The types of catalog fields (row S14). Which conversions Braze makes is not published; these are the safe ones (I)."""

import math
from collections.abc import Mapping
from typing import Any

from sandbox.braze import contract_catalogs as contract
from sandbox.braze.catalog_errors import Kind
from sandbox.braze.identity import ObjectRefused
from sandbox.braze.validation import checked_time

_EDITS = {"$add", "$remove"}


class ValueRefused(Exception):
    """A value cannot stand in its field; ``kind`` says why."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(kind[0])
        self.kind = kind


def coerced(kind: str, value: Any, *, edits: bool) -> Any:
    """A value as its field holds it; null empties any field. With ``edits`` an array may be given as changes to it.

    Raises:
        ValueRefused: another type, too large, too deep, or with a key that is not allowed.
    """
    if value is None:
        return None
    if kind == "array" and edits and isinstance(value, Mapping):
        if not value or not value.keys() <= _EDITS or not all(isinstance(part, list) for part in value.values()):
            raise ValueRefused(contract.NOT_COERCED)
        _check_size(list(value.values()))
        return value
    result = _CONVERSIONS[kind](value)
    _check_size(result)
    return result


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueRefused(contract.NOT_COERCED)


def _number(value: Any) -> int | float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            raise ValueRefused(contract.NOT_COERCED) from None
        if math.isfinite(number):
            return int(number) if number.is_integer() else number
    raise ValueRefused(contract.NOT_COERCED)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(value == "true")
    raise ValueRefused(contract.NOT_COERCED)


def _time(value: Any) -> str:
    try:
        checked_time(value)
    except ObjectRefused:
        raise ValueRefused(contract.NOT_COERCED) from None
    return str(value)


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueRefused(contract.NOT_COERCED)
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueRefused(contract.NOT_COERCED)
    return value


def _check_size(value: Any) -> None:
    waiting = [(value, 0)]
    while waiting:
        part, depth = waiting.pop()
        if isinstance(part, str) and len(part) > contract.STRING_CHARACTERS:
            raise ValueRefused(contract.ITEMS_TOO_LARGE)
        if not isinstance(part, dict | list):
            continue
        if depth == contract.NESTING:
            raise ValueRefused(contract.TOO_DEEP)
        if isinstance(part, dict):
            if any("." in key or "$" in key for key in part):
                raise ValueRefused(contract.INVALID_KEYS)
            part = list(part.values())
        waiting += [(inner, depth + 1) for inner in part]


_CONVERSIONS = {
    "string": _string,
    "number": _number,
    "boolean": _boolean,
    "time": _time,
    "object": _object,
    "array": _array,
}
