"""What a retry must know: which file of a run got which id. A small JSON value that the caller keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from typing_extensions import Self

from activation.destinations.kakao_moment.plan import Planned


@dataclass(frozen=True, slots=True)
class Registered:
    """One customer file of a run.

    :ivar ids: advertising ids in it.
    :ivar sha256: of its content, hexadecimal.
    :ivar state: ``planned``; ``sending``: it may be there; ``sent``: it is there.
    :ivar id: as Kakao numbers it; ``None`` if that is not known yet.
    :ivar seen: what was there before it was sent: the ids of all files of that name, or the version of the file to edit.
    :ivar generation: the API by which it was sent; empty before that.
    """

    name: str
    ids: int
    sha256: str
    state: Literal["planned", "sending", "sent"] = "planned"
    id: int | None = None
    seen: tuple[str, ...] = ()
    generation: str = ""

    @classmethod
    def of(cls, planned: Planned) -> Self:
        """A file before it is sent."""
        return cls(planned.name, planned.ids, planned.sha256)

    def sending(self, seen: Iterable[str], number: int | None = None) -> Self:
        """The same, as it is about to be sent."""
        return replace(self, state="sending", seen=tuple(seen), id=number)

    def sent(self, number: int, generation: str) -> Self:
        """The same, as it is there."""
        return replace(self, state="sent", id=number, generation=generation)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self) | {"seen": list(self.seen)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` gave."""
        return cls(**{**data, "seen": tuple(data["seen"])})


Keep = Callable[[Sequence[Registered]], None]
"""Keeps the files of a run where a retry finds them; called before and after each write, always with all of them."""
