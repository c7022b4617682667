"""One pipeline file, for those who name it."""

from __future__ import annotations

from pathlib import Path

from activation.dags.environment import current_environment
from activation.errors import ConfigurationError
from activation.spec import Pipeline, find_file, load_one
from activation.spec.problems import SourceText

FOLDER = "pipelines"
"""Where a pipeline that is named by its id is looked for."""

Read = tuple[Pipeline, tuple[SourceText, ...]]
"""A pipeline, and the texts that it was made of, from the one on top down to the outermost defaults."""


def read_pipeline(wanted: Path | str, beside: Path) -> Read:
    """Read a pipeline in the environment of ``[activation] env``.

    :param wanted: the path of its file, or its id in the folder ``pipelines``.
    :param beside: the folder from which relative paths count.
    :raises ConfigurationError: if there is none, or it is broken.
    """
    env, path = current_environment(), beside / wanted
    if path.suffix.lower() in (".yaml", ".yml"):
        if not path.is_file():
            raise ConfigurationError(f"There is no pipeline file {path}.", f"A relative path counts from {beside}.")
        return load_one(path, env=env)
    folder, pipeline_id = beside / FOLDER, str(wanted)
    file = find_file(folder, pipeline_id, env=env)
    if file is None:
        raise ConfigurationError(
            f"The folder {folder} has no pipeline {pipeline_id}.", "Correct the id, or write the path of the pipeline's file."
        )
    return load_one(file, pipeline_id, root=folder, env=env)
