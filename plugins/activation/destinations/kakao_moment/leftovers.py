"""What earlier runs left in an ad account: parts of a larger list, and files of other names (contracts: kakao_moment 6.3)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.files import CustomerFile
from activation.destinations.kakao_moment.register import named
from activation.destinations.kakao_moment.registered import Registered
from activation.errors import ActivationError


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file that the run did not make.

    :ivar became: ``left``: it was only looked for; ``deleted``; ``in_use``: targeting uses it, so it was left; ``failed``.
    :ivar why: what failed; empty if nothing did.
    """

    name: str
    id: int
    became: Literal["left", "deleted", "in_use", "failed"]
    why: str = ""


async def stale_parts(
    client: Client, name: str, made: Sequence[Registered], *, first_index: int = 1, delete: bool = False
) -> list[Leftover]:
    """Look for ``name_2`` and so on beyond what a run made, and delete them if asked to. A failure is reported, not raised:
    the run's own files are there.

    :param made: the files of the run, all sent.
    :param first_index: the number behind the second file's name.
    :raises ActivationError: if the files cannot be listed.
    """
    files, own = await client.files(), {item.id for item in made}
    numbers = range(first_index + max(len(made) - 1, 0), first_index + client.table.limits.files_per_account)
    found = [file for number in numbers for file in named(files, f"{name}_{number}") if file.id not in own]
    return [await _removed(client, file) if delete else Leftover(file.name, file.id, "left") for file in found]


async def remove_earlier(client: Client, earlier: Collection[tuple[str, int]], made: Sequence[Registered]) -> list[Leftover]:
    """Delete what earlier runs have made, as far as it still is there. A failure is reported, as with :func:`stale_parts`.

    :param earlier: the API by which each file was sent, and its id. Two generations may number their files alike, so what was
        sent by the other one is left alone.
    :param made: the files of the run, all sent; none of them is deleted.
    :raises ActivationError: if the files cannot be listed.
    """
    files, own = await client.files(), {item.id for item in made}
    return [await _removed(client, file) for file in files if file.id not in own and (client.generation, file.id) in earlier]


async def _removed(client: Client, file: CustomerFile) -> Leftover:
    try:
        if await client.is_used(file):
            return Leftover(file.name, file.id, "in_use")
        await client.delete(file)
    except ActivationError as error:
        if await _is_there(client, file):
            return Leftover(file.name, file.id, "failed", str(error))
    return Leftover(file.name, file.id, "deleted")


async def _is_there(client: Client, file: CustomerFile) -> bool:
    """Whether a file that could not be deleted is there; it may be gone since it was listed."""
    try:
        return any(other.id == file.id for other in await client.files())
    except ActivationError:
        return True
