"""The ``source`` block: which table of which warehouse. One class an engine."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from activation.errors import ConfigurationError
from activation.spec.block import Block
from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.invalid import invalid, invalid_at
from activation.spec.names import ConnectionId, TableName
from activation.spec.quantities import Between, Duration

_ADVICE = "Write schema.table."
_EITHER = "Write table: schema.table, or query: SELECT …, and not both."


RELATED: Mapping[str, str] = {"memberships": "audience_memberships", "identities": "identities", "audiences": "audiences"}
"""What stands beside a table of profiles -> the table's usual name, in the schema of the profiles."""

_WHOSE = "Absent: `{name}` in the schema of `table`. Jinja and `${{env:NAME}}` are allowed."


class Related(Block):
    """The tables that belong to a table of profiles (docs: the layout of the profiles)."""

    memberships: Annotated[
        TableName | None,
        Templated(),
        FromEnvironment(),
        Field(
            title="Memberships",
            description=f"Who is in which audience. {_WHOSE.format(name=RELATED['memberships'])}",
            examples=["crm.audience_memberships"],
        ),
    ] = None
    identities: Annotated[
        TableName | None,
        Templated(),
        FromEnvironment(),
        Field(
            title="Identities",
            description=f"The identities of the profiles. {_WHOSE.format(name=RELATED['identities'])}",
            examples=["crm.identities"],
        ),
    ] = None
    audiences: Annotated[
        TableName | None,
        Templated(),
        FromEnvironment(),
        Field(
            title="Audiences",
            description=f"The audiences by id. {_WHOSE.format(name=RELATED['audiences'])}",
            examples=["crm.audiences"],
        ),
    ] = None
    writes: Annotated[
        TableName | None,
        Templated(),
        FromEnvironment(),
        Field(
            title="Writes",
            description="Which attribute was written when, with the same value too. Absent: there is no such table. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["crm.attribute_writes"],
        ),
    ] = None

    @property
    def given(self) -> dict[str, TableName]:
        """The tables that are named."""
        return {name: getattr(self, name) for name in type(self).model_fields if getattr(self, name) is not None}


class Source(Block):
    """What every engine's block has."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["table"]}, {"required": ["query"]}]})

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
        TableName | None,
        Templated(),
        FromEnvironment(),
        Field(
            title="Table",
            description="The table or view to read, `schema.table`. A part that holds dots or blanks stands in double quotes. "
            "Jinja and `${env:NAME}` are allowed.",
            examples=["analytics.users", 'analytics."odd.name"', "{{ var.value.schema }}.users"],
        ),
    ] = None
    query: Annotated[
        str | None,
        Templated(),
        Field(
            title="Query",
            description="A read-only SELECT in the warehouse's own SQL instead of a table. It must give the columns that the "
            "table would have. Jinja is allowed.",
            examples=["SELECT id AS external_id, updated_at, to_json(profile) AS payload FROM crm.people WHERE country = 'KR'"],
            min_length=1,
            max_length=100_000,
        ),
    ] = None
    statement_timeout: Annotated[
        Annotated[Duration, Between(Duration.parse("1s"), Duration.parse("7d"))] | None,
        Field(
            title="Statement time-out",
            description="How long the warehouse may work on one statement; without it the warehouse's own setting counts. "
            "PostgreSQL and DuckDB stream rows, so there the time until the last row was read counts.",
            examples=["1h"],
        ),
    ] = None

    related: Annotated[
        Related | None,
        Field(
            title="Related",
            description="The tables that belong to a table of profiles; only for kinesis.",
            examples=[{"memberships": "crm.audience_memberships", "writes": "crm.attribute_writes"}],
        ),
    ] = None

    @property
    def name(self) -> str:
        """How people call what is read: the table, or the word for a query."""
        return self.table or "a query"

    def relation(self) -> tuple[str, ...] | str:
        """What is read, once templates are rendered: the unquoted parts of a table's name, or the text of a query.

        :raises ConfigurationError: if it is no table name of this engine or no single SELECT, or still is a template.
        """
        if self.query is None:
            return self.table_parts()
        text = self.query.strip().removesuffix(";").rstrip()
        if not re.match(r"(--.*\n|/\*.*?\*/|\s|\()*(SELECT|WITH)\b", text, re.IGNORECASE | re.DOTALL):
            raise ConfigurationError("source.query is not a SELECT.", "Write one statement that begins with SELECT or WITH.")
        return text

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.table is None) == (self.query is None):
            raise invalid("needs either table or query" if self.table is None else "has both table and query", _EITHER)
        return self

    def table_parts(self, rendered: str | None = None) -> tuple[str, ...]:
        """The unquoted parts of the table's name, ``("analytics", "users")``.

        :param rendered: what Airflow rendered ``table`` to; ``None`` takes the text of the file.
        :raises ConfigurationError: if the text is not a table name of this engine, or still is a template.
        """
        parts = TableName((self.table or "") if rendered is None else rendered).parts
        if len(parts) > self.most_parts:
            raise ConfigurationError(f"The table name {self._too_many(self.type, parts)}.", _ADVICE)
        return parts

    def related_parts(self) -> dict[str, tuple[str, ...]]:
        """The unquoted parts of the related tables' names by role, once templates are rendered; ``writes`` only if it is there.

        What the file leaves out has its usual name and lies in the schema of the table.

        :raises ConfigurationError: if a text is not a table name of this engine, or still is a template.
        """
        given = self.related.given if self.related else {}
        found = {role: self.table_parts(name) for role, name in given.items()}
        usual = {role: (*self.table_parts()[:-1], name) for role, name in RELATED.items() if role not in found}
        return {role: (found | usual)[role] for role in (*RELATED, "writes") if role in found or role in usual}

    @field_validator("table")
    @classmethod
    def _engine_takes_the_name(cls, table: TableName | None, info: ValidationInfo) -> TableName | None:
        if table is not None and not table.is_template and len(table.parts) > cls.most_parts:
            raise invalid(cls._too_many(info.data.get("type", "the engine"), table.parts), _ADVICE)
        return table

    @field_validator("related")
    @classmethod
    def _engine_takes_the_names(cls, related: Related | None, info: ValidationInfo) -> Related | None:
        for role, table in related.given.items() if related else ():
            if not table.is_template and len(table.parts) > cls.most_parts:
                raise invalid_at(role, cls._too_many(info.data.get("type", "the engine"), table.parts), _ADVICE)
        return related

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


class SnowflakeSource(Source):
    """A table or view in Snowflake, `schema.table` or `database.schema.table`; role and warehouse stand in the connection."""

    type: Annotated[Literal["snowflake"], _TYPE, Field(examples=["snowflake"])]


class RedshiftSource(Source):
    """A table or view in Amazon Redshift, provisioned or serverless."""

    type: Annotated[Literal["redshift"], _TYPE, Field(examples=["redshift"])]


class BigquerySource(Source):
    """A table or view in BigQuery, `dataset.table` or `project.dataset.table`."""

    type: Annotated[Literal["bigquery"], _TYPE, Field(examples=["bigquery"])]


class DatabricksSource(Source):
    """A table or view in Databricks, `schema.table` or `catalog.schema.table`; the SQL warehouse stands in the connection."""

    type: Annotated[Literal["databricks"], _TYPE, Field(examples=["databricks"])]


SOURCES: dict[str, type[Source]] = {
    "duckdb": DuckdbSource,
    "postgres": PostgresSource,
    "snowflake": SnowflakeSource,
    "redshift": RedshiftSource,
    "bigquery": BigquerySource,
    "databricks": DatabricksSource,
}
"""The block's model by ``source.type``. A new engine is one class and one line here."""
