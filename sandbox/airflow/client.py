"""Logged-in HTTP calls to Airflow's REST API, with errors that say what was asked and what came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_fixed

_PAGE = 100
_BUSY_SECONDS = 30
"""How long a call is repeated that found SQLite locked by another part of Airflow. Such a call is rolled back whole."""


class AirflowApiError(Exception):
    """Airflow answered with an error status.

    :ivar status: the HTTP status.
    """

    def __init__(self, call: str, status: int, answer: str) -> None:
        super().__init__(call, status, answer)
        self.call = call
        self.status = status
        self.answer = answer

    def __str__(self) -> str:
        return f"{self.call} answered {self.status}: {self.answer[:1000]}"


class AirflowTimeoutError(Exception):
    """What was waited for did not happen in time."""


class ApiClient:
    """Calls of one Airflow; logs in before the first call and again when the token has run out.

    :param url: of the API server, without a slash at the end.
    :param timeout: seconds for one call.
    """

    def __init__(self, url: str, user: str, password: str, *, timeout: float = 30) -> None:
        self.url = url
        self.user = user
        self._password = password
        self._timeout = timeout
        self._session = requests.Session()
        self._session.trust_env = False

    def call(
        self, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None, root: str = "/api/v2"
    ) -> Any:
        """One call; gives the JSON of the answer, ``None`` for an empty one. Repeated while SQLite is locked.

        :param path: below ``root``, with the slash at its beginning.
        :param root: of Airflow's REST API; an auth manager and a plugin have roots of their own.
        :raises AirflowApiError: for any status of 400 and above.
        """
        patient = Retrying(
            retry=retry_if_exception(_is_busy), stop=stop_after_delay(_BUSY_SECONDS), wait=wait_fixed(0.5), reraise=True
        )
        return patient(self._call, method, root + path, params, body)

    def _call(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> Any:
        if "Authorization" not in self._session.headers:
            self._log_in()
        answer = self._send(method, path, params, body)
        if answer.status_code == requests.codes.unauthorized:
            self._log_in()
            answer = self._send(method, path, params, body)
        return _content(answer)

    def pages(self, path: str, key: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """All entries of a list that Airflow gives page by page, each in the answer's field ``key``."""
        offset = 0
        while True:
            page = self.call("GET", path, params={**(params or {}), "limit": _PAGE, "offset": offset})
            yield from page[key]
            offset += _PAGE
            if offset >= page["total_entries"]:
                return

    def health(self) -> dict[str, Any]:
        """The state of every part of Airflow, without a login."""
        health: dict[str, Any] = _content(self._send("GET", "/api/v2/monitor/health", None, None))
        return health

    def _log_in(self) -> None:
        body = {"username": self.user, "password": self._password}
        self._session.headers.pop("Authorization", None)
        token = _content(self._send("POST", "/auth/token", None, body))["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def _send(self, method: str, path: str, params: Mapping[str, Any] | None, body: Any) -> requests.Response:
        return self._session.request(method, self.url + path, params=params, json=body, timeout=self._timeout)


def _is_busy(error: BaseException) -> bool:
    busy = isinstance(error, AirflowApiError) and error.status == requests.codes.internal_server_error
    return busy and "Database error" in str(error)


def _content(answer: requests.Response) -> Any:
    if answer.status_code >= requests.codes.bad_request:
        raise AirflowApiError(f"{answer.request.method} {answer.url}", answer.status_code, _detail(answer))
    return answer.json() if answer.content else None


def _detail(answer: requests.Response) -> str:
    try:
        detail = answer.json().get("detail", answer.text)
    except (ValueError, AttributeError):
        return answer.text
    return detail if isinstance(detail, str) else answer.text
