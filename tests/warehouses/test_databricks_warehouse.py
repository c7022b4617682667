"""What is special about Databricks: sessions, tags, result files, lost connections, credentials, cancellation."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest

from activation.cursor.timestamps import from_text
from activation.cursor.window import Position
from activation.errors import ConfigurationError, TransientError
from activation.hooks.connections import open_source
from activation.warehouses.arrow import BATCH_BYTES
from activation.warehouses.base import Column, Extract, Query, Warehouse
from sandbox.warehouses.databricks import DatabricksSandbox
from tests.contracts.sources import EVERYTHING, reading
from tests.support.servers import shared

SCHEMA = ("spark_catalog", "special")
ID, CURSOR, PAYLOAD = Column("id", "int"), Column("u", "timestamp"), Column("payload", "string")
ROWS = 40_000
QUICK = {"_retry_stop_after_attempts_count": 2, "_retry_delay_max": 1, "_retry_delay_min": 1}
"""Otherwise the connector waits a minute between two attempts, and tries 30 times."""


@pytest.fixture(scope="module")
def sandbox() -> DatabricksSandbox:
    """The warehouse, with a table of 40,000 rows and 40 MB: two result files."""
    one = shared(DatabricksSandbox)
    rows = pa.table({"id": pa.array(range(ROWS)), "u": pa.array([n * 1_000_000 for n in range(ROWS)], pa.timestamp("us", "UTC"))})
    one.load((*SCHEMA, "plain"), rows, {"id": "INT"})
    one.execute(
        "CREATE VIEW spark_catalog.special.rows AS SELECT *, repeat('x', 1000) AS payload FROM spark_catalog.special.plain"
    )
    return one


@pytest.fixture
def opened(sandbox: DatabricksSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Warehouse]]:
    """Open warehouses through the hook, as an operator does; they are closed after the test."""
    warehouses: list[Warehouse] = []

    def one(tag: dict[str, str] | None = None, timeout: float | None = None, **extra: Any) -> Warehouse:
        monkeypatch.setenv("AIRFLOW_CONN_SPECIAL", sandbox.connection(**{**QUICK, **extra}))
        warehouses.append(open_source("databricks", "special", tag=tag, timeout=timeout))
        return warehouses[-1]

    yield one
    sandbox.faults()
    for warehouse in warehouses:
        warehouse.close()


def extract(name: str = "rows", *values: Column) -> Extract:
    return Extract((*SCHEMA, name), CURSOR, (ID,), (ID, *values))


def ids(batches: Any) -> list[int]:
    return [int(one) for batch in batches for one in batch.column(1).to_pylist()]


def test_every_statement_carries_the_tag(opened: Callable[..., Warehouse], sandbox: DatabricksSandbox) -> None:
    before = len(sandbox.state()["history"])
    warehouse = opened({"dag": "crm", "task": "import", "run": "manual*/ x"}, timeout=60)
    warehouse.columns((*SCHEMA, "rows"))
    warehouse.survey(extract(), None)
    warehouse.preview(extract(), EVERYTHING, 1)
    texts = sandbox.state()["history"][before:]
    assert len(texts) == 5
    assert all(text.startswith("/* dag=crm, task=import, run=manual__ x */ ") for text in texts)
    assert texts[1].endswith(" SET STATEMENT_TIMEOUT = 60")


@pytest.mark.parametrize("extra", [{}, {"use_cloud_fetch": False}, {"enable_query_result_lz4_compression": False}])
def test_every_way_of_the_rows_gives_the_same(
    opened: Callable[..., Warehouse], sandbox: DatabricksSandbox, extra: dict[str, Any]
) -> None:
    found = opened(**extra).batches(extract("rows", PAYLOAD), EVERYTHING)
    assert ids(found) == list(range(ROWS))
    assert sandbox.state()["kept"] == 0


def test_settings_of_the_connection_change_nothing(opened: Callable[..., Warehouse]) -> None:
    query = Query(
        "SELECT 1 AS id, timestamp_ntz'2026-03-29 02:30:00' AS u, timestamp'2026-03-29 02:30:00Z' AS t, date'2026-03-29' AS d"
    )
    settings = {"spark.sql.session.timeZone": "Europe/Berlin"}
    for extra in ({}, {"session_configuration": settings}):
        row = reading(opened(**extra), query).rows()[0]
        assert row[""] == from_text("2026-03-29T02:30:00Z") // 1_000
        assert (row["t"], row["d"]) == ("2026-03-29 02:30:00+00", "2026-03-29")


def test_years_that_no_watermark_can_be_written_for_count_as_none(
    opened: Callable[..., Warehouse], sandbox: DatabricksSandbox
) -> None:
    sandbox.execute(
        "CREATE OR REPLACE VIEW spark_catalog.special.odd AS SELECT id, timestamp_micros(m) AS u FROM VALUES "
        "(1, 253402300800000000), (2, -62135596800000001), (3, CAST(NULL AS BIGINT)), (4, 0) AS v(id, m)"
    )
    found = reading(opened(), (*SCHEMA, "odd"))
    places = [Position(None, ("1",)), Position(None, ("2",)), Position(None, ("3",)), Position(0, ("4",))]
    assert found.positions() == places
    assert [found.positions(after=place) for place in places] == [places[1:], places[2:], places[3:], []]
    survey = found.warehouse.survey(found.extract, 0)
    assert (survey.at, survey.nulls, survey.latest) == (1, 3, 0)


def test_keys_go_by_code_point_whatever_the_columns_collation(opened: Callable[..., Warehouse]) -> None:
    keys = (
        "SELECT CAST(NULL AS TIMESTAMP) AS u, k COLLATE UNICODE_CI AS id FROM VALUES ('b'), ('B'), ('a'), ('한'), ('ä') AS v(k)"
    )
    found = reading(opened(), Query(keys))
    places = found.positions()
    assert [place.key[0] for place in places] == ["B", "a", "b", "ä", "한"]
    for number, place in enumerate(places):
        assert found.positions(after=place) == places[number + 1 :]


def test_names_are_found_in_any_case(opened: Callable[..., Warehouse]) -> None:
    warehouse = opened(schema="special")
    assert warehouse.columns(("SPARK_CATALOG", "Special", "ROWS")) == warehouse.columns(("rows",)) == (ID, CURSOR, PAYLOAD)
    one = Extract(("Rows",), Column("U", "timestamp"), (Column("ID", "int"),), ())
    assert warehouse.count(one, EVERYTHING) == ROWS


def test_two_streams_do_not_disturb_each_other(opened: Callable[..., Warehouse]) -> None:
    warehouse = opened()
    first, second = (warehouse.batches(extract("rows", PAYLOAD), EVERYTHING, rows=1_000) for _ in range(2))
    pairs = list(zip(first, second, strict=True))
    assert [one.column(1) for one, _ in pairs] == [two.column(1) for _, two in pairs]
    assert warehouse.count(extract(), EVERYTHING) == ROWS


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        ({"use_cloud_fetch": False}, {"on": "FetchResults", "status": 0, "after": 1, "times": 9}),
        ({"use_cloud_fetch": False}, {"on": "FetchResults", "status": 500, "after": 1, "times": 9}),
        ({"max_download_threads": 1}, {"on": "files", "status": 403, "after": 1, "times": 9}),
        ({"max_download_threads": 1}, {"on": "files", "status": 0, "after": 1, "times": 9}),
    ],
    ids=["cut", "500", "refused file", "cut file"],
)
def test_a_read_goes_on_where_it_was_lost(
    opened: Callable[..., Warehouse], sandbox: DatabricksSandbox, extra: dict[str, Any], fault: dict[str, Any]
) -> None:
    warehouse = opened(**extra)
    warehouse.count(extract(), EVERYTHING)
    sandbox.faults(fault)
    seen: list[int] = []
    with pytest.raises(TransientError, match=r"Reading spark_catalog\.special\.rows from Databricks failed"):
        for batch in warehouse.batches(extract("rows", PAYLOAD), EVERYTHING, rows=1_000):
            seen += ids([batch])
    assert 0 < len(seen) < ROWS
    sandbox.faults()
    place = Position(seen[-1] * 1_000_000_000, (str(seen[-1]),))
    again = opened(**extra).batches(extract("rows", PAYLOAD), EVERYTHING, place)
    assert seen + ids(again) == list(range(ROWS))


def test_a_busy_warehouse_is_asked_again(opened: Callable[..., Warehouse], sandbox: DatabricksSandbox) -> None:
    warehouse = opened()
    sandbox.faults({"on": "ExecuteStatement", "status": 503}, {"on": "files", "status": 503})
    assert ids(warehouse.batches(extract("rows", PAYLOAD), EVERYTHING)) == list(range(ROWS))


def test_a_session_that_is_lost_may_pass(opened: Callable[..., Warehouse]) -> None:
    warehouse: Any = opened()
    warehouse.count(extract(), EVERYTHING)
    backend = warehouse._connection.session.backend
    backend.close_session(warehouse._connection.session.session_id)
    with pytest.raises(TransientError, match="Invalid SessionHandle"):
        warehouse.count(extract(), EVERYTHING)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 7.0])
def test_a_cancellation_from_another_thread_always_arrives(
    opened: Callable[..., Warehouse], sandbox: DatabricksSandbox, seconds: float
) -> None:
    """Seven seconds are longer than the five that a statement with direct results keeps the connector from knowing it."""
    endless = Query("SELECT id, timestamp'2026-01-01 00:00:00Z' AS u FROM range(1000000000000000) WHERE xxhash64(id) = 1")
    warehouse, raised = opened(), list[Exception]()
    one = Extract(endless, CURSOR, (Column("id", "bigint"),), ())

    def read() -> None:
        try:
            warehouse.count(one, EVERYTHING)
        except TransientError as error:
            raised.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    while not sandbox.state()["running"]:
        time.sleep(0.01)
    time.sleep(seconds)
    warehouse.cancel()
    if not seconds:
        while thread.is_alive():  # the first statement may have been a setting of the session
            warehouse.cancel()
            thread.join(0.05)
    thread.join(15)
    assert not thread.is_alive()
    assert "cancelled" in str(raised[0])
    assert sandbox.state()["running"] == 0
    assert warehouse.count(extract(), EVERYTHING) == ROWS


def test_an_interrupted_task_leaves_no_statement_behind(
    opened: Callable[..., Warehouse], sandbox: DatabricksSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow's own time-out raises in the thread that waits."""
    warehouse: Any = opened()
    warehouse.count(extract(), EVERYTHING)
    from databricks.sql.client import Cursor

    def interrupted(self: Any) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Cursor, "is_query_pending", interrupted)
    with pytest.raises(KeyboardInterrupt):
        warehouse.count(Extract(Query("SELECT id, now() AS u FROM range(1000000000000000)"), CURSOR, (), ()), EVERYTHING)
    assert sandbox.state()["running"] == 0


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"token": "dapi00000000000000000000000000000000"}, "token"),
        ({"http_path": "/sql/1.0/warehouses/gone"}, "http_path"),
        ({"http_path": ""}, "http_path"),
    ],
)
def test_a_refused_connection_says_what_to_correct(opened: Callable[..., Warehouse], extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        opened(**extra)
    assert said in caught.value.fix
    assert "dapi0" not in str(caught.value)


def test_a_server_under_another_authority_is_not_trusted(opened: Callable[..., Warehouse]) -> None:
    import certifi

    with pytest.raises(ConfigurationError) as caught:
        opened(_tls_trusted_ca_file=certifi.where())
    assert "_tls_trusted_ca_file" in caught.value.fix


def test_a_server_that_is_away_may_come_back(opened: Callable[..., Warehouse]) -> None:
    with pytest.raises(TransientError):
        opened(_port=1)


def test_an_error_of_the_data_comes_without_the_value(opened: Callable[..., Warehouse]) -> None:
    query = Query("SELECT CAST('kim@example.com' AS INT) AS id, now() AS u FROM spark_catalog.special.plain")
    one = Extract(query, CURSOR, (), (ID,))
    with pytest.raises(ConfigurationError) as caught:
        list(opened().batches(one, EVERYTHING))
    assert caught.value.problem.endswith("(22018): CAST_INVALID_INPUT")


def test_narrow_rows_that_end_in_wide_ones_stay_within_a_batch(opened: Callable[..., Warehouse]) -> None:
    payload = "repeat('y', CASE WHEN id < 2000 THEN 10 ELSE 100000 END) AS payload"
    query = Query(f"SELECT id, u, {payload} FROM spark_catalog.special.plain WHERE id < 2300")
    found = list(opened().batches(Extract(query, CURSOR, (ID,), (ID, PAYLOAD)), EVERYTHING))
    assert ids(found) == list(range(2300))
    assert max(batch.nbytes for batch in found) <= BATCH_BYTES


def test_nothing_is_left_behind() -> None:
    one = DatabricksSandbox()
    one.start()
    process: Any = one._process
    group, folder = os.getpgid(process.pid), one._folder
    one.stop()
    one.stop()
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)
