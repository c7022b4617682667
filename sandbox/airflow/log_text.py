"""Airflow's structured task log as plain lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_PLACED = ("timestamp", "level", "event", "logger", "error_detail", "filename", "lineno", "loc")


def render(content: Iterable[Mapping[str, Any] | str]) -> str:
    """One line an entry, followed by the errors that it carries."""
    return "\n".join(line for entry in content for line in _lines(entry))


def _lines(entry: Mapping[str, Any] | str) -> Iterable[str]:
    if isinstance(entry, str):
        yield entry
        return
    fields = " ".join(f"{name}={value}" for name, value in entry.items() if name not in _PLACED and value is not None)
    head = f"{entry.get('timestamp') or ''} {(entry.get('level') or '').upper()} {entry.get('event', '')} {fields}"
    yield " ".join(head.split(" ")).strip()
    for error in entry.get("error_detail") or ():
        yield f"{error.get('exc_type')}: {error.get('exc_value')}"
        for frame in error.get("frames") or ():
            yield f"  at {frame.get('filename')}:{frame.get('lineno')} in {frame.get('name')}"
