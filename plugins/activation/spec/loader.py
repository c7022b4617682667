"""Pipeline files -> :class:`~activation.spec.models.Pipeline`. One broken file never hides another."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from activation.spec.conflicts import Read, conflicts
from activation.spec.defaults import merge, read_defaults
from activation.spec.messages import tell
from activation.spec.models import Pipeline
from activation.spec.names import ID_PATTERN
from activation.spec.problems import PipelineFileError, Problem
from activation.spec.reader import read
from activation.spec.values import Document

SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds.

    :ivar pipelines: the good ones by their id, in the order of the files' names.
    :ivar broken: the error of each file that cannot be used, by its path.
    """

    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    broken: dict[Path, PipelineFileError] = field(default_factory=dict)


def load_file(path: Path | str, *, environment: Mapping[str, str] | None = None) -> Pipeline:
    """Load one pipeline file, over the ``_defaults.yaml`` beside it.

    :param environment: what ``${env:NAME}`` is replaced from; ``None`` takes the process's environment.
    :raises PipelineFileError: with every problem of the file and of the defaults that it uses.
    """
    return _load(Path(path), environment)[0]


def _load(path: Path, environment: Mapping[str, str] | None) -> Read:
    document = read(path)
    if not document.places:
        raise PipelineFileError(
            (Problem(document.name, 0, 0, "", "The file is empty.", "Write a pipeline, or remove the file."),)
        )
    defaults = read_defaults(path.parent)
    if defaults is not None:
        document = merge(document, defaults)
    _take_id(document, path)
    return _validate(document, os.environ if environment is None else environment), document


def load_folder(folder: Path | str, *, environment: Mapping[str, str] | None = None) -> Loaded:
    """Load every pipeline file that lies directly in a folder.

    :param environment: as for :func:`load_file`.
    :raises PipelineFileError: if the folder cannot be read.
    """
    return load_files(pipeline_files(folder), environment=environment)


def load_files(paths: Iterable[Path | str], *, environment: Mapping[str, str] | None = None) -> Loaded:
    """Load several files. Where two give the same id or carry the same table, both are broken: neither has the better right."""
    loaded, good = Loaded(), dict[Path, Read]()
    by_id: dict[str, list[Path]] = {}
    for path in dict.fromkeys(Path(path) for path in paths):
        by_id.setdefault(path.stem, []).append(path)
        try:
            good[path] = _load(path, environment)
        except PipelineFileError as error:
            loaded.broken[path] = error
    for same in by_id.values():
        if len(same) > 1:
            loaded.broken.update({path: _duplicate(path, same, loaded.broken.get(path)) for path in same})
    single = {path: one for path, one in good.items() if path not in loaded.broken}
    loaded.broken.update({path: PipelineFileError((problem,)) for path, problem in conflicts(single).items()})
    loaded.pipelines.update({path.stem: one[0] for path, one in single.items() if path not in loaded.broken})
    return loaded


def pipeline_files(folder: Path | str) -> list[Path]:
    """The pipeline files of a folder, sorted; not those whose name begins with ``_`` or ``.``.

    :raises PipelineFileError: if the folder cannot be read.
    """
    try:
        return sorted(path for path in Path(folder).iterdir() if is_pipeline_file(path))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PipelineFileError((Problem(str(folder), 0, 0, "", f"The folder cannot be read: {reason}."),)) from None


def is_pipeline_file(path: Path) -> bool:
    """Whether a path is called like a pipeline file. Does not look at the file."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(("_", "."))


def find_file(folder: Path | str, pipeline_id: str) -> Path | None:
    """Find the file of one pipeline by its name, without reading any file.

    :returns: ``None`` if there is none.
    :raises PipelineFileError: if the folder cannot be read, or if two files have that name (``x.yaml`` and ``x.yml``).
    """
    found = [path for path in pipeline_files(folder) if path.stem == pipeline_id]
    if len(found) > 1:
        raise _duplicate(found[1], found, None)
    return found[0] if found else None


def _take_id(document: Document, path: Path) -> None:
    given = document.values.setdefault("id", path.stem)
    if isinstance(given, str) and given != path.stem:
        where = document.places[("id",)].value
        rename = f", or name the file {given}{path.suffix}" if re.fullmatch(ID_PATTERN, given) else ""
        document.problems.append(
            where.problem(f"The id is {given!r}, but the file is called {path.name}.", f"Remove the id{rename}.")
        )


def _validate(document: Document, environment: Mapping[str, str]) -> Pipeline:
    problems = list(document.problems)
    try:
        pipeline = Pipeline.model_validate(document.values, context={"environment": environment})
    except ValidationError as error:
        problems += tell(error.errors(include_url=False, include_input=False), document)
    if problems:
        ordered = sorted(
            dict.fromkeys(problems), key=lambda problem: (problem.file != document.name, problem.line, problem.column)
        )
        raise PipelineFileError(tuple(ordered))
    return pipeline


def _duplicate(path: Path, same: list[Path], other: PipelineFileError | None) -> PipelineFileError:
    rest = ", ".join(str(each) for each in same if each != path)
    message = f"The id {path.stem!r} is also that of {rest}."
    problem = Problem(str(path), 0, 0, "", message, "Give each pipeline its own file name.")
    return PipelineFileError((problem, *(other.problems if other else ())))
