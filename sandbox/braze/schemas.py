"""The JSON Schemas (2020-12) beside this module, and what they say of a body (row S16).

``<call>.request.json`` describes the body of a call, ``<call>.response.json`` its answers under ``$defs`` by status, and
``errors.response.json`` the answers that any call can give. Three keywords are our own: ``maxBytes`` limits a string, or
the compact JSON of any other value, in UTF-8; ``uniqueBy`` names a key whose value must not repeat among the objects of an
array; ``sentence`` is what a violation says instead of the validator's words.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from sandbox.braze.wire import encode

FOLDER = Path(__file__).with_name("schemas")
Validator = Callable[[Any], Iterator[tuple[str, str]]]
"""Gives place (a JSON pointer) and sentence of every violation in a decoded body."""

_SENTENCE = 240  # characters: a violation may quote a whole body


@cache
def request(call: str) -> Validator | None:
    """What checks the body of a call; ``None`` for calls without one."""
    name = f"{call}.request.json"
    return _validator(name, "") if name in _documents() else None


@cache
def response(call: str, status: int) -> Validator:
    """What checks the answer of a call; an answer that no schema describes is a violation itself."""
    for name in (f"{call}.response.json", "errors.response.json"):
        if str(status) in _documents().get(name, {}).get("$defs", {}):
            return _validator(name, f"#/$defs/{status}")
    return lambda body: iter([("", f"the status {status} is not documented for {call or 'an unknown call'}")])


def _validator(name: str, pointer: str) -> Validator:
    from jsonschema import Draft202012Validator, validators  # type: ignore[import-untyped]

    kind = validators.extend(Draft202012Validator, {"maxBytes": _max_bytes, "uniqueBy": _unique_by})
    validator = kind({"$ref": name + pointer}, registry=_registry())

    def check(body: Any) -> Iterator[tuple[str, str]]:
        for error in validator.iter_errors(body):
            place = "".join(f"/{part}" for part in error.absolute_path)
            said = error.schema.get("sentence", error.message) if isinstance(error.schema, dict) else error.message
            yield place, said if len(said) <= _SENTENCE else said[:_SENTENCE] + "..."

    return check


def _max_bytes(validator: Any, limit: int, value: Any, schema: Any) -> Iterator[Exception]:
    from jsonschema import ValidationError

    size = len(value.encode()) if isinstance(value, str) else len(encode(value))
    if size > limit:
        yield ValidationError(f"{size} bytes; allowed are {limit}")


def _unique_by(validator: Any, key: str, value: Any, schema: Any) -> Iterator[Exception]:
    from jsonschema import ValidationError

    objects = value if isinstance(value, list) else ()
    counts = Counter(encode(item[key]) for item in objects if isinstance(item, dict) and key in item)
    for text, number in counts.items():
        if number > 1:
            yield ValidationError(f"{key} {text.decode()} stands there {number} times")


@cache
def _documents() -> dict[str, Any]:
    documents = {path.name: msgspec.json.decode(path.read_bytes()) for path in sorted(FOLDER.glob("*.json"))}
    for document in documents.values():
        del document["$schema"]  # it would bring back the validator that does not know our keywords
    return documents


@cache
def _registry() -> Any:
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    resources = [(name, DRAFT202012.create_resource(document)) for name, document in _documents().items()]
    return Registry().with_resources(resources)
