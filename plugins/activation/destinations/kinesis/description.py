"""What AWS says of a stream, as far as it may be asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_RECORD = 1024 * 1024
"""Bytes of a record, data and partition key, that a stream takes if nobody has set another limit (contract 2.1)."""


@dataclass(frozen=True, slots=True)
class Description:
    """A stream as DescribeStreamSummary shows it.

    :ivar status: ``ACTIVE``, ``UPDATING``, ``CREATING`` or ``DELETING``; empty if AWS may not be asked.
    :ivar shards: how many are open; 0 if AWS may not be asked.
    :ivar max_record: bytes of a record, data before base64 and partition key.
    :ivar on_demand: whether AWS scales the stream.
    :ivar spreads: whether AWS spreads the records by itself, whatever their partition keys (distribution strategy ``AUTO``).
    :ivar key: the KMS key that encrypts the stream; empty for none, or if AWS may not be asked.
    """

    arn: str
    status: str = ""
    shards: int = 0
    max_record: int = MAX_RECORD
    on_demand: bool = False
    spreads: bool = False
    key: str = ""

    @classmethod
    def of(cls, summary: Mapping[str, Any]) -> Description:
        """Read the answer of DescribeStreamSummary; an older botocore leaves out what it does not know."""
        return cls(
            arn=str(summary["StreamARN"]),
            status=str(summary["StreamStatus"]),
            shards=int(summary.get("OpenShardCount", 0)),
            max_record=int(summary["MaxRecordSizeInKiB"]) * 1024 if summary.get("MaxRecordSizeInKiB") else MAX_RECORD,
            on_demand=summary.get("StreamModeDetails", {}).get("StreamMode") == "ON_DEMAND",
            spreads=summary.get("RecordDistributionStrategy") == "AUTO",
            key=str(summary.get("KeyId", "")) if summary.get("EncryptionType") == "KMS" else "",
        )
