"""Keeps the rejects of a list in the form of all runs, so that ``activation rejects`` lists and exports them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from activation.delivery.folder import Folder, listed
from activation.delivery.rejects import PART, Origin
from activation.errors import TransientError
from activation.records.advertising_ids import INVALID, MISSING
from activation.records.advertising_ids.bridge import bytes_of, chosen, nulls_of

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
        for content, rows in _contents(origin, column, batches):
            folder.mkdir(parents=True, exist_ok=True)
            number += 1
            (folder / f"{PART}{number:06d}.jsonl").write_bytes(content)
            written += rows
    except OSError as error:
        raise TransientError(f"The rejects could not be written to {folder}: {error}") from error
    return written


def _contents(origin: Origin, column: str, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[bytes, int]]:
    """The content of each file, and how many rejects it holds; whole batches at a time, no row by itself."""
    waiting: list[memoryview] = []
    rows = 0
    for batch in batches:
        waiting.append(bytes_of(_lines(origin, column, batch)).data)
        rows += batch.num_rows
        if rows >= _PART_ROWS:
            yield b"".join(waiting), rows
            waiting, rows = [], 0
    if rows:
        yield b"".join(waiting), rows


def _lines(origin: Origin, column: str, batch: pa.RecordBatch) -> pa.StringArray:
    """One line of JSON for each reject, as :class:`~activation.delivery.rejects.Rejects` writes them."""
    values, reasons = batch.column("value"), batch.column("reason").dictionary_encode()
    kinds = np.frombuffer(reasons.indices.buffers()[1], np.int32)[: batch.num_rows] * 2 + nulls_of(values)
    fronts = [_front(reason, column) for reason in reasons.dictionary.to_pylist()]
    heads = [front + value for front in fronts for value in ('"', "null")]
    about = {"pipeline": origin.pipeline, "run": origin.run, "attempt": origin.attempt}
    end = f"}}, {json.dumps(about, ensure_ascii=False)[1:]}\n"
    pieces = chosen(kinds, *heads), _escaped(values), chosen(kinds % 2, f'"{end}', end), chosen(kinds * 0, "")
    return pc.binary_join_element_wise(*pieces, null_handling="replace")


def _front(reason: str, column: str) -> str:
    """A reject's line up to its value."""
    about = {"code": reason, "message": MESSAGES[reason], "updated_at": None}
    return f'{json.dumps(about)[:-1]}, "row": {{{json.dumps(column, ensure_ascii=False)}: '


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    """Texts as they stand between the quotes of JSON."""
    there = np.bincount(bytes_of(texts), minlength=256)
    for byte in (ord("\\"), ord('"'), *range(32)):  # the backslash first: the others bring more of them
        if there[byte]:
            character = chr(byte)
            texts = pc.replace_substring(texts, pattern=character, replacement=json.dumps(character)[1:-1])
    return texts
