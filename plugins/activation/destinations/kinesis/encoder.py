"""Encodes assembled profiles: the message, its partition key, and the fingerprint that tells whether it is news."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from activation.destinations.kinesis.entries import EntryWriter
from activation.errors import FatalError
from activation.records.arrays import to_arrow, to_numpy
from activation.records.columnar import Projection
from activation.records.encoded import Encoded, Marks, Rejected
from activation.records.profiles.attributes import Attributes
from activation.records.profiles.gathered import NEVER, Numbers, numbers, single
from activation.records.profiles.rules import BROKEN
from activation.records.rules import Rule, first_broken, text_of

MOST_KEY = 256
"""Characters of a partition key (contracts: kinesis 2.1). They are counted as UTF-16 does, which gives the most: one key that is
too long fails the whole request."""

_COLUMNS = (
    "profile_id",
    "segment_membership",
    "identity_map",
    "audience_state",
    "realized",
    "primary_identity",
    "broken",
)


@dataclass(frozen=True, slots=True)
class RecordRules:
    """How a message becomes a record (contracts: kinesis 4.1).

    :ivar partition_key: ``profile_id``, ``primary_identity``, ``random``, or the path of an attribute. A key of more than
        :data:`MOST_KEY` characters becomes its SHA-256 as 64 hexadecimal digits, it is never cut.
    :ivar max_bytes: bytes of a message and its partition key together, before base64.
    :ivar oversize: what becomes of a larger one: ``reject`` or ``fail``.
    """

    partition_key: str = "profile_id"
    max_bytes: int = 1_048_576
    oversize: str = "reject"


class ProfileEncoder:
    """An :class:`~activation.records.encoded.Encoder` for what :class:`~activation.records.profiles.assembler.Assembler` gives.

    The marks: ``sizes`` count the message before base64 and the partition key; ``subjects`` are hashes of the profile ids. The
    fingerprint is the MD5 of the profile id and the statuses in the mapped audiences; while one of them has the profile, of its
    identities too.

    :param by_content: whether the attributes are a part of the fingerprint, too, while a mapped audience has the profile.
    :raises ConfigurationError: if the partition key is the path of an attribute that is not mapped.
    """

    def __init__(self, attributes: Attributes, rules: RecordRules, *, by_content: bool) -> None:
        self._most, self._fail, self._names = rules.max_bytes, rules.oversize == "fail", dict(attributes.columns)
        early = (*BROKEN, *attributes.rules)
        late = (
            Rule("partition_key_missing", "nullif(raw, '') IS NULL", _no_key(rules.partition_key)),
            Rule(
                "record_too_large",
                f"size > {rules.max_bytes}",
                f"The message and its partition key have more than {rules.max_bytes} bytes, the most of one record.",
            ),
        )
        self._rules = (*early, *late)
        self._project = Projection(
            _query(attributes, early, late, _raw_key(attributes, rules.partition_key), by_content=by_content),
            (*_COLUMNS, *self._names.values()),
        )
        self._entries = EntryWriter()

    def encode(self, batch: pa.RecordBatch) -> Encoded:
        """Encode one batch; see :class:`~activation.records.encoded.Encoded`.

        :raises FatalError: if a record is too large and that is not to be rejected.
        """
        renamed = [*_COLUMNS, *self._names.values()]
        columns = [batch.column(name) for name in (*_COLUMNS, *self._names)]
        table = self._project(pa.record_batch(columns, names=renamed))
        fault = numbers(table["fault"])
        rejected = self._rejected(fault)
        good = np.flatnonzero(fault == NEVER)
        if rejected:
            table = table.take(to_arrow(good))
        entries = self._entries.of(single(table["message"]), single(table["key"]))
        marks = Marks(
            sizes=to_numpy(table["size"], np.int64),
            stamps=to_numpy(batch.column("changed_at"), np.int64)[good],
            subjects=to_numpy(table["subject"], np.uint64),
            upper=to_numpy(table["upper"], np.uint64),
            lower=to_numpy(table["lower"], np.uint64),
            always=to_numpy(batch.column("written"), np.bool_)[good],
        )
        return Encoded(entries.data, entries.offsets, good, entries.hashes, rejected, marks=marks)

    def close(self) -> None:
        """Free the memory that the encoding holds."""
        self._project.close()
        self._entries.close()

    def _rejected(self, fault: Numbers) -> tuple[Rejected, ...]:
        rows = np.flatnonzero(fault != NEVER)
        if self._fail and len(self._rules) - 1 in fault[rows]:
            raise FatalError(
                f"A message and its partition key have more than {self._most} bytes, the most of one record. Raise the limit of "
                "the stream (UpdateMaxRecordSize) and records.max_bytes, or write oversize: reject, which keeps the profile "
                "among the rejects."
            )
        found = ((row, self._rules[rule]) for row, rule in zip(rows.tolist(), fault[rows].tolist(), strict=True))
        return tuple(Rejected(row, rule.code, rule.message) for row, rule in found)


def _query(attributes: Attributes, early: tuple[Rule, ...], late: tuple[Rule, ...], raw: str, *, by_content: bool) -> str:
    """Level by level, because DuckDB works out what stands twice in one expression twice; nothing is made of a broken row."""
    checked = f"SELECT *, {first_broken(early)} AS fault_before FROM {attributes.source}"
    made = f"""SELECT *, CASE WHEN fault_before IS NULL THEN {attributes.members} END AS attributes,
        CASE WHEN fault_before IS NULL THEN {raw} END AS raw FROM ({checked})"""
    # The attributes begin with one comma; substr would count the characters of all the rest.
    written = f"""SELECT *, concat('{{', ltrim(attributes, ','), CASE WHEN attributes <> '' THEN ',' END, '"segmentMembership":',
            segment_membership, ',"identityMap":', identity_map, '}}') AS message, {_short("raw")} AS key,
        concat({text_of("profile_id")}, audience_state, CASE WHEN realized THEN concat(identity_map{", attributes" * by_content})
            ELSE '' END) AS state FROM ({made})"""
    measured = f"SELECT *, strlen(message) + strlen(key) AS size, md5_number(state) AS digest FROM ({written})"
    branches = " ".join(f"WHEN {rule.when} THEN {len(early) + index}" for index, rule in enumerate(late))
    return f"""SELECT CASE WHEN fault_before IS NOT NULL THEN fault_before {branches} END AS fault, message, key, size,
        hash(profile_id) AS subject, CAST(digest >> 64 AS UBIGINT) AS upper, CAST(digest & {2**64 - 1} AS UBIGINT) AS lower
        FROM ({measured})"""


def _raw_key(attributes: Attributes, choice: str) -> str:
    known = {"profile_id": "profile_id", "primary_identity": "primary_identity", "random": "CAST(uuid() AS VARCHAR)"}
    return known[choice] if choice in known else attributes.value(choice)


def _short(key: str) -> str:
    """A partition key within the limit. What has no more bytes than the limit has no more characters either."""
    units = f"length({key}) + length(regexp_replace({key}, '[^\\x{{10000}}-\\x{{10FFFF}}]', '', 'g'))"
    return f"CASE WHEN strlen({key}) <= {MOST_KEY} THEN {key} WHEN {units} <= {MOST_KEY} THEN {key} ELSE sha256({key}) END"


def _no_key(choice: str) -> str:
    about = {"profile_id": "its PROFILE_ID is empty", "primary_identity": "it has no identity"}
    return f"The profile has no partition key: {about.get(choice, f'its attribute {choice} is absent or empty')}."
