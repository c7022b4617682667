"""Row S16: every exchange is compared with the contract, and the violations are read back."""

from typing import Any

import pytest

from sandbox.braze import BrazeSandbox, Fault, Settings, Validation
from sandbox.braze.inspection import Recorded, violations_of
from sandbox.braze.limits import Limits
from sandbox.braze.replies import json_reply
from sandbox.braze.testing import assert_contract, kept_to

from .conftest import Api

TIME = "2026-01-02T03:04:05Z"
ROW = {"external_id": "u", "plan": "free"}
EVENT = {"external_id": "u", "name": "e", "time": TIME}
EXPORT = {"external_ids": ["u"]}


def rules(server: BrazeSandbox) -> list[str]:
    return [violation["rule"] for violation in server.violations()]


def test_s16_a_client_that_keeps_to_the_contract(api: Api) -> None:
    api.server.create_catalog("shops", Name="string")
    api.track(attributes=[ROW], events=[EVENT])
    api.bulk(attributes=[ROW] * 100)
    api.post("/users/track/sync", {"events": [EVENT]})
    api.export(**EXPORT)
    api.items("PUT", {"id": "a", "Name": "Kim"})
    api.send("GET", "/catalogs")
    api.send("GET", "/cdi/integrations")
    api.delete(external_ids=["u"])
    assert_contract(api.server)


def test_s16_violations_name_request_rule_and_place(api: Api) -> None:
    api.track(attributes=[ROW])
    api.track(attributes=[ROW, {"external_id": 7}])
    assert api.server.violations() == [
        {
            **{"request": 2, "method": "POST", "path": "/users/track", "rule": "schema"},
            **{"place": "/attributes/1/external_id", "message": "7 is not of type 'string'"},
        }
    ]


@pytest.mark.parametrize(
    ("path", "sent", "rule"),
    [
        ("/users/track/", {"json": {"attributes": [ROW]}}, "call"),
        ("/users/nothing", {"json": {}}, "call"),
        ("/users/track", {"data": b'{"attributes":[{"external_id":"u"}]}', "headers": {"Content-Type": "text/plain"}}, "type"),
        ("/users/track", {"data": b"{", "headers": {"Content-Type": "application/json"}}, "json"),
        ("/users/track", {"json": {"attributes": []}}, "empty"),
        ("/users/track", {"json": {"attributes": [ROW] * 40, "events": [EVENT] * 36}}, "count"),
        ("/users/track/sync", {"json": {"attributes": [ROW], "events": [EVENT]}}, "count"),
        ("/users/track/bulk", {"json": {"attributes": [ROW] * 101}}, "count"),
        ("/users/track/bulk", {"json": {"attributes": [{"external_id": "u", "x": "y" * 2_000_000}]}}, "bytes"),
    ],
)
def test_s16_every_rule(api: Api, path: str, sent: dict[str, Any], rule: str) -> None:
    headers = {"Authorization": f"Bearer {api.server.key}", **sent.pop("headers", {})}
    api.post(path, sent.pop("json", None), headers=headers, **sent)
    assert rules(api.server) == [rule]


def test_s16_counts_follow_the_limit_profile_in_force_at_the_time(api: Api) -> None:
    api.server.change(limits={"track": "combined_5"})
    api.track(attributes=[ROW] * 6)
    api.server.change(limits={"track": "per_array_75"})
    api.track(attributes=[ROW] * 75, events=[EVENT] * 75)
    assert [(found["request"], found["message"]) for found in api.server.violations()] == [
        (1, "6 objects where combined_5 allows 5")
    ]


@pytest.mark.parametrize("refusal", ["key", "permission", "rate", "fault"])
def test_s16_requests_that_are_refused_are_compared_too(api: Api, refusal: str) -> None:
    headers = {"Authorization": "Bearer wrong"} if refusal == "key" else {}
    if refusal == "rate":
        api.server.change(rate={"track": {"burst": 0}})
    if refusal == "fault":
        api.server.add_faults(Fault("503"))
    path = "/users/track"
    api.post(path, {"attributes": [{}]}, headers=headers)
    assert "schema" in rules(api.server)


def test_s16_a_test_fails_with_the_violations(api: Api) -> None:
    api.track(attributes=[{}], events=[])
    with pytest.raises(AssertionError) as failed:
        assert_contract(api.server)
    assert str(failed.value).startswith(
        "1 violations of the contract\nrequest 1 POST /users/track: schema /attributes/0: exactly"
    )
    assert_contract(api.server, allow={"schema"})


def test_s16_a_server_for_a_test_checks_at_its_end() -> None:
    with pytest.raises(AssertionError, match="there is no such call"), kept_to(BrazeSandbox()) as server:
        api = Api(server)
        api.post("/users/trak", {})
        api.close()
    with kept_to(BrazeSandbox(), allow={"empty"}) as server:
        api = Api(server)
        api.track()
        api.close()


def test_s16_reset_forgets_violations(api: Api) -> None:
    api.track()
    api.server.reset()
    assert api.server.violations() == []


def test_s16_can_be_switched_off() -> None:
    with BrazeSandbox(Settings(validation=Validation(enabled=False))) as server:
        api = Api(server)
        api.track()
        server.change(validation={"enabled": True})
        api.post("/nowhere", {})
        assert rules(server) == ["call"]
        api.close()


def test_s16_more_than_may_wait_is_compared_at_once() -> None:
    with BrazeSandbox(Settings(validation=Validation(pending_bytes=100))) as server:
        api = Api(server)
        for number in range(20):
            api.track(attributes=[{"external_id": number}])
        assert [found["request"] for found in server.violations()] == list(range(1, 21))
        assert len(server.violations()) == 20  # asking again changes nothing
        api.close()


def test_s16_a_wrong_answer_of_our_own_is_found() -> None:
    record = Recorded(
        "POST", "/users/track", "application/json", Limits(), "users_track", b'{"attributes":[{"external_id":"u"}]}'
    )
    record.reply = json_reply(201, {"message": "success", "attributes_processed": -1})
    assert [(found["rule"], found["place"]) for found in violations_of(record)] == [("answer", "/attributes_processed")]
