"""What other tests rely on in the storage sandbox: S3 and KMS behave as Amazon's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import AwsSandbox

FIVE_MIB = 5 << 20


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("storage") as aws:
        yield aws


@pytest.fixture(scope="module")
def bucket(aws: AwsSandbox) -> str:
    return aws.bucket("partner")


@pytest.fixture(scope="module")
def s3(aws: AwsSandbox) -> Any:
    return aws.client("s3")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_objects_come_back_in_the_order_of_keys(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    for key, body in (("order/b", b"2"), ("order/a b+ü=", b"1")):
        s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert list(aws.objects(bucket, "order/").items()) == [("order/a b+ü=", b"1"), ("order/b", b"2")]


def test_a_conditional_put_overwrites_nothing(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    first = s3.put_object(Bucket=bucket, Key="condition/one", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="condition/one", Body=b"2", IfNoneMatch="*")
    assert (code(error), error.value.response["ResponseMetadata"]["HTTPStatusCode"]) == ("PreconditionFailed", 412)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="condition/one", Body=b"2", IfMatch='"0123"')
    assert code(error) == "PreconditionFailed"
    assert aws.objects(bucket, "condition/") == {"condition/one": b"1"}
    s3.put_object(Bucket=bucket, Key="condition/one", Body=b"2", IfMatch=first["ETag"])
    assert aws.objects(bucket, "condition/") == {"condition/one": b"2"}


def test_a_conditional_multipart_upload_overwrites_nothing(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    s3.put_object(Bucket=bucket, Key="parts/one", Body=b"1")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts/one")["UploadId"]
    named = {"Bucket": bucket, "Key": "parts/one", "UploadId": upload}
    tag = s3.upload_part(**named, PartNumber=1, Body=b"2")["ETag"]
    with pytest.raises(ClientError) as error:
        s3.complete_multipart_upload(
            **named, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": tag}]}, IfNoneMatch="*"
        )  # fmt: skip
    assert code(error) == "PreconditionFailed"
    assert aws.objects(bucket, "parts/") == {"parts/one": b"1"}
    s3.abort_multipart_upload(**named)


def test_an_unfinished_upload_is_listed_until_it_is_aborted(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="open/one")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="open/one", UploadId=upload, PartNumber=1, Body=b"1")
    assert aws.unfinished(bucket, "open/") == [("open/one", upload)]
    assert aws.unfinished(bucket, "elsewhere/") == []
    s3.abort_multipart_upload(Bucket=bucket, Key="open/one", UploadId=upload)
    assert aws.unfinished(bucket, "open/") == []
    with pytest.raises(ClientError) as error:
        s3.upload_part(Bucket=bucket, Key="open/one", UploadId=upload, PartNumber=2, Body=b"1")
    assert code(error) == "NoSuchUpload"


def test_parts_below_five_mebibytes_are_refused_except_for_the_last(bucket: str, s3: Any) -> None:
    def upload(*sizes: int) -> None:
        named = {"Bucket": bucket, "Key": "small", "UploadId": s3.create_multipart_upload(Bucket=bucket, Key="small")["UploadId"]}
        tags = [s3.upload_part(**named, PartNumber=number, Body=bytes(size))["ETag"] for number, size in enumerate(sizes, 1)]
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        try:
            s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
        finally:
            s3.abort_multipart_upload(**named)

    with pytest.raises(ClientError) as error:
        upload(FIVE_MIB - 1, 1)
    assert code(error) == "EntityTooSmall"
    with pytest.raises(ClientError, match="NoSuchUpload"):  # complete: nothing is left to abort
        upload(FIVE_MIB, 1)
    assert s3.head_object(Bucket=bucket, Key="small")["ContentLength"] == FIVE_MIB + 1


@pytest.mark.parametrize("header", ["ContentMD5", "ChecksumSHA256"])
def test_a_wrong_checksum_is_refused(aws: AwsSandbox, bucket: str, s3: Any, header: str) -> None:
    wrong = {"ContentMD5": "1B2M2Y8AsgTpgAmY7PhCfg==", "ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}[header]
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="sum/one", Body=b"1", **{header: wrong})
    assert code(error) == "BadDigest"
    assert aws.objects(bucket, "sum/") == {}


@pytest.mark.parametrize(
    ("state", "expected"), [("Disabled", "KMS.DisabledException"), ("PendingDeletion", "KMS.KMSInvalidStateException")]
)
def test_a_key_that_is_not_enabled_refuses_objects(aws: AwsSandbox, bucket: str, s3: Any, state: str, expected: str) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="kms/one", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=aws.key(state))
    assert code(error) == expected


def test_an_unknown_key_refuses_objects(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    unknown = aws.key().rpartition("/")[0] + "/00000000-0000-0000-0000-000000000000"
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": unknown}
    for call in (
        lambda: s3.put_object(Bucket=bucket, Key="kms/one", Body=b"1", **encrypted),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="kms/one", **encrypted),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == "KMS.NotFoundException"
    assert aws.objects(bucket, "kms/") == {}


def test_an_enabled_key_is_told_of_each_object(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    key = aws.key()
    s3.put_object(Bucket=bucket, Key="kms/two", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    head = s3.head_object(Bucket=bucket, Key="kms/two")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_missing_bucket_is_named(s3: Any) -> None:
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="nobody-has-made-this", Key="one", Body=b"1")
    assert code(error) == "NoSuchBucket"


def test_a_bucket_has_the_region_that_was_asked_for(aws: AwsSandbox, bucket: str, s3: Any) -> None:
    abroad = aws.bucket("abroad", "eu-west-1")
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == "ap-northeast-2"
    assert s3.head_bucket(Bucket=abroad)["BucketRegion"] == "eu-west-1"
