"""The nine error cases of an export (contracts: s3_export 1.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class ExportCase(Enum):
    """A case; the value is what the text of its error begins with."""

    UNKNOWN = "unknown error"
    STATE = "ddb update fail"
    QUERY = "failed_to_run_query"
    PARAMETER = "invalid_parameter"
    ARN = "invalid arn"
    BUCKET = "invalid region or bucket"
    FOLDER = "invalid bucket folder format"
    S3_POLICY = "missing s3 policy"
    KMS_POLICY = "missing kms policy"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a case.

    :ivar cause: why it happens.
    :ivar remedy: what to do about it, where the answer itself does not tell more.
    :ivar retry: whether a later attempt can succeed without anybody doing something.
    """

    cause: str
    remedy: str
    retry: bool = False


CASES: Mapping[ExportCase, Facts] = {
    ExportCase.UNKNOWN: Facts("Something that none of the other cases is.", "Read the log of the task.", retry=True),
    ExportCase.STATE: Facts(
        "The state of the pipeline could not be written.",
        "See that Airflow's database and the state folder can be written, then retry.",
        retry=True,
    ),
    ExportCase.QUERY: Facts(
        "The query did not run.", "Check the source block of the pipeline and the warehouse's connection.", retry=True
    ),
    ExportCase.PARAMETER: Facts("A setting of the export is malformed or out of range.", "Correct the setting."),
    ExportCase.ARN: Facts(
        "The role cannot be assumed: it is not there, or its trust policy does not admit the exporter.",
        "Correct role_arn; let the role's trust policy name the identity that exports, with sts:ExternalId equal to the "
        "pipeline's external_id; and let that identity have sts:AssumeRole on the role.",
    ),
    ExportCase.BUCKET: Facts("There is no such bucket in that region.", "Correct region and bucket."),
    ExportCase.FOLDER: Facts("The bucket folder is malformed.", "Correct the folder: names joined by single slashes."),
    ExportCase.S3_POLICY: Facts(
        "The role may not do this in the bucket.",
        "Add the S3 policy to the role, and see that neither the bucket's policy nor one of the organisation denies it.",
    ),
    ExportCase.KMS_POLICY: Facts(
        "The role may not use the key.",
        "Add the KMS policy to the role (kms:GenerateDataKey and kms:Decrypt on the key), and let the key's own policy allow it.",
    ),
}
"""The table of contract 1.4. A query, and an error that nobody knows, should be retried once or a few times only: that is the
``retries`` of the pipeline."""
