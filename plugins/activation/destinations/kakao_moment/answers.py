"""Reads Kakao Moment's answers (contracts: kakao_moment 5): from status, headers and body to what the client does next."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from activation.destinations.kakao_moment.settings import Account
from activation.destinations.kakao_moment.table import Codes, Table
from activation.errors import ActivationError, ConfigurationError, TransientError

_BUSINESS, _NOT_ACTIVATED = -813, -3
_MOST_TEXT = 300


class Verdict(Enum):
    """What became of a call."""

    DONE = "done"
    LATER = "later"
    """It may succeed if it is repeated."""
    RETIRED = "retired"
    """This generation of the API was shut down; nothing was done."""
    REFUSED = "refused"
    """A person must do something; repeating it is in vain."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a call.

    :ivar data: the body, with verdict ``DONE``; ``None`` if there is none.
    :ivar error: what to raise, with any other verdict, if it is not repeated.
    :ivar pause: seconds to wait that the answer demands; ``None`` if it demands nothing.
    :ivar unknown: whether the call may have been carried out although it failed.
    :ivar found: the id of the file by which it showed that the call had been carried out.
    """

    verdict: Verdict
    data: Any = None
    error: ActivationError | None = None
    pause: float | None = None
    unknown: bool = False
    found: int | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """What the body of an error says (5.1)."""

    status: int
    code: int | None
    detail: int | None
    text: str
    scopes: tuple[str, ...]

    def __str__(self) -> str:
        parts = [str(self.status), "" if self.code is None else f"code {self.code}"]
        parts += ["" if self.detail is None else f"detail code {self.detail}", self.text]
        return ", ".join(part for part in parts if part)


def read_answer(status: int, headers: Mapping[str, str], body: bytes, *, account: Account, table: Table, what: str) -> Answer:
    """Judge the answer to one call.

    :param headers: matched as they are.
    :param what: the call, for people: ``register 'VIP'``.
    """
    readable, data = _json(body)
    said = _said(status, data, account.token)
    failed = said.code is not None or said.status >= 300
    if not failed and readable:
        return Answer(Verdict.DONE, data)
    codes = table.codes
    if said.code in codes.retired:
        return Answer(Verdict.RETIRED, error=_retired(what))
    if said.status not in (401, 403) and (said.code in codes.retry or said.status in (408, 429) or said.status >= 500):
        limited = said.status == 429 or said.code in codes.quota
        pause = _seconds(headers.get("Retry-After"))
        if pause is None and said.code in codes.quota:
            pause = table.pace.quota_seconds
        error = TransientError(f"Kakao Moment could not {what}: {said}.")
        return Answer(Verdict.LATER, error=error, pause=pause, unknown=not limited)
    if said.status not in (401, 403) and (not readable or (status >= 300 and said.code is None)):
        return Answer(Verdict.REFUSED, error=_not_kakao(said, what, account))
    return Answer(
        Verdict.REFUSED, error=ConfigurationError(f"Kakao Moment refused to {what}: {said}.", _fix(said, codes, account))
    )


def _said(status: int, data: Any, token: str) -> _Said:
    """Read an envelope; a success may carry one too (2.6), and one variant has its status in the extras (5.1)."""
    envelope = _object(data)
    extras = _object(envelope.get("extras"))
    code, detail, within = (_whole(each) for each in (envelope.get("code"), extras.get("detailCode"), extras.get("status")))
    known = "msg" in envelope or "extras" in envelope or status >= 300
    code = code if code != 0 and known else None
    text = extras.get("detailMsg") or extras.get("message") or (envelope.get("msg") if code != _BUSINESS else "") or ""
    scopes = envelope.get("required_scopes") or extras.get("required_scopes")
    named = tuple(str(each)[:80].replace(token, "***") for each in scopes) if isinstance(scopes, list) else ()
    worst = within if within is not None and 400 <= within < 600 and status < 300 else status
    return _Said(worst, code, detail, _clean(text, token), named)


def _fix(said: _Said, codes: Codes, account: Account) -> str:
    again = f"A person must consent again: activation kakao-login {account.connection}."
    ad_account = f"the ad account {account.ad_account_id}"
    fixes = (
        (bool(said.scopes), f"The consent lacks {', '.join(said.scopes)}. {again}"),
        (
            said.status == 401 or said.code in codes.consent,
            f"{again} The token must be a business token, not one of the ordinary Kakao Login.",
        ),
        (said.detail in codes.rights, f"Give the one who consented a role in {ad_account}, or correct ad_account_id."),
        (said.detail in codes.not_found, f"Check that {ad_account} exists, and that nobody deleted the file meanwhile."),
        (said.detail in codes.conflict, "Wait until the file is COMPLETE, or look in Kakao Moment at what uses it."),
        (
            said.status == 403 or said.code == _NOT_ACTIVATED,
            "Ask Kakao to grant the app the Moment API; until then destination.output: {to: folder, path: …} needs no rights.",
        ),
    )
    other = "Compare it with docs/kakao.md; what is not confirmed there can be changed in the connection's extra field table."
    return next((fix for holds, fix in fixes if holds), other)


def _retired(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"Kakao Moment could not {what}, because this generation of its API was shut down.",
        "Set destination.output.api to the other one of customer_files and customer_data, or to auto.",
    )


def _not_kakao(said: _Said, what: str, account: Account) -> ConfigurationError:
    return ConfigurationError(
        f"{account.url} answered {said} when asked to {what}; it does not look like the API of Kakao Moment.",
        "Check the host of the connection, the routes in its extra field table, and whether a proxy answers instead.",
    )


def _clean(text: object, token: str) -> str:
    return " ".join(str(text).replace(token, "***").split())[:_MOST_TEXT].rstrip(".")


def _object(data: Any) -> dict[str, Any]:
    return data if isinstance(data, dict) else {}


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.strip().isdecimal() else None


def _json(body: bytes) -> tuple[bool, Any]:
    """Whether the body can be read, and what it says; an empty one says nothing."""
    if not body.strip():
        return True, None
    try:
        return True, json.loads(body)
    except (ValueError, RecursionError):
        return False, None
