"""Encodes rows that a test writes as plain dictionaries, and takes the result apart again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pyarrow as pa

from activation.destinations.braze.encoder import ItemsEncoder
from activation.destinations.braze.kinds import KINDS, Options
from activation.records.encoded import Encoded
from activation.records.identifiers import COLUMNS
from activation.warehouses.base import CURSOR

ROLES = {role: role.upper() for role in (*COLUMNS, "payload")}
"""The table's columns in upper case, as Snowflake writes them."""

Row = Mapping[str, Any]
"""Role -> value; what is not there is NULL, but for the cursor, which is 1, and the payload, which is ``{}``."""


def batch_of(rows: Sequence[Row]) -> pa.RecordBatch:
    """The rows as a warehouse gives them."""
    cursor = pa.array([row.get(CURSOR, 1) for row in rows], pa.int64())
    texts = [pa.array([row.get(role, "{}" if role == "payload" else None) for row in rows], pa.string()) for role in ROLES]
    return pa.record_batch([cursor, *texts], names=[CURSOR, *ROLES.values()])


ATTRIBUTES = KINDS["attributes"].calls(Options())
"""The call that takes attributes."""


def attributes_encoder(roles: Mapping[str, str], *, update_existing_only: bool = False, lint: bool = False) -> ItemsEncoder:
    """The encoder for user attributes; the tests of the other rules leave the lint out."""
    return ItemsEncoder(KINDS["attributes"].form(Options(update_existing_only, lint=lint)), roles)


@cache
def _encoder(update_existing_only: bool) -> ItemsEncoder:
    return attributes_encoder(ROLES, update_existing_only=update_existing_only)


def encode(*rows: Row, update_existing_only: bool = False) -> Encoded:
    """Encode the rows as one batch."""
    return _encoder(update_existing_only).encode(batch_of(rows))


def texts(encoded: Encoded) -> list[str]:
    """The good rows, each as the text that is sent."""
    parts = [bytes(encoded.data[first:last]) for first, last in zip(encoded.offsets, encoded.offsets[1:], strict=False)]
    assert all(part.endswith(b",") for part in parts)
    return [part[:-1].decode() for part in parts]


def text_of(row: Row, **switches: bool) -> str:
    """The text that is sent for one good row."""
    encoded = encode(row, **switches)
    assert encoded.rejected == ()
    return texts(encoded)[0]


def object_of(row: Row, **switches: bool) -> Any:
    """The object that is sent for one good row."""
    return json.loads(text_of(row, **switches))


def verdict(row: Row) -> str:
    """The code with which one row is rejected, or ``good``."""
    encoded = encode(row)
    assert len(encoded.rows) + len(encoded.rejected) == 1
    return encoded.rejected[0].code if encoded.rejected else "good"


def message(row: Row) -> str:
    """The text with which one row is rejected."""
    (rejected,) = encode(row).rejected
    return rejected.message
