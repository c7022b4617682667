"""What the fault proxy does wrong, in the words and shapes of Amazon's services."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

STATUS: Mapping[str, int] = {
    "AccessDenied": 403,
    "AuthorizationHeaderMalformed": 400,
    "ConditionalRequestConflict": 409,
    "ExpiredToken": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidClientTokenId": 403,
    "KMS.DisabledException": 400,
    "KMS.NotFoundException": 400,
    "MalformedPolicyDocument": 400,
    "NoSuchBucket": 404,
    "NoSuchUpload": 404,
    "PermanentRedirect": 301,
    "PreconditionFailed": 412,
    "RequestTimeout": 400,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
    "SlowDown": 503,
    "Throttling": 400,
    "ValidationError": 400,
}
"""Error codes of S3 and STS and their HTTP status."""

ACTIONS = ("reset", "lost", "truncate", "delay", "redirect", "expires")
_WITH_NUMBER = ("delay", "expires")

_MESSAGES = {
    "SlowDown": "Please reduce your request rate.",
    "InternalError": "We encountered an internal error. Please try again.",
    "ExpiredToken": "The provided token has expired.",
    "AccessDenied": "Access Denied",
    "PermanentRedirect": "The bucket you are attempting to access must be addressed using the specified endpoint. "
    "Please send all future requests to this endpoint.",
}


@dataclass
class Fault:
    """One thing that goes wrong.

    :ivar match: found by ``re.search`` in ``METHOD path?query`` or in ``METHOD path?query Action``.
    :ivar left: how many further requests it meets.
    :ivar what: an error code of :data:`STATUS`, or one of :data:`ACTIONS`.
    :ivar argument: the region of ``redirect``, the seconds of ``delay`` and ``expires``.
    :ivar message: the text of an error.
    """

    match: re.Pattern[str]
    left: int
    what: str
    argument: str
    message: str

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Fault:
        """Read ``{"match": regex, "n": count, "do": what[:argument], "message": text}``; all but ``do`` may be left out.

        :raises ValueError: if there is no such fault, or a field that is not known.
        """
        if unknown := set(given) - {"match", "n", "do", "message"}:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
        what, _, argument = str(given["do"]).partition(":")
        if what not in STATUS and what not in ACTIONS:
            raise ValueError(f"there is no fault {what!r}; there are {', '.join([*ACTIONS, *STATUS])}")
        if (what in (*_WITH_NUMBER, "redirect")) != bool(argument):
            raise ValueError(f"{given['do']!r} is not a fault: delay, expires and redirect take an argument, nothing else does")
        if what in _WITH_NUMBER:
            float(argument)
        message = given.get("message", _MESSAGES.get(what, "injected"))
        return cls(re.compile(given.get("match", "")), int(given.get("n", 1)), what, argument, message)


@dataclass(frozen=True)
class Answer:
    """An answer that the proxy gives by itself."""

    status: int
    headers: Mapping[str, str]
    body: str


def error(fault: Fault, path: str, *, form: bool, target: bool) -> Answer:
    """Word an error as the service that is asked would.

    :param path: of the request; S3 names the bucket in a redirect.
    :param form: whether the request is a form, which STS and IAM get.
    :param target: whether it has ``X-Amz-Target``, which KMS gets.
    """
    moved = fault.what == "redirect"
    code = "PermanentRedirect" if moved else fault.what
    message = _MESSAGES[code] if moved else fault.message
    headers = {"x-amz-bucket-region": fault.argument} if moved else {}
    if target:
        json_type = {"content-type": "application/x-amz-json-1.1"}
        return Answer(STATUS[code], headers | json_type, json.dumps({"__type": code, "message": message}))
    inner = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
    if form:
        text = f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error><RequestId>0000</RequestId></ErrorResponse>"
    else:
        bucket = urlsplit(path).path.split("/")[1]
        endpoint = f"<Endpoint>s3.{fault.argument}.amazonaws.com</Endpoint><Bucket>{bucket}</Bucket>" if moved else ""
        text = f"<Error>{inner}{endpoint}<RequestId>0000</RequestId><HostId>0000</HostId></Error>"
    return Answer(STATUS[code], headers | {"content-type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}')
