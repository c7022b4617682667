"""Pipeline files, looked at in every environment: what is wrong with each, told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from activation.cli.told import NOWHERE, Checked, Told

if TYPE_CHECKING:
    from activation.spec import Loaded, Pipeline, Problem
    from activation.spec.values import Document


@dataclass(frozen=True, slots=True)
class Chosen:
    """The files to look at.

    :ivar files: the pipeline files.
    :ivar roots: the folders whose defaults reach into their sub-folders.
    :ivar broken: what is wrong with overlays and folders, whatever the environment.
    :ivar environments: those that the folders know.
    :ivar whole: the folders of which no pipeline is left out, so that an id that none of them has is no pipeline's.
    :ivar names: how a file is called where that is not its path.
    """

    files: dict[Path, None] = field(default_factory=dict)
    roots: dict[Path, None] = field(default_factory=dict)
    broken: dict[Path, tuple[Problem, ...]] = field(default_factory=dict)
    environments: set[str] = field(default_factory=set)
    whole: dict[Path, None] = field(default_factory=dict)
    names: dict[Path, str] = field(default_factory=dict)

    def load(self, env: str) -> Loaded:
        """Load the files in an environment; ``""`` for none."""
        from activation.spec import load_files

        return load_files(self.files, roots=self.roots, env=env)


Look = Callable[["Pipeline"], Iterator[tuple[tuple[str | int, ...], str, str]]]
"""Gives place, problem and fix of what else is wrong with a good pipeline."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A problem with the environments and the pipelines that have it."""

    environments: dict[str, None] = field(default_factory=dict)
    pipelines: dict[str, None] = field(default_factory=dict)


def check(chosen: Chosen, environments: Sequence[str], look: Look | None = None) -> Checked:
    """Look at all files in all environments.

    :param environments: at least one; ``""`` is none.
    :param look: looks closer at a good pipeline.
    """
    found: dict[Path, dict[Problem, _Found]] = {path: {} for path in [*chosen.files, *chosen.broken]}
    for env in environments:
        loaded = chosen.load(env)
        ids: dict[Path, list[str]] = {}
        for pipeline_id, path in loaded.files.items():
            ids.setdefault(path, []).append(pipeline_id)
        for path, problem, some in _problems(chosen, loaded, env, look):
            one = found.setdefault(path, {}).setdefault(problem, _Found())
            one.environments[env or NOWHERE] = None
            one.pipelines.update(dict.fromkeys(some or ids.get(path, [])))
    return _checked(chosen, found, len(environments))


def _problems(chosen: Chosen, loaded: Loaded, env: str, look: Look | None) -> Iterator[tuple[Path, Problem, list[str]]]:
    """File and problem, with the pipelines that have it if that is known."""
    for path, problems in chosen.broken.items():
        yield from ((path, problem, []) for problem in problems)
    for path, error in loaded.broken.items():
        yield from ((path, problem, []) for problem in error.problems)
    closer: dict[Path, list[str]] = {}
    for pipeline_id, pipeline in loaded.pipelines.items():
        if (look and any(look(pipeline))) or (chosen.whole and not _knows_all(loaded, pipeline)):
            closer.setdefault(loaded.files[pipeline_id], []).append(pipeline_id)
    for path, ids in closer.items():
        documents = _documents(chosen, path, env)
        for pipeline_id in ids:
            some = _closer(loaded, loaded.pipelines[pipeline_id], documents[pipeline_id], look, alone=not chosen.whole)
            yield from ((path, problem, [pipeline_id]) for problem in some)


def _closer(loaded: Loaded, pipeline: Pipeline, document: Document, look: Look | None, *, alone: bool) -> Iterator[Problem]:
    from activation.spec.cycles import strangers
    from activation.spec.located import Located

    if not alone:
        yield from strangers({pipeline.id: (pipeline, document)}, lambda name: _is_known(loaded, name), loaded.files).values()
    for route, problem, fix in look(pipeline) if look else ():
        place = Located(document, route)
        yield place.problem(f"{place.label} {problem}.", fix)


def _documents(chosen: Chosen, path: Path, env: str) -> Mapping[str, Document]:
    """The places of a good file's pipelines, by their ids; read again, because only files with further problems need them."""
    from activation.spec.defaults import Layers
    from activation.spec.variants import variants

    document = Layers(roots=chosen.roots, env=env).document(path)
    return {one.pipeline_id: one.document for one in variants(document, path)}


def _knows_all(loaded: Loaded, pipeline: Pipeline) -> bool:
    return all(_is_known(loaded, name) for name in (pipeline.timing.after if pipeline.timing else ()))


def _is_known(loaded: Loaded, name: str) -> bool:
    """Whether a pipeline of an id is there, or may be: the matrix of a broken file may make it."""
    return name in loaded.files or any(name.startswith(f"{path.stem}_") for path in loaded.broken)


def _checked(chosen: Chosen, found: Mapping[Path, Mapping[Problem, _Found]], environments: int) -> Checked:
    files: dict[str, list[Told]] = {}
    known: set[Problem] = set()
    for path, problems in found.items():
        told = files.setdefault(chosen.names.get(path, str(path)), [])
        for problem, one in problems.items():
            if problem in known:  # Problems of the defaults belong to every file that uses them; once is enough.
                continue
            known.add(problem)
            name = chosen.names.get(Path(problem.file), problem.file)
            where = tuple(one.environments) if len(one.environments) < environments else ()
            ids = list(one.pipelines)
            told.append(Told(replace(problem, file=name), ids[0] if len(ids) == 1 else "", where))
    return Checked(files, [chosen.names.get(path, str(path)) for path, problems in found.items() if problems])
