"""Whole runs through the engine against the contract server: whatever it does, nothing is lost and only bad rows are rejected."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from activation.cursor.progress import Progress
from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.run import Plan
from activation.destinations.braze.wire import BrazeSink, Endpoint
from activation.errors import ConfigurationError, TransientError
from sandbox.braze import ApiKey, BrazeSandbox, Fault, Visibility
from tests.records.encoding import ATTRIBUTES
from tests.support.attempts import Pipe
from tests.support.memory import MemoryWarehouse, Row

USERS = 90
BATCH = 20
FAULTS = [
    *(Fault(kind, probability=0.25, seed=7) for kind in ("500", "502", "503", "504")),
    Fault("500", probability=0.25, seed=7, applied=True),
    Fault("503", probability=0.25, seed=7, applied=True, delay_ms=5),
    Fault("reset", probability=0.25, seed=7),
    Fault("reset", probability=0.25, seed=7, applied=True),
    Fault("slow", probability=0.5, seed=7, delay_ms=20),
    Fault("queued", probability=0.5, seed=7),
]


@dataclass(frozen=True)
class Bad(Row):
    """A row that keeps every rule of ours, and that the server refuses."""

    @property
    def payload(self) -> str:
        return json.dumps({"n": self.number, "email": f"nobody {self.number}"})


def rows_of(count: int, *bad: int) -> list[Row]:
    """Rows of users who come back every now and then, each at a moment of its own."""
    return [(Bad if number in bad else Row)(number, f"u{number * 7 % USERS}", number) for number in range(count)]


def latest(rows: list[Row]) -> dict[str | None, int]:
    return {row.user: row.number for row in rows if not isinstance(row, Bad)}


@pytest.fixture(autouse=True)
def quick(server: BrazeSandbox) -> None:
    server.change(answers={"latency_ms": 3}, rate={"enabled": False})


def pipe_of(
    server: BrazeSandbox, rows: list[Row], folder: Path, *, timeout: float = 10, attempts: int = 12, batch: int = BATCH
) -> Pipe:
    flight = Flight(8, attempts, max_delay=0.05, first_delay=0.005)
    sink = BrazeSink(Endpoint(server.url, server.key), ATTRIBUTES, in_flight=8, timeout=timeout)
    plan = Plan(Cutting(batch), flight=flight, checkpoint=0.02)
    return Pipe(MemoryWarehouse(rows, clock=10**6, page=150), sink, plan=plan, folder=folder)


def held(server: BrazeSandbox) -> dict[str, Any]:
    return {user["external_id"]: user["attributes"].get("n") for user in server.users()}


def check(server: BrazeSandbox, progress: Progress, rows: list[Row]) -> dict[str, Any]:
    """Everything is there, each user in the last state of his rows, and no two requests touched one user at a time."""
    bad = sum(isinstance(row, Bad) for row in rows)
    totals = progress.totals
    assert (totals.read, totals.sent, totals.rejected) == (len(rows), len(rows) - bad, bad)
    assert held(server) == latest(rows)
    summary = server.summary()
    assert summary["concurrency_violations"] == 0
    assert summary["max_concurrent_requests"] > 1, "the test is about requests side by side"
    return summary


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}{'-applied' if fault.applied else ''}")
def test_f17_under_a_fault_nothing_is_lost_and_each_users_order_is_kept(
    server: BrazeSandbox, fault: Fault, tmp_path: Path
) -> None:
    rows = rows_of(600)
    server.add_faults(fault)
    pipe = pipe_of(server, rows, tmp_path)
    summary = check(server, pipe.run(), rows)
    assert pipe.rejects() == []
    (rule,) = summary["faults"]
    assert rule["hits"] > 3
    resent = summary["resent_objects"]
    assert (resent > 0) == fault.applied, "what was in already is sent again only where nobody could know"


def test_all_faults_at_once(server: BrazeSandbox, tmp_path: Path) -> None:
    rows = rows_of(800, 5, 6, 7, 300, 799)
    server.add_faults(*(replace(fault, probability=0.08, seed=seed) for seed, fault in enumerate(FAULTS)))
    pipe = pipe_of(server, rows, tmp_path, attempts=20)
    check(server, pipe.run(), rows)
    assert sorted(reject["row"]["PAYLOAD"] for reject in pipe.rejects()) == sorted(rows[at].payload for at in (5, 6, 7, 300, 799))


def test_answers_that_come_too_late_are_asked_for_again(server: BrazeSandbox, tmp_path: Path) -> None:
    rows = rows_of(300)
    server.add_faults(Fault("slow", times=4, delay_ms=1_500))
    pipe = pipe_of(server, rows, tmp_path, timeout=0.4)
    totals = pipe.run().totals
    assert (totals.sent, totals.rejected) == (300, 0)
    assert held(server) == latest(rows)
    # The server counts a request that the client has given up as one that is still there, so overlaps are not judged.
    assert server.summary()["objects"]["attributes"]["accepted"] >= 300 + BATCH


BAD = (0, 1, 19, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 199, 210, 233, 399)
"""The first and last of a batch, a few in the middle, and a batch with no good row (40 to 59)."""


@pytest.mark.parametrize(("style", "text"), [("text", None), ("enum", "Braze: EMAIL_BAD_FORMAT"), ("unindexed", None)])
def test_f16_exactly_the_bad_rows_are_rejected_in_every_style_of_errors(
    server: BrazeSandbox, style: str, text: str | None, tmp_path: Path
) -> None:
    rows = rows_of(400, *BAD)
    server.change(answers={"error_style": style})
    pipe = pipe_of(server, rows, tmp_path)
    progress = pipe.run()
    summary = check(server, progress, rows)
    assert progress.totals.reasons == {"email_bad_format": len(BAD)}
    rejects = sorted(pipe.rejects(), key=lambda reject: int(json.loads(reject["row"]["PAYLOAD"])["n"]))
    assert [reject["row"] for reject in rejects] == [{"EXTERNAL_ID": rows[at].user, "PAYLOAD": rows[at].payload} for at in BAD]
    assert {reject["message"] for reject in rejects} == {
        text or "Braze: The value provided for the 'email' field is not a valid email."
    }
    resent = summary["resent_objects"]
    assert (resent > 0) == (style == "unindexed"), "only a batch whose bad row has no name is sent in parts again"


@pytest.mark.allows("count", "bytes")
@pytest.mark.parametrize("limits", [{"track": "combined_7"}, {"body_bytes": 300}, {"body_bytes": 300, "over_body_status": 400}])
def test_batches_that_are_too_large_are_halved(server: BrazeSandbox, limits: dict[str, Any], tmp_path: Path) -> None:
    rows = rows_of(200, 30, 31, 199)
    server.change(limits=limits)
    summary = check(server, pipe_of(server, rows, tmp_path).run(), rows)
    assert summary["resent_objects"] == 0


@pytest.mark.allows("bytes")
def test_a_row_too_large_for_any_request_is_rejected_alone(server: BrazeSandbox, tmp_path: Path) -> None:
    rows = rows_of(100)
    server.change(limits={"body_bytes": 60})
    rows[42] = Row(42, rows[42].user, 10**40)
    pipe = pipe_of(server, rows, tmp_path, batch=10)
    totals = pipe.run().totals
    assert (totals.sent, totals.rejected) == (99, 1)
    (reject,) = pipe.rejects()
    assert (reject["code"], reject["message"]) == ("refused_413", "Braze answered 413: Request Entity Too Large")
    assert reject["row"]["PAYLOAD"] == rows[42].payload


def test_a_request_that_always_fails_ends_the_try_and_the_next_one_sends_the_rest(server: BrazeSandbox, tmp_path: Path) -> None:
    rows = rows_of(400)
    server.add_faults(Fault("502", contains='"n":333}'.replace(":", ": ")))
    pipe = pipe_of(server, rows, tmp_path, attempts=3)
    with pytest.raises(TransientError, match=r"^The destination failed 3 times for the same request: Braze answered 502\.$"):
        pipe.run()
    assert 0 < pipe.saved.totals.read < 400
    server.clear_faults()
    check(server, pipe.run(), rows)
    assert server.summary()["resent_objects"] <= 8 * BATCH, "only what was in flight is sent twice"


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ([ApiKey("other-key")], r"^Braze refused the API key with 401 \(Invalid API key: \*\*\*\)\."),
        ([ApiKey("sandbox-key", frozenset({"users.export.ids"}))], r"^Braze forbids the call with 403 \(Access Denied\)\."),
    ],
)
def test_a_key_that_is_not_good_ends_the_run_with_nothing_sent(keys: list[ApiKey], text: str, tmp_path: Path) -> None:
    with BrazeSandbox(keys=keys) as server:
        pipe = pipe_of(server, rows_of(300), tmp_path)
        pipe.sink = BrazeSink(Endpoint(server.url, "sandbox-key"), ATTRIBUTES, in_flight=8, timeout=5)
        with pytest.raises(ConfigurationError, match=text):
            pipe.run()
        assert server.summary()["profiles"] == 0
        assert server.summary()["requests"]["total"] <= 8, "what was in flight, and no retry"
    assert pipe.saved.totals.read == 0


def test_f19_where_braze_applies_requests_out_of_order_nothing_is_lost_and_one_requests_rows_stay_in_order(
    server: BrazeSandbox, tmp_path: Path
) -> None:
    """Requests that Braze applies in another order than it took them in are beyond a sender (contracts: braze 2.6)."""
    rows = [Row(number, f"u{number // 4}", number) for number in range(400)]  # four rows in a row for each user
    server.change(visibility=Visibility(delay_ms=5, unordered=True, spread_ms=200))
    progress = pipe_of(server, rows, tmp_path).run()
    assert progress.totals.sent == 400
    server.settle()
    assert held(server) == latest(rows)
    again = [Row(1_000 + number, f"u{number * 7 % 100}", 1_000 + number) for number in range(800)]  # eight requests apart
    assert pipe_of(server, again, tmp_path).run().totals.sent == 800
    server.settle()
    found = held(server)
    assert len(found) == 100
    assert all(found[row.user] in {other.number for other in again if other.user == row.user} for row in again if row.user)
    summary = server.summary()
    assert summary["concurrency_violations"] == 0
    assert summary["objects"]["attributes"] == {"received": 1_200, "accepted": 1_200, "rejected": 0, "resent": 0}
