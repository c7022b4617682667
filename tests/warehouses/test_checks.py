"""The self-check of a warehouse: all is well on a sound one, and each fault that is put in is found by its own check."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from importlib import import_module
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from activation.cursor.window import Position, Window
from activation.errors import ConfigurationError, TransientError
from activation.findings import Check, Finding, Skip, Verdict, Wrong, examine
from activation.hooks.connections import open_source
from activation.warehouses import ENGINES
from activation.warehouses.base import Column, Extract, Query, Relation, Session, Survey
from activation.warehouses.checks import SAMPLES, control_checks, row_checks, table_checks, type_checks
from activation.warehouses.checks import control as control_module
from activation.warehouses.duckdb import DuckDBWarehouse
from tests.support.places import PLACES, Place
from tests.support.servers import shared_warehouse

Edit = Callable[[pa.RecordBatch], pa.RecordBatch]


def families(kinds: Iterable[str]) -> set[str]:
    """Types without their precision."""
    return {re.sub(r"\(\d+\)", "", kind) for kind in kinds}


def wrong(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.name: finding.text for finding in findings if finding.verdict is Verdict.WRONG}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_cursor_type_of_a_dialect_is_checked(engine: str) -> None:
    dialect = import_module(ENGINES[engine].partition(":")[0]).DIALECT
    assert set(SAMPLES[engine].cursors) <= set(dialect.cursors)
    assert families(SAMPLES[engine].cursors) == families(dialect.cursors)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.engine)
def test_a_sound_engine_has_nothing_wrong(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    running = shared_warehouse(place.engine)
    for name, value in running.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_SOUND", running.connection())
    samples = SAMPLES[place.engine]
    monkeypatch.setattr(control_module, "SHORT", 2.0)

    def reopen(timeout: float) -> Any:
        return open_source(place.engine, "sound", timeout=timeout)

    with closing(open_source(place.engine, "sound", timeout=60)) as warehouse:
        found = [
            *examine(row_checks(warehouse, samples)),
            *examine(type_checks(warehouse, samples)),
            *examine(control_checks(warehouse, samples, reopen)),
        ]
    assert set(faults := wrong(iter(found))) == set(place.short), faults
    assert [finding.name for finding in found if finding.verdict is Verdict.SKIPPED] == ["tag"]
    assert len(found) == 7 + len(samples.cursors) + len(samples.values) + 3


class Faulty(DuckDBWarehouse):
    """A warehouse with one fault."""

    edit: Edit | None = None
    move: Callable[[Survey], Survey] | None = None
    more = 0
    deaf = False
    patient = False
    reread = False

    def __init__(self, session: Session = Session()) -> None:  # noqa: B008 - frozen
        super().__init__(duckdb.connect(), replace(session, timeout=None) if type(self).patient else session)
        self._quiet = threading.Event()

    def survey(self, extract: Extract, at: int | None) -> Survey:
        found = super().survey(extract, at)
        return type(self).move(found) if type(self).move else found  # type: ignore[misc]

    def count(self, extract: Extract, window: Window, after: Position | None = None) -> int:
        return super().count(extract, window, after) + type(self).more

    def batches(
        self, extract: Extract, window: Window, after: Position | None = None, *, rows: int = 16_384
    ) -> Generator[pa.RecordBatch, None, None]:
        edit = type(self).edit
        for batch in super().batches(extract, window, None if type(self).reread else after, rows=rows):
            yield edit(batch) if edit else batch

    def preview(self, extract: Extract, window: Window, rows: int) -> pa.Table:
        return super().preview(extract, window, 1 if type(self).more else rows)

    def cancel(self) -> None:
        if not type(self).deaf:
            super().cancel()


def texts(change: Callable[[pa.Array], pa.Array]) -> Edit:
    """A fault in every value column."""
    return lambda batch: pa.RecordBatch.from_arrays([batch.column(0), *map(change, batch.columns[1:])], schema=batch.schema)


def ticks(change: Callable[[pa.Array], pa.Array]) -> Edit:
    """A fault in the cursor column."""
    return lambda batch: pa.RecordBatch.from_arrays(
        [change(batch.column(0)).cast(pa.int64()), *batch.columns[1:]], schema=batch.schema
    )


def without_nulls(array: pa.Array) -> pa.Array:
    found = [json.loads(text) if text and text.startswith("{") else None for text in array.to_pylist()]
    shown = [
        text if value is None else json.dumps({key: one for key, one in value.items() if one is not None})
        for text, value in zip(array.to_pylist(), found, strict=True)
    ]
    return pa.array(shown, pa.string())


HOUR = 3_600_000_000_000

FAULTS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "a clock in local time": ({"move": lambda found: replace(found, now=found.now + 9 * HOUR)}, {"clock"}),
    "texts that are composed anew": ({"edit": texts(lambda one: pc.utf8_normalize(one, "NFD"))}, {"texts", "key order"}),
    "texts of two letters": ({"edit": texts(lambda one: pc.utf8_slice_codeunits(one, 0, 2))}, {"texts", "value STRUCT"}),
    "NULL as an empty text": ({"edit": texts(lambda one: pc.fill_null(one, ""))}, {"texts"}),
    "milliseconds": (
        {"edit": ticks(lambda one: pc.multiply(pc.divide(one, 1000), 1000))},
        {"cursor timestamp", "cursor timestamp with time zone", "cursor timestamp_ns"},
    ),
    "local time": (
        {"edit": ticks(lambda one: pc.add(one, 9 * HOUR // 1000))},
        {"cursor timestamp", "cursor timestamp with time zone", "cursor date", "edges of a window"},
    ),
    "a missing time that becomes 1970": ({"edit": ticks(lambda one: pc.fill_null(one, 0))}, {"missing values"}),
    "rows backwards": (
        {"edit": lambda batch: batch.take(pa.array(range(batch.num_rows - 1, -1, -1)))},
        {"key order", "missing values", "edges of a window", "going on behind a row", "preview"},
    ),
    "a lost row": (
        {"edit": lambda batch: batch.slice(0, batch.num_rows - 1)},
        {"texts", "missing values", "going on behind a row"},
    ),
    "a row twice": (
        {"edit": lambda batch: pa.concat_batches([batch, batch.slice(0, 1)])},
        {"texts", "missing values", "edges of a window", "going on behind a row"},
    ),
    "a count that is one too high": (
        {"more": 1},
        {"edges of a window", "going on behind a row", "preview", "cursor date", "cursor timestamp"},
    ),
    "uncounted missing values": ({"move": lambda found: replace(found, nulls=0)}, {"missing values"}),
    "a wrong greatest value": (
        {"move": lambda found: replace(found, latest=0)},
        {"cursor date", "cursor timestamp_s"},
    ),
    "a retry that begins anew": ({"reread": True}, {"going on behind a row"}),
    "JSON without its null": ({"edit": texts(without_nulls)}, {"value STRUCT", "value JSON"}),
    "whole numbers as floats": (
        {"edit": texts(lambda one: pc.replace_substring(one, "9223372036854775807", "9.223372036854776e18"))},
        {"value the largest 64-bit integer"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str) -> None:
    changed, expected = FAULTS[fault]
    samples = SAMPLES["duckdb"]
    kind = type("Broken", (Faulty,), {name: staticmethod(one) if callable(one) else one for name, one in changed.items()})
    with closing(kind()) as warehouse:
        found = wrong(examine([*row_checks(warehouse, samples), *type_checks(warehouse, samples)]))
    assert expected <= set(found), found
    assert all("expected" in text for text in found.values()), found


def test_a_cancellation_that_is_not_heard_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "_STARTED", 0.3)
    monkeypatch.setattr(control_module, "_ENDED", 0.5)
    warehouse = type("Broken", (Faulty,), {"deaf": True})()
    found = wrong(examine(control_checks(warehouse, SAMPLES["duckdb"], None)))
    DuckDBWarehouse.cancel(warehouse)
    for thread in threading.enumerate():
        if thread.name == control_module.THREAD:
            thread.join()
    warehouse.close()
    assert found == {"cancellation": "expected the statement to end within 0 s after its cancellation, but it still runs"}


def test_a_timeout_that_the_warehouse_does_not_keep_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "SHORT", 0.3)
    monkeypatch.setattr(control_module, "_ENDED", 0.5)
    monkeypatch.setattr(control_module, "_STARTED", 0.3)
    kind = type("Broken", (Faulty,), {"patient": True})
    with closing(kind()) as warehouse:
        found = wrong(examine(control_checks(warehouse, SAMPLES["duckdb"], lambda timeout: kind(Session(timeout=timeout)))))
    assert found == {"time-out": "expected the warehouse to stop a statement after 0 s, but it still runs"}


def test_an_endless_query_that_ends_proves_nothing() -> None:
    samples = replace(SAMPLES["duckdb"], endless="SELECT TIMESTAMP '2026-01-01' AS u, 1 AS id")
    with closing(Faulty()) as warehouse:
        found = list(examine(control_checks(warehouse, samples, None)))
    assert [(one.verdict, one.text) for one in found[:2]] == [
        (Verdict.SKIPPED, "the endless query came to an end by itself"),
        (Verdict.SKIPPED, "takes a while; ask for it with --slow"),
    ]


def test_a_table_is_counted_and_its_values_are_not_shown() -> None:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE TABLE users (updated_at TIMESTAMP, external_id VARCHAR, payload VARCHAR)")
    connection.execute(
        """INSERT INTO users VALUES (NULL, 'secret-0', '{"email": "a@b.c", "n": 1}'), ('2026-01-01', 'secret-1', 'no json'),
        ('2026-02-01', 'secret-2', NULL), ('2026-02-01', 'secret-3', '[1]'),
        (now()::TIMESTAMP + INTERVAL 1 DAY, 'secret-4', '{}')"""
    )
    with closing(DuckDBWarehouse(connection)) as warehouse:
        columns = warehouse.columns(("users",))
        extract = Extract(("users",), columns[0], columns[1:2], columns[1:])
        found = {one.name: (one.verdict, one.text) for one in examine(table_checks(warehouse, extract))}
    assert {verdict for verdict, _ in found.values()} == {Verdict.OK}
    shown = {name: text for name, (_, text) in found.items()}
    latest = shown.pop("latest change")
    assert latest.startswith("20")
    assert shown == {
        "rows": "5",
        "rows without a cursor value": "1; a run rejects and keeps them",
        "rows of the future": "1; they wait until their time has come, unless cursor.future is send",
        "rows at the latest change": "1",
        "row 1": "external_id «8 characters», payload {2 keys, 26 characters}",
        "row 2": "external_id «8 characters», payload «7 characters»",
        "row 3": "external_id «8 characters», payload NULL",
    }


def test_a_latest_change_that_is_not_found_again_is_wrong() -> None:
    connection = duckdb.connect()
    connection.execute("CREATE TABLE users AS SELECT TIMESTAMP '2026-01-01' AS updated_at, 'a' AS external_id")

    class Forgetful(DuckDBWarehouse):
        def survey(self, extract: Extract, at: int | None) -> Survey:
            return replace(super().survey(extract, at), at=0)

    with closing(Forgetful(connection)) as warehouse:
        columns = warehouse.columns(("users",))
        extract = Extract(("users",), columns[0], columns[1:], columns[1:])
        assert wrong(examine(table_checks(warehouse, extract))) == {
            "rows at the latest change": "expected at least one row at 2026-01-01T00:00:00Z, but none is found there"
        }


def test_an_error_is_a_finding_and_does_not_stop_the_next_check() -> None:
    def raises(error: Exception) -> Callable[[], str]:
        def look() -> str:
            raise error

        return look

    found = list(
        examine(
            [
                Check("wrong", raises(Wrong("expected 1, but got 2"))),
                Check("skipped", raises(Skip("no right"))),
                Check("lost", raises(TransientError("the connection was lost"))),
                Check("refused", raises(ConfigurationError("No right.", "Give it."))),
                Check("bug", raises(KeyError("password=hunter2"))),
                Check("fine", lambda: "seen"),
            ]
        )
    )
    assert [(one.verdict.value, one.name) for one in found] == [
        ("WRONG", "wrong"),
        ("skipped", "skipped"),
        ("WRONG", "lost"),
        ("WRONG", "refused"),
        ("WRONG", "bug"),
        ("ok", "fine"),
    ]
    assert found[3].text == "No right. Fix: Give it."
    assert found[4].text.startswith("unexpected KeyError at test_checks.py:")
    assert "hunter2" not in found[4].text


def test_relations_of_the_checks_are_queries() -> None:
    """Nothing but literals is read: no check names a table."""

    seen: list[Relation] = []

    class Watched(DuckDBWarehouse):
        def columns(self, table: Relation) -> tuple[Column, ...]:
            seen.append(table)
            return super().columns(table)

    with closing(Watched(duckdb.connect())) as warehouse:
        samples = SAMPLES["duckdb"]
        assert wrong(examine([*row_checks(warehouse, samples), *type_checks(warehouse, samples)])) == {}
    assert seen
    assert all(isinstance(table, Query) for table in seen)
