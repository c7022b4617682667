"""The memberships of profiles as SQL: what each row adds to ``segmentMembership``, and what it says about the profile."""

from __future__ import annotations

import pyarrow as pa

from activation.records.profiles.rules import INDEX, NAMESPACE, MessageRules, Reading
from activation.records.rules import text_of
from activation.warehouses.profiles import EXITED, REALIZED

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("moment", pa.int64()),
        ("audience", pa.string()),
        ("status", pa.string()),
        ("qualified", pa.string()),
    ]
)
"""Input: the number of the profile, UPDATED_AT if it lies in the window, and the columns of the table."""

_FIRST, _LAST = -62_135_596_800_000_000, 253_402_300_799_999_999
"""Microseconds since the epoch of the first and the last instant of the years 1 to 9999."""

_FORMATS = {"z": "%Y-%m-%dT%H:%M:%SZ", "offset": "%Y-%m-%dT%H:%M:%S+0000"}
"""``time_format`` -> the form of an instant, in whole seconds (contracts: kinesis 1.5)."""

_SCOPES = {
    "same_merge_policy": "mapped OR (word = 'realized' AND policy IS NOT NULL AND bool_or(mapped) OVER (PARTITION BY n, policy))",
    "mapped_only": "mapped",
    "all": "true",
}
"""``membership_scope`` -> which memberships are written; the mapped ones always are."""


def query(rules: MessageRules, reading: Reading) -> str:
    """SELECT over the tables ``memberships`` and ``audiences``, one row for each membership that is written.

    Columns: ``n``, in ascending order; ``piece``: the texts of one profile, put together, are its object; ``state``: what it
    adds to the state of the mapped audiences; ``realized``: whether a mapped audience has the profile; ``moment``: when a mapped
    membership changed in the window; ``told``: whether there is news even if the profile is in no mapped audience; ``broken``.
    """
    return f"""SELECT n, coalesce({_piece(rules, reading)}, '') AS piece,
            CASE WHEN mapped THEN key || '=' || coalesce(word, '') || ';' ELSE '' END AS state,
            mapped AND word IS NOT DISTINCT FROM 'realized' AS realized,
            CASE WHEN mapped THEN moment END AS moment,
            mapped AND (word IS NULL OR {_left(reading)}) AS told,
            CASE {_broken()} END AS broken
        FROM ({_placed(rules)}) ORDER BY n, space, audience"""


def _known() -> str:
    """Each membership with its audience; one that the audiences do not have is not mapped."""
    words = " ".join(f"WHEN '{name}' THEN '{names[0]}'" for names in (REALIZED, EXITED) for name in names)
    instant = f"CASE WHEN TRY_CAST(qualified AS BIGINT) BETWEEN {_FIRST} AND {_LAST} THEN CAST(qualified AS BIGINT) END"
    return f"""SELECT m.n, m.moment, m.audience, CASE lower(trim(m.status)) {words} END AS word, {instant} AS qualified,
            coalesce(a.namespace, '{NAMESPACE}') AS space, a.merge_policy AS policy, coalesce(a.mapped, false) AS mapped,
            coalesce(a.fresh, false) AS fresh, coalesce(a.more, '') AS more, {text_of("m.audience")} AS key
        FROM memberships m LEFT JOIN audiences a ON m.audience = a.id"""


def _placed(rules: MessageRules) -> str:
    """The memberships that are written, each with its neighbours in the order of the object."""
    return f"""SELECT *, lag(space) OVER place AS space_before, lead(space) OVER place AS space_after,
            lag(audience) OVER place AS audience_before
        FROM (SELECT *, {_SCOPES[rules.scope]} AS shown FROM ({_known()}))
        WHERE shown WINDOW place AS (PARTITION BY n ORDER BY space, audience)"""


def _piece(rules: MessageRules, reading: Reading) -> str:
    """The text of a membership; the first one of a namespace opens it, the last one of the profile closes the object."""
    word = "word"
    if rules.legacy_existing and reading.lower is not None:
        word = f"CASE WHEN mapped AND word = 'realized' AND qualified <= {reading.lower} THEN 'existing' ELSE word END"
    space = text_of("space")
    return f"""CASE WHEN space_before IS NULL THEN '{{' || {space} || ':{{'
            WHEN space_before <> space THEN '}},' || {space} || ':{{'
            ELSE ',' END || key || ':{{"lastQualificationTime":"'
        || strftime(make_timestamp(qualified), '{_FORMATS[rules.time_format]}') || '","status":"' || {word} || '"' || more
        || CASE WHEN space_after IS NULL THEN '}}}}}}' ELSE '}}' END"""


def _left(reading: Reading) -> str:
    """Whether a membership has changed in the window; who left an audience before it was mapped is nobody's news."""
    return "false" if reading.lower is None else "(moment IS NOT NULL AND NOT fresh)"


def _broken() -> str:
    causes = {
        "audience_missing": "audience IS NULL",
        "status_unknown": "word IS NULL",
        "qualification_time_missing": "qualified IS NULL",
        "membership_twice": "audience_before = audience",
    }
    return " ".join(f"WHEN {when} THEN {INDEX[code]}" for code, when in causes.items())
