"""From what a client of AWS raises to an error that names its case, what AWS said, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from activation.destinations.s3.answers import AGAIN, ANSWERS, PASSING, PERMISSIONS, RAISED, UNSHOWN
from activation.destinations.s3.cases import CASES, ExportCase
from activation.errors import ActivationError, ConfigurationError, TransientError

__all__ = ["CASES", "ExportCase", "as_error", "bucket_region", "case_error", "classify"]

_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(Value )'[^']*'( at '(?:externalId|tokenCode|webIdentityToken)')"), r"\1'***'\2"),
    (re.compile(r"(?i)\b(credential|signature|security-token|token|accesskeyid|access key id)([=:] ?)[^\s,;&]+"), r"\1\2***"),
    (re.compile(r"\bA[KS]IA[A-Z0-9]{8,}|(?<![A-Za-z0-9/+=])[A-Za-z0-9/+=]{40,}"), "***"),
)
"""What AWS may echo and nobody should read: external ids, credentials of a request, keys, tokens and hashes."""


def classify(error: BaseException) -> ExportCase:
    """Name the case of what a client of AWS raised; of anything else, ``unknown error``."""
    return _judge(error)[0]


def as_error(error: BaseException, action: str) -> ActivationError:
    """Turn what a client of AWS raised into an error whose text begins with its case.

    The text goes on with what AWS said and ends with the remedy. Raise it ``from None``: what botocore raised may hold more.

    :param action: what was done, as the start of a sentence: ``Writing the object a/b.csv``.
    :returns: a :class:`ConfigurationError` where a person must do something, a :class:`TransientError` where a later attempt may
        succeed; an error of this package as it is.
    """
    if isinstance(error, ActivationError):
        return error
    case, remedy, retry = _judge(error)
    return _error(case, f"{action} failed: {_said(error)}", remedy, retry)


def case_error(case: ExportCase, problem: str, fix: str = "") -> ActivationError:
    """Make the error of a case that was found without asking AWS.

    :param problem: what is wrong and where, one sentence.
    :param fix: instead of the case's remedy.
    """
    facts = CASES[case]
    return _error(case, problem, fix or facts.remedy, facts.retry)


def _error(case: ExportCase, problem: str, remedy: str, retry: bool) -> ActivationError:
    text = f"{case.value}: {problem}"
    return TransientError(f"{text} Fix: {remedy}") if retry else ConfigurationError(text, remedy)


def _judge(error: BaseException) -> tuple[ExportCase, str, bool]:
    """Case, remedy, and whether a later attempt may succeed."""
    code, message, operation = _parts(error)
    if not operation:
        return _raised(error)
    for answer in ANSWERS:
        if re.fullmatch(answer.code, code) and re.search(answer.says, message) and re.fullmatch(answer.calls, operation):
            facts = CASES[answer.case]
            remedy = answer.remedy or _told(answer.case, error, operation) or facts.remedy
            return answer.case, remedy, facts.retry if answer.retry is None else answer.retry
    passing = _response(error).get("ResponseMetadata", {}).get("HTTPStatusCode") in PASSING
    return ExportCase.UNKNOWN, AGAIN if passing else CASES[ExportCase.UNKNOWN].remedy, True


def _raised(error: BaseException) -> tuple[ExportCase, str, bool]:
    """The same for what the client raised without an answer."""
    bases, text = {one.__name__ for one in type(error).__mro__}, str(error)
    for name, says, case, remedy, retry in RAISED:
        if name in bases and re.search(says, text):
            return case, remedy or CASES[case].remedy, retry
    return ExportCase.UNKNOWN, CASES[ExportCase.UNKNOWN].remedy, True


def _told(case: ExportCase, error: BaseException, operation: str) -> str:
    """A remedy with what the answer itself tells."""
    region = bucket_region(_response(error))
    if case is ExportCase.BUCKET and region:
        return f"The bucket is in {region}: set region to it, or correct the bucket."
    if case is ExportCase.S3_POLICY and operation in PERMISSIONS:
        return f"Allow {PERMISSIONS[operation]}. {CASES[case].remedy}"
    return ""


def bucket_region(response: Mapping[str, Any]) -> str:
    """Where the bucket is, by an answer of S3, good or bad; empty if it does not say."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-amz-bucket-region") or response.get("Error", {}).get("Region") or "")


def _said(error: BaseException) -> str:
    """What AWS, or else its client, said: on one line and without anything secret."""
    code, message, operation = _parts(error)
    if operation:
        start = f"AWS answered {code} to {operation}"
    else:
        start, bases = type(error).__name__, {one.__name__ for one in type(error).__mro__}
        message = str(error) if "BotoCoreError" in bases and not bases & UNSHOWN else ""
    for pattern, instead in _SECRETS:
        message = pattern.sub(instead, message)
    text = " ".join(message.split())[:400].rstrip(".")
    return f"{start}{': ' if text else ''}{text}."


def _parts(error: BaseException) -> tuple[str, str, str]:
    """Code, message and operation of an answer; all empty where there was none."""
    answer = _response(error).get("Error", {})
    return str(answer.get("Code", "")), str(answer.get("Message", "")), str(getattr(error, "operation_name", ""))


def _response(error: BaseException) -> Mapping[str, Any]:
    response = getattr(error, "response", None)
    return response if isinstance(response, dict) else {}
