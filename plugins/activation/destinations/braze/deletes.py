"""User deletes: a row names a user that is to be removed (contracts: braze 1.1, 2.5)."""

from __future__ import annotations

from activation.destinations.braze.encoder import NO_CURSOR, Form
from activation.records import identifiers
from activation.records.layout import Shape
from activation.records.rules import text_of

SHAPE = Shape(
    ("external_id", "alias_name", "alias_label", "braze_id"),
    needed=(),
    refused={"payload": "Rows of a table with a payload are meant to update users, not to delete them, so nothing was sent."},
)
"""E-mail and phone columns are ignored: CDI deletes by the other three only."""

EXTERNAL_IDS, ALIASES, BRAZE_IDS = 0, 1, 2
"""The calls that the rows go to: Braze takes one kind of identifier a request (2.5)."""


def form() -> Form:
    """How a row becomes an element of ``external_ids``, ``user_aliases`` or ``braze_ids``."""
    alias = f"""'{{"alias_name":' || {text_of("alias_name")} || ',"alias_label":' || {text_of("alias_label")} || '}}'"""
    return Form(
        columns=identifiers.COLUMNS,
        rules=(NO_CURSOR, *identifiers.RULES),
        key=identifiers.USER,
        item=f"""CASE WHEN external_id IS NOT NULL THEN {text_of("external_id")}
            WHEN alias_name IS NOT NULL THEN {alias} ELSE {text_of("braze_id")} END""",
        group=f"CASE WHEN external_id IS NOT NULL THEN {EXTERNAL_IDS} WHEN alias_name IS NOT NULL THEN {ALIASES} "
        f"ELSE {BRAZE_IDS} END",
    )
