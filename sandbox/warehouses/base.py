"""What every local warehouse can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, TypeVar

import pyarrow as pa

Self = TypeVar("Self", bound="WarehouseSandbox")


class WarehouseSandbox(ABC):
    """A warehouse that runs while a ``with`` block lasts.

    The server speaks TLS under a certificate of a private authority wherever the engine's clients use a network.
    """

    engine: str
    """The source type that reads it."""

    types: Mapping[str, str]
    """What the engine calls ``text``, ``timestamp`` (an instant in UTC), ``integer``, ``double``, ``decimal``, ``boolean`` and
    ``date`` in CREATE TABLE; ``decimal`` has 18 digits, 2 of them behind the point."""

    large = False
    """Whether it is set up for large tables, where that makes a difference; to be said before it starts."""

    def __enter__(self: Self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it answers.

        :raises RuntimeError: if it does not; shows what it printed last.
        """

    @abstractmethod
    def stop(self) -> None:
        """Stop it and remove what it wrote."""

    @abstractmethod
    def connection(self, **extra: Any) -> str:
        """The value of an ``AIRFLOW_CONN_*`` variable for its owner, as JSON.

        :param extra: extra fields that replace or add to the usual ones.
        """

    def environment(self) -> Mapping[str, str]:
        """Variables that a process needs which connects through the official hook, such as the authority to trust."""
        return {}

    @abstractmethod
    def execute(self, text: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with all rights, outside of the code under test, and fetch what it gives."""

    @abstractmethod
    def load(self, table: tuple[str, ...], rows: pa.Table, types: Mapping[str, str] | None = None) -> None:
        """Replace a table, and its schema if there is none yet, by these rows, in bulk.

        :param types: column -> the engine's own type, where the usual one of :attr:`types` for the Arrow type is not wanted.
        """

    def column_types(self, rows: pa.Table, types: Mapping[str, str] | None = None) -> dict[str, str]:
        """Column -> its type in CREATE TABLE, in order; for :meth:`load`.

        :param types: those that are given, as :meth:`load` got them.
        """
        given = types or {}
        return {field.name: given.get(field.name) or self.types[_word(field.type)] for field in rows.schema}


_WORDS = (
    ("text", (pa.types.is_string, pa.types.is_large_string)),
    ("timestamp", (pa.types.is_timestamp,)),
    ("integer", (pa.types.is_integer,)),
    ("double", (pa.types.is_floating,)),
    ("decimal", (pa.types.is_decimal,)),
    ("boolean", (pa.types.is_boolean,)),
    ("date", (pa.types.is_date,)),
)


def _word(kind: pa.DataType) -> str:
    """The key of :attr:`WarehouseSandbox.types` for an Arrow type."""
    return next(word for word, tests in _WORDS if any(test(kind) for test in tests))
