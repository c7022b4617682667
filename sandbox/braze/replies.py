"""Answers before they are HTTP."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from sandbox.braze import contract
from sandbox.braze.wire import encode

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers of an answer; with ``cut`` the connection is reset instead."""

    status: int
    body: bytes = b""
    content_type: str = _JSON
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False


class Refused(Exception):
    """The request as a whole is refused with this answer."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(status: int, value: Any, headers: dict[str, str] | None = None) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, encode(value), headers=headers or {})


def message(status: int, text: str, headers: dict[str, str] | None = None) -> Reply:
    """An answer of the common form ``{"message": text}``."""
    return json_reply(status, {"message": text}, headers)


def unparsable() -> Reply:
    """The 400 for a body that is not JSON (row S3): the text stands under ``error``."""
    return json_reply(400, {"error": contract.UNPARSABLE})


def server_error(status: int) -> Reply:
    """A 5xx answer (row S12): JSON from the application, an HTML page from a gateway."""
    if status not in contract.GATEWAY_STATUSES:
        return message(status, contract.SERVER_ERROR)
    title = f"{status} {HTTPStatus(status).phrase}"
    page = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Reply(status, page.encode(), "text/html")
