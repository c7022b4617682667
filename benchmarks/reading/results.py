"""How many rows are read, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sizes:
    """How many rows each part of the benchmark reads.

    :ivar few: rows of the smaller table: a slow way is measured with this one only.
    :ivar many: rows of the larger table: ours reads it too, to see whether its memory grows.
    :ivar warm: rows of the table that every process reads first, so that loading the libraries is not counted.
    :ivar repeat: times that ours is measured; the median counts.
    :ivar patience: seconds that another way may take for all rows, by its speed on the smaller table.
    """

    rows: int
    few: int
    many: int
    warm: int
    repeat: int = 3
    patience: float = 60.0

    def all(self) -> list[int]:
        """The sizes of the tables that are needed."""
        return sorted({self.warm, self.few, self.rows, self.many})


def full(rows: int) -> Sizes:
    """The sizes of a real measurement."""
    return Sizes(rows, rows // 5, 2 * rows, min(1_000, rows // 10))


def quick(rows: int) -> Sizes:
    """The sizes of a smoke test: everything is read once, since each process takes seconds to load its libraries."""
    return Sizes(rows, rows, rows, rows // 10, repeat=1)


@dataclass(frozen=True)
class Reading:
    """One line of the table.

    :ivar seconds: wall time with opening the connection, the median if there were several runs.
    :ivar memory: resident bytes before.
    :ivar peak: the most resident bytes during it.
    :ivar fetched: seconds of the last run once the first rows were there; ``None`` where that moment cannot be seen.
    """

    engine: str
    way: str
    rows: int
    seconds: float
    memory: int
    peak: int
    fetched: float | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: engine -> what is wrong with the content of ours; empty: exact.
    :ivar failed: engine -> why it was not measured to the end.
    :ivar broken: engine and way -> why this way gave no number.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    broken: dict[tuple[str, str], str] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether ours read exactly the rows of every engine."""
        return not self.failed and not any(self.exact.values())

    def of(self, engine: str, way: str) -> list[Reading]:
        """What was measured of a way, the fewest rows first."""
        found = [one for one in self.readings if (one.engine, one.way) == (engine, way)]
        return sorted(found, key=lambda one: one.rows)
