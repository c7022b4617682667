"""The control routes and the calls for them."""

import pytest
import requests

from sandbox.braze import Answers, ControlError, Fault

from .conftest import Api

ROW = {"external_id": "u", "plan": "free"}
TIME = "2026-01-02T03:04:05Z"


def test_settings_are_shown_and_changed(api: Api) -> None:
    assert api.server.settings()["limits"]["track"] == "combined_75"
    assert api.server.change(limits={"track": "combined_5"})["limits"]["track"] == "combined_5"
    assert api.server.change(answers=Answers(error_style="enum"))["answers"]["error_style"] == "enum"
    assert api.server.settings()["limits"]["track"] == "combined_5"


def test_unknown_setting_is_a_400_that_helps(api: Api) -> None:
    answer = requests.patch(f"{api.server.url}/_sandbox/settings", json={"limits": {"trak": "x"}}, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("unknown setting 'limits.trak'; did you mean 'track'? allowed: track, bulk,")
    with pytest.raises(ControlError, match="unknown setting 'limit'"):
        api.server.change(limit={})


def test_unparsable_control_body_is_a_400(api: Api) -> None:
    answer = requests.post(f"{api.server.url}/_sandbox/faults", data=b"{", timeout=10)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("the body is not JSON: ")


def test_unknown_control_route_names_the_known_ones(api: Api) -> None:
    answer = requests.get(f"{api.server.url}/_sandbox/sumary", timeout=10)
    assert answer.status_code == 404
    assert "GET /_sandbox/summary" in answer.json()["error"]


def test_faults_are_added_shown_and_cleared(api: Api) -> None:
    address = f"{api.server.url}/_sandbox/faults"
    one = requests.post(address, json={"kind": "500", "times": 1}, timeout=10).json()
    assert [(rule["kind"], rule["times"], rule["hits"]) for rule in one] == [("500", 1, 0)]
    api.server.add_faults(Fault("503"), Fault("reset", contains="x"))
    assert [rule["kind"] for rule in requests.get(address, timeout=10).json()] == ["500", "503", "reset"]
    api.server.clear_faults()
    assert requests.get(address, timeout=10).json() == []


def test_control_is_never_limited_faulted_or_counted(api: Api) -> None:
    api.server.change(rate={"track": {"burst": 0}}, answers={"latency_ms": 5_000})
    api.server.add_faults(Fault("500"))
    for _ in range(5):
        assert api.server.summary()["requests"]["total"] == 0


def test_summary_counts(api: Api) -> None:
    api.track(attributes=[ROW, {}], events=[{"external_id": "u", "name": "e", "time": TIME}])
    api.track()
    summary = api.server.summary()
    assert summary["profiles"] == 1
    assert summary["events"] == 1
    assert summary["requests"]["by_status"] == {"201": 1, "400": 1}
    assert summary["requests"]["total"] == 2
    assert summary["objects"]["attributes"] == {"received": 2, "accepted": 1, "rejected": 1, "resent": 0}
    assert summary["objects"]["purchases"]["received"] == 0
    assert summary["max_concurrent_requests"] == 1


def test_users_are_sorted_and_read_back_in_utf_8(api: Api) -> None:
    alias = {"alias_name": "n", "alias_label": "l"}
    api.track(
        attributes=[
            {"email": "only@b.io"},
            {"user_alias": alias, "_update_existing_only": False},
            {"external_id": "b", "city": "서울"},
            {"external_id": "a"},
        ]
    )
    raw = requests.get(f"{api.server.url}/_sandbox/users.ndjson", timeout=10)
    assert raw.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
    assert "서울" in raw.content.decode()
    users = api.server.users()
    assert [user.get("external_id") for user in users] == ["a", "b", None, None]
    assert users[2]["user_aliases"] == [alias]
    assert users[3]["attributes"] == {"email": "only@b.io"}
    assert users[1] == {"external_id": "b", "user_aliases": [], "braze_id": users[1]["braze_id"], "attributes": {"city": "서울"}}


def test_large_read_back_is_complete(api: Api) -> None:
    for start in range(0, 3_000, 1_000):
        api.bulk(attributes=[{"external_id": f"{number:05d}", "text": "x" * 300} for number in range(start, start + 1_000)])
    assert [user["external_id"] for user in api.server.users()] == [f"{number:05d}" for number in range(3_000)]


def test_requests_are_the_last_200(api: Api) -> None:
    for number in range(205):
        api.track(attributes=[{"external_id": str(number)}])
    tail = api.server.requests()
    assert len(tail) == 200
    last = tail[-1]
    assert (last["method"], last["path"], last["status"]) == ("POST", "/users/track", "201")
    assert last["accepted"] == {"attributes": 1}
    assert last["bytes"] == len('{"attributes": [{"external_id": "204"}]}')


def test_reset_forgets_data_counts_windows_and_faults_but_keeps_switches(api: Api) -> None:
    api.server.change(rate={"track": {"burst": None, "hour": 1}}, limits={"track": "combined_5"})
    api.server.add_faults(Fault("queued"))
    assert api.track(attributes=[ROW]).status_code == 202
    api.server.reset()
    summary = api.server.summary()
    assert (summary["profiles"], summary["requests"]["total"], summary["faults"]) == (0, 0, [])
    assert api.server.users() == []
    assert api.server.settings()["limits"]["track"] == "combined_5"
    assert api.track(attributes=[ROW]).status_code == 201
    assert api.server.summary()["resent_objects"] == 0
