"""The way of a check that finds nothing wrong, and settings that no server need be asked about."""

from __future__ import annotations

import pytest

from activation.destinations.s3.checks import TEST_OBJECT, Place, check, require
from activation.destinations.s3.settings import Encryption
from activation.errors import TransientError
from activation.findings import Verdict
from tests.destinations.s3.checks.partner import BUCKET, EXTERNAL_ID, FOLDER, MISSING, WRITE, World, wrong


def test_a_good_role_passes_every_check_in_the_order_of_the_contract_and_leaves_nothing(partner: World, role: str) -> None:
    findings = list(check(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, f"/{FOLDER}//")))
    assert [(one.verdict.value, one.name) for one in findings] == [
        ("ok", "parameters"),
        ("ok", "role"),
        ("ok", "external id"),
        ("ok", "region and bucket"),
        ("ok", "folder"),
        ("ok", "test object"),
        ("skipped", "KMS key"),
        ("ok", "multipart upload"),
    ]
    assert findings[3].text == f"{BUCKET} is there, in ap-northeast-2; it can be listed"
    assert findings[5].text.startswith(f"{FOLDER}/{TEST_OBJECT}")
    assert partner.aws.objects(BUCKET) == {}
    assert partner.aws.unfinished(BUCKET) == []


def test_the_least_rights_pass_and_the_test_object_that_stays_is_told(partner: World) -> None:
    role = partner.role("least", WRITE[:1])
    findings = list(check(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, "least")))
    assert [one.verdict for one in findings if one.name != "KMS key"] == [Verdict.OK] * 7
    assert findings[3].text.endswith("; it may not be listed (s3:ListBucket)")
    (left,) = partner.aws.objects(BUCKET, "least/")
    assert findings[5].text == f"{left} written, but not removed again (missing s3 policy): remove it, or allow s3:DeleteObject"
    partner.aws.client("s3").delete_object(Bucket=BUCKET, Key=left)


def test_what_a_killed_check_has_left_goes_with_the_next_of_the_same_owner(partner: World) -> None:
    listing = {"Effect": "Allow", "Action": "s3:ListBucketMultipartUploads", "Resource": f"arn:aws:s3:::{BUCKET}"}
    access = partner.access(role_arn=partner.role("lists-uploads", [*WRITE, listing]), external_id=EXTERNAL_ID)
    partner.proxy.faults(
        {"match": "(DELETE|partNumber).*_activation_test_|_activation_test_.*partNumber", "n": 99, "do": "AccessDenied"}
    )
    left = list(check(access, Place(BUCKET, FOLDER, owner="events")))
    assert left[-1].text.startswith("missing s3 policy: Sending a part of the test upload")
    (key,) = partner.aws.objects(BUCKET)
    assert [name for name, _ in partner.aws.unfinished(BUCKET)] == [key]
    partner.proxy.faults()
    assert list(check(access, Place(BUCKET, FOLDER, owner="others")))[-1].verdict is Verdict.OK
    assert len(partner.aws.unfinished(BUCKET)) == 1, "another's check may be under way"
    assert list(check(access, Place(BUCKET, FOLDER, owner="events")))[-1].verdict is Verdict.OK
    assert partner.aws.objects(BUCKET) == {}
    assert partner.aws.unfinished(BUCKET) == []


def test_without_a_role_the_connection_writes_as_itself_and_says_so(stored: World) -> None:
    findings = list(check(stored.access(), Place(BUCKET, FOLDER)))
    assert [one.verdict for one in findings[1:3]] == [Verdict.SKIPPED, Verdict.SKIPPED]
    assert "no role is configured" in findings[1].text
    assert findings[-1].verdict is Verdict.OK


def test_a_role_without_an_external_id_is_not_probed_and_says_so(partner: World) -> None:
    role = partner.role("open", external_id=None)
    findings = list(check(partner.access(role_arn=role), Place(BUCKET, FOLDER)))
    assert (findings[2].verdict, findings[2].text) == (
        Verdict.SKIPPED, "no external id is configured; the role of another company should ask for one",
    )  # fmt: skip
    assert findings[-1].verdict is Verdict.OK


def test_s_e1_what_nobody_knows_is_an_unknown_error_that_is_tried_again(partner: World, role: str) -> None:
    partner.proxy.faults({"match": "PUT .*_activation_test_", "n": 99, "do": "MalformedPolicyDocument", "message": "Strange."})
    access, place = partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER)
    found = wrong(access, place)
    assert found.name == "test object"
    assert found.text.startswith(f"unknown error: Writing the test object s3://{BUCKET}/{FOLDER}/{TEST_OBJECT}")
    assert found.text.endswith(
        " failed: AWS answered MalformedPolicyDocument to PutObject: Strange. Fix: Read the log of the task."
    )
    with pytest.raises(TransientError):
        require(access, place, lambda finding: None)


@pytest.mark.parametrize(
    ("encryption", "external_id", "text"),
    [
        (None, "x", "The external id has a wrong form: it is 2 to 1224 letters, digits and any of + = , . @ : / -."),
        (None, "외부 아이디", "The external id has a wrong form: it is 2 to 1224 letters, digits and any of + = , . @ : / -."),
        (Encryption("aws:kms", "no key!"), EXTERNAL_ID, "'no key!' is no KMS key."),
        (
            Encryption("aws:kms", MISSING.format(region="eu-west-1")),
            EXTERNAL_ID,
            "The KMS key is in eu-west-1, but the bucket in ap-northeast-2.",
        ),
    ],
)
def test_s_e4_a_malformed_setting_is_an_invalid_parameter_before_any_request(
    partner: World, role: str, encryption: Encryption | None, external_id: str, text: str
) -> None:
    found = wrong(partner.access(role_arn=role, external_id=external_id), Place(BUCKET, FOLDER, encryption))
    assert found.name == "parameters"
    assert found.text.startswith(f"invalid_parameter: {text} Fix: ")
    assert partner.proxy.requests() == []
