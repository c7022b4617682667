"""Fields of the trigger form that several kinds of pipelines share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.sdk import Param


def mode(modes: Sequence[str], description: str) -> Param:
    """What a run does; the first mode is the usual one."""
    return Param(modes[0], enum=[*modes], title="Mode", description=description)


def limit(description: str) -> Param:
    """Most rows."""
    return Param(None, type=["null", "integer"], minimum=1, title="Limit", description=description)


def dry_run(description: str) -> Param:
    """Whether the run only shows what it would do."""
    return Param(False, type="boolean", title="Dry run", description=description)


def text(title: str, description: str) -> Param:
    """A text that may be left out."""
    return Param(None, type=["null", "string"], title=title, description=description)


RESET_TO: dict[str, Any] = {
    "title": "Reset to",
    "description": "With mode reset: the new watermark, such as 2026-07-19T09:07:23Z; empty is the beginning.",
}
