"""What is BigQuery's own: labels, settings of the connection, the two ways of rows, cut lines, credentials."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.cloud.bigquery import SchemaField

from activation.cursor.window import Position
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses import bigquery, bigquery_rows
from activation.warehouses.base import Column, Extract, Query, Warehouse
from sandbox.tls import private_authority
from sandbox.warehouses.bigquery import PROJECT, BigQuerySandbox
from tests.contracts.sources import EVERYTHING, Reading
from tests.warehouses.bigquery_line import Line

ROWS = 200_000
ID, CURSOR = Column("id", "INT64"), Column("u", "TIMESTAMP")
TABLE = Extract(("space", "rows"), CURSOR, (ID,), (ID, Column("payload", "STRING")))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[BigQuerySandbox]:
    with BigQuerySandbox() as running:
        running.execute("CREATE SCHEMA space")
        running.execute(
            "CREATE TABLE space.rows AS SELECT i AS id, TIMESTAMP '2026-01-01 00:00:00+00' AS u, "
            f"RPAD(CAST(i AS STRING), 300, 'x') AS payload FROM UNNEST(GENERATE_ARRAY(100001, {100_000 + ROWS})) AS i"
        )
        yield running


@pytest.fixture
def opened(sandbox: BigQuerySandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., Warehouse]]:
    made: list[Warehouse] = []
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)

    def make(tag: dict[str, str] | None = None, timeout: float | None = None, **extra: Any) -> Warehouse:
        monkeypatch.setenv("AIRFLOW_CONN_BQ", sandbox.connection(**extra))
        made.append(open_source("bigquery", "bq", tag=tag, timeout=timeout))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def line(sandbox: BigQuerySandbox) -> Iterator[Line]:
    one = Line(sandbox.server.storage)
    yield one
    one.close()


def impatient(patch: pytest.MonkeyPatch) -> None:
    """Give up after a second instead of half a minute."""
    patch.setattr(bigquery_rows, "PATIENCE", 1.0)


def threads() -> set[str]:
    """Python's own threads; gRPC's pool of C threads stays, and shows as dummies."""
    return {one.name for one in threading.enumerate() if not one.name.startswith("Dummy-")}


def keys(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def test_every_job_carries_the_tag_the_timeout_and_the_connections_settings(
    opened: Callable[..., Warehouse], sandbox: BigQuerySandbox
) -> None:
    warehouse = opened(
        {"dag": "My Dag.한", "task": "T" * 80, "run": "manual__2026-11-22T00:00:00+00:00"},
        12.5,
        labels='{"team": "crm"}',
        priority="BATCH",
        api_resource_configs={"query": {"maximumBytesBilled": "1000000", "useQueryCache": False}},
    )
    assert warehouse.count(TABLE, EVERYTHING) == ROWS
    config = sandbox.jobs()[-1]["configuration"]
    assert config["labels"] == {
        "team": "crm",
        "dag": "my_dag__",
        "task": "t" * 63,
        "run": "manual__2026-11-22t00_00_00_00_00",
    }
    assert config["jobTimeoutMs"] == "12500"
    query = config["query"]
    assert (query["priority"], query["maximumBytesBilled"], query["useQueryCache"]) == ("BATCH", "1000000", False)
    assert query["useLegacySql"] is False
    assert sandbox.jobs()[-1]["jobReference"]["location"] == "US"


def test_a_statement_that_takes_too_long_is_stopped_by_the_server(opened: Callable[..., Warehouse]) -> None:
    endless = Query("SELECT a.id, a.u FROM space.rows AS a, space.rows AS b, space.rows AS c WHERE a.id * b.id + c.id = -1")
    with pytest.raises(TransientError, match=r"\(stopped\): Job execution was cancelled: Job timed out after 1 sec \(job "):
        opened(timeout=1.0).count(Extract(endless, CURSOR, (), (ID,)), EVERYTHING)


def test_a_table_of_one_project_is_read_by_its_whole_name(opened: Callable[..., Warehouse]) -> None:
    warehouse = opened()
    for name in (("space", "rows"), (PROJECT, "space", "rows")):
        assert [column.name for column in warehouse.columns(name)] == ["id", "u", "payload"]
    with pytest.raises(ConfigurationError, match=r"needs the dataset before the name of the table 'rows'.*dataset\.table"):
        warehouse.columns(("rows",))
    for name in ("ro`ws", "ro\\ws", "ro\nws"):
        with pytest.raises(ConfigurationError, match="cannot be the name"):
            warehouse.columns(("space", name))


def test_types_are_shown_as_they_are_written() -> None:
    fields = (SchemaField("a", "INTEGER"), SchemaField("b", "RECORD", "REPEATED", fields=(SchemaField("c", "FLOAT"),)))
    assert bigquery.shown(SchemaField("x", "RECORD", fields=fields)) == "STRUCT<a INT64, b ARRAY<STRUCT<c FLOAT64>>>"
    assert bigquery.shown(SchemaField("x", "RANGE", range_element_type="DATE")) == "RANGE<DATE>"
    assert bigquery.shown(SchemaField("x", "BOOLEAN", "REQUIRED")) == "BOOL"


def test_places_and_ranges_arrive_as_text(opened: Callable[..., Warehouse], sandbox: BigQuerySandbox) -> None:
    query = Query("SELECT 1 AS id, CAST(NULL AS TIMESTAMP) AS u, ST_GEOGPOINT(1, 2) AS p, RANGE(DATE '2026-01-01', NULL) AS r")
    values = (Column("p", "GEOGRAPHY"), Column("r", "RANGE<DATE>"))  # the stand-in calls them BYTES and STRUCT
    rows = Reading(opened(), Extract(query, CURSOR, (ID,), (ID, *values))).rows()
    assert rows == [{"": None, "id": "1", "p": "POINT (1 2)", "r": '{"start":"2026-01-01","end":null}'}]


def test_a_small_result_needs_no_read_session(opened: Callable[..., Warehouse], sandbox: BigQuerySandbox) -> None:
    warehouse = opened()
    before = sandbox.sessions()
    assert warehouse.preview(TABLE, EVERYTHING, bigquery_rows.PAGE_ROWS).num_rows == bigquery_rows.PAGE_ROWS
    assert sandbox.sessions() == before
    assert warehouse.preview(TABLE, EVERYTHING, bigquery_rows.PAGE_ROWS + 1).num_rows == bigquery_rows.PAGE_ROWS + 1
    assert sandbox.sessions() == before + 1


@pytest.mark.parametrize("refused", [False, True], ids=["switched off", "not allowed"])
def test_rows_come_page_by_page_where_there_is_no_read_session(
    opened: Callable[..., Warehouse], sandbox: BigQuerySandbox, caplog: pytest.LogCaptureFixture, refused: bool
) -> None:
    warehouse = opened() if refused else opened(storage_read=False)
    after = Position(1_767_225_600_000_000_000, (str(100_000 + ROWS - 9_000),))
    before = sandbox.sessions()
    sandbox.allow_storage(not refused)
    try:
        with caplog.at_level(logging.INFO, logger=bigquery_rows.__name__):
            for _ in range(2):
                found = [key for one in warehouse.batches(TABLE, EVERYTHING, after) for key in one.column("id").to_pylist()]
                assert found == keys(100_000 + ROWS - 8_999, 100_000 + ROWS)
    finally:
        sandbox.allow_storage(True)
    assert sandbox.sessions() == before
    said = [record.getMessage() for record in caplog.records if record.name == bigquery_rows.__name__]
    assert len(said) == (1 if refused else 0)
    assert all("roles/bigquery.readSessionUser" in text and "readsessions.create" in text for text in said)


def test_a_line_that_breaks_for_a_moment_costs_no_row(opened: Callable[..., Warehouse], line: Line) -> None:
    warehouse = opened(storage_endpoint=f"localhost:{line.port}")
    found: list[str] = []
    for number, batch in enumerate(warehouse.batches(TABLE, EVERYTHING, rows=10_000)):
        found += batch.column("id").to_pylist()
        if number in (2, 9):
            line.cut()
    assert found == keys(100_001, 100_000 + ROWS)
    assert line.calls >= 3


@pytest.mark.timeout(120)
def test_a_line_that_stays_broken_may_pass_and_the_rest_is_read_later(
    opened: Callable[..., Warehouse], line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient(monkeypatch)
    warehouse = opened(storage_endpoint=f"localhost:{line.port}")
    found: list[str] = []
    with pytest.raises(TransientError, match=r"Reading space\.rows from BigQuery failed \(ServiceUnavailable\)"):
        for batch in warehouse.batches(TABLE, EVERYTHING, rows=10_000):
            found += batch.column("id").to_pylist()
            if len(found) == 30_000:
                line.dead = True
                line.cut()
    assert 30_000 <= len(found) < ROWS
    line.dead = False
    for batch in warehouse.batches(TABLE, EVERYTHING, Position(1_767_225_600_000_000_000, (found[-1],))):
        found += batch.column("id").to_pylist()
    assert found == keys(100_001, 100_000 + ROWS)


def test_a_read_that_hangs_can_be_cancelled(opened: Callable[..., Warehouse], line: Line) -> None:
    warehouse = opened(storage_endpoint=f"localhost:{line.port}")
    stream = warehouse.batches(TABLE, EVERYTHING, rows=10_000)
    next(stream)
    line.dead = True
    line.cut()
    timer = threading.Timer(0.5, warehouse.cancel)
    timer.start()
    began = time.monotonic()
    with pytest.raises(TransientError, match="cancelled"):
        for _ in stream:
            pass
    assert time.monotonic() - began < 10
    timer.join()


def test_nothing_is_left_behind_a_read(opened: Callable[..., Warehouse], sandbox: BigQuerySandbox) -> None:
    warehouse = opened()
    before = threads()
    for _ in range(3):
        stream = warehouse.batches(TABLE, EVERYTHING, rows=1_000)
        next(stream)
        stream.close()
    until = time.monotonic() + 5
    while (sandbox.busy() or threads() - before) and time.monotonic() < until:
        time.sleep(0.02)
    assert sandbox.busy() == 0
    assert threads() <= before


def test_a_server_that_is_away_may_come_back(opened: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch) -> None:
    impatient(monkeypatch)
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "https://localhost:1")
    with pytest.raises(TransientError, match="the connection was lost"):
        opened().count(TABLE, EVERYTHING)


def test_a_certificate_that_is_not_trusted_says_so(
    opened: Callable[..., Warehouse], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    impatient(monkeypatch)
    strange = private_authority(tmp_path).ca_file
    with pytest.raises(ConfigurationError, match=r"certificate is not trusted.*storage_ca_file"):
        list(opened(storage_ca_file=strange).batches(TABLE, EVERYTHING))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", strange)
    with pytest.raises(ConfigurationError, match=r"certificate is not trusted.*REQUESTS_CA_BUNDLE"):
        opened().count(TABLE, EVERYTHING)


class Tokens(BaseHTTPRequestHandler):
    """A token endpoint that takes no key."""

    def do_POST(self) -> None:
        body = json.dumps({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}).encode()
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def key_file() -> Iterator[dict[str, str]]:
    server = HTTPServer(("127.0.0.1", 0), Tokens)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    yield {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "1",
        "private_key": private.decode(),
        "client_email": "reader@sandbox-project.iam.gserviceaccount.com",
        "token_uri": f"http://127.0.0.1:{server.server_port}/token",
    }
    server.shutdown()
    server.server_close()


def test_a_key_that_google_no_longer_takes_says_so(opened: Callable[..., Warehouse], key_file: dict[str, str]) -> None:
    warehouse = opened(is_anonymous=False, keyfile_dict=json.dumps(key_file))
    with pytest.raises(ConfigurationError, match="Invalid JWT Signature") as caught:
        warehouse.count(TABLE, EVERYTHING)
    assert "valid key" in caught.value.fix
    assert "PRIVATE KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"keyfile_dict": "{not json hunter2"}, "credentials of the connection cannot be used"),
        (
            {"keyfile_dict": '{"type": "service_account", "private_key": "hunter2"}'},
            "credentials of the connection cannot be used",
        ),
        ({"key_path": "/nonexistent/hunter2.json"}, "credentials of the connection cannot be used"),
        ({"is_anonymous": True, "project": ""}, "names no Google Cloud project"),
    ],
)
def test_a_connection_that_cannot_work_says_what_to_correct(
    opened: Callable[..., Warehouse], extra: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        opened(**{"is_anonymous": False, **extra})
    assert caught.value.fix
    assert "hunter2" not in str(caught.value)
