"""Pipeline files as DAG files of their own, from Airflow 3.4 on: no Python file stands before them any more::

    [dag_processor]
    dag_bundle_config_list = [{"name": "pipelines", "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": "/opt/airflow/pipelines"}, "importers": ["activation.dags.importer.PipelineImporter"]}]

Each file is then parsed when it has changed, and its problems are its import error. What only all files together show (two
pipelines on one table, two files with one id) is told by ``activation validate`` and by :func:`activation.dags.load`.
Airflow calls the interface experimental; Airflow 3.3 has none that can be set up.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from airflow.sdk import get_parsing_context

from activation.dags.build import build_dag
from activation.dags.environment import current_environment
from activation.errors import ConfigurationError
from activation.spec import Pipeline, PipelineFileError, load_files
from activation.spec.files import SUFFIXES, is_pipeline_file
from activation.spec.problems import SourceText

try:
    _api: Any = import_module("airflow.sdk.importers")
except ImportError:  # Airflow 3.3
    _api = None
_Base: Any = _api.AbstractDagImporter[_api.FilesystemDagDefinition] if _api else object

_KEYS = re.compile(rb"^(?:source|destination|matrix)[ \t]*:", re.MULTILINE)


class PipelineImporter(_Base):  # type: ignore[misc]
    """Makes the DAGs of pipeline files, in the environment of ``[activation] env``.

    Defaults of the folders count from the bundle's own folder down. What begins with ``_`` or ``.`` is no pipeline file, nor is
    an overlay.

    :param extensions: of the files, instead of ``.yaml`` and ``.yml``.
    :raises ConfigurationError: below Airflow 3.4.
    """

    supported_extensions: Sequence[str] = list(SUFFIXES)

    def __init__(self, extensions: Sequence[str] | None = None) -> None:
        if _api is None:
            raise ConfigurationError(
                "PipelineImporter needs Airflow 3.4 or newer.",
                'Let a DAG file make the DAGs: from activation.dags import load; globals().update(load("pipelines")).',
            )
        if extensions is not None:
            self.supported_extensions = list(extensions)

    def can_handle(self, definition: Any) -> bool:
        """Whether a file has one of the extensions."""
        return _api.get_file_suffix(definition) in self.supported_extensions

    def list_dag_definitions(self, bundle: Any, *, safe_mode: bool = True) -> Iterator[Any]:
        """The pipeline files of a bundle; in safe mode only those that look like one."""
        root = Path(bundle.path)
        for definition in _api.find_file_dag_definitions(root, self.supported_extensions):
            inside = definition.path.relative_to(root).parts[:-1] if definition.path.is_relative_to(root) else ()
            hidden = any(part.startswith(("_", ".")) for part in inside)
            if is_pipeline_file(definition.path) and not hidden and self.might_contain_dag(definition, safe_mode):
                yield definition

    def might_contain_dag(self, definition: Any, safe_mode: bool) -> bool:
        """Whether a file has a key that a pipeline file has. What cannot be read is told when it is imported."""
        try:
            return not safe_mode or _KEYS.search(definition.read_bytes()) is not None
        except OSError:
            return True

    def import_definition(self, definition: Any, bundle: Any) -> Any:
        """Make the DAGs of one file; in a task process only the one that is asked for."""
        root, wanted = Path(bundle.path), get_parsing_context().dag_id
        try:
            pipelines = _read(definition.path, root if root.is_dir() else definition.path.parent)
            dags = [build_dag(*made) for made in pipelines if wanted in (None, made[0].id)]
        except ConfigurationError as error:
            return _api.DagImportResult(definition=definition, errors=[_told(repr(definition), error)])
        return _api.DagImportResult(definition=definition, dags=dags)

    def get_source_code(self, definition: Any, dag_id: str | None = None) -> Any:
        """The file as Airflow shows it: with secrets masked, which should not stand there at all."""
        text = SourceText(repr(definition), definition.read_text(encoding="utf-8-sig"))
        return _api.DagSourceCode(source_code="\n".join(text.lines), language="yaml")


def _read(file: Path, root: Path) -> list[tuple[Pipeline, tuple[SourceText, ...]]]:
    loaded = load_files([file], roots=[root], env=current_environment())
    for error in loaded.broken.values():
        raise error
    return [(pipeline, loaded.texts[pipeline_id]) for pipeline_id, pipeline in loaded.pipelines.items()]


def _told(reference: str, error: ConfigurationError) -> Any:
    """All problems of the file as one error, because Airflow keeps one a file."""
    place = error.problems[0] if isinstance(error, PipelineFileError) and error.problems[0].line else None
    return _api.DagImportError(
        source_reference=reference,
        message=f"\n{error}",
        error_type="pipeline",
        line_number=place.line if place else None,
        column_number=place.column if place else None,
    )
