"""A tree of nodes -> plain Python values, and the place of each.

Plain scalars are read by the rules of YAML 1.2, narrowly: ``yes``, ``on``, ``010``, ``1_000`` and ``1:30`` stay the text that
they are, so nothing is turned into another value behind the author's back; a field that wants a number then says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from activation.spec.compose import Node, YamlProblem
from activation.spec.problems import Mark, Problem, SourceText
from activation.spec.traps import quote

Route = tuple[str | int, ...]
"""The keys and indexes that lead to a value; ``()`` is the top level."""

_MOST_NODES = 10_000
_MOST_DEPTH = 64
_NULL = {"", "~", "null", "Null", "NULL"}
_BOOLEAN = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its key (in a list, the item itself), and the value."""

    key: Mark
    value: Mark


@dataclass(slots=True)
class Document:
    """The values of one file, or of a file merged over what lies underneath it.

    :ivar name: the file's path as messages show it.
    :ivar values: the top level's keys and values.
    :ivar places: the place of each value; of the top level, if the file has content.
    :ivar problems: what was wrong, but did not stop the reading.
    :ivar texts: the files that it was made of, from the one on top down to the outermost defaults.
    """

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Route, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    texts: tuple[SourceText, ...] = ()


class Builder:
    """Fills a document from a tree; each alias is expanded, up to a bound.

    :raises YamlProblem: from every method, if the aliases multiply beyond all need.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def mapping(self, node: Node, route: Route) -> dict[str, Any]:
        """Build a block of keys; a key that stands twice, or is no text, becomes a problem of the document."""
        self._document.places.setdefault(route, Place(node.mark, node.mark))
        found: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, child in zip(node.children[::2], node.children[1::2], strict=True):
            if key.kind != "scalar":
                self._problem(key, *_BLOCK_KEY)
            elif key.text == "<<" and key.plain:
                self._problem(key, *_MERGE_KEY)
            elif key.text in found:
                message = f"The key {quote(key.text)} stands twice in this block; the first is in line {lines[key.text]}."
                self._problem(key, message, "Keep one of the two.")
            else:
                lines[key.text] = key.mark.line
                found[key.text] = self._value(child, (*route, key.text), key.mark)
        return found

    def _value(self, node: Node, route: Route, key: Mark) -> Any:
        self._nodes += 1
        if self._nodes > _MOST_NODES or len(route) > _MOST_DEPTH:
            message = f"The file has more than {_MOST_NODES} values, or is nested more than {_MOST_DEPTH} levels deep."
            raise YamlProblem(node.mark.problem(message, "Use fewer aliases."))
        empty = node.kind == "scalar" and node.plain and not node.text
        self._document.places[route] = Place(key, key if empty else node.mark)
        if is_bare_jinja(node):
            self._problem(node, *_BARE_JINJA)
            return "{{ … }}"
        if node.kind == "mapping":
            return self.mapping(node, route)
        if node.kind == "sequence":
            return [self._value(child, (*route, index), child.mark) for index, child in enumerate(node.children)]
        return scalar(node.text) if node.plain else node.text

    def _problem(self, node: Node, message: str, fix: str) -> None:
        self._document.problems.append(node.mark.problem(message, fix))


_BARE_JINJA = ("Jinja stands without quotes.", 'Put the whole value in quotes: "{{ … }}".')
_BLOCK_KEY = ("A key must be a text.", "Write key: value.")
_MERGE_KEY = ("The merge key << is not used in pipeline files.", "Put what files share into _defaults.yaml beside them.")


def is_bare_jinja(node: Node) -> bool:
    """Whether a node is ``{{ … }}`` without quotes, which YAML reads as a block whose one key is a block."""
    key = node.children[0] if node.kind == "mapping" and len(node.children) == 2 else node
    return key is not node and node.flow and key.flow and key.kind == "mapping"


def scalar(text: str) -> str | int | float | bool | None:
    """The value of a text that stands without quotes."""
    if text in _NULL:
        return None
    if text in _BOOLEAN:
        return _BOOLEAN[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text
