"""User attributes: objects of the ``attributes`` array of ``/users/track`` (contracts: braze 1.2, 1.4, 2.5)."""

from __future__ import annotations

from activation.destinations.braze.encoder import NO_CURSOR, Form
from activation.records import identifiers, payload
from activation.records.fingerprints import Repeats

REPEATS = Repeats(r"""contains(item, '"inc"') OR contains(item, '"$') OR contains(item, '\u00')""")
"""A counter, and what adds to an array of objects, work anew each time (1.4); a key can be written with ``\\u00``, too."""


def form(*, update_existing_only: bool = False, lint: bool = True) -> Form:
    """How a row becomes an object: the user, the switch for unknown users, and the members of the payload.

    :param update_existing_only: whether users that Braze does not know are left alone.
    :param lint: whether rows are rejected of which Braze would drop a part in silence.
    """
    switch = identifiers.switch(update_existing_only=update_existing_only)
    return Form(
        columns=(*identifiers.COLUMNS, "payload"),
        rules=(NO_CURSOR, *identifiers.RULES, *payload.RULES),
        key=identifiers.USER,
        item=f"'{{' || owner || {switch} || {payload.MEMBERS}",
        parsed=payload.KEYS,
        lint=lint,
    )
