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
        file = find_file(path, wanted)
        return {wanted: _dag(file)} if file is not None else {}
    loaded = load_folder(path)
    dags = {pipeline_id: build_dag(pipeline) for pipeline_id, pipeline in loaded.pipelines.items()}
    for file, error in loaded.broken.items():
        dags[f"{file.stem} (broken)"] = ImportErrorCarrier(file, error)
        if stub := placeholder(file, error):
            dags.setdefault(stub.dag_id, stub)
    return dags


def _dag(file: Path) -> DAG:
    try:
        return build_dag(load_file(file))
    except PipelineFileError as error:
        stub = placeholder(file, error)
        if stub is None:
            raise
        return stub
