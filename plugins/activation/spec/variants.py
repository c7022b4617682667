"""The pipelines of one file, each with its id and its combination of the matrix; what is wrong with several is told once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from activation.spec.located import Located
from activation.spec.matrix import (
    KEY,
    Combination,
    combinations,
    failure,
    fill,
    has_matrix,
    read_matrix,
    uses,
    written,
)
from activation.spec.names import ID_PATTERN
from activation.spec.problems import Problem
from activation.spec.values import Document

_NO_ID = re.compile(r"[^a-z0-9_]+")
_MOST_TOLD = 3
_MOST_SHOWN = 40


@dataclass(frozen=True)
class Variant:
    """One pipeline of a file, not yet checked.

    :ivar pipeline_id: its id, which may still break the rules for ids.
    :ivar file: the file with all its layers.
    :ivar combination: empty for a file without a matrix.
    """

    pipeline_id: str
    file: Document
    combination: Combination = field(default_factory=dict)

    @cached_property
    def document(self) -> Document:
        """The file with the combination's values in it; made when it is asked for, since most askers want one of many."""
        file = self.file
        if KEY not in file.values:
            return file
        values = {key: fill(value, self.combination) for key, value in file.values.items() if key != KEY}
        values["id"] = self.pipeline_id
        return Document(file.name, values, file.places, file.problems, file.texts)


_Group = list[tuple[Variant, Problem]]


def variants(document: Document, path: Path) -> list[Variant]:
    """The pipelines that a file makes: one, or as many as its matrix has combinations.

    :param document: the file with all its layers; an id that does not fit the file's name is added to its problems.
    :raises PipelineFileError: if its matrix, or the use of it, is wrong; if two combinations give one id.
    """
    found = combinations(document)
    if KEY not in document.values:
        _take_id(document, path)
        return [Variant(path.stem, document)]
    _check_id(document, path)
    made = [Variant(_id(document, path.stem, combination), document, combination) for combination in found]
    if problem := _same_ids(made):
        raise failure(document, [*document.problems, problem])
    return made


def unfilled(document: Document, path: Path) -> Variant:
    """A file whose matrix is wrong, as if it made one pipeline: its ``${matrix.NAME}`` stay as they are written."""
    values = {key: value for key, value in document.values.items() if key != KEY} | {"id": path.stem}
    return Variant(path.stem, replace(document, values=values))


def beside_matrix(document: Document, problems: Iterable[Problem]) -> list[Problem]:
    """The problems at places which the matrix has no part in, neither there nor within."""
    parts = {route[:length] for route in uses(document) for length in range(1, len(route) + 1)} | {("id",)}
    marks = [mark for route in parts if (place := document.places.get(route)) for mark in (place.key, place.value)]
    shaken = {(mark.text.name, mark.line, mark.column) for mark in marks}
    return [one for one in problems if (one.file, one.line, one.column) not in shaken]


def _take_id(document: Document, path: Path) -> None:
    given = document.values.setdefault("id", path.stem)
    if isinstance(given, str) and given != path.stem:
        where = document.places[("id",)].value
        rename = f", or name the file {given}{path.suffix}" if re.fullmatch(ID_PATTERN, given) else ""
        document.problems.append(
            where.problem(f"The id is {given!r}, but the file is called {path.name}.", f"Remove the id{rename}.")
        )


def _check_id(document: Document, path: Path) -> None:
    """The ids of a matrix begin with the file's name, so that the file of an id is found without reading the others."""
    if "id" not in document.values:
        if re.fullmatch(ID_PATTERN, path.stem):  # Else what is wrong with the ids is the file's name.
            document.places[("id",)] = document.places[(KEY,)]
        return
    given, place, begin = document.values["id"], Located(document, ("id",)), f"{path.stem}_"
    fix = f"Remove the id, or write it like {begin}${{matrix.NAME}}."
    if not isinstance(given, str) or not has_matrix(given):
        raise failure(document, [*document.problems, place.problem("The id is the same for all pipelines of the matrix.", fix)])
    if not given.startswith(begin):
        raise failure(document, [*document.problems, place.problem(f"The id does not begin with {begin}, the file's name.", fix)])


def ids_of(document: Document, path: Path) -> list[str]:
    """The ids that a broken file gives, as far as that can be told: those of its matrix, else the file's name."""
    found = read_matrix(document, [])
    try:
        return list(dict.fromkeys(_id(document, path.stem, combination) for combination in found)) or [path.stem]
    except KeyError:  # The id asks for a name that the matrix does not have.
        return [path.stem]


def _id(document: Document, stem: str, combination: Combination) -> str:
    """The id as it is written, or the file's name with the combination's values behind it."""
    given = document.values.get("id")
    if isinstance(given, str) and given.startswith(f"{stem}_") and has_matrix(given):
        return str(fill(given, combination))
    return "_".join([stem, *(_NO_ID.sub("_", written(value).lower()) for value in combination.values())])


def _same_ids(made: Sequence[Variant]) -> Problem | None:
    by_id: dict[str, list[Variant]] = {}
    for one in made:
        by_id.setdefault(one.pipeline_id, []).append(one)
    twice = [same for same in by_id.values() if len(same) > 1]
    if not twice:
        return None
    more = f"; more such ids: {len(twice) - 1:,}" if len(twice) > 1 else ""
    message = f"Several pipelines of the matrix get the id {twice[0][0].pipeline_id!r}{_note(twice[0], made)}{more}."
    fix = "Change a value, or write an id that names what tells them apart."
    return Located(twice[0][0].document, ("id",)).problem(message, fix)


def fold(told: Iterable[tuple[Variant, Iterable[Problem]]], made: Sequence[Variant], *, by_place: bool = False) -> list[Problem]:
    """Problems of several pipelines of one file, each told once, with the combinations that have it if not all do.

    :param told: what is wrong with some of the pipelines.
    :param made: all pipelines of the file.
    :param by_place: whether all problems at one place are one problem.
    """
    groups: dict[tuple[object, ...], _Group] = {}
    for variant, problems in told:
        for problem in dict.fromkeys(problems):
            place = (problem.file, problem.line, problem.column)
            groups.setdefault(place if by_place else (*place, problem.message, problem.fix), []).append((variant, problem))
    alike: dict[tuple[object, ...], _Group] = {}
    for key, group in groups.items():
        plain = [_without_values(str(text), group[0][0]) for text in key[3:]]
        alike.setdefault((*key[:3], *plain), []).extend(group)
    folded = []
    for group in alike.values():
        first = group[0][1]
        note = _note([variant for variant, _ in group], made) if _is_worth_it(group, made) else ""
        folded.append(replace(first, message=f"{first.message.removesuffix('.')}{note}.") if note else first)
    return folded


def _is_worth_it(group: _Group, made: Sequence[Variant]) -> bool:
    """Whether it needs to be said which combinations are meant: not where each has it in the same words."""
    return len(made) > 1 and (len(group) < len(made) or any(problem != group[0][1] for _, problem in group))


def _note(some: Sequence[Variant], made: Sequence[Variant]) -> str:
    """The combinations that are meant, by one name of the matrix if that tells them from the others."""
    found = [one.combination for one in some]
    if len(some) < len(made):
        others = [one.combination for one in made if one not in some]
        for name in found[0]:
            values = list(dict.fromkeys(combination[name] for combination in found))
            if len(values) <= _MOST_TOLD and not any(other[name] in values for other in others):
                return f" (matrix: {name}={' or '.join(_shown(value) for value in values)})"
    told = [", ".join(f"{name}={_shown(value)}" for name, value in combination.items()) for combination in found[:_MOST_TOLD]]
    more = [f"{len(found) - _MOST_TOLD:,} more"] * (len(found) > _MOST_TOLD)
    return f" (matrix: {'; '.join([*told, *more])})"


def _shown(value: str | float | bool) -> str:
    text = written(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _without_values(text: str, variant: Variant) -> str:
    """A message without what the combination has put into it, by which the messages of all combinations are alike."""
    names = {written(value): name for name, value in variant.combination.items()} | {variant.pipeline_id: "id"}
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    pattern = "|".join(re.escape(value) for value in longest_first)
    return re.sub(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", lambda found: f"${{{names[found[0]]}}}", text)
