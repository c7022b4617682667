"""Reads what PutRecords says of each record (contract 2.2): a 200 alone means nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar

from activation.delivery.answer import Answer, Reason, Verdict
from activation.destinations.kinesis.errors import clean

THROTTLED = "ProvisionedThroughputExceededException"
KNOWN = (THROTTLED, "InternalFailure")
"""What a record may fail with."""

_T = TypeVar("_T")
_SHARD = b'"ShardId":"'


@dataclass(frozen=True, slots=True)
class Failed:
    """A record that is not in.

    :ivar code: AWS's code; every one of them may pass.
    """

    code: str
    message: str

    @property
    def throttled(self) -> bool:
        """Whether its shard took no more."""
        return self.code == THROTTLED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the records of a call.

    :ivar failed: index in the call -> why that record is not in; all others are.
    :ivar shards: index in the call -> the shard of that record; of one record, or of each that is in where they were asked for.
    """

    shards: dict[int, str]
    failed: dict[int, Failed] = field(default_factory=dict)

    def part(self, first: int, last: int) -> Outcome:
        """The same of some records of the call, with indexes among themselves.

        :param last: the index behind the last one.
        """
        return Outcome(_between(self.shards, first, last), _between(self.failed, first, last))


def read_outcome(body: bytes, count: int, *, every_shard: bool = False) -> Outcome | Answer:
    """Judge the content of a 200.

    :param count: records of the call.
    :param every_shard: whether to name the shard of each record where none has failed; that takes longer.
    :returns: an :class:`~activation.delivery.answer.Answer` if it does not tell what became of each record: then the whole call
        counts as failed.
    """
    if not every_shard and _all_in(body, count):
        return Outcome(_first_shard(body))
    records = _records(body)
    if records is None or len(records) != count:
        told = "no list of records" if records is None else f"{len(records)} records"
        text = f"PutRecords answered 200 with {told} for {count}; the whole call counts as failed."
        return Answer(Verdict.FAILED, Reason("answer_mismatch", text), unknown=True)
    failed = {index: _failed(one) for index, one in enumerate(records) if one.get("ErrorCode") or not one.get("SequenceNumber")}
    named = {
        index: str(one["ShardId"]) for index, one in enumerate(records if every_shard else records[:1]) if one.get("ShardId")
    }
    return Outcome(named, failed)


def _between(named: dict[int, _T], first: int, last: int) -> dict[int, _T]:
    return {index - first: one for index, one in named.items() if first <= index < last}


def _all_in(body: bytes, count: int) -> bool:
    """Whether the answer says of each record that it is in, without taking it apart. Quotes in a text are escaped, so each
    pattern can only be a key.
    """
    good = b'"FailedRecordCount":0' in body and body.count(b'"SequenceNumber":"') == count
    return good and b'"SequenceNumber":""' not in body and b'"ErrorCode"' not in body


def _first_shard(body: bytes) -> dict[int, str]:
    start = body.find(_SHARD)
    return {} if start < 0 else {0: body[start + len(_SHARD) : body.find(b'"', start + len(_SHARD))].decode("ascii", "replace")}


def _records(body: bytes) -> list[dict[str, Any]] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    records = data.get("Records") if isinstance(data, dict) else None
    return records if isinstance(records, list) and set(map(type, records)) <= {dict} else None


def _failed(record: dict[str, Any]) -> Failed:
    return _failure(str(record.get("ErrorCode") or "no_sequence_number"), str(record.get("ErrorMessage") or ""))


@lru_cache(maxsize=256)
def _failure(code: str, message: str) -> Failed:
    return Failed(clean(code), clean(message))
