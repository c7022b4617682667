"""Roles, buckets and folders that do not let an export in, against servers that apply policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from activation.destinations.s3.checks import TEST_OBJECT, Place
from tests.destinations.s3.checks.partner import BUCKET, EXTERNAL_ID, FOLDER, WRITE, World, wrong


@pytest.mark.parametrize("role_arn", ["arn:aws:iam::123456789012:role/nobody", "arn:aws:iam::210987654321:role/good"])
def test_s_e5_a_role_that_is_not_there_is_an_invalid_arn(partner: World, role_arn: str) -> None:
    found = wrong(partner.access(role_arn=role_arn, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER))
    assert found.name == "role"
    assert found.text.startswith(f"invalid arn: Assuming the role {role_arn} failed: AWS answered AccessDenied to AssumeRole: ")
    assert "Fix: Correct role_arn; let the role's trust policy name" in found.text


@pytest.mark.parametrize("role_arn", ["good", "arn:aws:iam::1234:role/good", "arn:aws:iam::123456789012:user/good"])
def test_s_e5_a_malformed_arn_is_an_invalid_arn_before_any_request(partner: World, role_arn: str) -> None:
    found = wrong(partner.access(role_arn=role_arn, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER))
    assert found.text.startswith(f"invalid arn: '{role_arn}' is not the ARN of a role. Fix: Correct role_arn")
    assert partner.proxy.requests() == []


def test_s_e5_a_wrong_external_id_is_an_invalid_arn(partner: World, role: str) -> None:
    found = wrong(partner.access(role_arn=role, external_id="of-somebody-else"), Place(BUCKET, FOLDER))
    assert (found.name, found.text[:12]) == ("role", "invalid arn:")
    assert "of-somebody-else" not in found.text


@pytest.mark.parametrize("bucket", ["nobodys-bucket", "UPPER", "a"])
def test_s_e6_a_bucket_that_is_not_there_is_an_invalid_bucket(partner: World, role: str, bucket: str) -> None:
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(bucket, FOLDER))
    assert found.text.startswith("invalid region or bucket: ")
    assert bucket in found.text
    assert found.text.endswith(" Fix: Correct region and bucket.")


def test_s_e6_a_region_of_no_form_is_an_invalid_region(partner: World, role: str) -> None:
    access = partner.access(role_arn=role, external_id=EXTERNAL_ID, region_name="서울")
    assert wrong(access, Place(BUCKET, FOLDER)).text.startswith("invalid region or bucket: '서울' is no name of a region.")


@pytest.mark.parametrize("folder", ["../내보내기", "", "//", "a/./b", "가" * 400])
def test_s_e7_a_malformed_folder_is_an_invalid_folder(partner: World, role: str, folder: str) -> None:
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, folder))
    assert found.name == "folder"
    assert found.text.startswith("invalid bucket folder format: ")
    assert partner.proxy.requests("PUT ") == []


def test_s_e8_a_role_that_may_not_write_misses_its_s3_policy(partner: World) -> None:
    role = partner.role("reader", WRITE[2:])
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER))
    assert found.name == "test object"
    assert found.text.startswith(f"missing s3 policy: Writing the test object s3://{BUCKET}/{FOLDER}/{TEST_OBJECT}")
    assert "AWS answered AccessDenied to PutObject" in found.text
    assert "Fix: Allow s3:PutObject. Add the S3 policy to the role" in found.text


def test_s_e8_a_role_that_may_not_abort_misses_its_s3_policy(partner: World) -> None:
    role = partner.role("no-abort", [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}])
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, "aborted"))
    assert found.name == "multipart upload"
    assert found.text.startswith("missing s3 policy: Aborting the test upload aborted/")
    assert "Fix: Allow s3:AbortMultipartUpload. " in found.text
    s3 = partner.aws.client("s3")
    for key, upload in partner.aws.unfinished(BUCKET, "aborted/"):
        s3.abort_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload)
    for key in partner.aws.objects(BUCKET, "aborted/"):
        s3.delete_object(Bucket=BUCKET, Key=key)


def test_s_e8_a_bucket_that_denies_the_role_is_the_same_case(partner: World) -> None:
    denied = [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::closed-bucket/*"}]
    partner.aws.bucket("closed-bucket", policy=denied)
    role = partner.role("denied", [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}])
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place("closed-bucket", FOLDER))
    assert (found.name, found.text[:18]) == ("test object", "missing s3 policy:")


@pytest.mark.parametrize(
    ("condition", "how"),
    [
        (None, "without the external id"),
        ({"StringLike": {"sts:ExternalId": "*"}}, "with a wrong external id"),
        ({"StringEqualsIfExists": {"sts:ExternalId": EXTERNAL_ID}}, "without the external id"),
        ({"StringLike": {"sts:RoleSessionName": "activation-*"}}, "without the external id"),
    ],
)
def test_s_e10_a_trust_policy_without_the_external_id_fails_the_check(partner: World, condition: Any, how: str) -> None:
    name = f"deputy-{len(str(condition))}"
    role = partner.role(name, external_id=None)
    trusted: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{partner.aws.account}:user/exporter"},
        "Action": "sts:AssumeRole",
    }
    if condition:
        trusted["Condition"] = condition
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    partner.aws.client("iam").update_assume_role_policy(RoleName=name, PolicyDocument=policy)
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER))
    assert found.name == "external id"
    assert found.text.startswith(f"invalid arn: The role {role} can be assumed {how}, so whoever knows its ARN")
    assert "(confused deputy). Fix: Let the owner of the role add to its trust policy the condition" in found.text
    assert partner.proxy.requests("PUT ") == []


def test_s_e11_a_redirect_to_another_region_names_it(partner: World, role: str) -> None:
    partner.proxy.faults({"match": "list-type", "n": 99, "do": "redirect:eu-west-1"})
    found = wrong(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER))
    assert found.name == "region and bucket"
    assert found.text.startswith(
        f"invalid region or bucket: Looking for the bucket {BUCKET} failed: AWS answered PermanentRedirect"
    )
    assert found.text.endswith(" Fix: The bucket is in eu-west-1: set region to it, or correct the bucket.")


def test_s_e11_a_redirect_that_the_client_follows_by_itself_is_found_all_the_same(partner: World, role: str) -> None:
    access = partner.access(role_arn=role, external_id=EXTERNAL_ID, region_name="us-west-2")
    found = wrong(access, Place(BUCKET, FOLDER))
    assert 301 in [one.status for one in partner.proxy.requests("list-type")]
    assert found.text == (
        f"invalid region or bucket: The bucket {BUCKET} is in ap-northeast-2, not in us-west-2. "
        "Fix: Set region to ap-northeast-2."
    )


def test_s_e11_a_server_that_answers_for_every_region_is_found_out_by_its_header(stored: World) -> None:
    stored.aws.bucket("far-bucket", "eu-west-1")
    found = wrong(stored.access(), Place("far-bucket", FOLDER))
    assert found.text == (
        "invalid region or bucket: The bucket far-bucket is in eu-west-1, not in ap-northeast-2. Fix: Set region to eu-west-1."
    )
