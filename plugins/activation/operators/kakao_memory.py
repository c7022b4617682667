"""What a run of customer files keeps in the task's state: its counts, and which of its files are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import Self

from activation.destinations.kakao_moment.registered import Registered
from activation.operators.memory import STARTED

KEY = "kakao"


@dataclass(frozen=True, slots=True)
class Sent:
    """What an earlier try has begun, or done.

    :ivar report: what the report says of the list, without its files.
    """

    report: Mapping[str, Any]
    files: tuple[Registered, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every file is there."""
        return bool(self.files) and all(file.state == "sent" for file in self.files)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {"report": self.report, "files": [file.to_json() for file in self.files]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What :meth:`to_json` gave."""
        return cls(data["report"], tuple(Registered.from_json(one) for one in data["files"]))


class KakaoMemory:
    """The task's state of one run; a retry sees what the try before it has kept.

    :param store: ``context["task_state_store"]``.
    """

    def __init__(self, store: Any) -> None:
        self._store = store

    def load(self) -> Sent | None:
        """What an earlier try has kept."""
        kept = self._store.get(KEY, default=None)
        return Sent.from_json(kept) if kept else None

    def save(self, sent: Sent) -> None:
        """Keep the files, as they are now."""
        self._store.set(KEY, sent.to_json())

    def forget(self) -> None:
        """Drop it all: a task that is cleared makes new files."""
        self._store.delete(KEY)
        self._store.delete(STARTED)
