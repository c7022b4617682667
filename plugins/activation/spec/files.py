"""Which files of a folder are pipeline files, defaults, or overlays of an environment: told by their names alone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from activation.spec.problems import PipelineFileError, Problem

SUFFIXES = (".yaml", ".yml")
DEFAULTS = "_defaults"
"""The stem of the files that a folder's pipeline files share."""

_ENVIRONMENT = re.compile(r"[a-z][a-z0-9_-]*")
_HIDDEN = ("_", ".")

Shelf = Mapping[tuple[str, str], list[str]]
"""The YAML files of one folder, sorted: their names by stem and environment, which is ``""`` for ``users.yaml``."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a folder and of its sub-folders, in the order of their paths.

    :ivar files: the pipeline files.
    :ivar broken: overlays that belong to no pipeline file, and sub-folders that cannot be read.
    :ivar environments: the environments that an overlay or defaults are written for.
    """

    files: list[Path] = field(default_factory=list)
    broken: dict[Path, PipelineFileError] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)


def split_name(name: str) -> tuple[str, str] | None:
    """Stem and environment of a YAML file's name: ``users`` and ``prod`` of ``users.prod.yaml``; ``None`` for other files."""
    stem, _, suffix = name.rpartition(".")
    if not stem or f".{suffix.lower()}" not in SUFFIXES:
        return None
    base, _, environment = stem.rpartition(".")
    return (base, environment) if base and is_environment(environment) else (stem, "")


def is_environment(name: str) -> bool:
    """Whether a text can be the name of an environment: a lower-case letter, then lower-case letters, digits, ``_`` and ``-``."""
    return _ENVIRONMENT.fullmatch(name) is not None


def is_pipeline_file(path: Path) -> bool:
    """Whether a path is called like a pipeline file, not like an overlay. Does not look at the file."""
    return (named := split_name(path.name)) is not None and not named[1] and not path.name.startswith(_HIDDEN)


def pipeline_files(folder: Path | str) -> list[Path]:
    """The pipeline files of a folder and of its sub-folders, sorted; nothing whose name begins with ``_`` or ``.``.

    :raises PipelineFileError: if the folder cannot be read.
    """
    return search(Path(folder)).files


def search(folder: Path) -> Tree:
    """Look through a folder and its sub-folders; links to folders are followed, but never in a circle.

    :raises PipelineFileError: if the folder itself cannot be read.
    """
    tree = Tree()
    _search(folder, tree, ())
    return tree


def shelf(names: list[str]) -> Shelf:
    """The YAML files among the names of a folder's entries."""
    found: dict[tuple[str, str], list[str]] = {}
    for name in sorted(names):
        if (key := split_name(name)) is not None:
            found.setdefault(key, []).append(name)
    return found


def environments_of(files: Shelf) -> Iterator[str]:
    """The environments that the overlays and the defaults of a folder are written for."""
    for stem, environment in files:
        if environment and (stem == DEFAULTS or not stem.startswith(_HIDDEN)):
            yield environment


def _search(folder: Path, tree: Tree, above: tuple[str, ...]) -> None:
    try:
        with os.scandir(folder) as entries:
            found = {entry.name: entry.is_dir() for entry in entries}
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise PipelineFileError((Problem(str(folder), 0, 0, "", f"The folder cannot be read: {reason}."),)) from None
    files = shelf([name for name, is_folder in found.items() if not is_folder])
    tree.environments.update(environments_of(files))
    chain = (*above, os.path.realpath(folder))
    for name, is_folder in sorted(found.items()):
        if name.startswith(_HIDDEN):
            continue
        path = folder / name
        if is_folder:
            _search_below(path, tree, chain)
        elif (named := split_name(name)) is None:
            continue
        elif not named[1]:
            tree.files.append(path)
        elif (named[0], "") not in files:
            tree.broken[path] = _nobodys(path, named[0], files)


def _search_below(folder: Path, tree: Tree, above: tuple[str, ...]) -> None:
    if os.path.realpath(folder) in above:
        return
    try:
        _search(folder, tree, above)
    except PipelineFileError as error:
        tree.broken[folder] = error


def _nobodys(path: Path, stem: str, files: Shelf) -> PipelineFileError:
    there = [known for known, environment in files if not environment and not known.startswith(_HIDDEN)]
    near = get_close_matches(stem, there, 1)
    hint = f"Did you mean {path.name.replace(stem, near[0], 1)}? " if near else ""
    fix = f"{hint}An overlay is called like the pipeline file that it changes, with the environment before the suffix."
    message = f"There is no pipeline file {stem}{path.suffix} beside this overlay."
    return PipelineFileError((Problem(str(path), 0, 0, "", message, fix),))
