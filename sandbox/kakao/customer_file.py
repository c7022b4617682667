"""A customer file: its states by the clock, and how both generations of the resource show it (2.3, 2.4, 3)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from sandbox.kakao import contract
from sandbox.kakao.intake import Upload
from sandbox.kakao.settings import Settings

_MASKED: Final = 8
"""Characters of a URL's path that are starred: its start, in an unknown length (3)."""


@dataclass
class CustomerFile:
    """One file of an account; times in seconds since the epoch.

    :ivar key: registration key; a new one for each content.
    :ivar original: when it was registered; ``created`` is of the content.
    :ivar due: when the extraction ends, and ``outcome`` how; of a deleted file when it is gone.
    :ivar failing: whether the extraction fails.
    :ivar uses: ad groups that target it.
    """

    id: int
    account: str
    name: str
    upload: Upload
    created: float
    source_url: str | None = None
    key: str = ""
    status: str = "WAITING"
    original: float = 0
    modified: float = 0
    population: int | None = None
    population_date: float | None = None
    due: float | None = None
    failing: bool = False
    uses: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.original = self.modified = self.created
        self.key = uuid4().hex

    def replace(self, upload: Upload, now: float, due: float, *, failing: bool) -> None:
        """Take a new content; the old population stays until the extraction ends."""
        self.upload.remove()
        self.upload, self.key, self.created, self.source_url = upload, uuid4().hex, now, None
        self.status, self.due, self.failing = "MODIFYING", due, failing

    def delete(self, due: float) -> None:
        """Delete it; its content is gone at once."""
        self.upload.remove()
        self.status, self.due = "DELETE", due

    def settle(self, now: float, match_ratio: float) -> None:
        """Come to the state of this time."""
        if self.due is None or now < self.due or self.status == "DELETE":
            return
        if self.status == "MODIFYING":
            self.modified = self.due
        self.status = "ERROR" if self.failing else "COMPLETE"
        if not self.failing:
            self.population, self.population_date = round(self.upload.unique * match_ratio), self.due
        self.due = None

    def gone(self, now: float) -> bool:
        """Whether nothing shows that it ever was."""
        return self.status == "DELETE" and self.due is not None and now >= self.due

    def shown(self, generation: str, settings: Settings, now: float) -> dict[str, Any]:
        """The object of a generation of the resource."""
        usable = self.status == "COMPLETE" or (self.status == "MODIFYING" and settings.states.ready_while_modifying)
        common = {
            "id": self.id,
            "adAccountId": int(self.account),
            "name": self.name,
            "ready": usable and self.population is not None,
            "createdDate": _date(self.created),
            "lastModifiedDate": _date(self.modified),
            "originalCreatedDate": _date(self.original),
            "populationUpdateDate": _date(self.population_date),
        }
        if self.population is not None or settings.answers.population_before == "null":
            common["populationScore"] = self.population
        if generation == contract.FILES:
            return {**common, "adidListKey": self.key, "customerFileStatus": self.status}
        return {**common, "kuidListKey": self.key, "status": self.status, **self._source(now)}

    def _source(self, now: float) -> dict[str, Any]:
        if self.source_url is None:
            source = {"type": "FILE", "sourceUrl": None, "renewable": False, "renewalExpireDateTime": None}
        else:
            until = self.original + contract.RENEWAL.total_seconds()
            source = {
                "type": "URL",
                "sourceUrl": _masked(self.source_url),
                "renewable": now < until,
                "renewalExpireDateTime": _date(until),
            }
        return {"fileType": "ADID", **source}


def _date(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, contract.KST).strftime(contract.DATE_FORMAT)


def _masked(url: str) -> str:
    """A URL whose host can be read, but not the start of its path."""
    parts = urlsplit(url)
    path = parts.path.removeprefix("/")
    hidden = min(_MASKED, len(path))
    return urlunsplit((parts.scheme, parts.netloc, f"/{'*' * hidden}{path[hidden:]}", "", ""))
