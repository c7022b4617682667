"""A running server for each test, and a small caller of its API."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.braze import BrazeSandbox


class Api:
    """Posts JSON with the server's first key, as a client would."""

    def __init__(self, server: BrazeSandbox) -> None:
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False

    def post(self, path: str, body: Any = None, **changes: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.server.key}", **changes.pop("headers", {})}
        return self._session.post(self.server.url + path, json=body, headers=headers, timeout=10, **changes)

    def track(self, **arrays: Any) -> requests.Response:
        return self.post("/users/track", arrays)

    def bulk(self, **arrays: Any) -> requests.Response:
        return self.post("/users/track/bulk", arrays)

    def export(self, **asked: Any) -> Any:
        answer = self.post("/users/export/ids", asked)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def server() -> Iterator[BrazeSandbox]:
    with BrazeSandbox() as running:
        yield running


@pytest.fixture
def api(server: BrazeSandbox) -> Iterator[Api]:
    caller = Api(server)
    yield caller
    caller.close()
