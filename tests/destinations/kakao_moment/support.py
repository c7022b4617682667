"""A client of the sandbox, files of ids, and the memory of a run, for the tests of customer files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from activation.destinations.kakao_moment.client import Client
from activation.destinations.kakao_moment.plan import Planned, plan
from activation.destinations.kakao_moment.registered import Registered
from activation.destinations.kakao_moment.settings import Account, Api
from activation.destinations.kakao_moment.table import TABLE, Table
from sandbox.kakao import KakaoSandbox

Result = TypeVar("Result")

FAST = {"write_seconds": 0, "first_pause": 0.05, "longest_pause": 0.1, "quota_seconds": 0.1, "idle_seconds": 10}
"""Entries of the table's pace that suit a test."""


@dataclass(frozen=True)
class Csv:
    """A part, as the records floor makes them."""

    path: Path
    ids: int
    bytes: int
    sha256: str


@dataclass
class Memory:
    """What the caller keeps; each state of it."""

    states: list[list[dict[str, Any]]] = field(default_factory=list)

    def keep(self, items: Sequence[Registered]) -> None:
        self.states.append([item.to_json() for item in items])

    @property
    def last(self) -> list[Registered]:
        return [Registered.from_json(each) for each in self.states[-1]] if self.states else []


def ids(count: int, start: int = 0) -> list[str]:
    """Advertising ids that are each there once."""
    return [f"{number:08x}-0000-4000-8000-{number:012x}" for number in range(start + 1, start + count + 1)]


def csv(folder: Path, count: int, start: int = 0) -> Csv:
    """A part with so many ids."""
    data = "".join(f"{each}\n" for each in ids(count, start)).encode()
    path = folder / f"ids-{start}-{count}.csv"
    path.write_bytes(data)
    return Csv(path, count, len(data), hashlib.sha256(data).hexdigest())


def planned(folder: Path, name: str, *counts: int) -> list[Planned]:
    """A customer file for each count."""
    parts = [csv(folder, count, 1000 * number) for number, count in enumerate(counts)]
    return plan(name, parts, TABLE.limits, limit=max(part.bytes for part in parts))


def account(kakao: KakaoSandbox, *, token: str = "", number: str = "") -> Account:
    return Account(kakao.url, token or kakao.token, number or str(kakao.account), kakao.ca_file or "", "kakao")


def talk(
    kakao: KakaoSandbox, ask: Callable[[Client], Awaitable[Result]], *, generation: Api = "auto", token: str = "", **groups: Any
) -> Result:
    """Open a client, do something with it, and close it.

    :param groups: entries of the table to override, beside :data:`FAST`.
    """
    table = Table.overridden({**groups, "pace": {**FAST, **groups.get("pace", {})}})

    async def run() -> Result:
        async with Client(account(kakao, token=token), table, generation) as client:
            return await ask(client)

    return asyncio.run(run())
