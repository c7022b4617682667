"""What is read and written, as assets, as datasets of OpenLineage, and as links."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Asset, BaseOperatorLink

from activation.dags import Pipeline, build_dag
from activation.get_provider_info import get_provider_info
from activation.operators import links
from activation.operators.assets import read_from, written_to
from activation.operators.lineage import destination_name, lineage_of, source_name
from activation.operators.links import LINKS, destination_url, folder_url

TABLE = {"type": "duckdb", "connection": "w", "table": "crm.users"}
BRAZE = {"type": "braze", "connection": "braze", "data": "attributes"}
S3 = {"type": "s3", "connection": "aws", "data": "event", "path": "s3://partner/crm/kr/"}
KINESIS = {"type": "kinesis", "connection": "k", "stream": "profiles", "audiences": ["vip"]}
KAKAO = {"type": "kakao_moment", "ad_account_id": 12345, "mode": "edit", "file_name": "VIP 고객"}
ARN = "arn:aws:kinesis:ap-northeast-2:123456789012:stream/profiles"


def pipeline(destination: dict[str, Any] = BRAZE, source: dict[str, Any] = TABLE) -> Pipeline:
    schedule = "@daily" if destination["type"] == "s3" else None
    return Pipeline(id="p", source=source, destination=destination, schedule=schedule)


@pytest.mark.parametrize(
    ("kind", "destination", "name"),
    [
        ("braze", BRAZE, "braze/braze/attributes"),
        ("braze", {**BRAZE, "data": "catalog_items", "catalog": {"name": "shops"}}, "braze/braze/catalog_items/shops"),
        ("braze", {**BRAZE, "connection": "{{ var.value.c }}"}, None),
        ("s3", S3, "s3://partner/crm/kr"),
        ("s3", {**S3, "path": "s3://partner/{{ ds }}"}, None),
        ("kinesis", KINESIS, "kinesis/k/profiles"),
        ("kinesis", {**KINESIS, "stream": {"name": ARN}}, "kinesis/k/profiles"),
        ("kakao_moment", KAKAO, "kakao_moment/12345/VIP 고객"),
        ("kakao_moment", {**KAKAO, "file_name": "VIP {{ ds }}"}, None),
        ("kakao_moment", {**KAKAO, "output": {"to": "folder", "path": "s3://aws@bucket/ids"}}, "s3://bucket/ids"),
        ("kakao_moment", {**KAKAO, "output": {"to": "folder", "path": "/data/ids"}}, None),
        ("s3", {}, None),  # what is missing is told by the validation
    ],
)
def test_what_is_written_is_an_asset_if_it_has_an_address(kind: str, destination: dict[str, Any], name: str | None) -> None:
    assert [asset.name for asset in written_to(kind, destination)] == ([] if name is None else [name])


def test_the_table_is_the_inlet_and_a_query_has_none() -> None:
    (asset,) = read_from(TABLE)
    assert (asset.name, asset.uri, asset.group) == ("w/crm.users", "x-activation://source/w/crm.users", "activation")
    assert read_from({"type": "duckdb", "connection": "w", "query": "SELECT 1"}) == []
    assert read_from({**TABLE, "table": "{{ params.schema }}.users"}) == []
    assert read_from({**TABLE, "table": "t" * 1500}) == []


def test_the_tasks_of_all_kinds_have_them() -> None:
    for destination in (BRAZE, S3, KINESIS, KAKAO):
        (task,) = build_dag(pipeline(destination)).tasks
        assert [asset.name for asset in task.inlets] == ["w/crm.users"]
        assert task.outlets[0].name == "activation/p"
        assert len(task.outlets) == 2


def test_a_folder_is_the_asset_that_everybody_else_calls_by_its_address() -> None:
    assert written_to("s3", S3) == [Asset("s3://partner/crm/kr")]
    assert written_to("s3", {**S3, "path": "s3://partner"}) == [Asset("s3://partner")]


def test_naming_a_bucket_imports_no_provider() -> None:
    code = "import sys; from activation.operators.assets import written_to; written_to('s3', {'path': 's3://b/c'}); "
    code += "print([name for name in sys.modules if name.startswith(('airflow.providers.amazon.aws', 'botocore'))])"
    plugins = Path(__file__).resolve().parents[2] / "plugins"
    done = subprocess.run([sys.executable, "-c", code], cwd=plugins, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


CONNECTIONS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "duckdb": ({"host": "/w.duckdb"}, "crm.users", "duckdb://w", "crm.users"),
    "postgres": ({"host": "db.corp", "schema": "sales"}, "crm.users", "postgres://db.corp:5432", "sales.crm.users"),
    "redshift": (
        {"host": "crm.abc.ap-northeast-2.redshift.amazonaws.com", "schema": "dw", "port": 5440},
        "crm.users",
        "redshift://crm.ap-northeast-2:5440",
        "dw.crm.users",
    ),
    "snowflake": (
        {"schema": "CRM", "extra": {"account": "acme-kr1", "database": "DW"}},
        "crm.users",
        "snowflake://acme-kr1",
        "DW.crm.users",
    ),
    "bigquery": ({"extra": {"project": "acme"}}, "crm.users", "bigquery", "acme.crm.users"),
    "databricks": ({"host": "https://adb-1.azuredatabricks.net"}, "crm.users", "databricks://adb-1.azuredatabricks.net", ""),
}


@pytest.mark.parametrize("engine", CONNECTIONS)
def test_a_table_has_the_name_that_openlineage_gives_it(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connection, table, namespace, name = CONNECTIONS[engine]
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": engine, "password": "hush", **connection}))
    source = pipeline(source={"type": engine, "connection": "w", "table": table}).source
    assert source_name(source) == (namespace, name or "hive_metastore.crm.users")


def test_a_table_whose_place_is_not_known_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_name(pipeline().source) is None  # there is no such connection
    monkeypatch.setenv("AIRFLOW_CONN_W", json.dumps({"conn_type": "gcpbigquery"}))
    assert source_name(pipeline(source={"type": "bigquery", "connection": "w", "table": "crm.users"}).source) is None


def test_a_destination_has_the_name_that_openlineage_gives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BRAZE", json.dumps({"conn_type": "braze", "password": "k", "extra": {"instance": "KR-01"}}))
    assert destination_name(pipeline(S3).destination) == ("s3://partner", "crm/kr")
    assert destination_name(pipeline({**KINESIS, "stream": ARN}).destination) == ("kinesis://ap-northeast-2", "profiles")
    assert destination_name(pipeline(KAKAO).destination) == ("kakao_moment://12345", "VIP 고객")
    assert destination_name(pipeline().destination) == ("braze://rest.kr-01.braze.com", "attributes")


@pytest.mark.parametrize("report", [None, {"status": "preview", "rows": {"read": 7}}, {"status": "reset", "rows": {"read": 0}}])
def test_a_run_that_moved_nothing_has_no_datasets(report: dict[str, Any] | None) -> None:
    found = lineage_of(pipeline(), report)
    assert found is not None
    assert (found.inputs, found.outputs) == ([], [])


def test_a_query_is_told_as_it_was_sent() -> None:
    made = pipeline(S3, {"type": "duckdb", "connection": "w", "query": "SELECT * FROM crm.people"})
    found = lineage_of(made, {"status": "success", "rows": {"read": 3, "sent": 3}, "bytes": 90})
    assert found is not None
    assert found.job_facets["sql"].query == "SELECT * FROM crm.people"
    (written,) = found.outputs
    assert (written.outputFacets["outputStatistics"].rowCount, written.outputFacets["outputStatistics"].size) == (3, 90)


def test_without_openlineage_nothing_is_told_and_nothing_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    assert lineage_of(pipeline(), {"status": "success", "rows": {"read": 1, "sent": 1}}) is None


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("s3://aws@state/activation/p/rejects/run 1", "https://console.aws.amazon.com/s3/buckets/state?prefix=activation/p/rejects/run%201/"),
        ("gs://gcp@state/p", "https://console.cloud.google.com/storage/browser/state/p/"),
        ("/opt/airflow/activation/p/rejects", ""),
        ("file:///opt/airflow/activation", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_folder_links_to_the_console_of_its_storage(path: str, url: str) -> None:
    assert folder_url(path) == url


def test_every_destination_links_to_its_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_K", json.dumps({"conn_type": "aws", "extra": {"region_name": "eu-central-1"}}))
    stream = "kinesis/home?region={0}#/streams/details/profiles/monitoring"
    assert destination_url(pipeline(KINESIS).destination) == (
        f"https://eu-central-1.console.aws.amazon.com/{stream.format('eu-central-1')}"
    )
    assert destination_url(pipeline({**KINESIS, "stream": ARN}).destination) == (
        f"https://ap-northeast-2.console.aws.amazon.com/{stream.format('ap-northeast-2')}"
    )
    assert destination_url(pipeline(S3).destination) == "https://console.aws.amazon.com/s3/buckets/partner?prefix=crm/kr/"
    assert destination_url(pipeline(KAKAO).destination) == "https://moment.kakao.com/dashboard/12345"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("https://rest.iad-03.braze.com", "https://dashboard-03.braze.com"),
        ("https://rest.fra-02.braze.eu", "https://dashboard-02.braze.eu"),
        ("https://rest.kr-01.braze.com", "https://dashboard.braze.com"),
        ("http://127.0.0.1:8080", ""),
    ],
)
def test_braze_links_to_the_dashboard_of_the_instance(host: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BRAZE", json.dumps({"conn_type": "braze", "host": host, "password": "k"}))
    assert destination_url(pipeline().destination) == url


def test_a_link_never_breaks_a_task() -> None:
    (task,) = build_dag(pipeline()).tasks
    assert [link.get_link(task, ti_key=None) for link in LINKS] == ["", ""]  # type: ignore[arg-type]
    task.report = {"rejects": "s3://state/p"}
    assert LINKS[1].get_link(task, ti_key=None) == folder_url("s3://state/p")  # type: ignore[arg-type]


def test_airflow_knows_every_link() -> None:
    told = get_provider_info()["extra-links"]
    assert told == [f"{links.__name__}.{type(link).__name__}" for link in LINKS]
    assert all(isinstance(link, BaseOperatorLink) for link in LINKS)
