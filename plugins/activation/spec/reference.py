"""What the models say about every key of a pipeline file, for people who ask for one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from activation.spec.expressions import FromEnvironment, Templated
from activation.spec.grammar import entry_of, fields_of, is_marked, models_of, options_of, takes
from activation.spec.matrix import ABOUT, EXAMPLES, KEY
from activation.spec.models import Pipeline
from activation.spec.writing import written

ANY = "NAME"
"""What stands in a path for a name that the author of a file chooses: ``columns.fields.NAME.mask``."""

_MATRIX = FieldInfo(annotation=dict[str, Any], default=None, title="Matrix", description=ABOUT, examples=[*EXAMPLES])

Types = tuple[tuple[str, tuple[str, ...]], ...]
"""For each block whose ``type`` picks its model, its path and types: ``(("destination", ("s3",)),)``."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a pipeline file.

    :ivar path: where it stands: ``destination.files.compression``.
    :ivar types: the types of the blocks around it that have it.
    :ivar info: what its model says about it.
    """

    path: str
    types: Types
    info: FieldInfo

    @property
    def is_block(self) -> bool:
        """Whether other keys can stand below it."""
        return bool(models_of(self.info)) or entry_of(self.info) is not None

    @property
    def takes(self) -> str:
        """What it takes, in words."""
        return takes(self.info)

    @property
    def options(self) -> tuple[str, ...]:
        """The values that it chooses from; of a block its types."""
        return options_of(self.info) or tuple(filter(None, models_of(self.info)))

    @property
    def default(self) -> str | None:
        """What holds where it is left out, as it is written in a file; ``None`` if it must be there."""
        if self.info.is_required():
            return "the file's name" if self.path == "id" else None
        if self.is_block and self.info.default is not None:
            return "its defaults"
        return written(self.info.default)

    @property
    def expressions(self) -> tuple[str, ...]:
        """Which of Jinja and ``${env:NAME}`` are allowed."""
        kinds = {Templated: "Jinja", FromEnvironment: "${env:NAME}"}
        return tuple(word for marker, word in kinds.items() if is_marked(self.info, marker))

    def fits(self, chosen: Mapping[str, str]) -> bool:
        """Whether the key is there with these types.

        :param chosen: block -> its type: ``{"destination": "kinesis"}``.
        """
        return all(chosen.get(place) in (None, *types) for place, types in self.types)

    def is_called(self, path: str) -> bool:
        """Whether a path leads here; where the author chooses a name, any will do."""
        mine, given = self.path.split("."), path.split(".")
        return len(mine) == len(given) and all(one in (ANY, its) for one, its in zip(mine, given, strict=True))


def keys() -> list[Key]:
    """Every key that a file can have, once for all types that say the same about it, in the order of the models."""
    found: dict[tuple[Any, ...], Key] = {}
    for key in _below(Pipeline, "", ()):
        places = tuple(place for place, _ in key.types)
        known = (key.path, places, key.info.title, key.info.description, key.takes, key.default)
        before = found.get(known)
        found[known] = key if before is None else _joined(before, key)
    return [*found.values(), Key(KEY, (), _MATRIX)]


def _below(model: type[BaseModel], prefix: str, types: Types) -> Iterator[Key]:
    for name, info in fields_of(model).items():
        path = prefix + name
        yield Key(path, types, info)
        inner, path = (info, path) if (entry := entry_of(info)) is None else (entry, f"{path}.{ANY}")
        models = models_of(inner)
        if "" not in models and models:
            yield Key(f"{path}.type", types, _type_of(models))
        for kind, block in models.items():
            below = _below(block, f"{path}.", (*types, (path, (kind,))) if kind else types)
            yield from (key for key in below if not (kind and key.path == f"{path}.type"))


def _type_of(models: Mapping[str, type[BaseModel]]) -> FieldInfo:
    """The field that picks among models, each of which knows only its own type."""
    info = copy.copy(next(iter(models.values())).model_fields["type"])
    info.annotation = Literal[tuple(models)]  # type: ignore[assignment]
    return info


def _joined(one: Key, other: Key) -> Key:
    pairs = zip(one.types, other.types, strict=True)
    return replace(one, types=tuple((place, tuple(dict.fromkeys((*mine, *its)))) for (place, mine), (_, its) in pairs))
