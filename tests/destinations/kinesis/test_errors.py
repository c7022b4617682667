"""What AWS's errors mean (contract 2.2): each names the stream, the action and a remedy, and no secret."""

from __future__ import annotations

import json
import pickle

import pytest

from activation.delivery.answer import Verdict
from activation.destinations.kinesis.errors import ANSWERS, clean, judge, throttled
from activation.errors import ConfigurationError

from .producing import ARN, stream_at

STREAM = stream_at("http://127.0.0.1:1")


def test_kf5_the_text_of_a_missing_permission() -> None:
    answer = judge(
        400, {}, b'{"__type":"AccessDeniedException","Message":"User: x is not authorized."}', action="PutRecords", stream=STREAM
    )
    assert answer.verdict is Verdict.FATAL
    assert str(answer.error) == (
        "AWS answered 400 AccessDeniedException (User: x is not authorized) to kinesis:PutRecords on the stream profiles. "
        f"Fix: Allow kinesis:PutRecords on {ARN} to the connection's user or role."
    )
    assert str(pickle.loads(pickle.dumps(answer.error))) == str(answer.error)  # noqa: S301


@pytest.mark.parametrize(
    ("code", "status", "message", "verdict", "unknown"),
    [
        ("ResourceNotFoundException", 400, "", Verdict.FATAL, False),
        ("com.amazonaws.kinesis#ResourceNotFoundException", 400, "", Verdict.FATAL, False),
        ("KMSNotFoundException", 400, "", Verdict.FATAL, False),
        ("KMSThrottlingException", 400, "", Verdict.FAILED, False),
        ("ExpiredTokenException", 400, "", Verdict.FAILED, False),
        ("UnrecognizedClientException", 400, "", Verdict.FATAL, False),
        ("InvalidSignatureException", 400, "The request signature we calculated", Verdict.FATAL, False),
        ("InvalidSignatureException", 400, "Signature expired: 2026", Verdict.FAILED, False),
        ("ProvisionedThroughputExceededException", 400, "", Verdict.FAILED, False),
        ("ResourceInUseException", 400, "", Verdict.FAILED, False),
        ("ValidationException", 400, "Value at 'records' failed to satisfy constraint", Verdict.REFUSED, False),
        ("ValidationException", 400, "Value at 'streamARN' failed", Verdict.FATAL, False),
        ("InvalidArgumentException", 400, "Records size exceeds 5 MB limit", Verdict.REFUSED, False),
        ("InternalFailure", 500, "", Verdict.FAILED, True),
        ("", 503, "", Verdict.FAILED, True),
        ("", 413, "", Verdict.REFUSED, False),
        ("SomethingNew", 400, "", Verdict.FATAL, False),
    ],
)
def test_what_follows_from_a_code(code: str, status: int, message: str, verdict: Verdict, unknown: bool) -> None:
    answer = judge(status, {}, json.dumps({"__type": code, "message": message}).encode(), action="PutRecords", stream=STREAM)
    assert (answer.verdict, answer.unknown) == (verdict, unknown)
    text = str(answer.error or answer.reason.message)
    assert "kinesis:PutRecords on the stream profiles" in text
    assert "Fix: " in text
    assert (verdict is Verdict.FATAL) == isinstance(answer.error, ConfigurationError)


def test_the_code_may_stand_in_a_header_and_the_body_may_be_anything() -> None:
    headers = {"x-amzn-ErrorType": "ProvisionedThroughputExceededException:http://internal.amazon.com/"}
    answer = judge(400, headers, b"<html>", action="PutRecords", stream=STREAM)
    assert answer.reason.code == "provisioned_throughput_exceeded"
    assert throttled(answer)
    assert judge(502, {}, b"[" * 100_000, action="PutRecords", stream=STREAM).reason.code == "status_502"


def test_nothing_secret_is_repeated() -> None:
    token = "FwoGZXIvYXdzE" + "x" * 60
    answer = judge(
        400,
        {},
        json.dumps({"__type": "InvalidSignatureException", "message": f"canonical: x-amz-security-token:{token}"}).encode(),
        action="PutRecords",
        stream=STREAM,
    )
    assert "canonical" not in str(answer.error)
    assert clean(f"key AKIAIOSFODNN7EXAMPLE\n token {token}") == "key *** token ***"


def test_every_remedy_can_be_filled_in() -> None:
    for one in ANSWERS:
        assert "{" not in one.remedy.format(action="PutRecords", stream="s", arn="a", region="r")
