"""Where the tests of scripts and self-checks make their tables, and what a stand-in cannot take of a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One engine.

    :ivar schema: the parts before a table's name.
    :ivar prepared: statements that make the schema, where the script leaves that to a person.
    :ivar unknown: what the stand-in does not take, and what is run instead.
    :ivar document: how a JSON text becomes a payload, over ``{text}``, an SQL literal.
    :ivar short: the checks that find the stand-in wrong: it keeps fewer digits than the engine.
    """

    engine: str
    schema: tuple[str, ...]
    prepared: Sequence[str] = ()
    unknown: Sequence[tuple[str, str]] = ()
    document: str = "{text}"
    short: Sequence[str] = ()

    def table(self, name: str) -> tuple[str, ...]:
        """The whole name of a table."""
        return (*self.schema, name)

    def fitted(self, statement: str) -> str:
        """A statement as the stand-in takes it."""
        for old, new in self.unknown:
            statement = statement.replace(old, new)
        return statement

    def json(self, text: str) -> str:
        """An SQL expression for a payload."""
        return self.document.format(text=f"'{text}'")


PLACES = (
    Place("duckdb", ("crm",)),
    Place("postgres", ("crm",)),
    Place(
        "snowflake",
        ("SANDBOX", "crm"),
        unknown=(("DEFAULT SYSDATE()", "DEFAULT CURRENT_TIMESTAMP()"),),
        short=("cursor timestamp_ltz(9)", "cursor timestamp_tz(9)"),
    ),
    Place("redshift", ("crm",), unknown=(("varchar(max)", "varchar"), ("DEFAULT sysdate", "DEFAULT getdate()"))),
    Place("bigquery", ("sandbox-project", "crm"), prepared=("CREATE SCHEMA IF NOT EXISTS `crm`",)),
    Place("databricks", ("spark_catalog", "crm")),
)
