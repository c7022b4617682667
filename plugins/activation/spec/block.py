"""The base of every block of a pipeline file.

Modules that define blocks do not import ``annotations`` from ``__future__``: pydantic would evaluate each field's text again, a
fifth of the time that importing them takes, and the DAG processor imports them for every parse.
"""

from __future__ import annotations

import os
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from activation.spec.expressions import Braces, FromEnvironment, Templated, refuse_expressions, substitute


class Block(BaseModel):
    """A frozen part of a pipeline file that refuses unknown keys, values of another type, and expressions without a marker.

    The items of lists refuse expressions by their own types (``Text`` and ``ColumnName`` in :mod:`activation.spec.names`).

    ``${env:NAME}`` is replaced from the validation context's ``environment`` (a mapping of text to text), or else from the
    process's environment. Errors of validation do not repeat the input, which may hold a secret by mistake.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @field_validator("*", mode="before")
    @classmethod
    def _expressions(cls, value: Any, info: ValidationInfo) -> Any:
        metadata = cls.model_fields[info.field_name or ""].metadata
        templated = any(isinstance(item, Templated | Braces) for item in metadata)
        from_environment = any(isinstance(item, FromEnvironment) for item in metadata)
        if isinstance(value, str):
            refuse_expressions(value, jinja=not templated, environment=not from_environment)
        if isinstance(value, str) and from_environment:
            return substitute(value, (info.context or {}).get("environment", os.environ))
        return value
