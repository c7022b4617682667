"""Partial JSON to a new settings tree, with messages that name the place, the mistake and what is allowed."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from sandbox.braze.settings import Fault, Settings

_T = TypeVar("_T")


class SettingsError(ValueError):
    """A patch names an unknown setting or gives a value that is not allowed."""


def patched(settings: Settings, patch: object) -> Settings:
    """The settings with the named ones replaced; the others stay.

    Raises:
        SettingsError: unknown name, wrong type, or a value out of range.
    """
    return _replaced(settings, patch, "")


def fault_from(rule: object) -> Fault:
    """A fault rule from its JSON form.

    Raises:
        SettingsError: unknown name, missing ``kind``, wrong type, or a value out of range.
    """
    return _built(Fault, rule, "fault")


def as_json(value: Any) -> Any:
    """A settings tree, or a part of one, as plain JSON values."""
    return msgspec.to_builtins(value)


def _replaced(current: _T, patch: object, where: str) -> _T:
    names = _mapping(patch, where)
    hints = _known(type(current), names, where)
    change: Callable[..., _T] = replace
    changes: dict[str, Any] = {}
    for name, value in names.items():
        place = _join(where, name)
        old = getattr(current, name)
        changes[name] = _replaced(old, value, place) if is_dataclass(old) else _converted(value, hints[name], place)
    return _checked(lambda: change(current, **changes), where)


def _built(kind: type[_T], given: object, where: str) -> _T:
    names = _mapping(given, where)
    hints = _known(kind, names, where)
    for item in fields(kind):  # type: ignore[arg-type]
        if item.default is MISSING and item.name not in names:
            raise SettingsError(f"{_join(where, item.name)} is required")
    values = {name: _converted(value, hints[name], _join(where, name)) for name, value in names.items()}
    return _checked(lambda: kind(**values), where)


def _converted(value: object, hint: Any, where: str) -> Any:
    if hint == tuple[Fault, ...]:
        if not isinstance(value, list | tuple):
            raise SettingsError(f"{where} must be a list of fault rules")
        element = get_args(hint)[0]
        return tuple(_built(element, item, f"{where}[{index}]") for index, item in enumerate(value))
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{where}: {error}") from None


def _mapping(given: object, where: str) -> Mapping[str, object]:
    if not isinstance(given, Mapping):
        raise SettingsError(f"{where or 'settings'} must be a JSON object")
    return given


def _known(kind: type[Any], names: Mapping[str, object], where: str) -> dict[str, Any]:
    hints = get_type_hints(kind)
    for name in names:
        if name not in hints:
            close = get_close_matches(str(name), hints, n=1)
            advice = f"did you mean {close[0]!r}? " if close else ""
            raise SettingsError(f"unknown setting {_join(where, str(name))!r}; {advice}allowed: {', '.join(hints)}")
    return hints


def _checked(make: Callable[[], _T], where: str) -> _T:
    try:
        return make()
    except ValueError as error:
        raise SettingsError(f"{where}: {error}" if where else str(error)) from None


def _join(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name
