"""Delivers records to a stream by PutRecords: what fails is sent again, alone, and each shard is given no more than it takes."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from activation.delivery.answer import Answer, Reason, Verdict
from activation.delivery.items import Items
from activation.destinations.kinesis.answers import KNOWN, Failed, Outcome, read_outcome
from activation.destinations.kinesis.errors import throttled
from activation.destinations.kinesis.latency import Latency
from activation.destinations.kinesis.parcel import Parcel, Places, packed, plain
from activation.destinations.kinesis.settings import MOST_BYTES, Sending, Stream
from activation.destinations.kinesis.standing import Standing
from activation.destinations.kinesis.wire import Wire
from activation.errors import TransientError

log = logging.getLogger(__name__)

MANY, FEW = (0.01, 2.0), (0.1, 4.0)
"""Seconds before a failed record is sent again, and by what they grow from try to try, with jitter: first where a deadline ends
the tries, then where their number does, so that a short disturbance does not use them up."""

LONGEST_PAUSE = 10.0

TICK = 0.03
"""Seconds of the clock at whose multiples failed records are sent again, those of several requests in one call."""


@dataclass(slots=True)
class Counters:
    """What went over the line; records are Kinesis records, so an aggregate is one.

    :ivar calls: PutRecords calls.
    :ivar resent: records that were sent again.
    :ivar throttled: records that their shard did not take.
    :ivar failed: records that failed for another reason.
    :ivar aggregates: records that hold several profiles.
    :ivar aggregated: profiles in aggregates.
    """

    calls: int = 0
    resent: int = 0
    throttled: int = 0
    failed: int = 0
    aggregates: int = 0
    aggregated: int = 0


class KinesisSink:
    """A :class:`~activation.delivery.answer.Sink` for one stream. A call under way may wait for a shard or for a pause to end
    while others use its connection, so the engine may well have more requests in flight than there are connections.

    :param in_flight: most connections.
    :ivar latency: from each acknowledged record's change to its acknowledgement.
    """

    def __init__(self, stream: Stream, sending: Sending, *, in_flight: int) -> None:
        self._stream, self._sending = stream, sending
        self._wire = Wire(stream, connections=in_flight, timeout=sending.timeout)
        self._standing = Standing(self._wire, stream, sending.share)
        self._prefix = b'{"StreamARN":%b,"Records":[' % json.dumps(stream.arn).encode()
        self._most_bytes = sending.bytes
        self._strange: set[str] = set()
        self._shares: list[_Share] = []
        self._under_way = 0
        self._quiet = asyncio.Event()
        """No call is under way."""
        self.latency = Latency()
        self.counters = Counters()

    async def open(self) -> None:
        """Prepare the connections and read the shards."""
        await self._wire.open()
        await self._standing.open()

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    async def send(self, items: Items) -> Answer:
        """Send records until each one is in or given up; see :class:`~activation.delivery.answer.Sink`.

        :returns: ``FAILED`` only if none of them is known to be in.
        """
        rejected: dict[int, Reason] = {}
        rest, began = np.arange(len(items)), False
        while len(rest):
            parcel = self._pack(items, rest)
            parcel.due = self._standing.book(parcel.keys, parcel.sizes)
            delivery = _Delivery(items, parcel, rejected, [], began)
            answer = await self._deliver(delivery)
            if answer is not None:
                return answer
            rest, began = np.concatenate(delivery.again) if delivery.again else rest[:0], True
        return Answer(Verdict.ACCEPTED, rejected=rejected)

    def _pack(self, items: Items, chosen: Places) -> Parcel:
        shards = self._standing.shards
        if not self._sending.aggregate or shards is None:
            return plain(items, self._sending.records)
        parcel = packed(items, chosen, shards, self._sending.records)
        several = [len(one) for one in parcel.members or () if len(one) > 1]
        self.counters.aggregates += len(several)
        self.counters.aggregated += sum(several)
        return parcel

    async def _deliver(self, delivery: _Delivery) -> Answer | None:
        """Call until no record of a parcel is open; an answer ends it before."""
        parcel = delivery.parcel
        while (pause := parcel.pause(time.monotonic())) is not None:
            if pause > 0:
                await self._rest(parcel, pause)
            picked = parcel.pick(time.monotonic(), self._most_bytes)
            if not len(picked):
                continue
            if parcel.tries[picked].all():
                reply = await self._together(parcel, picked)
            else:
                reply = await self._call([(parcel, picked)])
            if (answer := await self._judge(delivery, picked, reply)) is not None:
                return answer
        return None

    async def _rest(self, parcel: Parcel, pause: float) -> None:
        """Wait until records may go. Those that have failed once wait for company only as long as other calls are under way."""
        if not parcel.soon.any():
            await asyncio.sleep(pause)
            return
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._quiet.wait(), pause)
            parcel.hurry(time.monotonic())

    async def _together(self, parcel: Parcel, picked: Places) -> Outcome | Answer:
        """Send records again in one call with those of other parcels whose time has come too."""
        mine = _Share(parcel, picked, asyncio.get_running_loop().create_future())
        self._shares.append(mine)
        if len(self._shares) == 1:
            shares = self._shares
            try:
                await asyncio.sleep(0)  # the others wake in this turn of the loop
                self._shares = []
                calls = _fitting(shares, self._sending.records, self._most_bytes)
                await asyncio.gather(*(self._call_shared(one) for one in calls))
            finally:
                self._shares = [] if self._shares is shares else self._shares
                for one in shares:
                    if not one.outcome.done():
                        one.outcome.set_exception(TransientError("A call with records of several requests was broken off."))
        return await mine.outcome

    async def _call_shared(self, shares: list[_Share]) -> None:
        reply = await self._call([(one.parcel, one.picked) for one in shares])
        if isinstance(reply, Answer) and reply.verdict is Verdict.REFUSED and len(shares) > 1:
            for one in shares:  # whose record it is shows when each one stands alone
                await self._call_shared([one])
            return
        first = 0
        for one in shares:
            last = first + len(one.picked)
            one.outcome.set_result(reply.part(first, last) if isinstance(reply, Outcome) else reply)
            first = last

    async def _call(self, parts: list[tuple[Parcel, Places]]) -> Outcome | Answer:
        """One PutRecords with records of some parcels."""
        now = time.monotonic()
        self.counters.calls += 1
        for parcel, picked in parts:
            self.counters.resent += int(np.count_nonzero(parcel.tries[picked]))
            parcel.first[picked] = np.minimum(parcel.first[picked], now)
        body = b"".join((self._prefix, b",".join(entry for parcel, picked in parts for entry in parcel.entries(picked)), b"]}"))
        self._under_way += 1
        self._quiet.clear()
        try:
            reply = await self._wire.call("PutRecords", body)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._quiet.set()
        if isinstance(reply, Answer):
            return reply
        every_shard = any(parcel.members is not None for parcel, _ in parts)
        return read_outcome(reply.body, sum(len(picked) for _, picked in parts), every_shard=every_shard)

    async def _judge(self, delivery: _Delivery, picked: Places, reply: Outcome | Answer) -> Answer | None:
        parcel = delivery.parcel
        if isinstance(reply, Outcome):
            return await self._take(delivery, picked, reply)
        if reply.verdict is Verdict.REFUSED:
            self._refused(delivery, picked, reply.reason)
            return None
        if throttled(reply):
            self._standing.throttled(parcel.keys[picked])
        if reply.verdict is Verdict.FATAL or (len(picked) == len(parcel) and not delivery.began):
            return reply
        return self._again(delivery, picked, [Failed(reply.reason.code, reply.reason.message)] * len(picked))

    async def _take(self, delivery: _Delivery, picked: Places, outcome: Outcome) -> Answer | None:
        """Note what is in, and take the rest up again."""
        parcel, failed = delivery.parcel, outcome.failed
        bad = picked[list(failed)]
        parcel.open[picked] = False
        parcel.open[bad] = True
        landed = picked[~parcel.open[picked]] if failed else picked
        delivery.began = delivery.began or len(landed) > 0
        self._standing.taken(parcel.keys[landed])
        marks = delivery.items.encoded.marks
        assert marks is not None, "the encoder marks each record"  # noqa: S101
        self.latency.add(marks.stamps[delivery.items.first + parcel.items(landed)], time.time())
        answer = self._again(delivery, bad, list(failed.values())) if failed else None
        named, shards = picked[list(outcome.shards)], list(outcome.shards.values())
        if await self._standing.check(parcel.keys[named], shards, wait=parcel.members is not None):
            self._astray(delivery, named, shards)
        return answer

    def _again(self, delivery: _Delivery, bad: Places, why: list[Failed]) -> Answer | None:
        """Send records again, or give up those that had their tries."""
        parcel, sending, now = delivery.parcel, self._sending, time.monotonic()
        limited = np.asarray([one.throttled for one in why])
        self.counters.throttled += int(np.count_nonzero(limited))
        self.counters.failed += int(np.count_nonzero(~limited))
        for code in {one.code for one in why}.difference(KNOWN, self._strange):
            self._strange.add(code)
            log.warning("Records of %s fail with %s, which is not documented; they are sent again.", self._stream.name, code)
        parcel.tries[bad] += 1
        tries = parcel.tries[bad]
        pause, growth = MANY if sending.attempts is None else FEW
        pauses = np.minimum(LONGEST_PAUSE, pause * growth ** np.minimum(tries - 1, 30)) * random.uniform(0.5, 1)  # noqa: S311
        parcel.due[bad] = np.ceil((now + pauses) / TICK) * TICK
        parcel.soon[bad] = (tries == 1) & ~limited & (sending.attempts is None)
        if limited.any():
            slow = bad[limited]
            self._standing.throttled(parcel.keys[slow])
            parcel.due[slow] = np.maximum(parcel.due[slow], self._standing.book(parcel.keys[slow], parcel.sizes[slow]))
        spent = parcel.due[bad] > parcel.first[bad] + sending.deadline
        if sending.attempts is not None:
            spent |= tries >= sending.attempts
        return self._give_up(delivery, bad, why, np.flatnonzero(spent)) if spent.any() else None

    def _give_up(self, delivery: _Delivery, bad: Places, why: list[Failed], spent: Places) -> Answer | None:
        last = why[spent[0]]
        said = f"{last.code}: {last.message}" if last.message else last.code
        if self._sending.exhausted == "fail":
            text = f"{len(spent)} records of a call to the stream {self._stream.name} failed for good, the last time with {said}."
            fix = "A retry of the task sends them again; to wait longer, set requests.retries to until_deadline."
            return Answer(Verdict.FATAL, error=TransientError(f"{text} Fix: {fix}"))
        for place in spent.tolist():
            one, record = why[place], bad[place : place + 1]
            text = f"Kinesis did not take the record {delivery.parcel.tries[record[0]]} times, the last time with {one.code}"
            delivery.reject(record, Reason("retries_exhausted", f"{text}: {one.message}." if one.message else f"{text}."))
        return None

    def _refused(self, delivery: _Delivery, picked: Places, reason: Reason) -> None:
        """AWS took nothing of a call because of its content: smaller calls find what it is."""
        parcel = delivery.parcel
        if len(picked) == 1:
            delivery.reject(picked, reason)
        elif self._most_bytes > MOST_BYTES and parcel.sizes[picked].sum() > MOST_BYTES:
            self._most_bytes = MOST_BYTES
        else:
            parcel.most = len(picked) // 2

    def _astray(self, delivery: _Delivery, records: Places, landed: list[str]) -> None:
        """An aggregate of a shard that is no more landed in one of its successors. Readers drop what hashes into another one, so
        that is sent again.
        """
        parcel, shards = delivery.parcel, self._standing.shards
        if parcel.members is None or shards is None:
            return
        keys = delivery.items.encoded.keys[delivery.items.first : delivery.items.last]
        for record, shard in zip(records.tolist(), landed, strict=True):
            held = parcel.members[record]
            if shard in shards.ids and len(held) > 1:
                outside = held[shards.places(keys[held]) != shards.ids.index(shard)]
                delivery.again += [outside] if len(outside) else []


@dataclass(slots=True)
class _Delivery:
    """One ``send`` under way.

    :ivar rejected: item -> why it was given up.
    :ivar again: items that are in, but where no reader looks for them.
    :ivar began: whether a record is in, or given up.
    """

    items: Items
    parcel: Parcel
    rejected: dict[int, Reason]
    again: list[Places]
    began: bool

    def reject(self, record: Places, reason: Reason) -> None:
        """Give up a record with all that it carries."""
        self.began = True
        self.parcel.open[record] = False
        self.rejected |= dict.fromkeys(self.parcel.items(record).tolist(), reason)


@dataclass(slots=True)
class _Share:
    """A parcel's part of a call that several share."""

    parcel: Parcel
    picked: Places
    outcome: asyncio.Future[Outcome | Answer]

    @property
    def size(self) -> int:
        return int(self.parcel.sizes[self.picked].sum())


def _fitting(shares: list[_Share], most: int, most_bytes: int) -> list[list[_Share]]:
    """Calls that keep to the limits; a share is not cut."""
    calls: list[list[_Share]] = []
    records = size = 0
    for one in shares:
        if not calls or records + len(one.picked) > most or size + one.size > most_bytes:
            calls.append([])
            records = size = 0
        calls[-1].append(one)
        records, size = records + len(one.picked), size + one.size
    return calls
