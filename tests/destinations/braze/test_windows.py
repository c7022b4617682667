"""The rate limit over HTTP: in every window the budget is used, and next to nothing is refused.

What a window used is read from the server's own count, which stands in each answer: its limit less the lowest rest.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from activation.cursor.boundary import Boundary
from activation.cursor.ledger import Ledger
from activation.cursor.progress import Progress, Totals
from activation.cursor.watermark import Watermark
from activation.delivery.answer import Answer, Verdict
from activation.delivery.cutting import Cutting
from activation.delivery.items import Items
from activation.delivery.reader import Reader, Source
from activation.delivery.rejects import Origin, Rejects
from activation.delivery.run import Plan, Run
from activation.destinations.braze.wire import BrazeSink, Endpoint
from sandbox.braze import ControlClient
from tests.records.encoding import ATTRIBUTES, attributes_encoder
from tests.support.memory import EXTRACT, ROLES, MemoryWarehouse, Row

pytestmark = pytest.mark.quiet

ROOT = Path(__file__).parents[3]
BURST, SECONDS = 750, 3
IDLE = 0.6
"""Seconds without an answer from which on a sender was not busy but waited."""

WINDOWS = 2
"""Whole windows that are judged; the first and the last one that a run touches are not whole."""


@dataclass
class Log:
    """What came back, in the order in which it came back.

    :ivar rests: number of the window -> the rests that its answers told.
    :ivar moments: number of the window -> when they came, seconds since the epoch.
    """

    rests: dict[int, list[int]] = field(default_factory=dict)
    moments: dict[int, list[float]] = field(default_factory=dict)
    limited: int = 0
    answers: int = 0

    def add(self, answer: Answer, now: float) -> None:
        self.answers += 1
        self.limited += answer.verdict is Verdict.LIMITED
        rate = answer.rate
        if rate is None or rate.reset_in is None or rate.remaining is None:
            return
        # The end is told exactly, or up to a second too late; windows are three seconds apart.
        window = round((now + rate.reset_in - (0.0 if rate.exact else 0.5)) / SECONDS) - 1
        self.rests.setdefault(window, []).append(rate.remaining)
        self.moments.setdefault(window, []).append(now)

    def longest_pause(self, window: int) -> float:
        """The longest time in a window in which nothing came back."""
        moments = [window * SECONDS, *self.moments[window], (window + 1) * SECONDS]
        return max(after - before for before, after in pairwise(moments))


class Watched:
    """A sink that writes down what the real one answers."""

    def __init__(self, sink: BrazeSink) -> None:
        self._sink = sink
        self.log = Log()

    async def open(self) -> None:
        await self._sink.open()

    async def send(self, items: Items) -> Answer:
        answer = await self._sink.send(items)
        self.log.add(answer, time.time())
        return answer

    async def close(self) -> None:
        await self._sink.close()


@contextmanager
def server(settings: dict[str, Any]) -> Iterator[ControlClient]:
    """A contract server in a process of its own, so that it does not share the interpreter with the sender."""
    command = [sys.executable, "-m", "sandbox.braze", "--settings", json.dumps(settings)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield ControlClient(process.stdout.readline().strip())
        finally:
            process.terminate()


def delivered(rows: list[Row], sink: Watched, folder: Path) -> Totals:
    """Send each row as a request of its own, with an encoder of its own, because several runs go side by side."""
    warehouse = MemoryWarehouse(rows)
    window = Boundary().open(Watermark(), now=10**9, at=0, nulls=0, latest=len(rows))
    encoder = attributes_encoder(ROLES)
    reader = Reader(Source(warehouse, EXTRACT, window, Progress()), encoder)
    run = Run(reader, sink, Ledger(Progress()), Rejects(folder, Origin("p", "r", 1)), Plan(Cutting(1)), lambda *_: None)
    try:
        return run()[0].totals
    finally:
        encoder.close()


def measured(headers: str, rejection: str, folder: Path) -> Log:
    rows = [Row(number, f"u{number}", number) for number in range(BURST * (WINDOWS + 1) + BURST // 2)]
    rate = {"track": {"burst": BURST, "burst_seconds": SECONDS}, "headers": headers, "rejection": rejection}
    with server({"rate": rate}) as control:
        sink = Watched(BrazeSink(Endpoint(control.url, "sandbox-key"), ATTRIBUTES, in_flight=16, timeout=10))
        totals = delivered(rows, sink, folder)
        summary = control.summary()
    assert (totals.sent, totals.rejected) == (len(rows), 0)
    assert summary["profiles"] == len(rows)
    assert summary["rate_limited"] == sink.log.limited
    assert summary["requests"]["total"] == sink.log.answers
    return sink.log


STYLES = [(headers, rejection) for headers in ("epoch", "seconds_left") for rejection in ("reset_headers", "retry_after")]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Log]:
    """One run for each style, side by side, because a run is mostly waiting."""
    with ThreadPoolExecutor(len(STYLES)) as pool:
        runs = [pool.submit(measured, *style, tmp_path_factory.mktemp("rejects")) for style in STYLES]
        return {style: run.result() for style, run in zip(STYLES, runs, strict=True)}


@pytest.mark.parametrize(("headers", "rejection"), STYLES)
def test_f17_the_budget_of_every_window_is_used(logs: dict[tuple[str, str], Log], headers: str, rejection: str) -> None:
    log = logs[headers, rejection]
    whole = sorted(log.rests)[1:-1]
    assert len(whole) >= WINDOWS
    assert whole == list(range(whole[0], whole[0] + len(whole))), "no window was passed over"
    for window in whole:
        share = (BURST - min(log.rests[window])) / BURST
        if share < 0.95 and log.longest_pause(window) < IDLE:
            pytest.skip(f"this machine is too slow to use the budget: it sent without a pause and used {share:.0%} of a window")
        assert share >= 0.95, f"{share:.0%} used, and nothing was sent for {log.longest_pause(window):.1f} s"


@pytest.mark.parametrize(("headers", "rejection"), STYLES)
def test_next_to_nothing_is_refused(logs: dict[tuple[str, str], Log], headers: str, rejection: str) -> None:
    log = logs[headers, rejection]
    assert log.limited <= max(1, 0.001 * log.answers)
