"""A folder of pipeline files to DAGs: a broken file becomes an import error of its own and takes no other pipeline with it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from activation.dags.broken import carriers, placeholder
from activation.dags.build import build_dag
from activation.dags.environment import current_environment
from activation.spec import Loaded, PipelineFileError, find_file, load_folder, load_one
from activation.spec.loader import NoSuchPipelineError


def load(folder: str | Path) -> dict[str, DAG]:
    """Make the DAGs of all pipeline files in a folder and its sub-folders, in the environment of ``[activation] env``.

    A task process asks for one DAG only; then only that pipeline is read.

    :param folder: relative paths count from the calling DAG file's folder.
    :returns: names for the DAG file's ``globals()`` -> DAGs.
    :raises ConfigurationError: if ``[activation] env`` cannot be the name of an environment.
    """
    path = Path(folder)
    if not path.is_absolute():
        path = Path(sys._getframe(1).f_code.co_filename).parent / path
    env = current_environment()
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        dag = _one(path, wanted, env)
        return {wanted: dag} if dag is not None else {}
    with _without_collection():
        loaded = load_folder(path, env=env)
        dags = {name: build_dag(pipeline, loaded.texts[name]) for name, pipeline in loaded.pipelines.items()}
        return dags | _broken(loaded, path)


@contextmanager
def _without_collection() -> Iterator[None]:
    """What is made here stays; looking through it for garbage over and over takes a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _broken(loaded: Loaded, folder: Path) -> dict[str, DAG]:
    """A carrier for each broken file, and a placeholder for each pipeline that it would give."""
    dags: dict[str, DAG] = {
        f"{carrier.dag_id.removeprefix('broken.')} (broken)": carrier for carrier in carriers(loaded.broken, folder)
    }
    for pipeline_id, file in loaded.files.items():
        if file in loaded.broken and (stub := placeholder(pipeline_id, file, loaded.broken[file])):
            dags[pipeline_id] = stub
    return dags


def _one(folder: Path, pipeline_id: str, env: str) -> DAG | None:
    file = None
    try:
        file = find_file(folder, pipeline_id, env=env)
        if file is None:
            return None
        pipeline, texts = load_one(file, pipeline_id, root=folder, env=env)
        return build_dag(pipeline, texts)
    except PipelineFileError as error:
        return placeholder(pipeline_id, file or Path(error.problems[0].file), error)
    except NoSuchPipelineError:  # The file is called like the DAG, but its matrix makes others.
        return None
