"""What AWS says of a whole call, and what that means: a table from its code to an error and the remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from activation.delivery.answer import Answer, Reason, Verdict
from activation.destinations.kinesis.settings import Stream
from activation.errors import ConfigurationError

Means = Literal["configuration", "refused", "again", "server"]
"""A person must act; the call's content is at fault; a later call may pass and nothing is in; the same, but it may be in."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A row of the table; the first one that fits counts.

    :ivar code: pattern of AWS's error code, matched whole.
    :ivar means: what follows.
    :ivar remedy: what to do; ``{action}``, ``{stream}``, ``{arn}`` and ``{region}`` are filled in.
    :ivar says: pattern that AWS's message must hold.
    :ivar quiet: whether AWS's message is left out, because it repeats the signed headers.
    """

    code: str
    means: Means
    remedy: str
    says: str = ""
    quiet: bool = False


_KEY = "Check the connection's access key and secret key: complete, active, and of the account that may write to {stream}."

ANSWERS: tuple[Answered, ...] = (
    Answered("ResourceNotFoundException", "configuration", "Correct destination.stream: name, region ({region}) and account."),
    Answered("AccessDenied(Exception)?", "configuration", "Allow kinesis:{action} on {arn} to the connection's user or role."),
    Answered("KMSThrottlingException", "again", "Ask for a higher KMS request quota if that stays so."),
    Answered("KMSAccessDeniedException", "configuration", "Allow kms:GenerateDataKey on the key that encrypts {stream}."),
    Answered("KMSDisabledException", "configuration", "Enable the KMS key that encrypts {stream}."),
    Answered("KMSInvalidStateException", "configuration", "Bring the KMS key that encrypts {stream} into the state Enabled."),
    Answered("KMSNotFoundException", "configuration", "Give {stream} a KMS key that exists, or turn its encryption off."),
    Answered("KMSOptInRequired", "configuration", "Activate KMS in the account of {stream}."),
    Answered("ValidationException", "refused", "Lower records.max_bytes or requests.records.", says=r"'[Rr]ecords\b"),
    Answered("ValidationException", "configuration", "Correct destination.stream: {arn} is not one that AWS takes."),
    Answered("InvalidArgumentException", "refused", "Lower requests.bytes or records.max_bytes."),
    Answered("RequestEntityTooLarge(Exception)?", "refused", "Lower requests.bytes."),
    Answered("ExpiredToken(Exception)?|RequestExpired", "again", "The credentials are fetched again; check the worker's clock."),
    Answered(
        "InvalidSignatureException", "again", "Check the worker's clock.", says="Signature (expired|not yet current)", quiet=True
    ),
    Answered("InvalidSignatureException|SignatureDoesNotMatch|IncompleteSignature.*", "configuration", _KEY, quiet=True),
    Answered("UnrecognizedClientException|InvalidClientTokenId|MissingAuthenticationToken.*", "configuration", _KEY),
    Answered("ProvisionedThroughputExceededException", "again", "Add shards to {stream} if that stays so."),
    Answered(
        "LimitExceededException|Throttling(Exception)?|TooManyRequests.*|RequestLimitExceeded", "again", "Send less at once."
    ),
    Answered("ResourceInUseException", "again", "Wait until {stream} is ACTIVE or UPDATING."),
    Answered("UnknownOperationException", "configuration", "Correct the connection's endpoint_url: it is not that of Kinesis."),
    Answered("Internal(Failure|ServerError).*|ServiceUnavailable.*", "server", "If that stays so, see AWS's health page."),
)

_AGAIN = Answered("", "server", "If that stays so, see AWS's health page for Kinesis in {region}.")
_TOO_LARGE = Answered("", "refused", "Lower requests.bytes.")
_STRANGE = Answered("", "configuration", "Check the connection's endpoint_url, and that {stream} may be written to.")

_SECRET = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{8,}|(?<![A-Za-z0-9/+=])[A-Za-z0-9/+=]{40,}")
"""What nobody should read: access keys, and runs of characters as secrets, tokens and signatures have them."""


def judge(status: int, headers: Mapping[str, str], body: bytes, *, action: str, stream: Stream) -> Answer:
    """What an answer other than 200 means for the call.

    :param headers: matched in any case.
    :param action: the action that was called, such as ``PutRecords``.
    """
    code, message = _said(headers, body)
    found = _find(status, code, message)
    shown = "" if found.quiet else clean(message)
    said = " ".join(part for part in (str(status), code, f"({shown})" if shown else "") if part)
    remedy = found.remedy.format(action=action, stream=stream.name, arn=stream.arn, region=stream.region)
    problem = f"AWS answered {said} to kinesis:{action} on the stream {stream.name}."
    if found.means == "configuration":
        return Answer(Verdict.FATAL, error=ConfigurationError(problem, remedy))
    reason = Reason(_snake(code) or f"status_{status}", f"{problem} Fix: {remedy}")
    if found.means == "refused":
        return Answer(Verdict.REFUSED, reason)
    return Answer(Verdict.FAILED, reason, unknown=found.means == "server")


def throttled(answer: Answer) -> bool:
    """Whether a whole call was turned away because too much was sent."""
    return answer.reason.code in ("provisioned_throughput_exceeded", "limit_exceeded", "throttling", "kms_throttling")


def clean(message: object) -> str:
    """What AWS said: on one line, not long, without anything secret."""
    return " ".join(_SECRET.sub("***", str(message)).split())[:300].rstrip(".")


def _find(status: int, code: str, message: str) -> Answered:
    for one in ANSWERS:
        if re.fullmatch(one.code, code) and re.search(one.says, message):
            return one
    if status == 413:
        return _TOO_LARGE
    return _AGAIN if status >= 500 or status in (408, 429) else _STRANGE


def _said(headers: Mapping[str, str], body: bytes) -> tuple[str, str]:
    """Code and message; the code may stand in the body or in a header, with a namespace before or an address behind it."""
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        data = {}
    named = next((value for name, value in headers.items() if name.lower() == "x-amzn-errortype"), "")
    code = str(data.get("__type") or data.get("code") or named).partition(":")[0].rpartition("#")[2]
    return code if re.fullmatch(r"\w{1,80}", code) else "", str(data.get("message") or data.get("Message") or "")


def _snake(code: str) -> str:
    """AWS's code as a reject's code: ``ProvisionedThroughputExceededException`` as ``provisioned_throughput_exceeded``."""
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z]|$)|[A-Z]?[a-z0-9]+", code.removesuffix("Exception"))
    return "_".join(words).lower()
