"""The switches of the server: immutable, in small groups. Changing one makes a new tree (see ``patching``)."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal, NamedTuple

from sandbox.braze import contract

ErrorStyle = Literal["text", "enum", "unindexed"]
HeaderStyle = Literal["epoch", "seconds_left"]
RejectionStyle = Literal["reset_headers", "retry_after"]
FaultKind = Literal["500", "502", "503", "504", "reset", "slow", "queued"]

_PROFILE = re.compile(r"(combined|per_array|bulk)_([1-9][0-9]*)")


class ObjectLimit(NamedTuple):
    """How many objects a request may hold: in total, or in each array (row S4)."""

    combined: bool
    objects: int


@lru_cache(maxsize=64)
def object_limit(profile: str) -> ObjectLimit:
    """Read a profile name: ``combined_N`` and ``bulk_N`` count all arrays together, ``per_array_N`` each one.

    Raises:
        ValueError: the name has another form.
    """
    match = _PROFILE.fullmatch(profile)
    if match is None:
        raise ValueError(f"unknown limit profile {profile!r}; allowed: combined_N, per_array_N, bulk_N")
    return ObjectLimit(combined=match[1] != "per_array", objects=int(match[2]))


def _at_least(minimum: float, **values: float | None) -> None:
    for name, value in values.items():
        if value is not None and value < minimum:
            raise ValueError(f"{name} must be at least {minimum:g}, not {value:g}")


@dataclass(frozen=True)
class Limits:
    """Sizes of a request (rows S3 and S4): profiles, bytes, the status for a body that is too large."""

    track: str = contract.TRACK_PROFILE
    bulk: str = contract.BULK_PROFILE
    bulk_per_user: int = contract.BULK_OBJECTS_PER_USER
    body_bytes: int = contract.BODY_BYTES
    bulk_body_bytes: int = contract.BULK_BODY_BYTES
    over_body_status: Literal[400, 413] = contract.OVER_BODY_STATUS
    export_ids: int = contract.EXPORT_IDS

    def __post_init__(self) -> None:
        object_limit(self.track)
        object_limit(self.bulk)
        _at_least(1, bulk_per_user=self.bulk_per_user, export_ids=self.export_ids)
        _at_least(1, body_bytes=self.body_bytes, bulk_body_bytes=self.bulk_body_bytes)


@dataclass(frozen=True)
class Windows:
    """Requests allowed in each fixed window of the clock (row S11); ``None`` means no such window."""

    burst: int | None = None
    burst_seconds: int = 1
    minute: int | None = None
    hour: int | None = None

    def __post_init__(self) -> None:
        _at_least(0, burst=self.burst, minute=self.minute, hour=self.hour)
        _at_least(1, burst_seconds=self.burst_seconds)


@dataclass(frozen=True)
class Rate:
    """Rate limits of each endpoint and how they are told (row S11). The limits hold for all keys together."""

    enabled: bool = True
    track: Windows = Windows(burst=contract.TRACK_BURST, burst_seconds=contract.TRACK_BURST_SECONDS)
    bulk: Windows = Windows(burst=contract.BULK_BURST, burst_seconds=contract.BULK_BURST_SECONDS)
    export: Windows = Windows(minute=contract.EXPORT_PER_MINUTE)
    headers: HeaderStyle = "epoch"
    rejection: RejectionStyle = "reset_headers"


@dataclass(frozen=True)
class Answers:
    """Time and form of the answers: milliseconds before each, form of the errors (rows S2, S6)."""

    latency_ms: float = 0
    error_style: ErrorStyle = "text"
    trailing_slash_status: Literal[403, 404] = 403
    bulk_needs_own_permission: bool = True

    def __post_init__(self) -> None:
        _at_least(0, latency_ms=self.latency_ms)


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
        _at_least(0, delay_ms=self.delay_ms, spread_ms=self.spread_ms)


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
        _at_least(0, times=self.times, probability=self.probability, delay_ms=self.delay_ms)
        if self.probability > 1:
            raise ValueError(f"probability must be at most 1, not {self.probability:g}")


@dataclass(frozen=True)
class Faults:
    """The fault rules in force, in the order in which they are tried."""

    rules: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Settings:
    """All switches. Each can be changed while the server runs."""

    limits: Limits = field(default_factory=Limits)
    rate: Rate = field(default_factory=Rate)
    answers: Answers = field(default_factory=Answers)
    visibility: Visibility = field(default_factory=Visibility)
    faults: Faults = field(default_factory=Faults)


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
