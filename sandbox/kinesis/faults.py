"""What goes wrong on purpose: rules that hit requests until they are used up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

KINDS: Final = ("fail", "error", "short", "timeout", "reset_before", "reset_after", "delay")
RECORD_CODES: Final = ("ProvisionedThroughputExceededException", "InternalFailure")
_NEEDS: Final = {"error": ("code",), "delay": ("ms",)}
_ALLOWED: Final = {
    "fail": ("code", "key", "every", "first"),
    "error": ("code",),
    "short": ("first",),
    "delay": ("ms",),
}
_COMMON: Final = ("do", "requests", "after", "stream", "operation")


@dataclass
class Fault:
    """One rule.

    :ivar do: ``fail`` (some records of the request), ``error`` (the request), ``short`` (the answer lacks its last records, all
        are kept), ``timeout`` (all is kept, no answer comes), ``reset_before`` and ``reset_after`` (the connection is reset,
        nothing or all is kept) or ``delay`` (``ms`` longer).
    :ivar requests: how many it still hits; ``None`` for all.
    :ivar after: how many it lets pass before.
    :ivar stream: only of this stream; empty for any.
    :ivar operation: only of this one; empty for any.
    :ivar how: what is special to ``do``: ``code``, ``ms``; of ``fail`` which records, by a pattern found in the partition key
        (``key``), every n-th (``every``, counted over all requests of the rule) or the first n (``first``); all if nothing is
        said. Of ``short`` how many are missing (``first``; default 1).
    """

    do: str
    requests: int | None
    after: int
    stream: str
    operation: str
    how: dict[str, Any]
    seen: int = 0

    @classmethod
    def of(cls, given: dict[str, Any]) -> Fault:
        """Read a rule as it is given over the control route; only ``do`` must be given.

        :raises ValueError: if there is no such fault, or a field that it does not have.
        """
        do = given.get("do")
        if do not in KINDS:
            raise ValueError(f"there is no fault {do!r}; there are {', '.join(KINDS)}")
        allowed = _ALLOWED.get(do, ())
        if unknown := set(given) - {*_COMMON, *allowed}:
            raise ValueError(f"a fault {do} has no {', '.join(sorted(unknown))}")
        if missing := [name for name in _NEEDS.get(do, ()) if name not in given]:
            raise ValueError(f"a fault {do} needs {missing[0]}")
        how = {name: given[name] for name in allowed if name in given}
        if do == "fail" and how.setdefault("code", RECORD_CODES[0]) not in RECORD_CODES:
            raise ValueError(f"a record fails with {' or '.join(RECORD_CODES)}, not {how['code']!r}")
        if "key" in how:
            re.compile(how["key"])
        operation = given.get("operation", "PutRecords")
        return cls(do, given.get("requests", 1), given.get("after", 0), given.get("stream", ""), operation, how)

    def meets(self, operation: str, stream: str) -> bool:
        """Whether it hits this request; counts."""
        if self.requests == 0 or (self.operation and self.operation != operation) or (self.stream and self.stream != stream):
            return False
        if self.after:
            self.after -= 1
            return False
        if self.requests is not None:
            self.requests -= 1
        return True

    def failing(self, keys: Sequence[str]) -> set[int]:
        """The places of the records that fail."""
        before, self.seen = self.seen, self.seen + len(keys)
        if "key" in self.how:
            pattern = re.compile(self.how["key"])
            return {place for place, key in enumerate(keys) if pattern.search(key)}
        if "every" in self.how:
            every = int(self.how["every"])
            return {place for place in range(len(keys)) if (before + place + 1) % every == 0}
        return set(range(min(len(keys), int(self.how.get("first", len(keys))))))


class Faults:
    """The rules in force, in the order in which they are tried."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, given: Iterable[dict[str, Any]]) -> None:
        """Add rules.

        :raises ValueError: if one of them is none; then none is added.
        """
        self._rules += [Fault.of(one) for one in given]

    def clear(self) -> None:
        """Forget all."""
        self._rules = []

    @property
    def any(self) -> bool:
        """Whether there is a rule at all."""
        return bool(self._rules)

    def pick(self, operation: str, stream: str) -> Fault | None:
        """The first rule that hits a request."""
        found = next((rule for rule in self._rules if rule.meets(operation, stream)), None)
        self._rules = [rule for rule in self._rules if rule.requests != 0]
        return found
