"""A loop whose time jumps instead of passing, and in it a server with fixed rate-limit windows and senders with a budget."""

from __future__ import annotations

import asyncio
import math
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from activation.delivery.answer import RateNote
from activation.delivery.budget import RateBudget

Told = Literal["exact", "ceil", "floor", "nothing"]


class VirtualLoop(asyncio.SelectorEventLoop):
    """While something is ready its time stands still; then it jumps to the next timer.

    :raises AssertionError: if nothing is ready and no timer is set: then everything would wait for ever.
    """

    def __init__(self, start: float) -> None:
        self.now = start
        super().__init__(_Jump(self))

    def time(self) -> float:
        return self.now

    def play(self, story: Coroutine[Any, Any, None]) -> None:
        """Run to the end of the story."""
        try:
            self.run_until_complete(story)
        finally:
            for task in asyncio.all_tasks(self):
                task.cancel()
            self.run_until_complete(asyncio.sleep(0))
            self.close()


class _Jump(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, f"at {self._loop.now:.3f} s everything waits for ever"
        self._loop.now += timeout
        return super().select(0)


@dataclass
class World:
    """A server that counts requests in windows of its own clock, and how it tells of them.

    :ivar told: how answers write when the window ends.
    :ivar alone: whether a refusal carries the seconds to wait and nothing else.
    :ivar skew: seconds by which the client's clock is ahead of the server's.
    :ivar way: gives the seconds that a request, or an answer, is under way.
    :ivar others: requests a second of somebody else, from the same budget.
    :ivar lost: the share of requests that are counted, and not answered.
    """

    limit: int = 1_500
    seconds: float = 3.0
    told: Told = "exact"
    alone: bool = False
    skew: float = 0.0
    way: Callable[[], float] = lambda: 0.004
    others: float = 0.0
    lost: float = 0.0
    start: float = 100.3
    loop: VirtualLoop = field(init=False)
    used: Counter[int] = field(default_factory=Counter)
    eaten: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    sent: int = 0
    windows: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loop = VirtualLoop(self.start)
        self._dice = random.Random(5)

    def run(self, budget: RateBudget, *, windows: int = 8, in_flight: int = 16) -> World:
        """Let senders that always have something to send keep to the budget, until so many windows have passed."""
        first = int(self.start // self.seconds)
        end = (first + windows + 2) * self.seconds
        self.loop.play(self._story(budget, in_flight, end))
        self.windows = list(range(first + 1, first + 1 + windows))
        return self

    @property
    def shares(self) -> list[float]:
        """For each whole window, the share of what others left that was used."""
        return [self.used[window] / (self.limit - self.eaten[window]) for window in self.windows]

    async def _story(self, budget: RateBudget, in_flight: int, end: float) -> None:
        neighbour = asyncio.ensure_future(self._eat()) if self.others else None
        await asyncio.gather(*(self._sender(budget, end) for _ in range(in_flight)))
        if neighbour is not None:
            neighbour.cancel()

    async def _sender(self, budget: RateBudget, end: float) -> None:
        while self.loop.now < end:
            await budget.acquire()
            self.sent += 1
            await self._request(budget)

    async def _request(self, budget: RateBudget) -> None:
        await asyncio.sleep(self.way())
        window = int(self.loop.now // self.seconds)
        left = (window + 1) * self.seconds - self.loop.now
        allowed = self.used[window] + self.eaten[window] < self.limit
        (self.used if allowed else self.refused)[window] += 1
        remaining = max(0, self.limit - self.used[window] - self.eaten[window])
        await asyncio.sleep(self.way())
        if self._dice.random() < self.lost:
            budget.release(None, lost=True)
        else:
            budget.release(self._note(window, left, remaining, allowed=allowed), refused=not allowed)

    def _note(self, window: int, left: float, remaining: int, *, allowed: bool) -> RateNote | None:
        if not allowed and (self.alone or self.told == "nothing"):
            return RateNote(exact=False, retry_after=float(max(1, math.ceil(left))))
        if self.told == "nothing":
            return None
        if self.told == "exact":
            announced = (window + 1) * self.seconds - (self.loop.now + self.skew)
            return RateNote(self.limit, remaining, max(0.0, announced), True)
        rounded = max(1, math.ceil(left)) if self.told == "ceil" else math.floor(left)
        return RateNote(self.limit, remaining, float(rounded), False)

    async def _eat(self) -> None:
        while True:
            await asyncio.sleep(self._dice.expovariate(self.others))
            window = int(self.loop.now // self.seconds)
            if self.used[window] + self.eaten[window] < self.limit:
                self.eaten[window] += 1
