"""The dead letters: every rejected row, kept as JSON Lines with its key, reason and payload."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from activation.cursor.timestamps import to_text
from activation.delivery.folder import Folder, listed
from activation.delivery.units import Unit
from activation.errors import TransientError
from activation.warehouses.base import CURSOR

PART, REPLAYED = "part-", "replayed-"
"""How the names of files begin that hold rejects, and rejects that were replayed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where rejects come from; stands in each of them."""

    pipeline: str
    run: str
    attempt: int


class Rejects:
    """Writes rejects as numbered part files, so that object storage without appending will do.

    :param folder: the folder of this run's rejects.
    :param parts: how many parts earlier attempts have written for good; later ones are left-overs of a crash and go.
    :param part: how the names of its parts begin; several writers in one folder must differ in it.
    :raises TransientError: from :meth:`keep`, if they cannot be written: the run must not go on without them.
    """

    def __init__(self, folder: Folder, origin: Origin, parts: int = 0, part: str = PART) -> None:
        self.folder, self._origin, self._part = folder, origin, part
        self.parts = parts
        self.counts: Counter[str] = Counter()
        """Reason code -> rejects that this try has written."""
        self.samples: dict[str, str] = {}
        """Reason code -> the message of its first reject, for the log."""
        for number, leftover in _parts(folder, part):
            if number > parts:
                leftover.unlink()

    def keep(self, units: Iterable[Unit]) -> None:
        """Write the rejects of units that are settled; nothing is written if there are none."""
        lines = [line for unit in units for line in self._lines(unit)]
        if not lines:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{self._part}{self.parts + 1:06d}.jsonl").write_text("".join(lines), encoding="utf-8")
        except OSError as error:
            raise TransientError(f"The rejects could not be written to {self.folder}: {error}") from error
        self.parts += 1

    def _lines(self, unit: Unit) -> Iterator[str]:
        batch, tick = unit.chunk.batch, unit.chunk.tick
        for reject in unit.rejected:
            row: dict[str, Any] = {name: batch.column(name)[reject.row].as_py() for name in batch.schema.names}
            at = row.pop(CURSOR)
            self.counts[reject.code] += 1
            self.samples.setdefault(reject.code, reject.message)
            record = {
                "code": reject.code,
                "message": reject.message,
                "updated_at": None if at is None else to_text(at * tick),
                "row": row,
                "pipeline": self._origin.pipeline,
                "run": self._origin.run,
                "attempt": self._origin.attempt,
            }
            yield json.dumps(record, ensure_ascii=False) + "\n"


def parts_in(folder: Folder, part: str = PART) -> int:
    """How many parts a folder of rejects holds: where a run goes on that was cleared, so that it keeps what it kept before."""
    return max((number for number, _ in _parts(folder, part)), default=0)


def _parts(folder: Folder, part: str) -> list[tuple[int, Folder]]:
    """The parts of one writer, each with its number."""
    name = re.compile(rf"{re.escape(part)}(\d{{6,}})\.jsonl")
    found = ((name.fullmatch(one.name), one) for one in listed(folder))
    return [(int(match[1]), one) for match, one in found if match]
