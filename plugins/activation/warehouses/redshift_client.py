"""What reading from Redshift needs of a driver. Two give it: psycopg, which is fast, and the official hook's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

TYPES = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "bpchar": "character",
    "varchar": "character varying",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
"""Names in ``pg_type`` -> names as Redshift's documentation and ``SVV_COLUMNS`` write them; others are the same in both."""


class Client(Protocol):
    """One connection in autocommit mode. For one thread at a time, except :meth:`cancel`."""

    failures: tuple[type[Exception], ...]
    """What the driver raises."""

    @property
    def user(self) -> str:
        """The database user that is logged in; empty if it is not known."""

    def run(self, text: str) -> None:
        """Run a statement that gives no rows."""

    def fetch(self, text: str) -> Sequence[Sequence[Any]]:
        """Run a statement and take all rows that it gives."""

    def describe(self, text: str) -> list[tuple[str, int]]:
        """Run a query and give the names of its columns and the numbers of their types."""

    def cancel(self) -> None:
        """Stop what runs on the server, from any thread; nothing happens if nothing runs."""

    def close(self) -> None:
        """Close the connection."""


def type_names(client: Client, numbers: Iterable[int]) -> dict[int, str]:
    """Look up the names of types; Redshift's own types are in the catalogue too."""
    listed = ", ".join(str(number) for number in sorted(set(numbers)))
    found = client.fetch(f"SELECT CAST(oid AS BIGINT), typname FROM pg_catalog.pg_type WHERE oid IN ({listed})")
    return {number: TYPES.get(name, name) for number, name in found}
