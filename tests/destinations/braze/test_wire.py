"""The sink over real sockets, against the contract server: what goes through, and what it says when nothing does."""

from __future__ import annotations

import gc
import json
import pickle

import pytest

from activation.delivery.answer import Verdict
from activation.destinations.braze.wire import BrazeSink, Endpoint
from sandbox.braze import ApiKey, BrazeSandbox, Fault
from tests.records.encoding import ATTRIBUTES

from .asking import ask, at, problem, trouble


def test_rows_arrive_as_they_were_written(server: BrazeSandbox) -> None:
    payload = {"이름": '김"철수"', "n": 12345678901234567890, "deep": {"a": [1, 2.5, True]}, "gone": "\\,}"}
    rows = [{"external_id": "u\n1", "payload": json.dumps(payload)}, {"email": "a@example.com"}]
    answer = ask(at(server), *rows)
    assert answer.verdict is Verdict.ACCEPTED
    assert answer.rate is not None
    assert answer.rate.limit == 3_000
    users = server.users()
    assert {user.get("external_id"): user["attributes"] for user in users if "external_id" in user} == {"u\n1": payload}
    assert server.summary()["objects"]["attributes"] == {"received": 2, "accepted": 2, "rejected": 0, "resent": 0}


def test_a_refused_row_is_named_and_the_others_are_in(server: BrazeSandbox) -> None:
    answer = ask(at(server), {"external_id": "u1"}, {"external_id": "u2", "payload": '{"email":"no"}'}, {"external_id": "u3"})
    assert answer.verdict is Verdict.ACCEPTED
    assert {index: reason.code for index, reason in answer.rejected.items()} == {1: "email_bad_format"}
    assert server.summary()["profiles"] == 2


@pytest.mark.allows("empty")
def test_a_request_with_nothing_in_it_tells_whether_the_key_is_good(server: BrazeSandbox) -> None:
    nothing = {"external_id": "u", "payload": None}
    answer = ask(at(server), nothing)
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    assert server.requests()[-1]["status"] == "400"
    assert ask(at(server, key="wrong"), nothing).verdict is Verdict.FATAL
    assert server.summary()["profiles"] == 0


def test_a_wrong_key(server: BrazeSandbox) -> None:
    answer = ask(at(server, key="wrong-key-0815"))
    assert problem(answer) == (
        "Braze refused the API key with 401 (Invalid API key: ***). "
        "Fix: Check that the connection's key is complete and belongs to the workspace and instance of its host."
    )
    assert answer.rate is None
    assert "0815" not in repr(answer)
    assert b"0815" not in pickle.dumps(answer)


def test_a_key_without_the_permission() -> None:
    with BrazeSandbox(keys=[ApiKey("reader", frozenset({"users.export.ids"}))]) as server:
        assert problem(ask(at(server))) == (
            "Braze forbids the call with 403 (Access Denied). "
            "Fix: Give the API key the permission users.track; the connection's host must have no path."
        )


def test_the_key_is_not_shown() -> None:
    endpoint = Endpoint("https://rest.iad-01.braze.com", "topsecret")
    sink = BrazeSink(endpoint, ATTRIBUTES, in_flight=1, timeout=1)
    assert "topsecret" not in repr(endpoint) + str(endpoint) + repr(sink)


def test_a_slow_answer_times_out_and_says_so(server: BrazeSandbox) -> None:
    server.add_faults(Fault("slow", delay_ms=2_000))
    assert trouble(ask(at(server), timeout=0.2)) == (
        f"{server.url} did not answer in time. If that stays so, check the connection's host."
    )
    server.clear_faults()
    assert ask(at(server), timeout=5).verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(("applied", "profiles"), [(False, 0), (True, 1)])
def test_a_connection_that_is_cut_before_or_after_the_rows_are_in(server: BrazeSandbox, applied: bool, profiles: int) -> None:
    server.add_faults(Fault("reset", times=1, applied=applied))
    assert trouble(ask(at(server))) == (
        f"{server.url} could not be reached (Connection reset by peer). If that stays so, check the connection's host."
    )
    assert server.summary()["profiles"] == profiles
    assert server.summary()["requests"]["by_status"] == {"reset": 1}, "it is the engine that asks again, not the connection"


def test_a_connection_that_is_cut_while_others_were_kept(server: BrazeSandbox) -> None:
    server.add_faults(Fault("reset", contains="poison"))
    assert trouble(ask(at(server), {"external_id": "poison"}, times=2))
    assert server.summary()["requests"]["by_status"] == {"reset": 2}


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        (Fault("500"), Verdict.FAILED),
        (Fault("502"), Verdict.FAILED),
        (Fault("503", applied=True), Verdict.FAILED),
        (Fault("504"), Verdict.FAILED),
        (Fault("queued"), Verdict.ACCEPTED),
        (Fault("slow", delay_ms=5), Verdict.ACCEPTED),
    ],
)
def test_faults_of_the_server(server: BrazeSandbox, fault: Fault, verdict: Verdict) -> None:
    server.add_faults(fault)
    answer = ask(at(server))
    assert answer.verdict is verdict
    assert answer.rate is not None
    assert server.summary()["profiles"] == (fault.applied or verdict is Verdict.ACCEPTED)


@pytest.mark.allows("count", "bytes", "schema")
def test_too_many_items_and_too_many_bytes_are_refused(server: BrazeSandbox) -> None:
    many = [{"external_id": f"u{number}"} for number in range(76)]
    answer = ask(at(server), *many)
    assert (answer.verdict, answer.reason.message) == (Verdict.REFUSED, "Braze answered 400: Max Input Length Exceeded")
    large = [{"external_id": f"u{number}", "payload": json.dumps({"text": "x" * 1_000_000})} for number in range(5)]
    answer = ask(at(server), *large)
    assert (answer.verdict, answer.reason.message) == (Verdict.REFUSED, "Braze answered 413: Request Entity Too Large")
    assert server.summary()["profiles"] == 0


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_a_closed_sink_leaves_no_connection_open(server: BrazeSandbox) -> None:
    assert ask(at(server), times=3).verdict is Verdict.ACCEPTED
    gc.collect()
