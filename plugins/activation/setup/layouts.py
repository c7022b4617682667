"""The columns of a source table for each kind of data (contracts: braze 1.1). A new kind is one line."""

from __future__ import annotations

from typing import Literal

Kind = Literal["instant", "moment", "key", "text", "payload", "flag"]
"""What a column holds: the time of the change, another time, the id of an item, a text that may be empty, JSON, true or false."""

Layout = tuple[tuple[str, Kind], ...]
"""Columns in their order, in lower case."""

_ALIAS: Layout = (("alias_name", "text"), ("alias_label", "text"))
_WHEN: Layout = (("updated_at", "instant"),)
_USER: Layout = (
    *_WHEN,
    ("external_id", "text"),
    *_ALIAS,
    ("braze_id", "text"),
    ("email", "text"),
    ("phone", "text"),
    ("payload", "payload"),
)

LAYOUTS: dict[str, Layout] = {
    "attributes": _USER,
    "events": _USER,
    "purchases": _USER,
    # A PAYLOAD column would stop the whole import, and an address never names a user who is to be deleted.
    "deletes": (*_WHEN, ("external_id", "text"), *_ALIAS, ("braze_id", "text")),
    "catalog_items": (*_WHEN, ("id", "key"), ("payload", "payload"), ("deleted", "flag")),
}
"""``destination.data`` of a pipeline file -> its columns."""
