"""Which objects and arrays Braze takes as the value of an attribute (row S9). What it does not take, it drops silently."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from sandbox.braze import contract
from sandbox.braze.identity import ObjectRefused
from sandbox.braze.validation import checked_time

Operation = Literal["counter", "scalars", "objects"]

_COUNTER = {"inc"}
_SCALARS = {"add", "remove"}
_OBJECTS = {"$add", "$remove", "$update"}
_MATCH = {"$identifier_key", "$identifier_value"}
_GREGORIAN_CYCLE = 400  # after so many years the calendar repeats; Python's years begin with 1, Braze's with 0


def operation(value: Mapping[str, Any]) -> Operation | None:
    """The change that an object asks for; ``None`` if it is a plain value."""
    keys = value.keys()
    if keys == _COUNTER:
        return "counter"
    if not keys:
        return None
    if keys <= _SCALARS and all(isinstance(part, list) for part in value.values()):
        return "scalars"
    return "objects" if keys <= _OBJECTS else None


def defect(value: dict[str, Any] | list[Any]) -> str | None:
    """Why Braze would drop this update of an attribute; ``None`` if the value is sound (but perhaps too large)."""
    if isinstance(value, list):
        return _in_plain([value]) if _holds_containers(value) else _in_scalars(value)
    asked = operation(value)
    if asked == "counter":
        return None if value["inc"].__class__ is int else contract.DROPPED_OPERATOR
    if asked == "scalars":
        return _first(_in_operator_scalars(part) for part in value.values())
    if asked == "objects":
        return _first(_in_objects(name, part) for name, part in value.items())
    return _in_plain([value])


def is_time(value: Any) -> bool:
    """Whether an object is a ``$time``, good or bad."""
    return isinstance(value, dict) and value.keys() == {"$time"}


def _holds_containers(values: list[Any]) -> bool:
    return any(value.__class__ in (dict, list) for value in values)


def _in_scalars(values: list[Any]) -> str | None:
    return contract.DROPPED_NULL if None in values else None


def _in_operator_scalars(values: list[Any]) -> str | None:
    return contract.DROPPED_OPERATOR if _holds_containers(values) else _in_scalars(values)


def _in_objects(name: str, part: Any) -> str | None:
    if not isinstance(part, list) or not all(isinstance(item, dict) for item in part):
        return contract.DROPPED_OPERATOR
    if name == "$add":
        return _in_plain([part])
    expected = _MATCH | {"$new_object"} if name == "$update" else _MATCH
    for item in part:
        if item.keys() != expected or not isinstance(item["$identifier_key"], str):
            return contract.DROPPED_OPERATOR
        if name == "$update" and not isinstance(item["$new_object"], dict):
            return contract.DROPPED_OPERATOR
    return _in_plain([[item["$identifier_value"], item.get("$new_object", {})] for item in part])


def _in_plain(waiting: list[Any]) -> str | None:
    """Look through values and all that is in them, without recursion: depth is up to the client."""
    while waiting:
        value = waiting.pop()
        if value is None:
            return contract.DROPPED_NULL
        if isinstance(value, str):
            if len(value) > contract.NESTED_CHARACTERS:
                return contract.DROPPED_LENGTH
        elif isinstance(value, list):
            waiting.extend(value)
        elif is_time(value):
            if not _good_time(value["$time"]):
                return contract.DROPPED_TIME
        elif isinstance(value, dict):
            for key in value:
                if not contract.KEY_FORBIDDEN.isdisjoint(key):
                    return contract.DROPPED_KEY
                if len(key) > contract.NESTED_CHARACTERS:
                    return contract.DROPPED_LENGTH
            waiting.extend(value.values())
    return None


def _good_time(value: Any) -> bool:
    year = value[:4] if isinstance(value, str) else ""
    if not (year.isdecimal() and year.isascii() and len(year) == 4 and int(year) in contract.TIME_YEARS):
        return False
    try:
        checked_time(f"{int(year) + _GREGORIAN_CYCLE:04d}{value[4:]}")
    except ObjectRefused:
        return False
    return True


def _first(reasons: Iterable[str | None]) -> str | None:
    return next((reason for reason in reasons if reason is not None), None)
