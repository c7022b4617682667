"""The nine cases of contract s3_export 1.4: their table, their texts, and what the client of AWS raises in each."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from activation.destinations.s3.answers import ANSWERS
from activation.destinations.s3.errors import CASES, ExportCase, as_error, case_error, classify
from activation.errors import ActivationError, ConfigurationError, TransientError
from sandbox.aws import AwsSandbox, FaultProxy

PAGE = Path(__file__).parents[3] / "docs" / "s3-export-access.md"
NAME = "내보내기/고객 목록 ①.csv"

RETRIED = {ExportCase.UNKNOWN, ExportCase.STATE, ExportCase.QUERY}


def answer(
    code: str, operation: str = "PutObject", message: str = "", *, status: int = 400, headers: Any = None, **more: str
) -> ClientError:
    """What botocore raises for an answer."""
    meta = {"HTTPStatusCode": status, "HTTPHeaders": headers or {}, "RequestId": "0", "HostId": "0", "RetryAttempts": 0}
    error = {"Code": code, "Message": message, **more}
    return ClientError({"Error": error, "ResponseMetadata": meta}, operation)  # type: ignore[typeddict-item,unused-ignore]


def test_the_cases_are_those_of_the_contract_and_three_are_tried_again() -> None:
    assert [case.value for case in CASES] == [
        "unknown error",
        "ddb update fail",
        "failed_to_run_query",
        "invalid_parameter",
        "invalid arn",
        "invalid region or bucket",
        "invalid bucket folder format",
        "missing s3 policy",
        "missing kms policy",
    ]
    assert {case for case, facts in CASES.items() if facts.retry} == RETRIED


def test_the_page_for_partners_has_the_table() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if re.match(r"\| `[a-z_ 3]+` \|", line)]
    retry = {True: "yes", False: "no"}
    assert rows == [
        f"| `{case.value}` | {facts.cause} | {facts.remedy} | {retry[facts.retry]} |" for case, facts in CASES.items()
    ]


@pytest.mark.parametrize("case", list(ExportCase))
def test_a_case_that_is_found_without_aws_begins_with_its_text_and_ends_with_its_remedy(case: ExportCase) -> None:
    error = case_error(case, f"{NAME} is wrong.")
    assert str(error) == f"{case.value}: {NAME} is wrong. Fix: {CASES[case].remedy}"
    assert type(error) is (TransientError if case in RETRIED else ConfigurationError)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again)) == (type(error), str(error))
    assert str(case_error(case, "Wrong.", "Do this.")) == f"{case.value}: Wrong. Fix: Do this."


def test_s_e2_state_that_cannot_be_written_is_a_ddb_update_fail_and_is_tried_again() -> None:
    error = case_error(ExportCase.STATE, "The run of pipeline 이벤트 could not be recorded.")
    assert isinstance(error, TransientError)
    assert str(error).startswith("ddb update fail: The run of pipeline 이벤트 could not be recorded. Fix: ")


def test_s_e3_a_query_that_does_not_run_is_failed_to_run_query_and_is_tried_again() -> None:
    error = case_error(ExportCase.QUERY, "Reading crm.events from Snowflake failed: syntax error.")
    assert isinstance(error, TransientError)
    assert str(error).startswith("failed_to_run_query: Reading crm.events from Snowflake failed: syntax error. Fix: ")


KMS = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: kms:GenerateDataKey on resource: arn:aws:kms:x:1:key/k"

MAPPED: tuple[tuple[ExportCase, bool, ClientError], ...] = (
    (ExportCase.ARN, False, answer("AccessDenied", "AssumeRole", "not authorized to perform: sts:AssumeRole", status=403)),
    (ExportCase.ARN, False, answer("NoSuchEntity", "AssumeRole")),
    (ExportCase.ARN, False, answer("ValidationError", "AssumeRole", "Invalid length for parameter RoleArn")),
    (ExportCase.ARN, False, answer("AccessDenied", "AssumeRoleWithWebIdentity", status=403)),
    (ExportCase.ARN, False, answer("RegionDisabledException", "AssumeRole", status=403)),
    (ExportCase.PARAMETER, False, answer("ValidationError", "AssumeRole", "The requested DurationSeconds exceeds the most")),
    (ExportCase.PARAMETER, False, answer("ValidationError", "AssumeRole", "Value 'x' at 'externalId' failed")),
    (ExportCase.PARAMETER, False, answer("ValidationError", "AssumeRole", "Value '가' at 'roleSessionName' failed")),
    (ExportCase.BUCKET, False, answer("NoSuchBucket", status=404)),
    (ExportCase.BUCKET, False, answer("404", "HeadBucket", "Not Found", status=404)),
    (ExportCase.BUCKET, False, answer("PermanentRedirect", status=301)),
    (ExportCase.BUCKET, False, answer("301", "HeadBucket", "Moved Permanently", status=301)),
    (ExportCase.BUCKET, False, answer("TemporaryRedirect", status=307)),
    (ExportCase.BUCKET, False, answer("307", "HeadBucket", status=307)),
    (ExportCase.BUCKET, False, answer("AuthorizationHeaderMalformed")),
    (ExportCase.BUCKET, False, answer("IllegalLocationConstraintException")),
    (ExportCase.FOLDER, False, answer("KeyTooLongError")),
    (ExportCase.S3_POLICY, False, answer("AccessDenied", status=403)),
    (ExportCase.S3_POLICY, False, answer("403", "HeadObject", "Forbidden", status=403)),
    (ExportCase.S3_POLICY, False, answer("AccessDenied", message="on resource: arn:aws:s3:::kms-logs/AWS/kms/a", status=403)),
    (ExportCase.KMS_POLICY, False, answer("AccessDenied", message=KMS, status=403)),
    (ExportCase.KMS_POLICY, False, answer("AccessDenied", "UploadPart", KMS.replace("GenerateDataKey", "Decrypt"), status=403)),
    (ExportCase.KMS_POLICY, False, answer("KMS.AccessDeniedException", status=403)),
    (ExportCase.KMS_POLICY, False, answer("KMS.DisabledException")),
    (ExportCase.KMS_POLICY, False, answer("KMS.NotFoundException")),
    (ExportCase.KMS_POLICY, False, answer("KMS.KMSInvalidStateException")),
    (ExportCase.KMS_POLICY, False, answer("KMS.InvalidKeyUsageException")),
    (ExportCase.UNKNOWN, True, answer("KMS.ThrottlingException", status=503)),
    (ExportCase.UNKNOWN, True, answer("KMS.KMSInternalException", status=503)),
    (ExportCase.UNKNOWN, True, answer("SlowDown", status=503)),
    (ExportCase.UNKNOWN, True, answer("Throttling", "AssumeRole")),
    (ExportCase.UNKNOWN, True, answer("503", "HeadBucket", status=503)),
    (ExportCase.UNKNOWN, True, answer("NeverHeardOf", status=502)),
    (ExportCase.UNKNOWN, True, answer("InternalError", status=500)),
    (ExportCase.UNKNOWN, True, answer("RequestTimeout")),
    (ExportCase.UNKNOWN, True, answer("ExpiredToken")),
    (ExportCase.UNKNOWN, True, answer("ExpiredToken", "AssumeRole", status=403)),
    (ExportCase.UNKNOWN, True, answer("RequestExpired", "AssumeRole")),
    (ExportCase.UNKNOWN, True, answer("ConditionalRequestConflict", status=409)),
    (ExportCase.UNKNOWN, True, answer("NeverHeardOf")),
    (ExportCase.UNKNOWN, True, answer("NotImplemented", status=501)),
    (ExportCase.UNKNOWN, False, answer("InvalidAccessKeyId", status=403)),
    (ExportCase.UNKNOWN, False, answer("SignatureDoesNotMatch", status=403)),
    (ExportCase.UNKNOWN, False, answer("InvalidClientTokenId", "AssumeRole", status=403)),
    (ExportCase.UNKNOWN, False, answer("RequestTimeTooSkewed", status=403)),
)


@pytest.mark.parametrize(("case", "again", "raised"), MAPPED, ids=lambda one: str(getattr(one, "response", {}).get("Error", one)))
def test_an_answer_has_its_case_and_is_tried_again_only_if_that_can_help(
    case: ExportCase, again: bool, raised: ClientError
) -> None:
    assert classify(raised) is case
    error = as_error(raised, f"Writing {NAME}")
    code = raised.response["Error"]["Code"]
    assert type(error) is (TransientError if again else ConfigurationError)
    assert str(error).startswith(f"{case.value}: Writing {NAME} failed: AWS answered {code} to {raised.operation_name}")
    assert " Fix: " in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_every_line_of_the_table_is_used_by_an_answer_above() -> None:
    used = set()
    for _, _, raised in MAPPED:
        code, said = raised.response["Error"]["Code"], raised.response["Error"]["Message"]
        matching = (
            number
            for number, one in enumerate(ANSWERS)
            if re.fullmatch(one.code, code) and re.search(one.says, said) and re.fullmatch(one.calls, raised.operation_name)
        )
        used.add(next(matching, -1))
    assert used == {*range(len(ANSWERS)), -1}


@pytest.mark.parametrize(
    "raised",
    [
        answer("PermanentRedirect", status=301, headers={"x-amz-bucket-region": "ap-northeast-2"}),
        answer("AuthorizationHeaderMalformed", "ListObjectsV2", Region="ap-northeast-2"),
    ],
)
def test_the_region_that_an_answer_tells_is_the_remedy(raised: ClientError) -> None:
    error = as_error(raised, "Looking for the bucket b")
    assert str(error).endswith(" Fix: The bucket is in ap-northeast-2: set region to it, or correct the bucket.")


def test_a_missing_right_is_named_by_the_operation_and_the_denial_stays_readable() -> None:
    said = f"User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: s3:PutObject on {NAME}"
    error = as_error(answer("AccessDenied", "CompleteMultipartUpload", said, status=403), f"Writing {NAME}")
    assert f"to CompleteMultipartUpload: {said}. Fix: Allow s3:PutObject. Add the S3 policy" in str(error)


@pytest.mark.parametrize(
    ("raised", "case", "again"),
    [
        (exceptions.NoCredentialsError(), ExportCase.UNKNOWN, False),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), ExportCase.UNKNOWN, False),
        (exceptions.ProfileNotFound(profile="x"), ExportCase.UNKNOWN, False),
        (exceptions.NoRegionError(), ExportCase.BUCKET, False),
        (exceptions.InvalidRegionError(region_name="서울"), ExportCase.BUCKET, False),
        (exceptions.ParamValidationError(report='Invalid bucket name "A"'), ExportCase.BUCKET, False),
        (exceptions.ParamValidationError(report="Invalid length for parameter RoleArn"), ExportCase.ARN, False),
        (exceptions.ParamValidationError(report="Invalid type for parameter Key, value: canary"), ExportCase.PARAMETER, False),
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), ExportCase.UNKNOWN, True),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), ExportCase.UNKNOWN, True),
        (exceptions.CredentialRetrievalError(provider="x", error_msg="canary"), ExportCase.UNKNOWN, True),
        (exceptions.InvalidDNSNameError(bucket_name="A"), ExportCase.UNKNOWN, True),
        (OSError("canary"), ExportCase.UNKNOWN, True),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_what_is_raised_without_an_answer(raised: Exception, case: ExportCase, again: bool) -> None:
    assert classify(raised) is case
    error = as_error(raised, f"Writing {NAME}")
    assert type(error) is (TransientError if again else ConfigurationError)
    text = str(error)
    assert re.match(rf"{case.value}: Writing {re.escape(NAME)} failed: {type(raised).__name__}(: .+)?\. Fix: ", text)
    assert "canary" not in text


def test_a_server_that_is_not_there_is_tried_again_and_one_that_is_not_trusted_is_not(aws_storage: AwsSandbox) -> None:
    with pytest.raises(exceptions.BotoCoreError) as nobody:
        aws_storage.client("s3", endpoint_url="http://127.0.0.1:9").list_buckets()
    assert isinstance(as_error(nobody.value, "Listing"), TransientError)
    with FaultProxy(aws_storage.url, tls=True) as proxy, pytest.raises(exceptions.BotoCoreError) as stranger:
        aws_storage.client("s3", endpoint_url=proxy.url).list_buckets()
    error = as_error(stranger.value, "Listing")
    assert isinstance(error, ConfigurationError)
    assert str(error).startswith("unknown error: Listing failed: SSLError: SSL validation failed for ")
    assert str(error).endswith(
        " Fix: Let the connection's extra field 'verify' name a file with the authority that signed the certificate."
    )


def test_an_error_of_this_package_stays_as_it_is() -> None:
    error: ActivationError = ConfigurationError("invalid arn: x", "y")
    assert as_error(error, "Writing") is error


@pytest.mark.parametrize(
    "said",
    [
        "Value '{}' at 'externalId' failed to satisfy constraint",
        "Credential={}/20261122/us-east-1/s3/aws4_request",
        "no key {} here; Signature={}",
        "X-Amz-Security-Token: {}",
        "the session {}== ended",
    ],
)
def test_what_aws_echoes_is_not_repeated(said: str) -> None:
    canary = "ASIA1234567890CANARY" if "key" in said or "Credential" in said else "IQoJb3JpZ2luX2VjEJr" * 4
    error = as_error(answer("NeverHeardOf", message=said.format(canary, canary)), "Writing")
    assert canary not in str(error)
    assert "***" in str(error)
