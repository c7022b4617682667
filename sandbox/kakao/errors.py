"""What the server refuses, in the envelope of Kakao Moment (5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.kakao import contract


class Refused(Exception):
    """A request is refused: HTTP status, body and headers of the answer."""

    def __init__(self, status: int, body: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, body)
        self.status, self.body, self.headers = status, body, dict(headers or {})

    @property
    def code(self) -> int:
        """Kakao's error code."""
        return int(self.body["code"])


class Cut(Exception):
    """The connection is reset on purpose."""


def envelope(code: int, message: str, extras: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error."""
    return {"code": code, "msg": message, "extras": extras or {}}


def refused(code: int, message: str = "", status: int | None = None) -> Refused:
    """An error of the platform, with its usual status and text unless others are given."""
    usual, text = contract.CODES.get(code, (400, "An error."))
    return Refused(status or usual, envelope(code, message or text))


def business(detail: int, message: str, status: int = 400) -> Refused:
    """An error of Moment itself."""
    return Refused(status, business_body(detail, message))


def business_body(detail: int, message: str) -> dict[str, Any]:
    """The body of an error of Moment itself: the fixed word, and the detail."""
    return envelope(contract.BUSINESS, contract.BUSINESS_MESSAGE, {"detailCode": detail, "detailMsg": message})


def not_found(what: str) -> Refused:
    """There is no such thing."""
    return business(contract.NOT_FOUND, f"There is no {what}.")
