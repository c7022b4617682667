"""The JSON Schema of a pipeline file, for editors and for other programs that write such files."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from activation.spec.entries import Entries
from activation.spec.models import Pipeline
from activation.spec.quantities import Duration, Size

DIALECT = "https://json-schema.org/draft/2020-12/schema"


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
    that exclude each other) is left to ``activation validate``.
    """
    schema = Pipeline.model_json_schema(schema_generator=_Generator)
    schema["required"] = [name for name in schema["required"] if name != "id"]
    return {"$schema": DIALECT, "title": "Pipeline file", **{key: value for key, value in schema.items() if key != "title"}}
