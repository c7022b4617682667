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

    def send(self, method: str, path: str, body: Any = None, **changes: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.server.key}", **changes.pop("headers", {})}
        return self._session.request(method, self.server.url + path, json=body, headers=headers, timeout=10, **changes)

    def post(self, path: str, body: Any = None, **changes: Any) -> requests.Response:
        return self.send("POST", path, body, **changes)

    def track(self, **arrays: Any) -> requests.Response:
        return self.post("/users/track", arrays)

    def bulk(self, **arrays: Any) -> requests.Response:
        return self.post("/users/track/bulk", arrays)

    def delete(self, **ids: Any) -> requests.Response:
        return self.post("/users/delete", ids)

    def items(self, method: str, *items: Any, catalog: str = "shops") -> requests.Response:
        return self.send(method, f"/catalogs/{catalog}/items", {"items": list(items)})

    def attributes(self, user: str = "u") -> Any:
        """The attributes that a profile holds."""
        return next(found["attributes"] for found in self.server.users() if found.get("external_id") == user)

    def export(self, **asked: Any) -> Any:
        answer = self.post("/users/export/ids", asked)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def close(self) -> None:
        self._session.close()


@pytest.fixture
def server() -> Iterator[BrazeSandbox]:
    """Whatever a test sends, the server's own answers must fit the schemas (row S16)."""
    with BrazeSandbox() as running:
        yield running
        assert [found for found in running.violations() if found["rule"] == "answer"] == []


@pytest.fixture
def api(server: BrazeSandbox) -> Iterator[Api]:
    caller = Api(server)
    yield caller
    caller.close()
