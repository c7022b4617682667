"""Rows and messages as people may see them: in previews, samples of rejects and lists."""

from __future__ import annotations

from typing import Any

SHOWN = 20
"""Items of a preview that are shown."""


def masked(value: Any) -> Any:
    """A value of which nothing but its shape can be told: texts keep their first character, numbers nothing."""
    if isinstance(value, dict):
        return {key: masked(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [masked(inner) for inner in value]
    if isinstance(value, str):
        return f"{value[0]}***" if value else ""
    return value if value is None or isinstance(value, bool) else "***"
