"""The newer resource, and the older one once it is shut down (contract: kakao_moment, C12, C13)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from sandbox.kakao import KakaoSandbox
from tests.sandbox.kakao.conftest import Moment, failure, ids

FIELDS = {
    "id", "adAccountId", "name", "kuidListKey", "status", "ready", "fileType", "type", "sourceUrl", "renewable",
    "renewalExpireDateTime", "populationScore", "populationUpdateDate", "createdDate", "originalCreatedDate", "lastModifiedDate",
}  # fmt: skip


@pytest.fixture
def data(server: KakaoSandbox) -> Moment:
    """The user, who asks the newer resource."""
    moment = Moment(server)
    moment.resource = "customerData"
    return moment


@pytest.fixture
def source() -> Iterator[str]:
    """The URL of a file with 20 ids."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path.startswith("/exports/") else 404)
            self.end_headers()
            self.wfile.write(ids(20))

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}/exports/daily/vip.csv?key=1"
        http.shutdown()


def test_c12_customer_data_has_its_own_fields_and_the_same_life(data: Moment, server: KakaoSandbox) -> None:
    answer = data.upload("POST", "", {"name": "우수 고객", "fileType": "ADID"}, [("a.csv", ids(10))])
    made = answer.json()
    assert (answer.status_code, set(made)) == (200, FIELDS)
    assert (made["name"], made["status"], made["fileType"], made["type"]) == ("우수 고객", "WAITING", "ADID", "FILE")
    assert (made["sourceUrl"], made["renewable"], made["renewalExpireDateTime"]) == (None, False, None)
    server.advance(3600)
    (done,) = data.listed()
    assert (done["status"], done["ready"], done["populationScore"]) == ("COMPLETE", True, 5)
    assert data.edit(made["id"], ids(2)).json()["status"] == "MODIFYING"
    server.advance(3600)
    assert data.listed()[0]["kuidListKey"] != made["kuidListKey"]
    assert data.ask("GET", f"/usages/{made['id']}").json() == []
    assert data.ask("DELETE", f"/{made['id']}").status_code == 200
    assert data.listed() == []


def test_c12_a_kind_of_identifier_that_nobody_saw_is_refused(data: Moment) -> None:
    answer = data.upload("POST", "", {"name": "고객", "fileType": "PHONE_NUMBER"}, [("a.csv", ids(10))])
    assert failure(answer) == (400, -2, None)
    assert data.listed() == []


def test_c12_both_generations_show_the_same_files(data: Moment, moment: Moment) -> None:
    number = moment.new()
    assert [[one["id"] for one in who.listed()] for who in (data, moment)] == [[number], [number]]
    assert data.listed()[0]["kuidListKey"] == moment.listed()[0]["adidListKey"]


def test_c12_a_url_is_masked_and_renewed_for_ninety_days(data: Moment, server: KakaoSandbox, source: str) -> None:
    answer = data.ask("POST", "/url", json={"name": "매일", "url": source})
    made = answer.json()
    assert (made["type"], made["renewable"]) == ("URL", True)
    host = source.partition("/exports")[0]
    assert made["sourceUrl"] == f"{host}/********daily/vip.csv"
    created, until = (datetime.fromisoformat(made[name]) for name in ("createdDate", "renewalExpireDateTime"))
    assert until - created == timedelta(days=90)
    server.advance(3600)
    assert (data.listed()[0]["status"], data.listed()[0]["populationScore"]) == ("COMPLETE", 10)
    assert server.content(made["id"]) == ids(20).decode().split()
    server.advance(90 * 86_400)
    assert data.listed()[0]["renewable"] is False


def test_c12_a_url_without_a_file_ends_in_error(data: Moment, server: KakaoSandbox, source: str) -> None:
    number = data.ask("POST", "/url", json={"name": "매일", "url": source.replace("exports", "nothing")}).json()["id"]
    server.advance(3600)
    assert (data.listed()[0]["id"], data.listed()[0]["status"]) == (number, "ERROR")
    assert failure(data.ask("POST", "/url", json={"name": "매일", "url": "file:///etc/passwd"})) == (400, -813, 99012)
    assert failure(data.ask("POST", "/url", json={"name": "매일"})) == (400, -813, 99012)
    assert failure(data.ask("POST", "/url", data=b"{")) == (400, -2, None)


def test_c12_which_generation_answers_is_a_switch(data: Moment, moment: Moment, server: KakaoSandbox) -> None:
    server.change(generation="customer_files")
    assert failure(data.ask("GET")) == (400, -3, None)
    assert moment.ask("GET").status_code == 200
    server.change(generation="customer_data")
    assert data.ask("GET").status_code == 200
    assert failure(moment.ask("GET")) == (400, -3, None)


def test_c13_customer_files_were_shut_down(data: Moment, moment: Moment, server: KakaoSandbox) -> None:
    number = moment.complete()
    server.change(generation="retired")
    answers: list[requests.Response] = [
        moment.ask("GET"),
        moment.register(),
        moment.edit(number, ids(1)),
        moment.ask("DELETE", f"/{number}"),
    ]
    assert [failure(one) for one in answers] == [(400, -9, None)] * 4
    assert [one["id"] for one in data.listed()] == [number], "the newer one has what was there"
    assert data.edit(number, ids(3)).status_code == 200
    assert server.files()[0]["status"] == "MODIFYING"
