"""The engine: keeps a number of requests in flight, retries, halves refused batches, and settles each unit exactly once."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Iterable
from dataclasses import dataclass

from activation.cursor.ledger import Ledger
from activation.cursor.progress import Totals
from activation.delivery.answer import Answer, Reason, Sink, Verdict
from activation.delivery.budget import RateBudget
from activation.delivery.items import Items
from activation.delivery.units import Unit
from activation.errors import StoppedError, TransientError
from activation.records.encoded import Rejected

LEAD = 8
"""How far, in windows of requests in flight, the engine runs ahead of the oldest unit that is not settled."""


@dataclass(frozen=True, slots=True)
class Flight:
    """How the engine sends.

    :ivar in_flight: most requests under way at the same time.
    :ivar attempts: tries of one request before the run stops.
    :ivar max_delay: longest back-off pause in seconds.
    :ivar first_delay: seconds of the first back-off pause; it doubles from try to try, with jitter.
    :ivar reject_unknown: whether the items of a request with an unknown outcome are rejected instead of sent again.
    """

    in_flight: int = 16
    attempts: int = 8
    max_delay: float = 60.0
    first_delay: float = 0.25
    reject_unknown: bool = False


@dataclass(slots=True)
class Traffic:
    """What went over the line.

    :ivar requests: answered and unanswered requests.
    :ivar retries: requests that repeated an earlier one.
    :ivar limited: requests that were turned away because of the rate limit.
    :ivar bytes: encoded bytes of items that were sent, repetitions included.
    """

    requests: int = 0
    retries: int = 0
    limited: int = 0
    bytes: int = 0


class Engine:
    """Delivers units in the order of the rows, several at a time. Belongs to one event loop.

    :param ledger: told of every unit, and of how its rows ended.
    """

    def __init__(self, sink: Sink, ledger: Ledger, flight: Flight, budget: RateBudget) -> None:
        self._sink, self._ledger, self._flight, self._budget = sink, ledger, flight, budget
        self._queue: asyncio.Queue[Unit] = asyncio.Queue(maxsize=flight.in_flight)
        self._open: dict[int, asyncio.Event] = {}
        self._room = asyncio.Event()
        self._workers: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._most: float = math.inf  # items of a request, as far as the destination has told
        self.failure: BaseException | None = None
        self.failed = asyncio.Event()
        self.traffic = Traffic()
        self.settled: list[Unit] = []
        """Units that ended since the owner last emptied the list; they carry the rejects to keep."""

    def start(self) -> None:
        """Start sending what :meth:`put` is given."""
        self._workers = [asyncio.create_task(self._work()) for _ in range(self._flight.in_flight)]
        for worker in self._workers:
            worker.add_done_callback(self._ended)

    def _ended(self, worker: asyncio.Task[None]) -> None:
        if not worker.cancelled() and (error := worker.exception()) is not None:
            self.failure = self.failure or error
            self.failed.set()

    async def put(self, units: Iterable[Unit]) -> None:
        """Take the next units; waits while too many are open."""
        for unit in units:
            while len(self._ledger) >= LEAD * self._flight.in_flight:
                self._room.clear()
                await self._room.wait()
            self._ledger.add(unit.span)
            self._open[unit.number] = asyncio.Event()
            await self._queue.put(unit)

    async def drain(self) -> None:
        """Wait until all that was put is settled, or sending has failed."""
        waiting = [asyncio.ensure_future(self._queue.join()), asyncio.ensure_future(self.failed.wait())]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()

    async def stop(self, grace: float) -> None:
        """Send nothing new, let what is in flight finish, then end the workers.

        :param grace: seconds that the requests in flight are given.
        """
        self._stopping = True
        for worker in self._workers:
            if worker not in self._sending:
                worker.cancel()
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=grace)
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    async def _work(self) -> None:
        while not self._stopping:
            await self._settle(await self._queue.get())
            self._queue.task_done()

    async def _settle(self, unit: Unit) -> None:
        for number in unit.waits_for:
            if (previous := self._open.get(number)) is not None:
                await previous.wait()
        sent = unit.away
        pending = [*reversed(unit.requests)]
        while pending:
            items = pending.pop()
            if len(items) > self._most:
                pending += reversed(items.halves())
                continue
            answer = await self._ask(items)
            if answer.verdict is Verdict.ACCEPTED:
                sent += unit.own(items)
                for index, reason in answer.rejected.items():
                    sent -= self._refuse(unit, items.row(index), reason)
            elif len(items) == 1:
                self._refuse(unit, items.row(0), answer.reason)
            else:
                if answer.too_many:
                    self._most = min(self._most, len(items) - 1)
                pending += reversed(items.halves())
        self._close(unit, sent)

    @staticmethod
    def _refuse(unit: Unit, row: int, reason: Reason) -> int:
        """Note a refused row: with the unit, or for the unit that it belongs to. Gives 1 if it is the unit's own, else 0."""
        refused = Rejected(row, reason.code, reason.message)
        if unit.first <= row < unit.last:
            unit.rejected.append(refused)
            return 1
        unit.chunk.elsewhere[row] = refused
        return 0

    def _close(self, unit: Unit, sent: int) -> None:
        """Settle a unit whose requests are answered."""
        if unit.away:
            elsewhere = unit.chunk.elsewhere
            refused = [elsewhere.pop(row) for row in range(unit.first, unit.last) if row in elsewhere]
            unit.rejected += refused
            sent -= len(refused)
        reasons: dict[str, int] = {}
        for one in unit.rejected:
            reasons[one.code] = reasons.get(one.code, 0) + 1
        self._ledger.settle(unit.span, Totals(unit.rows, sent, len(unit.rejected), unit.skipped, reasons))
        self._open.pop(unit.number).set()
        self._room.set()
        unit.requests = ()
        if unit.rejected:
            self.settled.append(unit)

    async def _ask(self, items: Items) -> Answer:
        """Send one request until it is answered for good.

        :raises ActivationError: if it cannot be answered: the run must end.
        """
        attempt = 0
        while True:
            await self._budget.acquire()
            answer = await self._send(items)
            if answer.verdict is Verdict.FATAL:
                raise answer.error or TransientError(answer.reason.message)
            if answer.verdict in (Verdict.ACCEPTED, Verdict.REFUSED):
                return answer
            if answer.unknown and self._flight.reject_unknown:
                return Answer(Verdict.ACCEPTED, rejected=dict.fromkeys(range(len(items)), _UNKNOWN))
            self.traffic.retries += 1
            self._go_on()
            if answer.verdict is Verdict.LIMITED:
                self.traffic.limited += 1
                continue
            attempt += 1
            if attempt >= self._flight.attempts:
                raise TransientError(f"The destination failed {attempt} times for the same request: {answer.reason.message}")
            ceiling = min(self._flight.max_delay, self._flight.first_delay * 2**attempt)
            await asyncio.sleep(random.uniform(ceiling / 2, ceiling))  # noqa: S311 - jitter is no secret

    def _go_on(self) -> None:
        if self._stopping:
            raise StoppedError("The task was asked to stop.")

    async def _send(self, items: Items) -> Answer:
        self._go_on()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - always runs in a worker task
        self._sending.add(task)
        answer = Answer(Verdict.FAILED)
        try:
            answer = await self._sink.send(items)
        finally:
            self._sending.discard(task)
            lost = answer.verdict in (Verdict.FAILED, Verdict.FATAL) and answer.rate is None
            self._budget.release(answer.rate, refused=answer.verdict is Verdict.LIMITED, lost=lost)
        self.traffic.requests += 1
        self.traffic.bytes += len(items.data)
        return answer


_UNKNOWN = Reason(
    "outcome_unknown", "No answer came, so nobody knows whether the row is in. It was not sent again (on_unknown: reject)."
)
