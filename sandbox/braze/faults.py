"""Which request meets which fault (row S12)."""

import random
from typing import Any

from sandbox.braze.patching import as_json
from sandbox.braze.settings import Fault, Faults


class _Rule:
    """A rule with its hits so far."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.hits = 0
        self._random = random.Random(fault.seed)
        self._text = None if fault.contains is None else fault.contains.encode()

    def meets(self, path: str, body: bytes) -> bool:
        fault = self.fault
        if fault.times is not None and self.hits >= fault.times:
            return False
        if fault.path is not None and fault.path != path:
            return False
        if self._text is not None and self._text not in body:
            return False
        return fault.probability >= 1 or self._random.random() < fault.probability


class FaultInjector:
    """The rules in force. A text condition looks at the raw body, so it sees JSON escapes as they were sent."""

    def __init__(self, faults: Faults) -> None:
        self._rules = [_Rule(fault) for fault in faults.rules]

    def change(self, faults: Faults) -> None:
        """Use other rules; those that stay in place keep their hits and their place in the random sequence."""
        kept = self._rules
        self._rules = []
        for position, fault in enumerate(faults.rules):
            same = position < len(kept) and kept[position].fault == fault
            self._rules.append(kept[position] if same else _Rule(fault))

    def pick(self, path: str, body: bytes) -> Fault | None:
        """The fault for this request, counted as a hit; ``None`` where it goes unharmed."""
        for rule in self._rules:
            if rule.meets(path, body):
                rule.hits += 1
                return rule.fault
        return None

    def summary(self) -> list[dict[str, Any]]:
        """Each rule with its ``hits``."""
        return [{**as_json(rule.fault), "hits": rule.hits} for rule in self._rules]
