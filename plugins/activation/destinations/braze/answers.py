"""Reads Braze's answers (contracts: braze 2.4 and 2.5): from status, headers and body to what the engine does next."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from activation.delivery.answer import Answer, RateNote, Reason, Verdict
from activation.destinations.braze import contract
from activation.destinations.braze.calls import Call
from activation.errors import ConfigurationError

_HOST_FIX = "Set the connection's host to your instance's REST endpoint, such as https://rest.iad-01.braze.com, without a path."
_NAME = re.compile(r"[A-Z][A-Z0-9_]+|[a-z]+(-[a-z]+)+")
_Errors = tuple[dict[int, Reason], Reason | None]


def read_answer(status: int, headers: Mapping[str, str], body: bytes, *, count: int, call: Call, secret: str) -> Answer:
    """Judge the answer to one request.

    :param headers: matched in any case.
    :param count: items of the request.
    :param secret: the API key, which Braze echoes in a 401; it is taken out of every text.
    """
    rate = read_rate(headers, time.time())
    data = _json(body)
    said = data or {}
    message = _clean(said.get("message") or said.get("error") or "", secret)
    if 200 <= status < 300 and data is not None:
        return _accepted(status, message, _by_index(said.get("errors"), count, call.array, secret), rate)
    if status in contract.REFUSED:
        return _refused(status, message, _by_index(said.get("errors"), count, call.array, secret), count, rate)
    if status == 429:
        return Answer(Verdict.LIMITED, Reason("rate_limited", message), rate=rate)
    if status in contract.FAILED or status >= 500:
        unknown = status in contract.UNKNOWN
        return Answer(Verdict.FAILED, Reason("server_error", _status(status, message)), rate=rate, unknown=unknown)
    return Answer(Verdict.FATAL, rate=rate, error=_not_braze(status) if data is None else _configuration(status, message, call))


def _accepted(status: int, message: str, errors: _Errors, rate: RateNote | None) -> Answer:
    """A 2xx: good but for the items that an error names; an error that names none casts doubt on all of them."""
    if message.casefold() not in contract.SUCCESS_MESSAGES:
        return Answer(Verdict.FAILED, Reason("no_success", f"Braze answered {status} but said {message!r}."), rate=rate)
    rejected, loose = errors
    if loose is None:
        return Answer(Verdict.ACCEPTED, rejected=rejected, rate=rate)
    return Answer(Verdict.REFUSED, loose, rate=rate)


def _refused(status: int, message: str, errors: _Errors, count: int, rate: RateNote | None) -> Answer:
    """A 4xx about the items: where an error names each of them all are known to be bad, else the batch is halved."""
    rejected, loose = errors
    if loose is None and len(rejected) == count:
        return Answer(Verdict.ACCEPTED, rejected=rejected, rate=rate)
    known = next(iter(rejected.values()), loose) if count == 1 else loose
    too_many = contract.TOO_MANY in message.casefold() and count > 1
    return Answer(Verdict.REFUSED, known or Reason(f"refused_{status}", _status(status, message)), rate=rate, too_many=too_many)


def _by_index(errors: Any, count: int, array: str, secret: str) -> _Errors:
    """Sort errors into those that name an item and one of those that name none."""
    rejected: dict[int, Reason] = {}
    loose: Reason | None = None
    for error in errors if isinstance(errors, list) else [errors] if errors else []:
        element = error if isinstance(error, dict) else {"type": error}
        index = element.get("index")
        reason = _reason(
            _clean(element.get("type") or element.get("id") or element.get("message") or "unknown error", secret),
            _clean(element.get("message") or "", secret),
        )
        if isinstance(index, int) and 0 <= index < count and element.get("input_array", array) == array:
            rejected.setdefault(index, reason)
        else:
            loose = loose or reason
    return rejected, loose


def _reason(name: str, text: str) -> Reason:
    """A reason whose code is Braze's own name, such as ``EMAIL_BAD_FORMAT`` or ``ids-too-large``, if it has one."""
    code = re.sub("-", "_", name.lower()) if _NAME.fullmatch(name) else contract.SERVER_CODES.get(name.casefold(), "refused")
    return Reason(code, f"Braze: {name}: {text}" if text and text != name else f"Braze: {name}")


def _status(status: int, message: str) -> str:
    return f"Braze answered {status}: {message}" if message else f"Braze answered {status}."


def _clean(text: object, secret: str) -> str:
    """What Braze said, without the key and not too long."""
    return str(text).replace(secret, "***")[:500]


def read_rate(headers: Mapping[str, str], now: float) -> RateNote | None:
    """What the headers say about the request budget; ``None`` if nothing (a 401 carries them empty).

    :param now: seconds since the epoch; where the answer's own date shows that this clock is wrong, the date counts.
    """
    values = {name.lower(): value for name, value in headers.items()}
    limit, remaining, reset = (
        _whole(values.get(name.lower())) for name in (contract.LIMIT_HEADER, contract.REMAINING_HEADER, contract.RESET_HEADER)
    )
    waits = [wait for name in contract.RETRY_HEADERS if (wait := _whole(values.get(name.lower()))) is not None]
    if limit is None and remaining is None and reset is None and not waits:
        return None
    pause = float(waits[0]) if waits else None
    if reset is None or reset < contract.EPOCH_FROM:
        return RateNote(limit, remaining, None if reset is None else float(reset), False, pause)
    right = _right(now, values.get("date"))
    return RateNote(limit, remaining, max(0.0, reset - right), right == now, pause)


def _right(now: float, date: str | None) -> float:
    """Our clock's time, or the date of the answer where that shows that our clock is wrong."""
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return now
    return now if theirs <= now <= theirs + contract.MOST_SKEW else theirs


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdecimal() else None


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _not_braze(status: int) -> ConfigurationError:
    return ConfigurationError(
        f"The Braze connection's host answered {status} with something that is not JSON; it does not look like Braze's REST API.",
        _HOST_FIX,
    )


def _configuration(status: int, message: str, call: Call) -> ConfigurationError:
    said = f" ({message})" if message else ""
    if status == 401:
        return ConfigurationError(
            f"Braze refused the API key with 401{said}.",
            "Check that the connection's key is complete and belongs to the workspace and instance of its host.",
        )
    if status == 403:
        return ConfigurationError(
            f"Braze forbids the call with 403{said}.",
            f"Give the API key the permission {call.permission}; the connection's host must have no path.",
        )
    if status == 404 and call.array == "items":
        return ConfigurationError(
            f"Braze has no catalog for {call.path}: {status}{said}.",
            "Create the catalog in Braze with the fields of the payload, or correct destination.catalog.name.",
        )
    return ConfigurationError(f"The Braze connection's host does not know the call: {status}{said}.", _HOST_FIX)
