"""Jinja and ``${env:NAME}`` in pipeline files: which fields may hold them, and what stands for what.

A field says so by a marker in its ``Annotated`` metadata. :class:`~activation.spec.block.Block` enforces it for every field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from activation.spec.invalid import invalid

_JINJA = re.compile(r"\{\{|\{%|\{#")
_ENVIRONMENT = re.compile(r"\$\{env:([^}]*)(\}?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Templated:
    """Marks a field that Airflow renders as a Jinja template when the task runs."""


@dataclass(frozen=True, slots=True)
class FromEnvironment:
    """Marks a field in which ``${env:NAME}`` is replaced by an environment variable when the file is loaded."""


@dataclass(frozen=True, slots=True)
class Braces:
    """Marks a field whose text has braces of its own; it looks for Jinja itself."""


def has_jinja(text: str) -> bool:
    """Whether a text contains the start of a Jinja expression, statement or comment."""
    return _JINJA.search(text) is not None


def environment_names(text: str) -> tuple[str, ...]:
    """The names in the ``${env:NAME}`` of a text, in their order."""
    return tuple(match[1] for match in _ENVIRONMENT.finditer(text))


def refuse_expressions(text: str, *, jinja: bool = True, environment: bool = True) -> None:
    """Refuse a text that holds an expression where none is allowed.

    :param jinja: whether Jinja is refused.
    :param environment: whether ``${env:NAME}`` is refused.
    :raises pydantic_core.PydanticCustomError: if it does.
    """
    if jinja and has_jinja(text):
        raise invalid("does not take Jinja")
    if environment and environment_names(text):
        raise invalid("does not take ${env:NAME}")


def substitute(text: str, environment: Mapping[str, str]) -> str:
    """Replace each ``${env:NAME}``; what is put in is not searched again.

    :raises pydantic_core.PydanticCustomError: if a name is malformed or the variable is not set.
    """
    return _ENVIRONMENT.sub(_lookup(environment), text)


def _lookup(environment: Mapping[str, str]) -> Callable[[re.Match[str]], str]:
    def replace(match: re.Match[str]) -> str:
        name, closed = match.groups()
        if not closed or _NAME.fullmatch(name) is None:
            raise invalid(
                "holds a malformed ${env:NAME}",
                "Write ${env:NAME}; a name has letters, digits and _, and does not begin with a digit.",
                kind="lookup",
            )
        if name not in environment:
            raise invalid(
                f"asks for the environment variable {name}, which is not set",
                f"Set {name} for every Airflow component that loads this file, or write the value itself.",
                kind="lookup",
            )
        return environment[name]

    return replace
