"""Asking Kinesis through a boto3 client: what it raises becomes an error of this package."""

from __future__ import annotations

import json

from activation.delivery.answer import Verdict
from activation.destinations.kinesis.errors import judge
from activation.destinations.kinesis.settings import Stream
from activation.destinations.s3.calls import code
from activation.destinations.s3.errors import as_error
from activation.errors import ActivationError, ConfigurationError, TransientError

DENIED = frozenset({"AccessDeniedException", "AccessDenied"})
"""Codes of a call that a policy forbids."""


def denied(error: BaseException) -> bool:
    """Whether a policy forbids what was asked."""
    return code(error) in DENIED


def kinesis_error(error: BaseException, action: str, stream: Stream) -> ActivationError:
    """Turn what a client of Kinesis raised into an error that says what to do. Raise it ``from None``: botocore's may hold more.

    :param action: what was done, as the start of a sentence: ``Describing the stream profiles``.
    :param stream: its ARN may hold ``*`` where something is not known.
    :returns: a :class:`ConfigurationError` where a person must do something, a :class:`TransientError` where a later attempt may
        succeed; an error of this package as it is.
    """
    response = getattr(error, "response", None)
    operation = str(getattr(error, "operation_name", ""))
    if isinstance(error, ActivationError) or not isinstance(response, dict) or operation.startswith(("AssumeRole", "GetCaller")):
        return as_error(error, action)
    said = response.get("Error", {})
    body = json.dumps({"__type": said.get("Code", ""), "message": said.get("Message", "")}).encode()
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    answer = judge(status, {}, body, action=operation, stream=stream)
    if answer.error is not None:
        return answer.error
    if answer.verdict is Verdict.REFUSED:
        return ConfigurationError(answer.reason.message)
    return TransientError(answer.reason.message)
