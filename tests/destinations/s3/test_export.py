"""Whole exports against a real HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest

from activation.destinations.s3 import export as module
from activation.destinations.s3.calls import KeyTakenError
from activation.destinations.s3.export import export
from activation.destinations.s3.formats import Format
from activation.destinations.s3.layout import default_template, prefix
from activation.destinations.s3.parts import Part, PartLimit, Parts
from activation.destinations.s3.plan import Place, Progress
from activation.destinations.s3.settings import LEAST_PART, Encryption, Transfer
from activation.errors import ConfigurationError, FatalError, StoppedError, TransientError
from tests.destinations.s3.exporting import IDENTITY, MANIFEST, OTHER_RUN, PREFIX, SCHEMA, Storage, batches, plan

PARTS = [f"{PREFIX}/part-0000{number}.csv" for number in range(3)]


def test_an_export_is_its_parts_and_a_manifest_that_lists_them(storage: Storage) -> None:
    report = storage.export(plan(storage.bucket), 25)
    objects = storage.objects()
    assert list(objects) == [MANIFEST, *PARTS]
    manifest = storage.whole()
    assert [(file.key, file.rows) for file in manifest.files] == [*zip(PARTS, (10, 10, 5), strict=True)]
    assert (report.rows, report.bytes, report.files) == (25, sum(len(objects[key]) for key in PARTS), manifest.files)
    assert (report.manifest, report.ignored, report.warnings) == (MANIFEST, (), ())
    assert manifest.identity == IDENTITY
    assert json.loads(json.dumps(report.to_json()))["rows"] == 25
    text = b"".join(objects[key].split(b"\n", 1)[1] for key in PARTS)
    assert text == b"".join(f'{n},"a{n}",2026-07-19T00:00:{n:02d}.000000Z\n'.encode() for n in range(25))
    for key in objects:
        head = storage.direct.head_object(Bucket=storage.bucket, Key=key)
        assert head["Metadata"]["activation-run"] == IDENTITY.mark
        assert head["ContentType"] == ("application/json" if key == MANIFEST else "text/csv; charset=utf-8")


@pytest.mark.parametrize(
    "form", [Format("csv", "gzip"), Format("jsonl", "zstd"), Format("parquet", "zstd")], ids=lambda f: f.kind
)
def test_s_f3_same_run_twice_is_byte_identical(storage: Storage, form: Format) -> None:
    wanted = plan(storage.bucket, form=form)
    first = export(batches(95, size=5), SCHEMA, wanted, storage.client)
    before = storage.objects()
    second = export(batches(95, size=33), SCHEMA, wanted, storage.client)
    after = storage.objects()
    assert len(first.files) == 10
    assert second.files == first.files
    assert {key: after[key] for key in after if key != MANIFEST} == {key: before[key] for key in before if key != MANIFEST}
    told = [{**json.loads(objects[MANIFEST]), "generated_at": ""} for objects in (before, after)]
    assert told[0] == told[1]


@pytest.mark.parametrize("rows", [[], [pa.RecordBatch.from_pylist([], SCHEMA)]], ids=["no batch", "an empty batch"])
def test_s_f4_no_rows_give_a_manifest_and_nothing_else(storage: Storage, rows: list[pa.RecordBatch]) -> None:
    report = export(rows, SCHEMA, plan(storage.bucket), storage.client)
    fields = json.loads(storage.objects()[MANIFEST])
    assert list(storage.objects()) == [MANIFEST]
    assert (fields["files"], fields["total_rows"], fields["total_bytes"], fields["status"]) == ([], 0, 0, "complete")
    assert (report.rows, report.bytes, report.files) == (0, 0, ())


def test_s_f4_no_rows_after_some_leave_no_part(storage: Storage) -> None:
    storage.export(plan(storage.bucket), 25)
    storage.export(plan(storage.bucket), 0)
    assert storage.whole().files == ()


def test_s_f5_the_manifest_comes_last_and_the_marker_after_it(storage: Storage) -> None:
    wanted = plan(storage.bucket, success_marker=True)
    parts = [f"PUT part-0000{number}.csv" for number in range(3)]
    storage.export(wanted, 25)
    assert storage.writes() == [*parts, "PUT _manifest.json", "PUT _SUCCESS"]
    assert storage.objects()[f"{PREFIX}/_SUCCESS"] == b""
    storage.proxy.forget()
    storage.export(wanted, 15, word="b")
    again = [
        "DELETE _SUCCESS",
        "DELETE _manifest.json",
        *parts[:2],
        "DELETE part-00002.csv",
        "PUT _manifest.json",
        "PUT _SUCCESS",
    ]
    assert storage.writes() == again
    storage.whole()


def test_s_f5_a_part_in_pieces_is_complete_before_the_manifest(storage: Storage) -> None:
    wanted = plan(storage.bucket, transfer=Transfer(LEAST_PART, 2))
    export(batches(15, size=1, wide=0), SCHEMA, wanted, storage.client)
    lines = [one.line for one in storage.proxy.requests("^(PUT|POST) ")]
    manifest = next(number for number, line in enumerate(lines) if "_manifest.json" in line)
    assert manifest == len(lines) - 1
    assert sum("uploadId" in line and line.startswith("POST") for line in lines[:manifest]) == 2
    assert [file.rows for file in storage.whole().files] == [10, 5]


def test_stale_parts_that_must_not_be_removed_are_ignored(storage: Storage) -> None:
    storage.export(plan(storage.bucket, success_marker=True), 30)
    storage.put(f"{PREFIX}/part-00001.parquet")
    storage.put(f"{PREFIX}/notes.txt")
    storage.proxy.forget()
    storage.proxy.faults({"match": "^DELETE ", "n": 99, "do": "AccessDenied"})
    states: list[Any] = []

    def rows() -> Iterator[pa.RecordBatch]:
        states.append(storage.manifest())
        yield from batches(10, "b")

    report = export(rows(), SCHEMA, plan(storage.bucket, success_marker=True), storage.client)
    assert [(state.status, state.files) for state in states] == [("withdrawn", ())]
    manifest = storage.whole()
    assert manifest.ignored == report.ignored == (f"{PREFIX}/part-00001.csv", f"{PREFIX}/part-00001.parquet", PARTS[2])
    assert [one for one in storage.writes() if one.startswith("PUT")] == [
        "PUT _manifest.json", "PUT part-00000.csv", "PUT _manifest.json", "PUT _SUCCESS",
    ]  # fmt: skip
    [warning] = report.warnings
    assert "_SUCCESS of an earlier export could not be removed: readers must go by the manifest" in warning


def test_s_f6_another_runs_export_stays(storage: Storage) -> None:
    storage.export(plan(storage.bucket), 25)
    before = storage.objects()
    storage.proxy.forget()
    with pytest.raises(KeyTakenError, match=r"_manifest\.json is there already, and was not overwritten\. Fix: Set on_exists to"):
        storage.export(plan(storage.bucket, identity=OTHER_RUN, on_exists="fail"), 25, word="b")
    assert storage.objects() == before
    assert storage.writes() == []


def test_s_f6_a_part_of_somebody_else_stays(storage: Storage) -> None:
    storage.put(PARTS[1], b"theirs")
    with pytest.raises(KeyTakenError, match=r"part-00001\.csv is there already"):
        storage.export(plan(storage.bucket, on_exists="fail"), 25)
    assert storage.objects()[PARTS[1]] == b"theirs"
    assert MANIFEST not in storage.objects()


def test_s_f6_without_the_right_to_read_s3_itself_refuses(storage: Storage) -> None:
    storage.put(PARTS[1], b"theirs")
    storage.proxy.faults({"match": "^(GET|HEAD) ", "n": 99, "do": "AccessDenied"})
    with pytest.raises(KeyTakenError, match=r"part-00001\.csv is there already.*s3:GetObject"):
        storage.export(plan(storage.bucket, on_exists="fail"), 25)
    assert storage.objects()[PARTS[1]] == b"theirs"
    conditions = {one.path.rpartition("/")[2]: one.headers.get("if-none-match") for one in storage.proxy.requests("^PUT ")}
    assert conditions["part-00000.csv"] == conditions["part-00001.csv"] == "*"


def test_s_f6_a_manifest_that_comes_in_between_stays(storage: Storage) -> None:
    def rows() -> Iterator[pa.RecordBatch]:
        storage.put(MANIFEST, b"theirs")
        yield from batches(5)

    with pytest.raises(KeyTakenError, match=r"_manifest\.json is there already"):
        export(rows(), SCHEMA, plan(storage.bucket, on_exists="fail"), storage.client)
    assert storage.objects()[MANIFEST] == b"theirs"


@pytest.mark.parametrize("denied", [False, True], ids=["", "without DeleteObject"])
def test_s_f6_the_same_run_may_try_again(storage: Storage, denied: bool) -> None:
    wanted = plan(storage.bucket, on_exists="fail", success_marker=True)
    storage.export(wanted, 25)
    storage.proxy.forget()
    storage.proxy.faults({"match": "^DELETE ", "n": 99 * denied, "do": "AccessDenied"})
    storage.export(wanted, 15, word="b")
    manifest = storage.whole()
    assert [file.rows for file in manifest.files] == [10, 5]
    assert manifest.ignored == ((PARTS[2],) if denied else ())
    seen = {one.path.rpartition("/")[2]: one.headers for one in storage.proxy.requests("^PUT ")}
    assert "if-match" in seen["part-00000.csv"]
    assert ("if-match" if denied else "if-none-match") in seen["_manifest.json"]


def test_every_run_has_a_version_of_its_own(storage: Storage) -> None:
    wanted = plan(storage.bucket, on_exists="version")
    reports = [storage.export(replace(wanted, identity=who), 15) for who in (IDENTITY, OTHER_RUN, IDENTITY)]
    assert [report.manifest for report in reports] == [f"{PREFIX}/attempt={number}/_manifest.json" for number in (1, 2, 3)]
    assert len(storage.objects()) == 9
    assert storage.manifest(reports[1].manifest).files[0].key == f"{PREFIX}/attempt=2/part-00000.csv"


def test_a_version_that_was_not_finished_is_taken_up_by_its_own_run_alone(storage: Storage) -> None:
    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches(15)
        raise TransientError("the warehouse went away")

    wanted = plan(storage.bucket, on_exists="version")
    with pytest.raises(TransientError, match="went away"):
        export(broken(), SCHEMA, wanted, storage.client)
    other = storage.export(replace(wanted, identity=OTHER_RUN), 15)
    again = storage.export(wanted, 15)
    assert other.manifest == f"{PREFIX}/attempt=2/_manifest.json"
    assert again.manifest == f"{PREFIX}/attempt=1/_manifest.json"


def test_s_f7_a_part_that_fails_leaves_no_upload_and_no_manifest(storage: Storage) -> None:
    storage.export(plan(storage.bucket), 5)
    storage.proxy.faults({"match": "part-00001.*partNumber=1", "n": 99, "do": "SlowDown"})
    wanted = plan(storage.bucket, transfer=Transfer(LEAST_PART, 2))
    with pytest.raises(TransientError, match=r"Writing part 1 of s3://.*part-00001\.csv failed: AWS answered SlowDown"):
        export(batches(25, size=1, wide=10), SCHEMA, wanted, storage.client)
    assert storage.aws.unfinished(storage.bucket) == []
    assert MANIFEST not in storage.objects()


@pytest.mark.parametrize("how", ["rows", "stop"])
def test_s_f7_an_export_that_ends_early_leaves_no_upload_and_no_manifest(storage: Storage, how: str) -> None:
    read: list[int] = []

    def rows() -> Iterator[pa.RecordBatch]:
        for batch in batches(120, size=1, wide=60):
            read.append(1)
            if how == "rows" and len(read) == 115:
                raise KeyboardInterrupt
            yield batch

    def stopped() -> bool:
        return how == "stop" and len(read) == 115

    wanted = plan(storage.bucket, transfer=Transfer(LEAST_PART, 2), limit=PartLimit(rows=60))
    with pytest.raises(StoppedError if how == "stop" else KeyboardInterrupt):
        export(rows(), SCHEMA, wanted, storage.client, stopped=stopped)
    assert len(storage.proxy.requests("^POST .*part-00001.*uploads")) == 1
    assert storage.aws.unfinished(storage.bucket) == []
    assert MANIFEST not in storage.objects()


def test_s_f8_every_object_is_encrypted_with_the_key(storage: Storage) -> None:
    key = storage.aws.key()
    wanted = plan(
        storage.bucket, encryption=Encryption("aws:kms", key), success_marker=True, transfer=Transfer(LEAST_PART, 2)
    )  # fmt: skip
    export(batches(13, size=1, wide=3), SCHEMA, wanted, storage.client)
    storage.proxy.faults({"match": "^DELETE .*manifest", "n": 99, "do": "AccessDenied"})
    export(batches(13, size=1, wide=3), SCHEMA, wanted, storage.client)
    storage.whole()
    for name in storage.objects():
        head = storage.direct.head_object(Bucket=storage.bucket, Key=name)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key), name
    makes = storage.proxy.requests(r"^PUT [^?]*$|^PUT .*x-id=PutObject|^POST .*[?&]uploads")
    assert len(makes) == 9  # twice: a part at once, one in pieces, manifest, marker; and the withdrawn manifest
    for one in makes:
        assert one.headers["x-amz-server-side-encryption"] == "aws:kms", one.line
        assert one.headers["x-amz-server-side-encryption-aws-kms-key-id"] == key, one.line


def test_s_f9_a_korean_folder_works(storage: Storage) -> None:
    path = prefix(default_template(hourly=True), "/내보내기//이벤트 1+1/", IDENTITY)
    report = storage.export(replace(plan(storage.bucket), place=Place(storage.bucket, path)), 15)
    assert report.manifest == "내보내기/이벤트 1+1/event/dt=2026-07-19/hr=09/run=20260719T000000Z_orders/_manifest.json"
    assert [file.key for file in storage.manifest(report.manifest).files] == [f"{path}/part-0000{n}.csv" for n in (0, 1)]
    assert len(storage.objects()) == 3


def test_faults_that_pass_are_survived(storage: Storage) -> None:
    storage.proxy.faults(
        {"match": "^GET .*_manifest", "n": 1, "do": "SlowDown"},
        {"match": "^GET .*uploads", "n": 1, "do": "reset"},
        {"match": "^PUT .*part-00000", "n": 2, "do": "SlowDown"},
        {"match": "^PUT .*part-00001", "n": 1, "do": "lost"},
        {"match": "^GET .*list-type", "n": 1, "do": "InternalError"},
        {"match": "^PUT .*_manifest", "n": 2, "do": "reset"},
    )
    storage.export(plan(storage.bucket, on_exists="fail"), 25)
    assert len(storage.whole().files) == 3
    assert len([one for one in storage.proxy.requests() if one.fault]) == 8


def test_rights_that_can_be_done_without_give_warnings(storage: Storage) -> None:
    storage.proxy.faults(
        {"match": r"^GET [^?]*\?.*(uploads|list-type)|^(GET|HEAD) [^?]*_manifest", "n": 99, "do": "AccessDenied"}
    )
    report = storage.export(plan(storage.bucket), 25)
    assert len(storage.whole().files) == 3
    uploads, parts = report.warnings
    assert "Unfinished uploads of an earlier run were not aborted" in uploads
    assert "Allow s3:ListBucketMultipartUploads" in uploads
    assert "Parts of an earlier run could not be looked for" in parts
    assert "Allow s3:ListBucket" in parts


def test_uploads_of_others_are_left_alone(storage: Storage) -> None:
    keys = [f"{PREFIX}/sub/part-00000.csv", f"{PREFIX}/part-00000", f"{PREFIX}/big.bin", f"{PREFIX}-2/part-00000.csv", PARTS[0]]
    for key in keys:
        storage.direct.create_multipart_upload(Bucket=storage.bucket, Key=key)
    storage.export(plan(storage.bucket), 25)
    left = {key for key, _ in storage.aws.unfinished(storage.bucket)}
    assert left == {f"{PREFIX}/sub/part-00000.csv", f"{PREFIX}/big.bin", f"{PREFIX}-2/part-00000.csv"}


@pytest.mark.parametrize("change", [{"pipeline_id": "refunds"}, {"data": "user_profile"}])
def test_s_t3_two_exports_cannot_share_a_path(storage: Storage, change: dict[str, str]) -> None:
    storage.export(plan(storage.bucket), 25)
    before = storage.objects()
    with pytest.raises(
        ConfigurationError, match=r"is of the pipeline orders \(event\); two cannot share a path.*\{pipeline_id\}"
    ):
        storage.export(plan(storage.bucket, identity=replace(IDENTITY, **change)), 5)
    assert storage.objects() == before


def test_what_is_no_manifest_stays(storage: Storage) -> None:
    storage.put(MANIFEST, b"theirs")
    with pytest.raises(ConfigurationError, match=r"is no manifest of an export.*Remove the object"):
        storage.export(plan(storage.bucket), 5)
    assert storage.objects() == {MANIFEST: b"theirs"}


def test_a_bucket_that_is_not_there_is_said_so(storage: Storage) -> None:
    with pytest.raises(ConfigurationError, match=r"^invalid region or bucket"):
        storage.export(replace(plan(storage.bucket), place=Place("nowhere-at-all", PREFIX)), 5)


def test_a_part_that_lost_rows_is_never_published(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lossy(Parts):
        """Says that the last part has a row less."""

        def close(self) -> list[Part]:
            *others, last = super().close()
            return [*others, replace(last, rows=last.rows - 1)]

    monkeypatch.setattr(module, "Parts", Lossy)
    with pytest.raises(FatalError, match=r"25 rows were read, 24 are in 3 parts.*No manifest was written"):
        storage.export(plan(storage.bucket), 25)
    assert MANIFEST not in storage.objects()


def test_somebody_is_told_how_far_it_is(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TELL_EVERY", 0.0)
    told: list[Progress] = []
    report = storage.export(plan(storage.bucket), 25, told=told.append)
    assert [one.rows for one in told] == [5, 10, 15, 20, 25, 25]
    assert (told[-1].bytes, told[-1].parts) == (report.bytes, 3)
    assert all(one.rate > 0 for one in told)


def test_numbers_that_json_has_no_word_for_are_told(storage: Storage) -> None:
    schema = pa.schema([("x", pa.float64())])
    rows = [pa.record_batch([[1.5, float("nan"), None, float("-inf")]], schema=schema)]
    report = export(rows, schema, plan(storage.bucket, form=Format("jsonl", "none")), storage.client)
    assert report.warnings == ("2 numbers that are not finite were written as null; JSON has none.",)
