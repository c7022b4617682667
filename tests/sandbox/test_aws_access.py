"""What other tests rely on in the access sandbox: who may do what is decided as Amazon does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.aws import AwsSandbox, FaultProxy

WRITE = [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::partner/export/*"}]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsSandbox]:
    with AwsSandbox("access") as aws:
        aws.bucket("partner")
        yield aws


@pytest.fixture(scope="module")
def exporter(aws: AwsSandbox) -> dict[str, str]:
    return aws.user("exporter", [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}])


@pytest.fixture(scope="module")
def role(aws: AwsSandbox) -> str:
    return aws.role("partner", WRITE, external_id="activation-7")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def assumed(aws: AwsSandbox, exporter: dict[str, str], role: str, **given: Any) -> dict[str, str]:
    sts = aws.client("sts", **exporter)
    made = sts.assume_role(RoleArn=role, RoleSessionName="test", **given)["Credentials"]
    return {"access_key": made["AccessKeyId"], "secret_key": made["SecretAccessKey"], "session_token": made["SessionToken"]}


@pytest.mark.parametrize("given", [{}, {"ExternalId": "activation-8"}])
def test_a_role_is_refused_without_its_external_id(aws: AwsSandbox, exporter: dict[str, str], role: str, given: Any) -> None:
    with pytest.raises(ClientError) as error:
        assumed(aws, exporter, role, **given)
    assert code(error) == "AccessDenied"


def test_a_role_is_assumed_with_its_external_id_and_may_do_what_its_policy_says(
    aws: AwsSandbox, exporter: dict[str, str], role: str
) -> None:
    s3 = aws.client("s3", **assumed(aws, exporter, role, ExternalId="activation-7"))
    s3.put_object(Bucket="partner", Key="export/one", Body=b"1")
    assert aws.objects("partner", "export/") == {"export/one": b"1"}
    for call in (
        lambda: s3.put_object(Bucket="partner", Key="elsewhere/one", Body=b"1"),
        lambda: s3.get_object(Bucket="partner", Key="export/one"),
        lambda: s3.delete_object(Bucket="partner", Key="export/one"),
        lambda: s3.list_objects_v2(Bucket="partner"),
        lambda: s3.list_multipart_uploads(Bucket="partner"),
    ):
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == "AccessDenied"


def test_a_role_without_the_condition_is_assumed_by_whoever_is_trusted(aws: AwsSandbox, exporter: dict[str, str]) -> None:
    open_role = aws.role("open", WRITE)
    assert assumed(aws, exporter, open_role)["access_key"]
    assert assumed(aws, exporter, open_role, ExternalId="any")["access_key"]
    closed = aws.role("closed", WRITE, trust=f"arn:aws:iam::{aws.account}:user/somebody-else")
    with pytest.raises(ClientError) as error:
        assumed(aws, exporter, closed)
    assert code(error) == "AccessDenied"


def test_a_role_that_is_not_there_is_refused(aws: AwsSandbox, exporter: dict[str, str]) -> None:
    with pytest.raises(ClientError) as error:
        assumed(aws, exporter, f"arn:aws:iam::{aws.account}:role/missing")
    assert code(error) == "AccessDenied"


def test_a_user_may_do_nothing_that_no_policy_says(aws: AwsSandbox, exporter: dict[str, str], role: str) -> None:
    s3 = aws.client("s3", **exporter)
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="partner", Key="export/two", Body=b"1")
    assert code(error) == "AccessDenied"
    nobody = aws.user("nobody")
    with pytest.raises(ClientError) as error:
        assumed(aws, nobody, role, ExternalId="activation-7")
    assert code(error) == "AccessDenied"


def test_a_bucket_policy_denies_what_a_user_is_allowed(aws: AwsSandbox) -> None:
    everything = [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
    owner = aws.client("s3", **aws.user("writer", everything))
    plain = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::sealed/*", "Condition": plain}
    aws.bucket("sealed", policy=[deny])
    with pytest.raises(ClientError) as error:
        owner.put_object(Bucket="sealed", Key="one", Body=b"1")
    assert code(error) == "AccessDenied"
    owner.put_object(Bucket="sealed", Key="one", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId=aws.key())
    assert aws.objects("sealed") == {"one": b"1"}


@pytest.mark.parametrize(
    ("part", "wrong", "expected"),
    [
        ("access_key", "AKIAAAAAAAAAAAAAAAAA", "InvalidAccessKeyId"),
        ("secret_key", "wrong", "SignatureDoesNotMatch"),
        ("session_token", "wrong", "InvalidToken"),
    ],
)
def test_wrong_credentials_are_told_apart(
    aws: AwsSandbox, exporter: dict[str, str], role: str, part: str, wrong: str, expected: str
) -> None:
    session = assumed(aws, exporter, role, ExternalId="activation-7") | {part: wrong}
    with pytest.raises(ClientError) as error:
        aws.client("s3", **session).put_object(Bucket="partner", Key="export/three", Body=b"1")
    assert code(error) == expected


def test_a_bucket_in_another_region_is_found_and_one_that_is_nowhere_is_not(aws: AwsSandbox) -> None:
    with FaultProxy(aws.url) as proxy:
        s3 = aws.client("s3", region="eu-west-1", endpoint_url=proxy.url)
        s3.put_object(Bucket="partner", Key="abroad/one", Body=b"1")
        assert [one.status for one in proxy.requests()] == [301, 200]
    with pytest.raises(ClientError) as error:
        aws.client("s3").put_object(Bucket="nobody-has-made-this", Key="one", Body=b"1")
    assert code(error) == "NoSuchBucket"


def test_a_conditional_put_overwrites_nothing(aws: AwsSandbox) -> None:
    s3 = aws.client("s3")
    s3.put_object(Bucket="partner", Key="condition/one", Body=b"1")
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket="partner", Key="condition/one", Body=b"2", IfNoneMatch="*")
    assert code(error) == "PreconditionFailed"
    assert aws.objects("partner", "condition/") == {"condition/one": b"1"}


def test_an_unfinished_upload_is_listed(aws: AwsSandbox) -> None:
    s3 = aws.client("s3")
    upload = s3.create_multipart_upload(Bucket="partner", Key="open/one")["UploadId"]
    assert aws.unfinished("partner", "open/") == [("open/one", upload)]
    s3.abort_multipart_upload(Bucket="partner", Key="open/one", UploadId=upload)
    assert aws.unfinished("partner", "open/") == []
