"""Names that stand in pipeline files: pipelines, connections, columns and tables."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from activation.errors import ConfigurationError
from activation.spec.expressions import has_jinja, refuse_expressions
from activation.spec.invalid import invalid

ID_PATTERN = r"^[a-z][a-z0-9_]{0,99}$"
ID_FIX = "An id has 1 to 100 characters: a lower-case letter, then lower-case letters, digits and _."
_CONNECTION = re.compile(r"[\w#!()\-.:/\\]{1,250}")
_PART = re.compile(r'"((?:[^"\x00-\x1f\x7f]|"")+)"|([\w$-]+)')
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_TABLE_FIX = 'Write it like analytics.users; a part with other characters stands in double quotes: analytics."odd.name".'


def _pipeline_id(text: str) -> str:
    if re.fullmatch(ID_PATTERN, text) is None:
        raise invalid("is not a pipeline id", ID_FIX)
    return text


def _connection(text: str) -> str:
    if "://" in text:
        raise invalid(
            "is a connection URI, not a connection id",
            "Put the URI into an Airflow connection and write that connection's id here.",
        )
    if not has_jinja(text) and _CONNECTION.fullmatch(text) is None:
        raise invalid("is not an Airflow connection id", "Write the id as it stands in Airflow under Admin, Connections.")
    return text


def _text(text: str) -> str:
    refuse_expressions(text)
    if not text.strip() or len(text) > 100 or _CONTROL.search(text):
        raise invalid("is not a short text", "Write 1 to 100 characters in one line.")
    return text


def _column(text: str) -> str:
    refuse_expressions(text)
    if not text.strip() or len(text) > 300 or _CONTROL.search(text):
        raise invalid("is not a column name", "Write the column's name as the warehouse lists it, without quotes of SQL.")
    return text


PipelineId = Annotated[str, AfterValidator(_pipeline_id), Field(json_schema_extra={"pattern": ID_PATTERN})]
"""The id of a pipeline, which is also the id of its DAG."""

ConnectionId = Annotated[str, AfterValidator(_connection), Field(json_schema_extra={"minLength": 1, "maxLength": 1000})]
"""The id of an Airflow connection, or a Jinja template that renders to one."""

Text = Annotated[str, AfterValidator(_text), Field(json_schema_extra={"minLength": 1, "maxLength": 100})]
"""A short text of one line, 1 to 100 characters."""

ColumnName = Annotated[str, AfterValidator(_column), Field(json_schema_extra={"minLength": 1, "maxLength": 300})]
"""The name of a column; case does not matter where the warehouse folds it."""


class TableName(str):
    """The name of a table or view, ``schema.table``; a part in double quotes may contain dots (``""`` is a quote).

    With Jinja in it, it is checked only after rendering: build a new one from the rendered text.
    """

    __slots__ = ()

    @property
    def is_template(self) -> bool:
        """Whether the text still has to be rendered by Airflow."""
        return has_jinja(self)

    @property
    def parts(self) -> tuple[str, ...]:
        """The two or three parts, unquoted: ``("analytics", "odd.name")``.

        :raises ConfigurationError: if the text is not a table name, or is a template that was not rendered.
        """
        if self.is_template:
            raise ConfigurationError("The table name is a template that was not rendered.", "Render it, then read its parts.")
        try:
            return _split(self)
        except PydanticCustomError as error:
            context = error.context or {}
            raise ConfigurationError(f"The table name {context['problem']}.", context["fix"]) from None

    @classmethod
    def _validate(cls, text: str) -> TableName:
        if not has_jinja(text):
            _split(text)
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls._validate,
            core_schema.str_schema(strict=True, min_length=1),
            serialization=core_schema.to_string_ser_schema(when_used="always"),
        )


def _split(text: str) -> tuple[str, ...]:
    parts: list[str] = []
    end = 0
    while match := _PART.match(text, end):
        parts.append(match[2] or match[1].replace('""', '"'))
        end = match.end()
        if end == len(text):
            break
        if text[end] != ".":
            raise invalid("is not a table name", _TABLE_FIX)
        end += 1
    if not parts or end != len(text) or text.endswith("."):
        raise invalid("is not a table name", _TABLE_FIX)
    if not 2 <= len(parts) <= 3:
        raise invalid(f"has {len(parts)} part{'s' if len(parts) > 1 else ''} where 2 or 3 are needed", _TABLE_FIX)
    return tuple(parts)
