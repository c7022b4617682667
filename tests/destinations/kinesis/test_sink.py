"""The producer against a server with the real limits of shards (contract 4.4: K-B, K-F, K-A)."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from activation.delivery.answer import Verdict
from activation.delivery.cutting import Cutting
from activation.delivery.items import Items
from activation.destinations.kinesis.aggregation import decode
from activation.destinations.kinesis.settings import Sending
from activation.destinations.kinesis.shards import ShardMap
from activation.destinations.kinesis.sink import KinesisSink
from activation.errors import ConfigurationError, TransientError
from sandbox.kinesis import KinesisSandbox
from tests.support.memory import Row

from .producing import Pipe, encoded, hash_of, new_stream, send, stream_at

THROTTLED, INTERNAL = "ProvisionedThroughputExceededException", "InternalFailure"


@pytest.fixture(scope="module")
def running() -> Iterator[KinesisSandbox]:
    with KinesisSandbox() as server:
        yield server


@pytest.fixture
def server(running: KinesisSandbox) -> Iterator[KinesisSandbox]:
    running.forget()
    yield running
    running.forget()
    running.change(limits=True, delay_ms=0)


def people(count: int, size: int = 20) -> list[tuple[str, bytes]]:
    return [(f"user-{number}", b"%0*d" % (size, number)) for number in range(count)]


def test_records_arrive_as_they_are_with_keys_of_any_script(server: KinesisSandbox) -> None:
    records = [("키-1", "김철수".encode()), ('quote"\\', bytes(range(256))), ("k" * 256, b"")]
    stream = new_stream(server)
    answer, sink = send(stream, encoded(records))
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    assert sorted((one.key, one.data) for one in server.records(stream.name)) == sorted(records)
    assert sink.counters.calls == 1


def test_kb1_501_records_are_sent_in_two_calls(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    rows = [Row(number, f"u{number}", number) for number in range(501)]
    assert Pipe(stream, rows).run().totals.sent == 501
    assert sorted(one["records"] for one in server.writes(stream.name)) == [1, 500]
    direct = new_stream(server)
    send(direct, encoded(people(501)))
    assert [one["records"] for one in server.writes(direct.name)] == [500, 1]


def test_kb2_a_call_is_split_before_the_byte_limit(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    records = [(f"u{number}", b"x" * 98) for number in range(10)]  # 100 bytes each, data and key
    send(stream, encoded(records), Sending(bytes=499))
    assert [(one["records"], one["bytes"]) for one in server.writes(stream.name)] == [(4, 400), (4, 400), (2, 200)]
    exact = new_stream(server)
    send(exact, encoded(records), Sending(bytes=500))
    assert [one["bytes"] for one in server.writes(exact.name)] == [500, 500]


def test_kf1_only_the_failed_records_are_sent_again(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "key": "user-[258]$", "code": INTERNAL}])
    answer, sink = send(stream, encoded(people(10)))
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    assert [(one["records"], one["failed"]) for one in server.writes(stream.name)] == [(10, 3), (3, 0)]
    assert Counter(one.key for one in server.records(stream.name)) == Counter(key for key, _ in people(10))
    assert (sink.counters.failed, sink.counters.resent, sink.counters.throttled) == (3, 3, 0)


def test_kf1_the_order_of_each_key_is_kept_through_the_whole_run(server: KinesisSandbox) -> None:
    server.change(limits=False)
    stream = new_stream(server)
    rows = [Row(number, f"u{number % 37}", number) for number in range(3_000)]
    server.faults([{"do": "fail", "every": 11, "code": INTERNAL, "requests": None}])
    pipe = Pipe(stream, rows, Sending(attempts=None), cutting=Cutting(100, 1 << 20, per_key=1))
    totals = pipe.run().totals
    assert (totals.read, totals.sent, totals.rejected) == (3_000, 3_000, 0)
    found: dict[str, list[int]] = {}
    for one in server.records(stream.name):
        found.setdefault(one.key, []).append(json.loads(one.data)["n"])
    assert found == {f"u{user}": list(range(user, 3_000, 37)) for user in range(37)}
    assert pipe.sink is not None
    assert pipe.sink.counters.resent > 200


@pytest.mark.parametrize("code", [INTERNAL, THROTTLED])
def test_kf2_failed_entries_are_sent_until_they_are_in(server: KinesisSandbox, code: str) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "code": code, "requests": 2}])
    answer, sink = send(stream, encoded(people(6)))
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    assert len(server.records(stream.name)) == 6
    assert sink.counters.resent == 12


def test_kf3_spent_retries_reject_the_record_and_the_books_balance(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "key": "u7$", "code": INTERNAL, "requests": None}])
    rows = [Row(number, f"u{number}", number) for number in range(50)]
    totals = Pipe(stream, rows, Sending(exhausted="reject")).run().totals
    assert (totals.read, totals.sent, totals.rejected) == (50, 49, 1)
    assert totals.reasons == {"retries_exhausted": 1}
    assert len(server.records(stream.name)) == 49
    server.clear_faults()
    server.faults([{"do": "fail", "key": "user-1$", "code": INTERNAL, "requests": None}])
    answer, _ = send(new_stream(server), encoded(people(3)), Sending(exhausted="reject"))
    assert answer.rejected[1].message == (
        "Kinesis did not take the record 3 times, the last time with InternalFailure: Internal service failure."
    )


def test_kf3_spent_retries_fail_the_task_and_a_retry_resumes(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "key": "u7$", "code": INTERNAL, "requests": None}])
    pipe = Pipe(stream, [Row(number, f"u{number}", number) for number in range(20)])
    with pytest.raises(TransientError, match=r"1 records of a call to the stream produced-.* failed for good") as raised:
        pipe.run()
    assert "until_deadline" in str(raised.value)
    assert pipe.saved.totals.sent == 0
    server.clear_faults()
    assert pipe.run().totals.sent == 20
    assert {one.key for one in server.records(stream.name)} == {f"u{number}" for number in range(20)}


def test_kf3_until_the_deadline_there_are_more_than_three_tries(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "code": INTERNAL, "requests": 5}])
    assert send(stream, encoded(people(2)), Sending(attempts=None))[0].rejected == {}
    server.faults([{"do": "fail", "code": INTERNAL, "requests": None}])
    begin = time.monotonic()
    answer, _ = send(stream, encoded(people(2)), Sending(attempts=None, deadline=0.5, exhausted="reject"))
    assert {reason.code for reason in answer.rejected.values()} == {"retries_exhausted"}
    assert time.monotonic() - begin < 2


def test_kf4_an_answer_that_is_shorter_than_the_call_fails_the_whole_call(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "short"}])
    answer, _ = send(stream, encoded(people(10)))
    assert (answer.verdict, answer.unknown, answer.reason.code) == (Verdict.FAILED, True, "answer_mismatch")
    server.faults([{"do": "short"}])
    rows = [Row(number, f"u{number}", number) for number in range(10)]
    assert Pipe(other := new_stream(server), rows).run().totals.sent == 10
    assert {one.key for one in server.records(other.name)} == {f"u{number}" for number in range(10)}


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("ResourceNotFoundException", "Correct destination.stream"),
        ("AccessDeniedException", "Allow kinesis:PutRecords on arn:aws:kinesis"),
        ("KMSDisabledException", "Enable the KMS key"),
        ("KMSAccessDeniedException", "Allow kms:GenerateDataKey"),
    ],
)
def test_kf5_what_no_retry_mends_names_stream_action_and_remedy(server: KinesisSandbox, code: str, remedy: str) -> None:
    stream = new_stream(server)
    server.faults([{"do": "error", "code": code, "requests": None}])
    pipe = Pipe(stream, [Row(1, "u", 1)])
    with pytest.raises(ConfigurationError) as raised:
        pipe.run()
    assert f"{code}" in str(raised.value)
    assert f"to kinesis:PutRecords on the stream {stream.name}" in str(raised.value)
    assert remedy in raised.value.fix
    assert server.calls()["PutRecords"] == 1


def test_kf5_a_wrong_secret_is_named_and_not_shown(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    answer, _ = send(stream_at(server.url, stream.arn, secret="nobody-may-see-this"), encoded(people(1)))
    assert isinstance(answer.error, ConfigurationError)
    assert "secret key" in answer.error.fix
    assert "nobody-may-see-this" not in repr(answer)


@pytest.mark.parametrize("how", ["timeout", "reset_after"])
def test_kf6_an_answer_that_never_comes_may_repeat_records_and_loses_none(server: KinesisSandbox, how: str) -> None:
    stream = new_stream(server)
    server.faults([{"do": how}])
    rows = [Row(number, f"u{number}", number) for number in range(10)]
    assert Pipe(stream, rows, Sending(timeout=0.5)).run().totals.sent == 10
    assert Counter(one.key for one in server.records(stream.name)) == Counter({f"u{number}": 2 for number in range(10)})


def test_kf6_no_answer_to_a_second_call_repeats_only_its_own_records(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    server.faults([{"do": "fail", "key": "user-[12]$", "code": INTERNAL}, {"do": "timeout"}])
    answer, _ = send(stream, encoded(people(5)), Sending(timeout=0.5))
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    times = Counter(one.key for one in server.records(stream.name))
    assert times == {"user-0": 1, "user-1": 2, "user-2": 2, "user-3": 1, "user-4": 1}


def test_kf7_records_that_are_in_but_not_noted_are_sent_again(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    pipe = Pipe(stream, [Row(number, f"u{number}", number) for number in range(1_200)])

    def crash(progress: object, parts: int) -> None:
        raise RuntimeError("the process dies before it saves")

    keep, pipe._save = pipe._save, crash  # type: ignore[method-assign]
    with pytest.raises(RuntimeError):
        pipe.run()
    pipe._save = keep  # type: ignore[method-assign]
    assert pipe.run().totals.sent == 1_200
    assert {one.key for one in server.records(stream.name)} == {f"u{number}" for number in range(1_200)}


def test_a_record_that_aws_does_not_take_is_found_and_the_others_are_in(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    records = [*people(9), ("too-large", b"x" * (1 << 20))]
    answer, _ = send(stream, encoded(records))
    assert {index: reason.code for index, reason in answer.rejected.items()} == {9: "invalid_argument"}
    assert len(server.records(stream.name)) == 9


def test_throttled_records_slow_down_their_shard_only(server: KinesisSandbox) -> None:
    stream = new_stream(server, 2)
    low = [(f"k{n}", b"x") for n in range(9_000) if hash_of(f"k{n}") < 1 << 127][:2_500]
    high = [(f"h{n}", b"x") for n in range(400) if hash_of(f"h{n}") >= 1 << 127][:100]
    begin = time.time()
    answer, sink = send(stream, encoded([*low, *high]), Sending(records=500))
    assert answer.rejected == {}
    found = server.records(stream.name)
    assert len(found) == 2_600
    assert max(one.arrival for one in found if one.key.startswith("h")) - begin < 1.2
    assert 1.2 < max(one.arrival for one in found) - begin < 4
    assert sink.counters.throttled < 250


def test_without_the_right_to_list_shards_it_goes_on_and_says_so(
    server: KinesisSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    stream = new_stream(server, 1)
    server.faults([{"do": "error", "code": "AccessDeniedException", "operation": "ListShards", "requests": None}])
    answer, sink = send(stream, encoded(people(1_600)), Sending(attempts=None, aggregate=True))
    assert answer.rejected == {}
    assert Counter(one.key for one in server.records(stream.name)) == Counter(key for key, _ in people(1_600))
    assert sink.counters.throttled > 0
    assert sink.counters.aggregates == 0
    assert "Allow kinesis:ListShards" in caplog.text


def test_an_on_demand_stream_has_no_fixed_budget(server: KinesisSandbox) -> None:
    server.change(limits=False)
    stream = new_stream(server, 1, on_demand=True)
    begin = time.monotonic()
    assert send(stream, encoded(people(6_000)))[0].rejected == {}
    assert time.monotonic() - begin < 3
    assert len(server.records(stream.name)) == 6_000


def test_the_share_of_a_shards_limits_is_kept_to(server: KinesisSandbox) -> None:
    server.change(limits=False)
    stream = new_stream(server, 1)
    begin = time.monotonic()
    send(stream, encoded(people(1_500)), Sending(share=0.5))
    assert time.monotonic() - begin >= 0.9  # 1,000 at once, the others at 500 a second
    assert len(server.records(stream.name)) == 1_500


def test_latency_is_measured_from_the_change_to_the_acknowledgement(server: KinesisSandbox) -> None:
    stream = new_stream(server)
    now = int(time.time() * 1e6)
    stamps = [now - 60_000_000] * 90 + [now - 600_000_000] * 9 + [-1]
    _, sink = send(stream, encoded(people(100), stamps))
    assert sink.latency.count == 99
    assert sink.latency.p50 == pytest.approx(60, rel=0.05)
    assert sink.latency.p95 == pytest.approx(600, rel=0.05)
    assert 600 <= sink.latency.longest < 620


def shard_map(server: KinesisSandbox, name: str) -> ShardMap:
    shards = server.client().list_shards(StreamName=name)["Shards"]
    opened = [one for one in shards if "EndingSequenceNumber" not in one["SequenceNumberRange"]]
    ranges = sorted((int(one["HashKeyRange"]["StartingHashKey"]), one["ShardId"]) for one in opened)
    return ShardMap(tuple(one for _, one in ranges), tuple(start for start, _ in ranges))


def test_ka1_small_records_are_packed_and_a_single_one_stays_raw(server: KinesisSandbox) -> None:
    stream = new_stream(server, 1)
    records = people(300, 200)
    answer, sink = send(stream, encoded(records), Sending(aggregate=True))
    assert (answer.verdict, answer.rejected) == (Verdict.ACCEPTED, {})
    found = server.records(stream.name)
    assert len(found) == 2
    assert {one.key for one in found} == {"a"}
    assert all(len(one.data) <= 51_200 for one in found)
    unpacked = [(one.key, one.data) for aggregate in found for one in decode(aggregate.data) or []]
    assert unpacked == records
    assert (sink.counters.aggregates, sink.counters.aggregated) == (2, 300)
    alone = new_stream(server, 1)
    send(alone, encoded(records[:1]), Sending(aggregate=True))
    assert [(one.key, one.data) for one in server.records(alone.name)] == records[:1]


def test_ka2_no_aggregate_mixes_shards(server: KinesisSandbox) -> None:
    stream = new_stream(server, 5)
    records = people(400, 100)
    send(stream, encoded(records), Sending(aggregate=True))
    shards = shard_map(server, stream.name)
    held: list[str] = []
    for aggregate in server.records(stream.name):
        for one in decode(aggregate.data) or []:
            place = max(place for place, start in enumerate(shards.starts) if start <= hash_of(one.key))
            assert shards.ids[place] == aggregate.shard
            held.append(one.key)
    assert sorted(held) == sorted(key for key, _ in records)


def test_ka2_failed_aggregates_are_sent_again_and_name_their_rows(server: KinesisSandbox) -> None:
    stream = new_stream(server, 4)
    server.faults([{"do": "fail", "first": 2, "code": INTERNAL}])
    assert send(stream, encoded(people(100)), Sending(aggregate=True))[0].rejected == {}
    assert [(one["records"], one["failed"]) for one in server.writes(stream.name)] == [(4, 2), (2, 0)]
    server.faults([{"do": "fail", "first": 1, "code": INTERNAL, "requests": None}])
    answer, _ = send(new_stream(server, 1), encoded(people(7)), Sending(aggregate=True, exhausted="reject"))
    assert {reason.code for reason in answer.rejected.values()} == {"retries_exhausted"}
    assert set(answer.rejected) == set(range(7))


def split_first_shard(server: KinesisSandbox, name: str) -> None:
    client = server.client()
    first = client.list_shards(StreamName=name)["Shards"][0]
    client.split_shard(
        StreamName=name, ShardToSplit=first["ShardId"], NewStartingHashKey=str(int(first["HashKeyRange"]["EndingHashKey"]) // 2)
    )


def test_resharding_in_mid_run_is_noticed_and_no_aggregate_hides_records(server: KinesisSandbox) -> None:
    stream = new_stream(server, 1)
    records = people(200, 50)
    batch = encoded(records)

    async def story() -> None:
        sink = KinesisSink(stream, Sending(aggregate=True), in_flight=2)
        await sink.open()
        await asyncio.to_thread(split_first_shard, server, stream.name)
        for first in (0, 100):
            assert (await sink.send(Items(batch, first, first + 100))).rejected == {}
        await sink.close()

    asyncio.run(story())
    shards = shard_map(server, stream.name)
    assert len(shards.ids) == 2
    visible = set()
    for aggregate in server.records(stream.name):
        for key in [one.key for one in decode(aggregate.data) or []] or [aggregate.key]:
            place = max(place for place, start in enumerate(shards.starts) if start <= hash_of(key))
            visible |= {key} if shards.ids[place] == aggregate.shard else set()
    assert visible == {key for key, _ in records}
    assert server.calls()["ListShards"] >= 2
