"""Whether a request is signed by somebody known (AWS Signature Version 4), worked out anew from the request."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import lru_cache

from sandbox.kinesis import contract
from sandbox.kinesis.errors import Refused

_FORM = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request),"
    r" *SignedHeaders=(?P<headers>[\w;.-]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_TIME = "%Y%m%dT%H%M%SZ"
_WRONG = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing "
    "method. Consult the service documentation for details."
)


def check(headers: Mapping[str, str], body: bytes, keys: Mapping[str, str], region: str, now: float, service: str) -> str:
    """Check who asks.

    :param headers: with names in any case.
    :param now: seconds since the epoch.
    :returns: the access key.
    :raises Refused: if the signature is missing, of nobody known, too old, or not of this request.
    """
    given = headers.get("Authorization")
    if not given:
        raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token")
    found = _FORM.fullmatch(given)
    if found is None:
        raise Refused("IncompleteSignatureException", "Authorization header is not a signature of version 4.")
    if found["key"] not in keys:
        raise Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
    if (found["region"], found["service"]) != (region, service):
        raise Refused("InvalidSignatureException", f"Credential should be scoped to a valid region, not '{found['region']}'. ")
    stamp = headers.get("X-Amz-Date", "")
    _fresh(stamp, found["date"], now)
    signed = found["headers"].split(";")
    if "host" not in signed or "x-amz-date" not in signed:
        raise Refused("InvalidSignatureException", "'Host' and 'X-Amz-Date' must be signed headers.")
    lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in signed)
    request = f"POST\n/\n\n{lines}\n{found['headers']}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{found['scope']}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = _key(keys[found["key"]], found["date"], region, service)
    if not hmac.compare_digest(_mac(key, text).hex(), found["signature"]):
        raise Refused("InvalidSignatureException", _WRONG)
    return found["key"]


def _fresh(stamp: str, date: str, now: float) -> None:
    try:
        made = datetime.strptime(stamp, _TIME).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        raise Refused("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.") from None
    if not stamp.startswith(date):
        raise Refused(
            "InvalidSignatureException", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date."
        )
    if abs(now - made) > contract.CLOCK_SECONDS:
        here = datetime.fromtimestamp(now, timezone.utc).strftime(_TIME)
        what = "expired" if made < now else "not yet current"
        raise Refused("InvalidSignatureException", f"Signature {what}: {stamp} is now too far from {here}")


@lru_cache(maxsize=16)
def _key(secret: str, date: str, region: str, service: str) -> bytes:
    key = _mac(f"AWS4{secret}".encode(), date)
    for part in (region, service, "aws4_request"):
        key = _mac(key, part)
    return key


def _mac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
