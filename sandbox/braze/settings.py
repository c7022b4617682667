"""The switches of the server: immutable, in small groups. Changing one makes a new tree (see ``patching``)."""

from dataclasses import dataclass, field
from typing import Literal

from sandbox.braze import contract
from sandbox.braze.limits import Attributes, Limits, at_least
from sandbox.braze.rates import Rate

ErrorStyle = Literal["text", "enum", "unindexed"]
FaultKind = Literal["500", "502", "503", "504", "reset", "slow", "queued"]


@dataclass(frozen=True)
class Answers:
    """Time and form of the answers: milliseconds before each, form of the errors (rows S2, S6)."""

    latency_ms: float = 0
    error_style: ErrorStyle = "text"
    trailing_slash_status: Literal[403, 404] = 403
    bulk_needs_own_permission: bool = True

    def __post_init__(self) -> None:
        at_least(0, latency_ms=self.latency_ms)


@dataclass(frozen=True)
class Visibility:
    """When an accepted request becomes visible (row S8): after ``delay_ms``, in order or not.

    With ``unordered`` each request waits up to ``spread_ms`` longer, drawn from a generator seeded with ``seed``,
    so that requests are applied in another order than they came in.
    """

    delay_ms: float = 0
    unordered: bool = False
    spread_ms: float = 1_000
    seed: int = 0

    def __post_init__(self) -> None:
        at_least(0, delay_ms=self.delay_ms, spread_ms=self.spread_ms)


@dataclass(frozen=True)
class Fault:
    """One rule of row S12. It hits a request that meets all its conditions; the first rule that hits decides.

    ``kind`` is a status, ``reset`` (the connection is cut), ``slow`` (``delay_ms`` longer) or ``queued`` (202, always
    applied). ``applied`` says whether a status or a reset comes after the request was carried out.
    Conditions: ``path`` equal, ``contains`` found in the raw body, drawn with ``probability`` (seeded with ``seed``),
    and at most ``times`` hits. A rule without conditions hits every request until it is removed.
    """

    kind: FaultKind
    times: int | None = None
    probability: float = 1
    seed: int = 0
    contains: str | None = None
    path: str | None = None
    delay_ms: float = 0
    applied: bool = False

    def __post_init__(self) -> None:
        at_least(0, times=self.times, probability=self.probability, delay_ms=self.delay_ms)
        if self.probability > 1:
            raise ValueError(f"probability must be at most 1, not {self.probability:g}")


@dataclass(frozen=True)
class Faults:
    """The fault rules in force, in the order in which they are tried."""

    rules: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Validation:
    """Whether each exchange is kept, to be compared with the schemas when somebody asks (row S16).

    Up to ``pending_bytes`` of bodies wait for that; beyond it the oldest are compared at once, which is slow.
    """

    enabled: bool = True
    pending_bytes: int = 64_000_000  # some 10,000 requests of 75 small rows

    def __post_init__(self) -> None:
        at_least(0, pending_bytes=self.pending_bytes)


@dataclass(frozen=True)
class Settings:
    """All switches. Each can be changed while the server runs."""

    limits: Limits = field(default_factory=Limits)
    rate: Rate = field(default_factory=Rate)
    answers: Answers = field(default_factory=Answers)
    visibility: Visibility = field(default_factory=Visibility)
    faults: Faults = field(default_factory=Faults)
    attributes: Attributes = field(default_factory=Attributes)
    validation: Validation = field(default_factory=Validation)


@dataclass(frozen=True)
class ApiKey:
    """A key that the server knows, with the permissions it holds (rows S1 and S2)."""

    value: str = field(default="sandbox-key", repr=False)
    permissions: frozenset[str] = contract.ALL_PERMISSIONS

    def __post_init__(self) -> None:
        unknown = sorted(self.permissions - contract.ALL_PERMISSIONS)
        if unknown:
            allowed = ", ".join(sorted(contract.ALL_PERMISSIONS))
            raise ValueError(f"unknown permission {unknown[0]!r}; allowed: {allowed}")
        if not self.value:
            raise ValueError("an API key must not be empty")


@dataclass(frozen=True)
class Tls:
    """PEM files of the server's certificate (chain) and its private key; ``None`` if the first file holds both."""

    certificate: str
    private_key: str | None = None
