"""Who may ask for what, and how often (contract: kakao_moment, C1, C2, C3, C9)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.kakao import KakaoSandbox
from tests.sandbox.kakao.conftest import Moment, failure


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer nobody-knows-it", "Basic TOKEN", "TOKEN", "Bearer  TOKEN"])
def test_c1_without_a_good_token_nobody_gets_in(moment: Moment, header: str | None) -> None:
    if header is None:
        del moment.headers["Authorization"]
    else:
        moment.headers["Authorization"] = header.replace("TOKEN", moment.server.token)
    answer = moment.ask("GET")
    assert answer.status_code == 401
    assert (answer.json()["code"], answer.json()["extras"]) == (-401, {})
    assert answer.headers["Content-Type"] == "application/json;charset=UTF-8"


def test_c1_a_login_token_is_told_that_it_is_no_business_token(moment: Moment, server: KakaoSandbox) -> None:
    answer = Moment(server, token=server.mint(kind="login")).ask("GET")
    assert answer.status_code == 401
    assert "biz token is not supplied" in answer.json()["msg"]
    assert "biz token" not in Moment(server, token="nobody-knows-it").ask("GET").json()["msg"]


def test_c1_a_revoked_token_gets_nobody_in(server: KakaoSandbox) -> None:
    token = server.mint()
    assert Moment(server, token=token).ask("GET").status_code == 200
    server.revoke(token)
    assert Moment(server, token=token).ask("GET").status_code == 401


@pytest.mark.parametrize("account", [None, "", "abc", "12 345", "-12345", "１２３４５"])
def test_c2_the_ad_account_is_a_number(server: KakaoSandbox, account: str | None) -> None:
    headers = {} if account is None else {"adAccountId": account.encode()}
    moment = Moment(server, None)
    assert failure(moment.ask("GET", headers=headers)) == (400, -2, None)


def test_c2_an_unknown_account_does_not_exist_and_a_foreign_one_is_not_allowed(server: KakaoSandbox) -> None:
    assert failure(Moment(server, 777).ask("GET")) == (400, -813, 21006)
    assert failure(Moment(server, server.foreign_account).ask("GET")) == (403, -813, 9004)
    server.change(answers={"no_role_status": 400})
    answer = Moment(server, server.foreign_account).ask("GET")
    assert failure(answer) == (400, -813, 9004)
    assert answer.json()["msg"] == "KakaoMomentException"


def test_c2_a_token_for_one_account_is_not_good_for_another(server: KakaoSandbox) -> None:
    token = server.mint(accounts=[server.account])
    assert Moment(server, server.account, token).ask("GET").status_code == 200
    assert failure(Moment(server, server.other_account, token).ask("GET")) == (403, -813, 9004)


def test_c2_files_are_of_their_account(server: KakaoSandbox) -> None:
    number, other = Moment(server).complete(), Moment(server, server.other_account)
    assert other.listed() == []
    assert failure(other.edit(number, b"x")) == (400, -813, 21006)
    assert failure(other.ask("DELETE", f"/{number}")) == (400, -813, 21006)


def test_c3_missing_consent_items_are_named(server: KakaoSandbox) -> None:
    number = Moment(server).complete()
    nothing = Moment(server, token=server.mint(scopes=["moment_create"]))
    answer = nothing.ask("GET")
    assert failure(answer) == (403, -402, None)
    assert answer.json()["required_scopes"] == ["moment_management"]
    answer = Moment(server, token=server.mint(scopes=["moment_management"])).ask("DELETE", f"/{number}")
    assert (failure(answer), answer.json()["required_scopes"]) == ((403, -402, None), ["moment_delete"])
    server.change(answers={"required_scopes": "extras"})
    answer = nothing.register()
    assert (answer.status_code, answer.json()["extras"]) == (403, {"required_scopes": ["moment_management"]})


def test_c9_two_writes_within_the_window_are_too_many(server: KakaoSandbox) -> None:
    server.change(limits={"write_seconds": 5}, states={"frozen": True})
    moment = Moment(server)
    assert moment.register().status_code == 200
    answer = moment.register()
    assert failure(answer) == (429, -813, None)
    assert "Retry-After" not in answer.headers
    server.advance(4.9)
    assert moment.register().status_code == 429
    server.advance(0.2)
    assert moment.register().status_code == 200
    assert len(moment.listed()) == len(moment.listed()) == 2, "reads have no limit, and refused writes leave nothing"


def test_c9_the_pace_is_of_a_user_and_an_account(server: KakaoSandbox) -> None:
    server.change(limits={"write_seconds": 5}, states={"frozen": True})
    assert Moment(server).register().status_code == 200
    assert Moment(server, server.other_account).register().status_code == 200
    assert Moment(server, token=server.mint(user="user-2")).register().status_code == 200
    assert Moment(server, token=server.mint()).register().status_code == 429, "another token of the same user"


@pytest.mark.parametrize(
    ("answers", "status", "code", "retry_after"),
    [({"retry_after": 7}, 429, -813, "7"), ({"rate": "-10"}, 400, -10, None)],
)
def test_c9_other_answers_to_a_pace(
    server: KakaoSandbox, answers: dict[str, Any], status: int, code: int, retry_after: str | None
) -> None:
    server.change(limits={"read_seconds": 1}, states={"frozen": True}, answers=answers)
    moment = Moment(server)
    assert moment.ask("GET").status_code == 200
    answer = moment.ask("GET")
    assert failure(answer) == (status, code, None)
    assert answer.headers.get("Retry-After") == retry_after


def test_c2_pages_of_ad_accounts_need_no_account(server: KakaoSandbox) -> None:
    moment = Moment(server, None)
    moment.resource = "adAccounts/pages"
    server.change(accounts={"1": {"name": "하나"}, "2": {"config": "OFF"}, "3": {"config": "DEL"}, "4": {"role": False}})
    page = moment.ask("GET").json()
    assert [one["id"] for one in page.pop("content")] == [1, 2]
    assert page == {"size": 10, "totalElements": 2, "totalPages": 1, "page": 0}
    page = moment.ask("GET", params={"config": "ON,OFF,DEL", "size": 2, "page": 1}).json()
    assert ([one["id"] for one in page["content"]], page["totalPages"], page["totalElements"]) == ([3], 2, 3)
    assert failure(moment.ask("GET", params={"page": "first"})) == (400, -2, None)
    assert failure(moment.ask("GET", params={"config": "MAYBE"})) == (400, -2, None)


def test_what_there_is_not_is_not_supported(server: KakaoSandbox) -> None:
    moment = Moment(server)
    assert failure(moment.ask("GET", "/1/2")) == (400, -3, None)
    assert failure(moment.ask("GET", "/2656")) == (400, -3, None), "there is no route for one file"
    assert requests.get(f"{server.url}/openapi/v4/campaigns", headers=moment.headers, timeout=10).json()["code"] == -3
