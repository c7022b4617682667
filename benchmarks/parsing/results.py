"""How many files are read how often, and what was found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

OURS, LOOP, LOOP_OURS = "ours", "loop", "loop, our operators"
FACTORY, BLUEPRINT = "dag-factory", "blueprint"
FACTORY_OURS, BLUEPRINT_OURS = "dag-factory, our operators", "blueprint, our operators"

WAYS = (OURS, LOOP, LOOP_OURS, FACTORY, BLUEPRINT, FACTORY_OURS, BLUEPRINT_OURS)
LIGHT = (OURS, LOOP, LOOP_OURS, FACTORY, BLUEPRINT)
"""Those that are measured with every number of files; the rest only with :attr:`Sizes.middle`."""

COLD, UNCHANGED, BAG, FRESH, ONE, ONE_FRESH = "cold", "unchanged", "bag", "fresh", "one", "one fresh"
"""What is measured; *fresh* pays for the imports too."""


@dataclass(frozen=True)
class Sizes:
    """How many files are read.

    :ivar counts: of files, the fewest first.
    :ivar rounds: times that each number is measured; the median counts. More than :attr:`many` files three times.
    """

    counts: tuple[int, ...]
    rounds: int = 5
    many: int = 2_000

    @property
    def middle(self) -> int:
        """The number of files that the targets speak of: 1,000, or the nearest."""
        return min(self.counts, key=lambda count: abs(count - 1_000))

    def turns(self, count: int) -> int:
        """How often so many files are read."""
        return min(self.rounds, 3) if count > self.many else self.rounds

    def ways(self, count: int) -> Sequence[str]:
        """Who reads so many files."""
        return WAYS if count == self.middle else LIGHT


@dataclass(frozen=True)
class Timing:
    """What was measured of a way with a number of files.

    :ivar what: one of :data:`COLD` and so on.
    :ivar seconds: wall time of each round.
    :ivar cpu: processor time of each round, in seconds.
    """

    way: str
    count: int
    what: str
    seconds: tuple[float, ...]
    cpu: tuple[float, ...]

    @property
    def middle(self) -> float:
        """Median wall time, in seconds."""
        return median(self.seconds)

    @property
    def each(self) -> float:
        """Milliseconds of wall time a DAG."""
        return self.middle / self.count * 1_000


@dataclass(frozen=True)
class Imports:
    """What importing the library of a way takes beside airflow.sdk.

    :ivar base: seconds of airflow.sdk itself, the median.
    :ivar added: seconds on top of each round.
    :ivar heavy: modules that no DAG file should load and that came with it.
    """

    way: str
    base: float
    added: tuple[float, ...]
    heavy: tuple[str, ...]


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: way and files -> what is wrong with the DAGs; empty: they are the same.
    :ivar failed: way -> why it gave no number.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    imports: list[Imports] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether every way gave the same DAGs."""
        return not self.failed and not any(self.exact.values())

    def timing(self, way: str, count: int, what: str) -> Timing | None:
        """What was measured of a way."""
        wanted = (way, count, what)
        return next((one for one in self.timings if (one.way, one.count, one.what) == wanted), None)
