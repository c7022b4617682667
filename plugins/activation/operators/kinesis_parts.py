"""From the blocks of a pipeline to the parts of a run that belong to Kinesis: the messages, the records and the limits."""

from __future__ import annotations

import logging
from contextlib import suppress

from activation.delivery.cutting import Cutting
from activation.delivery.engine import Flight
from activation.delivery.run import Plan
from activation.destinations.kinesis.checks import Access, stream_checks
from activation.destinations.kinesis.encoder import ProfileEncoder, RecordRules
from activation.destinations.kinesis.settings import Sending
from activation.findings import Skip
from activation.operators.ways import stream_needs
from activation.records.profiles.attributes import mapped_attributes, payload_attributes
from activation.records.profiles.rules import MessageRules
from activation.spec import KinesisDestination, Pipeline
from activation.warehouses.profiles import ProfileRead

log = logging.getLogger(__name__)

SOFT_LIMITS = {"audiences": 250, "attributes": 50}
"""What a stream maps at most where Adobe keeps to its guardrails (contracts: kinesis 1.6)."""

AGGREGATED = 32_768
"""Profiles that are packed at the same time, if they are packed at all: so each shard's records are full."""

WAITING = 2
"""Requests under way for each connection: one that waits for its shard or for a pause to end leaves its connection to another."""

PATIENT = 30
"""Times that a whole request is repeated where records are sent until a deadline; with the pauses in between, that is longer."""


def tell_soft_limits(pipeline: Pipeline) -> None:
    """Warn in the log of more mappings than Adobe's guardrails have; nothing is refused."""
    to = pipeline.destination
    assert isinstance(to, KinesisDestination)  # noqa: S101 - the operator takes no other
    counts = {"audiences": len(to.audiences), "attributes": len(pipeline.columns.fields)}
    for what, most in SOFT_LIMITS.items():
        if counts[what] > most:
            log.warning(
                "The pipeline maps %s %s; Adobe's guardrails stop at %s. Nothing is left out, but messages grow and every run "
                "reads more: map fewer, or divide them among several pipelines.",
                *(counts[what], what, most),
            )


def check_stream(access: Access, to: KinesisDestination) -> None:
    """Look whether the stream takes records and keeps their order, as the checks of a connection do.

    :raises ConfigurationError: if it does not; says what to do.
    """
    for one in stream_checks(access, stream_needs(to)):
        if one.name == "stream":
            with suppress(Skip):
                one.look()


def message_rules(to: KinesisDestination) -> MessageRules:
    """How memberships and identities are written."""
    message = to.message
    return MessageRules(
        message.segment_names,
        message.segment_timestamps,
        message.membership_scope,
        message.legacy_existing_status,
        message.time_format,
        message.identity_fields,
    )


def encoder_of(pipeline: Pipeline, read: ProfileRead, started: str, most_bytes: int) -> ProfileEncoder:
    """The encoder of the assembled profiles.

    :param started: when the run began, ISO 8601.
    :param most_bytes: of one record, data and partition key together.
    :raises ConfigurationError: if the partition key is no mapped attribute.
    """
    to, fields = pipeline.destination, pipeline.columns.fields
    assert isinstance(to, KinesisDestination)  # noqa: S101 - the operator takes no other
    by_name = {column.name.casefold(): column for column in read.attributes}
    columns = {name: by_name[name.casefold()] for field in fields.values() for name in field.columns}
    attributes = mapped_attributes(fields, columns, started) if fields else payload_attributes(read.attributes[0].name)
    rules = RecordRules(to.records.partition_key, most_bytes, to.records.oversize)
    return ProfileEncoder(attributes, rules, by_content=read.mode == "content")


def sending_of(pipeline: Pipeline) -> Sending:
    """How records are sent."""
    to = pipeline.destination
    assert isinstance(to, KinesisDestination)  # noqa: S101 - the operator takes no other
    requests = to.requests
    return Sending(
        requests.records,
        int(requests.bytes),
        3 if requests.retries == "adobe" else None,
        requests.deadline.seconds,
        requests.exhausted,
        requests.rate_share,
        to.records.aggregation == "kpl",
        pipeline.delivery.timeout.seconds,
    )


def plan_of(pipeline: Pipeline) -> Plan:
    """How requests are cut and repeated (contracts: kinesis 2.1, 4.3)."""
    to, delivery = pipeline.destination, pipeline.delivery
    assert isinstance(to, KinesisDestination)  # noqa: S101 - the operator takes no other
    adobe, packed = to.requests.retries == "adobe", to.records.aggregation == "kpl"
    shared = to.records.partition_key != "profile_id"  # of which each comes once in a run
    most = AGGREGATED if packed else to.requests.records
    cutting = Cutting(most, int(to.requests.bytes), 1 if shared and to.records.ordering == "per_key" else None)
    flight = Flight(WAITING * delivery.in_flight, 3 if adobe else PATIENT, delivery.max_delay.seconds)
    return Plan(cutting, flight, delivery.checkpoint.seconds, pipeline.errors.max_reject_share)
