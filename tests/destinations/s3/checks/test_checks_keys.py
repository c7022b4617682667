"""KMS keys that cannot be used."""

from __future__ import annotations

import pytest

from activation.destinations.s3.checks import TEST_OBJECT, Place, check, require
from activation.destinations.s3.settings import Encryption
from activation.errors import ConfigurationError
from activation.findings import Verdict
from tests.destinations.s3.checks.partner import BUCKET, FOLDER, MISSING, World, wrong


@pytest.mark.parametrize(
    ("state", "said", "fix"),
    [
        ("Disabled", "KMS.DisabledException", "Enable the KMS key, or name another one."),
        ("PendingDeletion", "KMS.KMSInvalidStateException", "Correct the ARN of the KMS key: "),
        ("Missing", "KMS.NotFoundException", "Correct the ARN of the KMS key: "),
    ],
)
def test_s_e9_a_key_that_cannot_be_used_is_a_missing_kms_policy(stored: World, state: str, said: str, fix: str) -> None:
    key = MISSING.format(region="ap-northeast-2") if state == "Missing" else stored.aws.key(state)
    access, place = stored.access(), Place(BUCKET, FOLDER, Encryption("aws:kms", key))
    found = wrong(access, place)
    assert found.name == "KMS key"
    assert found.text.startswith(f"missing kms policy: Writing the test object s3://{BUCKET}/{FOLDER}/{TEST_OBJECT}")
    assert f"AWS answered {said} to PutObject: " in found.text
    assert f" Fix: {fix}" in found.text
    with pytest.raises(ConfigurationError):
        require(access, place, lambda finding: None)


def test_a_key_that_can_be_used_is_shown_and_stands_on_every_write(stored: World) -> None:
    key = stored.aws.key()
    findings = list(check(stored.access(), Place(BUCKET, FOLDER, Encryption("aws:kms", key))))
    assert (findings[6].verdict, findings[6].text) == (Verdict.OK, f"aws:kms with {key}")
    assert findings[-1].verdict is Verdict.OK
    for request in stored.proxy.requests(r"^PUT [^?]*$|^POST .*uploads"):
        assert request.headers["x-amz-server-side-encryption-aws-kms-key-id"] == key
    assert stored.aws.objects(BUCKET) == {}


@pytest.mark.parametrize("call", [r"PUT [^?]*$", r"PUT .*partNumber"])
def test_s_e12_a_denial_that_names_kms_misses_the_kms_policy_not_that_of_s3(stored: World, call: str) -> None:
    right = "kms:Decrypt" if "part" in call else "kms:GenerateDataKey"
    said = (
        f"User: arn:aws:sts::123456789012:assumed-role/partner/Airflow_aws is not authorized to perform: {right} on resource: "
        "arn:aws:kms:ap-northeast-2:210987654321:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    )
    stored.proxy.faults({"match": call, "n": 99, "do": "AccessDenied", "message": said})
    found = wrong(stored.access(), Place(BUCKET, FOLDER, Encryption("aws:kms", stored.aws.key())))
    assert found.name == ("multipart upload" if "part" in call else "KMS key")
    assert found.text.startswith("missing kms policy: ")
    assert said in found.text
    assert stored.aws.unfinished(BUCKET) == []
