"""Keeps every exchange, and says afterwards where one broke the contract (row S16).

The comparison takes some twenty times as long as the answer itself, so it is made when somebody asks for the violations.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from sandbox.braze.inspection import Recorded, violations_of
from sandbox.braze.replies import Reply
from sandbox.braze.settings import Validation

__all__ = ["Recorded", "Recorder"]


class Recorder:
    """The exchanges that wait for their comparison, and what the others gave."""

    def __init__(self, rules: Validation) -> None:
        self._rules = rules
        self._waiting: deque[Recorded] = deque()
        self._bytes = 0
        self._number = 0
        self._found: list[dict[str, Any]] = []

    @property
    def enabled(self) -> bool:
        """Whether exchanges are kept."""
        return self._rules.enabled

    def change(self, rules: Validation) -> None:
        """Use other rules for the exchanges to come."""
        self._rules = rules

    def add(self, record: Recorded, reply: Reply) -> None:
        """Keep an exchange that has got its answer."""
        if not self._rules.enabled:
            return
        self._number += 1
        record.number = self._number
        record.reply = reply
        self._waiting.append(record)
        self._bytes += len(record.body)
        while self._bytes > self._rules.pending_bytes:
            self._compare()

    def compared(self) -> Iterator[None]:
        """Compare what waits, one exchange a step."""
        while self._waiting:
            self._compare()
            yield

    def violations(self) -> list[dict[str, Any]]:
        """What broke the contract, in the order of the exchanges, among those that were compared."""
        return self._found

    def _compare(self) -> None:
        record = self._waiting.popleft()
        self._bytes -= len(record.body)
        self._found += violations_of(record)
