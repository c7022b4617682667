"""The rate budget: how many requests the current window still allows, as the answers' headers tell it.

A window is opened with a single request; its answer says how many more may follow. So a wrong guess about the window's
beginning costs one refused request, not one for every request in flight.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from activation.delivery.answer import RateNote

_MARGIN = 0.02  # seconds after a window's announced end before the next request; grows while the other clock proves late
_MOST_MARGIN = 2.0
_FORGET = 0.98  # of a grown margin is left after each window that it was enough for
_ROUNDING = 1.2  # seconds by which two answers may differ about the end of one window


class RateBudget:
    """Hands out permits to send. All methods belong to one event loop.

    :param clock: monotonic seconds.
    :param share: of each window's limit that this sender may use, 0 to 1; the rest is left to others.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, share: float = 1.0) -> None:
        self._clock, self._share = clock, share
        self._own = 0  # requests that were permitted in this window
        self._most = math.inf  # that may be, where the window's limit is known
        self._left: float = 1
        self._ends: float | None = None
        self._lowest: float = 0  # that an answer of this window has said is left
        self._rounded_down = False
        self._margin = _MARGIN
        self._flying = 0
        self._opening = True
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def flying(self) -> int:
        """Requests that were permitted and are not answered."""
        return self._flying

    async def acquire(self) -> None:
        """Wait until one more request may be sent."""
        while not self._take():
            pause = None if self._ends is None else max(0.0, self._ends - self._clock())
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await asyncio.wait([waiter], timeout=pause)
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)

    def _take(self) -> bool:
        if self._ends is not None and self._clock() >= self._ends and self._left < 1:
            self._left, self._ends, self._opening, self._own = 1, None, True, 0  # a new window: one request opens it
        if self._left < 1:
            return False
        self._left -= 1
        self._own += 1
        self._flying += 1
        return True

    def release(self, note: RateNote | None, *, refused: bool = False, lost: bool = False) -> None:
        """Learn from an answer.

        :param note: what it said about the budget; ``None`` if nothing: then nothing limits the sender.
        :param refused: whether the request was turned away for coming too early.
        :param lost: whether there was no answer at all, so nothing was learned.
        """
        self._flying -= 1
        if refused:
            self._back_off(note)
        elif note is not None and note.remaining is not None:
            self._learn(note, note.remaining)
            if self._share < 1 and note.limit is not None:
                self._most = max(1, int(self._share * note.limit))
        elif self._ends is None:
            self._left = max(self._left, 1) if lost else math.inf
        if self._ends is not None:
            # Those in flight may be counted in the lowest number or not. Answers overtake each other, so no other one counts.
            self._left = max(0, min(self._lowest - self._flying, self._most - self._own))
        self._opening = self._opening and lost
        self._wake()

    def _learn(self, note: RateNote, remaining: int) -> None:
        ends = self._end_of(note)
        if self._ends is None or ends > self._ends + _ROUNDING:
            self._ends, self._lowest = ends, remaining
            self._margin = max(_MARGIN, self._margin * _FORGET)
        elif ends > self._ends - _ROUNDING:
            self._ends, self._lowest = min(self._ends, ends), min(self._lowest, remaining)

    def _end_of(self, note: RateNote) -> float:
        """When the window of an answer ends; in a second, if it does not say so."""
        self._rounded_down |= not note.exact and note.reset_in == 0
        slack = 1.0 if self._rounded_down and not note.exact else 0.0
        return self._clock() + (1.0 if note.reset_in is None else note.reset_in + slack) + self._margin

    def _back_off(self, note: RateNote | None) -> None:
        """Wait as long as the refusal says, whichever limit it comes from; the next request opens a window again."""
        note = note or RateNote()
        wait = note.reset_in if note.retry_after is None else note.retry_after
        if self._opening and (wait or 0.0) <= _ROUNDING:  # the request that should open the window came before the window did
            self._margin = min(_MOST_MARGIN, self._margin * 2)
        self._ends = self._end_of(note) if note.retry_after is None else self._clock() + note.retry_after + self._margin
        self._lowest = 0

    def _wake(self) -> None:
        free = len(self._waiting) if math.isinf(self._left) else int(self._left)
        for waiter in self._waiting[:free]:
            if not waiter.done():
                waiter.set_result(None)
        del self._waiting[:free]
        if self._left < 1:  # the window's end may have moved: those who sleep look again
            for waiter in self._waiting:
                if not waiter.done():
                    waiter.set_result(None)
            self._waiting.clear()
