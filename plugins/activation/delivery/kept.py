"""Reads the rejects that runs have kept, and puts those aside that were replayed."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from activation.delivery.folder import Folder, listed, safe_name
from activation.delivery.rejects import PART, REPLAYED


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
                lines = _lines(part)
                aside = [line for line, record in lines if record and chosen.takes(record)]
                rest = [line for line, record in lines if not (record and chosen.takes(record))]
                if not aside:
                    continue
                (folder / f"{REPLAYED}{safe_name(by)}-{part.name}").write_text("".join(aside), encoding="utf-8")
                if rest:
                    part.write_text("".join(rest), encoding="utf-8")
                else:
                    part.unlink()
                moved += len(aside)
        return moved

    def _folders(self, chosen: Chosen) -> list[Folder]:
        wanted = safe_name(chosen.run)
        return [one for one in listed(self._folder) if wanted in ("", one.name) and one.name != self._but and one.is_dir()]


def _parts(folder: Folder) -> list[Folder]:
    return [one for one in listed(folder) if one.name.startswith(PART)]


def _lines(part: Folder) -> list[tuple[str, dict[str, Any] | None]]:
    """The lines of a part and what they say; ``None`` for one that a crash has cut off."""
    found: list[tuple[str, dict[str, Any] | None]] = []
    for line in io.StringIO(part.read_text(encoding="utf-8")):  # unlike splitlines it takes \n only; values may hold U+2028
        try:
            found.append((line, json.loads(line)))
        except ValueError:
            found.append((line, None))
    return found


def _chosen(folder: Folder, chosen: Chosen) -> Iterator[dict[str, Any]]:
    for part in _parts(folder):
        yield from (record for _, record in _lines(part) if record and chosen.takes(record))
