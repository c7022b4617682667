"""How many rows each part sends, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    :ivar first: seconds of the first import of a process, of few rows; it loads the libraries.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    ceilings: dict[int, float] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    memory: dict[int, tuple[int, int]] = field(default_factory=dict)
    first: float = 0.0
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every contestant sent exactly what it should."""
        return not self.failed and not any(self.exact.values())
