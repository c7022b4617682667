"""What is measured, in which order, and with how many rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import content, source
from benchmarks.processes import BenchmarkError, Place, Server, Worker, ceiling

LATENCY = 0.05
FLIGHTS = (16, 64)
PEERS = ("row loop", "batch loop", "drt-core")


@dataclass(frozen=True)
class Sizes:
    """How many rows each part of the benchmark sends.

    :ivar check: rows of the content check of every contestant.
    :ivar slow: peer -> rows at 50 ms; a peer that waits for each answer is timed on a sample.
    :ivar quick: peer -> rows at 0 ms.
    :ivar memory: rows of the imports whose memory is compared.
    :ivar repeat: times that ours is measured; the median counts.
    :ivar seconds: how long the server's ceiling is measured.
    """

    rows: int
    check: int
    slow: dict[str, int]
    quick: dict[str, int]
    memory: tuple[int, ...]
    repeat: int = 3
    seconds: float = 3.0

    def all(self) -> set[int]:
        """The sizes of the tables that are needed."""
        return {self.rows, self.check, *self.slow.values(), *self.quick.values(), *self.memory}


def full(rows: int) -> Sizes:
    """The sizes of a real measurement of so many rows."""
    sample = max(rows // 10, 75)
    return Sizes(
        rows,
        min(rows, 1_500),
        {"row loop": min(rows, 150), "batch loop": sample, "drt-core": sample},
        {"row loop": min(rows, 1_500), "batch loop": rows, "drt-core": rows},
        (rows, rows * 10),
    )


def quick(rows: int) -> Sizes:
    """Sizes for a smoke test: everything runs but the measurement of memory, and no number means anything."""
    few = min(rows, 300)
    return Sizes(rows, few, dict.fromkeys(PEERS, min(rows, 20)), dict.fromkeys(PEERS, few), (), 1, 0.2)


@dataclass(frozen=True)
class Timing:
    """One line of the table.

    :ivar rows: rows that were sent.
    :ivar seconds: wall time, the median if there were several runs.
    :ivar cpu: processor time of the sending process for one run, in seconds.
    """

    contestant: str
    latency: float
    in_flight: int
    rows: int
    requests: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: contestant and rows -> what is wrong with the content; empty: exact.
    :ivar failed: contestant -> why it was not timed to the end.
    :ivar ceilings: connections -> requests a second that the server answers.
    :ivar memory: rows -> resident bytes before the import, and the most during it.
    :ivar first: seconds that the first import of a process takes, which loads the libraries.
    """

    sizes: Sizes
    exact: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    ceilings: dict[int, float] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    memory: dict[int, tuple[int, int]] = field(default_factory=dict)
    first: float = 0.0

    @property
    def good(self) -> bool:
        """Whether every contestant sent exactly what it should."""
        return not self.failed and not any(self.exact.values())


Tell = Callable[[str], None]


class Measurement:
    """One run of the benchmark.

    :param folder: takes the database and what the processes write.
    :param tell: is told how far it is.
    """

    def __init__(self, sizes: Sizes, folder: Path, tell: Tell) -> None:
        self._sizes, self._folder, self._tell = sizes, folder, tell
        self._database = folder / "warehouse.duckdb"
        self._results = Results(sizes)

    def __call__(self) -> Results:
        """Check and measure everything."""
        self._tell(f"seeding tables with {', '.join(f'{rows:,}' for rows in sorted(self._sizes.all()))} rows")
        source.seed(self._database, self._sizes.all())
        with Server(self._folder) as server:
            self._server = server
            self._place = Place(server.url, str(self._database), str(self._folder))
            for name in ("ours", *PEERS):
                try:
                    self._contestant(name)
                except BenchmarkError as error:
                    self._tell(f"{name}: FAILED: {error}")
                    self._results.failed[name] = str(error)
            self._ceiling()
            if "ours" not in self._results.failed:
                self._memory()
        return self._results

    def _contestant(self, name: str) -> None:
        """Check one contestant's content, then time it."""
        sizes = self._sizes
        with Worker(name, self._place) as worker:
            self._check(worker, name, sizes.check)
            if name == "ours":
                self._check(worker, name, sizes.rows)
            for latency in (LATENCY, 0.0):
                if name == "ours":
                    for in_flight in FLIGHTS:
                        self._time(worker, name, latency, sizes.rows, in_flight=in_flight, repeat=sizes.repeat)
                else:
                    self._time(worker, name, latency, (sizes.slow if latency else sizes.quick)[name])

    def _check(self, worker: Worker, name: str, rows: int) -> None:
        """
        :raises BenchmarkError: if the content is not exact; then no time is told.
        """
        self._server.begin(keep=True)
        outcome = worker.run(rows, in_flight=FLIGHTS[-1])
        self._server.end()
        expected = [source.object_of(*row) for row in source.read(self._database, rows)]
        wrong = content.differences(expected, self._server.bodies())
        self._results.exact[name, rows] = wrong
        if name == "ours":
            self._results.first = self._results.first or outcome.seconds[0]
        if wrong:
            raise BenchmarkError(f"content of {rows:,} rows is wrong: {'; '.join(wrong)}")
        self._tell(f"{name}: content of {rows:,} rows is exact")

    def _time(self, worker: Worker, name: str, latency: float, rows: int, *, in_flight: int = 1, repeat: int = 1) -> None:
        self._server.begin(latency=latency)
        outcome = worker.run(rows, in_flight=in_flight, repeat=repeat)
        counts = self._server.end()
        if counts.objects != rows * repeat:
            raise BenchmarkError(f"{counts.objects:,} objects arrived in a timed run, not {rows * repeat:,}")
        timing = Timing(name, latency, in_flight, rows, counts.requests // repeat, median(outcome.seconds), outcome.cpu / repeat)
        self._results.timings.append(timing)
        self._tell(f"{name}: {latency * 1000:.0f} ms, {in_flight} in flight: {timing.rate:,.0f} rows/s")

    def _ceiling(self) -> None:
        for connections in FLIGHTS:
            self._server.begin()
            rate = ceiling(self._place, self._sizes.check, connections, self._sizes.seconds)
            self._server.end()
            self._results.ceilings[connections] = rate
            self._tell(f"server: {rate:,.0f} requests/s over {connections} connections")

    def _memory(self) -> None:
        for rows in self._sizes.memory:
            with Worker("ours", self._place) as worker:
                worker.run(self._sizes.check, in_flight=FLIGHTS[0])
                self._server.begin()
                outcome = worker.run(rows, in_flight=FLIGHTS[0])
                self._server.end()
            self._results.memory[rows] = (outcome.memory, outcome.peak)
            self._tell(f"ours: {rows:,} rows with a peak of {outcome.peak >> 20:,} MiB")
