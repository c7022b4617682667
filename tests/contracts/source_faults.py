"""The source contract: early ends, cancellation, and errors that say what to do."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from activation.cursor.timestamps import from_text
from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.warehouses.arrow import BATCH_BYTES
from activation.warehouses.base import Column, Extract, Session, Warehouse
from tests.contracts.sources import EVERYTHING, Engine, Reading, reading, still_running

NOON = from_text("2026-07-19T12:00:00Z")


def calls(warehouse: Warehouse, extract: Extract) -> list[Callable[[], Any]]:
    """Every way to run a statement over an extract."""
    return [
        lambda: warehouse.survey(extract, NOON),
        lambda: warehouse.count(extract, EVERYTHING),
        lambda: list(warehouse.batches(extract, EVERYTHING)),
    ]


def many(engine: Engine, warehouse: Warehouse) -> Reading:
    """A table that is too large to be sent at once."""
    cursor = engine.cursors[0]
    rows = [[str(n), cursor.literal(NOON), "x" * 5_000] for n in range(1_000)]
    table = engine.table({"id": "integer", "u": cursor.type, "payload": "varchar"}, rows)
    for _ in range(3):
        engine.double(table, 1_000)
    return reading(warehouse, table)


def outcome(call: Callable[[], Any]) -> ActivationError | None:
    """What a call raised."""
    try:
        call()
    except ActivationError as error:
        return error
    return None


class FaultsContract:
    """Whatever happens, the caller learns what it was and the connection stays clean."""

    def test_an_early_close_leaves_the_connection_usable(self, engine: Engine, warehouse: Warehouse) -> None:
        found = many(engine, warehouse)
        for read in (1, 2, 5):
            stream = warehouse.batches(found.extract, EVERYTHING, rows=100)
            assert sum(next(stream).num_rows for _ in range(read)) == read * 100
            stream.close()
            assert still_running(engine) == 0
            assert warehouse.count(found.extract, EVERYTHING) == 8_000

    def test_a_stream_that_was_never_read_costs_nothing(self, engine: Engine, warehouse: Warehouse) -> None:
        found = many(engine, warehouse)
        warehouse.batches(found.extract, EVERYTHING)
        assert still_running(engine) == 0
        assert len(found.rows()) == 8_000

    def test_cancel_between_batches(self, engine: Engine, warehouse: Warehouse) -> None:
        found = many(engine, warehouse)
        stream = warehouse.batches(found.extract, EVERYTHING, rows=100)
        next(stream)
        warehouse.cancel()
        with pytest.raises(TransientError):
            for _ in stream:
                pass
        assert still_running(engine) == 0
        assert len(found.rows()) == 8_000

    def test_cancel_when_everything_has_already_come(self, engine: Engine, warehouse: Warehouse) -> None:
        wide = "x" * (BATCH_BYTES // 2 + 1)
        table = engine.table({"id": "integer", "u": engine.cursors[0].type, "payload": "varchar"}, [["1", None, wide]])
        for rows in (1, 2):
            engine.double(table, rows)
        stream = warehouse.batches(reading(warehouse, table).extract, EVERYTHING)
        assert next(stream).num_rows == 1
        warehouse.cancel()
        with pytest.raises(TransientError):
            next(stream)

    @pytest.mark.parametrize("number", [0, 1, 2], ids=["survey", "count", "batches"])
    def test_cancel_from_another_thread(self, engine: Engine, warehouse: Warehouse, number: int) -> None:
        extract = reading(warehouse, engine.view(engine.endless)).extract
        raised: list[ActivationError | None] = []
        thread = threading.Thread(target=lambda: raised.append(outcome(calls(warehouse, extract)[number])))
        thread.start()
        while thread.is_alive():  # a cancellation that comes too early changes nothing
            warehouse.cancel()
            thread.join(0.05)
        assert isinstance(raised[0], TransientError)
        assert still_running(engine) == 0
        assert many(engine, warehouse).rows()

    def test_cancel_while_nothing_runs_changes_nothing(self, engine: Engine, warehouse: Warehouse) -> None:
        warehouse.cancel()
        assert len(many(engine, warehouse).rows()) == 8_000

    def test_a_missing_table_is_a_configuration_error(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = Extract(engine.place("no such table"), Column("u", engine.cursors[0].type), (), ())
        for call in (lambda: warehouse.columns(extract.table), *calls(warehouse, extract)):
            error = outcome(call)
            assert isinstance(error, ConfigurationError)
            assert "no such table" in error.problem
            assert error.fix

    def test_a_missing_column_is_a_configuration_error(self, engine: Engine, warehouse: Warehouse) -> None:
        table = engine.table({"id": "integer", "u": engine.cursors[0].type}, [["1", None]])
        gone, cursor = Column("gone_column", "varchar"), Column("u", engine.cursors[0].type)
        for extract in (Extract(table, cursor, (), (gone,)), Extract(table, cursor, (gone,), ())):
            error = outcome(calls(warehouse, extract)[2])
            assert isinstance(error, ConfigurationError)
            assert "gone_column" in error.problem
            assert table[-1] in error.problem
            assert error.fix

    def test_a_missing_right_names_the_statement_that_gives_it(self, engine: Engine, warehouse: Warehouse) -> None:
        limited = engine.open_limited()
        if limited is None:
            pytest.skip("the engine has no roles")
        extract = reading(warehouse, engine.table({"id": "integer", "u": engine.cursors[0].type}, [["1", None]])).extract
        try:
            for call in (lambda: limited.columns(extract.table), *calls(limited, extract)):
                error = outcome(call)
                assert isinstance(error, ConfigurationError)
                assert engine.sql(extract.table[-1:]).strip(engine.quote) in error.problem
                assert engine.grant in error.fix
        finally:
            limited.close()

    def test_errors_pickle(self, engine: Engine, warehouse: Warehouse) -> None:
        error = outcome(lambda: warehouse.columns(engine.place("no such table")))
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301

    def test_a_closed_warehouse_says_so(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = many(engine, warehouse).extract
        other = engine.open()
        assert other.count(extract, EVERYTHING) == 8_000
        other.close()
        other.close()
        other.cancel()
        for call in calls(other, extract):
            assert isinstance(outcome(call), TransientError)

    def test_closing_the_warehouse_ends_its_stream(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = many(engine, warehouse).extract
        other = engine.open()
        stream = other.batches(extract, EVERYTHING, rows=100)
        next(stream)
        other.close()
        with pytest.raises(TransientError):
            for _ in stream:
                pass
        while engine.running():  # the server learns of it when it next looks
            time.sleep(0.01)

    def test_a_statement_that_takes_too_long_is_stopped(self, engine: Engine, warehouse: Warehouse) -> None:
        extract = reading(warehouse, engine.view(engine.endless)).extract
        tag = {"dag": "d", "task": "t", "run": "manual__2026-11-22T00:00:00+00:00"}
        other = engine.open(Session(tag, timeout=engine.shortest_timeout))
        try:
            for call in calls(other, extract):
                began = time.monotonic()
                assert isinstance(outcome(call), TransientError)
                assert time.monotonic() - began < 30
                assert still_running(engine) == 0
            assert many(engine, other).rows()
        finally:
            other.close()
