"""What a 200 says (contract 2.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activation.delivery.answer import Answer, Verdict
from activation.destinations.kinesis import answers
from activation.destinations.kinesis.answers import Failed, Outcome, read_outcome

IN = {"SequenceNumber": "49", "ShardId": "shardId-000000000001"}
OUT = {"ErrorCode": "InternalFailure", "ErrorMessage": "Internal service failure."}


def body(*records: Any, failed: int = 0, compact: bool = True) -> bytes:
    data = {"FailedRecordCount": failed, "Records": list(records)}
    return json.dumps(data, separators=(",", ":") if compact else None).encode()


def test_a_plain_success_is_not_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "json", None)
    assert read_outcome(body(IN, IN), 2) == Outcome({0: "shardId-000000000001"})


@pytest.mark.parametrize("compact", [True, False])
def test_each_failed_record_is_named(compact: bool) -> None:
    throttled = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "Rate exceeded for shard x"}
    found = read_outcome(body(IN, OUT, IN, throttled, failed=2, compact=compact), 4, every_shard=True)
    assert isinstance(found, Outcome)
    assert found.shards == {0: IN["ShardId"], 2: IN["ShardId"]}
    assert found.failed[1] == Failed("InternalFailure", "Internal service failure")
    assert (found.failed[3].throttled, found.failed[1].throttled) == (True, False)
    assert found.part(1, 3) == Outcome({1: IN["ShardId"]}, {0: found.failed[1]})


@pytest.mark.parametrize(
    "content",
    [
        body(IN, OUT, failed=0),  # the count lies
        body(IN, {"ShardId": "s"}),
        body(IN, {"SequenceNumber": None, "ErrorCode": "InternalFailure"}),
        body(IN, {"SequenceNumber": "", "ShardId": "s"}),
        body(IN, {**OUT, "ErrorMessage": '"SequenceNumber":"1" "FailedRecordCount":0'}, failed=1),
    ],
)
def test_a_record_without_a_sequence_number_is_never_taken_for_in(content: bytes) -> None:
    found = read_outcome(content, 2)
    assert isinstance(found, Outcome)
    assert set(found.failed) == {1}


@pytest.mark.parametrize(
    "content",
    [body(IN), body(IN, IN, IN), b"", b"<html>", b"[]", b'{"FailedRecordCount":0}', b'{"Records":[1,2]}', b"[" * 100_000],
)
def test_kf4_an_answer_of_another_length_fails_the_whole_call(content: bytes) -> None:
    found = read_outcome(content, 2)
    assert isinstance(found, Answer)
    assert (found.verdict, found.unknown, found.reason.code) == (Verdict.FAILED, True, "answer_mismatch")


TEXTS = st.sampled_from(["Internal service failure.", 'odd },{ "ErrorCode":"x" {', "a } b", "a { b", "},{", '"ErrorCode":"', ""])
RECORDS = st.lists(
    st.one_of(
        st.just(IN),
        st.just({"SequenceNumber": "", "ShardId": "shardId-000000000001"}),
        st.builds(lambda text: {"ErrorCode": "InternalFailure", "ErrorMessage": text}, TEXTS),
        st.builds(lambda text: {"SequenceNumber": None, "ErrorCode": "Odd", "ErrorMessage": text}, TEXTS),
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None)
@given(RECORDS, st.booleans(), st.integers(-1, 1))
def test_what_is_found_in_the_text_is_what_the_whole_answer_says(records: list[Any], compact: bool, more: int) -> None:
    content = body(*records, failed=sum("ErrorCode" in one for one in records), compact=compact)
    found = read_outcome(content, len(records) + more)
    if more:
        assert not isinstance(found, Outcome), "the number of records does not fit"
        return
    assert isinstance(found, Outcome)
    wrong = {index: one for index, one in enumerate(records) if not one.get("SequenceNumber")}
    assert found.failed.keys() == wrong.keys()
    for index, one in wrong.items():
        assert found.failed[index].code == one.get("ErrorCode", "no_sequence_number")


def test_a_few_failures_are_found_without_taking_the_answer_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "_records", None)
    found = read_outcome(body(OUT, *[IN] * 498, OUT, failed=2), 500)
    assert isinstance(found, Outcome)
    assert found.failed == dict.fromkeys((0, 499), Failed("InternalFailure", "Internal service failure"))
