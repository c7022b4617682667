"""Which shard a record will land in: the hash ranges of a stream's open shards."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from activation.delivery.answer import Answer
from activation.destinations.kinesis.settings import Stream
from activation.destinations.kinesis.wire import Reply, Wire

log = logging.getLogger(__name__)

HASHES = 1 << 128
"""How many hash keys there are: a partition key's MD5 as a big-endian number (contract 2.1)."""

MOST_PAGES = 1_000


@dataclass(frozen=True, slots=True)
class ShardMap:
    """The open shards by their hash ranges; together they cover every hash.

    :ivar ids: shard ids, by where their ranges begin.
    :ivar starts: first hash of each shard; the first one is 0.
    """

    ids: tuple[str, ...]
    starts: tuple[int, ...]

    def places(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """The place in ``ids`` of the shard of each key.

        :param keys: the upper 64 bits of each hash; only one that equals those of a shard's first hash can be placed wrongly.
        """
        upper = np.asarray([start >> 64 for start in self.starts[1:]], np.uint64)
        return np.searchsorted(upper, keys, side="right")


async def read_map(wire: Wire, stream: Stream) -> ShardMap | None:
    """Read the shards by ``ListShards``.

    :returns: ``None`` if they cannot be told: then the reason is in the log.
    """
    shards: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"StreamARN": stream.arn, "MaxResults": 1_000}
    for _ in range(MOST_PAGES):
        reply = await wire.call("ListShards", json.dumps(asked).encode())
        page = _page(reply)
        if page is None:
            _tell(reply, stream)
            return None
        shards += page["Shards"]
        if not page.get("NextToken"):
            break
        asked = {"NextToken": page["NextToken"]}
    return map_of(shards)


def map_of(shards: list[dict[str, Any]]) -> ShardMap | None:
    """The map of shards as ``ListShards`` gives them; closed ones do not count.

    :returns: ``None`` if the open ones do not cover each hash once, as may be for a moment while the stream is resharded.
    """
    try:
        ranges = sorted(
            (int(one["HashKeyRange"]["StartingHashKey"]), int(one["HashKeyRange"]["EndingHashKey"]), str(one["ShardId"]))
            for one in shards
            if not one.get("SequenceNumberRange", {}).get("EndingSequenceNumber")
        )
    except (KeyError, TypeError, ValueError):
        return None
    ends = [-1, *(end for _, end, _ in ranges)]
    whole = bool(ranges) and ends[-1] == HASHES - 1
    if not whole or any(start != end + 1 for (start, _, _), end in zip(ranges, ends, strict=False)):
        return None
    return ShardMap(tuple(one for _, _, one in ranges), tuple(start for start, _, _ in ranges))


def _page(reply: Reply | Answer) -> dict[str, Any] | None:
    if isinstance(reply, Answer):
        return None
    try:
        page = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return page if isinstance(page, dict) and isinstance(page.get("Shards"), list) else None


def _tell(reply: Reply | Answer, stream: Stream) -> None:
    why = "its answer is not that of Kinesis" if isinstance(reply, Reply) else str(reply.error or reply.reason.message)
    log.warning(
        "The shards of %s are not known, so records are neither kept to each shard's limits nor aggregated: %s", stream.name, why
    )
