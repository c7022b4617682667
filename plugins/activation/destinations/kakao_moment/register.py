"""Register the files of a run, each exactly once however often a task is tried (contracts: kakao_moment 2.6)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import CustomerFile, listed
from activation.destinations.kakao_moment.plan import Planned
from activation.destinations.kakao_moment.registered import Keep, Registered
from activation.errors import ConfigurationError, FatalError, TransientError


async def register(client: Client, planned: Sequence[Planned], kept: Sequence[Registered], keep: Keep) -> list[Registered]:
    """Make the planned customer files, but for those that an earlier attempt has made.

    :param kept: what an earlier attempt of the same run kept; empty at the first.
    :returns: the files, all ``sent``. If an earlier attempt has sent its whole list, that list, whatever is planned now.
    :raises ConfigurationError: before the first upload, if there is no room for all files or a name is taken.
    :raises FatalError: if an earlier attempt has sent a part of another list, so that the rest of this one would not fit to it.
    :raises TransientError: if Kakao could not be reached, or a file that it took is not in its list yet.
    """
    files = await client.files()
    items = _agree([_resolved(item, files, client) for item in kept], planned)
    _check_room(client, files, items)
    paths = {each.name: each.paths for each in planned}
    for index, item in enumerate(items):
        if item.state != "sent":
            seen = item.seen if item.state == "sending" else [str(file.id) for file in named(files, item.name)]
            items[index] = item.sending(seen)
            keep(items)
            items[index] = await _send(client, items[index], paths[item.name])
            keep(items)
    return items


async def _send(client: Client, item: Registered, paths: Sequence[Path]) -> Registered:
    async def look() -> int | None:
        found = _ours(item, await client.files())
        return None if found is None else found.id

    number = await client.register(item.name, paths, look)
    number = await look() if number is None else number
    if number is None:
        raise TransientError(f"Kakao Moment took {item.name!r} but does not list it yet; a later attempt looks for it again.")
    return item.sent(number, client.generation)


def named(files: Iterable[CustomerFile], name: str) -> list[CustomerFile]:
    """The files of a name, the newest first. Composed and decomposed Hangul are the same."""
    wanted = unicodedata.normalize("NFC", name)
    found = [file for file in files if unicodedata.normalize("NFC", file.name) == wanted]
    return sorted(found, key=lambda file: (file.created, file.id), reverse=True)


def _ours(item: Registered, files: Iterable[CustomerFile]) -> CustomerFile | None:
    """The file that an unanswered register has made: the newest of its name that was not there before."""
    return next((file for file in named(files, item.name) if str(file.id) not in item.seen), None)


def _resolved(item: Registered, files: Sequence[CustomerFile], client: Client) -> Registered:
    found = _ours(item, files) if item.state == "sending" else None
    return item if found is None else item.sent(found.id, client.generation)


def _agree(kept: list[Registered], planned: Sequence[Planned]) -> list[Registered]:
    """Go on with what was kept, or begin anew.

    :raises FatalError: if neither is right.
    """
    if kept and all(item.state == "sent" for item in kept):
        return kept
    if [(item.name, item.sha256) for item in kept] == [(each.name, each.sha256) for each in planned]:
        return kept
    if sent := [item for item in kept if item.state == "sent"]:
        names = ", ".join(f"{item.name!r} ({item.id})" for item in sent)
        raise FatalError(
            f"An earlier attempt has registered {names}, {len(sent)} of {len(kept)} files of another list; "
            "the ids have changed since. Delete these files in Kakao Moment, clear the task's state and run it again."
        )
    return [Registered.of(each) for each in planned]


def _check_room(client: Client, files: Sequence[CustomerFile], items: Sequence[Registered]) -> None:
    """Refuse what Kakao would refuse in the middle.

    :raises ConfigurationError: if there is no room, or a name is taken.
    """
    limits, new = client.table.limits, [item for item in items if item.state != "sent"]
    taken = [file for item in new if item.state == "planned" for file in named(files, item.name)]
    if limits.names_unique and taken:
        raise ConfigurationError(
            f"There already is a customer file of that name: {listed(taken)}.",
            "Write mode: edit to replace its ids, or put the day into destination.file_name, such as VIP {{ ds }}.",
        )
    if len(files) + len(new) > limits.files_per_account:
        raise ConfigurationError(
            f"The run needs {len(new)} customer files, but the ad account {client.account.ad_account_id} has {len(files)} "
            f"of {limits.files_per_account}: {listed(files)}.",
            "Delete files that are not needed in Kakao Moment, let destination.file.keep delete those of earlier runs, "
            "or write mode: edit.",
        )
