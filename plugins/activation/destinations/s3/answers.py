"""From what AWS says to one of the nine cases (contracts: s3_export 1.4, and the codes of S3, STS and KMS), as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from activation.destinations.s3.cases import ExportCase

_CREDENTIAL = (
    "Correct the credentials of the Airflow connection: the access key may be deleted, inactive or mistyped, a session token old."
)
AGAIN = "Nothing, if a later attempt succeeds: it goes on where this one stopped."
_NAME = "Correct the ARN of the KMS key: it must be there, enabled, symmetric, and in the region of the bucket."
_TRUST = "Let the connection's extra field 'verify' name a file with the authority that signed the certificate."


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of AWS, and what it means.

    :ivar code: pattern of the whole error code; where a request has no body (HEAD), the code is the HTTP status.
    :ivar says: pattern somewhere in its message.
    :ivar calls: pattern of the whole name of the operation.
    :ivar remedy: instead of the case's.
    :ivar retry: instead of the case's.
    """

    case: ExportCase
    code: str
    says: str = ""
    calls: str = ".*"
    remedy: str = ""
    retry: bool | None = None


_STS = "AssumeRole.*|GetCallerIdentity"
_DENIED = "AccessDenied(Exception)?|403|Forbidden"

ANSWERS: tuple[Answer, ...] = (
    # Passes by itself. The cut-off texts are those of KMS behind S3: KMS.ThrottlingException, KMS.KMSInternalException.
    Answer(
        ExportCase.UNKNOWN,
        r".*Throttl.*|SlowDown|TooManyRequests.*|RequestLimitExceeded|BandwidthLimitExceeded|50[0234]|429|InternalError|InternalFailure"
        r"|ServiceUnavailable.*|RequestTimeout.*|ConditionalRequestConflict|OperationAborted|KMS\..*(Internal|Timeout).*",
        remedy=AGAIN,
        retry=True,
    ),
    Answer(ExportCase.UNKNOWN, "ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired", remedy=AGAIN, retry=True),
    # The credentials of the exporter itself.
    Answer(
        ExportCase.UNKNOWN,
        "InvalidAccessKeyId|SignatureDoesNotMatch|InvalidClientTokenId|UnrecognizedClientException|InvalidToken"
        "|IncompleteSignature|MissingAuthenticationToken|AuthFailure|OptInRequired",
        remedy=_CREDENTIAL,
        retry=False,
    ),
    Answer(ExportCase.UNKNOWN, "RequestTimeTooSkewed", remedy="Set the clock of the worker.", retry=False),
    # The role.
    Answer(
        ExportCase.PARAMETER,
        "ValidationError",
        "DurationSeconds|durationSeconds",
        _STS,
        "Correct DurationSeconds in the connection's assume_role_kwargs: 900 to what the role allows, 3600 at most where one "
        "role assumes another.",
    ),
    Answer(
        ExportCase.PARAMETER,
        "ValidationError",
        "externalId",
        _STS,
        "Correct external_id: 2 to 1224 letters, digits and any of + = , . @ : / -.",
    ),
    Answer(ExportCase.PARAMETER, "ValidationError", "roleSessionName", _STS, "Correct RoleSessionName in the connection."),
    Answer(ExportCase.ARN, f"{_DENIED}|NoSuchEntity.*|ValidationError|InvalidParameterValue|MalformedInput", calls=_STS),
    Answer(
        ExportCase.ARN,
        "RegionDisabledException",
        calls=_STS,
        remedy="Let the administrator of the role's account activate STS in this region.",
    ),
    # Region and bucket.
    Answer(
        ExportCase.BUCKET,
        "NoSuchBucket|InvalidBucketName|PermanentRedirect|TemporaryRedirect|Redirect|301|307|AuthorizationHeaderMalformed"
        "|IllegalLocationConstraint.*|InvalidRegion|InvalidLocationConstraint",
    ),
    Answer(ExportCase.BUCKET, "404|NotFound", calls="HeadBucket"),
    Answer(ExportCase.FOLDER, "KeyTooLong.*|InvalidURI", remedy="Shorten the folder: a key has at most 1024 bytes."),
    # The key, before the bucket: a denied key is an AccessDenied of the bucket's call.
    Answer(ExportCase.KMS_POLICY, r"KMS\.AccessDenied.*"),
    Answer(ExportCase.KMS_POLICY, r"KMS\.DisabledException", remedy="Enable the KMS key, or name another one."),
    Answer(ExportCase.KMS_POLICY, r"KMS\..*", remedy=_NAME),
    Answer(ExportCase.KMS_POLICY, _DENIED, r"\bkms:[A-Z*]|:kms:[\w-]+:\d|\bAWS KMS\b|\bKMS\."),
    Answer(ExportCase.S3_POLICY, _DENIED),
)
"""From an answer to its case; the first that matches wins, and what none matches is unknown. Order and codes: contract 1.4."""

PASSING = frozenset({500, 502, 503, 504})
"""HTTP status of an answer whose code nobody knows, and that may be another one next time."""

RAISED: tuple[tuple[str, str, ExportCase, str, bool], ...] = (
    (
        "NoCredentialsError",
        "",
        ExportCase.UNKNOWN,
        "Enter an access key into the Airflow connection, or give the worker one.",
        False,
    ),
    ("PartialCredentialsError", "", ExportCase.UNKNOWN, _CREDENTIAL, False),
    ("ProfileNotFound", "", ExportCase.UNKNOWN, "Correct profile_name in the Airflow connection.", False),
    ("NoRegionError", "", ExportCase.BUCKET, "Set the region of the bucket.", False),
    ("InvalidRegionError", "", ExportCase.BUCKET, "", False),
    ("ParamValidationError", "RoleArn", ExportCase.ARN, "", False),
    ("ParamValidationError", "(?i)bucket", ExportCase.BUCKET, "", False),
    ("ParamValidationError", "", ExportCase.PARAMETER, "", False),
    ("SSLError", "CERTIFICATE_VERIFY_FAILED", ExportCase.UNKNOWN, _TRUST, False),
    ("HTTPClientError", "", ExportCase.UNKNOWN, AGAIN, True),
    ("IncompleteReadError", "", ExportCase.UNKNOWN, AGAIN, True),
    ("ChecksumError", "", ExportCase.UNKNOWN, AGAIN, True),
    ("FlexibleChecksumError", "", ExportCase.UNKNOWN, AGAIN, True),
    ("CredentialRetrievalError", "", ExportCase.UNKNOWN, AGAIN, True),
    ("MetadataRetrievalError", "", ExportCase.UNKNOWN, AGAIN, True),
)
"""Class or base class of what the client raises without an answer, pattern somewhere in its text, case, remedy (empty: the
case's), and whether a later attempt may help; the first that matches wins. An ``HTTPClientError`` is a connection that is
refused, cut or too slow."""

UNSHOWN = frozenset({"ParamValidationError", "CredentialRetrievalError", "TokenRetrievalError"})
"""Classes whose text may quote a value, or what a program that gives credentials has printed."""

PERMISSIONS: Mapping[str, str] = {
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "HeadObject": "s3:GetObject",
    "GetObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
    "DeleteObject": "s3:DeleteObject",
}
"""Operation -> the right that it needs."""
