"""What the server holds: the clock, tokens, files, faults and a log of requests."""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from pathlib import Path
from typing import Any, Final

from sandbox.kakao import contract
from sandbox.kakao.customer_file import CustomerFile
from sandbox.kakao.errors import Refused, envelope, not_found
from sandbox.kakao.faults import Fault, Faults
from sandbox.kakao.intake import Intake, Upload
from sandbox.kakao.settings import Settings
from sandbox.kakao.tokens import Token, Tokens

_KEPT_REQUESTS: Final = 10_000
_FIRST_ID: Final = 2656


class Clock:
    """Seconds since the epoch: the machine's time and what it was advanced, or frozen."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._frozen: float | None = None

    def now(self) -> float:
        """The time."""
        return (time.time() if self._frozen is None else self._frozen) + self._ahead

    def advance(self, seconds: float) -> None:
        """Put it forward."""
        self._ahead += seconds

    def freeze(self, frozen: bool) -> None:
        """Stop it, or let it run on from the machine's time."""
        if frozen != (self._frozen is not None):
            self._frozen = time.time() if frozen else None


class World:
    """Everything that one server knows.

    :param folder: where uploads are kept.
    :ivar calls: operation -> how often it was asked, refusals included.
    :ivar requests: the last requests, in the order in which they began.
    :ivar consent_error: what the authorize page shows to anybody (KOE...); empty for nothing.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings, self.folder, self._at_start = settings, folder, settings
        self.clock, self.tokens, self.faults = Clock(), Tokens(), Faults()
        self.clock.freeze(settings.states.frozen)
        self.calls: Counter[str] = Counter()
        self.requests: deque[dict[str, Any]] = deque(maxlen=_KEPT_REQUESTS)
        self.consent_error = ""
        self._files: dict[int, CustomerFile] = {}
        self._ids, self._uploads = itertools.count(_FIRST_ID), itertools.count(1)
        self._last: dict[tuple[str, ...], float] = {}

    def change(self, settings: Settings) -> None:
        """Set the switches anew."""
        self.settings = settings
        self.clock.freeze(settings.states.frozen)

    def files(self, account: str | None = None) -> list[CustomerFile]:
        """Files in their states of now, oldest first.

        :param account: only of this ad account.
        """
        now = self.clock.now()
        for one in list(self._files.values()):
            one.settle(now, self.settings.ids.match_ratio)
            if one.gone(now):
                del self._files[one.id]
        return [one for one in self._files.values() if account in (None, one.account)]

    def living(self, account: str) -> list[CustomerFile]:
        """Files that are not deleted."""
        return [one for one in self.files(account) if one.status != "DELETE"]

    def file(self, account: str, number: int) -> CustomerFile:
        """A file of an account by its id.

        :raises Refused: if the account has none.
        """
        found = next((one for one in self.living(account) if one.id == number), None)
        if found is None:
            raise not_found(f"customer file {number}")
        return found

    def add(self, account: str, name: str, upload: Upload, **more: Any) -> CustomerFile:
        """Keep a new file."""
        new = CustomerFile(next(self._ids), account, name, upload, self.clock.now(), **more)
        new.due = self.clock.now() + self.settings.states.complete_seconds
        self._files[new.id] = new
        return new

    def intake(self, fault: Fault | None) -> Intake:
        """A place for an upload."""
        return Intake(self.folder / f"upload-{next(self._uploads)}", self.settings, fault)

    def pace(self, token: Token, account: str, *, write: bool) -> None:
        """Let a call pass, or refuse it for its pace (C9). The key is the user, and of writes the ad account (2.5).

        :raises Refused: if the one before was too short a time ago; the time is still counted from that one.
        """
        limits, answers = self.settings.limits, self.settings.answers
        key = ("write", token.user, account) if write else ("read", token.user)
        window, now = limits.write_seconds if write else limits.read_seconds, self.clock.now()
        if window and now - self._last.get(key, -window) < window:
            if answers.rate == "-10":
                raise Refused(400, envelope(-10, contract.CODES[-10][1]))
            headers = {} if answers.retry_after is None else {"Retry-After": str(answers.retry_after)}
            raise Refused(429, envelope(contract.BUSINESS, contract.BUSINESS_MESSAGE), headers)
        self._last[key] = now

    def reset(self) -> None:
        """Forget files too, and set the switches as at the start; tokens stay, and the clock."""
        for one in self._files.values():
            one.upload.remove()
        self._files.clear()
        self.forget()
        self.consent_error = ""
        self.change(self._at_start)

    def forget(self) -> None:
        """Forget counts, faults and the pace; files and tokens stay."""
        self.calls.clear()
        self.requests.clear()
        self.faults.clear()
        self._last.clear()
