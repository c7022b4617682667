"""One field of the payload that ``columns.fields`` makes: where its value comes from and what becomes of it."""

from __future__ import annotations

import math
import re
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator
from typing_extensions import Self

from activation.spec.block import Block
from activation.spec.entries import Short
from activation.spec.expressions import Braces
from activation.spec.invalid import invalid
from activation.spec.names import ColumnName

SOURCES = ("column", "constant", "template", "moment")
"""The keys of which a field has exactly one."""

_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_JINJA = re.compile(r"\{\{[^{}]*\}\}|\{[%#]")
_TEMPLATE_FIX = 'Write columns in braces and literal braces twice, like "Hi {FIRST_NAME}".'


def template_parts(text: str) -> tuple[tuple[str, str], ...]:
    """Take a template apart.

    :returns: pairs of a text and the column that follows it, the last one without a column: ``""``.
    :raises pydantic_core.PydanticCustomError: if a brace stands alone or names no column, or if there is Jinja.
    """
    parts: list[tuple[str, str]] = []
    literal, end = "", 0
    for match in _BRACES.finditer(text):
        if _JINJA.match(text, match.start()):
            raise invalid("looks like Jinja, which is not rendered here", "Write {COLUMN} for the value of a column.")
        literal += text[end : match.start()]
        end = match.end()
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
        elif match[1] is None or not match[1].strip():
            raise invalid("has a brace that encloses no column", _TEMPLATE_FIX)
        else:
            parts.append((literal, match[1].strip()))
            literal = ""
    return (*parts, (literal + text[end:], ""))


class Mask(Block):
    """How a personal value is hidden before it is sent."""

    type: Annotated[
        Literal["redact", "truncate", "sha256", "sha256_email", "sha256_phone"],
        Field(
            title="Type",
            description="`redact` sends `***`. `truncate` keeps the first characters. `sha256` sends the hash of the text as "
            "64 lower-case hexadecimal digits; `sha256_email` hashes the address without blanks around it and in lower case, "
            "`sha256_phone` the number in E.164, such as `+821012345678`. What is no address or no number rejects the row.",
            examples=["sha256_email"],
        ),
    ]
    length: Annotated[
        int | None,
        Field(ge=1, le=1000, title="Length", description="How many characters `truncate` keeps.", examples=[8]),
    ] = None
    country_code: Annotated[
        int | None,
        Field(
            ge=1,
            le=999,
            title="Country code",
            description="The calling code, `82` for Korea, of numbers that begin with neither `+` nor `00`. "
            "Absent: such a number rejects its row. Only with `sha256_phone`.",
            examples=[82],
        ),
    ] = None
    trunk: Annotated[
        str,
        Field(
            pattern=r"^[0-9]{0,2}$",
            title="Trunk prefix",
            description="The digits before a national number that fall away behind the country code. Only with `country_code`.",
            examples=["8"],
        ),
    ] = "0"

    @field_validator("length", "country_code")
    @classmethod
    def _has_an_effect(cls, value: int | None, info: ValidationInfo) -> int | None:
        kind = info.data.get("type")
        with_effect = "truncate" if info.field_name == "length" else "sha256_phone"
        if value is not None and kind not in (None, with_effect):
            raise invalid(f"has no effect with the type {kind}", f"Remove it, or write type: {with_effect}.")
        return value

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "truncate" and self.length is None:
            raise invalid("does not say how many characters truncate keeps", "Write {type: truncate, length: 8}.")
        if self.trunk != "0" and self.country_code is None:
            raise invalid("has a trunk prefix without a country code", "Write {type: sha256_phone, country_code: 7, trunk: '8'}.")
        return self


class MappedField(Block):
    """A field of the payload. A text alone is the name of a column."""

    model_config = ConfigDict(serialize_by_alias=True)

    column: Annotated[
        ColumnName | None,
        Field(title="Column", description="The column that gives the value. Case does not matter.", examples=["FIRST_NAME"]),
    ] = None
    constant: Annotated[
        str | int | float | bool | None,
        Field(title="Constant", description="The same value in every row.", examples=["warehouse", 7, True]),
    ] = None
    template: Annotated[
        str | None,
        Braces(),
        Field(
            min_length=1,
            max_length=2000,
            title="Template",
            description="A text with columns in braces; a literal brace is doubled. NULL if one of its columns is. No Jinja.",
            examples=["Hi {FIRST_NAME} {LAST_NAME}"],
        ),
    ] = None
    moment: Annotated[
        Literal["run_start"] | None,
        Field(
            title="Moment",
            description="`run_start`: when the run began, in ISO 8601; the same in all its rows and after a retry.",
            examples=["run_start"],
        ),
    ] = None
    as_: Annotated[
        Literal["text", "integer", "number", "boolean", "json", "time"] | None,
        Field(
            alias="as",
            title="As",
            description="What a column becomes in JSON. `time` is an instant in ISO 8601 in UTC, and takes one without a time "
            "zone for UTC; `json` embeds the value. What does not fit rejects its row. Absent: the column's type decides.",
            examples=["integer"],
        ),
    ] = None
    nulls: Annotated[
        Literal["send", "skip", "reject"] | None,
        Field(
            title="Nulls",
            description="What NULL does: `send` sends a JSON null, which removes the attribute; `skip` leaves the field out; "
            "`reject` rejects the row. Absent: `send`, but `skip` inside an object, where Braze takes no null.",
            examples=["skip"],
        ),
    ] = None
    mask: Annotated[
        Annotated[Mask, Short("type")] | None,
        Field(
            title="Mask",
            description="How the text of a column or a template is hidden: a type of the table below, or a block.",
            examples=["sha256_email", {"type": "truncate", "length": 8}],
        ),
    ] = None

    @field_validator("constant", mode="before")
    @classmethod
    def _scalar(cls, value: Any) -> Any:
        if not isinstance(value, str | int | float | bool | None) or (isinstance(value, float) and not math.isfinite(value)):
            raise invalid("is not a text, a number, true or false")
        return value

    @field_validator("template")
    @classmethod
    def _braces(cls, text: str | None) -> str | None:
        if text is not None:
            template_parts(text)
        return text

    @field_validator("as_", "nulls", "mask")
    @classmethod
    def _has_an_effect(cls, value: Any, info: ValidationInfo) -> Any:
        able = ("column",) if info.field_name == "as_" else ("column", "template")
        given = [name for name in SOURCES if info.data.get(name) is not None]
        if value is not None and given and not {*given} & {*able}:
            raise invalid(f"has an effect only with {' or '.join(able)}", "Remove it.")
        if info.field_name == "mask" and value is not None and info.data.get("as_") not in (None, "text"):
            raise invalid(f"makes a text, which is not {info.data['as_']}", "Remove as, or write as: text.")
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            raise invalid(f"has {' and '.join(given) or 'no value'}", f"Write exactly one of {', '.join(SOURCES)}.")
        return self

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """The template in its parts, see :func:`template_parts`."""
        return template_parts(self.template or "")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the field reads, as the file spells them."""
        return (self.column,) if self.column else tuple(column for _, column in self.parts if column)
