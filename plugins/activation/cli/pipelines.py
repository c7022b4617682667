"""What the commands that look at runs share: the pipeline they are about, and how they show a table."""

from __future__ import annotations

import argparse
import sys
import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.validate import DEFAULT
from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.delivery.folder import Folder
    from activation.spec import Pipeline

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


def files_of(folder: Path | None) -> dict[str, Pipeline | None]:
    """The pipelines of a folder's files by their id; ``None`` for one that cannot be used.

    :param folder: ``None``: the default one, which need not be there, because Airflow may read files from elsewhere.
    :raises ConfigurationError: if it cannot be read.
    """
    from activation.dags.environment import current_environment
    from activation.spec import load_folder

    if folder is None and not DEFAULT.is_dir():
        print(f"There is no folder {DEFAULT.as_posix()} here: what stands in files is not known (--folder).", file=sys.stderr)
        return {}
    loaded = load_folder(folder or DEFAULT, env=current_environment())
    return {pipeline_id: loaded.pipelines.get(pipeline_id) for pipeline_id in loaded.files}


def file_of(pipeline_id: str) -> Path | None:
    """The file of a pipeline in the default folder, with a matrix or without; ``None`` if there is none.

    :raises ConfigurationError: if two files have that name, or the one that may make it is broken.
    """
    from activation.dags.environment import current_environment
    from activation.spec import find_file

    return find_file(DEFAULT, pipeline_id, env=current_environment()) if DEFAULT.is_dir() else None


def pipeline_in(file: Path, pipeline_id: str = "") -> Pipeline:
    """Read one pipeline of a file as Airflow reads it: with the defaults of the default folder, in ``[activation] env``.

    :param pipeline_id: which one; needed where the file makes several.
    :raises ConfigurationError: if it is broken, is not there, or is not named although there are several.
    """
    from activation.dags.environment import current_environment
    from activation.spec import load_file

    return load_file(file, pipeline_id, root=DEFAULT, env=current_environment())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Rows below their heads; numbers stand at the right, and ``None`` is a dash."""
    texts = [[_cell(cell) for cell in row] for row in rows]
    right = [all(isinstance(row[column], (int, float, type(None))) for row in rows) for column in range(len(head))]
    widths = [max(_width(line[column]) for line in [[*head], *texts]) for column in range(len(head))]
    lines = [
        "  ".join(_padded(cell, width, is_right) for cell, width, is_right in zip(line, widths, right, strict=True))
        for line in [[*head], *texts]
    ]
    return "\n".join(line.rstrip() for line in lines)


def _padded(cell: str, width: int, right: bool) -> str:
    blanks = " " * (width - _width(cell))
    return blanks + cell if right else cell + blanks


def _width(text: str) -> int:
    """Columns of a terminal that a text takes: two for each letter of Korean, Chinese and Japanese, none for an accent."""
    return sum(0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else short(value)


def short(text: object, most: int = MOST_TEXT) -> str:
    """A text on one line, cut where it has more characters than ``most``."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def count(number: int, what: str) -> str:
    """A number with its noun."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def confirmed(question: str, why: str) -> bool:
    """Whether a person agrees.

    :param why: what needs an agreement, as the start of a sentence.
    :raises ConfigurationError: if there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise ConfigurationError(f"{why}, and nobody is there to confirm it.", "Add --yes.")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
