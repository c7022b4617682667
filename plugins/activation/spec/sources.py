"""The ``source`` block: which table of which warehouse. One class an engine."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from activation.errors import ConfigurationError
from activation.spec.block import Block
from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.invalid import invalid
from activation.spec.names import ConnectionId, TableName

_ADVICE = "Write schema.table."


class Source(Block):
    """What every engine's block has."""

    most_parts: ClassVar[int] = 3
    """Parts that a table name of this engine can have: 2 is ``schema.table``, 3 adds the database or project."""

    type: str
    connection: Annotated[
        ConnectionId,
        Templated(),
        FromEnvironment(),
        Field(
            title="Connection",
            description="The Airflow connection of the warehouse. Jinja and `${env:NAME}` are allowed.",
            examples=["warehouse", "${env:WAREHOUSE_CONNECTION}"],
        ),
    ]
    table: Annotated[
        TableName,
        Templated(),
        FromEnvironment(),
        Field(
            title="Table",
            description="The table or view to read, `schema.table`. A part that holds dots or blanks stands in double quotes. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["analytics.users", 'analytics."odd.name"', "{{ var.value.schema }}.users"],
        ),
    ]

    def table_parts(self, rendered: str | None = None) -> tuple[str, ...]:
        """The unquoted parts of the table's name, ``("analytics", "users")``.

        :param rendered: what Airflow rendered ``table`` to; ``None`` takes the text of the file.
        :raises ConfigurationError: if the text is not a table name of this engine, or still is a template.
        """
        parts = TableName(self.table if rendered is None else rendered).parts
        if len(parts) > self.most_parts:
            raise ConfigurationError(f"The table name {self._too_many(self.type, parts)}.", _ADVICE)
        return parts

    @field_validator("table")
    @classmethod
    def _engine_takes_the_name(cls, table: TableName, info: ValidationInfo) -> TableName:
        if not table.is_template and len(table.parts) > cls.most_parts:
            raise invalid(cls._too_many(info.data.get("type", "the engine"), table.parts), _ADVICE)
        return table

    @classmethod
    def _too_many(cls, engine: str, parts: tuple[str, ...]) -> str:
        return f"has {len(parts)} parts, but {engine} takes at most {cls.most_parts}"


_TYPE = Field(title="Type", description="The engine of the warehouse.")


class DuckdbSource(Source):
    """A table in a DuckDB database file; `catalog.schema.table` reads an attached database."""

    type: Annotated[Literal["duckdb"], _TYPE, Field(examples=["duckdb"])]


class PostgresSource(Source):
    """A table or view in PostgreSQL."""

    most_parts: ClassVar[int] = 2

    type: Annotated[Literal["postgres"], _TYPE, Field(examples=["postgres"])]


SOURCES: dict[str, type[Source]] = {
    "duckdb": DuckdbSource,
    "postgres": PostgresSource,
}
"""The block's model by ``source.type``. A new engine is one class and one line here."""
