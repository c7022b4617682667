"""What happens to the profiles while the demo streams them: waves of changes, each to other profiles than the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from sandbox.demo import profiles
from sandbox.demo.profiles import MAPPED, STORE, VIP

WAVES = 5
AGAIN = 2
"""Who enters in a wave changes again so many waves later."""

ENTER, LEAVE, WRITE, SAME, ADD, REMOVE, QUIET, STRIDE = 60, 60, 100, 40, 40, 40, 60, 500
"""Profiles of a wave by what happens to them, and how many are set aside for one."""

_OF = "list_contains($ids, PROFILE_ID)"
_STATEMENTS = {
    "enter": (
        f"INSERT INTO crm.membership_rows SELECT PROFILE_ID, '{VIP}', 'realized', now(), now() FROM crm.profiles WHERE {_OF}",
    ),
    "leave": (
        "INSERT INTO crm.membership_rows SELECT PROFILE_ID, AUDIENCE_ID, 'exited', LAST_QUALIFICATION_TIME, now() "
        f"FROM crm.memberships WHERE AUDIENCE_ID IN {MAPPED} AND STATUS = 'realized' AND {_OF}",
    ),
    "write": (
        "INSERT INTO crm.profile_rows SELECT PROFILE_ID, '새 이름 🇰🇷', EMAIL, 'platinum', POINTS + 1, NOTE, now() "
        f"FROM crm.profiles WHERE {_OF}",
        f"INSERT INTO crm.attribute_writes SELECT PROFILE_ID, 'loyalty.points', now() FROM crm.profiles WHERE {_OF}",
    ),
    "same": (f"INSERT INTO crm.attribute_writes SELECT PROFILE_ID, 'loyalty.tier', now() FROM crm.profiles WHERE {_OF}",),
    "add": (
        "INSERT INTO crm.identity_rows SELECT PROFILE_ID, 'phone', '+82-' || PROFILE_ID, false, now() "
        f"FROM crm.profiles WHERE {_OF}",
    ),
    "remove": (
        "INSERT INTO crm.identity_rows SELECT PROFILE_ID, NAMESPACE, ID, true, now() "
        f"FROM crm.identities WHERE NAMESPACE = 'email_lc_sha256' AND {_OF}",
    ),
    "quiet": (
        "INSERT INTO crm.profile_rows SELECT PROFILE_ID, FIRST_NAME, EMAIL, TIER, POINTS, 'another note', now() "
        f"FROM crm.profiles WHERE {_OF}",
        f"INSERT INTO crm.attribute_writes SELECT PROFILE_ID, 'note', now() FROM crm.profiles WHERE {_OF}",
        f"INSERT INTO crm.membership_rows SELECT PROFILE_ID, '{STORE}', 'exited', now(), now() FROM crm.profiles WHERE {_OF}",
    ),
}
"""What happens -> the statements that write it; ``quiet`` is what the pipeline must not care about."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Some changes at once.

    :ivar people: what happens -> the ids of the profiles that it happens to; no profile stands there twice.
    """

    people: Mapping[str, tuple[str, ...]]

    @property
    def changed(self) -> frozenset[str]:
        """The profiles for which a message is due."""
        return frozenset(one for name, ids in self.people.items() if name != "quiet" for one in ids)

    def __str__(self) -> str:
        count = {name: len(ids) for name, ids in self.people.items()}
        return (
            f"{count['enter']} entered an audience, {count['leave']} left, {count['write'] + count['same']} attribute writes "
            f"({count['same']} of the old value), {count['add'] + count['remove']} identities came or went"
        )


def wave(number: int) -> Wave:
    """Choose the profiles of a wave.

    :param number: from 0 on.
    """
    members = [n for n in range(profiles.PEOPLE) if n % 5 == 0 or n % 4 == 0]
    mine = iter(members[number * STRIDE : (number + 1) * STRIDE])
    people = {"enter": _entering(number)}
    for name, most in {"leave": LEAVE, "write": WRITE, "same": SAME, "add": ADD, "quiet": QUIET}.items():
        people[name] = _ids(n for n, _ in zip(mine, range(most), strict=False))
    people["remove"] = _ids(n for n in mine if n % 2 == 0)[:REMOVE]
    if number >= AGAIN:
        before = _entering(number - AGAIN)
        people["leave"] += before[::2]
        people["write"] += before[1::2]
    return Wave(people)


def change(path: Path, what: Wave) -> datetime:
    """Write a wave into the demo's database.

    :returns: an instant before any UPDATED_AT of it, and behind those of earlier waves.
    """
    with profiles.opened(path) as warehouse:
        began = datetime.now(timezone.utc)
        warehouse.execute("BEGIN")
        for name, ids in what.people.items():
            for statement in _STATEMENTS[name]:
                warehouse.execute(statement, {"ids": list(ids)})
        warehouse.execute("COMMIT")
    return began


def _entering(number: int) -> tuple[str, ...]:
    """Those who enter in a wave: in no mapped audience before."""
    others = [n for n in range(profiles.PEOPLE) if n % 5 and n % 4]
    return _ids(others[number * ENTER : (number + 1) * ENTER])


def _ids(numbers: Iterable[int]) -> tuple[str, ...]:
    return tuple(f"p-{n:06d}" for n in numbers)
