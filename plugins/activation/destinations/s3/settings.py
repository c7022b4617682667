"""How an object of an export is sent and what is said about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from activation.errors import ConfigurationError

MIB = 1024 * 1024

LEAST_PART, MOST_PART, MOST_PARTS = 5 * MIB, 5 * 1024 * MIB, 10_000
"""Bytes of a part of a multipart upload, but for the last, and how many there can be (contracts: s3_export 2.3)."""

ENCRYPTIONS = {"s3": "AES256", "kms": "aws:kms"}
"""The words of a pipeline file -> what S3 calls it."""

_STEADY, _STEP = 3_000, 700


@dataclass(frozen=True, slots=True)
class Encryption:
    """How S3 encrypts what is written.

    :ivar kind: ``AES256`` (SSE-S3) or ``aws:kms`` (SSE-KMS).
    :ivar key: id or ARN of the KMS key; ``None`` for the one that S3 manages for the account.
    """

    kind: str
    key: str | None = None

    def parameters(self) -> dict[str, str]:
        """What PutObject and CreateMultipartUpload take; S3 takes none of it with a part."""
        key = {} if self.key is None else {"SSEKMSKeyId": self.key}
        return {"ServerSideEncryption": self.kind, **key}


@dataclass(frozen=True, slots=True)
class Transfer:
    """How objects are sent.

    :ivar part_size: bytes of a part of a multipart upload; what is not larger is one PutObject.
    :ivar in_flight: parts of one object that are sent at the same time. Memory holds one part more than that, and as many again
        while one object ends and the next begins.
    """

    part_size: int = 16 * MIB
    in_flight: int = 4

    def __post_init__(self) -> None:
        """Check the numbers.

        :raises ConfigurationError: if S3 takes no parts of that size, or nothing could be sent.
        """
        if not LEAST_PART <= self.part_size <= MOST_PART:
            raise ConfigurationError(
                f"A part of an upload cannot have {self.part_size:,} bytes.", "Choose 5 MiB to 5 GiB; 16 MiB is usual."
            )
        if self.in_flight < 1:
            raise ConfigurationError(f"{self.in_flight} parts cannot be in flight.", "Choose 1 or more; 4 is usual.")


@dataclass(frozen=True, slots=True)
class ObjectSettings:
    """What is said about an object when it is written.

    :ivar run: the run that writes it; printable ASCII.
    :ivar encryption: ``None`` leaves it to the bucket.
    :ivar absent: write only if nothing lies under the key.
    :ivar replaces: write only over the object with this ETag.
    """

    content_type: str
    run: str
    encryption: Encryption | None = None
    transfer: Transfer = field(default_factory=Transfer)
    absent: bool = False
    replaces: str | None = None

    def condition(self) -> dict[str, str]:
        """What PutObject and CompleteMultipartUpload take; S3 answers 412 where it does not hold."""
        if self.replaces is not None:
            return {"IfMatch": self.replaces}
        return {"IfNoneMatch": "*"} if self.absent else {}


def part_size(number: int, first: int) -> int:
    """Bytes of a part, so that 10,000 suffice for 5 TiB, whatever the first one has: the first 3,000 are alike, then every 700
    have twice as many as those before.

    :param number: counts from 1.
    :param first: bytes of the first.
    """
    doublings = 0 if number <= _STEADY else 1 + (number - _STEADY - 1) // _STEP
    return int(min(first * 2**doublings, MOST_PART))
