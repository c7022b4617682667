"""Questions to the models: which keys a block has, what a field takes, where an expression is allowed."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from activation.spec.choice import Choice
from activation.spec.entries import Entries, Short
from activation.spec.models import Pipeline
from activation.spec.names import TableName
from activation.spec.quantities import Between, Duration, Size

_UNIONS = (Union, types.UnionType)


def models_of(info: FieldInfo) -> dict[str, type[BaseModel]]:
    """The models that a field's block can have, by ``type``; ``{"": model}`` if there is one; empty if it is no block."""
    for item in info.metadata:
        if isinstance(item, Choice):
            return dict(item.models)
    model = _bare(info.annotation)
    return {"": model} if isinstance(model, type) and issubclass(model, BaseModel) else {}


def entry_of(info: FieldInfo) -> FieldInfo | None:
    """What stands behind each name of a mapping whose names the author chooses; ``None`` if the field is no such mapping."""
    if get_origin(info.annotation) is not Entries:
        return None
    return FieldInfo.from_annotation(get_args(info.annotation)[0])


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a block by their keys."""
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _bare(annotation: Any) -> Any:
    """A type without its ``None`` and without what is annotated."""
    while get_origin(annotation) in (Annotated, *_UNIONS):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        if get_origin(annotation) in _UNIONS and len(kinds) > 1:
            return annotation
        annotation = kinds[0]
    return annotation


def model_at(values: Mapping[str, Any], route: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the block at a place of a file; ``None`` if there is no block, or its ``type`` is missing or unknown."""
    return Pipeline if not route else _model(values, field_at(values, route), route)


def field_at(values: Mapping[str, Any], route: tuple[str | int, ...]) -> FieldInfo | None:
    """What the models say about a place of a file; ``None`` for a list's item, an unknown key or the top level."""
    if not route:
        return None
    *outside, key = route
    around = field_at(values, tuple(outside))
    if around is not None and (entry := entry_of(around)) is not None:
        return entry
    model = Pipeline if not outside else _model(values, around, tuple(outside))
    return fields_of(model).get(str(key)) if model else None


def _model(values: Mapping[str, Any], info: FieldInfo | None, route: tuple[str | int, ...]) -> type[BaseModel] | None:
    """The model of the block that stands in a field."""
    inside: Any = values
    for key in route:
        inside = inside.get(key) if isinstance(inside, dict) else None
    models = models_of(info) if info else {}
    kind = inside.get("type") if isinstance(inside, dict) else None
    return models.get("") or (models.get(kind) if isinstance(kind, str) else None)


def fields_marked(marker: type) -> tuple[str, ...]:
    """The fields that carry a marker, ``source.table`` for example, each once and in the order of the models; a block of which
    every field does is named itself.
    """
    return tuple(dict.fromkeys(_marked(Pipeline, marker, "")))


def _marked(model: type[BaseModel], marker: type, prefix: str) -> Iterator[str]:
    for name, info in fields_of(model).items():
        if is_marked(info, marker):
            yield prefix + name
        for inner in models_of(info).values():
            if all(is_marked(each, marker) for each in inner.model_fields.values()):
                yield prefix + name
            else:
                yield from _marked(inner, marker, f"{prefix}{name}.")


def is_marked(info: FieldInfo, marker: type) -> bool:
    """Whether a field carries a marker."""
    return any(isinstance(item, marker) for item in info.metadata)


def takes(info: FieldInfo) -> str:
    """What a field takes, in words: ``a whole number, 1 to 75``."""
    return _words(info.annotation, info.metadata)


def options_of(info: FieldInfo) -> tuple[str, ...]:
    """The values that a field chooses from; nothing if it takes more than certain texts."""
    kind = _bare(info.annotation)
    return get_args(kind) if get_origin(kind) is Literal else ()


def _words(annotation: Any, metadata: list[Any]) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _words(arguments[0], [*arguments[1:], *metadata])
    if origin in _UNIONS:
        inner = [_words(argument, metadata) for argument in arguments if argument is not type(None)]
        return " or ".join([*inner, "null"])
    if origin is Literal:
        return either([str(argument) for argument in arguments])
    if origin is tuple:
        return "a list of texts"
    if origin is Entries:
        return f"names, each with {_words(arguments[0], [])}"
    word = _WORDS.get(annotation, "a block of keys")
    word = f"a text or {word}" if any(isinstance(item, Short) for item in metadata) else word
    limits = limits_of(metadata)
    return f"{word}, {limits}" if limits else word


_WORDS = {bool: "true or false", int: "a whole number", float: "a number", Duration: "a duration", Size: "a size"}
_WORDS |= {str: "a text", TableName: "a table name"}


def limits_of(metadata: list[Any]) -> str:
    """The range in a field's metadata, ``1 to 75``; nothing if there is none."""
    for item in metadata:
        if isinstance(item, Between):
            return str(item)
    low = next((item.ge for item in metadata if isinstance(item, Ge)), None)
    above = next((item.gt for item in metadata if isinstance(item, Gt)), None)
    high = next((item.le for item in metadata if isinstance(item, Le)), None)
    if low is not None and high is not None:
        return f"{low} to {high}"
    words = {"at least": low, "more than": above, "at most": high}
    return " and ".join(f"{word} {limit}" for word, limit in words.items() if limit is not None)


def either(options: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join([", ".join(options[:-1]), options[-1]] if len(options) > 1 else options)
