"""One object: small and large, with conditions, faults and encryption."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from typing import Any

import pytest

from activation.destinations.s3.calls import KeyTakenError
from activation.destinations.s3.settings import (
    LEAST_PART,
    MIB,
    MOST_PART,
    MOST_PARTS,
    Encryption,
    ObjectSettings,
    Transfer,
    part_size,
)
from activation.destinations.s3.upload import Upload
from activation.errors import ConfigurationError, FatalError, TransientError
from tests.destinations.s3.exporting import Storage

SMALL = Transfer(part_size=LEAST_PART, in_flight=2)
SETTINGS = ObjectSettings("text/csv", "orders/run-1", transfer=SMALL)
CONTENT = os.urandom(MIB) * 12  # three parts of 5 MiB


def upload(storage: Storage, settings: ObjectSettings = SETTINGS, key: str = "k", **more: Any) -> Upload:
    return Upload(more.get("client", storage.client), storage.bucket, key, settings)


def written(one: Upload, content: bytes, step: int = 3 * MIB + 7) -> str:
    for first in range(0, len(content), step):
        one.write(memoryview(content)[first : first + step])
    return one.finish()


def lines(storage: Storage) -> list[str]:
    """Method and what kind of write each request was."""
    kinds = {"partNumber": "part", "uploads": "create", "uploadId": "complete"}
    found = storage.proxy.requests("^(PUT|POST|DELETE) ")
    return [f"{one.method} {next((kind for word, kind in kinds.items() if word in one.line), 'object')}" for one in found]


@pytest.mark.parametrize("size", [0, 1, LEAST_PART])
def test_what_fits_one_part_is_one_request(storage: Storage, size: int) -> None:
    etag = written(upload(storage), CONTENT[:size])
    found = storage.direct.get_object(Bucket=storage.bucket, Key="k", IfMatch=etag)
    assert found["Body"].read() == CONTENT[:size]
    assert found["ContentType"] == "text/csv"
    assert found["Metadata"]["activation-run"] == "orders/run-1"
    assert lines(storage) == ["PUT object"]


@pytest.mark.parametrize("size", [LEAST_PART + 1, 2 * LEAST_PART, len(CONTENT)])
@pytest.mark.parametrize("step", [999_983, 40 * MIB])
def test_what_is_larger_goes_in_parts(storage: Storage, size: int, step: int) -> None:
    etag = written(upload(storage), CONTENT[:size], step)
    found = storage.direct.get_object(Bucket=storage.bucket, Key="k", IfMatch=etag)
    assert found["Body"].read() == CONTENT[:size]
    assert found["ContentType"] == "text/csv"
    assert found["Metadata"]["activation-run"] == "orders/run-1"
    assert lines(storage) == ["POST create", *["PUT part"] * -(-size // LEAST_PART), "POST complete"]
    assert storage.aws.unfinished(storage.bucket) == []


def test_s_f8_the_key_is_named_where_s3_takes_it(storage: Storage) -> None:
    key = storage.aws.key()
    settings = replace(SETTINGS, encryption=Encryption("aws:kms", key))
    written(upload(storage, settings, "small"), b"x")
    written(upload(storage, settings, "large"), CONTENT)
    for name in ("small", "large"):
        head = storage.direct.head_object(Bucket=storage.bucket, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
    asked = [one.headers.get("x-amz-server-side-encryption-aws-kms-key-id") for one in storage.proxy.requests("^(PUT|POST) ")]
    assert asked == [key, key, None, None, None, None]  # PutObject; create, three parts, complete


def test_s_f8_sse_s3_names_no_key(storage: Storage) -> None:
    written(upload(storage, replace(SETTINGS, encryption=Encryption("AES256"))), b"x")
    [request] = storage.proxy.requests("^PUT ")
    assert request.headers["x-amz-server-side-encryption"] == "AES256"
    assert "x-amz-server-side-encryption-aws-kms-key-id" not in request.headers


def test_s_f8_a_key_that_is_disabled_is_an_error_that_names_the_key_policy(storage: Storage) -> None:
    settings = replace(SETTINGS, encryption=Encryption("aws:kms", storage.aws.key("Disabled")))
    with pytest.raises(ConfigurationError, match=r"^missing kms policy"):
        written(upload(storage, settings), b"x")
    assert storage.objects() == {}


@pytest.mark.parametrize("content", [b"mine", CONTENT], ids=["small", "large"])
def test_s_f6_what_lies_there_is_not_overwritten(storage: Storage, content: bytes) -> None:
    storage.put("k", b"theirs")
    with pytest.raises(KeyTakenError, match=r"/k is there already, and was not overwritten\. Fix: Set on_exists to replace"):
        written(upload(storage, replace(SETTINGS, absent=True)), content)
    assert storage.objects() == {"k": b"theirs"}
    assert storage.aws.unfinished(storage.bucket) == []
    assert [one.headers["if-none-match"] for one in storage.proxy.requests() if "if-none-match" in one.headers] == ["*"]


@pytest.mark.parametrize("content", [b"mine", CONTENT], ids=["small", "large"])
def test_s_f6_only_the_object_that_was_seen_is_replaced(storage: Storage, content: bytes) -> None:
    storage.put("k", b"first")
    seen = storage.direct.head_object(Bucket=storage.bucket, Key="k")["ETag"]
    written(upload(storage, replace(SETTINGS, replaces=seen)), content)
    assert storage.objects() == {"k": content}
    with pytest.raises(KeyTakenError):
        written(upload(storage, replace(SETTINGS, replaces=seen)), b"again")
    assert storage.objects() == {"k": content}


@pytest.mark.parametrize(("content", "lost"), [(b"mine", "PUT "), (CONTENT, "POST .*uploadId")], ids=["small", "large"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_write_whose_answer_is_lost_is_known_again(storage: Storage, content: bytes, lost: str, absent: bool) -> None:
    storage.proxy.faults({"match": lost, "n": 1, "do": "lost"})
    etag = written(upload(storage, replace(SETTINGS, absent=absent)), content)
    found = storage.direct.get_object(Bucket=storage.bucket, Key="k", IfMatch=etag)
    assert found["Body"].read() == content
    assert len(storage.proxy.requests(lost)) == 2


def test_another_writer_at_the_same_time_is_for_a_later_try(storage: Storage) -> None:
    storage.proxy.faults({"match": "PUT ", "n": 9, "do": "ConditionalRequestConflict"})
    with pytest.raises(TransientError, match="another writer wrote it at the same time"):
        written(upload(storage, replace(SETTINGS, absent=True)), b"x")


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", "reset", "lost"])
def test_faults_that_pass_are_survived(storage: Storage, fault: str) -> None:
    storage.proxy.faults(
        {"match": "POST .*uploads", "n": 1, "do": "SlowDown"},
        {"match": "partNumber=1", "n": 1, "do": fault},
        {"match": "partNumber=2", "n": 2, "do": fault},
        {"match": "POST .*uploadId", "n": 1, "do": "SlowDown"},
    )
    written(upload(storage), CONTENT)
    assert storage.objects() == {"k": CONTENT}
    assert storage.aws.unfinished(storage.bucket) == []
    assert [one.fault for one in storage.proxy.requests("partNumber=2")][:2] == [fault, fault]


@pytest.mark.parametrize("fault", ["SlowDown", "reset"])
def test_s_f7_a_part_that_stays_away_aborts_the_object(storage: Storage, fault: str) -> None:
    storage.proxy.faults({"match": "partNumber=2", "n": 99, "do": fault})
    with pytest.raises(TransientError, match=r"Writing part 2 of s3://"):
        written(upload(storage), CONTENT)
    assert storage.objects() == {}
    assert storage.aws.unfinished(storage.bucket) == []
    assert len(storage.proxy.requests("^DELETE .*uploadId")) == 1


def test_s_f7_a_denied_part_stops_the_others(storage: Storage) -> None:
    storage.proxy.faults({"match": "partNumber=1", "n": 1, "do": "AccessDenied"})
    one = upload(storage, replace(SETTINGS, transfer=Transfer(LEAST_PART, in_flight=1)))
    with pytest.raises(ConfigurationError, match=r"^missing s3 policy"):
        for _ in range(20):
            one.write(CONTENT[:LEAST_PART])
    begun = {one.line.split("partNumber=")[1][:2] for one in storage.proxy.requests("partNumber")}
    assert len(begun) == 1
    assert storage.aws.unfinished(storage.bucket) == []


def test_s_f7_complete_that_fails_aborts_the_object(storage: Storage) -> None:
    storage.proxy.faults({"match": "POST .*uploadId", "n": 99, "do": "InternalError"})
    with pytest.raises(TransientError):
        written(upload(storage), CONTENT)
    assert storage.objects() == {}
    assert storage.aws.unfinished(storage.bucket) == []


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_s_f7_an_interrupt_in_the_middle_leaves_nothing(storage: Storage, interrupt: type[BaseException]) -> None:
    class Killed:
        """The client, but that the process is told to end when the second part is on its way."""

        def __getattr__(self, name: str) -> Any:
            return getattr(storage.client, name)

        def upload_part(self, **call: Any) -> Any:
            if call["PartNumber"] == 2:
                raise interrupt
            return storage.client.upload_part(**call)

    with pytest.raises(interrupt):
        written(upload(storage, client=Killed()), CONTENT * 3)
    assert storage.objects() == {}
    assert storage.aws.unfinished(storage.bucket) == []


def test_s_f7_an_abort_may_come_twice_and_may_fail(storage: Storage, caplog: pytest.LogCaptureFixture) -> None:
    one = upload(storage)
    one.write(CONTENT)
    storage.proxy.faults({"match": "^DELETE", "n": 1, "do": "AccessDenied"})
    one.abort()
    one.abort()
    assert "Allow s3:AbortMultipartUpload" in caplog.text
    assert len(storage.aws.unfinished(storage.bucket)) == 1


def test_s_f10_memory_holds_one_part_more_than_are_in_flight(storage: Storage) -> None:
    held, most, lock = 0, 0, threading.Lock()
    gate = threading.Event()

    class Slow:
        """The client, but that parts stay on their way until the gate opens."""

        def __getattr__(self, name: str) -> Any:
            return getattr(storage.client, name)

        def upload_part(self, **call: Any) -> Any:
            nonlocal held, most
            with lock:
                held += len(call["Body"])
                most = max(most, held)
            gate.wait(30)
            with lock:
                held -= len(call["Body"])
            return storage.client.upload_part(**call)

    one = upload(storage, client=Slow())
    writer = threading.Thread(target=lambda: [one.write(CONTENT[:MIB]) for _ in range(40)])
    writer.start()
    writer.join(2)
    assert writer.is_alive()  # it waits: two parts are in flight, the third is full
    assert one.written == 3 * LEAST_PART + MIB
    gate.set()
    writer.join(60)
    one.finish()
    assert most == 2 * LEAST_PART
    assert storage.objects() == {"k": CONTENT[:MIB] * 40}


@pytest.mark.parametrize("first", [LEAST_PART, 16 * MIB, 64 * MIB])
def test_ten_thousand_parts_hold_the_largest_object(first: int) -> None:
    sizes = [part_size(number, first) for number in range(1, MOST_PARTS + 1)]
    assert sum(sizes) >= 5 * 1024**4
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[2_999] == first
    assert sizes[3_000] == 2 * first
    assert max(sizes) <= MOST_PART


def test_more_parts_than_s3_takes_are_refused(storage: Storage) -> None:
    one = upload(storage)
    one.write(CONTENT)
    assert one._sending is not None
    one._sending.count = MOST_PARTS
    with pytest.raises(FatalError, match="larger than 10,000 parts hold"):
        one.write(CONTENT)
    assert storage.aws.unfinished(storage.bucket) == []


@pytest.mark.parametrize(("part", "in_flight"), [(LEAST_PART - 1, 4), (MOST_PART + 1, 4), (LEAST_PART, 0)])
def test_settings_that_s3_does_not_take_are_refused(part: int, in_flight: int) -> None:
    with pytest.raises(ConfigurationError, match="Fix: Choose"):
        Transfer(part, in_flight)
