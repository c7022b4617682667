"""What the engine asks of a destination, and the few ways in which a destination can answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from activation.delivery.items import Items
from activation.errors import ActivationError


class Verdict(Enum):
    """What became of a request, and so what the engine does next."""

    ACCEPTED = "accepted"
    """The items are in, except those that ``Answer.rejected`` names."""
    REFUSED = "refused"
    """Not accepted as a whole: the engine halves it until the bad item stands alone."""
    LIMITED = "limited"
    """Too early: the engine waits and asks again, without counting it as a failed attempt."""
    FAILED = "failed"
    """The other side has a problem, or the line has: the engine backs off and asks again."""
    FATAL = "fatal"
    """Nothing can be delivered until a person has done something."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an item was refused: a code for counting, a text for people."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class RateNote:
    """What an answer said about the request budget of the current window.

    :ivar limit: requests that the window allows; ``None`` if not said.
    :ivar remaining: requests that are left of it; ``None`` if not said.
    :ivar reset_in: seconds until the next window begins; ``None`` if not said.
    :ivar exact: whether ``reset_in`` is exact, or whole seconds that may be rounded either way.
    :ivar retry_after: seconds to wait that the answer demands; ``None`` if not said.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_in: float | None = None
    exact: bool = True
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A destination's answer to one request.

    :ivar reason: why it was not accepted.
    :ivar rejected: index in the request -> why that item was refused, with verdict ``ACCEPTED``.
    :ivar error: what to raise, with verdict ``FATAL``.
    :ivar too_many: whether it was refused because it held too many items, with verdict ``REFUSED``.
    :ivar unknown: whether the items may be in all the same, with verdict ``FAILED``.
    """

    verdict: Verdict
    reason: Reason = Reason("", "")
    rejected: Mapping[int, Reason] = field(default_factory=dict)
    rate: RateNote | None = None
    error: ActivationError | None = None
    too_many: bool = False
    unknown: bool = False


class Sink(Protocol):
    """A destination that takes encoded items over the network."""

    async def open(self) -> None:
        """Prepare connections; runs in the loop that sends."""

    async def send(self, items: Items) -> Answer:
        """Send one request. Never raises for what the other side does: that is an :class:`Answer`."""

    async def close(self) -> None:
        """Give the connections back."""
