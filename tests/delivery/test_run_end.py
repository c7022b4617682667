"""How a try ends: stopped, refused wholesale, failed, or with books that do not balance."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from activation.cursor.progress import Totals
from activation.delivery.answer import Answer, Reason, Verdict
from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.report import check
from activation.delivery.run import Plan
from activation.errors import ConfigurationError, FatalError, StoppedError, TransientError
from tests.support.attempts import Pipe
from tests.support.memory import BAD, MemorySink, MemoryWarehouse, Row


def pipe_of(count: int, **plan: Any) -> tuple[Pipe, MemorySink, MemoryWarehouse]:
    sink, warehouse = MemorySink(), MemoryWarehouse([Row(index, f"u{index}", index) for index in range(count)], clock=10**6)
    return Pipe(warehouse, sink, plan=Plan(Cutting(5), checkpoint=0.005, **plan)), sink, warehouse


def test_stopping_finishes_what_is_in_flight_and_keeps_the_progress() -> None:
    pipe, sink, _ = pipe_of(2000, flight=Flight(8))
    sink.delay = lambda: 0.002
    pipe.on_save = lambda progress: pipe.last.stop() if pipe.last and progress.totals.read >= 200 else None
    with pytest.raises(StoppedError, match=r"rows are settled; a retry sends the rest"):
        pipe.run()
    settled = pipe.saved.totals.read
    assert 200 <= settled < 2000
    assert settled == len(sink.taken)
    pipe.on_save = lambda progress: None
    assert pipe.run().totals.sent == 2000
    assert len(sink.taken) == 2000


def test_stopping_during_a_long_statement_cancels_it() -> None:
    pipe, _, warehouse = pipe_of(10)
    warehouse.before_batch = lambda number: (warehouse.cancelled.wait(20), None)[1]
    threading.Timer(0.05, lambda: pipe.last.stop() if pipe.last else None).start()
    with pytest.raises(StoppedError):
        pipe.run()
    assert warehouse.cancelled.is_set()


def test_too_many_rejects_stop_the_run_and_keep_them() -> None:
    pipe, sink, _ = pipe_of(4000, max_reject_share=0.1)
    sink.reply = lambda objects: Answer(Verdict.ACCEPTED, rejected=dict.fromkeys(range(len(objects)), BAD))
    with pytest.raises(FatalError, match=r"rows were rejected \([\d,]+ × bad\).*errors.max_reject_share = 0.1 allows"):
        pipe.run()
    assert len(pipe.rejects()) >= 1000
    assert pipe.watermark.at is None


def test_a_few_rejects_do_not_stop_a_small_run() -> None:
    pipe, sink, _ = pipe_of(20, max_reject_share=0.1)
    sink.reply = lambda objects: Answer(Verdict.ACCEPTED, rejected=dict.fromkeys(range(len(objects)), BAD))
    assert pipe.run().totals.rejected == 20


def test_a_request_that_never_succeeds_ends_the_try_for_a_retry() -> None:
    pipe, sink, _ = pipe_of(20, flight=Flight(2, attempts=3, first_delay=0.001))
    sink.reply = lambda objects: Answer(Verdict.FAILED, Reason("server_error", "Braze answered 503."))
    with pytest.raises(TransientError, match=r"The destination failed 3 times for the same request: Braze answered 503\."):
        pipe.run()
    sink.reply = lambda objects: None
    assert pipe.run().totals.sent == 20


def test_what_a_person_must_fix_ends_the_try_at_once() -> None:
    pipe, sink, _ = pipe_of(20)
    sink.reply = lambda objects: Answer(Verdict.FATAL, error=ConfigurationError("The key is wrong.", "Mend it."))
    with pytest.raises(ConfigurationError, match=r"The key is wrong\. Fix: Mend it\."):
        pipe.run()
    assert pipe.saved.totals.read == 0


def test_an_error_of_the_warehouse_keeps_what_was_settled() -> None:
    pipe, sink, warehouse = pipe_of(100)
    warehouse.page = 10

    def fail(number: int) -> None:
        if number == 5:
            raise TransientError("The connection was lost.")

    warehouse.before_batch = fail
    with pytest.raises(TransientError, match=r"The connection was lost\."):
        pipe.run()
    warehouse.before_batch = lambda number: None
    assert pipe.run().totals.sent == 100
    assert {one["n"] for one in sink.taken} == set(range(100))


def test_a_bug_in_the_destination_is_raised_not_swallowed() -> None:
    pipe, sink, _ = pipe_of(20)

    def broken(objects: list[dict[str, Any]]) -> Answer:
        raise RuntimeError("a bug")

    sink.reply = broken
    with pytest.raises(RuntimeError, match="a bug"):
        pipe.run()


def test_rejects_that_cannot_be_written_end_the_try() -> None:
    pipe, sink, _ = pipe_of(20)
    (pipe.folder / "rejects").write_text("a file where the folder should be")
    sink.reply = lambda objects: Answer(Verdict.ACCEPTED, rejected={0: BAD})
    with pytest.raises((TransientError, OSError)):
        pipe.run()
    assert pipe.watermark.at is None


def test_a_crashed_tries_unfinished_reject_parts_are_removed() -> None:
    pipe, sink, _ = pipe_of(20)
    (pipe.folder / "rejects").mkdir()
    (pipe.folder / "rejects" / "part-000001.jsonl").write_text('{"code": "left over"}\n')
    sink.reply = lambda objects: Answer(Verdict.ACCEPTED, rejected={0: BAD})
    pipe.run()
    assert {one["code"] for one in pipe.rejects()} == {"bad"}
    assert len(pipe.rejects()) == 4


@pytest.mark.parametrize(
    ("totals", "read"),
    [
        (Totals(10, 9), 10),
        (Totals(10, 10), 11),
        (Totals(10, 9, 1), 10),
        (Totals(10, 9, 1, 1, {"bad": 1}), 10),
    ],
)
def test_books_that_do_not_balance_are_fatal(totals: Totals, read: int) -> None:
    with pytest.raises(FatalError, match=r"The books do not balance: .* The watermark stays where it is\."):
        check(totals, read)


def test_books_that_balance() -> None:
    check(Totals(10, 7, 2, 1, {"bad": 2}), 10)
