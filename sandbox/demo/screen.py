"""What the person who watches the demo sees."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """One line that stays."""
    tell("")
    print(text, flush=True)


def tell(text: str) -> None:
    """A line that the next one replaces, on a terminal; elsewhere nothing, so that logs stay short."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Tell every half second how long the block already takes.

    :param text: what is waited for.
    """
    over, began = threading.Event(), time.monotonic()

    def tick() -> None:
        while not over.wait(0.5):
            tell(f"   {time.monotonic() - began:4.0f} s  {text}")

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        tell("")
