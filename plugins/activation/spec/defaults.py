"""Layers: a pipeline file lies over the ``_defaults.yaml`` of its folder and of the folders around, and under its overlay.

From below: the outermost folder's ``_defaults.yaml``, its ``_defaults.prod.yaml``, those of the next folder, and so on;
``users.yaml``; ``users.prod.yaml``. The layers of ``prod`` count only in the environment ``prod``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from activation.errors import ConfigurationError
from activation.spec.files import DEFAULTS, SUFFIXES, environments_of, is_environment, shelf, split_name
from activation.spec.problems import PipelineFileError, Problem
from activation.spec.reader import read
from activation.spec.values import Document, Route

NAMES = tuple(f"{DEFAULTS}{suffix}" for suffix in SUFFIXES)

_Shared = Document | tuple[Problem, ...] | None
"""The merged defaults of a folder, or what is wrong with them, or nothing."""


class Layers:
    """Reads pipeline files with all their layers; each folder is listed, and its defaults are read, only once.

    :param roots: the folders whose defaults reach into all of their sub-folders; those of any other folder count for its own
        files alone. Where one root lies in another, the outer one counts.
    :param env: the environment; ``""`` for none.
    :raises ConfigurationError: if this cannot be the name of an environment.
    """

    def __init__(self, *, roots: Iterable[Path] = (), env: str = "") -> None:
        if env and not is_environment(env):
            fix = "A name begins with a lower-case letter; lower-case letters, digits, _ and - may follow."
            raise ConfigurationError(f"{env!r} cannot be the name of an environment.", fix)
        self._env = env
        self._roots = sorted({_place(root): root for root in roots}.items())
        self._names: dict[Path, dict[str, list[str]]] = {}
        self._shared: dict[Path, _Shared] = {}

    def document(self, path: Path) -> Document:
        """A pipeline file over what lies underneath it; its ``problems`` are those of all layers.

        :raises PipelineFileError: if one of the layers cannot be read, or if the file has no content.
        """
        document = read(path)
        if not document.places:
            fix = "Write a pipeline, or remove the file."
            raise PipelineFileError((Problem(document.name, 0, 0, "", "The file is empty.", fix),))
        overlay = self._overlay(path)
        defaults = self._defaults_of(path.parent)
        if defaults is not None:
            document = merge(document, defaults)
        if overlay is not None:
            over = merge(overlay, document)
            document = replace(over, name=document.name, places={**over.places, (): document.places[()]})
        return document

    def environments(self, folder: Path) -> set[str]:
        """The environments that the overlays and the defaults of a folder, and the defaults above it, are written for."""
        around = self._around(folder)
        names = [name for same in self._listed(folder).values() for name in same]
        return set(environments_of(shelf(names))) | (self.environments(around) if around else set())

    def _overlay(self, path: Path) -> Document | None:
        named = split_name(path.name)
        overlay = self._layer(path.parent, named[0], self._env) if named and self._env else None
        if overlay is not None:
            _refuse(overlay, "id", "An overlay cannot change the id.", "Remove it from the overlay.")
        return overlay

    def _defaults_of(self, folder: Path) -> Document | None:
        if folder not in self._shared:
            try:
                self._shared[folder] = self._merged(folder)
            except PipelineFileError as error:
                self._shared[folder] = error.problems
        found = self._shared[folder]
        if isinstance(found, tuple):
            raise PipelineFileError(found)
        return found

    def _merged(self, folder: Path) -> Document | None:
        around = self._around(folder)
        merged = None if around is None else self._defaults_of(around)
        for env in dict.fromkeys(("", self._env)):
            layer = self._layer(folder, DEFAULTS, env)
            if layer is not None:
                _refuse(layer, "id", "An id cannot be shared by pipelines.", "Remove it from the defaults.")
                _refuse(layer, "matrix", "A matrix cannot be shared by pipeline files.", "Put it into the pipeline file.")
                merged = layer if merged is None else merge(layer, merged)
        return merged

    def _around(self, folder: Path) -> Path | None:
        """The folder around one, if its defaults count too; written as its root is."""
        place = _place(folder)
        for root_place, root in self._roots:
            if place != root_place and place.is_relative_to(root_place):
                return root / place.parent.relative_to(root_place)
        return None

    def _layer(self, folder: Path, stem: str, env: str) -> Document | None:
        """One more file to merge; ``None`` if there is none, or nothing stands in it."""
        alike = self._listed(folder).get(stem.partition(".")[0], ())
        names = sorted(name for name in alike if split_name(name) == (stem, env))
        if len(names) > 1:
            message = f"{names[0]} stands beside it, and only one of them can count."
            raise PipelineFileError((Problem(str(folder / names[1]), 0, 0, "", message, "Remove one of the two."),))
        document = read(folder / names[0]) if names else None
        return document if document is not None and document.places else None

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """The names of a folder's entries, by what stands before the first dot."""
        if folder not in self._names:
            names: dict[str, list[str]] = {}
            self._names[folder] = names
            try:
                with os.scandir(folder) as entries:
                    for entry in entries:
                        names.setdefault(entry.name.partition(".")[0], []).append(entry.name)
            except OSError:  # The file itself tells why it cannot be read.
                pass
        return self._names[folder]


def _place(folder: Path) -> Path:
    """Where a folder lies, by its name alone: a link stays in the folder in which it stands."""
    return Path(os.path.normpath(folder.absolute()))


def _refuse(document: Document, key: str, message: str, fix: str) -> None:
    if key in document.values:
        document.problems.append(document.places[(key,)].key.problem(message, fix))
        del document.values[key]


def merge(upper: Document, lower: Document) -> Document:
    """Lay one document over another: blocks are merged key by key, everything else is replaced, and a ``matrix`` too.

    A block whose ``type`` differs from the lower one's is taken as it is, for its other keys mean something else.
    Each value keeps the place where it stands.
    """
    problems = [*upper.problems, *lower.problems]
    merged = Document(upper.name, places=dict(upper.places), problems=problems, texts=(*upper.texts, *lower.texts))
    taken: set[Route] = set()
    merged.values = _merge(upper.values, lower.values, (), taken)
    for route, place in lower.places.items():
        if any(route[:depth] in taken for depth in range(1, len(route) + 1)):
            merged.places[route] = place
    return merged


def _merge(upper: dict[str, Any], lower: dict[str, Any], route: Route, taken: set[Route]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key in [*lower, *(key for key in upper if key not in lower)]:
        here = (*route, key)
        if key not in upper:
            result[key] = lower[key]
            taken.add(here)
        elif key in lower and here != ("matrix",) and _are_alike(upper[key], lower[key]):
            result[key] = _merge(upper[key], lower[key], here, taken)
        else:
            result[key] = upper[key]
    return result


def _are_alike(upper: Any, lower: Any) -> bool:
    if not (isinstance(upper, dict) and isinstance(lower, dict)):
        return False
    return bool(upper.get("type", lower.get("type")) == lower.get("type", upper.get("type")))
