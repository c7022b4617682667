"""How a broken pipeline file shows in Airflow 3.3, which keeps import errors by DAG file and knows no other files.

An exception in the DAG file would hide every pipeline of the folder. So each broken file gives two things: a carrier, which
Airflow fails to serialise and therefore lists as an import error under the pipeline file's own name; and for each pipeline of
the file a placeholder DAG with its id, which keeps its history, its place in the list and its asset's state, and fails with the
same message if it is run.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from airflow.sdk import DAG, BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from activation.operators.facts import EXTRA
from activation.operators.memory import asset_of
from activation.spec import PipelineFileError

_ID = re.compile(r"[a-z][a-z0-9_]{0,99}")
_MOST_ID = 200


class BrokenPipelineOperator(BaseOperator):
    """Stands where an unreadable pipeline file's task would stand, and fails with the file's problems."""

    def __init__(self, *, problems: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problems = problems

    def execute(self, context: Context) -> None:
        """Fail, without a retry."""
        raise AirflowFailException(f"The pipeline file is broken; nothing was moved.\n{self.problems}")


class ImportErrorCarrier(DAG):
    """Not a DAG but the message of a broken file, in the only form in which Airflow lists it under that file's name.

    :param file: the pipeline file.
    """

    def __init__(self, dag_id: str, file: Path, error: PipelineFileError) -> None:
        self._file, self._error = file.absolute(), error
        self._listed_as = file.name
        super().__init__(dag_id=dag_id, schedule=None)

    @property
    def relative_fileloc(self) -> str:
        """The pipeline file's path in its bundle, whatever DAG file Airflow found this in."""
        return self._listed_as

    @relative_fileloc.setter
    def relative_fileloc(self, dag_file: str | None) -> None:
        if dag_file and self.fileloc.endswith(dag_file):
            root = Path(self.fileloc.removesuffix(dag_file)).absolute()
            if self._file.is_relative_to(root):
                self._listed_as = str(self._file.relative_to(root))

    def get_serialized_fields(self) -> NoReturn:  # type: ignore[override]
        """Raise the file's problems; Airflow calls this when it serialises a DAG.

        :raises SerializationError: always; the scheduler's process takes its text as the file's import error.
        """
        from airflow.exceptions import SerializationError

        raise SerializationError(f"\n{self._error}")


def placeholder(pipeline_id: str, file: Path, error: PipelineFileError) -> DAG | None:
    """A DAG that stands where the broken pipeline's DAG would stand; ``None`` if it would have no pipeline id."""
    if not _ID.fullmatch(pipeline_id):
        return None
    told = f"The pipeline file {file.name} is broken."
    dag = DAG(
        dag_id=pipeline_id,
        schedule=None,
        description=told,
        tags=["activation", "broken"],
        doc_md=f"The pipeline file is broken; nothing moves until it is mended.\n\n```text\n{error}\n```",
    )
    asset = asset_of(pipeline_id, **{EXTRA: {"pipeline": pipeline_id, "description": told, "broken": True}})
    BrokenPipelineOperator(task_id="import", dag=dag, problems=str(error), outlets=[asset])
    return dag


def carriers(broken: Mapping[Path, PipelineFileError], folder: Path) -> Iterator[ImportErrorCarrier]:
    """One carrier for each broken file of a folder and its sub-folders; no two have the same id."""
    taken: set[str] = set()
    for file, error in broken.items():
        name = re.sub(r"[^A-Za-z0-9_-]", "_", file.relative_to(folder).as_posix().removesuffix(".yaml"))[:_MOST_ID]
        free = next(one for number in itertools.count(1) if (one := f"broken.{name}{f'.{number}' * (number > 1)}") not in taken)
        taken.add(free)
        yield ImportErrorCarrier(free, file, error)
