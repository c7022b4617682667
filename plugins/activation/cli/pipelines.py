"""What the commands that look at runs share: the pipeline they are about, and how they show a table."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.delivery.folder import Folder

MOST_TEXT = 100
"""Characters of a text in a table."""


def add_pipeline(parser: argparse.ArgumentParser) -> None:
    """Declare the argument that names the pipeline."""
    parser.add_argument("pipeline", metavar="PIPELINE", help="the id of a pipeline")


def add_dag(parser: argparse.ArgumentParser) -> None:
    """Declare the option that names the DAG to trigger."""
    parser.add_argument("--dag", metavar="DAG", help="its DAG, if that is not called like the pipeline")


def folder_of(pipeline: str) -> Folder:
    """The state folder of a pipeline that has run.

    :raises ConfigurationError: if no run of it has left anything; names those that have.
    """
    from activation.delivery.folder import listed, safe_name
    from activation.operators.memory import state_root

    root = state_root()
    folder = root / pipeline
    if safe_name(pipeline) == pipeline and pipeline.strip(".") and folder.is_dir():
        return folder
    known = [one.name for one in listed(root) if one.is_dir()]
    near = get_close_matches(pipeline, known, 1)
    there = f"Known there: {', '.join(known)}." if known else "Nothing lies there yet."
    hint = f"Did you mean {near[0]}?" if near else there
    raise ConfigurationError(
        f"No run of a pipeline {pipeline} has left anything in {root}.",
        f"{hint} The folder is set by AIRFLOW__ACTIVATION__STATE_FOLDER.",
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows below their heads; numbers stand at the right, and ``None`` is a dash."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    right = [all(isinstance(row[column], (int, float, type(None))) for row in rows) for column in range(len(head))]
    widths = [max(len(line[column]) for line in [[*head], *texts]) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(line, widths, right, strict=True)
        )
        for line in [[*head], *texts]
    ]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else short(value)


def short(text: object) -> str:
    """A text on one line, cut where it is long."""
    line = " ".join(str(text).split())
    return line if len(line) <= MOST_TEXT else f"{line[: MOST_TEXT - 1]}…"


def count(number: int, what: str) -> str:
    """A number with its noun."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
