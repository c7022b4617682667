"""One server for all tests of a file, as it was at its start for each, asked by a plain HTTP client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import requests

from sandbox.kakao import KakaoSandbox

Part = tuple[str, bytes]
"""File name and content."""


def ids(count: int, start: int = 0) -> bytes:
    """So many different advertising ids, one a line."""
    return b"".join(b"%08x-1111-4222-8333-%012x\n" % (number, number) for number in range(start, start + count))


class Moment:
    """Somebody who asks the API with a token for an ad account."""

    def __init__(self, server: KakaoSandbox, account: int | str | None = 12345, token: str | None = None) -> None:
        self.server, self.resource = server, "customerFiles"
        self.headers: dict[str, str] = {"Authorization": f"Bearer {token or server.token}"}
        if account is not None:
            self.headers["adAccountId"] = str(account)

    def ask(self, method: str, path: str = "", **more: Any) -> requests.Response:
        """One request to the resource."""
        url = f"{self.server.url}/openapi/v4/{self.resource}{path}"
        headers = {**self.headers, **more.pop("headers", {})}
        return requests.request(method, url, headers=headers, timeout=more.pop("timeout", 30), **more)

    def upload(
        self, method: str, path: str, form: dict[str, str], parts: Sequence[Part], field: str = "file", **more: Any
    ) -> requests.Response:
        """A multipart request."""
        return self.ask(method, path, data=form, files=[(field, (name, data, "text/csv")) for name, data in parts], **more)

    def register(self, name: str = "고객", content: bytes = ids(10), *parts: Part, **more: Any) -> requests.Response:
        """Register a file of one content and further parts."""
        return self.upload("POST", "", {"name": name}, [("고객.csv", content), *parts], **more)

    def edit(self, number: int, content: bytes, **more: Any) -> requests.Response:
        """Replace a file's content."""
        return self.upload("PUT", f"/{number}", {}, [("a.csv", content)], **more)

    def new(self, name: str = "고객", content: bytes = ids(10)) -> int:
        """The id of a file that is registered now."""
        answer = self.register(name, content)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    def complete(self, name: str = "고객", content: bytes = ids(10)) -> int:
        """The id of a file whose extraction has ended."""
        number = self.new(name, content)
        self.server.advance(3600)
        return number

    def listed(self) -> list[dict[str, Any]]:
        """The list."""
        answer = self.ask("GET")
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()
        return found

    def one(self, number: int) -> dict[str, Any]:
        """A file out of the list."""
        (found,) = [one for one in self.listed() if one["id"] == number]
        return found


def failure(answer: requests.Response) -> tuple[int, int, int | None]:
    """HTTP status, code and detail code of a refusal."""
    body = answer.json()
    return answer.status_code, body["code"], body["extras"].get("detailCode")


@pytest.fixture(scope="module")
def started() -> Iterator[KakaoSandbox]:
    """A server whose requests take one megabyte, and writes as fast as they come."""
    with KakaoSandbox("both", limits={"write_seconds": 0, "megabytes": 1}) as server:
        yield server


@pytest.fixture
def server(started: KakaoSandbox) -> KakaoSandbox:
    """The server without files, faults and counts."""
    started.reset()
    return started


@pytest.fixture
def moment(server: KakaoSandbox) -> Moment:
    """The user with the usual token and account."""
    return Moment(server)
