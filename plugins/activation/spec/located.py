"""One place of a document together with what the models say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic.fields import FieldInfo

from activation.spec.grammar import field_at, models_of, options_of, takes
from activation.spec.problems import Problem
from activation.spec.values import Document, Route


@dataclass(frozen=True, slots=True)
class Located:
    """A place of a document.

    :ivar document: the file, merged over its defaults.
    :ivar route: the keys and indexes that lead to the place; nothing needs to stand there.
    """

    document: Document
    route: Route

    @property
    def label(self) -> str:
        """The place for people: ``source.table``, ``tags[2]``; nothing for the top level. Where a text stands for a block, the
        block's place.
        """
        if self.route and isinstance(self.block.value, str):
            return self.block.label
        return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.route).lstrip(".")

    @property
    def key(self) -> str:
        """The last key or index."""
        return str(self.route[-1]) if self.route else ""

    @property
    def block(self) -> Located:
        """The place of the block or list around this one."""
        return Located(self.document, self.route[:-1])

    @property
    def value(self) -> Any:
        """What the file says, before ``${env:NAME}`` is replaced; ``None`` if nothing stands here. A text that stands for a block
        is the value of the block's key too.
        """
        value: Any = self.document.values
        for key in self.route:
            if isinstance(value, dict):
                value = value.get(str(key))
            elif not isinstance(value, str):
                value = value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
        return value

    @property
    def field(self) -> FieldInfo | None:
        """The model's field for this place; ``None`` for a list's item, an unknown key or the top level."""
        return field_at(self.document.values, self.route)

    @property
    def takes(self) -> str:
        """What is allowed here, in words."""
        if self.route and isinstance(self.route[-1], int):
            return "a text"
        return takes(self.field) if self.field else ""

    @property
    def options(self) -> tuple[str, ...]:
        """The texts that can be chosen from here: for a block its types, for a field its values."""
        if self.field is None:
            return ()
        return tuple(filter(None, models_of(self.field))) or options_of(self.field)

    def problem(self, message: str, fix: str, *, at_key: bool = False) -> Problem:
        """Make a problem at the value (or its key); at the nearest block around it if nothing stands here."""
        places, route = self.document.places, self.route
        while route not in places:
            route = route[:-1]
        short = bool(route) and isinstance(Located(self.document, route).value, str)
        at_value = (route == self.route or short) and not at_key
        return (places[route].value if at_value else places[route].key).problem(message, fix)
