"""Numbers and texts of Kinesis Data Streams (contracts: kinesis_profiles 2.1, 2.2)."""

from typing import Final

ACCOUNT: Final = "123456789012"
REGION: Final = "ap-northeast-2"
TARGET: Final = "Kinesis_20131202."
CONTENT_TYPE: Final = "application/x-amz-json-1.1"

MIB: Final = 1024 * 1024
HASHES: Final = 2**128
"""Hash keys are below it."""

RECORDS: Final = 500
"""Records of a PutRecords."""

REQUEST_BYTES: Final = 5 * MIB, 10 * MIB
"""Data and partition keys of a request: what most clients and emulators know, and what AWS takes today."""

RECORD_KIB: Final = 1024, 10_240
"""Largest record of a stream, key included: as it is made, and as it can be set."""

KEY_LENGTH: Final = 256
"""Characters of a partition key."""

WRITE_RECORDS, WRITE_BYTES = 1_000, MIB
"""What a shard takes in a second."""

READS, READ_BYTES = 5, 2 * MIB
"""GetRecords of a shard in a second, and what they give."""

READ_RECORDS, READ_MOST = 10_000, 10 * MIB
"""What one GetRecords gives."""

ITERATOR_SECONDS: Final = 300
SHARD_PAGE: Final = 1_000
"""Shards that ListShards gives at once, unless asked for another number (the reference of ListShards)."""

CLOCK_SECONDS: Final = 300
"""How far the time of a signature may be off (the reference of Signature Version 4)."""

STATUS: Final = {
    "InternalFailure": 500,
    "InternalFailureException": 500,
    "ServiceUnavailable": 503,
    "ServiceUnavailableException": 503,
}
"""HTTP status of an error code; all others are 400."""

MESSAGES: Final = {
    "AccessDeniedException": "User: {user} is not authorized to perform: kinesis:{operation} on resource: {arn} because no "
    "identity-based policy allows the kinesis:{operation} action",
    "ResourceNotFoundException": "Stream {stream} under account {account} not found.",
    "KMSDisabledException": "The KMS key for stream {stream} is disabled.",
    "KMSAccessDeniedException": "User: {user} is not authorized to perform: kms:GenerateDataKey on the key of stream {stream}",
    "ExpiredTokenException": "The security token included in the request is expired",
    "ServiceUnavailable": "Service is unavailable.",
    "ServiceUnavailableException": "Service is unavailable.",
    "InternalFailure": "Internal service failure.",
    "ThrottlingException": "Rate exceeded",
    "LimitExceededException": "Rate exceeded for stream {stream} under account {account}.",
    "ProvisionedThroughputExceededException": "Rate exceeded for stream {stream} under account {account}.",
}
"""What an injected error says; a code that is not here says what it is."""
