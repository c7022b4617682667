"""``activation kakao-login`` against the consent side of the contract's server, with a plain HTTP client as the browser."""

from __future__ import annotations

import io
import json
import re
import shlex
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from activation.cli import main
from activation.destinations.kakao_moment.koe import KOE
from activation.hooks.kakao_moment import KakaoMomentHook
from sandbox.kakao import KakaoSandbox

SECRET = "business-secret"
Visit = Callable[[str], None]


@pytest.fixture
def redirect_uri() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://localhost:{probe.getsockname()[1]}/callback"


@pytest.fixture
def kakao(redirect_uri: str) -> Iterator[KakaoSandbox]:
    with KakaoSandbox(oauth={"redirect_uris": [redirect_uri, "https://app.example.com/kakao"]}) as server:
        yield server


@pytest.fixture(autouse=True)
def connection(kakao: KakaoSandbox, redirect_uri: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Define the connection ``kakao``."""

    def define(**extra: str) -> None:
        given = {"client_secret": SECRET, "redirect_uri": redirect_uri, "ad_account_id": "12345", "auth_host": kakao.url}
        fields = {"conn_type": "kakao_moment", "host": kakao.url, "login": kakao.rest_key, "extra": given | extra}
        monkeypatch.setenv("AIRFLOW_CONN_KAKAO", json.dumps(fields))

    define()
    return define


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Callable[[Visit], list[str]]:
    """Let a function be the browser; what goes wrong in it is in the list."""
    wrong: list[str] = []

    def use(visit: Visit) -> list[str]:
        def start(address: str) -> bool:
            def run() -> None:
                try:
                    visit(address)
                except Exception as error:  # noqa: BLE001 - is looked at by the test
                    wrong.append(repr(error))

            threading.Thread(target=run, daemon=True).start()
            return True

        monkeypatch.setattr("webbrowser.open", start)
        return wrong

    return use


def get(address: str) -> tuple[int, str]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def back(kakao: KakaoSandbox, address: str, **changed: str) -> str:
    """Where the consent page sends the browser."""
    query = kakao.consent(address) | changed
    return f"{parse_qs(urlsplit(address).query)['redirect_uri'][0]}?{urlencode(query)}"


def printed(out: str) -> tuple[dict[str, object], dict[str, object]]:
    """The connection in both forms."""
    as_json, as_variable = out.splitlines()
    name, _, value = as_variable.partition("=")
    assert name == "AIRFLOW_CONN_KAKAO"
    return json.loads(as_json)["kakao"], json.loads(shlex.split(value)[0])


def test_c11_a_browser_on_the_same_machine_gives_a_token_that_works(
    kakao: KakaoSandbox,
    browser: Callable[[Visit], list[str]],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[tuple[int, str]] = []

    def visit(address: str) -> None:
        target = back(kakao, address)
        seen.append(get(f"{target.partition('/callback')[0]}/favicon.ico"))
        seen.append(get(target))

    wrong = browser(visit)
    with caplog.at_level("DEBUG"):
        assert main(["kakao-login", "kakao", "--timeout", "20"]) == 0
    out, err = capfd.readouterr()
    assert wrong == []
    assert [status for status, _ in seen] == [404, 200]
    first, second = printed(out)
    assert first == second
    token = str(first["password"])
    assert token not in err + caplog.text
    assert SECRET not in err + caplog.text
    assert "code=" not in caplog.text
    monkeypatch.setenv("AIRFLOW_CONN_KAKAO", json.dumps(second))
    assert KakaoMomentHook("kakao").test_connection()[0] is True


def test_a_code_can_be_pasted(
    kakao: KakaoSandbox, connection: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection(redirect_uri="https://app.example.com/kakao")
    monkeypatch.setattr("builtins.input", lambda: back(kakao, address_in(capsys.readouterr().err)))
    assert main(["kakao-login", "kakao", "--no-browser", "--delete"]) == 0
    first, _ = printed(capsys.readouterr().out)
    monkeypatch.setenv("AIRFLOW_CONN_KAKAO", json.dumps(first))
    assert KakaoMomentHook("kakao").test_connection()[0] is True


def address_in(text: str) -> str:
    found = re.search(r"^ +(http\S+)$", text, re.MULTILINE)
    assert found is not None
    return found.group(1)


def test_the_address_asks_for_what_is_needed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    queries = []
    for more in ([], ["--delete"]):
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert main(["kakao-login", "kakao", "--paste", "--no-browser", *more]) == 2
        err = capsys.readouterr().err
        assert "Nothing was pasted. Fix: Run the command where you can type." in err
        queries.append(parse_qs(urlsplit(address_in(err)).query))
    assert [query["scope"] for query in queries] == [["moment_management"], ["moment_management,moment_delete"]]
    assert queries[0]["resource_ids"] == ["moment:12345"]
    assert queries[0]["response_type"] == ["code"]
    assert queries[0]["state"] != queries[1]["state"]


def test_somebody_elses_code_is_not_taken_and_the_right_one_still_is(
    kakao: KakaoSandbox, browser: Callable[[Visit], list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[int, str]] = []

    def visit(address: str) -> None:
        right = back(kakao, address)
        seen.append(get(right.replace("state=", "state=x")))
        seen.append(get(right))

    browser(visit)
    assert main(["kakao-login", "kakao", "--timeout", "20"]) == 0
    assert [status for status, _ in seen] == [400, 200]
    assert seen[0][1].startswith("The state in the address is not the one of this consent")


@pytest.mark.parametrize(
    ("pasted", "problem"),
    [
        ("?code=canary-code", "The state in the address is not the one of this consent"),
        ("canary-code", "This is not the address to which Kakao sends the browser."),
        ("https://[x", "This is not the address to which Kakao sends the browser."),
        ("KOE123", "Kakao refused the consent with KOE123: the app is no biz app."),
        ("?error=access_denied&error_description=User+denied+access", "The consent was declined."),
    ],
)
def test_what_a_wrong_paste_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], pasted: str, problem: str
) -> None:
    monkeypatch.setattr("builtins.input", lambda: pasted)
    assert main(["kakao-login", "kakao", "--paste", "--no-browser"]) == 2
    out, err = capsys.readouterr()
    assert problem in err
    assert "canary" not in out + err


def test_c11_a_code_is_good_once_and_a_wrong_secret_is_told(
    kakao: KakaoSandbox, connection: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    connection(client_secret="canary-login-secret")
    monkeypatch.setattr("builtins.input", lambda: back(kakao, address_in(capsys.readouterr().err)))
    assert main(["kakao-login", "kakao", "--paste", "--no-browser"]) == 2
    err = capsys.readouterr().err
    assert "KOE010: the client secret is wrong or missing. Fix: Enter the secret for business authorization" in err
    assert "canary" not in err
    connection()
    monkeypatch.setattr("builtins.input", lambda: back(kakao, address_in(capsys.readouterr().err), code="canary-code"))
    assert main(["kakao-login", "kakao", "--paste", "--no-browser"]) == 2
    err = capsys.readouterr().err
    assert "KOE320: the code was used before or is older than ten minutes. Fix: Begin again" in err
    assert "canary" not in err


@pytest.mark.parametrize("code", ["KOE123", "KOE232"])
def test_an_error_that_is_redirected_is_explained(
    kakao: KakaoSandbox, browser: Callable[[Visit], list[str]], capsys: pytest.CaptureFixture[str], code: str
) -> None:
    kakao.change(consent_error=code, oauth={"errors": "redirect"})
    browser(lambda address: print(get(back(kakao, address))))
    assert main(["kakao-login", "kakao", "--timeout", "20"]) == 2
    problem, remedy = KOE[code]
    assert f"Kakao refused the consent with {code}: {problem}. Fix: {remedy}" in capsys.readouterr().err


def test_43_every_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = "003 005 008 010 025 026 027 028 101 123 124 125 201 232 233 303 320"
    assert sorted(KOE) == [f"KOE{number}" for number in numbers.split()]
    assert main(["kakao-login", "--explain", "koe028"]) == 0
    assert capsys.readouterr().out == (
        "KOE028: the redirect URI is not registered. Register the connection's redirect_uri with the app's REST API key.\n"
    )


def test_a_port_that_is_taken_and_nobody_who_consents(redirect_uri: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kakao-login", "kakao", "--no-browser", "--timeout", "0.2"]) == 2
    assert "Nobody consented within 0.2 seconds. Fix: Begin again, or use --paste." in capsys.readouterr().err
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", urlsplit(redirect_uri).port or 0))
        taken.listen()
        assert main(["kakao-login", "kakao", "--no-browser"]) == 2
    assert "cannot be listened on: Address already in use. Fix: Free it, or use --paste." in capsys.readouterr().err


def test_it_needs_a_connection(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["kakao-login"]) == 2
    assert capsys.readouterr().err == "activation: No connection is named. Fix: Write activation kakao-login CONNECTION.\n"
