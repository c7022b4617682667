"""Rows S1, S2, S3, S11 and S12 over HTTP."""

import gzip
import socket
import time
from typing import Any
from urllib.parse import urlparse

import pytest
import requests

from sandbox.braze import ApiKey, BrazeSandbox, Fault, contract, routes

from .conftest import Api

GOOD = {"attributes": [{"external_id": "u1", "plan": "free"}]}
RATE_HEADERS = [contract.LIMIT_HEADER, contract.REMAINING_HEADER, contract.RESET_HEADER]


@pytest.mark.parametrize(
    ("header", "echoed"),
    [("Bearer wrong", "wrong"), ("Bearer ", ""), ("sandbox-key", "sandbox-key"), ("Basic abc", "Basic abc"), ("", "")],
)
def test_s01_bad_key_is_401_that_echoes_it_with_empty_rate_headers(api: Api, header: str, echoed: str) -> None:
    answer = api.post("/users/track", GOOD, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json() == {"message": f"Invalid API key: {echoed}"}
    assert [answer.headers.get(name) for name in RATE_HEADERS] == ["", "", ""]
    assert api.server.summary()["profiles"] == 0


def test_s01_absent_key_is_401(server: BrazeSandbox) -> None:
    answer = requests.post(f"{server.url}/users/track", json=GOOD, timeout=10)
    assert (answer.status_code, answer.json()) == (401, {"message": "Invalid API key: "})


def test_s01_tail_and_repr_never_hold_the_key(api: Api) -> None:
    api.post("/users/track?api_key=sandbox-key", GOOD)
    assert "sandbox-key" not in str(api.server.requests())
    assert "sandbox-key" not in repr(ApiKey())


def test_s02_permission_is_checked_for_each_endpoint() -> None:
    keys = (ApiKey("writer", frozenset({"users.track"})), ApiKey("reader", frozenset({"users.export.ids"})))
    with BrazeSandbox(keys=keys) as server:
        api = Api(server)
        reader = {"Authorization": "Bearer reader"}
        assert api.post("/users/track", GOOD).status_code == 201
        assert api.post("/users/track", GOOD, headers=reader).status_code == 403
        assert api.post("/users/export/ids", {"external_ids": ["u1"]}, headers=reader).status_code == 201
        refused = api.post("/users/export/ids", {"external_ids": ["u1"]})
        assert (refused.status_code, refused.json()) == (403, {"message": "Access Denied"})
        assert api.bulk(**GOOD).status_code == 403
        server.change(answers={"bulk_needs_own_permission": False})
        assert api.bulk(**GOOD).status_code == 201
        api.close()


def test_s02_trailing_slash_is_403_or_404(api: Api) -> None:
    assert api.post("/users/track/", GOOD).status_code == 403
    api.server.change(answers={"trailing_slash_status": 404})
    assert api.post("/users/track/", GOOD).status_code == 404


@pytest.mark.parametrize("path", ["/", "/users", "/users/tracks", "/users/alias/new", "/users/nothing/"])
def test_s02_unknown_path_is_404(api: Api, path: str) -> None:
    assert api.post(path, GOOD).status_code == 404


def test_s02_other_method_is_404(server: BrazeSandbox) -> None:
    assert requests.get(f"{server.url}/users/track", timeout=10).status_code == 404


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_s03_other_content_type_is_415(api: Api, kind: str) -> None:
    assert api.post("/users/track", data=b"{}", headers={"Content-Type": kind}).status_code == 415


def test_s03_charset_beside_the_content_type_is_accepted(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    body = '{"attributes":[{"external_id":"ü"}]}'.encode()
    assert api.post("/users/track", data=body, headers=headers).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"attributes":[{"external_id":"a",}]}',
        b'{"attributes":[{"external_id":"\xff"}]}',
        b'{"attributes":[' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
        gzip.compress(b'{"attributes":[{"external_id":"a"}]}'),
    ],
    ids=["empty", "cut", "array", "null", "comma", "not utf-8", "too deep", "compressed"],
)
@pytest.mark.parametrize("path", ["/users/track", "/users/track/bulk", "/users/export/ids"])
def test_s03_unparsable_body_is_400_with_error_text(api: Api, path: str, body: bytes) -> None:
    answer = api.post(path, data=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "Error while parsing request body. Please check your syntax."}


def test_s03_body_over_4_mb_is_413_or_400(api: Api) -> None:
    too_large = {"attributes": [{"external_id": "u", "text": "x" * contract.BODY_BYTES}]}
    assert api.post("/users/track", too_large).status_code == 413
    api.server.change(limits={"over_body_status": 400})
    assert api.post("/users/track", too_large).status_code == 400
    assert api.server.summary()["objects"]["attributes"]["received"] == 0


def test_s03_body_of_exactly_the_limit_is_accepted(api: Api) -> None:
    body = b'{"attributes":[{"external_id":"u"}]}'
    api.server.change(limits={"body_bytes": len(body)})
    assert api.post("/users/track", data=body, headers={"Content-Type": "application/json"}).status_code == 201


def test_s03_bulk_body_over_2_mb_is_400(api: Api) -> None:
    large = {"attributes": [{"external_id": "u", "text": "x" * contract.BULK_BODY_BYTES}]}
    assert api.post("/users/track/bulk", large).status_code == 400
    assert api.post("/users/track", large).status_code == 201


def test_s11_headers_tell_the_window(api: Api) -> None:
    api.server.change(rate={"track": {"burst": None, "hour": 100}})
    before = time.time()
    first, second = api.track(**GOOD).headers, api.track(**GOOD).headers
    assert (first[contract.LIMIT_HEADER], first[contract.REMAINING_HEADER]) == ("100", "99")
    assert second[contract.REMAINING_HEADER] in ("98", "99")  # an hour may have ended in between
    reset = int(first[contract.RESET_HEADER])
    assert reset % 3_600 == 0
    assert before < reset <= time.time() + 3_600


def test_s11_reset_in_seconds_left(api: Api) -> None:
    api.server.change(rate={"headers": "seconds_left", "track": {"burst": None, "hour": 100}})
    assert 1 <= int(api.track(**GOOD).headers[contract.RESET_HEADER]) <= 3_600


def test_s11_over_the_limit_is_429_with_reset(api: Api) -> None:
    api.server.change(rate={"track": {"burst": 0}})
    answer = api.track(**GOOD)
    assert (answer.status_code, answer.json()) == (429, {"message": "Rate limited"})
    assert answer.headers[contract.REMAINING_HEADER] == "0"
    assert int(answer.headers[contract.RESET_HEADER]) % contract.TRACK_BURST_SECONDS == 0
    assert contract.RETRY_AFTER_HEADER not in answer.headers
    assert api.server.summary()["rate_limited"] == 1
    assert api.server.summary()["objects"]["attributes"]["received"] == 0


def test_s11_over_the_limit_is_429_with_retry_after_alone(api: Api) -> None:
    api.server.change(rate={"track": {"burst": 0, "burst_seconds": 30}, "rejection": "retry_after"})
    answer = api.track(**GOOD)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers[contract.RETRY_AFTER_HEADER]) <= 30
    assert not set(RATE_HEADERS) & set(answer.headers)


def test_s11_switched_off_sends_no_headers(api: Api) -> None:
    api.server.change(rate={"enabled": False, "track": {"burst": 0}})
    answer = api.track(**GOOD)
    assert answer.status_code == 201
    assert not set(RATE_HEADERS) & set(answer.headers)


@pytest.mark.parametrize("kind", ["500", "502", "503", "504"])
@pytest.mark.parametrize("applied", [False, True])
def test_s12_status_before_or_after_the_work(api: Api, kind: Any, applied: bool) -> None:
    api.server.add_faults(Fault(kind, times=1, applied=applied))
    assert api.track(**GOOD).status_code == int(kind)
    assert api.server.summary()["profiles"] == (1 if applied else 0)
    assert api.track(**GOOD).status_code == 201


@pytest.mark.parametrize("applied", [False, True])
def test_s12_connection_reset_before_or_after_the_work(api: Api, applied: bool) -> None:
    api.server.add_faults(Fault("reset", times=1, applied=applied))
    with pytest.raises(requests.ConnectionError, match="reset"):
        api.track(**GOOD)
    summary = api.server.summary()
    assert summary["profiles"] == (1 if applied else 0)
    assert summary["requests"]["by_status"] == {"reset": 1}
    assert api.track(**GOOD).status_code == 201


def test_s12_queued_is_202_and_applied(api: Api) -> None:
    api.server.add_faults(Fault("queued", times=1))
    answer = api.track(**GOOD)
    assert (answer.status_code, answer.json()) == (202, {"message": "queued"})
    assert api.server.users()[0]["external_id"] == "u1"


def test_s12_queued_does_not_hide_a_refusal(api: Api) -> None:
    api.server.add_faults(Fault("queued"))
    assert api.track().status_code == 400


def test_s12_slow_answer_is_complete(api: Api) -> None:
    api.server.add_faults(Fault("slow", delay_ms=30))
    assert api.track(**GOOD).status_code == 201
    assert api.server.requests()[-1]["milliseconds"] >= 25


def test_s12_text_poisons_one_row_for_good(api: Api) -> None:
    api.server.add_faults(Fault("500", contains='"u7"'))
    rows = [{"external_id": f"u{number}"} for number in range(10)]
    assert [api.track(attributes=[row]).status_code for row in rows].count(500) == 1
    assert api.track(attributes=rows).status_code == 500
    assert "u7" not in {user["external_id"] for user in api.server.users()}


def test_s12_faults_come_after_key_and_rate_limit(api: Api) -> None:
    api.server.add_faults(Fault("503"))
    assert api.post("/users/track", GOOD, headers={"Authorization": "Bearer wrong"}).status_code == 401
    api.server.change(rate={"track": {"burst": 0}})
    assert api.track(**GOOD).status_code == 429
    assert api.server.summary()["faults"][0]["hits"] == 0


def test_latency_delays_every_answer(api: Api) -> None:
    api.server.change(answers={"latency_ms": 30})
    api.track(**GOOD)
    api.post("/nowhere", GOOD)
    assert all(request["milliseconds"] >= 25 for request in api.server.requests())


def test_client_that_leaves_in_the_middle_of_its_body_changes_nothing(api: Api) -> None:
    address = urlparse(api.server.url)
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
        head = f"POST /users/track HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.server.key}\r\n"
        connection.sendall(f"{head}Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{{".encode())
    deadline = time.monotonic() + 5
    while not api.server.summary()["requests"]["total"] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert api.server.summary()["requests"]["by_status"] == {"499": 1}
    assert api.track(**GOOD).status_code == 201


def test_s02_every_call_has_a_permission_that_a_key_can_hold() -> None:
    assert {endpoint.permission for endpoint in routes.ENDPOINTS} == contract.ALL_PERMISSIONS


@pytest.mark.parametrize("path", ["/catalogs/shops/items/", "/catalogs/", "/users/delete/"])
def test_s02_trailing_slash_of_any_call_is_403(api: Api, path: str) -> None:
    assert api.post(path, {}).status_code == 403
