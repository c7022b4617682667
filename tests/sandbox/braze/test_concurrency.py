"""Requests side by side."""

from concurrent.futures import ThreadPoolExecutor

from sandbox.braze.concurrency import Concurrency

from .conftest import Api


def test_overlap_of_one_user_is_a_violation() -> None:
    seen = Concurrency()
    first, second = {"a", "b"}, {"b", "c"}
    for users in (first, second):
        seen.enter()
        seen.claim(users)
    assert (seen.highest, seen.violations) == (2, 1)
    seen.leave(first)
    seen.enter()
    seen.claim({"b"})  # the second one still holds it
    assert seen.violations == 2
    seen.leave(second)
    seen.leave({"b"})
    seen.enter()
    seen.claim({"a", "b", "c"})
    assert (seen.highest, seen.violations) == (2, 2)


def test_reset_forgets_counts_but_not_requests_in_hand() -> None:
    seen = Concurrency()
    seen.enter()
    seen.claim({"a"})
    seen.reset()
    assert (seen.highest, seen.violations) == (1, 0)
    seen.enter()
    seen.claim({"a"})
    assert (seen.highest, seen.violations) == (2, 1)


def test_server_sees_requests_side_by_side(api: Api) -> None:
    api.server.change(answers={"latency_ms": 700})
    rows = [{"external_id": "shared"}, {"external_id": "shared"}, {"external_id": "alone"}]
    with ThreadPoolExecutor(3) as threads:
        callers = [Api(api.server) for _ in rows]
        list(threads.map(lambda caller, row: caller.track(attributes=[row]), callers, rows))
    summary = api.server.summary()
    assert summary["max_concurrent_requests"] == 3
    assert summary["concurrency_violations"] == 1


def test_server_sees_requests_one_after_another(api: Api) -> None:
    api.server.change(answers={"latency_ms": 5})
    for _ in range(3):
        api.track(attributes=[{"external_id": "u"}])
    summary = api.server.summary()
    assert (summary["max_concurrent_requests"], summary["concurrency_violations"]) == (1, 0)
