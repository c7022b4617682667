"""Checks and measures the senders, one after the other, and then the way from the warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks.command import Tell
from benchmarks.machine import busy
from benchmarks.processes import BenchmarkError, Outcome
from benchmarks.streaming import records
from benchmarks.streaming.results import (
    DEFAULT,
    FAULTS,
    IN_FLIGHT,
    LATENCY,
    LIBRARY,
    LOOP,
    OURS,
    PEERS,
    THREADS,
    WAYS,
    Results,
    Sizes,
    Timing,
)
from benchmarks.streaming.whole import Whole
from benchmarks.streaming.worker import Sender, Stub, ceiling
from sandbox.environments import telling


class Measurement:
    """One run of the benchmark.

    :param folder: takes what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell) -> None:
        self._sizes, self._folder, self._tell = sizes, folder, tell
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Check and measure everything."""
        for size, count in self._sizes.records.items():
            records.write(self._file(size), count, size)
        with telling(self._tell), Stub(self._folder) as stub, ExitStack() as held:
            self._stub = stub
            senders: dict[str, Sender] = {}
            for name in (OURS, *PEERS):
                with self._noted(name):
                    sender = held.enter_context(Sender(name, stub.url, self._folder))
                    self._checks(sender, name)
                    senders[name] = sender
            for size in self._sizes.records:
                self._results.others += busy(1.0)
                self._times(senders, size)
            self._ceiling()
            with self._noted("from the warehouse"):
                Whole(self._sizes, self._folder, self._tell, stub, self._results)()
        return self._results

    @contextmanager
    def _noted(self, name: str) -> Iterator[None]:
        """Go on with the others if one fails, or if the packages of the library cannot be installed."""
        try:
            yield
        except (BenchmarkError, RuntimeError) as error:
            self._tell(f"{name}: FAILED: {error}")
            missing = name == LIBRARY and isinstance(error, RuntimeError)
            (self._results.absent if missing else self._results.failed)[name] = str(error)

    def _file(self, size: int) -> Path:
        return self._folder / f"records of {size}"

    def _checks(self, sender: Sender, name: str) -> None:
        for size in self._sizes.records:
            for faults in (False, True):
                self._check(sender, name, size, faults=faults)

    def _send(self, sender: Sender, name: str, size: int, most: int, *, load: bool = False) -> Outcome:
        given = {"file": str(self._file(size)), "most": most, "load": load}
        if name in (OURS, DEFAULT):
            given |= {"in_flight": IN_FLIGHT, "retries": "until_deadline" if name == OURS else "adobe"}
        return sender.do(repeat=1, **given)

    def _check(self, sender: Sender, name: str, size: int, *, faults: bool) -> None:
        """
        :raises BenchmarkError: if the content is not exact; then no time is told.
        """
        most = min(self._sizes.loop if name == LOOP else self._sizes.check, self._sizes.records[size])
        self._stub.begin(faults=FAULTS if faults else "", keep=True)
        self._send(sender, name, size, most)
        counts = self._stub.end()
        wrong = records.differences(records.make(most, size), self._stub.records(), once=not faults)
        if faults and name != LOOP and not counts.failed:
            wrong.append("no record failed, so nothing was sent again")
        what = f"{name}, {most:,} records of {size:,} B{', 5 % failing' if faults else ''}"
        self._results.exact[what] = wrong
        if wrong:
            raise BenchmarkError(f"content of {what} is wrong: {'; '.join(wrong)}")
        self._tell(f"{what}: exact")

    def _times(self, senders: dict[str, Sender], size: int) -> None:
        """Time the senders on all records of a size, in turns, so that all see the same machine."""
        taken: dict[tuple[str, bool], list[tuple[Outcome, int]]] = {}
        for name, sender in senders.items():
            self._send(sender, name, size, self._most(name, size), load=True)
        for turn in range(self._sizes.repeat):
            for name, faults in WAYS:
                sender_name = OURS if name == DEFAULT else name
                if sender_name in senders and (turn == 0 or turn < self._turns(name, faults=faults)):
                    with self._noted(sender_name):
                        outcome = self._timed(senders[sender_name], name, faults, size)
                        taken.setdefault((name, faults), []).append(outcome)
        for (name, faults), outcomes in taken.items():
            seconds = median(outcome.seconds[0] for outcome, _ in outcomes)
            cpu = median(outcome.cpu for outcome, _ in outcomes)
            timing = Timing(name, size, faults, self._most(name, size), outcomes[0][1], seconds, cpu)
            self._results.timings.append(timing)
            self._tell(f"{name}: {size:,} B{', 5 % failing' if faults else ''}: {timing.rate:,.0f} records/s")

    @staticmethod
    def _turns(name: str, *, faults: bool) -> int:
        """How often a sender is timed: those that take long less often."""
        if name in (OURS, DEFAULT, THREADS):
            return 5
        return 1 if faults or name == LOOP else 3

    def _most(self, name: str, size: int) -> int:
        return self._sizes.loop if name == LOOP else self._sizes.records[size]

    def _timed(self, sender: Sender, name: str, faults: bool, size: int) -> tuple[Outcome, int]:
        most = self._most(name, size)
        self._stub.begin(latency=LATENCY, faults=FAULTS if faults else "")
        outcome = self._send(sender, name, size, most)
        counts = self._stub.end()
        if counts.records != most:
            raise BenchmarkError(f"{counts.records:,} records are in after a timed run, not {most:,}")
        return outcome, counts.requests

    def _ceiling(self) -> None:
        for size in self._sizes.records:
            self._stub.begin(latency=LATENCY)
            rate = ceiling(self._stub.url, self._folder, self._file(size), IN_FLIGHT, self._sizes.seconds)
            self._stub.end()
            self._results.ceilings[size] = rate
            self._tell(f"stub: {rate:,.0f} records/s of {size:,} B over {IN_FLIGHT} connections")
