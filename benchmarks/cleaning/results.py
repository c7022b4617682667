"""How many rows are cleaned, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass, field

WAYS = ("ours", "pandas")


@dataclass(frozen=True)
class Sizes:
    """How many rows each part of the benchmark cleans.

    :ivar rows: rows that both ways clean.
    :ivar few: rows of a smaller table and ``many`` of a larger one, which only ours cleans, to see whether its memory grows.
    :ivar warm: rows that every process cleans first, so that loading the libraries is not counted.
    :ivar repeat: times that ours cleans ``rows``; the median counts.
    """

    rows: int
    few: int
    many: int
    warm: int
    repeat: int = 3

    def all(self) -> list[int]:
        """The sizes of the tables that are needed."""
        return sorted({self.warm, self.few, self.rows, self.many})


def full(rows: int) -> Sizes:
    """The sizes of a real measurement."""
    return Sizes(rows, rows // 10, rows * 2, 1_000)


def quick(rows: int) -> Sizes:
    """The sizes of a smoke test: everything is cleaned once."""
    return Sizes(rows, rows, rows, 1_000, repeat=1)


@dataclass(frozen=True)
class Run:
    """One line of the table.

    :ivar seconds: wall time, the median if there were several runs.
    :ivar memory: resident bytes before.
    :ivar peak: the most resident bytes during it.
    """

    way: str
    rows: int
    seconds: float
    memory: int
    peak: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: way and rows -> what is wrong with the files or the counts; empty: exact.
    :ivar broken: way -> why it gave no number.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether both wrote exactly what the table asks for."""
        return not self.broken and not any(self.exact.values())

    def of(self, way: str) -> list[Run]:
        """What was measured of a way, the fewest rows first."""
        return sorted((run for run in self.runs if run.way == way), key=lambda run: run.rows)
