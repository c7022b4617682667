"""``matrix``: several pipelines of one file. Each combination of its values fills the file's ``${matrix.NAME}``."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from activation.spec.located import Located
from activation.spec.messages import suggest
from activation.spec.problems import PipelineFileError, Problem
from activation.spec.secrets import is_secret_key
from activation.spec.traps import mismatch, quote
from activation.spec.values import Document, Route

KEY = "matrix"
MOST = 1000
"""Pipelines that one file makes at most."""

ABOUT = (
    "Makes a pipeline for each combination of these values, which stand where ${matrix.NAME} is written: "
    "a list of values for each name, or a list of blocks with all names."
)
"""What is said of it in the schema, and by ``activation explain``: it is no field of a pipeline."""

EXAMPLES: tuple[Any, ...] = ({"country": ["kr", "jp"]}, [{"country": "kr", "table": "crm.users_kr"}])

NAME_PATTERN = "^[a-z][a-z0-9_]{0,49}$"

Combination = Mapping[str, str | int | float | bool]
"""One value for each name of a matrix."""

_USE = re.compile(r"\$\{matrix\b([^}]*)(\}?)")
_WHOLE = re.compile(r"\$\{matrix\.([^}]*)\}")
_NAME = re.compile(NAME_PATTERN)


def combinations(document: Document) -> list[Combination]:
    """The combinations of a document's matrix, in its order; one empty one for a document without a matrix.

    :raises PipelineFileError: with all that is wrong with the matrix, or with the places that use it.
    """
    problems: list[Problem] = []
    found = read_matrix(document, problems)
    is_matrix = KEY in document.values
    if not problems and (is_matrix or any("${matrix" in text.content for text in document.texts)):
        problems += _misused(document, tuple(found[0]) if is_matrix else None)
    if problems:
        # What the rest of the file gets wrong would be told of texts that nothing was put into.
        raise failure(document, [*document.problems, *problems])
    return found


def read_matrix(document: Document, problems: list[Problem]) -> list[Combination]:
    """The combinations as they stand there, whether they are used or not; none if something is wrong with them.

    :param problems: gets what is wrong.
    """
    matrix = Located(document, (KEY,))
    if KEY not in document.values:
        return [{}]
    return _of_lists(matrix, problems) if isinstance(matrix.value, dict) else _of_blocks(matrix, problems)


def failure(document: Document, problems: Iterable[Problem]) -> PipelineFileError:
    """The error of a file: its own problems first, then those of each layer, in the order of their lines."""
    rank = {text.name: number for number, text in enumerate(document.texts)} | {document.name: -1}
    ordered = sorted(dict.fromkeys(problems), key=lambda one: (rank.get(one.file, 0), one.line, one.column))
    return PipelineFileError(tuple(ordered))


def fill(value: Any, combination: Combination) -> Any:
    """Replace each ``${matrix.NAME}`` in the texts of a value; one that stands alone becomes the number or boolean itself."""
    if isinstance(value, dict):
        return {key: fill(inner, combination) for key, inner in value.items()}
    if isinstance(value, list):
        return [fill(inner, combination) for inner in value]
    if not isinstance(value, str) or "${matrix" not in value:
        return value
    if alone := _WHOLE.fullmatch(value):
        return combination[alone[1]]
    return _WHOLE.sub(lambda use: written(combination[use[1]]), value)


def written(value: str | float | bool) -> str:
    """A value of a matrix inside a longer text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def has_matrix(text: str) -> bool:
    """Whether a text holds ``${matrix.NAME}``."""
    return _USE.search(text) is not None


def uses(document: Document) -> set[Route]:
    """Where a document has ``${matrix.NAME}``, outside of the matrix itself."""
    return {route for route, _, _ in _texts(_rest(document), ())}


def _rest(document: Document) -> dict[str, Any]:
    return {key: value for key, value in document.values.items() if key != KEY}


def _of_lists(matrix: Located, problems: list[Problem]) -> list[Combination]:
    """The combinations of ``{country: [kr, jp], brand: [a, b]}``."""
    document, lists = matrix.document, matrix.value
    for name, values in lists.items():
        place = Located(document, (KEY, name))
        problems += _bad_name(place)
        if not isinstance(values, list):
            problems.append(place.problem(*mismatch(place.label, "a list of values", values)))
        elif not values:
            problems.append(place.problem(f"{place.label} is an empty list.", "Write its values, or remove the name."))
        else:
            problems += _bad_values(Located(document, (*place.route, number)) for number in range(len(values)))
    if not lists:
        problems.append(matrix.problem("matrix is an empty block.", "Write it like matrix: {country: [kr, jp]}, or remove it."))
    if problems or _too_many(matrix, math.prod(len(values) for values in lists.values()), problems):
        return []
    return [dict(zip(lists, values, strict=True)) for values in itertools.product(*lists.values())]


def _of_blocks(matrix: Located, problems: list[Problem]) -> list[Combination]:
    """The combinations of ``[{country: kr, table: crm.users_kr}, …]``."""
    document, blocks = matrix.document, matrix.value
    if not isinstance(blocks, list) or not blocks:
        told = mismatch("matrix", "a block of lists or a list of blocks", None if blocks == [] else blocks)
        problems.append(matrix.problem(told[0], "Write it like matrix: {country: [kr, jp]}, or remove it."))
        return []
    if _too_many(matrix, len(blocks), problems):
        return []
    unlike = None
    for number, block in enumerate(blocks):
        place = Located(document, (KEY, number))
        if not isinstance(block, dict) or not block:
            told = mismatch(place.label, "a block of names and values", block or None)
            problems.append(place.problem(told[0], "Write it like {country: kr, table: crm.users_kr}."))
            continue
        inner = [Located(document, (*place.route, name)) for name in block]
        problems += [problem for one in inner for problem in _bad_name(one)]
        problems += _bad_values(inner)
        if unlike is None and isinstance(blocks[0], dict) and set(block) != set(blocks[0]):
            unlike = _other_names(place, list(blocks[0]))
    if unlike is not None:
        problems.append(unlike)
    return [] if problems else [{name: block[name] for name in blocks[0]} for block in blocks]


def _too_many(matrix: Located, count: int, problems: list[Problem]) -> bool:
    if count > MOST:
        message = f"matrix makes {count:,} pipelines, and a file makes {MOST:,} at most."
        problems.append(matrix.problem(message, "Spread them over several files.", at_key=True))
    return count > MOST


def _bad_name(place: Located) -> list[Problem]:
    if is_secret_key(place.key):
        message = f"{place.label} looks like a secret, and secrets never stand in a pipeline file."
        return [place.problem(message, "Put it into the Airflow connection; a matrix can name the connection.", at_key=True)]
    if _NAME.fullmatch(place.key) is None:
        fix = "A name has 1 to 50 characters: a lower-case letter, then lower-case letters, digits and _."
        return [place.problem(f"{quote(place.key)} cannot be a name of the matrix.", fix, at_key=True)]
    return []


def _bad_values(places: Iterator[Located] | list[Located]) -> Iterator[Problem]:
    for place in places:
        if not isinstance(place.value, str | int | float | bool):
            yield place.problem(*mismatch(place.label, "a text, a number, or true or false", place.value))
        elif isinstance(place.value, str) and has_matrix(place.value):
            yield place.problem(f"{place.label} asks for another value of the matrix.", "Write the value itself.")


def _other_names(place: Located, names: list[str]) -> Problem:
    missing = [name for name in names if name not in place.value]
    unknown = [name for name in place.value if name not in names]
    wrong = [f"lacks {', '.join(missing)}"] * bool(missing) + [f"has {', '.join(unknown)} besides"] * bool(unknown)
    message = f"{place.label} {' and '.join(wrong)}: its names are not those of the first block."
    return place.problem(message, f"Each block of a matrix has the same names, here {', '.join(names)}.")


def _unused(document: Document, name: str) -> Problem:
    route: Route = (KEY, name) if isinstance(document.values[KEY], dict) else (KEY, 0, name)
    fix = f"Put ${{matrix.{name}}} where the pipelines differ, or remove the name."
    return Located(document, route).problem(f"{quote(name)} of the matrix appears nowhere in the file.", fix, at_key=True)


def _misused(document: Document, names: tuple[str, ...] | None) -> Iterator[Problem]:
    """What is wrong with each ``${matrix.NAME}``, and the names that none of them asks for."""
    asked: set[str] = set()
    for route, text, at_key in _texts(_rest(document), ()):
        for use in _USE.finditer(text):
            place, name = Located(document, route), use[1].removeprefix(".")
            near = suggest(name, names or ())
            asked |= {name, near.removeprefix("Did you mean ").partition("?")[0]}
            if at_key:
                fix = "It is replaced in values only; write the key out."
                yield place.problem(f"{quote(place.key)} is a key with ${{matrix.…}} in it.", fix, at_key=True)
            elif not use[2] or not use[1].startswith(".") or _NAME.fullmatch(name) is None:
                yield place.problem(f"{place.label} holds a malformed ${{matrix.NAME}}.", "Write it like ${matrix.country}.")
            elif names is None:
                fix = "Add one, like matrix: {" + name + ": [one, two]}, or write the value itself."
                yield place.problem(f"{place.label} asks for ${{matrix.{name}}}, but the file has no matrix.", fix)
            elif name not in names:
                yield place.problem(f"{place.label} asks for {quote(name)}, which is not a name of the matrix.", near)
    yield from (_unused(document, name) for name in names or () if name not in asked)


def _texts(value: Any, route: Route) -> Iterator[tuple[Route, str, bool]]:
    """The place and the text of each key and value with ``${matrix`` in it, and whether it is a key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if "${matrix" in key:
                yield (*route, key), key, True
            yield from _texts(inner, (*route, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*route, number))
    elif isinstance(value, str) and "${matrix" in value:
        yield route, value, False
