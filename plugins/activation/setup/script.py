"""From the templates of an engine and the names of a pipeline to one SQL script."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from activation.errors import ConfigurationError
from activation.setup.layouts import Kind, Layout

OPTIONS = ("role", "user", "warehouse")
"""The names that a person can choose."""

_TO_FILL_IN = r"<[a-z ]+>"
_CHOSEN = r"""[^\x00-\x1f\x7f'"`;$<>]{1,200}"""
"""What a chosen name looks like: it also stands in comments with shell commands."""


@dataclass(frozen=True, slots=True)
class Kit:
    """The templates of one engine.

    In ``make`` and ``access`` stand, in braces: ``columns``; the parts of the table's name by the names of :attr:`parts`;
    ``name``, all parts from :attr:`within` on; and the chosen names. Each is written as SQL needs it; with ``_text`` behind it
    (``role_text``) it is an SQL literal, with ``_raw`` the bare text. In ``access`` stands ``grants``, which is written for each
    table, each statement once; there the parts of the first table's name have ``first_`` before them.

    :ivar title: the engine's own name.
    :ivar columns: what a column holds -> its type and its rules.
    :ivar parts: what the engine calls the parts of a table's name, the table last.
    :ivar make: statements that make the schema and the table.
    :ivar access: statements that let the pipeline in; empty if the engine knows no rights.
    :ivar grants: those of them that are about one table.
    :ivar who: who has to run the script.
    :ivar defaults: the names that a person can choose, with what they are without a choice.
    :ivar within: how many parts of the table's name the engine takes from its connection instead.
    :ivar upper: whether the engine reads a name without quotes in upper case, and so does its reader.
    :ivar quote: the character around a name.
    """

    title: str
    columns: Mapping[Kind, str]
    parts: tuple[str, ...]
    make: str
    access: str = ""
    grants: str = ""
    who: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    within: int = 0
    upper: bool = False
    quote: str = '"'

    def stored(self, name: str) -> str:
        """A name as the engine stores it; what has signs that need quotes stays as it is."""
        return name.upper() if self.upper and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]*", name) else name

    def identifier(self, name: str) -> str:
        """Write a name as SQL needs it. A name that is to be filled in stays bare, so that SQL refuses it if it is forgotten."""
        if re.fullmatch(_TO_FILL_IN, name):
            return name
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a pipeline reads.

    :ivar name: the unquoted parts of its name; empty where the pipeline reads a query.
    :ivar layout: its columns; empty leaves the table out, and only who may read it is said.
    :ivar about: what a row is, for a comment.
    :ivar attributes: columns of texts behind those of the layout, under names that a person chose.
    """

    name: tuple[str, ...]
    layout: Layout = ()
    about: str = "The table."
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a script is for.

    :ivar pipeline: the pipeline's id.
    :ivar tables: what it reads, its own table first.
    :ivar names: what was chosen of :data:`OPTIONS`.
    """

    pipeline: str
    tables: tuple[Table, ...]
    names: Mapping[str, str] = field(default_factory=dict)


def script(kit: Kit, wanted: Wanted) -> str:
    """Write the script, with comments that say what to fill in.

    :raises ConfigurationError: if a name was chosen for something that the engine does not have.
    """
    chosen = _chosen(kit, wanted)
    tables = wanted.tables
    words = [_words(kit, table, chosen) for table in tables]
    parts = [_head(kit, wanted)]
    if not tables[0].name:
        parts.append(
            f"-- The pipeline reads a query. Its columns must be named as in a table of the layout.\n"
            f"-- Run what names {words[0]['name']} once for every table or view that the query reads."
        )
    made = [(table, given) for table, given in zip(tables, words, strict=True) if table.name and table.layout]
    parts += [f"-- {table.about}{_left_out(kit, table)}\n{kit.make.strip().format_map(given)}" for table, given in made]
    if kit.access:
        first = {f"first_{name}": text for name, text in words[0].items()}
        grants = [one for given in words for one in _statements(kit.grants.format_map(given | first))]
        given = words[0] | {"grants": "\n".join(f"{one};" for one in dict.fromkeys(grants))}
        parts.append(f"-- Who reads {'it' if len(tables) == 1 else 'them'}.\n{kit.access.strip().format_map(given)}")
    else:
        parts.append(
            f"-- {kit.title} knows no roles: whoever can open the file can read the table{'s' if len(tables) > 1 else ''}."
        )
    return "\n\n".join(parts) + "\n"


def _statements(text: str) -> list[str]:
    return [one.strip() for one in text.split(";\n") if one.strip()]


def _head(kit: Kit, wanted: Wanted) -> str:
    lines = [f"What the pipeline {wanted.pipeline} needs in {kit.title}. Read it, fill in what stands in <…>, and run it once."]
    lines += [kit.who] if kit.who else []
    return "\n".join(f"-- {line}" for line in lines)


def _left_out(kit: Kit, table: Table) -> str:
    gone = table.name[: -len(kit.parts[kit.within :])]
    return f" Connect to {kit.parts[0]} {gone[-1]} first." if kit.within and gone else ""


def _chosen(kit: Kit, wanted: Wanted) -> dict[str, str]:
    for option in wanted.names:
        if option not in kit.defaults:
            fit = ", ".join(f"--{name}" for name in OPTIONS if name in kit.defaults) or "none"
            raise ConfigurationError(f"A setup of {kit.title} has no use for --{option}.", f"Leave it out; it takes {fit}.")
        if not re.fullmatch(_CHOSEN, wanted.names[option]):
            raise ConfigurationError(
                f"--{option} is not a name that a script can hold.", "Write it in one line, without quotes, ;, $, < and >."
            )
    return {**kit.defaults, **wanted.names}


def _words(kit: Kit, table: Table, chosen: Mapping[str, str]) -> dict[str, str]:
    missing = [f"<{part}>" for part in kit.parts][: len(kit.parts) - len(table.name)]
    named = dict(zip(kit.parts, [*missing, *table.name][-len(kit.parts) :], strict=True))
    raw = {name: kit.stored(text) for name, text in {**named, **chosen}.items()}
    words = {name: kit.identifier(text) for name, text in raw.items()}
    words |= {f"{name}_text": "'" + text.replace("'", "''") + "'" for name, text in raw.items()}
    words |= {f"{name}_raw": text for name, text in raw.items()}
    words["name"] = ".".join(words[part] for part in kit.parts[kit.within :])
    columns = [f"{name.upper() if kit.upper else name} {kit.columns[kind]}" for name, kind in table.layout]
    columns += [f"{kit.identifier(kit.stored(name))} {kit.columns['text']}" for name in table.attributes]
    words["columns"] = ",\n".join(f"    {column}" for column in columns)
    return words
