"""Pipeline files as DAG files of their own: the DAG importer of Airflow 3.4."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from activation.dags.importer import PipelineImporter
from activation.errors import ConfigurationError

GOOD = """source: {type: duckdb, connection: warehouse, table: crm.users}
destination: {type: braze, connection: braze, data: attributes}
alerts: {email: [crm@example.com]}
"""
SINCE_3_4 = pytest.mark.skipif(find_spec("airflow.sdk.importers") is None, reason="Airflow has DAG importers from 3.4 on")


@pytest.mark.skipif(find_spec("airflow.sdk.importers") is not None, reason="this is Airflow 3.4")
def test_airflow_3_3_is_told_what_to_use() -> None:
    with pytest.raises(ConfigurationError, match=r"needs Airflow 3\.4 or newer\. Fix: Let a DAG file make the DAGs"):
        PipelineImporter()


@pytest.fixture
def bag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What Airflow reads from a folder with good and broken files, and files that are none of ours."""
    import json

    from airflow.dag_processing.dagbag import DagBag

    files = {
        "_defaults.yaml": "schedule: '@hourly'\n",
        "one.yaml": GOOD,
        "sub/two.yaml": GOOD.replace("users", "two"),
        "many.yaml": "matrix: {country: [kr, jp]}\n" + GOOD.replace("crm.users", '"crm.${matrix.country}"'),
        "bad.yaml": GOOD.replace("table:", "tabel:"),
        "_drafts/draft.yaml": GOOD,
        "compose.yaml": "services: {}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    bundle = {
        "name": "pipelines",
        "classpath": "airflow.dag_processing.bundles.local.LocalDagBundle",
        "kwargs": {"path": str(tmp_path)},
        "importers": ["activation.dags.importer.PipelineImporter"],
    }
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST", json.dumps([bundle]))
    yield DagBag(str(tmp_path), bundle_name="pipelines", bundle_path=tmp_path)  # type: ignore[call-arg,unused-ignore]


@SINCE_3_4
def test_each_file_gives_its_dags_and_its_errors(bag: Any) -> None:
    assert sorted(bag.dags) == ["many_jp", "many_kr", "one", "two"]
    assert {dag.schedule for dag in bag.dags.values()} == {"@hourly"}
    assert bag.dags["two"].relative_fileloc == "sub/two.yaml"
    assert list(bag.import_errors) == ["bad.yaml"]
    assert "bad.yaml:1:47: 'tabel' is not a key of source." in bag.import_errors["bad.yaml"]
    assert (bag.dag_source_codes["one"].language, bag.dag_source_codes["one"].source_code) == ("yaml", GOOD)
