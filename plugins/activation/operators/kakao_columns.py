"""Files with further columns beside the ids: keeps the rows while they are cleaned, and joins them with the good ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from activation.errors import FatalError
from activation.operators.kakao_list import Batches
from activation.records.advertising_ids import PartFile
from activation.records.advertising_ids.rules import AROUND
from activation.spec.fields import MappedField
from activation.warehouses.base import Column

_MEMORY = "160MB"
ID = "adid"
"""The name of the ids' column, if no field renames it."""


@dataclass(frozen=True, slots=True)
class Table:
    """A CSV file with a line of names.

    :ivar ids: lines behind that.
    """

    path: Path
    ids: int


class Rows:
    """The rows of one list, in a database on the worker's disk.

    :param place: a folder for its files.
    :param fields: which columns the files have; none: all of the table.
    :param started: when the run began, ISO 8601.
    """

    def __init__(self, place: Path, fields: Mapping[str, MappedField], started: str) -> None:
        place.mkdir(parents=True, exist_ok=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "threads": 1,
            "temp_directory": str(place / "spill"),
        }
        self._database = duckdb.connect(str(place / "rows.duckdb"), config=config)
        self._place, self._fields, self._started = place, fields, started
        self._columns: tuple[Column, ...] = ()

    def around(self, batches: Batches, columns: tuple[Column, ...]) -> Iterator[pa.RecordBatch]:
        """Keep the batches on their way to the cleaning.

        :param columns: those of the batches, the ids' one first.
        """
        self._columns = columns
        names = ", ".join(f"c{number} VARCHAR" for number in range(len(columns)))
        self._database.execute(f"CREATE TABLE rows ({names})")
        try:
            for batch in batches:
                kept = pa.table([batch.column(one.name) for one in columns], [f"c{number}" for number in range(len(columns))])
                self._database.register("batch", kept)
                self._database.execute("INSERT INTO rows SELECT * FROM batch")
                self._database.unregister("batch")
                yield batch
        finally:
            if close := getattr(batches, "close", None):
                close()

    def written(self, parts: Sequence[PartFile]) -> list[Table]:
        """Write one file for each part: its ids in the same order, and their columns. Of several rows of an id the first by the
        text of all columns counts, so the same rows give the same bytes.

        :raises FatalError: if rows and ids do not match.
        """
        every = ", ".join(f"c{number}" for number in range(len(self._columns)))
        self._database.execute(
            f"""CREATE TABLE good AS SELECT lower(trim(c0, ?)) AS key, {every} FROM rows WHERE c0 IS NOT NULL
                QUALIFY row_number() OVER (PARTITION BY key ORDER BY {every}) = 1""",
            [AROUND],
        )
        return [self._write(part, number) for number, part in enumerate(parts, 1)]

    def _write(self, part: PartFile, number: int) -> Table:
        path = self._place / f"table-{number:05}.csv"
        count = self._database.execute(
            f"""COPY (SELECT {", ".join(self._select())}
                FROM (SELECT id, row_number() OVER () AS place FROM
                        read_csv(?, header = false, columns = {{'id': 'VARCHAR'}}, auto_detect = false)) ids
                JOIN good ON good.key = lower(ids.id) ORDER BY ids.place)
                TO '{str(path).replace("'", "''")}' (FORMAT csv, HEADER true)""",
            [str(part.path)],
        ).fetchall()[0][0]
        if count != part.ids:
            raise FatalError(f"A file has {count} rows for {part.ids} ids. Nothing was written to the folder; please report it.")
        return Table(path, part.ids)

    def _select(self) -> Iterator[str]:
        """The columns of the file. The one with the ids is the cleaned id, and stands in front unless a field names it."""
        values = ["ids.id", *(f"good.c{number}" for number in range(1, len(self._columns)))]
        names = [column.name for column in self._columns]
        # A column that is spelled like the wanted one goes before another one that differs in case.
        numbers = dict(zip([name.casefold() for name in names], values, strict=True)) | dict(zip(names, values, strict=True))
        if not self._fields:
            yield from (f"{numbers[name]} AS {_quoted(name)}" for name in names)
            return
        if not any(field.column and _found(field.column, numbers) == values[0] for field in self._fields.values()):
            yield f"ids.id AS {_quoted(ID)}"
        for name, field in self._fields.items():
            yield f"{self._value(field, numbers)} AS {_quoted(name)}"

    def _value(self, field: MappedField, numbers: Mapping[str, str]) -> str:
        if field.column is not None:
            return _found(field.column, numbers)
        if field.moment is not None:
            return _literal(self._started.replace("+00:00", "Z"))
        if field.constant is not None:
            constant = field.constant
            return _literal(str(constant).lower() if isinstance(constant, bool) else str(constant))
        return " || ".join(
            part for text, column in field.parts for part in (_literal(text), _found(column, numbers) if column else "''")
        )

    def close(self) -> None:
        """Close the database; its files go with their folder."""
        self._database.close()


def _found(name: str, numbers: Mapping[str, str]) -> str:
    return numbers.get(name) or numbers[name.casefold()]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
