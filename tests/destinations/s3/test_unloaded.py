"""What a warehouse says that it wrote is believed only after it was read."""

from __future__ import annotations

import io
import uuid
from datetime import datetime, timezone
from hashlib import sha256

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from activation.destinations.s3 import unloaded
from activation.destinations.s3.bucket import Bucket
from activation.destinations.s3.formats import Format
from activation.destinations.s3.ground import Ground
from activation.destinations.s3.identity import Identity
from activation.destinations.s3.manifest import Shape
from activation.destinations.s3.parts import PartLimit
from activation.destinations.s3.plan import Place, Plan
from activation.destinations.s3.settings import Encryption
from activation.destinations.s3.unloaded import Claim, new_folder, proven
from activation.errors import FatalError
from sandbox.aws import AwsSandbox
from tests.support.servers import shared


@pytest.fixture(scope="module")
def aws() -> AwsSandbox:
    return shared(AwsSandbox, "storage")


def ground(aws: AwsSandbox, encryption: Encryption | None = None, kind: str = "parquet") -> Ground:
    """A fresh bucket, and an export in it."""
    name = aws.bucket(f"bucket-{uuid.uuid4().hex[:12]}")
    noon = datetime(2026, 7, 19, 12, tzinfo=timezone.utc)
    identity = Identity("events", "events", "run", "event", noon, noon, "UTC")
    form = Format("parquet", "snappy") if kind == "parquet" else Format("csv", "gzip")
    plan = Plan(Place(name, "crm"), identity, form, PartLimit(), encryption=encryption)
    return Ground(Bucket(aws.client("s3"), name), plan, Shape(kind, "snappy", ()), "crm")


def put(place: Ground, key: str, content: bytes) -> str:
    place.bucket.client.put_object(Bucket=place.bucket.name, Key=key, Body=content)
    return key


def parquet(rows: int) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"id": range(rows)}), sink, row_group_size=1)
    return sink.getvalue()


def test_every_file_with_rows_is_read_once_in_its_order(aws: AwsSandbox) -> None:
    place, contents = ground(aws), [parquet(rows) for rows in (3, 0, 2)]
    claims = [
        Claim(put(place, f"crm/unload=1/{n}", data), rows) for n, (data, rows) in enumerate(zip(contents, (3, 0, 2), strict=True))
    ]
    files = proven(place, claims, 4)
    assert [(file.key, file.rows, file.size, file.sha256) for file in files] == [
        (claims[n].key, claims[n].rows, len(contents[n]), sha256(contents[n]).hexdigest()) for n in (0, 2)
    ]
    assert all(file.etag == place.bucket.client.head_object(Bucket=place.bucket.name, Key=file.key)["ETag"] for file in files)


def test_a_footer_is_found_at_the_end_of_a_long_file_and_left_where_it_is_longer(
    aws: AwsSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, data = ground(aws), parquet(60)
    footer = int.from_bytes(data[-8:-4], "little")
    key = put(place, "crm/unload=1/0", data)
    monkeypatch.setattr(unloaded, "CHUNK", 100)
    monkeypatch.setattr(unloaded, "TAIL", footer + 8)
    with pytest.raises(FatalError, match=r"says that .*/crm/unload=1/0 has 61 rows; its footer says 60\."):
        proven(place, [Claim(key, 61)], 1)
    monkeypatch.setattr(unloaded, "TAIL", 200)
    assert proven(place, [Claim(key, 61)], 1)[0].size == len(data)


def test_what_is_not_there_or_no_parquet_or_not_encrypted_as_told_is_fatal(aws: AwsSandbox) -> None:
    place = ground(aws)
    with pytest.raises(FatalError, match="but there is no such object"):
        proven(place, [Claim("crm/unload=1/0", 1)], 1)
    with pytest.raises(FatalError, match="not Parquet"):
        proven(place, [Claim(put(place, "crm/unload=1/1", b"id\n1\n" * 10), 10)], 1)
    secret = ground(aws, Encryption("aws:kms", aws.key()), "csv")
    with pytest.raises(FatalError, match=r"with the encryption AES256, not aws:kms as it was told"):
        proven(secret, [Claim(put(secret, "crm/unload=1/2", b"id\n1\n"), 1)], 1)


def test_folders_of_statements_are_their_own() -> None:
    first, second = new_folder("crm"), new_folder("crm")
    assert first != second
    assert first.startswith("crm/unload=")
    assert first.endswith("/")
