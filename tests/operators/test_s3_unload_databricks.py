"""Databricks writes the files of an export by itself: same content, found by listing, and a retry asks for the statement."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from airflow.sdk.exceptions import AirflowFailException

from activation.errors import TransientError
from sandbox.aws import AwsSandbox, FaultProxy
from sandbox.warehouses.databricks import DatabricksSandbox
from tests.support.servers import shared

from .export_world import ExportWorld, make
from .unload_world import HOUR, ROWS, content, events, only

CREDENTIAL = "partner_bucket"
ALWAYS = {"mode": "always", "credential": CREDENTIAL}


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


@pytest.fixture(scope="module")
def warehouse() -> DatabricksSandbox:
    one = shared(DatabricksSandbox)
    one.load(("crm", "events"), events())
    return one


@pytest.fixture
def exports(aws: AwsSandbox, warehouse: DatabricksSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExportWorld:
    world = make(aws, tmp_path, f"bucket-{uuid.uuid4().hex[:12]}", monkeypatch)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_DATABRICKS", warehouse.connection())
    for name, value in warehouse.environment().items():
        monkeypatch.setenv(name, value)
    world.cursor = {"column": "server_at", "key": ["event_id"]}
    return world


@pytest.fixture
def storage(aws: AwsSandbox, warehouse: DatabricksSandbox, exports: ExportWorld) -> Iterator[Callable[..., None]]:
    """Make the external location anew; keys of the server's ``Storage`` beside the usual ones."""

    def locate(**changed: Any) -> None:
        warehouse.storage(**{"endpoint": aws.url, "locations": {CREDENTIAL: f"s3://{exports.bucket}/crm"}, **changed})

    locate()
    yield locate
    warehouse.faults()


def run(world: ExportWorld, unload: Any, kind: str = "parquet", packed: str = "snappy", **changed: Any) -> dict[str, Any]:
    """One run over the hour; keys of the files block beside ``run_id``."""
    run_id, table = changed.pop("run_id", ""), changed.pop("table", "crm.events")
    world.destination["files"] = {"format": kind, "compression": packed, "part_bytes": None, "unload": unload, **changed}
    source = {"type": "databricks", "connection": "world_databricks", "table": table}
    return world.run(*HOUR, run_id=run_id, source=source)


def inserts(warehouse: DatabricksSandbox, world: ExportWorld) -> list[str]:
    """The statements that write to the bucket of a world."""
    return [text for text in warehouse.state()["history"] if f"INSERT OVERWRITE DIRECTORY 's3://{world.bucket}/" in text]


def lines(world: ExportWorld, key: str) -> list[dict[str, Any]]:
    """The rows of all files of JSON Lines that a manifest lists, in their order."""
    texts = [world.objects()[file["key"]] for file in world.manifest(key)["files"]]
    return [
        json.loads(line) for text in texts for line in (gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text).splitlines()
    ]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("kind", "packed"),
    [("parquet", "snappy"), ("parquet", "zstd"), ("parquet", "none"), ("csv", "none"), ("csv", "gzip")],
)  # fmt: skip
def test_an_unload_has_the_content_that_our_own_writer_gives(
    exports: ExportWorld, warehouse: DatabricksSandbox, kind: str, packed: str
) -> None:
    own = content(exports, only(run(exports, "never", kind, packed)))
    report = run(exports, {"credential": CREDENTIAL}, kind, packed, run_id="manual__unload")
    manifest = exports.manifest(only(report))
    assert content(exports, only(report)) == own
    assert len(own) == ROWS
    assert sum(file["rows"] for file in manifest["files"]) == manifest["total_rows"] == ROWS
    (statement,) = inserts(warehouse, exports)
    assert statement.startswith("/* dag=events, task=export, run=manual__unload */ INSERT OVERWRITE DIRECTORY")
    assert "ORDER BY" in statement
    names = {key.rpartition("/")[2].partition("-")[0].rpartition("_")[0] for key in exports.objects() if "/unload=" in key}
    assert names == {"", "_started", "_committed"}  # the marker _SUCCESS would be taken for that of the export
    assert not [key for key in exports.objects() if "/part-" in key and "/unload=" not in key]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("packed", ["none", "gzip"])
def test_lines_of_json_are_those_of_our_own_writer(exports: ExportWorld, packed: str) -> None:
    own = lines(exports, only(run(exports, "never", "jsonl", packed)))
    unloaded = lines(exports, only(run(exports, ALWAYS, "jsonl", packed, run_id="manual__unload")))
    assert unloaded == own
    assert len(own) == ROWS


KINDS = """CREATE OR REPLACE VIEW crm.kinds AS SELECT id, timestamp_micros(at) AS server_at,
  CAST(id AS SMALLINT) AS small, CAST(id AS TINYINT) AS tiny, CAST(0.1 * id AS FLOAT) AS ratio, number,
  CAST(0.0000000001 AS DECIMAL(38, 10)) AS fine, CAST(id AS DECIMAL(10, 0)) AS whole, CAST(1e19 AS DECIMAL(20, 0)) AS huge,
  TIMESTAMP_NTZ'2026-03-29 02:30:00.5' AS wall,
  TIMESTAMP'0001-01-01 00:00:00Z' AS first, TIMESTAMP'9999-12-31 23:59:59.999999Z' AS last,
  named_struct('a', 1, 'gone', NULL, 'at', TIMESTAMP'2026-02-28 00:00:00Z', 'text', '"') AS nested,
  map('k', array(1, NULL)) AS listed, parse_json('{"a": null, "b": [1, 2.5]}') AS loose, X'00FF' AS bytes, text
FROM VALUES (1, {0}, 0.1D, ' blanks '), (2, {0} + 1, double('NaN'), 'a\\rb'), (3, {0} + 2, double('-Infinity'), 'a\\r\\nb'),
  (4, {0} + 3, 1e300D, '#'), (5, {0} + 4, NULL, NULL), (6, {0} + 5, 1e-5D, '\\\\"') AS t(id, at, number, text)"""


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_values_of_every_type_are_those_of_our_own_writer(exports: ExportWorld, warehouse: DatabricksSandbox, kind: str) -> None:
    start = int(datetime.fromisoformat(HOUR[0]).timestamp()) * 1_000_000
    warehouse.execute(KINDS.replace("{0}", str(start)))
    exports.cursor = {"column": "server_at", "key": ["id", "first"]}
    found = []
    for unload in ("never", ALWAYS):
        key = only(run(exports, unload, kind, "none", run_id=str(unload)[:5], table="crm.kinds"))
        (data,) = [exports.objects()[file["key"]] for file in exports.manifest(key)["files"]]
        found.append(values(kind, data))
    assert found[1] == found[0]
    assert len(found[0]) == 6 + (kind != "jsonl")


def values(kind: str, data: bytes) -> list[Any]:
    """Rows; behind the names of the columns, for Parquet with their types. Zones are left out: all is UTC."""
    if kind == "jsonl":
        return [json.loads(line) for line in data.splitlines()]
    if kind == "csv":
        head, *rows = csv.reader(io.StringIO(data.decode(), newline=""))
        real = [head.index(name) for name in ("ratio", "number")]
        return [head, *([repr(float(one or 0)) if at in real else one for at, one in enumerate(row)] for row in rows)]
    table = pq.read_table(io.BytesIO(data))
    plain = [pa.timestamp("us") if pa.types.is_timestamp(one) else one for one in table.schema.types]
    table = table.cast(pa.schema(list(zip(table.schema.names, plain, strict=True))))
    return [str(table.schema.remove_metadata()), *map(repr, table.to_pylist())]


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_files_are_cut_by_rows_and_keep_the_order_s_f1(exports: ExportWorld, kind: str) -> None:
    report = run(exports, ALWAYS, kind, "none", part_rows=40)
    assert [file["rows"] for file in exports.manifest(only(report))["files"]] == [40, 40, 21]
    rows = [row["event_id"] for row in lines(exports, only(report))] if kind == "jsonl" else None
    assert (rows or [int(row[0]) for row in exports.rows(only(report))]) == list(range(1, ROWS + 1))


@pytest.mark.usefixtures("storage")
def test_filters_are_passed_on(exports: ExportWorld) -> None:
    exports.destination["select"] = {"events": ["df_login"], "events_condition": "include", "event_column": "event_name",
                                     "active_column": "active"}  # fmt: skip
    report = run(exports, ALWAYS)
    assert {int(row[0]) for row in content(exports, only(report))} == {n for n in range(1, ROWS + 1) if n % 3 == 1}


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_retry_takes_over_what_a_try_before_it_has_submitted(
    exports: ExportWorld, warehouse: DatabricksSandbox, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch, forgotten: bool
) -> None:
    with FaultProxy(aws.url) as proxy:
        proxy.faults({"match": "GET .*part-", "n": 100, "do": "InternalError"})
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection(endpoint_url=proxy.url))
        with pytest.raises(TransientError):
            run(exports, ALWAYS)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection())
    if forgotten:
        warehouse.forget()
    written = {key for key in exports.objects() if "/part-" in key}
    report = run(exports, ALWAYS)
    assert len(inserts(warehouse, exports)) == 1
    assert {file["key"] for file in exports.manifest(only(report))["files"]} == written
    assert len(content(exports, only(report))) == ROWS


def test_a_retry_waits_for_a_statement_that_still_runs(
    exports: ExportWorld, warehouse: DatabricksSandbox, storage: Callable[..., None]
) -> None:
    storage(hold=3)
    warehouse.faults({"on": "ask", "status": 400})  # the first question breaks the first try
    with pytest.raises(AirflowFailException, match=r"Unloading from Databricks failed: A fault was asked for: 400"):
        run(exports, ALWAYS)
    report = run(exports, ALWAYS)
    assert len(inserts(warehouse, exports)) == 1
    assert len(content(exports, only(report))) == ROWS


def test_a_statement_whose_id_was_lost_is_sent_once_by_each_try(
    exports: ExportWorld, warehouse: DatabricksSandbox, storage: Callable[..., None]
) -> None:
    storage(hold=2)
    warehouse.faults({"on": "begin", "status": 0})
    with pytest.raises(TransientError, match=r"^failed_to_run_query: Unloading from Databricks failed"):
        run(exports, ALWAYS)
    assert len(inserts(warehouse, exports)) == 1
    report = run(exports, ALWAYS)
    assert len(inserts(warehouse, exports)) == 2
    assert sorted(int(row[0]) for row in content(exports, only(report))) == list(range(1, ROWS + 1))


@pytest.mark.parametrize("on_exists", ["replace", "fail", "version"])
def test_a_retry_after_a_failed_statement_writes_anew_and_mixes_nothing_s_f2(
    exports: ExportWorld, warehouse: DatabricksSandbox, storage: Callable[..., None], on_exists: str
) -> None:
    storage(cut_after=1)
    with pytest.raises(TransientError, match=r"^failed_to_run_query: Unloading from Databricks failed \(58030\): .*TASK_WRITE"):
        run(exports, ALWAYS, part_rows=40, on_exists=on_exists)
    (orphan,) = [key for key in exports.objects() if "/part-" in key]
    key = only(run(exports, ALWAYS, part_rows=40, on_exists=on_exists))
    files = {file["key"] for file in exports.manifest(key)["files"]}
    assert len(inserts(warehouse, exports)) == 2
    assert orphan not in files | set(exports.objects())
    assert [int(row[0]) for row in exports.rows(key)] == list(range(1, ROWS + 1))
    assert key.endswith("/attempt=1/_manifest.json") == (on_exists == "version")
    assert len({one.rpartition("/")[0] for one in exports.objects() if "/unload=" in one}) == 1


def test_files_of_failed_tasks_do_not_count_and_are_removed(exports: ExportWorld, storage: Callable[..., None]) -> None:
    storage(stray=True)
    report = run(exports, ALWAYS)
    files = exports.manifest(only(report))["files"]
    assert [key for key in exports.objects() if "/part-" in key] == [file["key"] for file in files]
    assert len(content(exports, only(report))) == ROWS


def test_without_a_list_of_them_they_are_found_by_counting(exports: ExportWorld, storage: Callable[..., None]) -> None:
    storage(stray=True, markers=False)
    for kind, packed in (("parquet", "zstd"), ("csv", "gzip"), ("jsonl", "gzip")):
        with pytest.raises(AirflowFailException, match=r"books do not balance: Databricks counts 101 rows, its 2 files have 202"):
            run(exports, ALWAYS, kind, packed)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]
    storage(markers=False)
    assert run(exports, ALWAYS)["rows"]["sent"] == ROWS


@pytest.mark.usefixtures("storage")
def test_another_run_replaces_the_files_of_an_unload(exports: ExportWorld) -> None:
    first = exports.manifest(only(run(exports, ALWAYS)))["files"]
    second = exports.manifest(only(run(exports, ALWAYS, run_id="manual__2")))["files"]
    assert not {file["key"] for file in first} & set(exports.objects())
    assert {file["key"] for file in second} <= set(exports.objects())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"locations": {"other": "s3://another-bucket/"}}, "No parent external location was found for path"),
        ({"readonly": True}, "User does not have WRITE FILES on External Location 'partner_bucket'"),
    ],
)
def test_a_path_that_no_external_location_lets_write_is_told(
    exports: ExportWorld, storage: Callable[..., None], changed: dict[str, Any], said: str
) -> None:
    storage(**changed)
    with pytest.raises(
        AirflowFailException,
        match=rf"^failed_to_run_query: Unloading from Databricks failed .*{said}.* Fix: The external location partner_bucket "
        rf"must cover s3://{exports.bucket}/crm/.*GRANT READ FILES, WRITE FILES ON EXTERNAL LOCATION `partner_bucket`",
    ):
        run(exports, ALWAYS)
    assert exports.objects() == {}


@pytest.mark.usefixtures("storage")
def test_a_role_that_may_not_list_is_told(exports: ExportWorld, aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with FaultProxy(aws.url) as proxy:
        proxy.faults({"match": r"GET .*list-type=2.*unload", "n": 100, "do": "AccessDenied"})
        monkeypatch.setenv("AIRFLOW_CONN_WORLD_AWS", aws.connection(endpoint_url=proxy.url))
        with pytest.raises(AirflowFailException, match=r"^missing s3 policy: .* Fix: .*allow s3:ListBucket below the path"):
            run(exports, ALWAYS)
    assert not [key for key in exports.objects() if key.endswith("_manifest.json")]


REFUSED = (
    ("csv", "zstd", {}, "Databricks does not unload csv with zstd; it writes parquet with snappy, parquet with zstd,"),
    ("jsonl", "zstd", {}, "Databricks does not unload jsonl with zstd;"),
    ("parquet", "snappy", {"part_bytes": "64MB"}, "Databricks does not cut files by bytes: write files.part_bytes: null"),
)


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(("kind", "packed", "changed", "text"), REFUSED)
def test_always_is_refused_where_databricks_cannot(
    exports: ExportWorld, warehouse: DatabricksSandbox, kind: str, packed: str, changed: dict[str, Any], text: str
) -> None:
    with pytest.raises(AirflowFailException, match=f"^invalid_parameter: unload: always, but {text}.* Fix: .*unload: never"):
        run(exports, ALWAYS, kind, packed, **changed)
    assert not inserts(warehouse, exports)
    assert exports.objects() == {}


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(("kind", "packed", "changed", "text"), REFUSED)
def test_auto_falls_back_to_our_own_writer(
    exports: ExportWorld, warehouse: DatabricksSandbox, caplog: pytest.LogCaptureFixture,
    kind: str, packed: str, changed: dict[str, Any], text: str,
) -> None:  # fmt: skip
    with caplog.at_level(logging.INFO):
        report = run(exports, {"credential": CREDENTIAL}, kind, packed, **changed)
    assert f"Our own writer writes the files: {text}" in caplog.text
    assert report["rows"]["sent"] == ROWS
    assert not inserts(warehouse, exports)


@pytest.mark.usefixtures("storage")
def test_what_cannot_be_promised_or_reached_is_refused(
    exports: ExportWorld, warehouse: DatabricksSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for unload in ("always", {"mode": "always", "credential": "arn:aws:iam::123456789012:role/x"}):
        with pytest.raises(AirflowFailException, match=r"but Databricks needs unload\.credential: the name of the external loc"):
            run(exports, unload)
    monkeypatch.setenv("AIRFLOW_CONN_WORLD_DATABRICKS", warehouse.connection(session_configuration={"ansi_mode": "true"}))
    with pytest.raises(AirflowFailException, match=r"but Databricks unloads outside of sessions"):
        run(exports, ALWAYS)
    exports.destination["access"] = {"encryption": "s3"}
    with pytest.raises(AirflowFailException, match=r"but Databricks encrypts as the external location or the bucket says"):
        run(exports, ALWAYS)
    assert exports.objects() == {}
