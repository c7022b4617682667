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
_SHARD, _GOOD, _BAD, _NEXT = b'"ShardId":"', b'"SequenceNumber":"', b'"ErrorCode":"', b"},{"


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
    if not every_shard and (failed := _failed_of(body, count)) is not None:
        return Outcome(_first_shard(body), failed)
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


def _failed_of(body: bytes, count: int) -> dict[int, Failed] | None:
    """The failed records, found without taking the answer apart; ``None`` if that does not tell of each record.

    Quotes in a text are escaped, so each pattern can only be a key. A brace in a text can look like the end of a record; then the
    numbers do not fit.
    """
    good = body.count(_GOOD)
    if b'"FailedRecordCount":%d' % (count - good) not in body or b'"SequenceNumber":""' in body:
        return None
    found: dict[int, Failed] = {}
    index = start = 0
    while (place := body.find(_BAD, start)) >= 0:
        index += body.count(_NEXT, start, place)
        end = body.find(b"}", place)
        one = _failed_part(body[body.rfind(b"{", start, place) : end + 1])
        if one is None:
            return None
        found[index], start = one, end
    ended = index + body.count(_NEXT, start) + 1 == count if found else True
    return found if ended and len(found) == count - good else None


@lru_cache(maxsize=256)
def _failed_part(text: bytes) -> Failed | None:
    try:
        return _failed(json.loads(text))
    except ValueError:  # a brace in a text
        return None


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
