"""The Kakao Moment hook: what a connection may say, what a wrong one is told, and the button that tests it."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import pytest

from activation.destinations.kakao_moment.table import TABLE
from activation.errors import ConfigurationError
from activation.hooks.connection_types import KAKAO_MOMENT
from activation.hooks.kakao_moment import KakaoMomentHook
from sandbox.kakao import KakaoSandbox

TOKEN, SECRET = "canary-token", "canary-secret"
NAME = "The Kakao Moment connection 'kakao'"

Connect = Callable[..., KakaoMomentHook]


@pytest.fixture(scope="module")
def kakao() -> Iterator[KakaoSandbox]:
    with KakaoSandbox() as server:
        yield server


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Define the connection ``kakao`` and get its hook."""

    def one(host: str | None = None, *, token: str | None = TOKEN, login: str | None = None, **extra: Any) -> KakaoMomentHook:
        fields = {"conn_type": "kakao_moment", "host": host, "password": token, "login": login, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_KAKAO", json.dumps(fields))
        return KakaoMomentHook("kakao")

    return one


def test_without_a_host_it_is_kakaos_own(connect: Connect) -> None:
    client = connect(ad_account_id=12345, ca_file="/ca.pem").get_conn()
    assert (client.account.url, client.account.token, client.account.ca_file) == (TABLE.api.host, TOKEN, "/ca.pem")
    assert (client.account.ad_account_id, client.account.connection, client.generation) == ("12345", "kakao", "customer_files")


def test_a_pipelines_ad_account_and_api_come_first(connect: Connect) -> None:
    connect(ad_account_id=12345)
    client = KakaoMomentHook("kakao", ad_account_id="777", api="customer_data").get_conn()
    assert (client.account.ad_account_id, client.generation) == ("777", "customer_data")


@pytest.mark.parametrize("as_text", [False, True])
def test_the_table_of_the_connection_counts(connect: Connect, as_text: bool) -> None:
    table = {"limits": {"files_per_account": 60}}
    hook = connect(ad_account_id=1, table=json.dumps(table) if as_text else table)
    assert hook.table().limits.files_per_account == hook.get_conn().table.limits.files_per_account == 60


@pytest.mark.parametrize(
    ("given", "problem", "fix"),
    [
        (
            {"token": None},
            f"{NAME} has no business token.",
            "Get one with activation kakao-login kakao and enter it as the password.",
        ),
        ({"token": "a b"}, f"{NAME} has white space or a letter beyond ASCII in its token.", "Enter the token again."),
        ({}, f"{NAME} names no ad account.", "Enter ad_account_id, or write it in the pipeline."),
        ({"ad_account_id": "12a"}, f"{NAME} has the ad account '12a'.", "Enter its number, such as 12345."),
        ({"host": "http://10.0.0.1"}, f"{NAME} would send secrets unencrypted to 10.0.0.1.", "Use https."),
        ({"host": "https://me:hush@x.io"}, f"{NAME} has credentials in its host.", "Enter the token as the password."),
        ({"host": "x.io/openapi"}, f"{NAME} has a path in its host.", "Leave the host empty for Kakao's own"),
        ({"host": "ftp://x.io"}, f"{NAME} has no valid host.", "Leave the host empty for Kakao's own"),
        ({"table": "{nonsense"}, f"{NAME} has a table that is no JSON object.", "Write it like {"),
        ({"table": {"limts": {}}}, f"{NAME} overrides the group 'limts', which the table does not have.", "Did you mean limits?"),
    ],
)
def test_what_a_wrong_connection_is_told(connect: Connect, given: dict[str, Any], problem: str, fix: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(**given).get_conn()
    assert raised.value.problem == problem
    assert raised.value.fix.startswith(fix)
    for secret in (TOKEN, "hush", "nonsense"):
        assert secret not in str(raised.value)
        assert secret.encode() not in pickle.dumps(raised.value)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"redirect_uri": "http://localhost:1/x"}, f"{NAME} has no REST API key."),
        ({"login": "key"}, f"{NAME} has no redirect_uri."),
        ({"login": "key", "redirect_uri": "x", "auth_host": "http://10.0.0.1"}, "would send secrets unencrypted to 10.0.0.1."),
    ],
)
def test_what_a_consent_lacks(connect: Connect, given: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(token=None, client_secret=SECRET, **given).consent()
    assert problem in raised.value.problem
    assert SECRET not in str(raised.value)


def test_the_secret_is_not_shown(connect: Connect) -> None:
    consent = connect(login="key", client_secret=SECRET, redirect_uri="http://localhost:1/x").consent()
    assert (consent.url, consent.client_secret) == (TABLE.consent.host, SECRET)
    assert SECRET not in repr(consent)


def test_the_button_asks_without_changing_anything(connect: Connect, kakao: KakaoSandbox) -> None:
    kakao.forget()
    hook = connect(kakao.url, token=kakao.token, ad_account_id=kakao.account)
    assert hook.test_connection() == (True, f"{kakao.url} knows the token; the ad account 12345 has 0 of 50 customer files.")
    assert connect(kakao.url, token=kakao.token).test_connection() == (
        True,
        f"{kakao.url} knows the token, which sees 2 ad accounts; pipelines name theirs.",
    )
    assert kakao.calls() == {"list": 1, "ad_accounts": 1}


def test_a_token_that_is_no_longer_good_fails_the_test_once(connect: Connect, kakao: KakaoSandbox) -> None:
    kakao.forget()
    good, text = connect(kakao.url, token="another", ad_account_id=kakao.account).test_connection()
    assert good is False
    assert "A person must consent again: activation kakao-login kakao." in text
    assert "another" not in text
    assert kakao.calls() == {"list": 1}


def test_the_form_is_one_that_airflow_takes() -> None:
    from jsonschema import validate

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    validate({"package-name": "p", "name": "n", "description": "d", "connection-types": [KAKAO_MOMENT]}, schema)
    assert KAKAO_MOMENT["connection-type"] == KakaoMomentHook.conn_type
    assert KAKAO_MOMENT["hook-class-name"] == f"{KakaoMomentHook.__module__}.{KakaoMomentHook.__qualname__}"
