"""How many records and profiles each part takes, and what was found out."""

from __future__ import annotations

from dataclasses import dataclass, field

LATENCY = 0.01
IN_FLIGHT = 32
"""Requests that ours has in flight."""

FAULTS = "InternalFailure"
"""What records fail with. A throttled record would say that its shard takes no more, and here each takes everything."""

OURS, DEFAULT = "ours", "ours, as it comes"
"""Ours sends until a deadline, as the others do, or with the pipeline's own ``retries: adobe``."""

LOOP, SERIAL, THREADS, LIBRARY = "put_record", "put_records", "threads", "async-kinesis"
PEERS = (LOOP, SERIAL, THREADS, LIBRARY)
WAYS = (
    *((name, False) for name in (OURS, *PEERS)),
    *((name, True) for name in (OURS, DEFAULT, SERIAL, THREADS, LIBRARY)),
)
"""Who is timed, and whether records fail; :data:`DEFAULT` differs only then, and PutRecord never fails here."""


@dataclass(frozen=True)
class Sizes:
    """How much each part of the benchmark takes.

    :ivar records: bytes of a message -> records.
    :ivar loop: records of the ``put_record`` loop.
    :ivar check: records of the content check of every sender.
    :ivar profiles: in the warehouse.
    :ivar checked: profiles of the warehouse whose whole content is compared.
    :ivar sample: profiles that the script in Python takes of the whole.
    :ivar repeat: times that is measured; the median counts.
    :ivar seconds: how long the stub's ceiling is measured.
    """

    records: dict[int, int]
    loop: int
    check: int
    profiles: int
    checked: int
    sample: int
    repeat: int = 5
    seconds: float = 2.0


def full(rows: int) -> Sizes:
    """The sizes of a real measurement.

    :param rows: small records; the others are in proportion.
    """
    return Sizes({200: rows, 2_000: rows // 4}, min(rows, 1_000), min(rows, 5_000), rows * 5, min(rows, 20_000), rows // 2)


def quick(rows: int) -> Sizes:
    """The sizes of a smoke test."""
    return Sizes({200: rows, 2_000: rows}, 20, rows, rows, rows, rows, repeat=1, seconds=0.2)


@dataclass(frozen=True)
class Timing:
    """One line of the first table.

    :ivar size: bytes of a message.
    :ivar seconds: wall time, the median if there were several runs.
    :ivar cpu: processor time of the sending process for one run, in seconds.
    """

    sender: str
    size: int
    faults: bool
    records: int
    calls: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Records a second."""
        return self.records / self.seconds


@dataclass(frozen=True)
class Found:
    """How long changes took to be found and encoded.

    :ivar profiles: that were looked at.
    :ivar changed: profiles among them that were encoded.
    :ivar parts: part -> seconds of it.
    :ivar run: seconds of the whole run with its sending; 0 if there was none.
    """

    way: str
    profiles: int
    changed: int
    seconds: float
    parts: dict[str, float] = field(default_factory=dict)
    run: float = 0.0


@dataclass
class Results:
    """Everything that was found out.

    :ivar exact: what was checked -> what is wrong with the content; empty: exact.
    :ivar failed: sender -> why it was not timed to the end.
    :ivar absent: sender -> why it does not run here.
    :ivar ceilings: bytes of a message -> records a second that the stub takes.
    :ivar others: share of the processors that other processes took, sampled between the parts; 0 to 1.
    """

    sizes: Sizes
    exact: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    ceilings: dict[int, float] = field(default_factory=dict)
    timings: list[Timing] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether everything that arrived is exactly what should."""
        return not self.failed and not any(self.exact.values())

    def timing(self, sender: str, size: int, *, faults: bool = False) -> Timing | None:
        """What was measured of a sender."""
        wanted = (sender, size, faults)
        return next((one for one in self.timings if (one.sender, one.size, one.faults) == wanted), None)
