"""Counts for the summary, and the last requests."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any, Final

from sandbox.braze.identity import IdentityKey
from sandbox.braze.wire import ARRAYS

_TAIL: Final = 200


@dataclass(slots=True)
class Exchange:
    """One request as it is handled; ``started`` in epoch seconds, ``size`` in bytes, ``status`` or ``"reset"``.

    ``parameters`` are those of the path, ``query`` those behind it.
    """

    method: str
    path: str
    started: float
    size: int = 0
    users: set[IdentityKey] = field(default_factory=set)
    accepted: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    rate_headers: dict[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    fault: str | None = None
    status: str = ""


@dataclass(slots=True)
class ArrayCounts:
    """Objects of one array. Received ones that are neither accepted nor rejected fell with their whole request."""

    received: int = 0
    accepted: int = 0
    rejected: int = 0
    resent: int = 0


class Stats:
    """Everything the summary counts, since the start or the last reset."""

    def __init__(self) -> None:
        self.arrays = {name: ArrayCounts() for name in ARRAYS}
        self._by_status: Counter[str] = Counter()
        self._bytes = 0
        self._first: float | None = None
        self._last: float | None = None
        self._tail: deque[dict[str, Any]] = deque(maxlen=_TAIL)
        self._seen: dict[str, set[int]] = {name: set() for name in ARRAYS}

    def accepted(self, array: str, objects: Sequence[bytes]) -> int:
        """Count accepted objects and how many of them equal an earlier one.

        Equal means the same bytes, identifier included: key order and white space count. A collision of the 64-bit
        hashes would count one too many; with ten million objects that has a chance of about one in 400,000.
        """
        hashes = [hash(sent) for sent in objects]
        seen = self._seen[array]
        before = len(seen)
        seen.update(hashes)
        counts = self.arrays[array]
        counts.accepted += len(hashes)
        counts.resent += len(hashes) - (len(seen) - before)
        return len(hashes)

    def finish(self, exchange: Exchange, now: float) -> None:
        """Count an answered request and keep it in the tail."""
        self._by_status[exchange.status] += 1
        self._bytes += exchange.size
        if self._first is None:
            self._first = exchange.started
        self._last = now
        self._tail.append(
            {
                "time": _stamp(exchange.started),
                "method": exchange.method,
                "path": exchange.path,
                "status": exchange.status,
                "accepted": exchange.accepted,
                "rejected": exchange.rejected,
                "bytes": exchange.size,
                "milliseconds": round((now - exchange.started) * 1000, 3),
                "fault": exchange.fault,
            }
        )

    def requests(self) -> list[dict[str, Any]]:
        """The last 200 requests, oldest first. They hold no header, so no key."""
        return list(self._tail)

    def summary(self) -> dict[str, Any]:
        """The counts as JSON values; times in ISO 8601."""
        return {
            "requests": {
                "total": self._by_status.total(),
                "by_status": dict(sorted(self._by_status.items())),
                "bytes": self._bytes,
                "first": self._first and _stamp(self._first),
                "last": self._last and _stamp(self._last),
            },
            "rate_limited": self._by_status["429"],
            "objects": {name: asdict(counts) for name, counts in self.arrays.items()},
            "resent_objects": self.arrays["attributes"].resent,
        }


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
