"""The tables of profiles, as a pipeline to Kinesis reads them (contracts: kinesis_profiles 4.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from activation.setup.layouts import Layout
from activation.setup.script import Table

PROFILES: dict[str, Layout] = {
    "profiles": (("updated_at", "instant"), ("profile_id", "key")),
    "memberships": (
        ("updated_at", "instant"),
        ("profile_id", "key"),
        ("audience_id", "key"),
        ("status", "key"),
        ("last_qualification_time", "moment"),
    ),
    "identities": (
        ("updated_at", "instant"),
        ("profile_id", "key"),
        ("namespace", "key"),
        ("id", "key"),
        ("removed", "flag"),
        ("is_primary", "flag"),
        ("authenticated_state", "text"),
    ),
    "audiences": (
        ("updated_at", "instant"),
        ("id", "key"),
        ("name", "text"),
        ("merge_policy", "text"),
        ("created_at", "instant"),
        ("namespace", "text"),
    ),
    "writes": (("updated_at", "instant"), ("profile_id", "key"), ("attribute", "key")),
}
"""Table -> its columns; the profiles have their attributes too, each in a column of its own or all in PAYLOAD."""

_ABOUT = {
    "profiles": "A row is a profile.",
    "memberships": "A row is a profile in an audience, or one that has left it: STATUS is realized or exited.",
    "identities": "A row is an identity of a profile. One that goes is not deleted: REMOVED becomes true, and UPDATED_AT new.",
    "audiences": "A row is an audience. Without a NAMESPACE it is ups.",
    "writes": "A row is a write to an attribute, with the same value too. ATTRIBUTE is the path, as the pipeline maps it.",
}


def tables(
    profiles: tuple[str, ...], related: Mapping[str, tuple[str, ...]], attributes: Sequence[str] = ()
) -> tuple[Table, ...]:
    """The tables that a pipeline to Kinesis reads, with their columns.

    :param profiles: the unquoted parts of the table's name; empty where the pipeline reads a query.
    :param related: ``memberships``, ``identities``, ``audiences`` and, if there is one, ``writes`` -> the same.
    :param attributes: the columns of the mapped attributes, all of them texts; empty: the column PAYLOAD.
    """
    fixed = {name for name, _ in PROFILES["profiles"]}
    named = tuple(dict.fromkeys(name for name in attributes if name.casefold() not in fixed))
    layout: Layout = PROFILES["profiles"] if attributes else (*PROFILES["profiles"], ("payload", "payload"))
    about = _ABOUT["profiles"] + (" Give its attributes the types that they have." if named else "")
    others = (Table(name, PROFILES[role], _ABOUT[role]) for role, name in related.items())
    return (Table(profiles, layout, about, named), *others)
