"""From the block of a destination to the way into it, for the runs and for the checks before them."""

from __future__ import annotations

from activation.destinations.kinesis.checks import Needs
from activation.destinations.s3.settings import ENCRYPTIONS, Encryption
from activation.hooks.kinesis_stream import KinesisStreamHook
from activation.spec import KinesisDestination, S3Destination


def stream_hook(to: KinesisDestination) -> KinesisStreamHook:
    """The hook of a stream.

    :param to: with rendered templates.
    """
    at = to.stream
    return KinesisStreamHook(
        to.connection, stream=at.name, role_arn=at.role_arn, external_id=at.external_id, region_name=at.region
    )


def stream_needs(to: KinesisDestination) -> Needs:
    """What a pipeline needs of its stream beyond the right to write."""
    return Needs(to.records.ordering == "per_key", to.records.aggregation == "kpl")


def export_encryption(to: S3Destination) -> Encryption | None:
    """What every object of an export is encrypted with; ``None`` leaves it to the bucket."""
    access = to.access
    return Encryption(ENCRYPTIONS[access.encryption], access.kms_key) if access.encryption else None
