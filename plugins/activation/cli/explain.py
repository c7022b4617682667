"""Explain a key of pipeline files.

FIELD is the way to the key: schedule, source.table, destination.files.compression, columns.fields.NAME.mask. It is told what the
key is for, what it takes, what holds without it, an example, and whether Jinja and ${env:NAME} are allowed. Where several
destinations or sources have a key of that name and mean different things by it, each is told; --destination and --source
choose one. Without FIELD all keys are listed.

Exit code: 0, or 2 if there is no such key.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING

from activation.errors import ConfigurationError

if TYPE_CHECKING:
    from activation.spec.reference import Key

_WIDTH = 110
_INDENT = " " * 15
_MOST_HINTS = 4


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("field", nargs="?", metavar="FIELD", help="a key, such as destination.files.compression (default: all)")
    parser.add_argument("--source", metavar="TYPE", help="only what a source of this type has")
    parser.add_argument("--destination", metavar="TYPE", help="only what a destination of this type has")


def run(arguments: argparse.Namespace) -> int:
    """Print what the models say.

    :raises ConfigurationError: if there is no such key or type.
    """
    from activation.spec.reference import keys

    known = keys()
    chosen = {place: kind for place in ("source", "destination") if (kind := getattr(arguments, place)) is not None}
    for place, kind in chosen.items():
        _check_type(place, kind, known)
    fitting = [key for key in known if key.fits(chosen)]
    open_types = {key.path: key.options for key in known if key.path in ("source", "destination") and key.path not in chosen}
    if arguments.field is None:
        print("\n".join(_tree(fitting, open_types)))
        return 0
    path = arguments.field.strip(".").replace("[", ".").replace("]", "")
    found = [key for key in fitting if key.path == path] or [key for key in fitting if key.is_called(path)]
    if not found:
        raise _unknown(path, known, chosen)
    print("\n\n".join("\n".join(_told(key, fitting, open_types)) for key in found))
    return 0


def _check_type(place: str, kind: str, known: list[Key]) -> None:
    types = next(key for key in known if key.path == place).options
    if kind not in types:
        near = get_close_matches(kind, types, 1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise ConfigurationError(f"There is no {place} {kind!r}.", f"{hint}Choose one of {', '.join(types)}.")


def _unknown(path: str, known: list[Key], chosen: dict[str, str]) -> ConfigurationError:
    from activation.spec.grammar import either

    elsewhere = [key for key in known if key.is_called(path)]
    if elsewhere:
        have = ", ".join(kind for key in elsewhere for place, types in key.types if place in chosen for kind in types)
        return ConfigurationError(f"There is no key {path} with {' and '.join(chosen.values())}.", f"It is a key of {have}.")
    near = _near(path, list(dict.fromkeys(key.path for key in known if key.fits(chosen))))
    hint = f"Did you mean {either(near)}?" if near else "activation explain lists all of them."
    return ConfigurationError(f"There is no key {path}.", hint)


def _near(path: str, paths: list[str]) -> list[str]:
    """Paths that somebody who wrote a path can have meant: those with its last name, or else with one like it."""
    by_name: dict[str, list[str]] = {}
    for one in paths:
        by_name.setdefault(one.rpartition(".")[2], []).append(one)
    last = path.rpartition(".")[2]
    alike = get_close_matches(last, by_name, 1, cutoff=0.75)
    return (by_name.get(last) or (by_name[alike[0]] if alike else get_close_matches(path, paths, 1)))[:_MOST_HINTS]


def _tree(known: list[Key], open_types: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield "The keys of a pipeline file; activation explain KEY tells more of one. * must be there."
    yield ""
    names = [f"{'  ' * key.path.count('.')}{key.path.rpartition('.')[2]}{'' if key.default else '*'}" for key in known]
    width = max(len(name) for name in names) + 2
    around: dict[str, str] = {}
    for name, key in zip(names, known, strict=True):
        # Whose a key is says nothing new where its block says it already.
        around[key.path] = whose = _whose(key, open_types)
        outside = around.get(key.path.rpartition(".")[0])
        yield f"{name:<{width}}{key.info.title}{'' if whose == outside else whose}"


def _whose(key: Key, open_types: Mapping[str, tuple[str, ...]]) -> str:
    """The types that have the key, unless all have it.

    :param open_types: blocks whose type was not chosen -> all of their types.
    """
    told = [", ".join(types) for place, types in key.types if set(types) != set(open_types.get(place, types))]
    return f" ({'; '.join(told)})" if told else ""


def _told(key: Key, known: list[Key], open_types: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    from activation.spec.writing import written

    yield f"{key.path}: {key.info.title}{_whose(key, open_types)}"
    yield from textwrap.wrap(key.info.description or "", _WIDTH, initial_indent="  ", subsequent_indent="  ")
    yield ""
    name = key.path.rpartition(".")[2]
    facts = {"Takes": key.takes, "Default": key.default or "none, it must be there"}
    if key.is_block and key.options:
        facts["Types"] = ", ".join(key.options)
    if below := _below(key, known):
        facts["Keys"] = ", ".join(below)
    facts["Expressions"] = f"{' and '.join(key.expressions)} allowed" if key.expressions else "neither Jinja nor ${env:NAME}"
    for what, text in facts.items():
        yield from textwrap.wrap(text, _WIDTH, initial_indent=f"  {what + ':':<13}", subsequent_indent=_INDENT)
    for number, example in enumerate(key.info.examples or ()):
        yield f"{_INDENT if number else '  Example:     '}{name}: {written(example)}"


def _below(key: Key, known: list[Key]) -> list[str]:
    """The names of the keys right below."""
    inside = [one.path.removeprefix(f"{key.path}.") for one in known if one.path.startswith(f"{key.path}.")]
    return list(dict.fromkeys(one for one in inside if "." not in one.removeprefix("NAME.")))
