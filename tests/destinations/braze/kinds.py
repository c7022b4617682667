"""Encodes rows of one data type and takes them apart again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from activation.destinations.braze.encoder import ItemsEncoder
from activation.destinations.braze.kinds import KINDS, Options
from activation.records.encoded import Encoded
from activation.warehouses.base import CURSOR
from tests.records.encoding import texts

NOON = 1_784_462_400_123_456
"""2026-07-19T12:00:00.123456Z in microseconds."""


def encode(data: str, *rows: Mapping[str, Any], options: Options = Options()) -> Encoded:  # noqa: B008 - frozen
    """Encode the rows as one batch; a row is role -> text, and its cursor is noon unless it says otherwise."""
    kind = KINDS[data]
    shape = kind.shape
    roles = (*shape.identifiers, *shape.needed, *shape.optional)
    columns = [pa.array([row.get(CURSOR, NOON) for row in rows], pa.int64())]
    columns += [pa.array([row.get(role) for row in rows], pa.string()) for role in roles]
    encoder = ItemsEncoder(kind.form(options), {role: role.upper() for role in roles})
    try:
        return encoder.encode(pa.record_batch(columns, names=[CURSOR, *(role.upper() for role in roles)]))
    finally:
        encoder.close()


def sent(data: str, *rows: Mapping[str, Any], options: Options = Options()) -> list[Any]:  # noqa: B008 - frozen
    """The items of rows that are all good."""
    encoded = encode(data, *rows, options=options)
    assert encoded.rejected == ()
    return [json.loads(text) for text in texts(encoded)]


def verdict(data: str, row: Mapping[str, Any]) -> str:
    """The code with which one row is rejected, or ``good``."""
    encoded = encode(data, row)
    assert len(encoded.rows) + len(encoded.rejected) == 1
    return encoded.rejected[0].code if encoded.rejected else "good"
