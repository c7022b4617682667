"""Pipeline files -> :class:`~activation.spec.models.Pipeline`. One broken file never hides another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError

from activation.errors import ConfigurationError
from activation.spec.conflicts import conflicts
from activation.spec.defaults import Layers
from activation.spec.files import SUFFIXES, is_pipeline_file, pipeline_files, search
from activation.spec.matrix import failure
from activation.spec.messages import tell
from activation.spec.models import Pipeline
from activation.spec.problems import PipelineFileError, Problem, SourceText
from activation.spec.reader import read
from activation.spec.values import Document
from activation.spec.variants import Variant, beside_matrix, fold, ids_of, unfilled, variants

__all__ = [
    "SUFFIXES",
    "Loaded",
    "NoSuchPipelineError",
    "find_file",
    "is_pipeline_file",
    "load_file",
    "load_files",
    "load_folder",
    "load_one",
    "pipeline_files",
]

_MOST_IDS = 3

_Made = list[tuple[Variant, Pipeline]]
"""The pipelines of one file."""


class NoSuchPipelineError(ConfigurationError):
    """A file makes no pipeline of the id that was named, or several and none was named."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a folder holds.

    :ivar pipelines: the good ones by their id, in the order of the files' names; of a file all or none.
    :ivar broken: the error of each file, overlay or sub-folder that cannot be used, by its path.
    :ivar files: the file of each id. Of a broken file too: the ids of its matrix if that could be read, else the file's name.
    :ivar texts: the texts that each good pipeline was made of, from the one on top down to the outermost defaults.
    :ivar environments: the environments that overlays and defaults are written for, sorted.
    """

    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    broken: dict[Path, PipelineFileError] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, tuple[SourceText, ...]] = field(default_factory=dict)
    environments: tuple[str, ...] = ()


def load_file(
    path: Path | str,
    pipeline_id: str = "",
    *,
    root: Path | str | None = None,
    env: str = "",
    environment: Mapping[str, str] | None = None,
) -> Pipeline:
    """Load one pipeline of a file, over the ``_defaults.yaml`` beside it; only this one is checked.

    :param pipeline_id: which one; needed where a file with a matrix makes several.
    :param root: the folder of pipelines in whose sub-folder the file lies: the defaults from there down count. ``None``: those of
        the file's own folder.
    :param env: the environment whose overlays count; ``""`` for none.
    :param environment: what ``${env:NAME}`` is replaced from; ``None`` takes the process's environment.
    :raises PipelineFileError: with every problem of the pipeline and of the defaults that it uses.
    :raises NoSuchPipelineError: if the file makes no such pipeline, or makes several and none is named.
    """
    return load_one(path, pipeline_id, root=root, env=env, environment=environment)[0]


def load_one(
    path: Path | str,
    pipeline_id: str = "",
    *,
    root: Path | str | None = None,
    env: str = "",
    environment: Mapping[str, str] | None = None,
) -> tuple[Pipeline, tuple[SourceText, ...]]:
    """Load as :func:`load_file` does.

    :returns: the pipeline, and the texts that it was made of, from the one on top down to the outermost defaults.
    """
    path = Path(path)
    document = Layers(roots=() if root is None else (Path(root),), env=env).document(path)
    made = _variants(document, path, environment)
    wanted = [one for one in made if one.pipeline_id == pipeline_id] if pipeline_id else made
    if len(wanted) != 1:
        raise _which(path, [one.pipeline_id for one in made], pipeline_id)
    return _validate(document, wanted, environment)[0][1], document.texts


def load_folder(folder: Path | str, *, env: str = "", environment: Mapping[str, str] | None = None) -> Loaded:
    """Load every pipeline file of a folder and of its sub-folders; the folder's defaults count in all of them.

    :param env: as for :func:`load_file`.
    :param environment: as for :func:`load_file`.
    :raises PipelineFileError: if the folder cannot be read.
    """
    tree = search(Path(folder))
    found = Loaded(broken=tree.broken, environments=tuple(tree.environments))
    return _load(tree.files, found, Layers(roots=(Path(folder),), env=env), environment)


def load_files(
    paths: Iterable[Path | str],
    *,
    roots: Iterable[Path | str] = (),
    env: str = "",
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Load several files. Where two give the same id or carry the same table, both are broken: neither has the better right.

    :param roots: folders of pipelines: the defaults of each count in its sub-folders too, as ``root`` of :func:`load_file`.
    """
    files = list(dict.fromkeys(Path(path) for path in paths))
    return _load(files, Loaded(), Layers(roots=map(Path, roots), env=env), environment)


def _load(files: Sequence[Path], found: Loaded, layers: Layers, environment: Mapping[str, str] | None) -> Loaded:
    good: dict[Path, _Made] = {}
    by_id: dict[str, dict[Path, None]] = {}
    broken = dict(found.broken)
    for path in files:
        try:
            document = layers.document(path)
            made = _variants(document, path, environment)
            good[path] = _validate(document, made, environment)
            ids = [one.pipeline_id for one in made]
        except PipelineFileError as error:
            broken[path] = error
            ids = _ids_of_broken(path)
        for pipeline_id in ids:
            by_id.setdefault(pipeline_id, {})[path] = None
    for path, problems in _duplicates(by_id).items():
        broken[path] = PipelineFileError((*problems, *(broken[path].problems if path in broken else ())))
    single = {path: made for path, made in good.items() if path not in broken}
    broken |= _conflicting(single)
    left = [one for path, made in single.items() if path not in broken for one in made]
    beside = set().union(*(layers.environments(folder) for folder in {path.parent for path in files}))
    return Loaded(
        pipelines={variant.pipeline_id: pipeline for variant, pipeline in left},
        broken=broken,
        files={pipeline_id: next(iter(paths)) for pipeline_id, paths in by_id.items()},
        texts={variant.pipeline_id: variant.file.texts for variant, _ in left},
        environments=tuple(sorted({*found.environments, *beside})),
    )


def _ids_of_broken(path: Path) -> list[str]:
    try:
        return ids_of(read(path), path)
    except PipelineFileError:
        return [path.stem]


def find_file(folder: Path | str, pipeline_id: str, *, env: str = "") -> Path | None:
    """Find the file of one pipeline in a folder and its sub-folders.

    A file of the id's name is not read. Only if there is none, files are whose name and ``_`` begin the id, the longest name
    first, because one of them may have a matrix that makes the pipeline.

    :param env: the environment, whose overlays may change a matrix.
    :returns: ``None`` if there is none.
    :raises PipelineFileError: if the folder cannot be read, if two files have that name (``x.yaml`` and ``x.yml``), or if a file
        with a matrix that may make the pipeline cannot be read.
    """
    files = pipeline_files(folder)
    found = [path for path in files if path.stem == pipeline_id]
    if len(found) > 1:
        raise PipelineFileError(tuple(_duplicates({pipeline_id: dict.fromkeys(found)})[found[1]]))
    return found[0] if found else _file_with_matrix(Path(folder), files, pipeline_id, env)


def _file_with_matrix(folder: Path, files: Sequence[Path], pipeline_id: str, env: str) -> Path | None:
    candidates = [path for path in files if pipeline_id.startswith(f"{path.stem}_")]
    layers, unclear = Layers(roots=(folder,), env=env), None
    for path in sorted(candidates, key=lambda path: len(path.stem), reverse=True):
        try:
            if any(one.pipeline_id == pipeline_id for one in variants(layers.document(path), path)):
                return path
        except PipelineFileError as error:
            unclear = unclear or (error if _may_have_matrix(path) else None)
    if unclear is not None:
        raise unclear
    return None


def _may_have_matrix(path: Path) -> bool:
    try:
        return b"matrix" in path.read_bytes()
    except OSError:
        return True


def _variants(document: Document, path: Path, environment: Mapping[str, str] | None) -> list[Variant]:
    """The pipelines that a file makes.

    :raises PipelineFileError: if its matrix is wrong; with all that is wrong elsewhere, as far as that can be told without it.
    """
    try:
        return variants(document, path)
    except PipelineFileError as error:
        try:
            _validate(document, [unfilled(document, path)], environment)
        except PipelineFileError as rest:
            raise failure(document, [*error.problems, *beside_matrix(document, rest.problems)]) from None
        raise


def _validate(document: Document, made: Sequence[Variant], environment: Mapping[str, str] | None) -> _Made:
    context = {"environment": os.environ if environment is None else environment, "file": True}
    good: _Made = []
    told: list[tuple[Variant, list[Problem]]] = []
    for one in made:
        try:
            good.append((one, Pipeline.model_validate(one.document.values, context=context)))
        except ValidationError as error:
            told.append((one, tell(error.errors(include_url=False, include_input=False), one.document)))
    if problems := [*document.problems, *fold(told, made)]:
        raise failure(document, problems)
    return good


def _conflicting(good: Mapping[Path, _Made]) -> dict[Path, PipelineFileError]:
    """The files with a pipeline that gets in another one's way."""
    read = {variant.pipeline_id: (pipeline, variant.document) for made in good.values() for variant, pipeline in made}
    found = conflicts(read)
    errors = {}
    for path, made in good.items():
        told = [(variant, [found[variant.pipeline_id]]) for variant, _ in made if variant.pipeline_id in found]
        if told:
            folded = fold(told, [variant for variant, _ in made], by_place=True)
            errors[path] = failure(made[0][0].file, folded)
    return errors


def _duplicates(by_id: Mapping[str, Iterable[Path]]) -> dict[Path, list[Problem]]:
    """What is wrong with each file that gives an id of another file, once for all ids that it shares with the same files."""
    shared: dict[tuple[Path, tuple[Path, ...]], list[str]] = {}
    for pipeline_id, paths in by_id.items():
        same = tuple(paths)
        for path in same if len(same) > 1 else ():
            shared.setdefault((path, same), []).append(pipeline_id)
    found: dict[Path, list[Problem]] = {}
    for (path, same), ids in shared.items():
        rest = ", ".join(str(each) for each in same if each != path)
        told = ", ".join(repr(one) for one in ids[:_MOST_IDS]) + f" and {len(ids) - _MOST_IDS} more" * (len(ids) > _MOST_IDS)
        message = f"The id {told} is also that of {rest}." if len(ids) == 1 else f"The ids {told} are also those of {rest}."
        problem = Problem(str(path), 0, 0, "", message, "Give each pipeline its own file name.")
        found.setdefault(path, []).append(problem)
    return found


def _which(path: Path, ids: Sequence[str], wanted: str) -> NoSuchPipelineError:
    listed = ", ".join(ids[:_MOST_IDS]) + f" and {len(ids) - _MOST_IDS} more" * (len(ids) > _MOST_IDS)
    if not wanted:
        return NoSuchPipelineError(f"{path} makes {len(ids)} pipelines: {listed}.", "Name one of them by its id.")
    near = get_close_matches(wanted, ids, 1)
    hint = f"Did you mean {near[0]}? " if near else ""
    return NoSuchPipelineError(f"{path} makes no pipeline {wanted}.", f"{hint}It makes {listed}.")
