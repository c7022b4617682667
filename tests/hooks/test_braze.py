"""The Braze hook: what a connection may say, what a wrong one is told, and the button that tests it."""

from __future__ import annotations

import json
import pickle
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from activation.destinations.braze.contract import INSTANCES
from activation.errors import ConfigurationError
from activation.hooks.braze import BrazeHook
from activation.hooks.connection_types import BRAZE
from sandbox.braze import ApiKey, BrazeSandbox, Fault, Tls
from sandbox.braze.testing import kept_to
from sandbox.tls import private_authority

KEY = "0a1b2c3d-4e5f-key"
ENTER_HOST = "Enter your instance's REST endpoint, such as https://rest.iad-01.braze.com."
NAME = "The Braze connection 'crm'"

Connect = Callable[..., BrazeHook]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define the connection ``crm`` and get its hook."""

    def one(host: str | None = None, *, key: str | None = KEY, port: int | None = None, **extra: Any) -> BrazeHook:
        fields = {"conn_type": "braze", "host": host, "password": key, "port": port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(fields))
        return BrazeHook("crm")

    return one


def test_every_instance_of_the_contract_has_its_endpoint(connect: Connect) -> None:
    expected = {f"US-0{number}": f"https://rest.iad-0{number}.braze.com" for number in range(1, 9)}
    expected |= {
        "US-10": "https://rest.us-10.braze.com",
        "EU-01": "https://rest.fra-01.braze.eu",
        "EU-02": "https://rest.fra-02.braze.eu",
        "AU-01": "https://rest.au-01.braze.com",
        "ID-01": "https://rest.id-01.braze.com",
        "JP-01": "https://rest.jp-01.braze.com",
        "KR-01": "https://rest.kr-01.braze.com",
    }
    assert {name: connect(instance=name).get_conn().url for name in INSTANCES} == expected


def test_the_form_offers_exactly_the_instances() -> None:
    assert BRAZE["conn-fields"]["instance"]["schema"]["enum"] == [*INSTANCES, None]
    assert BRAZE["connection-type"] == BrazeHook.conn_type
    assert BRAZE["hook-class-name"] == f"{BrazeHook.__module__}.{BrazeHook.__qualname__}"


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("https://rest.iad-01.braze.com", None, "https://rest.iad-01.braze.com"),
        ("rest.iad-01.braze.com", None, "https://rest.iad-01.braze.com"),
        (" HTTPS://REST.iad-01.braze.com/ ", None, "https://rest.iad-01.braze.com"),
        ("https://rest.iad-01.braze.com", 8443, "https://rest.iad-01.braze.com:8443"),
        ("https://rest.iad-01.braze.com:8443", None, "https://rest.iad-01.braze.com:8443"),
        ("rest.iad-01.braze.com:8443", 9000, "https://rest.iad-01.braze.com:8443"),
        ("http://localhost:8080", None, "http://localhost:8080"),
        ("http://127.0.0.1", 8080, "http://127.0.0.1:8080"),
        ("http://[::1]:8080", None, "http://[::1]:8080"),
        ("[::1]", 8080, "https://[::1]:8080"),
        ("https://gateway.example.com", None, "https://gateway.example.com"),
    ],
)
def test_a_host_is_taken_with_or_without_scheme_and_port(connect: Connect, host: str, port: int | None, url: str) -> None:
    endpoint = connect(host, port=port, ca_file="/ca.pem").get_conn()
    assert (endpoint.url, endpoint.key, endpoint.ca_file) == (url, KEY, "/ca.pem")


@pytest.mark.parametrize("host", [None, "", "https://rest.fra-01.braze.eu", "rest.fra-01.braze.eu"])
def test_an_instance_may_stand_beside_its_own_host(connect: Connect, host: str | None) -> None:
    endpoint = connect(host, instance="EU-01").get_conn()
    assert (endpoint.url, endpoint.ca_file) == ("https://rest.fra-01.braze.eu", "")


NO_HOST = f"{NAME} has no valid host."
DASHBOARD = f"{NAME} has the dashboard's address {{}}, not the REST endpoint's."
CREDENTIALS = f"{NAME} has credentials in its host."
PASSWORD = "Enter the API key as the connection's password."
PATH = f"{NAME} has a path in its host."
KEY_FIX = "Enter a key with the permission users.track."
AGAIN = f"{NAME} has white space or a letter beyond ASCII in its API key."


@pytest.mark.parametrize(
    ("given", "problem", "fix"),
    [
        ({}, f"{NAME} has neither an instance nor a REST endpoint.", "Choose your instance."),
        ({"instance": ""}, f"{NAME} has neither an instance nor a REST endpoint.", "Choose your instance."),
        ({"host": "x.io", "key": None}, f"{NAME} has no API key.", KEY_FIX),
        ({"host": "x.io", "key": ""}, f"{NAME} has no API key.", KEY_FIX),
        ({"host": "x.io", "key": "abc\n"}, AGAIN, "Enter the key again."),
        ({"host": "x.io", "key": "a b"}, AGAIN, "Enter the key again."),
        ({"host": "x.io", "key": "ключ"}, AGAIN, "Enter the key again."),
        ({"instance": "US-09"}, f"{NAME} names the instance 'US-09'.", f"Choose one of {', '.join(INSTANCES)}."),
        ({"instance": "us-01"}, f"{NAME} names the instance 'us-01'.", f"Choose one of {', '.join(INSTANCES)}."),
        ({"instance": ["US-01"]}, f"{NAME} names the instance \"['US-01']\".", f"Choose one of {', '.join(INSTANCES)}."),
        (
            {"host": "rest.iad-01.braze.com", "instance": "EU-01"},
            f"{NAME} has the instance EU-01 but the host https://rest.iad-01.braze.com.",
            "Leave one of them empty.",
        ),
        (
            {"port": 8080, "instance": "EU-01"},
            f"{NAME} has the instance EU-01 but the host https://rest.fra-01.braze.eu:8080.",
            "Leave one of them empty.",
        ),
        ({"host": "https://"}, NO_HOST, ENTER_HOST),
        ({"host": "ftp://rest.iad-01.braze.com"}, NO_HOST, ENTER_HOST),
        ({"host": "https://rest.iad-01.braze.com:https"}, NO_HOST, ENTER_HOST),
        ({"host": "rest.iad-01.braze.com:99999"}, NO_HOST, ENTER_HOST),
        ({"host": "https://[::1"}, NO_HOST, ENTER_HOST),
        ({"host": "dashboard-01.braze.com"}, DASHBOARD.format("dashboard-01.braze.com"), ENTER_HOST),
        ({"host": "https://dashboard.us-10.braze.com/"}, DASHBOARD.format("dashboard.us-10.braze.com"), ENTER_HOST),
        ({"host": "https://rest.iad-01.braze.com/users/track"}, PATH, ENTER_HOST),
        ({"host": "https://rest.iad-01.braze.com?x=1"}, PATH, ENTER_HOST),
        ({"host": "https://rest.iad-01.braze.com#x"}, PATH, ENTER_HOST),
        ({"host": "https://me:hush-hush@rest.iad-01.braze.com"}, CREDENTIALS, PASSWORD),
        ({"host": "hush-hush@rest.iad-01.braze.com"}, CREDENTIALS, PASSWORD),
        (
            {"host": "http://rest.iad-01.braze.com"},
            f"{NAME} would send the API key unencrypted to rest.iad-01.braze.com.",
            "Use https.",
        ),
        ({"host": "http://10.0.0.1:8080"}, f"{NAME} would send the API key unencrypted to 10.0.0.1.", "Use https."),
        (
            {"host": "http://localhost.example.com"},
            f"{NAME} would send the API key unencrypted to localhost.example.com.",
            "Use https.",
        ),
    ],
)
def test_what_a_wrong_connection_is_told(connect: Connect, given: dict[str, Any], problem: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(**given).get_conn()
    assert (raised.value.problem, raised.value.fix) == (problem, fix)
    for secret in (KEY, "hush", "abc", "ключ"):
        assert secret not in str(raised.value) + repr(raised.value)
        assert secret.encode() not in pickle.dumps(raised.value)


def test_a_connection_that_is_not_there() -> None:
    with pytest.raises(ConfigurationError, match=r"^There is no Airflow connection 'nowhere'"):
        BrazeHook("nowhere").get_conn()


def test_a_connection_may_be_written_as_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"braze://:{KEY}@rest.iad-01.braze.com:8443/?ca_file=%2Fca.pem")
    endpoint = BrazeHook("crm").get_conn()
    assert (endpoint.url, endpoint.key, endpoint.ca_file) == ("https://rest.iad-01.braze.com:8443", KEY, "/ca.pem")


@pytest.mark.parametrize("host", ["https://rest.iad-01.braze.com:8443", "http://localhost:8080", "rest.iad-01.braze.com"])
def test_airflow_hands_the_connection_on_as_a_uri_and_nothing_is_lost(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    from airflow.sdk import Connection

    before = connect(host, ca_file="/ca.pem").get_conn()
    fields = {"conn_type": "braze", "host": host, "password": KEY, "extra": {"ca_file": "/ca.pem"}}
    monkeypatch.setenv("AIRFLOW_CONN_CRM", Connection.from_json(json.dumps(fields), "crm").get_uri())
    assert BrazeHook("crm").get_conn() == before


def test_f26_a_good_connection_passes_the_test_and_changes_nothing(connect: Connect) -> None:
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY)]), allow={"empty"}) as server:
        assert connect(server.url).test_connection() == (True, f"{server.url} knows the key, and the key may write users.")
        summary = server.summary()
    assert summary["requests"]["total"] == 1
    assert summary["profiles"] == 0


def test_a_private_authority_is_trusted_in_the_test_as_in_a_run(connect: Connect, tmp_path: Path) -> None:
    files = private_authority(tmp_path)
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY)], tls=Tls(files.certificate, files.private_key)), allow={"empty"}) as server:
        assert connect(server.url, ca_file=files.ca_file).test_connection()[0] is True
        assert connect(server.url).test_connection() == (
            False,
            f"The TLS certificate of {server.url} is not trusted. "
            "Fix: Check the host, or name your own certificate authority in the connection's extra field ca_file.",
        )
        good, text = connect(server.url, ca_file=str(tmp_path / "none.pem")).test_connection()
        assert good is False
        assert text.startswith(f"The Braze connection's ca_file {tmp_path}/none.pem cannot be read: ")


def test_a_wrong_key_fails_the_test_and_is_not_repeated(connect: Connect) -> None:
    with kept_to(BrazeSandbox(keys=[ApiKey("another")]), allow={"empty"}) as server:
        assert connect(server.url).test_connection() == (
            False,
            "Braze refused the API key with 401 (Invalid API key: ***). "
            "Fix: Check that the connection's key is complete and belongs to the workspace and instance of its host.",
        )


def test_a_key_without_the_permission_fails_the_test(connect: Connect) -> None:
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY, frozenset({"users.export.ids"}))]), allow={"empty"}) as server:
        assert connect(server.url).test_connection() == (
            False,
            "Braze forbids the call with 403 (Access Denied). "
            "Fix: Give the API key the permission users.track; the connection's host must have no path.",
        )


def test_where_nobody_listens_the_test_fails(connect: Connect) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        assert connect(url).test_connection() == (
            False,
            f"{url} could not be reached (Connection refused). If that stays so, check the connection's host.",
        )


def test_a_server_that_is_not_well_is_told_of_but_the_connection_is_good(connect: Connect) -> None:
    with kept_to(BrazeSandbox(keys=[ApiKey(KEY)]), allow={"empty"}) as server:
        server.add_faults(Fault("503"))
        assert connect(server.url).test_connection() == (True, f"{server.url} answers, but is not well: Braze answered 503.")
        server.clear_faults()
        server.change(rate={"track": {"burst": 0}})
        assert connect(server.url).test_connection() == (True, f"{server.url} answers, but is not well: Rate limited")


def test_an_incomplete_connection_fails_the_test_with_the_same_words(connect: Connect) -> None:
    assert connect("x.io", key=None).test_connection() == (False, f"{NAME} has no API key. Fix: {KEY_FIX}")
