"""What is checked before the first record; each look needs those before it, and it stops where something is wrong.

Nothing is written to a stream of AWS: the right to write is tried with a record that AWS cannot store and, where botocore knows
it, with a dry run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from activation import findings
from activation.destinations.kinesis.asking import denied, kinesis_error
from activation.destinations.kinesis.description import Description
from activation.destinations.kinesis.settings import Stream
from activation.destinations.s3 import checks as s3
from activation.destinations.s3.calls import client_errors, code
from activation.errors import ActivationError, ConfigurationError
from activation.findings import Check, Finding, Skip, until_wrong

WRITABLE = ("ACTIVE", "UPDATING")
"""States in which a stream takes records (the reference of DescribeStreamSummary)."""

TEST_KEY = "activation-check"
"""Partition key of the record that tries the right to write."""

_NO_HASH_KEY = str(2**128)
"""One more than there is: PutRecords refuses the whole call with InvalidArgumentException, so nothing is stored."""

_PAGE, _PAGES = 1_000, 10
"""Names that are looked through for the stream's."""

_DRY, _JUDGED, _LANDED = "dry", "judged", "landed"


@dataclass(frozen=True, slots=True)
class Access:
    """The ways in, by which the hook reads its connection.

    :ivar role: the role, as the checks of an export take it.
    :ivar client: gives the client of Kinesis, after assuming the role if there is one.
    :ivar description: what AWS says of the stream; raises an :class:`~activation.errors.ActivationError`.
    :ivar unseen: the stream as far as it is known without asking.
    :ivar own_endpoint: whether the connection names an endpoint that is not AWS's: such a one may not know dry runs.
    """

    role: s3.Access
    client: Callable[[], Any]
    description: Callable[[], Description]
    unseen: Callable[[], Stream]
    own_endpoint: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Needs:
    """What a pipeline needs of the stream beyond the right to write.

    :ivar ordered: whether records of a key must keep their order.
    :ivar aggregate: whether records are packed by shard, for which the shards must be listed.
    """

    ordered: bool = True
    aggregate: bool = False


def check(access: Access, needs: Needs) -> Iterator[Finding]:
    """Check until something is wrong: the last finding says what, names the right that is missing, and ends with the remedy."""
    yield from until_wrong(stream_checks(access, needs))


def require(access: Access, needs: Needs, tell: Callable[[Finding], None]) -> None:
    """Check, as the first thing of a run.

    :param tell: gets each finding that is not wrong.
    :raises ConfigurationError: at the first thing that a person must put right.
    :raises TransientError: if AWS does not answer as it should now.
    """
    findings.require(stream_checks(access, needs), tell)


def stream_checks(access: Access, needs: Needs) -> Iterator[Check]:
    """All checks; each needs that the ones before it found nothing wrong."""
    role = replace(access.role, s3=access.client, region="")
    looks = {one.name: one.look for one in s3.export_checks(role, s3.Place("no-bucket", "none"))}
    steps = _Steps(access, needs)

    def parameters() -> str:
        looks["parameters"]()  # the forms of role and external id
        return f"{access.role.region or 'region by the worker'}, {access.role.role_arn or 'no role'}"

    yield Check("parameters", parameters)
    yield Check("role", looks["role"])
    yield Check("external id", looks["external id"])
    yield Check("region and endpoint", steps.endpoint)
    yield Check("stream", steps.stream)
    yield Check("right to write", steps.write)
    yield Check("shards", steps.shards)
    yield Check("KMS key", steps.key)


class _Steps:
    """The looks at the stream, and what the later ones need of the earlier ones."""

    def __init__(self, access: Access, needs: Needs) -> None:
        self._access, self._needs = access, needs
        self._listed: bool | None = None
        self._found = Description("")
        self._refused: ActivationError | None = None
        self._tried = ""

    def endpoint(self) -> str:
        """The endpoint answers and knows who asks: ListStreams, the right to which can be done without (contract 1.2)."""
        client, unseen = self._access.client(), self._access.unseen()
        place = f"{unseen.region} at {unseen.url}"
        action = f"Listing the streams of {place}"
        count = 0
        try:
            for count, page in enumerate(client.get_paginator("list_streams").paginate(Limit=_PAGE), 1):
                if unseen.name in page["StreamNames"]:
                    self._listed = True
                    return f"{place}; {unseen.name} is listed"
                if count == _PAGES:
                    return f"{place}; {unseen.name} is not among the first {_PAGE * _PAGES:,} streams"
        except client_errors() as error:
            if not denied(error):
                raise kinesis_error(error, action, unseen) from None
            raise Skip(
                f"{place} answers, but kinesis:ListStreams is not allowed: whether {unseen.name} is there is asked otherwise. "
                "Fix: nothing, or allow kinesis:ListStreams on the resource *, as the action knows no smaller one."
            ) from None
        self._listed = False
        return f"{place}; {unseen.name} is not listed, which a stream of another account never is"

    def stream(self) -> str:
        """The stream is there and takes records."""
        self._found = found = self._access.description()
        name = self._access.unseen().name
        if not found.status:
            if self._listed is False and found.arn.split(":")[4] == self._access.unseen().arn.split(":")[4]:
                raise ConfigurationError(f"There is no stream {found.arn}.", "Correct stream and region.")
            raise Skip(
                f"kinesis:DescribeStreamSummary is not allowed: the state of {name} is not known, and a record of "
                f"{found.max_record:,} bytes is taken for the largest. Fix: allow kinesis:DescribeStreamSummary on {found.arn}."
            )
        if found.status not in WRITABLE:
            raise ConfigurationError(
                f"The stream {found.arn} is {found.status} and takes no records.", f"Wait until it is {' or '.join(WRITABLE)}."
            )
        if found.spreads and self._needs.ordered:
            raise ConfigurationError(
                f"The stream {found.arn} spreads its records by itself (distribution strategy AUTO): partition keys and order "
                "count for nothing there.",
                "Set the stream's distribution strategy to USER_PARTITION_KEY, or write records: {ordering: none}.",
            )
        mode = "on demand" if found.on_demand else "provisioned"
        return f"{found.arn} is {found.status}, {mode}, {found.shards} open shards, records up to {found.max_record:,} bytes"

    def write(self) -> str:
        """PutRecords is allowed, as far as that can be seen without writing."""
        self._tried = self._try(_NO_HASH_KEY)
        if self._tried == _JUDGED and self._knows_dry_runs() and not self._access.own_endpoint():
            self._tried = self._try(None)
        if self._refused is not None:
            return "the stream takes records, but its KMS key does not"
        if self._tried == _DRY:
            return "a dry run of PutRecords would have succeeded"
        if self._tried == _LANDED:
            return f"a record without data, with the key {TEST_KEY}, was written: this endpoint neither checks nor knows dry runs"
        raise Skip(
            "PutRecords with a record that cannot be stored was refused for that record, not for want of kinesis:PutRecords; "
            "that the right is there shows for certain only with the first record"
        )

    def shards(self) -> str:
        """The shards can be listed, which packing needs and pacing is better for."""
        name = self._access.unseen().name
        if self._found.spreads:
            raise Skip("AWS spreads the records by itself")
        try:
            page = self._access.client().list_shards(StreamARN=self._found.arn, MaxResults=1)
        except client_errors() as error:
            if self._needs.aggregate or not denied(error):
                raise kinesis_error(error, f"Listing the shards of {name}", self._stream()) from None
            raise Skip(
                f"kinesis:ListShards is not allowed: the shards of {name} are not known, so calls are paced for the stream as a "
                f"whole. Fix: nothing, or allow kinesis:ListShards on {self._found.arn}."
            ) from None
        return f"listed, from {page['Shards'][0]['ShardId']} on"

    def key(self) -> str:
        """The KMS key of an encrypted stream encrypts for the sender."""
        if self._refused is not None:
            raise self._refused
        if not self._found.key:
            raise Skip(
                "whether a KMS key encrypts the stream is not known" if not self._found.status else "no KMS key encrypts it"
            )
        if self._tried == _LANDED:
            return f"{self._found.key} encrypted the record"
        raise Skip(f"that kms:GenerateDataKey on {self._found.key} is allowed shows only with the first record")

    def _try(self, hash_key: str | None) -> str:
        """Send the record that tries the right to write.

        :returns: whether a dry run would have succeeded, the record was judged to be wrong, or it landed.
        """
        record = {"Data": b"", "PartitionKey": TEST_KEY, **({"ExplicitHashKey": hash_key} if hash_key else {})}
        dry = {"DryRun": True} if self._knows_dry_runs() else {}
        try:
            self._access.client().put_records(StreamARN=self._found.arn, Records=[record], **dry)
        except client_errors() as error:
            said = code(error)
            if said == "DryRunOperationException":
                return _DRY
            if said == "InvalidArgumentException" and hash_key:
                return _JUDGED
            known = kinesis_error(error, f"Trying to write to {self._found.arn}", self._stream())
            if not said.startswith("KMS") or not isinstance(known, ConfigurationError):
                raise known from None
            self._refused = known
            return _JUDGED
        return _LANDED

    def _knows_dry_runs(self) -> bool:
        """Whether this botocore can ask for one."""
        shape = self._access.client().meta.service_model.operation_model("PutRecords").input_shape
        return "DryRun" in shape.members

    def _stream(self) -> Stream:
        return replace(self._access.unseen(), arn=self._found.arn)
