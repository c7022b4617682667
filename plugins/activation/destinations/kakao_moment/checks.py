"""What is checked of an ad account before the first upload; it stops where something is wrong. Nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.edit import find_one
from activation.destinations.kakao_moment.files import CustomerFile, listed
from activation.destinations.kakao_moment.plan import check_name
from activation.destinations.kakao_moment.register import named
from activation.findings import Check, Finding, Skip, Verdict, Wrong, examine


def check(connect: Callable[[], Client], *, mode: str, name: str | None, number: int | None = None) -> Iterator[Finding]:
    """Look at the connection, the room for files and the name.

    :param connect: gives the client; raises a :class:`~activation.errors.ConfigurationError`.
    :param mode: ``register`` or ``edit``.
    :param name: of the file; ``None`` if it is a template that is not filled in yet.
    :param number: the id of the file to edit; ``None`` if it is found by its name.
    """
    found: list[tuple[Client, list[CustomerFile]]] = []

    def ask() -> str:
        found.append(asyncio.run(_listed(connect())))
        client, files = found[0]
        return f"{client.account.url} knows the token; the ad account {client.account.ad_account_id} has {len(files)} files"

    for finding in examine([Check("connection", ask)]):
        yield finding
        if finding.verdict is Verdict.WRONG:
            return
    client, files = found[0]
    if number is not None:
        yield from examine([Check("id", lambda: _id(client, files, number))])
        return
    looks = [Check("name", lambda: _name(client, files, mode, name))]
    yield from examine(([Check("room", lambda: _room(client, files))] if mode == "register" else []) + looks)


async def _listed(client: Client) -> tuple[Client, list[CustomerFile]]:
    async with client:
        return client, await client.files()


def _room(client: Client, files: list[CustomerFile]) -> str:
    most = client.table.limits.files_per_account
    if len(files) >= most:
        raise Wrong(f"the ad account has {len(files)} of {most} customer files; delete some in Kakao Moment")
    return f"{most - len(files)} of {most} customer files are free"


def _id(client: Client, files: list[CustomerFile], number: int) -> str:
    file = find_one(files, number, client.account.ad_account_id)
    return f"{number} is the file {file.name!r}, {file.state}"


def _name(client: Client, files: list[CustomerFile], mode: str, name: str | None) -> str:
    if name is None:
        raise Skip("destination.file_name is a template, which Airflow fills in when a task runs")
    check_name(name, client.table.limits)
    if mode == "edit":
        file = find_one(files, name, client.account.ad_account_id)
        return f"{name!r} is the file {file.id}, {file.state}"
    if client.table.limits.names_unique and (taken := named(files, name)):
        raise Wrong(f"there already is a customer file of that name: {listed(taken)}; write mode: edit, or put the day into it")
    return f"{name!r} is free"
