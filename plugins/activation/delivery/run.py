"""One attempt at a window: a thread reads and encodes, a thread sends, and the caller's thread keeps the progress.

Only the caller's thread touches the stores, because Airflow's state belongs to the task's main thread; it also is the one that
gets signals.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import closing, suppress
from dataclasses import dataclass, field

from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress
from activation.delivery.answer import Sink
from activation.delivery.budget import RateBudget
from activation.delivery.cutting import Cutting
from activation.delivery.engine import LEAD, Engine, Flight, Traffic
from activation.delivery.order import KeyOrder
from activation.delivery.reader import Reader
from activation.delivery.rejects import Rejects
from activation.delivery.report import check, judge
from activation.delivery.units import Chunk, Unit, units_of
from activation.delivery.watch import Watch
from activation.errors import StoppedError

GRACE = 3.0
"""Seconds that requests in flight are given when the task is stopped; Airflow kills a task 5 s after it asked it to stop."""

SWITCH = 0.0005
"""Seconds after which a thread must give the interpreter's lock away. DuckDB and Arrow take it for a moment many times a batch;
with Python's usual 5 ms the reading thread would mostly wait for the sending one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How an attempt sends and saves.

    :ivar cutting: how requests are cut.
    :ivar checkpoint: seconds between two saves of the progress.
    :ivar max_reject_share: a run stops when a greater share of its rows (of at least 1,000) was rejected; 0 to 1.
    :ivar rate_share: share of the destination's rate limit that the run may use, 0 to 1.
    :ivar expected: rows that are left to read, for the share done in the log.
    """

    cutting: Cutting = field(default_factory=Cutting)
    flight: Flight = field(default_factory=Flight)
    checkpoint: float = 0.5
    max_reject_share: float = 1.0
    rate_share: float = 1.0
    expected: int = 0


class Run:
    """One attempt at a window.

    :param save: keeps the progress and the number of reject parts; called from the thread that calls :meth:`__call__`.
    """

    def __init__(
        self, reader: Reader, sink: Sink, ledger: Ledger, rejects: Rejects, plan: Plan, save: Callable[[Progress, int], None]
    ) -> None:
        self._reader, self._sink, self._ledger, self._rejects, self._plan = reader, sink, ledger, rejects, plan
        self._save = save
        self._engine: Engine | None = None
        self._loop = _new_event_loop()
        self._stop = asyncio.Event()
        self._chunks: asyncio.Queue[Chunk | BaseException | None] = asyncio.Queue(maxsize=2)
        self._reading = True
        self._asked_to_stop = False
        self._done = threading.Event()

    def stop(self) -> None:
        """Ask the attempt to finish what is in flight, keep its progress and end; from any thread or signal handler."""
        self._asked_to_stop = True
        self._reading = False
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def __call__(self) -> tuple[Progress, Traffic]:
        """Deliver the window.

        :returns: what is settled, over all attempts, and what this attempt sent.
        :raises StoppedError: if :meth:`stop` was called.
        :raises FatalError: if too many rows are rejected or the books do not balance.
        :raises ActivationError: whatever ended reading or sending; the progress is kept.
        """
        start = self._ledger.snapshot()
        outcome: Future[Traffic] = Future()
        sender = threading.Thread(target=self._send, args=(outcome,), name="deliver", daemon=True)
        watch = Watch(start.totals.read, self._plan.expected)
        sender.start()
        switching = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH)
        try:
            pause = self._plan.checkpoint
            while not self._done.wait(pause):
                began = time.monotonic()
                self._checkpoint(watch)
                # What the next save will not know yet must not be older than a checkpoint, so its own time counts.
                pause = max(self._plan.checkpoint / 2, self._plan.checkpoint - 2 * (time.monotonic() - began))
        finally:
            if not self._done.is_set():
                self.stop()
            sender.join()
            sys.setswitchinterval(switching)
            self._loop.close()
            progress = self._checkpoint(watch, final=True)
        traffic = outcome.result()
        if self._asked_to_stop:
            raise StoppedError(f"The task was asked to stop; {progress.totals.read:,} rows are settled; a retry sends the rest.")
        check(progress.totals, start.totals.read + self._reader.rows)
        return progress, traffic

    def _checkpoint(self, watch: Watch, *, final: bool = False) -> Progress:
        progress, units = self._snapshot()
        self._rejects.keep(units)
        self._reader.settle(units)
        self._save(progress, self._rejects.parts)
        watch.tell(progress, self._engine.traffic if self._engine else Traffic(), final=final)
        judge(progress.totals, self._plan.max_reject_share)
        return progress

    def _snapshot(self) -> tuple[Progress, list[Unit]]:
        taken: Future[tuple[Progress, list[Unit]]] = Future()
        if not self._done.is_set():
            self._loop.call_soon_threadsafe(lambda: taken.set_result(self._take()))
            while not self._done.is_set():
                with suppress(FutureTimeout):
                    return taken.result(timeout=0.2)
        return taken.result() if taken.done() else self._take()  # once the loop has ended, nothing is taken any more

    def _take(self) -> tuple[Progress, list[Unit]]:
        """The progress and the units with rejects since the last call; in the sending thread, or when it has ended."""
        settled: list[Unit] = []
        if self._engine is not None:
            settled, self._engine.settled = self._engine.settled, settled
        return self._ledger.snapshot(), settled

    def _send(self, outcome: Future[Traffic]) -> None:
        """The sending thread."""
        try:
            outcome.set_result(self._loop.run_until_complete(self._deliver()))
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            outcome.set_exception(error)
        finally:
            self._done.set()

    async def _deliver(self) -> Traffic:
        engine = self._engine = Engine(self._sink, self._ledger, self._plan.flight, RateBudget(share=self._plan.rate_share))
        await self._sink.open()
        engine.start()
        reading = asyncio.ensure_future(asyncio.to_thread(self._read))
        feeding = asyncio.ensure_future(self._feed(engine))
        others = [asyncio.ensure_future(self._stop.wait()), asyncio.ensure_future(engine.failed.wait())]
        try:
            await asyncio.wait([feeding, *others], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._reading = False
            for task in (feeding, *others):
                task.cancel()
            await engine.stop(GRACE)
            await self._sink.close()
            if not reading.done():
                self._reader.cancel()
            await reading
        if engine.failure is not None:
            raise engine.failure
        if feeding.done() and not feeding.cancelled():
            feeding.result()
        return engine.traffic

    def _read(self) -> None:
        """The reading thread: hands over the chunks, then ``None``, or the error that ended the reading."""
        try:
            with closing(self._reader.chunks()) as chunks:
                for chunk in chunks:
                    if not self._hand_over(chunk):
                        return
            self._hand_over(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the chunks are awaited
            self._hand_over(error)

    def _hand_over(self, chunk: Chunk | BaseException | None) -> bool:
        waiting = asyncio.run_coroutine_threadsafe(self._chunks.put(chunk), self._loop)
        while self._reading:
            with suppress(FutureTimeout):
                waiting.result(timeout=0.2)
                return True
        waiting.cancel()
        return False

    async def _feed(self, engine: Engine) -> None:
        order = KeyOrder((LEAD + 1) * self._plan.flight.in_flight)
        last: Unit | None = None
        number = 0
        while (chunk := await self._chunks.get()) is not None:
            if isinstance(chunk, BaseException):
                raise chunk
            units = units_of(chunk, number, self._plan.cutting)
            order.link(units)
            if last is not None:
                last.span.clean = bool(chunk.fresh[0])
            last, number = units[-1], number + len(units)
            await engine.put(units)
        if last is not None:
            last.span.clean = True
        await engine.drain()


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's if it is installed (extra ``uvloop``), else the standard library's."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
