"""Two forms that make a file short: names that the author chooses, each with a block, and a text that stands for a block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

V = TypeVar("V")


class Entries(dict[str, V]):
    """Names that the author of a file chooses -> blocks, in their order. Never changed, so it has a hash as blocks have."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        (block,) = source.__args__
        return core_schema.no_info_after_validator_function(
            cls, core_schema.dict_schema(core_schema.str_schema(), handler.generate_schema(block), strict=True)
        )


@dataclass(frozen=True, slots=True)
class Short:
    """Annotates a block that may be written as a text.

    :ivar key: the key of the block that the text is the value of.
    """

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._written_out, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}

    def _written_out(self, value: Any) -> Any:
        return {self.key: value} if isinstance(value, str) else value
