"""Replace the ids of one customer file (contracts: kakao_moment 2.4, 3, 6.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import CustomerFile, listed
from activation.destinations.kakao_moment.plan import Planned
from activation.destinations.kakao_moment.register import named
from activation.destinations.kakao_moment.registered import Keep, Registered
from activation.errors import ConfigurationError, TransientError


async def edit(client: Client, wanted: str | int, planned: Planned, kept: Sequence[Registered], keep: Keep) -> list[Registered]:
    """Replace all ids of a file, unless an earlier attempt of the run has done so.

    :param wanted: the file's name or its id.
    :param kept: what an earlier attempt of the same run kept; empty at the first.
    :returns: the one file, ``sent``, under the name that it has.
    :raises ConfigurationError: if no file, or several, can be meant, or its state forbids it for good.
    :raises TransientError: if Kakao could not be reached, or still is busy with the file.
    """
    before = kept[0] if kept else None
    if before is not None and before.state == "sent":
        return list(kept)
    file = find_one(await client.files(), wanted, client.account.ad_account_id)
    if before is not None and before.state == "sending" and before.id == file.id and _took(client, before, file):
        return _sent(before, file, client, keep)
    _check_state(client, file)
    item = replace(Registered.of(planned), name=file.name).sending([file.version], file.id)
    keep([item])

    async def look() -> int | None:
        return next((now.id for now in await client.files() if now.id == file.id and _took(client, item, now)), None)

    await client.edit(file, planned.paths, look)
    return _sent(item, file, client, keep)


def find_one(files: Sequence[CustomerFile], wanted: str | int, ad_account_id: str) -> CustomerFile:
    """The file that is meant by a name or an id.

    :raises ConfigurationError: if it is none or several; lists what is there.
    """
    found = [file for file in files if file.id == wanted] if isinstance(wanted, int) else named(files, wanted)
    if len(found) == 1:
        return found[0]
    if found:
        raise ConfigurationError(
            f"The ad account {ad_account_id} has {len(found)} customer files {wanted!r}: {listed(found)}.",
            "Delete or rename all but one in Kakao Moment.",
        )
    there = f"There are: {listed(files)}." if files else "There are none."
    by_id = "Correct destination.file.id, or remove it to find the file by destination.file_name."
    by_name = "Correct destination.file_name, or make the file once with mode: register."
    raise ConfigurationError(
        f"The ad account {ad_account_id} has no customer file {wanted!r}. {there}", by_id if isinstance(wanted, int) else by_name
    )


def _took(client: Client, item: Registered, file: CustomerFile) -> bool:
    """Whether an edit has been carried out: the file is busy, or is another version than before."""
    return file.state in client.table.states.pending or file.version not in item.seen


def _check_state(client: Client, file: CustomerFile) -> None:
    states = client.table.states
    if file.state in states.pending:
        raise TransientError(
            f"Kakao Moment still is busy with {file.name!r} ({file.id}, {file.state}) and takes no edit before it has finished, "
            "which takes up to six hours. A later attempt can succeed."
        )
    if file.state and file.state not in states.editable:
        raise ConfigurationError(
            f"The customer file {file.name!r} ({file.id}) is in the state {file.state}, in which it cannot be edited.",
            f"States that can: {', '.join(states.editable)} (states.editable in the connection's extra field table).",
        )


def _sent(item: Registered, file: CustomerFile, client: Client, keep: Keep) -> list[Registered]:
    items = [item.sent(file.id, client.generation)]
    keep(items)
    return items
