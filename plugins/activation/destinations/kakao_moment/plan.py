"""Which customer files a list becomes: their names, and the parts that go into each (contracts: kakao_moment 2.5, 6.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from activation.destinations.kakao_moment.table import Limits
from activation.errors import ConfigurationError


class Part(Protocol):
    """A CSV file on this machine: one id a line."""

    @property
    def path(self) -> Path:
        """Where it is."""

    @property
    def ids(self) -> int:
        """Lines."""

    @property
    def bytes(self) -> int:
        """Its size."""

    @property
    def sha256(self) -> str:
        """Of its content, hexadecimal."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A customer file to be.

    :ivar paths: its CSV parts, which go in one request.
    :ivar sha256: of the one part, or of all parts' digests one behind the other.
    """

    name: str
    paths: tuple[Path, ...]
    ids: int
    bytes: int
    sha256: str


def plan(name: str, parts: Sequence[Part], limits: Limits, *, limit: int | None = None, first_index: int = 1) -> list[Planned]:
    """Put parts into customer files in their order: as many in each as one request takes.

    :param name: of the first file; the others are ``name_1``, ``name_2`` and so on.
    :param limit: most bytes of a file; ``None``: as many as a request takes, which also is the most.
    :param first_index: the number behind the second file's name.
    :raises ConfigurationError: if a name is too short or too long, or a part does not fit into a request.
    """
    most = min(limit or limits.request_bytes, limits.request_bytes)
    groups = list(_groups(parts, most, limits.parts_per_request))
    names = names_of(name, len(groups), first_index)
    for each in names:
        check_name(each, limits)
    return [
        Planned(each, tuple(part.path for part in group), sum(part.ids for part in group), _bytes(group), _digest(group))
        for each, group in zip(names, groups, strict=True)
    ]


def names_of(name: str, count: int, first_index: int) -> list[str]:
    """The names of so many files: ``name``, ``name_1``, ``name_2`` and so on.

    :param first_index: the number behind the second one.
    """
    return [name, *(f"{name}_{first_index + number}" for number in range(count - 1))][:count]


def check_name(name: str, limits: Limits) -> None:
    """Refuse a name that Kakao would not take.

    :raises ConfigurationError: if it is too short or too long.
    """
    least, most = limits.name_least, limits.name_most
    if not least <= len(name.strip()) or len(name) > most:
        raise ConfigurationError(
            f"The customer file's name {name!r} has {len(name)} characters; {least} to {most} are allowed.",
            "Shorten destination.file_name; a list of several files needs room for _1 and so on behind it.",
        )


def _groups(parts: Sequence[Part], most: int, at_once: int) -> Iterator[list[Part]]:
    group: list[Part] = []
    for part in parts:
        if part.bytes > most:
            raise ConfigurationError(
                f"{part.path} has {part.bytes} bytes; a customer file takes {most}.", "Cut the parts by destination.file.limit."
            )
        if group and (len(group) == at_once or _bytes(group) + part.bytes > most):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def _bytes(group: Sequence[Part]) -> int:
    return sum(part.bytes for part in group)


def _digest(group: Sequence[Part]) -> str:
    if len(group) == 1:
        return group[0].sha256
    return hashlib.sha256("".join(part.sha256 for part in group).encode()).hexdigest()
