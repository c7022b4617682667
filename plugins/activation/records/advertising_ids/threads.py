"""Work on two threads: numpy, hashing and writing files let other threads run meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

THREADS = 2

T = TypeVar("T")
R = TypeVar("R")


def ahead(call: Callable[[T], R], items: Iterable[T]) -> Generator[R, None, None]:
    """Give the results in order, at most one more than there are threads ahead of the reader.

    Closing the generator early waits for what runs; what a call raises is raised here.
    """
    with ThreadPoolExecutor(THREADS, "advertising-ids") as pool:
        waiting = deque[Future[R]]()
        for item in items:
            waiting.append(pool.submit(call, item))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
