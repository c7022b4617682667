"""Customer files as Kakao lists them, of both generations (contracts: kakao_moment 2.3, 3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from activation.destinations.kakao_moment.table import Resource

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """A file of an ad account.

    :ivar state: as Kakao names it; empty if the answer has none.
    :ivar key: the registration key, which an edit changes; empty if the answer has none.
    :ivar created: ``yyyy-MM-ddTHH:mm:ss``, of the ids that it has now; empty if the answer has none.
    :ivar population: users that were found; ``None`` before that is known.
    """

    id: int
    name: str
    state: str
    key: str = ""
    created: str = ""
    population: int | None = None

    @property
    def version(self) -> str:
        """What an edit changes."""
        return f"{self.id} {self.key} {self.created}"


def read_file(data: Any, resource: Resource) -> CustomerFile | None:
    """Read an object of an answer; ``None`` if it has no id."""
    number = data.get("id") if isinstance(data, dict) else None
    if isinstance(number, bool) or not isinstance(number, int):
        return None
    score = data.get("populationScore")
    return CustomerFile(
        number,
        str(data.get("name") or ""),
        str(data.get(resource.status) or ""),
        str(data.get(resource.key) or ""),
        str(data.get("createdDate") or ""),
        score if isinstance(score, int) and not isinstance(score, bool) else None,
    )


def read_files(data: Any, resource: Resource) -> list[CustomerFile] | None:
    """Read the answer to a list, a bare array; ``None`` if it is something else."""
    if not isinstance(data, list):
        return None
    found = [read_file(each, resource) for each in data]
    return [file for file in found if file is not None] if all(found) else None


def id_of(data: Any, resource: Resource) -> int | None:
    """The id in the answer to a write: at the top, or in the first element; ``None`` if it has none (2.6)."""
    first = data[0] if isinstance(data, list) and data else data
    file = read_file(first, resource)
    return None if file is None else file.id


def in_use(data: Any) -> bool:
    """Whether the answer about a file's usages names any; what cannot be read counts as one."""
    if isinstance(data, dict):
        lists = [each for each in data.values() if isinstance(each, list)]
        return any(lists) if lists else True
    return bool(data) if isinstance(data, list) else True


def listed(files: Iterable[CustomerFile]) -> str:
    """Names and ids for an error, the first twenty."""
    shown = [f"{file.name!r} ({file.id}, {file.state or 'no state'})" for file in sorted(files, key=lambda file: file.name)]
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
