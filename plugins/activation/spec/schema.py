"""The JSON Schema of a pipeline file, for editors and for other programs that write such files."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from activation.spec.entries import Entries
from activation.spec.matrix import ABOUT, EXAMPLES, KEY, MOST, NAME_PATTERN
from activation.spec.models import Pipeline
from activation.spec.quantities import Duration, Size

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_FROM_MATRIX = "FromMatrix"
_ABOUT = ("title", "description", "default", "examples", "deprecated")
_NUMBERS = ("integer", "number", "boolean")


class _Generator(GenerateJsonSchema):
    """Writes defaults as people write them in a file."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, Entries):
            return dict(dft)
        return str(dft) if isinstance(dft, Duration | Size) else super().encode_default(dft)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Leave out ``discriminator``, which OpenAPI knows and JSON Schema does not."""
        written = super().tagged_union_schema(schema)
        return {key: value for key, value in written.items() if key != "discriminator"}


def pipeline_schema() -> dict[str, Any]:
    """The JSON Schema 2020-12 of a complete pipeline file, with its defaults merged in.

    ``id`` may be left out, for the file's name gives it. What no schema can say (the cron expression, the table's name, options
    that exclude each other) is left to ``activation validate``; so is whether a ``matrix`` has the names that values ask for.
    """
    schema = Pipeline.model_json_schema(schema_generator=_Generator)
    schema["required"] = [name for name in schema["required"] if name != "id"]
    for block in [schema, *schema["$defs"].values()]:
        block["properties"] = {name: _or_from_matrix(name, written) for name, written in block.get("properties", {}).items()}
    schema["properties"][KEY] = _matrix()
    schema["$defs"][_FROM_MATRIX] = {"type": "string", "pattern": r"\$\{matrix\."}
    return {"$schema": DIALECT, "title": "Pipeline file", **{key: value for key, value in schema.items() if key != "title"}}


def _matrix() -> dict[str, Any]:
    value = {"type": ["string", "number", "boolean"]}
    block = {"type": "object", "minProperties": 1, "propertyNames": {"pattern": NAME_PATTERN}}
    lists = {**block, "additionalProperties": {"type": "array", "minItems": 1, "items": value}}
    blocks = {"type": "array", "minItems": 1, "maxItems": MOST, "items": {**block, "additionalProperties": value}}
    return {
        "title": "Matrix",
        "description": ABOUT,
        "examples": [*EXAMPLES],
        "anyOf": [lists, blocks],
    }


def _or_from_matrix(name: str, written: dict[str, Any]) -> dict[str, Any]:
    """A field that takes only certain texts, or none, takes ``${matrix.NAME}`` too; not the ``type`` that chooses a block."""
    about = {key: value for key, value in written.items() if key in _ABOUT}
    choices = written.get("anyOf") or [{key: value for key, value in written.items() if key not in _ABOUT}]
    scalars = [one for one in choices if {"enum", "pattern", "const"} & {*one} or one.get("type") in _NUMBERS]
    if name == "type" or not scalars or any(one.get("type") == "string" and one not in scalars for one in choices):
        return written
    return {**about, "anyOf": [*choices, {"$ref": f"#/$defs/{_FROM_MATRIX}"}]}
