"""What one ``send`` still has to deliver: Kinesis records, each with the time from which it may go and the tries it has had."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from activation.delivery.items import Items
from activation.destinations.kinesis.aggregation import OUTER_KEY, encode, hash_of, split
from activation.destinations.kinesis.shards import ShardMap

Places = npt.NDArray[np.int64]


@dataclass(slots=True)
class Parcel:
    """Kinesis records of one batch of items.

    :ivar data: their entries in PutRecords, one behind the other, each followed by a comma.
    :ivar offsets: where each entry begins in ``data``; shape (records + 1,).
    :ivar sizes: bytes of each record that count for limits.
    :ivar keys: the upper 64 bits of each record's hash.
    :ivar members: the items that each record carries; ``None`` if each item is a record.
    :ivar most: most records of a call; halved where AWS refuses a call without saying for which record.
    :ivar soon: records that have failed once, though there was room for them: they wait for no more than company.
    """

    data: memoryview
    offsets: Places
    sizes: npt.NDArray[np.int64]
    keys: npt.NDArray[np.uint64]
    members: list[Places] | None
    most: int
    due: npt.NDArray[np.float64] = field(init=False)
    first: npt.NDArray[np.float64] = field(init=False)
    tries: npt.NDArray[np.int64] = field(init=False)
    open: npt.NDArray[np.bool_] = field(init=False)
    soon: npt.NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        count = len(self.sizes)
        self.due, self.first = np.zeros(count), np.full(count, np.inf)
        self.tries, self.open = np.zeros(count, np.int64), np.ones(count, np.bool_)
        self.soon = np.zeros(count, np.bool_)

    def __len__(self) -> int:
        return len(self.sizes)

    def pick(self, now: float, most_bytes: int) -> Places:
        """The records of the next call, in their order: of those that may go now as many as a call takes, at least one."""
        ready = np.flatnonzero(self.open & (self.due <= now))[: self.most]
        total = np.cumsum(self.sizes[ready])
        if len(total) and total[-1] > most_bytes:
            ready = ready[: max(1, int(np.searchsorted(total, most_bytes, side="right")))]
        return ready

    def pause(self, now: float) -> float | None:
        """Seconds until the next record may go; ``None`` if there is none left."""
        return max(0.0, float(self.due[self.open].min()) - now) if self.open.any() else None

    def hurry(self, now: float) -> None:
        """Let records go now that need not wait for anything."""
        hasty = self.open & self.soon
        self.due[hasty] = np.minimum(self.due[hasty], now)

    def entries(self, picked: Places) -> list[memoryview]:
        """The entries of some records without the comma behind them; those that lie behind each other in one piece."""
        offsets = self.offsets
        if picked[-1] - picked[0] == len(picked) - 1:
            return [self.data[offsets[picked[0]] : offsets[picked[-1] + 1] - 1]]
        bounds = zip(offsets[picked].tolist(), offsets[picked + 1].tolist(), strict=True)
        return [self.data[begin : end - 1] for begin, end in bounds]

    def items(self, records: Places) -> Places:
        """The items that some records carry."""
        if self.members is None or not len(records):
            return records
        return np.concatenate([self.members[index] for index in records.tolist()])


def plain(items: Items, most: int) -> Parcel:
    """Each item as the record that it is."""
    encoded, place = items.encoded, slice(items.first, items.last)
    assert encoded.marks is not None, "the encoder marks each record"  # noqa: S101
    offsets = encoded.offsets[items.first : items.last + 1]
    return Parcel(encoded.data, offsets, encoded.marks.sizes[place], encoded.keys[place], None, most)


def packed(items: Items, chosen: Places, shards: ShardMap, most: int) -> Parcel:
    """Items packed into aggregates, none of which holds records of two shards; what would be alone in one stays as it is.

    :param chosen: indexes of items.
    """
    base = plain(items, most)
    offsets, data, places = base.offsets, base.data, shards.places(base.keys[chosen])
    parts: list[bytes | memoryview] = []
    sizes: list[int] = []
    members: list[Places] = []
    for place in np.unique(places).tolist():
        of = chosen[places == place]
        entries = [json.loads(bytes(data[offsets[index] : offsets[index + 1] - 1])) for index in of.tolist()]
        records = [(entry["PartitionKey"].encode(), b64decode(entry["Data"])) for entry in entries]
        starts = split([(len(key), len(content)) for key, content in records])
        for begin, end in pairwise([*starts, len(records)]):
            members.append(of[begin:end])
            if end - begin == 1:
                parts.append(data[offsets[of[begin]] : offsets[of[begin] + 1]])
                sizes.append(int(base.sizes[of[begin]]))
            else:
                aggregate = encode(records[begin:end])
                parts.append(_entry(aggregate, hash_of(entries[begin]["PartitionKey"])))
                sizes.append(len(aggregate) + len(OUTER_KEY))
    ends = np.cumsum([0, *map(len, parts)], dtype=np.int64)
    keys = base.keys[[int(of[0]) for of in members]]
    return Parcel(memoryview(b"".join(parts)), ends, np.asarray(sizes, np.int64), keys, members, most)


def _entry(aggregate: bytes, hash_key: int) -> bytes:
    return b'{"Data":"%b","PartitionKey":"%b","ExplicitHashKey":"%d"},' % (b64encode(aggregate), OUTER_KEY.encode(), hash_key)
