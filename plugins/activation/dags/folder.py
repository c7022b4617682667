"""A folder of pipeline files to DAGs: a broken file becomes an import error of its own and takes no other pipeline with it."""

from __future__ import annotations

import sys
from pathlib import Path

from airflow.sdk import DAG, get_parsing_context

from activation.dags.broken import ImportErrorCarrier, placeholder
from activation.dags.build import build_dag
from activation.spec import PipelineFileError, find_file, load_file, load_folder


def load(folder: str | Path) -> dict[str, DAG]:
    """Make the DAGs of all pipeline files in a folder.

    A task process asks for one DAG only; then only that file is read.

    :param folder: relative paths count from the calling DAG file's folder.
    :returns: names for the DAG file's ``globals()`` -> DAGs.
    """
    path = Path(folder)
    if not path.is_absolute():
        path = Path(sys._getframe(1).f_code.co_filename).parent / path
    wanted = get_parsing_context().dag_id
    if wanted is not None:
        dag = _one(path, wanted)
        return {wanted: dag} if dag is not None else {}
    loaded = load_folder(path)
    dags = {pipeline_id: build_dag(pipeline) for pipeline_id, pipeline in loaded.pipelines.items()}
    for file, error in loaded.broken.items():
        dags[f"{file.stem} (broken)"] = ImportErrorCarrier(file, error)
        if stub := placeholder(file, error):
            dags.setdefault(stub.dag_id, stub)
    return dags


def _one(folder: Path, pipeline_id: str) -> DAG | None:
    try:
        file = find_file(folder, pipeline_id)
        return build_dag(load_file(file)) if file is not None else None
    except PipelineFileError as error:
        return placeholder(folder / f"{pipeline_id}.yaml", error)
