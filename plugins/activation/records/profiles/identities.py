"""The identities of profiles as SQL: what each one adds to ``identityMap`` (contracts: kinesis 1.5)."""

from __future__ import annotations

import pyarrow as pa

from activation.records.profiles.rules import INDEX, MessageRules
from activation.records.rules import text_of

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("namespace", pa.string()),
        ("id", pa.string()),
        ("removed", pa.string()),
        ("is_primary", pa.string()),
        ("authenticated_state", pa.string()),
    ]
)
"""Input: the number of the profile, and the columns of the table; flags are ``true``, ``false`` or NULL."""


def query(rules: MessageRules) -> str:
    """SELECT over the table ``identities``, one row for each identity that is not removed; equal ones count once.

    Columns: ``n``, in ascending order; ``piece``: the texts of one profile, put together, are its map; ``id``; ``main``: whether
    it is the primary one, if that is known; ``broken``.
    """
    space = text_of("namespace")
    return f"""SELECT n, id, main, CASE WHEN nullif(namespace, '') IS NULL OR nullif(id, '') IS NULL
                THEN {INDEX["identity_incomplete"]} END AS broken,
            coalesce(CASE WHEN space_before IS NULL THEN '{{' || {space} || ':[' WHEN space_before <> namespace
                THEN '],' || {space} || ':[' ELSE ',' END || '{{"id":' || {text_of("id")} {_more(rules)}
                || CASE WHEN space_after IS NULL THEN '}}]}}' ELSE '}}' END, '') AS piece
        FROM (SELECT *, lag(namespace) OVER place AS space_before, lead(namespace) OVER place AS space_after
            FROM ({_distinct()}) WINDOW place AS (PARTITION BY n ORDER BY namespace, id))
        ORDER BY n, namespace, id"""


def _distinct() -> str:
    return """SELECT n, namespace, id, bool_or(is_primary = 'true') AS main, max(nullif(authenticated_state, '')) AS state
        FROM identities WHERE removed IS DISTINCT FROM 'true' GROUP BY n, namespace, id"""


def _more(rules: MessageRules) -> str:
    if rules.identity_fields == "id":
        return ""
    return f"""|| CASE WHEN state IS NULL THEN '' ELSE ',"authenticatedState":' || {text_of("state")} END
        || CASE WHEN main IS NULL THEN '' ELSE ',"primary":' || main END"""
