"""Reads the rejects that runs have kept, and puts those aside that were replayed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from activation.delivery.folder import Folder, safe_name

PART, REPLAYED = "part-", "replayed-"
"""How the names of files begin that hold rejects, and rejects that were replayed."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which rejects are meant; what is empty chooses all.

    :ivar run: the run that kept them.
    :ivar code: their reason code.
    :ivar text: a text that stands in one of the row's values, a user's id for example.
    """

    run: str = ""
    code: str = ""
    text: str = ""

    def takes(self, record: dict[str, Any]) -> bool:
        """Whether a reject is meant; its run is known to be right."""
        wanted = not self.code or record["code"] == self.code
        return wanted and (not self.text or any(self.text in str(value) for value in record["row"].values() if value is not None))


@dataclass(slots=True)
class RunRejects:
    """The rejects of one run.

    :ivar folder: the name of its folder, made of the run's id.
    :ivar reasons: rejects by reason code.
    :ivar samples: reason code -> the message of the first one.
    """

    folder: str
    reasons: Counter[str] = field(default_factory=Counter)
    samples: dict[str, str] = field(default_factory=dict)


class Kept:
    """The rejects of one pipeline.

    :param folder: the folder ``rejects`` of the pipeline's state folder.
    :param but: a run whose rejects do not count.
    """

    def __init__(self, folder: Folder, *, but: str = "") -> None:
        self._folder, self._but = folder, safe_name(but)

    def runs(self, chosen: Chosen = Chosen()) -> list[RunRejects]:
        """What each run has kept, by the names of their folders; runs that kept nothing of it are left out."""
        found = []
        for folder in self._folders(chosen):
            one = RunRejects(folder.name)
            for record in _chosen(folder, chosen):
                one.reasons[record["code"]] += 1
                one.samples.setdefault(record["code"], record["message"])
            if one.reasons:
                found.append(one)
        return found

    def records(self, chosen: Chosen = Chosen()) -> Iterator[dict[str, Any]]:
        """The rejects themselves, as :class:`~activation.delivery.rejects.Rejects` wrote them."""
        for folder in self._folders(chosen):
            yield from _chosen(folder, chosen)

    def put_aside(self, chosen: Chosen, by: str) -> int:
        """Mark rejects as replayed: they move to files of their own and are found no more.

        :param by: the run that replayed them.
        :returns: how many.
        """
        moved = 0
        for folder in self._folders(chosen):
            for part in _parts(folder):
                lines = part.read_text(encoding="utf-8").splitlines(keepends=True)
                taken = [chosen.takes(json.loads(line)) for line in lines]
                if not any(taken):
                    continue
                aside = [line for line, is_taken in zip(lines, taken, strict=True) if is_taken]
                rest = [line for line, is_taken in zip(lines, taken, strict=True) if not is_taken]
                (folder / f"{REPLAYED}{safe_name(by)}-{part.name}").write_text("".join(aside), encoding="utf-8")
                if rest:
                    part.write_text("".join(rest), encoding="utf-8")
                else:
                    part.unlink()
                moved += len(aside)
        return moved

    def _folders(self, chosen: Chosen) -> list[Folder]:
        if not self._folder.exists():
            return []
        wanted = safe_name(chosen.run)
        found = (one for one in self._folder.iterdir() if wanted in ("", one.name) and one.name != self._but)
        return sorted(found, key=lambda one: one.name)


def _parts(folder: Folder) -> list[Folder]:
    return sorted((one for one in folder.iterdir() if one.name.startswith(PART)), key=lambda one: one.name)


def _chosen(folder: Folder, chosen: Chosen) -> Iterator[dict[str, Any]]:
    for part in _parts(folder):
        for line in part.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            if chosen.takes(record):
                yield record
