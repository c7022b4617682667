"""What goes wrong on purpose: rules that hit API requests until they are used up (C10)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

UPLOADS: Final = ("register", "edit")
OPERATIONS: Final = (*UPLOADS, "register_url", "list", "delete", "delete_many", "usages", "ad_accounts")
_HOW: Final[dict[str, dict[str, Any]]] = {
    "error": {"code": -1, "detail": None, "status": None},
    "http": {"status": 500},
    "envelope_200": {"code": -813, "detail": 99000, "variant": "code"},
    "reset_before": {},
    "reset_upload": {"bytes": 1_000_000},
    "slow_read": {"bytes_per_second": 1_000_000},
    "slow_answer": {"ms": 1_000},
    "delay": {"ms": 1_000},
    "lost": {"how": "silent"},
    "extraction_error": {},
}
"""Fault -> what is special to it, with defaults."""
_ONLY_UPLOADS: Final = ("reset_upload", "slow_read", "extraction_error")
_COMMON: Final = ("do", "requests", "after", "operation", "account")
_WORDS: Final = {"variant": ("code", "extras"), "how": ("silent", "reset")}


@dataclass
class Fault:
    """One rule.

    ``error`` refuses with a ``code`` (of -813 with ``detail``; another HTTP ``status`` than usual if given), ``http`` with a
    ``status`` and a page instead of an envelope; ``envelope_200`` does the same with status 200 (``variant`` ``extras``:
    ``extras.status`` and ``extras.message``). None of them keeps anything. ``reset_before`` resets the connection before it
    reads the body, ``reset_upload`` when it has read so many ``bytes`` of files. ``slow_read`` takes an upload at
    ``bytes_per_second``, ``slow_answer`` sends the answer's body over ``ms``, ``delay`` sends it ``ms`` later. ``lost`` carries
    the request out and says nothing (``how``: ``silent`` until the client gives up, or ``reset``). ``extraction_error`` takes the
    upload, and the file ends in ERROR.

    :ivar requests: how many it still hits; ``None`` for all.
    :ivar after: how many it lets pass before.
    :ivar operation: only of this one (``register``, ``list``, …); empty for any.
    :ivar account: only of this ad account; empty for any.
    :ivar how: what is special to ``do``.
    """

    do: str
    requests: int | None
    after: int
    operation: str
    account: str
    how: dict[str, Any]

    @classmethod
    def of(cls, given: dict[str, Any]) -> Fault:
        """Read a rule as it is given over the control route; only ``do`` must be given, and it hits one request.

        :raises ValueError: if there is no such fault, or a field or value that it does not have.
        """
        do = given.get("do")
        if do not in _HOW:
            raise ValueError(f"there is no fault {do!r}; there are {', '.join(_HOW)}")
        if unknown := set(given) - {*_COMMON, *_HOW[do]}:
            raise ValueError(f"a fault {do} has no {', '.join(sorted(unknown))}")
        how = {**_HOW[do], **{name: value for name, value in given.items() if name in _HOW[do]}}
        for name, words in _WORDS.items():
            if name in how and how[name] not in words:
                raise ValueError(f"{name} of a fault {do} is one of {', '.join(words)}")
        operation, allowed = given.get("operation", ""), UPLOADS if do in _ONLY_UPLOADS else OPERATIONS
        if operation and operation not in allowed:
            raise ValueError(f"a fault {do} hits {', '.join(allowed)}, not {operation!r}")
        return cls(do, given.get("requests", 1), given.get("after", 0), operation, str(given.get("account", "")), how)

    def meets(self, operation: str, account: str) -> bool:
        """Whether it hits this request; counts."""
        if self.requests == 0 or self.operation not in ("", operation) or self.account not in ("", account):
            return False
        if self.do in _ONLY_UPLOADS and operation not in UPLOADS:
            return False
        if self.after:
            self.after -= 1
            return False
        if self.requests is not None:
            self.requests -= 1
        return True


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

    def pick(self, operation: str, account: str) -> Fault | None:
        """The first rule that hits a request."""
        found = next((rule for rule in self._rules if rule.meets(operation, account)), None)
        self._rules = [rule for rule in self._rules if rule.requests != 0]
        return found
