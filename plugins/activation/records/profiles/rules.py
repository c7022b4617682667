"""What is written about a profile, and what its rows can break (contracts: kinesis 1.4, 1.5, 4.1)."""

from __future__ import annotations

from dataclasses import dataclass

from activation.cursor.window import Window
from activation.records.rules import Rule
from activation.warehouses.base import Column
from activation.warehouses.profiles import ProfileRead

NAMESPACE = "ups"
"""The namespace of an audience that names none: that of Segmentation Service audiences (contracts: kinesis 1.5)."""


@dataclass(frozen=True, slots=True)
class MessageRules:
    """How memberships and identities are written.

    :ivar names: whether a mapped audience carries its ``name``.
    :ivar timestamps: whether a mapped audience carries ``createdAt``, ``updatedAt``, ``mappingCreatedAt``, ``mappingUpdatedAt``.
    :ivar scope: ``same_merge_policy``: beside the mapped audiences those unmapped ones in which the profile is and that share the
        merge policy of one of its mapped audiences; an audience without a merge policy shares none. ``mapped_only``. ``all``:
        each membership, whatever its status.
    :ivar legacy_existing: whether a mapped audience that was entered before the window has the status ``existing``.
    :ivar time_format: ``z`` writes ``2022-01-11T21:24:39Z``, ``offset`` ``2022-01-11T21:24:39+0000``.
    :ivar identity_fields: ``id`` alone, or ``full``: ``authenticatedState`` and ``primary`` too, where they are given.
    """

    names: bool = False
    timestamps: bool = False
    scope: str = "same_merge_policy"
    legacy_existing: bool = False
    time_format: str = "z"
    identity_fields: str = "id"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the rows that are assembled were read for.

    :ivar attributes: the columns of the rows of kind 0, in their order.
    :ivar mode: what counts as a change of the attributes: ``writes``, ``row`` or ``content``.
    :ivar fresh: ids of the audiences that were mapped newly; having left one of them is no news.
    :ivar lower: microseconds since the epoch, the window begins behind it; ``None``: everything is read.
    :ivar upper: microseconds since the epoch, in the window.
    """

    attributes: tuple[Column, ...]
    mode: str
    fresh: tuple[str, ...]
    lower: int | None
    upper: int

    @classmethod
    def of(cls, read: ProfileRead, window: Window) -> Reading:
        """What a run reads in a window.

        UPDATED_AT of a finer tick than a microsecond is rounded up by the warehouse, so each row of the window lies in it here.
        """
        lower = None if window.lower is None else window.lower // 1000 - window.closed
        return cls(read.attributes, read.mode, read.fresh, lower, -(-window.upper // 1000))


_CAUSES = (
    (
        "status_unknown",
        "The profile has a membership whose STATUS is neither realized nor exited (existing and exiting are read as these).",
    ),
    (
        "qualification_time_missing",
        "The profile has a membership without LAST_QUALIFICATION_TIME, or with one outside of the years 1 to 9999.",
    ),
    ("audience_missing", "The profile has a membership without AUDIENCE_ID."),
    ("membership_twice", "The profile has two memberships in one audience; leave one row of each PROFILE_ID and AUDIENCE_ID."),
    ("identity_incomplete", "The profile has an identity without NAMESPACE or ID."),
    ("profile_twice", "The profile stands twice in the table of profiles; leave one row of each PROFILE_ID."),
)

BROKEN = tuple(Rule(code, f"broken = {index}", message) for index, (code, message) in enumerate(_CAUSES))
"""What the rows of a profile can break; the column ``broken`` of an assembled row is an index of this."""

INDEX = {rule.code: index for index, rule in enumerate(BROKEN)}
"""Reason code -> its index in :data:`BROKEN`."""
