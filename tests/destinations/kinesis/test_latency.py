"""Percentiles over many records in bounded memory."""

from __future__ import annotations

import numpy as np
import pytest

from activation.destinations.kinesis.latency import Latency


@pytest.mark.parametrize("scale", [0.005, 1.0, 3_600.0])
def test_percentiles_are_wrong_by_two_percent_at_most(scale: float) -> None:
    seconds = np.random.default_rng(1).lognormal(0, 1.5, 400_000) * scale
    now = 1_800_000_000.0
    stamps = (now * 1e6 - seconds * 1e6).astype(np.int64)
    latency = Latency()
    for part in np.array_split(stamps, 800):
        latency.add(part, now)
    for share, found in ((0.5, latency.p50), (0.95, latency.p95)):
        assert found == pytest.approx(float(np.quantile(seconds, share)), rel=0.02, abs=0.001)
    assert latency.longest == pytest.approx(seconds.max(), rel=1e-6)
    assert latency.count == 400_000


def test_unknown_times_do_not_count() -> None:
    latency = Latency()
    latency.add(np.asarray([-1, -1]), 100.0)
    assert (latency.count, latency.p50, latency.p95, latency.longest) == (0, None, None, 0.0)


def test_changes_of_the_future_and_of_long_ago() -> None:
    latency = Latency()
    latency.add(np.asarray([200_000_000]), 100.0)
    assert latency.p50 == 0.0
    latency.add(np.asarray([0, 0, 0]), 1_800_000_000.0)
    assert latency.p50 is not None
    assert latency.p50 <= latency.longest == 1_800_000_000.0
