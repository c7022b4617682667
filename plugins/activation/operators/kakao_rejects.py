"""Keeps the rejects of a list in the form of all runs, so that ``activation rejects`` lists and exports them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa

from activation.delivery.folder import Folder, listed
from activation.delivery.rejects import PART, Origin
from activation.errors import TransientError
from activation.records.advertising_ids import INVALID, MISSING
from activation.records.columnar import Projection
from activation.records.rules import text_of

MESSAGES = {
    MISSING: "The id is NULL or empty.",
    INVALID: "This is no advertising id: 8-4-4-4-12 hexadecimal digits with hyphens.",
}
"""Reason -> what stands in the reject and in the log."""

_PART_ROWS = 20_000
"""About how many rejects stand in a file."""


def keep_rejects(folder: Folder, origin: Origin, column: str, batches: Iterable[pa.RecordBatch]) -> int:
    """Write the rejects of a run, and take away what an earlier try has written.

    :param column: the name of the ids' column in the table.
    :param batches: strings ``value`` and ``reason``.
    :returns: how many.
    :raises TransientError: if they cannot be written: the run must not go on without them.
    """
    written = number = 0
    try:
        for leftover in listed(folder):
            if leftover.name.startswith(PART):
                leftover.unlink()
        for text, rows in _texts(origin, column, batches):
            folder.mkdir(parents=True, exist_ok=True)
            number += 1
            (folder / f"{PART}{number:06d}.jsonl").write_text(text, encoding="utf-8")
            written += rows
    except OSError as error:
        raise TransientError(f"The rejects could not be written to {folder}: {error}") from error
    return written


def _texts(origin: Origin, column: str, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, int]]:
    """The content of each file, and how many rejects it holds; whole batches at a time, no row by itself."""
    project = Projection(_query(origin, column), ("value", "reason"))
    waiting: list[str] = []
    rows = 0
    try:
        for batch in batches:
            lines = project(batch)["line"].combine_chunks()
            waiting.append(_joined(lines))
            rows += len(lines)
            if rows >= _PART_ROWS:
                yield "".join(waiting), rows
                waiting, rows = [], 0
        if rows:
            yield "".join(waiting), rows
    finally:
        project.close()


def _joined(lines: pa.StringArray) -> str:
    """The texts one behind the other, as they lie in Arrow's buffer; none is null."""
    _, ends, data = lines.buffers()
    first, last = np.frombuffer(ends, np.int32)[[lines.offset, lines.offset + len(lines)]]
    return str(data.slice(int(first), int(last - first)).to_pybytes(), "utf-8")


def _query(origin: Origin, column: str) -> str:
    """SELECT one line of JSON with its end for each reject, as :class:`~activation.delivery.rejects.Rejects` writes them."""
    messages = " ".join(f"WHEN '{reason}' THEN {_literal(json.dumps(text))}" for reason, text in MESSAGES.items())
    about = {"pipeline": origin.pipeline, "run": origin.run, "attempt": origin.attempt}
    name, end = json.dumps(column, ensure_ascii=False), json.dumps(about, ensure_ascii=False)[1:] + "\n"
    return f"""SELECT concat('{{"code": "', reason, '", "message": ', CASE reason {messages} END,
        {_literal(f', "updated_at": null, "row": {{{name}: ')}, coalesce({text_of("value")}, 'null'),
        {_literal(f"}}, {end}")}) AS line FROM batch"""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
