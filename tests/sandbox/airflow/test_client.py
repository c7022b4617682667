"""The client of Airflow's REST API on a real socket: a locked database is waited for, other errors are told at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, cast

import pytest

from sandbox.airflow.client import AirflowApiError, ApiClient
from tests.support.serving import serving

_LOCKED = {"detail": {"reason": "Database error", "message": "Serious error when handling your request."}}


class _Airflow(HTTPServer):
    """Gives a token to everybody, and then the answers it was told, one for each call."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[tuple[int, Any]] = []
        self.calls = 0


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self._answer(201, {"access_token": "token"})

    def do_PATCH(self) -> None:
        server = cast(_Airflow, self.server)
        server.calls += 1
        self._answer(*server.answers.pop(0))

    def _answer(self, status: int, content: Any) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def airflow() -> Iterator[_Airflow]:
    with serving(_Airflow()) as server:
        yield server


def _pause(airflow: _Airflow) -> Any:
    client = ApiClient(f"http://127.0.0.1:{airflow.server_address[1]}", "admin", "admin")
    return client.call("PATCH", "/dags/users", body={"is_paused": True})


def test_a_call_is_repeated_until_the_database_is_free(airflow: _Airflow) -> None:
    airflow.answers = [(500, _LOCKED), (200, {"is_paused": True})]
    assert _pause(airflow) == {"is_paused": True}
    assert airflow.calls == 2


@pytest.mark.parametrize(("status", "content"), [(500, {"detail": "Internal Server Error"}), (404, {"detail": "no such DAG"})])
def test_any_other_error_is_told_at_once(airflow: _Airflow, status: int, content: dict[str, str]) -> None:
    airflow.answers = [(status, content)]
    with pytest.raises(AirflowApiError, match=content["detail"]) as caught:
        _pause(airflow)
    assert (caught.value.status, airflow.calls) == (status, 1)
