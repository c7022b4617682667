"""How many rows are exported, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sizes:
    """How many rows each part of the benchmark exports.

    :ivar many: rows of the largest table: only ours exports it, to see whether its memory grows.
    :ivar few: rows of a smaller table: a slow way is measured with this one only.
    :ivar warm: rows of the table that every process exports first, so that loading the libraries is not counted.
    :ivar repeat: times that ours exports ``rows``; the median counts.
    :ivar patience: seconds that another way may take for all rows, by its speed on the smaller table.
    """

    rows: int
    many: int
    few: int
    warm: int
    repeat: int = 3
    patience: float = 240.0

    def all(self) -> list[int]:
        """The sizes of the tables that are needed."""
        return sorted({self.warm, self.few, self.rows, self.many})


def full(many: int) -> Sizes:
    """The sizes of a real measurement."""
    return Sizes(many // 10, many, many // 100, min(1_000, many // 1_000))


def quick(rows: int) -> Sizes:
    """The sizes of a smoke test: everything is exported once, since each process takes seconds to load its libraries."""
    return Sizes(rows, rows, rows, rows // 10, repeat=1)


@dataclass(frozen=True)
class Exported:
    """One line of the table.

    :ivar seconds: wall time, the median if there were several runs.
    :ivar memory: resident bytes before.
    :ivar peak: the most resident bytes during it.
    :ivar bytes: of the objects of the last run.
    """

    engine: str
    way: str
    form: str
    rows: int
    seconds: float
    memory: int
    peak: int
    bytes: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: engine, form and rows -> what is wrong with the content of ours; empty: exact.
    :ivar failed: engine -> why it was not measured to the end.
    :ivar broken: engine, way and form -> why this way gave no number.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[tuple[str, str, int], list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    broken: dict[tuple[str, str, str], str] = field(default_factory=dict)
    exports: list[Exported] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether what ours wrote was exactly the table, wherever it was read from."""
        return not self.failed and not any(self.exact.values())

    def of(self, engine: str, way: str, form: str) -> list[Exported]:
        """What was measured of a way, the fewest rows first."""
        found = [one for one in self.exports if (one.engine, one.way, one.form) == (engine, way, form)]
        return sorted(found, key=lambda one: one.rows)
