"""Custom events and purchases: one object a row, with UPDATED_AT as its time if it has none (contracts: braze 1.4, 2.3)."""

from __future__ import annotations

from activation.destinations.braze.encoder import NO_CURSOR, Form
from activation.records import identifiers, payload
from activation.records.rules import Rule
from activation.warehouses.base import CURSOR

MOST_PROPERTIES = 51_200
"""Bytes of ``properties``: "50 KB" of contracts: braze 2.3, read as 50 × 1,024 because less could reject what is allowed."""

MOST_QUANTITY = 100
"""Contracts: braze 2.3."""

_ISO = r'"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,:][0-9]{1,9})?)? ?(Z|[+-][0-9]{2}:?[0-9]{2})?)?"'
_PATHS = ("name", "time", "properties", "product_id", "currency", "price", "quantity")


def _part(name: str) -> str:
    """The JSON text of a top-level member, NULL if it is not there."""
    return f"parts[{_PATHS.index(name) + 1}]"


_PARTS = f"TRY(json_extract(payload, {[f'$.{name}' for name in _PATHS]})) AS parts"
_has_text = "coalesce({0} <> '\"\"' AND starts_with({0}, '\"'), false)"
_is_time = f"regexp_full_match({_part('time')}, '{_ISO}') AND TRY_CAST(substr({_part('time')}, 2, 10) AS DATE) IS NOT NULL"

_SHARED = (
    Rule(
        "time_not_iso8601",
        f"list_contains(keys, 'time') AND NOT coalesce({_is_time}, false)",
        "Time must be string in ISO8601 Format, such as 2026-07-19T09:07:23Z; without a time UPDATED_AT is taken.",
    ),
    Rule(
        "properties_not_object",
        f"{_part('properties')} NOT LIKE '{{%' AND {_part('properties')} <> 'null'",
        'PROPERTIES must be a JSON object, such as {"colour": "blue"}.',
    ),
    Rule(
        "properties_too_large",
        f"strlen({_part('properties')}) > {MOST_PROPERTIES}",
        f"PROPERTIES has more than {MOST_PROPERTIES:,} bytes.",
    ),
)

EVENT_RULES = (
    Rule("event_name_missing", f"NOT {_has_text.format(_part('name'))}", "PAYLOAD has no name of the event, or it is no text."),
    *_SHARED,
)

PURCHASE_RULES = (
    Rule("product_id_missing", f"NOT {_has_text.format(_part('product_id'))}", "PAYLOAD has no product_id, or it is not a text."),
    Rule(
        "currency_missing",
        f"NOT coalesce(regexp_full_match({_part('currency')}, '\"[A-Za-z]{{3}}\"'), false)",
        "PAYLOAD has no currency of three letters, such as KRW.",
    ),
    Rule(
        "price_not_number",
        f"NOT coalesce(regexp_matches({_part('price')}, '^-?[0-9]'), false)",
        'PAYLOAD has no price, or it is not a number: 12.5 is one, "12.5" is not.',
    ),
    Rule(
        "quantity_out_of_range",
        f"list_contains(keys, 'quantity') AND NOT coalesce(regexp_full_match({_part('quantity')}, '[0-9]{{1,3}}') "
        f"AND TRY_CAST({_part('quantity')} AS INT) BETWEEN 1 AND {MOST_QUANTITY}, false)",
        f"QUANTITY must be a whole number from 1 to {MOST_QUANTITY}.",
    ),
    *_SHARED,
)


def form(rules: tuple[Rule, ...], *, tick: int, update_existing_only: bool = False) -> Form:
    """How a row becomes an event or a purchase.

    :param rules: :data:`EVENT_RULES` or :data:`PURCHASE_RULES`.
    :param tick: nanoseconds of one unit of the cursor column, 1,000 or 1.
    :param update_existing_only: whether events of users that Braze does not know are left alone.
    """
    switch = identifiers.switch(update_existing_only=update_existing_only)
    micros = CURSOR if tick == 1_000 else f"{CURSOR} // {1_000 // tick}"
    stamp = f"strftime(make_timestamp({micros}), '%Y-%m-%dT%H:%M:%S.%gZ')"
    time = f"""CASE WHEN list_contains(keys, 'time') THEN '' ELSE ',"time":"' || {stamp} || '"' END"""
    return Form(
        columns=(*identifiers.COLUMNS, "payload"),
        rules=(NO_CURSOR, *identifiers.RULES, *payload.RULES, *rules),
        key=identifiers.USER,
        item=f"'{{' || owner || {switch} || {time} || {payload.MEMBERS}",
        parsed=f"{payload.KEYS}, {_PARTS}",
    )
