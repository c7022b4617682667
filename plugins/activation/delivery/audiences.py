"""Which audiences a pipeline has mapped, and since when: one small file in its state folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from activation.delivery.folder import Folder, replace_text
from activation.errors import ConfigurationError, TransientError

NAME = "audiences.json"


@dataclass(frozen=True, slots=True)
class Mapped:
    """An audience that is or was mapped (contracts: kinesis 1.5).

    :ivar created: when it was mapped first, milliseconds since the epoch.
    :ivar updated: when it was mapped last.
    :ivar gone: whether it is not mapped any more.
    """

    created: int
    updated: int
    gone: bool = False


class MappedAudiences:
    """What the pipeline file maps now, beside what finished runs have mapped.

    :param folder: the pipeline's state folder.
    :param wanted: the ids of the audiences that the pipeline maps.
    :param now: milliseconds since the epoch; the same for every try of a run.
    :raises ConfigurationError: if the file is unreadable; says what to do.
    """

    def __init__(self, folder: Folder, wanted: Sequence[str], now: int) -> None:
        self._folder, self._known = folder, _read(folder)
        self.fresh = tuple(one for one in wanted if one not in self._known or self._known[one].gone)
        """Audiences that no finished run has mapped, or not since they were taken away: their members are sent once."""
        self.again = frozenset(one for one in self.fresh if one in self._known)
        """Those of them that were mapped before: their members are sent even if they are as they were sent last."""
        begun = {one: Mapped(self._known[one].created if one in self._known else now, now) for one in self.fresh}
        self.times = {one: begun.get(one) or self._known[one] for one in wanted}
        """The audiences that are mapped."""

    def commit(self) -> None:
        """Keep it, once the members of the fresh ones are sent; nothing is written if nothing is new.

        :raises TransientError: if it cannot be written; the watermark must then not move.
        """
        gone = {one: Mapped(then.created, then.updated, True) for one, then in self._known.items() if one not in self.times}
        mapping = {**gone, **self.times}
        if mapping == self._known:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_text(self._folder, NAME, json.dumps({one: asdict(then) for one, then in mapping.items()}, indent=1))
        except OSError as error:
            raise TransientError(f"The mapped audiences could not be written to {self._folder}: {error}") from error
        self._known = mapping


def _read(folder: Folder) -> Mapping[str, Mapped]:
    path = folder / NAME
    if not path.exists():
        return {}
    try:
        return {str(one): Mapped(**then) for one, then in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}.", "Remove it: then the members of every mapped audience are sent once more."
        ) from error
