"""YAML text -> a tree of nodes that know their place; what the parser refuses becomes a problem with advice."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import yaml

from activation.spec.explain import explain
from activation.spec.problems import Mark, Problem, SourceText

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_QUOTE = "If it is meant as text, put it in quotes."
_TEXT_TAGS = {"!", "tag:yaml.org,2002:str"}
_PLAIN_TAGS = {"mapping": "tag:yaml.org,2002:map", "sequence": "tag:yaml.org,2002:seq"}


class YamlProblem(Exception):
    """Stops the reading of a file; carries the problem that is told."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(slots=True)
class Node:
    """A node of the tree.

    :ivar kind: what it is.
    :ivar mark: where it begins; for an alias, where the alias stands.
    :ivar text: a scalar's text.
    :ivar children: a sequence's nodes, or a mapping's keys and values in turn.
    :ivar plain: whether a scalar stands without quotes, so that ``75`` is a number.
    :ivar flow: whether a mapping is written ``{…}``.
    """

    kind: Literal["scalar", "sequence", "mapping"]
    mark: Mark
    text: str = ""
    children: list[Node] = field(default_factory=list)
    plain: bool = False
    flow: bool = False


def compose(text: SourceText, *, most_depth: int) -> Node | None:
    """Build the tree of a text's one document; ``None`` if there is no content.

    :raises YamlProblem: if the text is not YAML, has several documents, is nested too deeply, or uses tags.
    """
    composer = _Composer(text, most_depth)
    try:
        for event in yaml.parse(text.content, Loader=_LOADER):
            composer.take(event)
    except yaml.MarkedYAMLError as error:
        raise YamlProblem(explain(text, error)) from None
    return composer.root


class _Composer:
    def __init__(self, text: SourceText, most_depth: int) -> None:
        self.root: Node | None = None
        self._text = text
        self._most_depth = most_depth
        self._open: list[tuple[Node, str | None]] = []
        self._anchors: dict[str, Node] = {}
        self._documents = 0

    def take(self, event: Any) -> None:
        """Take the parser's next event."""
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise YamlProblem(
                    self._mark(event).problem("A second document begins.", "Write one pipeline a file, without ---.")
                )
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            plain = event.tag is None and event.implicit[0]
            self._check_tag(event, _TEXT_TAGS)
            self._add(Node("scalar", self._mark(event), event.value, plain=plain), event.anchor)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(*self._open.pop())

    def _begin(self, event: Any) -> None:
        kind: Literal["mapping", "sequence"] = "mapping" if isinstance(event, yaml.MappingStartEvent) else "sequence"
        self._check_tag(event, {_PLAIN_TAGS[kind], "!"})
        if len(self._open) >= self._most_depth:
            message = f"The file is nested more than {self._most_depth} levels deep."
            raise YamlProblem(self._mark(event).problem(message, "Write keys and lists as the reference shows them."))
        self._open.append((Node(kind, self._mark(event), flow=bool(event.flow_style)), event.anchor))

    def _alias(self, event: Any) -> None:
        node = self._anchors.get(event.anchor)
        if node is None:
            mark = self._mark(event)
            name = "" if mark.is_secret else f" *{event.anchor}"
            raise YamlProblem(mark.problem(f"The alias{name} names no anchor that is complete above it.", _QUOTE))
        self._add(replace(node, mark=self._mark(event)), None)

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
        else:
            self._open[-1][0].children.append(node)

    def _check_tag(self, event: Any, known: set[str]) -> None:
        if event.tag is not None and event.tag not in known:
            mark = self._mark(event)
            tag = "" if mark.is_secret else f" {event.tag.replace('tag:yaml.org,2002:', '!!')}"
            raise YamlProblem(mark.problem(f"The YAML tag{tag} is not used in pipeline files.", f"Remove it. {_QUOTE}"))

    def _mark(self, event: Any) -> Mark:
        return Mark(self._text, event.start_mark.line + 1, event.start_mark.column + 1)
