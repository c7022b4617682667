"""The consent side (contract: kakao_moment, C11)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from sandbox.kakao import KakaoSandbox
from tests.sandbox.kakao.conftest import Moment, failure

ASKED = {
    "client_id": KakaoSandbox.rest_key,
    "response_type": "code",
    "redirect_uri": KakaoSandbox.redirect_uri,
    "scope": "moment_management,moment_delete",
    "state": "상태 1",
}


def address(server: KakaoSandbox, **changes: str | None) -> str:
    """The authorize page; ``None`` leaves a parameter out."""
    query = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    return f"{server.auth_url}/oauth/business/authorize?{urlencode(query)}"


def exchange(server: KakaoSandbox, good: str, **changes: str | None) -> requests.Response:
    """Ask for a token."""
    form = {
        "grant_type": "authorization_code",
        "client_id": server.rest_key,
        "redirect_uri": server.redirect_uri,
        "client_secret": server.business_secret,
        "code": good,
    }
    given = {name: value for name, value in {**form, **changes}.items() if value is not None}
    return requests.post(f"{server.auth_url}/oauth/business/token", data=given, timeout=10)


def test_c11_consent_gives_a_code_and_that_a_token(server: KakaoSandbox) -> None:
    page = requests.get(address(server), timeout=10)
    assert page.status_code == 200
    assert all(word in page.text for word in ("<form", "moment_management", "moment_delete", "agree", "deny"))
    given = server.consent(address(server))
    assert (set(given), given["state"]) == ({"code", "state"}, "상태 1")
    answer = exchange(server, given["code"])
    assert answer.status_code == 200
    token = answer.json()
    assert set(token) == {"token_type", "access_token", "scope"}, "neither refresh_token nor expires_in"
    assert (token["token_type"], token["scope"]) == ("bearer", "moment_management moment_delete")
    moment = Moment(server, token=token["access_token"])
    assert moment.ask("DELETE", f"/{moment.new()}").status_code == 200


def test_c11_a_token_has_the_consent_items_and_accounts_that_were_asked_for(server: KakaoSandbox) -> None:
    asked = address(server, scope="moment_management", resource_ids="moment:12345", state=None)
    given = server.consent(asked)
    assert set(given) == {"code"}
    token = exchange(server, given["code"]).json()["access_token"]
    moment = Moment(server, token=token)
    assert failure(moment.ask("DELETE", f"/{moment.new()}")) == (403, -402, None)
    assert failure(Moment(server, server.other_account, token).ask("GET")) == (403, -813, 9004)
    info = requests.get(f"{server.url}/v1/business/tokeninfo", headers={"Authorization": f"Bearer {token}"}, timeout=10)
    assert info.json()["scopes"] == ["moment_management"]
    assert requests.get(f"{server.url}/v1/business/tokeninfo", timeout=10).status_code == 401


def test_c11_who_says_no_goes_back_with_an_error(server: KakaoSandbox) -> None:
    assert server.consent(address(server), agree=False) == {
        "error": "access_denied",
        "error_description": "User denied access",
        "state": "상태 1",
    }


def test_c11_it_asks_every_time_unless_the_switch_answers(server: KakaoSandbox) -> None:
    server.consent(address(server))
    assert requests.get(address(server), timeout=10).status_code == 200
    for choice, carried in (("agree", "code="), ("deny", "error=access_denied")):
        server.change(oauth={"consent": choice})
        answer = requests.get(address(server), timeout=10, allow_redirects=False)
        assert answer.status_code == 302
        assert answer.headers["Location"].startswith(f"{server.redirect_uri}?")
        assert carried in answer.headers["Location"]


@pytest.mark.parametrize(
    ("changes", "koe"),
    [
        ({"client_id": "another-key"}, "KOE101"),
        ({"client_id": None}, "KOE101"),
        ({"client_id": "native-key"}, "KOE008"),
        ({"redirect_uri": "http://localhost:1/callback"}, "KOE028"),
        ({"response_type": "token"}, "KOE201"),
        ({"scope": "moment_management,profile"}, "KOE232"),
        ({"scope": None}, "KOE232"),
        ({"prompt": "login"}, "KOE233"),
        ({"scope": "moment_create"}, "KOE233"),
        ({"scope": "moment_create", "resource_ids": "moment:12345"}, "KOE233"),
        ({"resource_ids": "12345"}, "KOE233"),
    ],
)
def test_c11_the_authorize_page_explains_what_is_wrong(server: KakaoSandbox, changes: dict[str, Any], koe: str) -> None:
    page = requests.get(address(server, **changes), timeout=10)
    assert page.status_code == 400
    assert koe in page.text
    with pytest.raises(RuntimeError, match=koe):
        server.consent(address(server, **changes))


def test_c11_create_is_granted_for_all_resources(server: KakaoSandbox) -> None:
    assert "code" in server.consent(address(server, scope="moment_create", resource_ids="moment:*"))


@pytest.mark.parametrize(
    "koe", ["KOE003", "KOE005", "KOE025", "KOE026", "KOE027", "KOE123", "KOE124", "KOE125", "KOE101", "KOE028"]
)
def test_c11_errors_of_the_account_and_the_app_are_a_switch(server: KakaoSandbox, koe: str) -> None:
    server.change(consent_error=koe)
    assert koe in requests.get(address(server), timeout=10).text
    server.change(consent_error="")
    assert "code" in server.consent(address(server))


def test_c11_errors_may_come_with_the_redirect_but_not_to_a_wrong_address(server: KakaoSandbox) -> None:
    server.change(oauth={"errors": "redirect"})
    given = server.consent(address(server, response_type="token"))
    assert (given["error"], given["state"]) == ("invalid_request", "상태 1")
    assert "KOE201" in given["error_description"]
    with pytest.raises(RuntimeError, match="KOE028"):
        server.consent(address(server, redirect_uri="http://localhost:1/callback"))


@pytest.mark.parametrize(
    ("changes", "status", "error", "koe"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", "KOE010"),
        ({"client_secret": None}, 401, "invalid_client", "KOE010"),
        ({"client_secret": KakaoSandbox.login_secret}, 401, "invalid_client", "KOE010"),
        ({"client_id": "another-key"}, 401, "invalid_client", "KOE101"),
        ({"redirect_uri": "http://localhost:1/callback"}, 400, "invalid_grant", "KOE303"),
        ({"code": "never-given"}, 400, "invalid_grant", "KOE320"),
        ({"code": None}, 400, "invalid_grant", "KOE320"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request", "KOE201"),
    ],
)
def test_c11_a_token_needs_everything_to_be_right(
    server: KakaoSandbox, changes: dict[str, Any], status: int, error: str, koe: str
) -> None:
    code = server.consent(address(server))["code"]
    answer = exchange(server, code, **changes)
    assert (answer.status_code, answer.json()["error"], answer.json()["error_code"]) == (status, error, koe)
    assert exchange(server, code).status_code == 200, "a failure does not use the code up"


def test_c11_a_code_is_good_for_one_use_and_ten_minutes(server: KakaoSandbox) -> None:
    code = server.consent(address(server))["code"]
    assert [exchange(server, code).status_code for _ in range(2)] == [200, 400]
    server.change(states={"frozen": True})
    for seconds, status in ((599, 200), (601, 400)):
        code = server.consent(address(server))["code"]
        server.advance(seconds)
        answer = exchange(server, code)
        assert answer.status_code == status
    assert answer.json()["error_code"] == "KOE320"


def test_c11_a_secret_may_be_switched_off(server: KakaoSandbox) -> None:
    server.change(oauth={"secret_needed": False})
    assert exchange(server, server.consent(address(server))["code"], client_secret=None).status_code == 200
